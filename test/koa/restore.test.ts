/** The one method that is hooked, `res.writeHead`, beside whoever else hooks it; and what is done around the session. */
import assert from 'node:assert/strict'
import test from 'node:test'
import session, { type CreateSessionOptions } from 'koa-session'
import { memoryStore } from 'koa-session/memory'
import { visit } from '../support/agent.ts'
import { namesSet, PROTOCOLS, serve } from '../support/http2.ts'
import { createApp, type TestApp, type TestContext } from '../support/koa.ts'
import { appOf as applicationOf, type Page } from '../support/story.ts'

type Next = () => Promise<void>
type Middleware = (ctx: TestContext, next: Next) => unknown

const MODES: Record<string, () => CreateSessionOptions> = {
  cookie: () => ({}),
  'cookie without cacheHeaders': () => ({ cacheHeaders: false }),
  store: () => ({ store: memoryStore() }),
}
const OWN = ['koa.sess', 'koa.sess.sig']

/** `/views` says what the session holds; every other request goes through `around` and then to `handler`. */
function appOf(options: CreateSessionOptions, around: Middleware, handler: Page): TestApp {
  const others: Page = ctx => {
    ctx.body = 'text'
    return handler(ctx)
  }
  return applicationOf(options, { '/views': ctx => ctx.session.views, '*': others }, undefined, {
    before: app => app.use((ctx, next) => (ctx.path === '/views' ? next() : around(ctx, next))),
  }).app
}

const increment = (ctx: TestContext) => {
  ctx.session.views = (ctx.session.views ?? 0) + 1
}

const through: Middleware = (_ctx, next) => next()

/** Hooks `writeHead` as the package on-headers does: for compression, for a response time. */
function hook(ctx: TestContext, call: () => void): void {
  const original = ctx.res.writeHead
  ctx.res.writeHead = function (...line: unknown[]) {
    if (!this.headersSent) call()
    return original.apply(this, line)
  }
}

for (const protocol of PROTOCOLS) {
  test(`${protocol}: writeHead is put back once the headers have left, and as Node made it`, async t => {
    const seen: unknown[] = []
    const around: Middleware = async (ctx, next) => {
      const original = ctx.res.writeHead
      await next()
      seen.push(ctx.res.writeHead === original)
      ctx.flushHeaders()
      seen.push(ctx.res.writeHead === original)
    }
    const client = await serve(t, appOf({}, around, increment), protocol)
    assert.deepEqual(namesSet((await client.get()).cookies), OWN)
    assert.deepEqual(seen, [false, true])
  })

  test(`${protocol}: writeHead is left alone where nobody uses the session`, async t => {
    const seen = new Set<unknown>()
    const around: Middleware = (ctx, next) => seen.add(ctx.res.writeHead) && next()
    const client = await serve(
      t,
      appOf({}, around, ctx => seen.add(ctx.res.writeHead)),
      protocol,
    )
    await client.get()
    assert.equal(seen.size, 1)
  })

  test(`${protocol}: a second writeHead fails as it does in Node, and sends nothing`, async t => {
    const codes: unknown[] = []
    const around: Middleware = async (ctx, next) => {
      hook(ctx, () => {})
      await next()
      ctx.respond = false
      ctx.res.writeHead(200)
      assert.throws(
        () => ctx.res.writeHead(500, { 'Set-Cookie': 'late=1' }),
        error => codes.push((error as { code: string }).code) > 0,
      )
      ctx.res.end('text')
    }
    const client = await serve(t, appOf({}, around, increment), protocol)
    const answer = await client.get()
    assert.equal(answer.status, 200)
    assert.deepEqual(namesSet(answer.cookies), OWN)
    assert.deepEqual(codes, [protocol === 'HTTP/1' ? 'ERR_HTTP_HEADERS_SENT' : 'ERR_HTTP2_HEADERS_SENT'])
  })

  test(`${protocol}: who hooked writeHead before, and who hooks it after, adds a header once`, async t => {
    const calls: string[] = []
    const add = (ctx: TestContext, name: string) =>
      hook(ctx, () => {
        calls.push(name)
        ctx.res.setHeader(`X-${name}`, String(ctx.res.getHeader('Set-Cookie')?.length))
      })
    const around: Middleware = (ctx, next) => {
      add(ctx, 'Before')
      return next()
    }
    const handler: Page = ctx => {
      ctx.session.views = 1
      add(ctx, 'After')
      ctx.flushHeaders()
    }
    const client = await serve(t, appOf({}, around, handler), protocol)
    const answer = await client.get()
    assert.deepEqual(namesSet(answer.cookies), OWN)
    assert.deepEqual(calls, ['After', 'Before'])
    // Who hooked it before sees the headers as they leave.
    assert.deepEqual([answer.headers.get('x-after'), answer.headers.get('x-before')], ['undefined', '2'])
  })

  test(`${protocol}: two sessions hook writeHead once, and both leave with a flush`, async t => {
    const hooks = new Set<unknown>()
    const app = createApp()
    app.use(session(app))
    app.use(session({ property: 'adminSession', key: 'admin' }, app))
    app.use(ctx => {
      ctx.session.user = 'tobi'
      hooks.add(ctx.res.writeHead)
      ctx.adminSession.user = 'root'
      hooks.add(ctx.res.writeHead)
      ctx.flushHeaders()
    })
    const client = await serve(t, app, protocol)
    assert.deepEqual(namesSet((await client.get()).cookies), ['admin', 'admin.sig', ...OWN])
    assert.equal(hooks.size, 1)
  })
}

