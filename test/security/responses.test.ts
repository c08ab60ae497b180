/* What leaves with a response, and where it gets what it says from. */

import assert from 'node:assert/strict'
import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import test from 'node:test'
import session, { type CreateSessionOptions } from 'koa-session'
import { manualClock } from 'koa-session/testing'
import { visit } from '../support/agent.ts'
import { createApp, type TestContext } from '../support/koa.ts'
import { appOf, ask, cookiesFrom, KEY, MODES, type Page, serve } from '../support/story.ts'

const OWN: Readonly<Record<string, readonly [page: Page, vary: string, cache: string | null]>> = {
  '/vary': [ctx => ctx.vary('Accept') ?? ctx.session.user, 'Accept, Cookie', null],
  '/any': [ctx => ctx.set('Vary', '*') ?? ctx.session.user, '*', null],
  '/private': [ctx => ctx.set('Cache-Control', 'private') ?? Object.assign(ctx.session, { n: 1 }), 'Cookie', 'private'],
}

for (const [mode, options] of Object.entries(MODES)) {
  test(`Vary: Cookie on every response that read the session (CVE-2023-30861): ${mode}`, async t => {
    const { visitor } = await serve(t, options)
    for (const stage of ['a stranger', 'a user']) {
      const { headers } = await visitor.get('/')
      assert.equal(headers.get('vary'), 'Cookie', stage)
      assert.equal(headers.get('cache-control'), null, stage)
      await visitor.get('/in')
    }
    assert.equal((await visitor.get('/untouched')).headers.get('vary'), null)
  })

  test(`Cache-Control: no-store on every response that sets the cookie (CVE-2025-48947, CVE-2025-64762): ${mode}`, async t => {
    const failing: Page = ctx => {
      ctx.session.failing = 1
      ctx.throw(403)
    }
    for (const rolling of [false, true]) {
      const { visitor } = await serve(t, options, { '/failing': failing }, { options: { rolling } })
      const pages = ['/in', '/cart', '/failing', '/out', ...(rolling ? ['/in', '/untouched', '/'] : [])]
      for (const page of pages) {
        const { headers, cookies } = await visitor.get(page)
        assert.ok(cookies.length > 0, page)
        assert.deepEqual([headers.get('vary'), headers.get('cache-control')], ['Cookie', 'no-store'], page)
      }
    }
  })

  test(`unless the handler decided otherwise: ${mode}: what it says of caches stays, and nothing else is lost`, async t => {
    const pages = Object.fromEntries(Object.entries(OWN).map(([path, [page]]) => [path, page]))
    const { visitor } = await serve(t, options, pages)
    await visitor.get('/in')
    for (const [path, [, vary, cache]] of Object.entries(OWN)) {
      const { headers } = await visitor.get(path)
      assert.deepEqual([headers.get('vary'), headers.get('cache-control')], [vary, cache], path)
    }
  })

  test(`nothing is derived from the Host header (CVE-2025-25200, CVE-2025-32379, CVE-2026-27959): ${mode}`, async t => {
    const { visitor } = await serve(t, options)
    const hosts = ['evil.example', 'a@b', '', '[::1]', 'x'.repeat(5000), 'a:99999', 'evil.example#@good.example']
    const attributesOf = (lines: readonly string[]) => lines.map(line => line.replace(/=[^;]*/, ''))
    const lines = new Set<string>()
    for (const host of hosts) {
      const { app } = appOf({ ...options(manualClock()), maxAge: 'session' })
      const answer = await ask(app, '/in', '', { host, 'x-forwarded-host': host })
      assert.equal(answer.status, 200)
      lines.add(attributesOf(answer.lines).join())
    }
    assert.equal(lines.size, 1)
    assert.match([...lines].join(), /^koa\.sess; path=\/; httponly/)
    assert.doesNotMatch([...lines].join(), /domain|secure/)
    assert.equal((await visitor.get('/in', { 'x-forwarded-proto': 'https' })).cookies.join().includes('secure'), false)
  })
}

const BAD: ReadonlyArray<readonly [option: keyof CreateSessionOptions, values: readonly string[]]> = [
  ['key', ['a b', 'a;b', 'a=b', 'a\r\nSet-Cookie: x', 'ä', 'a\0', 'a\t']],
  ['path', ['a', '/;domain=evil.example', '/\r\n', '/\0', '/ä']],
  ['domain', [';', 'a;b', 'a b', 'a\r\nb', '-a', 'a..b', 'evil.example/path', 'a:80', 'a,b']],
]

for (const [option, values] of BAD) {
  test(`${option} of the configuration is validated (CVE-2024-47764): it can't add a header or an attribute`, () => {
    for (const value of values) {
      const error = { code: 'ERR_SESSION_OPTION', message: new RegExp(`^option ${option} was "`) }
      assert.throws(() => appOf({ [option]: value }), error, JSON.stringify(value))
    }
  })

  test(`${option} is validated where it is written to ctx.sessionOptions, too (CVE-2024-47764)`, async () => {
    for (const value of values) {
      const page: Page = ctx => {
        ctx.sessionOptions[option] = value
        ctx.session.user = 'ada'
      }
      const { app, errors } = appOf({}, { '/set': page })
      const { status, lines } = await ask(app, '/set', '')
      assert.deepEqual({ status, lines }, { status: 500, lines: [] }, JSON.stringify(value))
      assert.equal(errors[0]?.code, 'ERR_SESSION_OPTION')
    }
  })
}

