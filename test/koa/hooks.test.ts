import assert from 'node:assert/strict'
import test, { type TestContext as Test } from 'node:test'
import type { CreateSessionOptions, StoredPayload } from 'koa-session'
import { memoryStore } from 'koa-session/memory'
import type { TestContext } from '../support/koa.ts'
import { type Pages, serve } from '../support/story.ts'
import { rejectionsOf } from '../support/warnings.ts'

const PAGES: Pages = {
  '/': ctx => ctx.session.user ?? 'ok',
  '/sign-in': ctx => {
    ctx.session.user = 'tobi'
  },
  '/id': ctx => ctx.session.externalKey,
}

/** Notes the events of sessions and the codes, or messages, of errors; nothing may be rejected that nobody hears of. */
async function begin(t: Test, options: CreateSessionOptions) {
  const { visitor, app } = await serve(t, options, PAGES)
  const said: unknown[] = []
  for (const name of ['missed', 'expired', 'invalid', 'late']) app.on(`session:${name}`, () => said.push(name))
  app.on('error', error => said.push(error.code ?? error.message))
  const unhandled = rejectionsOf(t)
  t.after(() => assert.deepEqual(unhandled, [], 'unhandled rejections'))
  return { visitor, said }
}

const inStore = (options: CreateSessionOptions = {}) => ({ store: memoryStore(), ...options })
const fail = () => Promise.reject(new Error('down'))

const VALIDATORS: Array<[claim: string, options: CreateSessionOptions]> = [
  ['valid in the cookie', { valid: (_ctx, data) => data.user !== 'tobi' }],
  ['valid with a store', inStore({ valid: (_ctx, data) => data.user !== 'tobi' })],
  ['an async valid with a store', inStore({ valid: async (_ctx, data) => data.user !== 'tobi' })],
]

for (const [claim, options] of VALIDATORS) {
  test(`${claim} keeps a session from being taken up`, async t => {
    const { visitor, said } = await begin(t, options)
    await visitor.get('/sign-in')
    assert.equal((await visitor.get('/')).text, 'ok')
    assert.deepEqual(said, ['invalid'])
  })
}

test('valid gets the ctx of the request, and lets a session pass', async t => {
  for (const common of [{}, inStore()]) {
    const { visitor, said } = await begin(t, { ...common, valid: ctx => ctx.get('x-device') === 'a' })
    await visitor.get('/sign-in')
    assert.equal((await visitor.get('/', { 'x-device': 'a' })).text, 'tobi')
    assert.equal((await visitor.get('/', { 'x-device': 'b' })).text, 'ok')
    assert.deepEqual(said, ['invalid'])
  }
})

test('an async valid that fails is an error where the session is read', async t => {
  const { visitor, said } = await begin(t, inStore({ valid: fail }))
  await visitor.get('/sign-in')
  assert.equal((await visitor.get('/untouched')).text, 'untouched')
  assert.equal((await visitor.get('/')).status, 500)
  assert.deepEqual(said, ['down'])
})

for (const hook of ['valid', 'beforeSave', 'encode', 'decode'] as const) {
  test(`a promise from ${hook} in the cookie is ERR_SESSION_ASYNC, whether it is kept or not`, async t => {
    // Not declared as async, so that nobody knows before.
    for (const promise of [() => Promise.resolve(true), () => fail()]) {
      const isLate = hook === 'valid' || hook === 'decode'
      const { visitor, said } = await begin(t, { [hook]: promise })
      assert.equal((await visitor.get('/sign-in')).status, isLate ? 200 : 500)
      assert.equal(visitor.jar.size, isLate ? 2 : 0)
      if (isLate) assert.equal((await visitor.get('/')).status, 500)
      assert.deepEqual(said, ['ERR_SESSION_ASYNC'])
    }
  })
}

const notePath: CreateSessionOptions['beforeSave'] = (ctx, session) => {
  session.path = ctx.path
}

const notePathLater: CreateSessionOptions['beforeSave'] = async (...call) => {
  await new Promise(resolve => setImmediate(resolve))
  notePath?.(...call)
}

const SAVERS: Array<[claim: string, options: CreateSessionOptions]> = [
  ['in the cookie', { beforeSave: notePath }],
  ['in a store', inStore({ beforeSave: notePath })],
  ['in a store, asynchronously', inStore({ beforeSave: notePathLater })],
]

for (const [claim, options] of SAVERS) {
  test(`what beforeSave changes is saved (${claim})`, async t => {
    const { visitor } = await begin(t, options)
    await visitor.get('/sign-in')
    assert.deepEqual(JSON.parse((await visitor.get('/all')).text), { user: 'tobi', path: '/sign-in' })
  })
}

test('beforeSave is called for a session that is saved, and for no other', async t => {
  for (const common of [{}, inStore()]) {
    let calls = 0
    const { visitor } = await begin(t, { ...common, beforeSave: () => ++calls })
    for (const path of ['/', '/sign-in', '/', '/out', '/untouched']) await visitor.get(path)
    assert.equal(calls, 1)
  }
})

