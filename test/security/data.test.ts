/* What comes from outside: names that reach for a prototype, and more of it than it is worth to look at. */

import assert from 'node:assert/strict'
import nodeCrypto from 'node:crypto'
import { createServer, request } from 'node:http'
import { syncBuiltinESMExports } from 'node:module'
import test, { type TestContext as Test } from 'node:test'
import type { CreateSessionOptions, Store } from 'koa-session'
import { memoryStore } from 'koa-session/memory'
import { manualClock } from 'koa-session/testing'
import { join, split } from '../../src/codec/chunks.ts'
import { createKeyrings } from '../../src/codec/keyring.ts'
import { seal, sealContext } from '../../src/codec/sealed.ts'
import { listen } from '../support/agent.ts'
import type { TestContext } from '../support/koa.ts'
import { appOf, ask, cookiesFrom, headerOf, KEY, MODES, SECRETS, told } from '../support/story.ts'

const POISON = [
  '{"__proto__":{"admin":true},"user":"eve"}',
  '{"constructor":{"prototype":{"admin":true}},"user":"eve"}',
  '{"prototype":{"admin":true},"user":"eve"}',
  '{"user":"eve","nested":{"__proto__":{"admin":true},"constructor":{"prototype":{"admin":true}}}}',
  '{"user":"eve","list":[{"__proto__":{"admin":true}}]}',
  '{"user":"eve","__proto__":null}',
  '{"user":"eve","__proto__":"text","hasOwnProperty":1,"toString":2,"valueOf":3,"__defineGetter__":4}',
  '{"user":"eve","_meta":{"__proto__":{"created":1}},"_expire":{"__proto__":{"valueOf":1}}}',
]

const signature = (text: string) =>
  nodeCrypto
    .createHmac('sha1', SECRETS[0] ?? '')
    .update(text)
    .digest('base64url')
const base64 = (text: string) => Buffer.from(text).toString('base64')
const sealed = (text: string) => seal(text, createKeyrings()(SECRETS), sealContext('session', KEY))

/** A store that has `payload` under every id, as get() and as read() give it. */
const stores: Readonly<Record<string, (text: string) => Store>> = {
  payload: text => ({ get: () => JSON.parse(text), set: () => {}, destroy: () => {} }),
  record: text => {
    const made = { ...memoryStore(), read: () => ({ members: membersOf(text), lifetime: { _session: true } }) }
    return made as Store
  },
}

/** A record as it comes out of JSON, where `__proto__` is a member like others. */
function membersOf(text: string): Record<string, string> {
  const pairs = Object.entries(JSON.parse(text)).map(([name, value]) => [name, JSON.stringify(value)])
  return Object.fromEntries(pairs)
}

const external = (store: Store): CreateSessionOptions => ({ store, externalKey: { get: () => 'an id', set: () => {} } })

type Entry = readonly [options: CreateSessionOptions, cookie: string]
const ENTRIES: Readonly<Record<string, (text: string) => Entry>> = {
  'an unsigned cookie': text => [{ signed: false }, `${KEY}=${base64(text)}`],
  'a signed cookie': text => [{}, `${KEY}=${base64(text)}; ${KEY}.sig=${signature(`${KEY}=${base64(text)}`)}`],
  'a sealed cookie': text => [{ seal: true }, `${KEY}=${sealed(text)}`],
  'a payload in a store': text => [external(stores.payload?.(text) as Store), ''],
  'a record in a store': text => [external(stores.record?.(text) as Store), ''],
}

/** What would tell that a prototype was touched. */
const NAMES = [Object.prototype, Array.prototype, Function.prototype].map(prototype =>
  Object.getOwnPropertyNames(prototype),
)
function assertUntouched(ctx: TestContext): void {
  const now = [Object.prototype, Array.prototype, Function.prototype].map(prototype =>
    Object.getOwnPropertyNames(prototype),
  )
  assert.deepEqual(now, NAMES)
  assert.equal(Reflect.get({}, 'admin'), undefined)
  assert.equal(ctx.session.admin, undefined, 'nor is it inherited')
  assert.equal(Object.hasOwn(ctx.session, '__proto__'), false)
}

for (const [entry, made] of Object.entries(ENTRIES)) {
  for (const looking of [{}, { valid: (_: unknown, data: object) => Reflect.get(data, 'admin') === undefined }]) {
    const how = 'valid' in looking ? `${entry}, which valid() looks at` : entry
    test(`__proto__, constructor, prototype in data touch no prototype (koa-session 7.0.2): ${how}`, async () => {
      for (const text of POISON) {
        const [options, cookie] = made(text)
        const pages = {
          '/look': (ctx: TestContext) => {
            assertUntouched(ctx)
            ctx.session.again = 1
            return ctx.session.user
          },
        }
        const { app, errors } = appOf({ ...options, ...looking }, pages)
        const { status, text: user } = await ask(app, '/look', cookie)
        assert.deepEqual({ status, user, errors }, { status: 200, user: 'eve', errors: [] }, text)
      }
    })
  }
}

