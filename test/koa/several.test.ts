import assert from 'node:assert/strict'
import test, { type TestContext as Test } from 'node:test'
import session, { type CreateSessionOptions, type SessionOptions } from 'koa-session'
import { memoryStore } from 'koa-session/memory'
import { manualClock } from 'koa-session/testing'
import { visit } from '../support/agent.ts'
import { createApp, type TestContext } from '../support/koa.ts'
import { cookiesFrom, type Pages, serve } from '../support/story.ts'

const MINUTE = 60_000
const ADMIN = { property: 'adminSession', key: 'admin.sess' } as const

type Both = readonly [SessionOptions, SessionOptions]

const signIn = (ctx: TestContext) => {
  ctx.session.user = 'tobi'
  ctx.adminSession.user = 'root'
}
const PAGES: Pages = {
  '/sign-in': signIn,
  '/sign-out': ctx => {
    ctx.adminSession = null
  },
  '/whoami': ctx => `${ctx.session.user ?? 'nobody'} ${ctx.adminSession.user ?? 'nobody'}`,
}

/** Serves an application with the session of a visitor, the one of an administrator, and these pages. */
const begin = (t: Test, [first, second]: Both, pages: Pages = {}) =>
  serve(
    t,
    first as CreateSessionOptions,
    { ...PAGES, ...pages },
    {
      before: app => app.use(session({ ...ADMIN, ...second }, app)),
    },
  )

const MODES: Record<string, () => Both> = {
  'both in cookies': () => [{}, {}],
  'both in one store': () => {
    const store = memoryStore()
    return [{ store }, { store }]
  },
  'the first in a store': () => [{ store: memoryStore() }, {}],
  'the second in a store': () => [{}, { store: memoryStore() }],
}

for (const [mode, options] of Object.entries(MODES)) {
  test(`two sessions have data and cookies of their own (${mode})`, async t => {
    const { visitor, textOf } = await begin(t, options())
    const { cookies } = await visitor.get('/sign-in')
    assert.deepEqual([...cookiesFrom(cookies).keys()].sort(), [
      'admin.sess',
      'admin.sess.sig',
      'koa.sess',
      'koa.sess.sig',
    ])
    assert.equal(await textOf('/whoami'), 'tobi root')
    visitor.jar.delete('koa.sess')
    assert.equal(await textOf('/whoami'), 'nobody root')
    assert.equal((await visitor.stranger().get('/whoami')).text, 'nobody nobody')
  })

  test(`signing out of one leaves the other (${mode})`, async t => {
    const { visitor, textOf } = await begin(t, options())
    await visitor.get('/sign-in')
    const { cookies } = await visitor.get('/sign-out')
    assert.ok(cookies.length > 0, 'the browser is told')
    for (const line of cookies) assert.match(line, /^admin\.sess(\.sig)?=.*expires=Thu, 01 Jan 1970/i)
    assert.equal(await textOf('/whoami'), 'tobi nobody')
    await visitor.get('/sign-in')
    await visitor.get('/out')
    assert.equal(await textOf('/whoami'), 'nobody root')
  })

  test(`an error in the handler loses neither of two sessions (${mode})`, async t => {
    const { visitor, textOf } = await begin(t, options(), {
      '/broken'(ctx) {
        signIn(ctx)
        throw new Error('broken')
      },
    })
    assert.equal((await visitor.get('/broken')).status, 500)
    assert.equal(await textOf('/whoami'), 'tobi root')
  })

  test(`headers that leave early take the cookies of both along (${mode})`, async t => {
    const { visitor, textOf } = await begin(t, options(), {
      '/flush'(ctx) {
        signIn(ctx)
        ctx.status = 200
        ctx.res.flushHeaders()
      },
    })
    await visitor.get('/flush')
    assert.equal(await textOf('/whoami'), 'tobi root')
  })

  test(`both are saved at the same time in one request, each cookie sent once (${mode})`, async t => {
    const { visitor, textOf } = await begin(t, options(), {
      async '/both'(ctx) {
        signIn(ctx)
        await Promise.all([ctx.session.save(), ctx.adminSession.save(), ctx.session.save()])
        await Promise.all([ctx.adminSession.regenerate(), ctx.session.regenerate()])
        ctx.session.user = 'loki'
      },
    })
    assert.equal((await visitor.get('/both')).cookies.length, 4)
    assert.equal(await textOf('/whoami'), 'loki root')
  })

  test(`each session has a lifetime of its own (${mode})`, async t => {
    const clock = manualClock(Date.now())
    const [first, second] = options()
    const times = [
      { ...first, now: clock.now, maxAge: 60 * MINUTE },
      { ...second, now: clock.now, maxAge: 5 * MINUTE },
    ] as const
    const { visitor, textOf } = await begin(t, times)
    await visitor.get('/sign-in')
    clock.advance(5 * MINUTE)
    assert.equal(await textOf('/whoami'), 'tobi root')
    clock.advance(1)
    assert.equal(await textOf('/whoami'), 'tobi nobody')
    clock.advance(55 * MINUTE)
    assert.equal(await textOf('/whoami'), 'nobody nobody')
  })

  test(`the cookie of one session is not taken for that of the other (${mode})`, async t => {
    const { visitor, textOf } = await begin(t, options())
    await visitor.get('/sign-in')
    for (const suffix of ['', '.sig'])
      visitor.jar.set(`admin.sess${suffix}`, visitor.jar.get(`koa.sess${suffix}`) ?? '')
    assert.equal(await textOf('/whoami'), 'tobi nobody')
  })
}

