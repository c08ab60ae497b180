/** What a store is asked, how long a request waits for it, and what is told where it fails. */
import assert from 'node:assert/strict'
import test, { type TestContext as Test } from 'node:test'
import { resolveConfig } from '../../src/config.ts'
import { SessionError } from '../../src/errors.ts'
import { AskedStore } from '../../src/request/asked-store.ts'
import { Settings } from '../../src/request/settings.ts'
import { isStoreFailure } from '../../src/request/store-failure.ts'
import type { Store } from '../../src/stores/store.ts'
import { manualClock } from '../../src/testing/clock.ts'
import { FakeExchange } from './exchange.ts'
import { codeOf } from './site.ts'

const DOWN = new Error('connection refused')
const METHODS = ['get', 'set', 'destroy', 'read', 'create', 'patch', 'touch', 'retire', 'list', 'destroyAll']

/** A store that says what it was asked, and answers as `answer` does. */
function open(answer: (method: string) => unknown = () => 'answer', options: Record<string, unknown> = {}) {
  const exchange = new FakeExchange()
  const asked: unknown[][] = []
  const methods = METHODS.map(method => [
    method,
    (...given: unknown[]) => {
      asked.push([method, ...given])
      return answer(method)
    },
  ])
  const store = Object.fromEntries(methods) as Record<string, unknown>
  store.plain = { get: store.get, set: store.set, destroy: store.destroy }
  const config = resolveConfig({ maxAge: 1000, ttl: 500, storeTimeout: 30, rolling: true, ...options })
  const settings = new Settings(config)
  const told = () =>
    exchange.events.map(event =>
      event.type === 'store' ? [event.operation, event.id, `${event.error.code}: ${event.error.message}`] : event,
    )
  return { asked, told, exchange, settings, store, at: new AskedStore(store as unknown as Store, exchange, settings) }
}

const RECORD = { members: {}, lifetime: {}, version: 0 }
const PATCH = { set: {}, unset: [], lifetime: {}, keepsEmpty: true }

/** Every question, and what the store is given: with the lifetime of 1 s, and with that of a browser's session. */
const QUESTIONS: ReadonlyArray<
  readonly [ask: (at: AskedStore) => unknown, method: string, given: unknown, ttl: number | undefined, call: object]
> = [
  [at => at.set('A', { a: 1 }, true), 'set', { a: 1 }, 11_000, { rolling: true, changed: true }],
  [at => at.set('A', { a: 1 }, false), 'set', { a: 1 }, 11_000, { rolling: true, changed: false }],
  [at => at.create('A', RECORD), 'create', RECORD, 11_000, {}],
  [at => at.patch('A', PATCH), 'patch', PATCH, 11_000, {}],
  [at => at.touch('A', { _expire: 1 }), 'touch', { _expire: 1 }, 11_000, {}],
  [at => at.retire('A', { version: 1 }), 'retire', { version: 1 }, 11_000, {}],
  [at => at.read('A'), 'read', undefined, undefined, { rolling: true }],
  [at => at.destroy('A'), 'destroy', undefined, undefined, {}],
]

for (const [ask, method, given, ttl, call] of QUESTIONS) {
  test(`${method} is asked with what its contract says (${JSON.stringify(call)})`, () => {
    for (const [maxAge, lives] of [
      [1000, ttl],
      ['session', ttl && 500],
    ]) {
      const { at, asked, exchange } = open(undefined, { maxAge })
      assert.equal(ask(at), 'answer')
      const expected = [method, 'A', given, lives].filter(one => one !== undefined)
      assert.deepEqual(asked, [[...expected, { ctx: exchange.ctx, signed: true, ...call }]])
    }
  })
}

test('a store is told whether the id was signed or sealed, so that nobody can have guessed it', () => {
  const externalKey = { get() {}, set() {} }
  const options: ReadonlyArray<readonly [options: Record<string, unknown>, signed: boolean]> = [
    [{}, true],
    [{ signed: false }, false],
    [{ externalKey }, false],
    [{ externalKey, signed: false }, false],
    [{ seal: true }, true],
    [{ seal: true, signed: false }, true],
  ]
  for (const [given, signed] of options) {
    const { at, asked } = open(undefined, given)
    at.destroy('A')
    assert.deepEqual(asked, [['destroy', 'A', { ctx: {}, signed }]])
  }
})

