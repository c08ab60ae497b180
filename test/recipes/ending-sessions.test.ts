/** The recipes of docs/ending-sessions.md. */
import assert from 'node:assert/strict'
import test, { type TestContext as Test } from 'node:test'
import { manualClock } from 'koa-session/testing'
import { visit } from '../support/agent.ts'
import { createApp, type TestApp, type TestContext } from '../support/koa.ts'
import { newSecret } from '../support/secrets.ts'
import { Gate } from '../support/stores.ts'
import { KEYED_MODES, serve as tell, told } from '../support/story.ts'
import { recipe } from './page.ts'

interface User {
  id: string
  passwordHash: string
  passwordVersion: number
  sessionsFrom?: number
}

interface NotBefore {
  useSessions(app: TestApp, users: object): void
  signIn(ctx: TestContext, users: object, id: string, password: string): Promise<boolean>
  signOutEverywhere(ctx: TestContext, users: object): Promise<void>
  changePassword(ctx: TestContext, users: object, user: User, hash: string): Promise<void>
}

interface Impersonation {
  useSessions(app: TestApp, sessionsFrom: (id: string) => Promise<number | undefined>): void
  signIn(ctx: TestContext, id: string): Promise<void>
  impersonate(ctx: TestContext, id: string): Promise<void>
  endImpersonation(ctx: TestContext): Promise<void>
}

/** The instants that the recipes write are those of the process. */
function standStill(t: Test) {
  const clock = manualClock()
  t.mock.method(Date, 'now', clock.now)
  return clock
}

/** A sign-in of an application that does not have the recipe yet. */
function signInAsBefore(ctx: TestContext) {
  ctx.session.userId = 'ada'
}

async function serve(t: Test, app: TestApp, pages: Record<string, (ctx: TestContext) => unknown>) {
  app.keys = [newSecret()]
  app.use(async ctx => {
    ctx.body = String((await pages[ctx.path]?.(ctx)) ?? ctx.session?.userId ?? 'nobody')
  })
  return visit(t, app)
}

async function site(t: Test) {
  const { useSessions, signIn, signOutEverywhere, changePassword } = await recipe<NotBefore>(
    'ending-sessions.md',
    'not-before',
  )
  const clock = standStill(t)
  const ada: User = { id: 'ada', passwordHash: 'old', passwordVersion: 1 }
  const gate: { current?: Gate } = {}
  const users = {
    find: async (id: string) => (id === ada.id ? { ...ada } : undefined),
    update: async (_: string, changes: Partial<User>) => Object.assign(ada, changes),
    verify: async (password: string, hash: string) => {
      await gate.current?.pass()
      return password === hash
    },
  }
  const app = createApp()
  useSessions(app, users)
  const visitor = await serve(t, app, {
    '/in': ctx => signIn(ctx, users, 'ada', ctx.query.password),
    '/everywhere': ctx => signOutEverywhere(ctx, users),
    '/password': ctx => changePassword(ctx, users, { ...ada }, 'new'),
    '/in-as-before': signInAsBefore,
  })
  const signedIn = async () => {
    const one = visitor.stranger()
    assert.equal((await one.get('/in?password=old')).text, 'true')
    clock.advance(1000)
    return one
  }
  return { clock, ada, gate, visitor, signedIn }
}

test('one column signs out everywhere, and who signs in again is accepted', async t => {
  const { clock, signedIn } = await site(t)
  const [phone, desktop] = [await signedIn(), await signedIn()]
  await phone.get('/everywhere')
  assert.deepEqual([(await phone.get()).text, (await desktop.get()).text], ['nobody', 'nobody'])
  clock.advance(1000)
  await desktop.get('/in?password=old')
  assert.equal((await desktop.get()).text, 'ada')
})

test('who changes the password stays signed in, and nobody else does', async t => {
  const { signedIn } = await site(t)
  const [phone, desktop] = [await signedIn(), await signedIn()]
  await phone.get('/password')
  assert.deepEqual([(await phone.get()).text, (await desktop.get()).text], ['ada', 'nobody'])
})

