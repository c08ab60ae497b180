/** Headers right however the response leaves: every way out × HTTP/1 and HTTP/2 × session in a cookie and in a store. */
import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import test from 'node:test'
import session from 'koa-session'
import { memoryStore } from 'koa-session/memory'
import { namesSet, PROTOCOLS, type Protocol, serve } from '../support/http2.ts'
import { createApp, type TestContext } from '../support/koa.ts'

type Next = () => Promise<void>

interface Way {
  /** How the response leaves, once the session was changed. */
  readonly way: string
  readonly leave: (ctx: TestContext) => unknown
  /** What a middleware further out does around the session's. */
  readonly around?: (ctx: TestContext, next: Next) => unknown
  readonly over?: readonly Protocol[]
  readonly method?: string
  readonly request?: Record<string, string>
  readonly status?: number
  /** The cookies that arrive beside the session's. */
  readonly others?: readonly string[]
  /** Other headers that have to arrive. Without a `cache-control` among them, `no-store` has to. */
  readonly headers?: Record<string, string>
  /** What the application is told of, and nothing else. */
  readonly errors?: readonly string[]
}

const OWN = { 'X-Own': 'yes' }
const OWN_COOKIES = ['mine=1', 'more=2']

/** Beyond Koa, which is told not to respond. */
function raw(leave: (res: TestContext) => unknown): (ctx: TestContext) => void {
  return ctx => {
    ctx.respond = false
    ctx.status = 200
    leave(ctx.res)
  }
}

function fail(message: string): never {
  throw new Error(message)
}

/*
 * Left out: a stream as the body that fails before its first byte. Koa 3 then closes the connection, so that nothing
 * arrives; for Koa 2 it is a throw after the commit, which "a throw further out" is.
 */
const WAYS: readonly Way[] = [
  { way: 'a string as the body', leave: ctx => (ctx.body = 'text') },
  { way: 'an object as the body', leave: ctx => (ctx.body = { is: 'JSON' }) },
  { way: 'a stream as the body', leave: ctx => (ctx.body = Readable.from(['te', 'xt'])) },
  { way: 'no body (204)', leave: ctx => (ctx.body = null), status: 204 },
  { way: 'no route (404)', leave: () => {}, status: 404 },
  {
    way: 'a redirect',
    leave: ctx => ctx.redirect('/elsewhere'),
    status: 302,
    headers: { location: '/elsewhere' },
  },
  {
    way: 'not modified (304)',
    leave: ctx => {
      ctx.body = 'text'
      ctx.set('ETag', '"same"')
      if (ctx.fresh) ctx.status = 304
    },
    request: { 'if-none-match': '"same"' },
    status: 304,
  },
  {
    way: 'HEAD',
    leave: ctx => (ctx.body = 'text'),
    // Koa 2 does not answer HEAD over HTTP/2, with or without a session: to it the response is not writable.
    over: process.env.KOA === '2' ? ['HTTP/1'] : PROTOCOLS,
    method: 'HEAD',
    headers: { 'content-length': '4' },
  },
  { way: 'Cache-Control of the handler', leave: privately, headers: { 'cache-control': 'private, max-age=1' } },
  { way: 'ctx.respond = false, res.end', leave: raw(res => res.end('text')) },
  {
    way: 'ctx.respond = false, res.end when the handler is done',
    leave: raw(res => setImmediate(() => res.end('text'))),
  },
  {
    way: 'res.write, and the end later',
    leave: raw(res => {
      res.write('te')
      setImmediate(() => res.end('xt'))
    }),
  },
  {
    way: 'ctx.flushHeaders',
    leave: ctx => {
      ctx.status = 200
      ctx.flushHeaders()
      ctx.body = 'text'
    },
  },
  {
    way: 'res.flushHeaders',
    leave: raw(res => {
      res.flushHeaders()
      res.end('text')
    }),
  },
  { way: 'writeHead(201)', leave: raw(res => res.writeHead(201).end()), status: 201 },
  // HTTP/2 has no messages: there Node warns once, and ignores it.
  { way: "writeHead(201, 'Made')", leave: raw(res => res.writeHead(201, 'Made').end()), status: 201 },
  writeHead('an object', [OWN]),
  writeHead('an object, after undefined', [undefined, OWN]),
  writeHead('an object, after a message', ['OK', OWN]),
  writeHead('a flat list', [['X-Own', 'yes', 'X-Two', '2']], { headers: { 'x-own': 'yes', 'x-two': '2' } }),
  writeHead('a list of pairs', [Object.entries(OWN)]),
  writeHead('Cache-Control', [{ 'Cache-Control': 'private' }], { headers: { 'cache-control': 'private' } }),
  writeHead('Vary', [{ vary: 'Origin' }], { headers: { vary: 'Origin, Cookie' } }),
  // As ever in Node, a header among the arguments takes the place of one that was set before: of `other`.
  writeHead('Set-Cookie', [{ ...OWN, 'Set-Cookie': 'mine=1' }], { others: ['mine=1'] }),
  writeHead('Set-Cookie, after undefined', [undefined, { ...OWN, 'Set-Cookie': 'mine=1' }], { others: ['mine=1'] }),
  writeHead('Set-Cookie, after a message', ['OK', { ...OWN, 'Set-Cookie': 'mine=1' }], { others: ['mine=1'] }),
  {
    way: 'writeHead with Set-Cookie, once the session is saved',
    leave: ctx => ctx.session.save().then(() => raw(res => res.writeHead(200, { 'Set-Cookie': 'mine=1' }).end())(ctx)),
    others: ['mine=1'],
  },
  writeHead('a list of Set-Cookie', [{ ...OWN, 'set-cookie': [...OWN_COOKIES] }], { others: OWN_COOKIES }),
  writeHead('Set-Cookie twice, flat', [['Set-Cookie', 'mine=1', 'X-Own', 'yes', 'set-cookie', 'more=2']], {
    others: OWN_COOKIES,
  }),
  writeHead(
    'Set-Cookie twice, in pairs',
    [[...Object.entries(OWN), ...OWN_COOKIES.map(line => ['Set-Cookie', line])]],
    {
      others: OWN_COOKIES,
    },
  ),
  // Koa takes every header from a response that ends in an error; `other` is lost by that, and is Koa's to lose.
  {
    way: 'a throw in the handler',
    leave: () => fail('handler'),
    status: 500,
    others: [],
    errors: ['handler'],
  },
  {
    way: 'ctx.throw in the handler',
    leave: ctx => ctx.throw(403, 'refused', { headers: { 'X-Own': 'yes' } }),
    status: 403,
    others: [],
    headers: { 'x-own': 'yes' },
    errors: ['refused'],
  },
  {
    way: 'a throw further out, when the session is committed',
    leave: ctx => (ctx.body = 'text'),
    around: (_ctx, next) => next().then(() => fail('further out')),
    status: 500,
    others: [],
    errors: ['further out'],
  },
  {
    way: 'an error page of a middleware further out',
    leave: () => fail('handler'),
    around: (ctx, next) =>
      next().catch(() => {
        ctx.status = 503
        ctx.body = 'sorry'
      }),
    status: 503,
  },
]

