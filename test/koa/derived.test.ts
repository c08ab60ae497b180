/** Contexts that are derived from the one of the request, and what stands in the way of the shorter paths. */
import assert from 'node:assert/strict'
import test from 'node:test'
import mount from 'koa-mount'
import session, { type CreateSessionOptions } from 'koa-session'
import { memoryStore } from 'koa-session/memory'
import { visit } from '../support/agent.ts'
import { createApp, type TestContext } from '../support/koa.ts'

type Derive = (ctx: TestContext) => TestContext

const DERIVED: Record<string, Derive> = {
  'an object that inherits from the context': ctx => Object.create(ctx),
  'a proxy that keeps what is set to itself': ctx => {
    const own: Record<PropertyKey, unknown> = {}
    return new Proxy(ctx, {
      get: (_target, name) => (name in own ? own[name] : ctx[name]),
      set: (_target, name, value) => {
        own[name] = value
        return true
      },
    })
  },
}

const MODES: Record<string, () => CreateSessionOptions> = {
  cookie: () => ({}),
  store: () => ({ store: memoryStore() }),
}

for (const [mode, options] of Object.entries(MODES)) {
  for (const [claim, derive] of Object.entries(DERIVED)) {
    test(`${mode}: ${claim} has its session, and no other`, async t => {
      const app = createApp()
      app.use(session(app, options()))
      app.use(ctx => {
        if (ctx.path === '/in') ctx.session.user = 'ada'
        if (ctx.path === '/batch') for (const key of ['a', 'b']) derive(ctx).session[key] = 1
        if (ctx.path === '/out') {
          derive(ctx).session.views = 1
          ctx.session = null
        }
        ctx.body = JSON.stringify(ctx.session)
      })
      const visitor = await visit(t, app)
      await visitor.get('/in')
      await visitor.get('/batch')
      assert.equal((await visitor.get('/')).text, '{"user":"ada","a":1,"b":1}')
      await visitor.get('/out')
      assert.equal((await visitor.get('/')).text, '{}')
    })

    test(`${mode}: what can not be saved of ${claim} is an error of the request`, async t => {
      const app = createApp()
      app.use(session(app, options()))
      app.use(ctx => {
        derive(ctx).session.user = 5n
        ctx.body = 'ok'
      })
      assert.equal((await (await visit(t, app)).get('/')).status, 500)
    })
  }

  test(`${mode}: skip can look at the session in a mounted application`, async t => {
    const inner = createApp()
    inner.use(session(inner, { ...options(), skip: ctx => ctx.session?.n === 1 }))
    inner.use(ctx => {
      ctx.body = 'ok'
    })
    const app = createApp()
    app.use(mount('/', inner as never) as never)
    assert.equal((await (await visit(t, app)).get('/')).status, 200)
  })

  test(`${mode}: a thenable that is a function is waited for, or refused`, async t => {
    // biome-ignore lint/suspicious/noThenProperty: that is what it is about
    const no = Object.assign(() => {}, { then: (done: (isValid: boolean) => void) => done(false) })
    let isChecked = false
    const app = createApp()
    app.use(session(app, { ...options(), valid: () => (isChecked ? no : true) }))
    app.use(ctx => {
      if (ctx.path === '/in') ctx.session.user = 'ada'
      ctx.body = ctx.session.user ?? 'nobody'
    })
    const visitor = await visit(t, app)
    await visitor.get('/in')
    isChecked = true
    const { status, text } = await visitor.get('/')
    if (mode === 'cookie') assert.equal(status, 500)
    else assert.equal(text, 'nobody')
  })
}

test('a middleware that is called by hand gives a promise, whatever happens', async () => {
  const app = createApp()
  const middleware = session(app, {
    skip: () => {
      throw new Error('skip failed')
    },
  }) as unknown as (ctx: TestContext, next: () => unknown) => Promise<void>
  const given = middleware({ app, req: {} } as TestContext, () => {})
  await assert.rejects(given, /skip failed/)
})

test('an id that is sent again is not kept from it by options that became wrong', async t => {
  const app = createApp()
  const externalKey = { get: () => undefined, set: (ctx: TestContext, id: string) => ctx.set('x-id', id) }
  app.use(session(app, { store: memoryStore(), externalKey }))
  app.use(async ctx => {
    ctx.session.user = 'ada'
    await ctx.session.save()
    ctx.sessionOptions.maxAge = 'wrong'
  })
  const { status, headers } = await (await visit(t, app)).get('/')
  assert.equal(status, 500)
  assert.match(headers.get('x-id') ?? '', /^[0-9a-f-]{36}$/)
})

test('a cookie that is put back keeps caches away', async t => {
  const app = createApp()
  app.use(session(app, { signed: false }))
  app.use(async ctx => {
    ctx.session.user = 'ada'
    await ctx.session.save()
    ctx.sessionOptions.key = 'another'
    for (const name of ctx.res.getHeaderNames()) ctx.res.removeHeader(name)
    ctx.body = 'ok'
  })
  const { cookies, headers } = await (await visit(t, app)).get('/')
  assert.ok(cookies.length > 0, 'no cookie was sent')
  assert.equal(headers.get('cache-control'), 'no-store')
})