test('an error in beforeSave is a 500, and nothing is saved', async t => {
  for (const common of [{}, inStore()]) {
    const refuse = () => {
      throw new Error('refused')
    }
    const { visitor, said } = await begin(t, { ...common, beforeSave: refuse })
    const { status, cookies } = await visitor.get('/sign-in')
    assert.deepEqual({ status, cookies, said }, { status: 500, cookies: [], said: ['refused'] })
  }
})

test('an encode and a decode of your own decide what the cookie says', async t => {
  const encode = (payload: StoredPayload) => `v1.${encodeURIComponent(JSON.stringify(payload))}`
  const decode = (text: string) => JSON.parse(decodeURIComponent(text.slice(3)))
  const { visitor } = await begin(t, { encode, decode })
  await visitor.get('/sign-in')
  assert.match(visitor.jar.get('koa.sess') ?? '', /^v1\.%7B%22user%22%3A%22tobi%22/)
  assert.equal((await visitor.get('/')).text, 'tobi')
})

const DECODED: Array<[claim: string, decode: () => unknown, said: string[]]> = [
  ['nothing is session:missed', () => undefined, ['missed']],
  ['null is session:missed', () => null, ['missed']],
  ['a SyntaxError is silent', () => JSON.parse('{'), []],
  ['an array is silent', () => [1], []],
  ['a number is silent', () => 1, []],
  ['a text is silent', () => '{"user":"loki"}', []],
]

for (const [claim, decode, expected] of DECODED) {
  test(`decode that gives ${claim}, and a new session`, async t => {
    const { visitor, said } = await begin(t, { decode })
    await visitor.get('/sign-in')
    const { status, text } = await visitor.get('/all')
    assert.deepEqual({ status, text, said }, { status: 200, text: '{}', said: expected })
  })
}

test('any other error of decode is a 500 that clears the cookie and its signature', async t => {
  const decode = () => {
    throw new TypeError('key is gone')
  }
  const { visitor, said } = await begin(t, { decode })
  await visitor.get('/sign-in')
  assert.equal((await visitor.get('/untouched')).status, 200)
  const { status, cookies } = await visitor.get('/')
  assert.deepEqual({ status, lines: cookies.length }, { status: 500, lines: 2 })
  assert.deepEqual([...visitor.jar], [])
  assert.equal((await visitor.get('/')).status, 200)
  assert.deepEqual(said, ['key is gone'])
})

test('encode that gives no string is ERR_SESSION_ENCODE, and sends no cookie', async t => {
  for (const value of [undefined, null, 1, {}, Buffer.from('a'), ['a']]) {
    const { visitor, said } = await begin(t, { encode: () => value as never })
    const { status, cookies } = await visitor.get('/sign-in')
    assert.deepEqual({ status, cookies, said }, { status: 500, cookies: [], said: ['ERR_SESSION_ENCODE'] })
  }
})

test('a text from encode that would break the header is refused', async t => {
  for (const text of ['a; domain=evil.test', 'a\r\nSet-Cookie: b=c', 'a\u0000', 'a\u2028']) {
    const { visitor, said } = await begin(t, { encode: () => text })
    const { status, cookies } = await visitor.get('/sign-in')
    assert.deepEqual({ status, cookies, errors: said.length }, { status: 500, cookies: [], errors: 1 })
  }
})

test('genid gets the ctx, gives the id as it is, and is called once for each new session', async t => {
  let calls = 0
  const genid = (ctx: TestContext) => `${ctx.get('x-tenant')}-${++calls}`
  const { visitor } = await begin(t, inStore({ genid, prefix: 'unused:' }))
  await visitor.get('/sign-in', { 'x-tenant': 'acme' })
  assert.equal(visitor.jar.get('koa.sess'), 'acme-1')
  assert.equal((await visitor.get('/id')).text, 'acme-1')
  assert.equal(calls, 1)
})

const BAD_IDS: Array<[value: unknown, code: string]> = [
  ...['', 1, null, undefined, {}, Symbol('id')].map((value): [unknown, string] => [value, 'ERR_SESSION_ID']),
  [Promise.resolve('id'), 'ERR_SESSION_ASYNC'],
]

for (const [value, code] of BAD_IDS) {
  test(`genid that gives ${value === '' ? 'an empty string' : String(value)} is ${code}`, async t => {
    const store = memoryStore()
    const { visitor, said } = await begin(t, { store, genid: () => value as never })
    const { status, cookies } = await visitor.get('/sign-in')
    assert.deepEqual({ status, cookies, said, size: store.size }, { status: 500, cookies: [], said: [code], size: 0 })
  })
}

test('a genid that fails later ends no process', async t => {
  const { visitor, said } = await begin(t, inStore({ genid: fail as never }))
  assert.equal((await visitor.get('/sign-in')).status, 500)
  assert.deepEqual(said, ['ERR_SESSION_ASYNC'])
})

test('prefix stands before the default id, which is a UUID of version 4', async t => {
  const { visitor } = await begin(t, inStore({ prefix: 'shop:' }))
  await visitor.get('/sign-in')
  const uuid = /^shop:[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
  assert.match(visitor.jar.get('koa.sess') ?? '', uuid)
  assert.equal((await visitor.get('/id')).text, visitor.jar.get('koa.sess'))
})
