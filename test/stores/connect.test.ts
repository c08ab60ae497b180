/*
 * Stores that were made for express-session: what they are given, what is made of their answers, however odd, and a
 * visitor's story with those that need no server.
 */

import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import expressSession from 'express-session'
import { connectStore, type ExpressStore } from 'koa-session/connect'
import { memoryStore } from 'koa-session/memory'
import { manualClock } from 'koa-session/testing'
import memorystore from 'memorystore'
import { versionOfPackage } from '../servers/found.ts'
import { row } from '../servers/report.ts'
import { tellVisitor } from './support/connect.ts'
import { proveContractInTime } from './support/contract.ts'

const NOW = 1_700_000_000_000
const HOUR = 3_600_000
const down = new Error('the server is down')

type Callback = (error?: unknown, session?: unknown) => void
type Made = Record<string, unknown> & { cookie: Record<string, unknown> }

/** A store that keeps JSON text, and can be given odd methods. */
function fake(odd: Partial<ExpressStore> = {}) {
  const texts = new Map<string, string>()
  const given: Made[] = []
  const store: ExpressStore = {
    get: (id, callback) => callback(null, JSON.parse(texts.get(id) ?? 'null')),
    set: (id, session, callback) => {
      given.push(session as unknown as Made)
      texts.set(id, JSON.stringify(session))
      callback()
    },
    destroy: (id, callback) => {
      texts.delete(id)
      callback()
    },
    ...odd,
  }
  const stored = (id: string) => JSON.parse(texts.get(id) ?? 'null')
  return { texts, given, stored, store: connectStore(store, { now: () => NOW }) }
}

test('what was set is got, until it is destroyed, and again where that is no error', async () => {
  const { store } = fake()
  assert.equal(await store.get('a'), undefined)
  await store.set('a', { user: 'ada', _expire: NOW + HOUR, _maxAge: HOUR }, HOUR)
  assert.deepEqual(await store.get('a'), { user: 'ada', _expire: NOW + HOUR, _maxAge: HOUR })
  await store.destroy('a')
  await store.destroy('a')
  assert.equal(await store.get('a'), undefined)
})

test('a store is given a cookie as express-session writes it, from which it can tell how long the session lives', async () => {
  const { store, stored, given } = fake()
  const payload = Object.freeze({ user: 'ada' })
  await store.set('a', payload, HOUR + 0.5)
  const cookie = { originalMaxAge: HOUR + 1, expires: new Date(NOW + HOUR + 1), httpOnly: true, path: '/' }
  assert.deepEqual(given[0], { user: 'ada', cookie })
  assert.equal(Reflect.get(Object(given[0]?.cookie), 'maxAge'), HOUR + 1)
  assert.deepEqual(stored('a').cookie, JSON.parse(JSON.stringify(cookie)))
})

test('an instant of expiry is always a Date', async () => {
  const { store, given } = fake()
  await store.set('a', { user: 'ada' }, 8e15)
  await store.set('a', { user: 'ada' }, 8.64e15)
  assert.deepEqual(
    given.map(({ cookie }) => Number(cookie.expires)),
    [NOW + 8e15, 8.64e15],
  )
})

test('a session without time to live is not kept, and takes the place of another', async () => {
  for (const ttl of [0, -1, Number.NaN]) {
    const { store, given } = fake()
    await store.set('a', { user: 'ada' }, HOUR)
    await store.set('a', { user: 'bob' }, ttl)
    assert.equal(await store.get('a'), undefined)
    assert.equal(given.length, 1)
  }
})

test('data is kept under the names that such stores use themselves, and under those that stand for them', async () => {
  const { store } = fake()
  const data = JSON.parse(
    '{"cookie":{"consent":true},"_cookie":1,"__cookie":null,"__lastAccess":2,"___lastAccess":3,"lastAccess":4,' +
      '"__proto__":{"a":1},"$.a":5,"a.b":6,"😀":"\\ud800","\\u0000":7}',
  )
  await store.set('a', data, HOUR)
  const got = await store.get('a')
  assert.deepEqual(Object.entries(got ?? {}), Object.entries(data))
})

test('a session that express-session has written is read, without its cookie', async () => {
  const { store, texts } = fake()
  const cookie = { originalMaxAge: HOUR, expires: new Date(NOW + HOUR), httpOnly: true, path: '/' }
  texts.set('a', JSON.stringify({ cookie, user: 'ada', cart: [1], __lastAccess: NOW }))
  assert.deepEqual(await store.get('a'), { user: 'ada', cart: [1] })
})