test('sessions of a user are asked for by the hash of who it is, and one is ended by its handle', async () => {
  const { at, asked } = open(method => (method === 'list' ? ['a session'] : 1))
  assert.deepEqual([at.list('hash'), at.endOne('hash', 'handle')], [['a session'], 1])
  assert.deepEqual(asked, [
    ['list', { subjectHash: 'hash' }],
    ['destroyAll', { subjectHash: 'hash' }, { only: 'handle' }],
  ])
  const down = open(() => Promise.reject(DOWN))
  for (const ask of [() => down.at.list('hash'), () => down.at.endOne('hash', 'handle')]) {
    assert.equal(await codeOf(ask), 'ERR_SESSION_STORE')
  }
  const failed = (operation: string) => [
    operation,
    undefined,
    `ERR_SESSION_STORE: the session store failed in ${operation}(): connection refused`,
  ]
  assert.deepEqual(down.told(), [failed('list'), failed('destroyAll')])
})

test('get is asked with the configured lifetime', () => {
  for (const [maxAge, given] of [
    [1000, 1000],
    ['session', 500],
  ]) {
    const { at, asked, settings } = open(undefined, { maxAge })
    settings.maxAge = 70
    at.get('A')
    assert.deepEqual(asked, [['get', 'A', given, { ctx: {}, rolling: true, signed: true }]])
  }
})

test('what a store can do is known by its methods', () => {
  const { at, store, exchange, settings } = open()
  const { list, destroyAll } = store
  const abilities = (known: Record<string, unknown>) => {
    Object.assign(store, { list, destroyAll }, known)
    return [at.keepsOwner, at.canList]
  }
  assert.deepEqual(abilities({}), [true, true])
  assert.deepEqual(abilities({ destroyAll: undefined }), [true, false])
  assert.deepEqual(abilities({ list: undefined }), [false, false])
  assert.deepEqual([at.isKeyed, at.canRetire], [true, true])
  store.retire = undefined
  assert.deepEqual([at.isKeyed, at.canRetire], [true, false])
  store.plain = undefined
  assert.deepEqual([at.isKeyed, at.canRetire, ...abilities({})], [false, false, false, false])
  const alone = new AskedStore({ ...store, plain: undefined } as unknown as Store, exchange, settings)
  assert.deepEqual([alone.isKeyed, alone.canRetire], [false, false])
})

const FAILED = 'ERR_SESSION_STORE: the session store failed in patch(): connection refused'

test('a store that fails is an error with its cause, and told once', async () => {
  for (const answer of [
    () => Promise.reject(DOWN),
    () => {
      throw DOWN
    },
  ]) {
    const { at, told } = open(answer)
    await assert.rejects(
      async () => at.patch('A', PATCH),
      (error: SessionError) =>
        `${error.code}: ${error.message}` === FAILED && Object(error.cause).message === DOWN.message,
    )
    assert.deepEqual(told(), [['patch', 'A', FAILED]])
  }
})

test('a store may reject with nothing, and what it says of the question is not repeated', async () => {
  const [nothing, repeating] = [
    open(() => Promise.reject()),
    open(() => Promise.reject(new Error('no room for id-of-a'))),
  ]
  assert.equal(await codeOf(() => nothing.at.destroy('A')), 'ERR_SESSION_STORE')
  assert.deepEqual(nothing.told(), [
    ['destroy', 'A', 'ERR_SESSION_STORE: the session store failed in destroy(): undefined'],
  ])
  assert.equal(await codeOf(() => repeating.at.destroy('id-of-a')), 'ERR_SESSION_STORE')
  const [event] = repeating.exchange.events
  assert.ok(event?.type === 'store' && !event.error.message.includes('id-of-a'))
})

test('a store that can not be made is like one that fails', () => {
  const { told, exchange, settings, store } = open()
  const make = () => {
    throw DOWN
  }
  assert.throws(() => AskedStore.open(make, exchange, settings), {
    code: 'ERR_SESSION_STORE',
    cause: DOWN,
  })
  assert.deepEqual(told(), [
    ['open', undefined, 'ERR_SESSION_STORE: the session store could not be made: connection refused'],
  ])
  assert.equal(AskedStore.open(() => store as unknown as Store, exchange, settings).store, store)
})