function privately(ctx: TestContext): void {
  ctx.set('Cache-Control', 'private, max-age=1')
  ctx.body = 'text'
}

function writeHead(what: string, line: readonly unknown[], expected: Partial<Way> = {}): Way {
  const leave = raw(res => res.writeHead(200, ...line).end('text'))
  return { way: `writeHead with ${what}`, leave, headers: { 'x-own': 'yes' }, ...expected }
}

for (const mode of ['cookie', 'store']) {
  for (const protocol of PROTOCOLS) {
    for (const row of WAYS) {
      if (row.over && !row.over.includes(protocol)) continue
      test(`${mode}, ${protocol}: the session and its headers leave with ${row.way}`, async t => {
        const errors: string[] = []
        const app = createApp().on('error', error => errors.push(error.message))
        if (row.around) app.use((ctx, next) => (ctx.path === '/' ? row.around?.(ctx, next) : next()))
        app.use(session(mode === 'store' ? { store: memoryStore() } : {}, app))
        app.use(ctx => {
          if (ctx.path === '/views') {
            ctx.body = String(ctx.session.views)
            return
          }
          ctx.cookies.set('other', 'kept', { signed: false, path: null, httpOnly: false })
          ctx.session.views = (ctx.session.views ?? 0) + 1
          return row.leave(ctx)
        })
        const client = await serve(t, app, protocol)

        // The first request makes the session, the second has one.
        for (const views of ['1', '2']) {
          const answer = await client.send(row.method ?? 'GET', '/', row.request)
          const { status = 200, others = ['other=kept'], headers = {} } = row
          assert.equal(answer.status, status)
          assert.deepEqual(namesSet(answer.cookies.filter(isOwn)), ['koa.sess', 'koa.sess.sig'])
          assert.deepEqual(
            answer.cookies.filter(line => !isOwn(line)),
            others,
          )
          assert.match(answer.headers.get('vary') ?? '', /^(Origin, )?Cookie$/)
          for (const [name, value] of Object.entries({ 'cache-control': 'no-store', ...headers })) {
            assert.equal(answer.headers.get(name), value, name)
          }
          assert.equal((await client.copy().get('/views')).text, views)
          assert.deepEqual(errors.splice(0), row.errors ?? [])
        }
      })
    }
  }
}

function isOwn(line: string): boolean {
  return line.startsWith('koa.sess')
}