test('a sign-in with the old password that is under way when it is changed is refused', async t => {
  const { clock, gate, visitor, signedIn } = await site(t)
  const phone = await signedIn()
  gate.current = new Gate()
  const thief = visitor.stranger()
  const underWay = thief.get('/in?password=old')
  await gate.current.arrived
  await phone.get('/password')
  clock.advance(1000)
  gate.current.open()
  assert.equal((await underWay).text, 'true')
  assert.equal((await thief.get()).text, 'nobody')
  assert.equal((await phone.get()).text, 'ada')
})

test('the sessions of a user who was deleted are ended', async t => {
  const { ada, signedIn } = await site(t)
  const phone = await signedIn()
  ada.id = 'somebody else'
  assert.equal((await phone.get()).text, 'nobody')
})

test('a session from before the recipe is refused, of a user who was deleted, too', async t => {
  const { ada, visitor } = await site(t)
  for (const id of ['ada', 'somebody else']) {
    ada.id = id
    const phone = visitor.stranger()
    await phone.get('/in-as-before')
    assert.equal((await phone.get()).text, 'nobody', id)
  }
})

test('a session from before the recipe of an impersonation is refused', async t => {
  const { useSessions } = await recipe<Impersonation>('ending-sessions.md', 'impersonation')
  const app = createApp()
  useSessions(app, async () => undefined)
  const visitor = await serve(t, app, { '/in-as-before': signInAsBefore })
  await visitor.get('/in-as-before')
  assert.equal((await visitor.get()).text, 'nobody')
})

test('an administrator who was revoked is not made younger by an impersonation, nor by its end', async t => {
  const { useSessions, signIn, impersonate, endImpersonation } = await recipe<Impersonation>(
    'ending-sessions.md',
    'impersonation',
  )
  const clock = standStill(t)
  const from: Record<string, number> = {}
  const app = createApp()
  useSessions(app, async id => from[id])
  const visitor = await serve(t, app, {
    '/in': ctx => signIn(ctx, 'admin'),
    '/as-bob': ctx => impersonate(ctx, 'bob'),
    '/end': ctx => (ctx.session.userId ? endImpersonation(ctx) : undefined),
  })
  const stories = {
    'revoked meanwhile': ['/as-bob', 'revoke now', '/end'],
    'revoked for the past, meanwhile': ['/as-bob', 'revoke from then', '/end'],
    'revoked for the past, once it was over': ['/as-bob', '/end', 'revoke from then'],
  }
  for (const [story, steps] of Object.entries(stories)) {
    delete from.admin
    await visitor.get('/in')
    const then = Date.now() + 500
    for (const step of steps) {
      clock.advance(1000)
      if (step.startsWith('revoke')) from.admin = step === 'revoke now' ? Date.now() : then
      else await visitor.get(step)
    }
    assert.equal((await visitor.get()).text, 'nobody', story)
  }
  delete from.admin
  await visitor.get('/in')
  clock.advance(1000)
  assert.equal((await visitor.get('/as-bob')).text, 'bob')
  assert.equal((await visitor.get('/end')).text, 'admin')
})

test('an audit log has one line for each event, and in it no id, no cookie and no data', async t => {
  const { audit } = await recipe<{ audit(app: TestApp, write: (line: string) => void): void }>(
    'ending-sessions.md',
    'audit-log',
  )
  const { app, clock, visitor } = await tell(t, KEYED_MODES.store as () => object, undefined, {
    options: { subject: data => data.user },
  })
  const lines: string[] = []
  audit(app, line => lines.push(line))
  await visitor.get('/cart')
  const old = visitor.copy()
  await visitor.get('/in')
  const secrets = [...old.jar.values(), ...visitor.jar.values(), '"ada"', "'ada'", 'a book']
  clock.advance(11_000)
  await old.get('/')
  await visitor.get('/out')
  await told()
  const seen = lines.map(line => JSON.parse(line)).map(({ event, path, reason }) => [event, path, reason])
  assert.deepEqual(seen, [
    ['created', '/cart', undefined],
    ['regenerated', '/in', undefined],
    ['reuse', '/', undefined],
    ['refused', '/', 'retired'],
    ['ended', '/out', 'sign-out'],
  ])
  for (const secret of secrets) assert.ok(!lines.join('\n').includes(secret))
  const [, regenerated, , , ended] = lines.map(line => JSON.parse(line))
  assert.deepEqual([ended.id, ended.subjectHash], [regenerated.id, regenerated.subjectHash])
})
