/* Sealed cookies, as an application and its visitors meet them. What a forger can do is in test/security. */

import assert from 'node:assert/strict'
import test, { type TestContext as Test } from 'node:test'
import session, { type CreateSessionOptions } from 'koa-session'
import { memoryStore } from 'koa-session/memory'
import seven from 'koa-session-7'
import { type Visitor, visit } from '../support/agent.ts'
import { createApp, type TestContext } from '../support/koa.ts'
import { newSecret } from '../support/secrets.ts'
import { appOf as applicationOf, KEY, moved, type Pages, serve, told } from '../support/story.ts'

const [OLD, NEW] = [newSecret(), newSecret()]

const PAGES: Pages = {
  '/in': ctx => {
    ctx.session.user = 'ada'
    return 'in'
  },
  '/big': ctx => {
    ctx.session.big = 'x'.repeat(Number(ctx.query.size))
    return 'big'
  },
  '/small': ctx => {
    delete ctx.session.big
    return 'small'
  },
}

const appOf = (options: CreateSessionOptions, keys: unknown = [NEW, OLD], make = session) =>
  applicationOf(options, PAGES, keys, { make })

const begin = (t: Test, options: CreateSessionOptions, keys: unknown = [NEW, OLD]) => serve(t, options, PAGES, { keys })

const names = (visitor: Visitor) => [...visitor.jar.keys()].sort()

const MODES: ReadonlyArray<readonly [mode: string, options: () => CreateSessionOptions]> = [
  ['the session', () => ({ seal: true })],
  ['the id of a stored one', () => ({ seal: true, store: memoryStore() })],
]

for (const [what, options] of MODES) {
  test(`${what} is sealed in one cookie, in which nothing can be read`, async t => {
    const { visitor } = await begin(t, options())
    const { cookies } = await visitor.get('/in')
    assert.equal(cookies.length, 1)
    assert.match(cookies[0] ?? '', /^koa\.sess=A[\w-]{40,}; path=\/; expires=[^;]+; httponly$/)
    assert.doesNotMatch(Buffer.from(String(visitor.jar.get(KEY)), 'base64url').toString('latin1'), /ada|user|_expire/)
    assert.equal((await visitor.get('/')).text, 'ada')
    assert.deepEqual((await visitor.get('/')).cookies, [], 'a mere read sends none')
    assert.equal((await visitor.get('/out')).cookies.length, 1)
    assert.deepEqual(names(visitor), [])
    assert.equal((await visitor.get('/')).text, 'nobody')
  })

  test(`${what} opens with an older secret, is then sealed by the newest, and not with one that is gone`, async t => {
    const shared = options()
    const { visitor } = await begin(t, shared, [OLD])
    await visitor.get('/in')
    const rotated = await moved(t, visitor, appOf(shared, [NEW, OLD]).app)
    assert.deepEqual((await rotated.get('/untouched')).cookies, [], 'what is not read is not renewed')
    const { text, cookies } = await rotated.get('/')
    assert.deepEqual({ text, count: cookies.length }, { text: 'ada', count: 1 })
    assert.deepEqual((await rotated.get('/')).cookies, [], 'once is enough')
    const newest = await moved(t, rotated, appOf(shared, [NEW]).app)
    assert.equal((await newest.get('/')).text, 'ada')
    const { app, reasons } = appOf(shared, [NEW])
    const late = await moved(t, visitor, app)
    assert.equal((await late.get('/')).text, 'nobody')
    await told()
    assert.deepEqual(reasons(), ['signature'])
  })

  test(`${what} is sealed by a secret that app.keys got while the application runs`, async t => {
    const keys = [OLD]
    const { visitor } = await begin(t, options(), keys)
    await visitor.get('/in')
    keys.unshift(NEW)
    assert.equal((await visitor.get('/')).cookies.length, 1)
    keys.pop()
    assert.equal((await visitor.get('/')).text, 'ada')
  })

  test(`a signed cookie with ${what} is not read, unless that is asked for`, async t => {
    const { seal: _, ...signed } = options()
    const { visitor } = await begin(t, signed)
    await visitor.get('/in')
    assert.deepEqual(names(visitor), [KEY, `${KEY}.sig`])
    const { app, reasons } = appOf({ ...signed, seal: true })
    assert.equal((await (await moved(t, visitor, app)).get('/')).text, 'nobody')
    await told()
    assert.deepEqual(reasons(), ['undecodable'])
    const migrating = await moved(t, visitor, appOf({ ...signed, seal: { acceptSigned: true } }).app)
    assert.equal((await migrating.get('/')).text, 'ada')
    assert.deepEqual(names(migrating), [KEY], 'the signature is taken back')
    assert.match(String(migrating.jar.get(KEY)), /^A/)
    const migrated = await moved(t, migrating, appOf({ ...signed, seal: true }).app)
    assert.equal((await migrated.get('/')).text, 'ada')
  })
}