test('what a store writes into the session that it is given does not get into the payload', async () => {
  const { store } = fake({
    set: (_id, session, callback) => {
      Object.assign(session, { __lastAccess: NOW })
      callback()
    },
  })
  const payload = { user: 'ada' }
  await store.set('a', payload, HOUR)
  assert.deepEqual(payload, { user: 'ada' })
})

const missing = Object.assign(new Error('ENOENT: no such file'), { code: 'ENOENT', syscall: 'open' })
const noSocket = Object.assign(new Error('connect ENOENT'), { code: 'ENOENT', syscall: 'connect' })
const corrupt = new SyntaxError('Unexpected end of JSON input')
const found = { cookie: {}, user: 'ada' }
const ada = { user: 'ada' }

/** How a store answers to `get`, and what is made of it. */
const ANSWERS: Readonly<Record<string, readonly [get: (callback: Callback) => unknown, made: unknown]>> = {
  'calls back at once': [callback => callback(null, found), ada],
  'calls back later': [callback => setImmediate(callback, undefined, found), ada],
  'calls back twice': [callback => [callback(null, found), callback(down)], ada],
  'calls back, and throws then': [
    callback => {
      callback(null, found)
      throw down
    },
    ada,
  ],
  'calls back, and rejects then': [
    async callback => {
      callback(null, found)
      throw down
    },
    ada,
  ],
  'fulfils with nothing, and calls back later': [
    async callback => {
      setImmediate(callback, null, found)
    },
    ada,
  ],
  'gives nothing': [callback => callback(), undefined],
  'gives undefined': [callback => callback(null, undefined), undefined],
  'gives null': [callback => callback(null, null), undefined],
  'gives false': [callback => callback(false, false), undefined],
  'gives a text': [callback => callback(null, 'ada'), undefined],
  'gives a list': [callback => callback(null, [found]), undefined],
  'gives an error for what is missing': [callback => callback(missing), undefined],
  'gives an error for what is no JSON': [callback => callback(corrupt), undefined],
  'throws for what is missing': [
    () => {
      throw missing
    },
    undefined,
  ],
  'rejects for what is missing': [() => Promise.reject(missing), undefined],
  'gives an error': [callback => callback(down), down],
  'gives an error that is a text': [callback => callback('down', found), 'down'],
  'gives an error for a socket that is missing': [callback => callback(noSocket), noSocket],
  throws: [
    () => {
      throw down
    },
    down,
  ],
  rejects: [() => Promise.reject(down), down],
}

for (const [how, [get, made]] of Object.entries(ANSWERS)) {
  test(`a store that ${how} is understood`, async () => {
    const { store } = fake({ get: (_id, callback) => get(callback) })
    const answer = await store.get('a').then(
      value => ({ value }),
      error => ({ error }),
    )
    const isFailure = made instanceof Error || typeof made === 'string'
    assert.deepEqual(answer, isFailure ? { error: made } : { value: made })
  })
}

test('a failure to save is never taken for a missing session', async () => {
  for (const error of [down, missing, corrupt]) {
    const { store } = fake({ set: (_id, _session, callback) => callback(error) })
    await assert.rejects(store.set('a', { user: 'ada' }, HOUR), error)
  }
})

test('forgetting what the store says is missing is no error, and another failure is one', async () => {
  const errors = [missing, down]
  const { store } = fake({ destroy: (_id, callback) => callback(errors.shift()) })
  assert.equal(await store.destroy('a'), undefined)
  await assert.rejects(store.destroy('a'), down)
})

test('a store is called as an object', async () => {
  class Kept {
    readonly sessions = new Map<string, unknown>()
    get(id: string, callback: Callback) {
      callback(null, this.sessions.get(id))
    }
    set(id: string, session: unknown, callback: Callback) {
      this.sessions.set(id, session)
      callback()
    }
    destroy(id: string, callback: Callback) {
      this.sessions.delete(id)
      callback()
    }
  }
  const store = connectStore(new Kept())
  await store.set('a', { user: 'ada' }, HOUR)
  assert.deepEqual(await store.get('a'), { user: 'ada' })
  await store.destroy('a')
  assert.equal(await store.get('a'), undefined)
})

test('what is no store is refused, and the clock is a function', () => {
  const method = () => undefined
  for (const value of [undefined, null, {}, { get: method, set: method }, 'store']) {
    assert.throws(() => connectStore(value as never), {
      code: 'ERR_SESSION_OPTION',
      message: /^connectStore: store was .+, expected a store for express-session$/,
    })
  }
  const store = { get: method, set: method, destroy: method }
  // Each has methods of those names, which call nothing back.
  for (const other of [Object.assign({ hGetAll() {} }, store), memoryStore()]) {
    assert.throws(() => connectStore(other as never), { code: 'ERR_SESSION_OPTION' })
  }
  assert.throws(() => connectStore(store, { now: 5 as never }), { code: 'ERR_SESSION_OPTION' })
})