for (const [mode, optionsOf] of Object.entries(MODES)) {
  for (const protocol of PROTOCOLS) {
    test(`${mode}, ${protocol}: a writeHead that throws does not lose the session on the error page`, async t => {
      const errors: unknown[] = []
      const handler: Page = ctx => increment(ctx) ?? ctx.res.writeHead(99_999)
      const app = appOf(optionsOf(), through, handler).on('error', error => errors.push(error.code))
      const client = await serve(t, app, protocol)
      const answer = await client.get()
      assert.equal(answer.status, 500)
      assert.deepEqual(namesSet(answer.cookies), OWN)
      assert.equal((await client.get('/views')).text, '1')
      assert.deepEqual(errors, [protocol === 'HTTP/1' ? 'ERR_HTTP_INVALID_STATUS_CODE' : 'ERR_HTTP2_STATUS_INVALID'])
    })
  }

  test(`${mode}: a throw further out, once the session is committed, does not lose its cookie`, async t => {
    const around: Middleware = async (_ctx, next) => {
      await next()
      throw new Error('further out')
    }
    const visitor = await visit(t, appOf(optionsOf(), around, increment))
    const answer = await visitor.get()
    assert.equal(answer.status, 500)
    assert.deepEqual(namesSet(answer.cookies), OWN)
  })

  for (const [page, headers] of Object.entries({
    'a page': {},
    'a public page': { 'Cache-Control': 'public, max-age=60' },
    'a public page with a Vary of its own': { 'Cache-Control': 'public, max-age=60', Vary: 'Accept-Encoding' },
  })) {
    test(`${mode}: a Set-Cookie that was removed further out, for ${page}, is not put back`, async t => {
      const around: Middleware = async (ctx, next) => {
        await next()
        assert.equal(ctx.res.getHeader('Set-Cookie').length, 2)
        ctx.remove('Set-Cookie')
        ctx.set(headers)
      }
      const visitor = await visit(t, appOf(optionsOf(), around, increment))
      const answer = await visitor.get()
      assert.equal(answer.status, 200)
      assert.deepEqual(answer.cookies, [])
    })
  }

  for (const status of [200, 418]) {
    test(`${mode}: a change further out, once the session middleware has seen a ${status}, is saved`, async t => {
      const around: Middleware = async (ctx, next) => {
        await next().catch(() => {})
        ctx.status = status
        increment(ctx)
      }
      const handler: Page = ctx => ctx.assert(status === 200, status)
      const visitor = await visit(t, appOf(optionsOf(), around, handler))
      for (const views of ['1', '2']) {
        const answer = await visitor.get()
        assert.equal(answer.status, status)
        assert.deepEqual(namesSet(answer.cookies), OWN)
        assert.equal((await visitor.get('/views')).text, views)
      }
    })
  }

  for (const [method, leave] of Object.entries({
    writeHead: (res: TestContext, list: string[]) => res.writeHead(200, { 'Set-Cookie': list }).end('text'),
    setHeader: (res: TestContext, list: string[]) => res.setHeader('Set-Cookie', list).end('text'),
  })) {
    test(`${mode}: a list of cookies given to ${method} is not added to: nobody gets the cookie of another`, async t => {
      const list = ['mine=1']
      const handler: Page = ctx => {
        ctx.respond = false
        if (ctx.path === '/begin') increment(ctx)
        leave(ctx.res, list)
      }
      const visitor = await visit(t, appOf(optionsOf(), through, handler))
      assert.deepEqual(namesSet((await visitor.get('/begin')).cookies), [...OWN, 'mine'])
      assert.deepEqual((await visitor.stranger().get('/')).cookies, ['mine=1'])
      assert.deepEqual(list, ['mine=1'])
    })
  }
}

test('a cookie that is too large does not leave with the error page of a middleware further out', async t => {
  const around: Middleware = (ctx, next) =>
    next().catch(error => {
      ctx.body = error.code
    })
  const handler: Page = ctx => {
    ctx.cookies.set('other', 'kept', { signed: false })
    ctx.session.text = 'x'.repeat(4096)
  }
  const visitor = await visit(t, appOf({}, around, handler))
  const answer = await visitor.get()
  assert.equal(answer.text, 'ERR_SESSION_TOO_LARGE')
  assert.deepEqual(namesSet(answer.cookies), ['other'])
})

test('an id that externalKey sends in a header leaves with the error page too', async t => {
  const externalKey = {
    get: (ctx: TestContext) => ctx.get('X-Session'),
    set: (ctx: TestContext, id: string) => ctx.set('X-Session', id),
  }
  const handler: Page = ctx => {
    ctx.session.views = 1
    ctx.throw(403)
  }
  const visitor = await visit(t, appOf({ store: memoryStore(), externalKey }, through, handler))
  const answer = await visitor.get()
  assert.equal(answer.status, 403)
  assert.equal((await visitor.get('/views', { 'x-session': answer.headers.get('x-session') ?? '' })).text, '1')
})

test('a list of lines that the handler gives to several responses stays as it is', async t => {
  const shared = ['theme=dark']
  const handler: Page = ctx => {
    if (ctx.path === '/in') return void increment(ctx)
    ctx.res.setHeader('Set-Cookie', shared)
    ctx.session = null
  }
  const visitor = await visit(t, appOf({}, through, handler))
  await visitor.get('/in')
  assert.deepEqual(namesSet((await visitor.get('/out')).cookies), [...OWN, 'theme'])
  assert.deepEqual(shared, ['theme=dark'])
})