for (const [mode, options] of Object.entries(MODES)) {
  test(`__proto__, constructor, prototype in data touch no prototype, assigned by the handler: ${mode}`, async () => {
    const pages = {
      '/assign': (ctx: TestContext) => {
        ctx.session = JSON.parse(ctx.get('x-data'))
        assertUntouched(ctx)
      },
      '/merge': (ctx: TestContext) => {
        Object.assign(ctx.session, JSON.parse(ctx.get('x-data')))
        Reflect.set(ctx.session, '__proto__', { admin: true })
        assertUntouched(ctx)
      },
      '/look': assertUntouched,
    }
    for (const path of ['/assign', '/merge']) {
      for (const text of POISON.slice(0, 7)) {
        const { app, errors } = appOf(options(manualClock()), pages)
        app.middleware.unshift((ctx: TestContext, next: () => Promise<void>) => {
          ctx.req.headers['x-data'] = text
          return next()
        })
        const jar = cookiesFrom((await ask(app, path, '')).lines)
        assert.deepEqual(errors, [], text)
        assert.equal((await ask(app, '/look', headerOf(jar))).status, 200, text)
        assert.equal((await ask(app, '/', headerOf(jar))).text, 'eve', text)
      }
    }
  })
}

/** The calls of `names` of node:crypto, and of JSON.parse, from now on. */
function working(t: Test): () => number {
  const mocks = [
    ...(['createHmac', 'createDecipheriv'] as const).map(name => t.mock.method(nodeCrypto, name).mock),
    t.mock.method(JSON, 'parse').mock,
  ]
  syncBuiltinESMExports()
  t.after(() => {
    for (const mock of mocks) mock.restore()
    syncBuiltinESMExports()
  })
  return () => mocks.reduce((sum, mock) => sum + mock.callCount(), 0)
}

for (const [mode, options] of Object.entries(MODES)) {
  test(`input is bounded before work is done on it: ${mode}: a cookie of more than 4096 bytes is not even verified`, async t => {
    const { app, reasons, errors } = appOf(options(manualClock()))
    const calls = working(t)
    for (const size of [4097, 10_000, 100_000, 1_000_000]) {
      const value = `A${'A'.repeat(size - KEY.length - 1)}`
      const { status, text } = await ask(app, '/', `${KEY}=${value}; ${KEY}.sig=${'A'.repeat(27)}`)
      assert.deepEqual({ status, text }, { status: 200, text: 'nobody' })
    }
    assert.equal(calls(), 0)
    await told()
    assert.deepEqual(errors, [])
    assert.equal(reasons().length, 4)
  })
}

test('input is bounded before work is done on it: no more chunks are joined than the option allows', async t => {
  for (const [chunks, most] of [
    [false, 0],
    [true, 1],
    [2, 1],
    [3, 2],
  ] as const) {
    const { app } = appOf({ seal: true, chunks })
    const calls = working(t)
    const pieces = Array.from({ length: 9 }, (_, at) => `${KEY}.${at + 1}=${'A'.repeat(4000)}`)
    for (let count = most + 2; count <= 9; count++) {
      assert.equal((await ask(app, '/', [`${KEY}=${count}~AAAA`, ...pieces].join('; '))).text, 'nobody')
    }
    assert.equal(calls(), 0, String(chunks))
  }
  const asked: number[] = []
  const pieces = split('a'.repeat(100), { limit: 20, max: 9 }) ?? []
  const nth = (number: number) => {
    asked.push(number)
    return pieces[number]
  }
  assert.equal(join(pieces[0] ?? '', nth, 3), undefined)
  assert.deepEqual(asked, [], 'none is looked for')
})

test('input is bounded before work is done on it: JSON depth is bounded by the length of the cookie', async () => {
  const deep = `{"a":${'['.repeat(1300)}${']'.repeat(1300)}}`
  for (const [entry, made] of Object.entries(ENTRIES)) {
    const [options, cookie] = made(deep)
    const { app, errors } = appOf({ ...options, rolling: true })
    for (const path of ['/', '/cart', '/in']) assert.equal((await ask(app, path, cookie)).status, 200, entry)
    assert.deepEqual(errors, [], entry)
  }
})

for (const [mode, options] of Object.entries(MODES)) {
  test(`input is bounded: a header of 16 kB is Node’s to refuse, and one below it is answered: ${mode}`, async t => {
    const server = createServer(appOf(options(manualClock())).app.callback())
    const origin = await listen(t, server)
    const statusOf = (cookie: string) =>
      new Promise(resolve => {
        const sent = request(origin, { agent: false, headers: { cookie } }, response => {
          resolve(response.resume().statusCode)
        })
        sent.on('error', resolve).end()
      })
    const many = (length: number) => `${KEY}x=; `.repeat(length / 12)
    assert.equal(await statusOf(many(15_000)), 200)
    assert.equal(await statusOf(`${KEY}${'='.repeat(15_000)}`), 200)
    assert.equal(await statusOf(many(17_000)), 431)
  })
}