test('each session has options of its own, for this response', async t => {
  const { visitor } = await begin(t, [{}, {}], {
    '/options': ctx => {
      signIn(ctx)
      ctx.adminSessionOptions.sameSite = 'strict'
      ctx.sessionOptions.sameSite = 'lax'
      return `${ctx.sessionOptions.key} ${ctx.adminSessionOptions.key}`
    },
  })
  const { text, cookies } = await visitor.get('/options')
  assert.equal(text, 'koa.sess admin.sess')
  for (const line of cookies) assert.match(line, line.startsWith('admin') ? /samesite=strict/i : /samesite=lax/i)
  for (const line of (await visitor.get('/sign-out')).cookies) assert.doesNotMatch(line, /samesite/i)
})

test('one session is kept alive without the other', async t => {
  const clock = manualClock(Date.now())
  const common = { now: clock.now, maxAge: 10 * MINUTE }
  const { visitor, textOf } = await begin(t, [{ ...common, rolling: true }, common])
  await visitor.get('/sign-in')
  clock.advance(9 * MINUTE)
  await visitor.get('/untouched')
  clock.advance(9 * MINUTE)
  assert.equal(await textOf('/whoami'), 'tobi nobody')
})

test('the middleware of a second session may come first, or serve some paths only', async t => {
  const app = createApp()
  const admin = session(ADMIN, app)
  app.use(async (ctx, next) => (ctx.path === '/admin' ? admin(ctx, next) : next()))
  app.use(session(app))
  app.use(ctx => {
    ctx.session.views = (ctx.session.views ?? 0) + 1
    if (ctx.path === '/admin') ctx.adminSession.views = (ctx.adminSession.views ?? 0) + 1
    ctx.body = `${ctx.session.views} ${ctx.path === '/admin' ? ctx.adminSession.views : ''}`
  })
  const visitor = await visit(t, app)
  const texts = []
  for (const path of ['/admin', '/', '/admin']) texts.push((await visitor.get(path)).text)
  assert.deepEqual(texts, ['1 1', '2 ', '3 2'])
})

const CLASHES: Array<[claim: string, first: SessionOptions, second: SessionOptions, option: string]> = [
  ['the default key for two', {}, { property: 'adminSession' }, 'key'],
  ['one key for two', { key: 'a' }, { property: 'adminSession', key: 'a' }, 'key'],
  ['a key that is the signature of the other', { key: 'a' }, { property: 'adminSession', key: 'a.sig' }, 'key'],
  ['a property that the other has for its options', { property: 'sessionOptions', key: 'a' }, {}, 'property'],
  ['the options of another session as property', {}, { property: 'sessionOptions', key: 'a' }, 'property'],
  ...['path', 'cookies', 'onerror', 'toString', 'state', 'app', 'req', 'request', 'res', 'originalUrl', 'respond'].map(
    (property): (typeof CLASHES)[number] => [`ctx.${property} as property`, {}, { property, key: 'a' }, 'property'],
  ),
]

for (const [claim, first, second, option] of CLASHES) {
  test(`${claim} is refused`, () => {
    const app = createApp()
    session(first, app)
    const message = new RegExp(`^option ${option} `)
    assert.throws(() => session(second, app), { code: 'ERR_SESSION_OPTION', message })
  })
}

test('a property whose options would hide what ctx has is refused', () => {
  const app = createApp()
  app.context.adminSessionOptions = 'of the application'
  assert.throws(() => session(ADMIN, app), { code: 'ERR_SESSION_OPTION', message: /^option property / })
})

test('a ctx.session that is something else is replaced, as by koa-session 7', async t => {
  const app = createApp()
  Object.assign(app.context, { session: 'something else', sessionOptions: {} })
  app.use(session(app))
  app.use(ctx => {
    ctx.body = `${ctx.session.isNew} ${ctx.sessionOptions.key}`
  })
  assert.equal((await (await visit(t, app)).get()).text, 'true koa.sess')
})

test('what is on app.context can be replaced by a test of the application', () => {
  const app = createApp()
  session(app)
  for (const name of ['session', 'sessionOptions']) {
    Object.defineProperty(app.context, name, { value: 'a mock' })
    assert.equal(Reflect.get(app.context, name), 'a mock')
  }
})

test('what was refused leaves no trace on the application', async t => {
  const app = createApp()
  app.use(session(app))
  assert.throws(() => session({ property: 'adminSession' }, app), { code: 'ERR_SESSION_OPTION' })
  app.use(session(ADMIN, app))
  app.use(ctx => {
    ctx.body = PAGES['/whoami']?.(ctx)
  })
  assert.equal((await (await visit(t, app)).get()).text, 'nobody nobody')
})

test('a cookie whose name begins with that of the session stays where the session is ended and begun again', async t => {
  const { visitor, sessions } = await serve(
    t,
    {},
    {
      '/': async ctx => {
        ctx.cookies.set('koa.sess.1', 'kept', { signed: false })
        ctx.session = null
        await sessions.commit(ctx)
        ctx.session = { user: 'tobi' }
      },
    },
  )
  await visitor.get('/')
  assert.deepEqual([...visitor.jar.keys()].sort(), ['koa.sess', 'koa.sess.1', 'koa.sess.sig'])
})