test('a cookie of koa-session 7 becomes a sealed one', async t => {
  const old = appOf({}, [OLD], seven as unknown as typeof session)
  const visitor = await visit(t, old.app)
  await visitor.get('/in')
  const migrating = await moved(t, visitor, appOf({ seal: { acceptSigned: true } }).app)
  assert.equal((await migrating.get('/')).text, 'ada')
  assert.deepEqual(names(migrating), [KEY])
  assert.equal((await migrating.get('/')).text, 'ada')
})

test('a value of more than 4096 bytes is an error with its size and the ways out, and the session stays', async t => {
  const { visitor, errors } = await begin(t, { seal: true })
  await visitor.get('/in')
  assert.equal((await visitor.get('/big?size=3500')).status, 500)
  assert.equal(errors[0]?.code, 'ERR_SESSION_TOO_LARGE')
  assert.match(String(errors[0]?.message), /^the cookie koa\.sess has 4\d{3} bytes, .* store .*, .*chunks\)$/)
  assert.equal((await visitor.get('/')).text, 'ada')
})

test('with chunks it takes as many cookies as it needs, and takes back those that it needs no more', async t => {
  const { visitor, errors } = await begin(t, { seal: true, chunks: true })
  await visitor.get('/in')
  assert.deepEqual(names(visitor), [KEY])
  await visitor.get('/big?size=4500')
  assert.deepEqual(names(visitor), [KEY, `${KEY}.1`])
  const line = [...visitor.jar].map(([name, value]) => `${name}=${value}`)
  assert.ok(line.every(pair => pair.length - 1 <= 4096) && line.join('; ').length < 7000)
  assert.equal((await visitor.get('/')).text, 'ada')
  assert.equal((await visitor.get('/big?size=5100')).status, 500)
  assert.match(String(errors[0]?.message), /has \d+ bytes, and servers may refuse more than 7000/)
  assert.equal((await visitor.get('/')).text, 'ada')
  await visitor.get('/small')
  assert.deepEqual(names(visitor), [KEY])
  assert.equal((await visitor.get('/')).text, 'ada')
  await visitor.get('/big?size=4500')
  await visitor.get('/out')
  assert.deepEqual(names(visitor), [])
})

test('three cookies take more, and are taken back by who allows for two', async t => {
  const { visitor } = await begin(t, { seal: true, chunks: 3 })
  await visitor.get('/in')
  await visitor.get('/big?size=8000')
  assert.deepEqual(names(visitor), [KEY, `${KEY}.1`, `${KEY}.2`])
  assert.equal((await visitor.get('/')).text, 'ada')
  const { app, reasons } = appOf({ seal: true, chunks: 2 })
  const other = await moved(t, visitor, app)
  assert.equal((await other.get('/')).text, 'nobody')
  await told()
  assert.deepEqual(reasons(), ['undecodable'])
  await other.get('/in')
  assert.deepEqual(names(other), [KEY])
})

test('own secrets take the place of app.keys, which may then be missing or a Keygrip', async t => {
  for (const keys of [null, { sign: () => '', verify: () => true, index: () => 0 }]) {
    const { visitor } = await begin(t, { seal: true, keys: [NEW, Buffer.from(OLD)] }, keys)
    await visitor.get('/in')
    assert.equal((await visitor.get('/')).text, 'ada')
  }
})

test('all goes through ctx.cookies where those are not Koa’s own', async t => {
  const { app } = appOf({ seal: true, chunks: true })
  const used: string[] = []
  app.middleware.unshift((ctx: TestContext, next: () => Promise<void>) => {
    const { get, set } = ctx.cookies
    ctx.cookies.get = (...given: unknown[]) => used.push(`get ${given[0]}`) && get.apply(ctx.cookies, given)
    ctx.cookies.set = (...given: unknown[]) => used.push(`set ${given[0]}`) && set.apply(ctx.cookies, given)
    return next()
  })
  const visitor = await visit(t, app)
  await visitor.get('/big?size=4500')
  await visitor.get('/')
  assert.deepEqual(used, [`get ${KEY}`, `set ${KEY}`, `set ${KEY}.1`, `get ${KEY}`, `get ${KEY}.1`])
})

test('a second session can not have the cookie that a part of the first one may need', () => {
  const app = createApp()
  app.keys = [NEW]
  session({ seal: true, chunks: true }, app)
  for (const key of [`${KEY}.1`, `${KEY}.2`, `${KEY}.sig`]) {
    assert.throws(() => session({ key, property: 'other' }, app), {
      code: 'ERR_SESSION_OPTION',
      message: /^option key/,
    })
  }
  session({ key: `${KEY}.3`, property: 'other' }, app)
  assert.throws(
    () =>
      session({ key: 'koa', seal: true, property: 'third' }, app) && session({ key: 'koa.1', property: 'fourth' }, app),
    {
      code: 'ERR_SESSION_OPTION',
    },
  )
})
