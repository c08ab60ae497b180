/** `lazy` over HTTP: pages that do not ask for their session cost nothing and stay in caches. */

import assert from 'node:assert/strict'
import test, { type TestContext as Test } from 'node:test'
import session, { type CreateSessionOptions } from 'koa-session'
import { memoryStore } from 'koa-session/memory'
import { type ManualClock, manualClock } from 'koa-session/testing'
import { visit } from '../support/agent.ts'
import { createApp, type TestContext } from '../support/koa.ts'
import { later, scriptedStore } from '../support/stores.ts'
import { HOUR, SECRETS } from '../support/story.ts'

const warnings: unknown[] = []
process.on('warning', ({ code }: Error & { code?: string }) => warnings.push(code))

/** A store that takes a turn of the event loop to answer. */
function slowStore(clock: ManualClock) {
  const scripted = scriptedStore(memoryStore({ now: clock.now }))
  scripted.take(later)
  return { ...scripted, store: Object.assign(scripted.store, { answersAtOnce: false }) }
}

async function serve(t: Test, options: CreateSessionOptions = {}) {
  const clock = manualClock(Date.now())
  const { store, called } = slowStore(clock)
  const app = createApp()
  app.keys = [...SECRETS]
  const sessions = session({ store, lazy: true, maxAge: HOUR, now: clock.now, ...options }, app)
  app.use(async (ctx, next) => {
    if (ctx.path === '/early') ctx.state.early = codeOf(() => ctx.session)
    if (ctx.path === '/early-load') await sessions.load(ctx)
    await next()
  })
  app.use(sessions)
  const pages: Record<string, (ctx: TestContext) => unknown> = {
    '/': async ctx => (await sessions.load(ctx)).user ?? 'nobody',
    '/in': async ctx => {
      const visitor = await sessions.load(ctx)
      visitor.user = 'ann'
      await visitor.regenerate()
    },
    '/out': ctx => {
      ctx.session = null
    },
    '/replace': ctx => {
      ctx.session = { user: 'bob' }
    },
    '/replace-and-commit': async ctx => {
      ctx.session = { user: 'bob' }
      await sessions.commit(ctx)
      return ctx.session.user
    },
    '/unloaded': ctx => codeOf(() => ctx.session),
    '/early': async ctx => [ctx.state.early, (await sessions.load(ctx)).user].join(' '),
    '/early-load': ctx => ctx.res.flushHeaders(),
    '/untouched': () => 'untouched',
  }
  app.use(async ctx => {
    ctx.body = (await pages[ctx.path]?.(ctx)) ?? 'ok'
  })
  return { app, clock, sessions, called, visitor: await visit(t, app) }
}

function codeOf(work: () => unknown): unknown {
  try {
    work()
    return 'no error'
  } catch (error) {
    return (error as { code?: unknown }).code
  }
}

for (const options of [{}, { rolling: true }, { renew: true }, { seal: true }]) {
  test(`a page that does not ask has no read, no touch, no cookie and no Vary (${JSON.stringify(options)})`, async t => {
    const { visitor, called, clock } = await serve(t, options)
    await visitor.get('/in')
    clock.advance(HOUR / 2 + 1)
    called()
    const { headers, cookies } = await visitor.get('/untouched')
    assert.deepEqual([called(), cookies, headers.get('vary')], [[], [], null])
    const asking = await visitor.get('/')
    const isExtended = 'rolling' in options || 'renew' in options
    assert.deepEqual([asking.text, asking.headers.get('vary')], ['ann', 'Cookie'])
    assert.deepEqual(called(), isExtended ? ['read', 'touch'] : ['read'])
    // What was extended by the page that asked lives on.
    clock.advance(HOUR / 2)
    assert.equal((await visitor.get('/')).text, isExtended ? 'ann' : 'nobody')
  })
}

test('what reads it before is an error, with and without a cookie, and before the middleware', async t => {
  const { visitor, called } = await serve(t)
  for (const _ of ['without a cookie', 'with one']) {
    assert.equal((await visitor.get('/unloaded')).text, 'ERR_SESSION_NOT_LOADED')
    called()
    assert.match((await visitor.get('/early')).text, /^ERR_SESSION_NOT_LOADED (ann)?$/)
    assert.equal(called().length, visitor.jar.size > 0 ? 1 : 0)
    await visitor.get('/in')
  }
  assert.deepEqual(
    warnings.filter(code => code === 'KOA_SESSION_EARLY'),
    [],
  )
})

test('what was loaded before the middleware is extended with headers that leave early', async t => {
  const { visitor } = await serve(t, { rolling: true })
  await visitor.get('/in')
  assert.equal((await visitor.get('/early-load')).cookies.length, 2)
})

test('it is ended, and replaced, unread', async t => {
  const { visitor, called } = await serve(t)
  await visitor.get('/in')
  const other = visitor.stranger()
  for (const [name, value] of visitor.jar) other.jar.set(name, value)
  const id = visitor.jar.get('koa.sess')
  called()
  await visitor.get('/replace')
  assert.deepEqual(called(), ['read', 'patch'])
  assert.deepEqual([(await visitor.get('/')).text, visitor.jar.get('koa.sess')], ['bob', id])
  called()
  await visitor.get('/out')
  assert.deepEqual([called(), visitor.jar.size], [['read', 'destroy'], 0])
  assert.equal((await other.get('/')).text, 'nobody')
  assert.equal((await other.get('/replace-and-commit')).text, 'bob')
  assert.notEqual(other.jar.get('koa.sess'), id)
})

test('of two sessions each is loaded by its own middleware', async t => {
  const clock = manualClock(Date.now())
  const [first, second] = [slowStore(clock), slowStore(clock)]
  const app = createApp()
  const visitors = session<{ name: string }>({ store: first.store, lazy: true }, app)
  const admins = session<{ role: string }, 'admin'>(
    { store: second.store, lazy: true, property: 'admin', key: 'admin' },
    app,
  )
  app.use(visitors as never)
  app.use(admins as never)
  app.use(async ctx => {
    const { path } = ctx
    if (path === '/admin') (await admins.load(ctx)).role = 'root'
    if (path === '/visitor') (await visitors.load(ctx)).name = 'ann'
    const isAdmin = path === '/who-admin'
    ctx.body = isAdmin ? (await admins.load(ctx)).role : [codeOf(() => ctx.session), codeOf(() => ctx.admin)].join(' ')
  })
  const visitor = await visit(t, app)
  await visitor.get('/visitor')
  await visitor.get('/admin')
  first.called()
  assert.equal((await visitor.get('/who-admin')).text, 'root')
  assert.deepEqual(first.called(), [])
  assert.equal((await visitor.get('/visitor')).text, 'no error ERR_SESSION_NOT_LOADED')
})

test('a store that answers at once needs no load()', async t => {
  const app = createApp()
  app.use(session({ store: memoryStore() as never, lazy: true }, app))
  app.use(async ctx => {
    ctx.session.visits = (ctx.session.visits ?? 0) + 1
    ctx.body = String(ctx.session.visits)
  })
  const visitor = await visit(t, app)
  await visitor.get('/')
  assert.equal((await visitor.get('/')).text, '2')
})