/** Time that passes when the test says so. */
function clockOf(t: Test) {
  const { now, advance } = manualClock(0)
  t.mock.timers.enable({ apis: ['setTimeout', 'setImmediate'] })
  t.mock.method(performance, 'now', now)
  const settled = () =>
    new Promise<void>(resolve => process.nextTick(() => queueMicrotask(() => queueMicrotask(resolve))))
  return {
    async pass(milliseconds: number): Promise<void> {
      await settled()
      advance(milliseconds)
      t.mock.timers.tick(milliseconds)
      await settled()
    },
  }
}

/** Answers that come when the test says so. */
function answers() {
  const given: { resolve(value: unknown): void; reject(error: unknown): void }[] = []
  const ask = () => new Promise<unknown>((resolve, reject) => given.push({ resolve, reject }))
  return { ask, given }
}

const LATE =
  'ERR_SESSION_TIMEOUT: the session store did not answer read() within 30 ms (option storeTimeout): ' +
  'it may still do what it was asked; look at its load, and at the connection to it'

test('a request waits for all answers together no longer than storeTimeout, until its handler asks for a commit', async t => {
  const clock = clockOf(t)
  const { ask, given } = answers()
  const { at, told } = open(ask)
  const first = codeOf(() => at.read('A'))
  await clock.pass(0)
  await clock.pass(20)
  given[0]?.resolve('one')
  assert.deepEqual([await first, at.waited], [undefined, 20])

  const second = codeOf(() => at.read('A'))
  await clock.pass(0)
  await clock.pass(9)
  assert.deepEqual(told(), [])
  await clock.pass(1)
  assert.deepEqual([await second, at.waited, told()], ['ERR_SESSION_TIMEOUT', 30, [['read', 'A', LATE]]])
  // It was told.
  given[1]?.reject(DOWN)
  await clock.pass(0)
  assert.equal(told().length, 1)

  const third = codeOf(() => at.read('A'))
  await clock.pass(0)
  await clock.pass(1)
  assert.equal(await third, 'ERR_SESSION_TIMEOUT')

  at.waited = 0
  const fourth = codeOf(() => at.read('A'))
  await clock.pass(0)
  await clock.pass(29)
  given[3]?.resolve('four')
  assert.equal(await fourth, undefined)
})

test('an answer in the same turn takes no time and no timer', async t => {
  const clock = clockOf(t)
  const { ask, given } = answers()
  const { at, told } = open(ask)
  const reading = codeOf(() => at.read('A'))
  given[0]?.resolve('one')
  assert.equal(await reading, undefined)
  await clock.pass(0)
  await clock.pass(1000)
  assert.deepEqual([at.waited, told()], [0, []])
})

test('an error after a while is the store’s, and its time counts', async t => {
  const clock = clockOf(t)
  const { ask, given } = answers()
  const { at, told } = open(ask)
  const reading = codeOf(() => at.read('A'))
  await clock.pass(0)
  await clock.pass(10)
  given[0]?.reject(DOWN)
  assert.deepEqual([await reading, at.waited], ['ERR_SESSION_STORE', 10])
  await clock.pass(1000)
  assert.equal(told().length, 1)
})

test('work of several questions is waited for as long as for one, and its time does not count', async t => {
  const clock = clockOf(t)
  const { at, told } = open()
  at.waited = 29
  const working = codeOf(() => at.within('update', 'A', new Promise(() => {})))
  await clock.pass(0)
  await clock.pass(29)
  assert.deepEqual(told(), [])
  await clock.pass(1)
  assert.deepEqual([await working, at.waited], ['ERR_SESSION_TIMEOUT', 29])
  assert.equal(await codeOf(() => at.within('update', 'A', Promise.reject(DOWN))), DOWN)
  assert.equal(await at.within('update', 'A', Promise.resolve('done')), 'done')
})

test('only an error of the store is one', () => {
  assert.equal(isStoreFailure(new SessionError('ERR_SESSION_STORE', '')), true)
  assert.equal(isStoreFailure(new SessionError('ERR_SESSION_TIMEOUT', '')), true)
  assert.equal(isStoreFailure(new SessionError('ERR_SESSION_ID', '')), false)
  assert.equal(isStoreFailure({ code: 'ERR_SESSION_STORE' }), false)
})