const CONTRADICTIONS: readonly CreateSessionOptions[] = [
  { key: '__Host-s', secure: false },
  { key: '__Host-s', secure: 'auto' },
  { key: '__Host-s', domain: 'example.com' },
  { key: '__Host-s', path: '/app' },
  { key: '__host-s', path: '/app' },
  { key: '__Secure-s', secure: false },
  { key: '__secure-s', secure: 'auto' },
]

test('__Host- and __Secure- names force their attributes (Hono GHSA-r5rp-j6wh-rvv4), and refuse contradictions', async () => {
  for (const options of CONTRADICTIONS) {
    for (const seal of [false, true]) assert.throws(() => appOf({ ...options, seal }), { code: 'ERR_SESSION_OPTION' })
  }
  for (const key of ['__Host-s', '__Secure-s']) {
    for (const seal of [false, true]) {
      const { app } = appOf({ key, seal })
      app.proxy = true
      const { lines } = await ask(app, '/in', '', { 'x-forwarded-proto': 'https' })
      assert.equal(lines.length, seal ? 1 : 2)
      for (const line of lines)
        assert.match(line, /^__(Host|Secure)-s(\.sig)?=[^;]+; path=\/; expires=[^;]+; secure; httponly$/)
    }
  }
})

test('a __Host- cookie never leaves over plain HTTP: it is an error that says what to do', async () => {
  const { app, errors } = appOf({ key: '__Host-s' })
  const { status, lines } = await ask(app, '/in', '')
  assert.deepEqual({ status, lines }, { status: 500, lines: [] })
  assert.equal(errors[0]?.code, 'ERR_SESSION_INSECURE')
  assert.match(String(errors[0]?.message), /app\.proxy/)
})

const METHODS = ['writeHead', 'setHeader', 'getHeader', 'removeHeader', 'write', 'end', 'flushHeaders', 'appendHeader']
const methodsOf = (res: object) => METHODS.map(name => Reflect.get(res, name))

for (const [mode, options] of Object.entries(MODES)) {
  test(`the response is hooked in one place, once, and restored after (CVE-2025-7339): ${mode}`, async t => {
    const seen: { before: unknown[]; during: unknown[]; after: unknown[] }[] = []
    const page: Page = ctx => {
      ctx.session.user = 'ada'
      const during = methodsOf(ctx.res)
      void ctx.session.user
      assert.deepEqual(methodsOf(ctx.res), during, 'once')
      Object.assign(seen[0] ?? {}, { during })
    }
    const { app } = appOf(options(manualClock()), { '/page': page })
    app.middleware.unshift(async (ctx: TestContext, next: () => Promise<void>) => {
      const all = { before: methodsOf(ctx.res), during: [] as unknown[], after: [] as unknown[] }
      seen.push(all)
      ctx.res.on('finish', () => Object.assign(all, { after: methodsOf(ctx.res) }))
      await next()
    })
    await (await visit(t, app)).get('/page')
    const [{ before = [], during = [], after = [] } = {}] = seen
    assert.deepEqual(
      METHODS.filter((_, at) => before[at] !== during[at]),
      ['writeHead'],
    )
    assert.deepEqual(
      METHODS.filter((_, at) => before[at] !== after[at]),
      [],
    )
  })
}

test('other wrappers of writeHead keep working (CVE-2025-7339), put on before and after, also with a list of headers', async () => {
  const app = createApp()
  const calls: string[] = []
  const wrap = (name: string) => (ctx: TestContext, next: () => Promise<void>) => {
    const { writeHead } = ctx.res
    ctx.res.writeHead = (...line: unknown[]) => {
      calls.push(name)
      ctx.res.setHeader(name, '1')
      return writeHead.apply(ctx.res, line)
    }
    return next()
  }
  app.use(wrap('outer')).use(session({ signed: false }, app) as never)
  app.use((ctx, next) => {
    ctx.session.user = 'ada'
    return next()
  })
  app.use(wrap('inner')).use(ctx => {
    ctx.respond = false
    ctx.res.writeHead(200, ['x-list', 'one', 'set-cookie', 'theirs=1'])
    ctx.res.end()
  })
  const req = new IncomingMessage(new Socket())
  Object.assign(req, { method: 'GET', url: '/', headers: {} })
  const res = new ServerResponse(req)
  await (app.callback()(req, res) as unknown)
  assert.deepEqual(calls, ['inner', 'outer'])
  assert.deepEqual([res.getHeader('outer'), res.getHeader('inner'), res.getHeader('x-list')], ['1', '1', 'one'])
  const names = [...cookiesFrom([res.getHeader('set-cookie') ?? []].flat().map(String)).keys()]
  assert.deepEqual(names.sort(), [KEY, 'theirs'])
})