const SIGNED = { signed: true }

test('an id that nothing signed reaches the store only where it is harmless, or matches the option ids', async t => {
  const rows: ReadonlyArray<readonly [id: string, isAccepted: boolean, ids?: RegExp, call?: { signed?: boolean }]> = [
    ['4f9d5c6e-8a41-4d2b-9c55-0e6f0f3f7b11', true],
    ['-_azAZ09', true],
    ['a'.repeat(128), true],
    ['a'.repeat(129), false],
    ['', false],
    ['.', false],
    ['..', false],
    ['../secret', false],
    ['a/b', false],
    ['a\\b', false],
    ['a\n', false],
    ['\na', false],
    ['a\0', false],
    ['a b', false],
    ['é', false],
    ['*', false],
    ['%2e%2e', false],
    ['app:v1.a', false],
    ['app:v1.a', false, undefined, { signed: false }],
    ['app:v1.a', true, undefined, SIGNED],
    ['../secret', true, undefined, SIGNED],
    ['app:v1.a', true, /app:v1\.\w+/],
    ['app:v1.a', true, /^app:v1\.\w+$/],
    ['APP:V1.a', true, /app:v1\.\w+/i],
    ['APP:V1.a', false, /app:v1\.\w+/],
    // The whole id has to match, and each time.
    ['../app:v1.a', false, /app:v1\.\w+/],
    ['app:v1.a/..', false, /app:v1\.\w+/],
    ['../b', false, /\w+|b/],
    ['a\n../b', false, /^\w+$/m],
    ['app:v1.a', true, /app:v1\.\w+/g],
    ['app:v1.a', true, /app:v1\.\w+/y],
    // The application's own pattern is for signed ids, too.
    ['../secret', false, /app:v1\.\w+/, SIGNED],
  ]
  for (const [index, [id, isAccepted, ids, call]] of rows.entries()) {
    await t.test(
      `row ${index + 1}: ${JSON.stringify(id.slice(0, 40))} ${isAccepted ? 'does' : 'does not'}`,
      async () => {
        const asked: string[] = []
        const ask = (asks: string, callback: Callback, answer?: object) => {
          asked.push(asks)
          callback(null, answer)
        }
        const store = connectStore(
          {
            get: (id, callback) => ask(id, callback, found),
            set: (id, _session, callback) => ask(id, callback),
            destroy: (id, callback) => ask(id, callback),
          },
          { ids },
        )
        for (let twice = 0; twice < 2; twice++) {
          assert.deepEqual(await store.get(id, HOUR, call), isAccepted ? ada : undefined)
          assert.equal(await store.destroy(id, call), undefined)
          const error = await store.set(id, ada, HOUR, call).catch(error => error)
          assert.equal(error?.code, isAccepted ? undefined : 'ERR_SESSION_ID')
          await store.set(id, ada, 0, call).catch(() => undefined)
          assert.ok(isAccepted || id === '' || id === '.' || !error.message.includes(id))
        }
        assert.deepEqual(asked, isAccepted ? Array(8).fill(id) : [])
      },
    )
  }
})

test('ids is a RegExp', () => {
  for (const ids of ['[a-z]+', {}, null, true]) {
    const message = /^connectStore: ids was .+, expected a RegExp$/
    assert.throws(() => connectStore(fake().store as never, { ids: ids as never }), {
      code: 'ERR_SESSION_OPTION',
      message,
    })
  }
})

const MemoryStore = memorystore(expressSession)
const IN_MEMORY: Readonly<Record<string, () => ExpressStore>> = {
  'express-session': () => new expressSession.MemoryStore(),
  memorystore: () => new MemoryStore({ checkPeriod: 0 }),
}

for (const [name, make] of Object.entries(IN_MEMORY)) {
  describe(`a store of ${name}`, () => {
    const tests = row({ store: 'connect', client: `${name} ${versionOfPackage(name)}`, server: 'the process' })
    proveContractInTime(tests.test, { open: () => connectStore(make()) })

    tests.test('a visitor signs in, counts, signs out and expires', async t => {
      const clock = manualClock(NOW)
      t.mock.method(Date, 'now', clock.now)
      const { other, connected, id } = await tellVisitor(t, make(), clock.now)
      clock.advance(HOUR - 1)
      assert.equal((await other.get('/')).text, 'ada')
      // It is the store that forgets it, ten seconds after the session has ended.
      clock.advance(HOUR + 9_999)
      assert.equal((await connected.get(id))?.user, 'ada')
      clock.advance(2)
      assert.equal(await connected.get(id), undefined)
      assert.equal((await other.get('/')).text, 'nobody')
    })
  })
}
