import assert from 'node:assert/strict'
import test from 'node:test'
import Keygrip from 'keygrip'
import { memoryStore } from 'koa-session/memory'
import type { TestApp, TestContext } from '../support/koa.ts'
import { type Page, type Pages, serve } from '../support/story.ts'

const PAGES: Pages = {
  '/': ctx => ctx.session.text?.length ?? 'none',
  '/fill': ctx => {
    ctx.session.text = 'x'.repeat(Number(ctx.querystring))
    return 'ok'
  },
  '/flush': ctx => {
    ctx.session.text = 'x'.repeat(5000)
    ctx.status = 200
    ctx.res.flushHeaders()
    return 'ok'
  },
}

/** Name and value of a line of Set-Cookie, together. */
const sizeOf = (line = '') => line.slice(0, line.indexOf(';')).length - 1

/** What is read back of a cookie that was kept. */
const decode = () => ({ text: 'x' })

const SIZES: Array<[key: string, length: number, isSent: boolean]> = [
  ['koa.sess', 4088, true],
  ['koa.sess', 4089, false],
  ['k', 4095, true],
  ['k', 4096, false],
  ['k'.repeat(100), 3996, true],
  ['k'.repeat(100), 3997, false],
  ['koa.sess', 100_000, false],
]

for (const [key, length, isSent] of SIZES) {
  const size = key.length + length
  test(`a cookie of ${size} bytes under a name of ${key.length} is ${isSent ? 'sent' : 'refused'}`, async t => {
    const { visitor, codes } = await serve(t, { key, encode: () => 'x'.repeat(length), decode }, PAGES)
    const { status, cookies } = await visitor.get('/fill?1')
    assert.equal(status, isSent ? 200 : 500)
    assert.deepEqual(codes(), isSent ? [] : ['ERR_SESSION_TOO_LARGE'])
    assert.deepEqual(cookies.map(sizeOf).slice(0, 1), isSent ? [size] : [])
    assert.equal(cookies.length, isSent ? 2 : 0)
    assert.equal((await visitor.get('/')).text, isSent ? '1' : 'none')
  })
}

test('an error for a cookie that is too large names its size, the limit and the ways out', async t => {
  const { visitor, errors } = await serve(t, { key: 'shop', encode: () => 'x'.repeat(4093) }, PAGES)
  await visitor.get('/fill?1')
  for (const part of [/\bshop\b/, /\b4097\b/, /\b4096\b/, /keep less/, /store/]) {
    assert.match(errors[0]?.message ?? '', part)
  }
  assert.doesNotMatch(errors[0]?.message ?? '', /xxx/)
})

test('a value that the cookies of a framework make too large is refused, and takes no line with it', async t => {
  const before = (app: TestApp) =>
    Object.defineProperty(app.context, 'cookies', {
      get(this: TestContext) {
        const set = (name: string, value: string) => this.append('Set-Cookie', `${name}=${value}${'x'.repeat(4090)}`)
        return { get() {}, set }
      },
    })
  const page: Page = async ctx => {
    ctx.session.text = 'x'
    ctx.set('Set-Cookie', 'theme=dark')
    const code = await ctx.session.save().catch((error: { code: string }) => error.code)
    ctx.session.text = undefined
    return code
  }
  const { visitor } = await serve(t, {}, { '/save': page }, { before })
  const { text, cookies } = await visitor.get('/save')
  assert.deepEqual([text, cookies], ['ERR_SESSION_TOO_LARGE', ['theme=dark']])
})

test('a session that would be too large leaves the old cookie as it was', async t => {
  const { visitor } = await serve(t, {}, PAGES)
  await visitor.get('/fill?10')
  const jar = new Map(visitor.jar)
  for (const path of ['/fill?5000', '/flush']) {
    assert.deepEqual((await visitor.get(path)).cookies, [])
    assert.deepEqual(visitor.jar, jar)
    assert.equal((await visitor.get('/')).text, '10')
  }
})

test('a session that would be too large after the headers began to leave is reported, not thrown', async t => {
  const { visitor, codes } = await serve(t, {}, PAGES)
  assert.deepEqual((await visitor.get('/flush')).cookies, [])
  assert.deepEqual(codes(), ['ERR_SESSION_TOO_LARGE'])
})

const PROXIES: Array<[claim: string, secure: boolean | undefined, proxy: boolean, protocol: string, sent: string]> = [
  ['secure over plain HTTP', true, false, 'http', 'ERR_SESSION_INSECURE'],
  ['secure where a header that nobody vouches for says HTTPS', true, false, 'https', 'ERR_SESSION_INSECURE'],
  ['secure behind a proxy that was asked by HTTP', true, true, 'http', 'ERR_SESSION_INSECURE'],
  ['secure behind a proxy that was asked by HTTPS', true, true, 'https', 'secure'],
  ['nothing said behind a proxy that was asked by HTTPS', undefined, true, 'https', 'secure'],
  ['nothing said over plain HTTP', undefined, false, 'http', 'insecure'],
  ['nothing said where a header that nobody vouches for says HTTPS', undefined, false, 'https', 'insecure'],
  ['secure: false behind a proxy that was asked by HTTPS', false, true, 'https', 'insecure'],
]

for (const [claim, secure, proxy, protocol, sent] of PROXIES) {
  for (const options of [{}, { store: memoryStore() }]) {
    test(`${claim}: ${sent} (${'store' in options ? 'in a store' : 'in the cookie'})`, async t => {
      const { app, visitor, errors } = await serve(t, { ...options, secure }, PAGES)
      app.proxy = proxy
      const headers = { 'x-forwarded-proto': protocol }
      const { cookies } = await visitor.get('/fill?10', headers)
      const found = errors[0]?.code ?? (/; secure/i.test(cookies[0] ?? '') ? 'secure' : 'insecure')
      assert.equal(found, sent)
      assert.equal(cookies.length, errors.length > 0 ? 0 : 2)
      if (errors.length > 0) assert.match(errors[0]?.message ?? '', /app\.proxy/)
      else assert.equal((await visitor.get('/', headers)).text, '10')
    })
  }
}

test('app.keys may be a Keygrip, whose old keys are still good', async t => {
  const { app, visitor } = await serve(t, {}, PAGES, { keys: new Keygrip(['first'], 'sha256') })
  await visitor.get('/fill?3')
  assert.match(visitor.jar.get('koa.sess.sig') ?? '', /^[\w-]{43}$/)
  app.keys = new Keygrip(['second', 'first'], 'sha256')
  assert.equal((await visitor.get('/')).text, '3')
  app.keys = new Keygrip(['second'], 'sha256')
  assert.equal((await visitor.get('/')).text, '3', 'it was signed anew when it was read')
  app.keys = new Keygrip(['third'], 'sha256')
  assert.equal((await visitor.get('/')).text, 'none')
})
