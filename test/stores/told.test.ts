/** What stores end without a request: they tell `onEnded` and `onExpired`. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import test, { type TestContext as Test } from 'node:test'
import { memoryStore } from 'koa-session/memory'
import { redisStore } from 'koa-session/redis'
import { sqliteStore } from 'koa-session/sqlite'
import Database from 'libsql'
import { manualClock } from '../../src/testing/clock.ts'
import { newSecret } from '../support/secrets.ts'

type Options = Record<string, unknown>

const HOUR = 3_600_000
const hash = (text: string) => createHash('sha256').update(text)
const subjectHash = hash('ann').digest('base64url')
const fingerprint = (id: string) => hash(id).digest('hex').slice(0, 8)
const ended = (id: string) => ({ id: fingerprint(id), subjectHash, reason: 'destroyAll' })
const CALL = { ctx: undefined }
const FULL = 'the log is full'

const STORES = {
  memoryStore: async (options: Options) => memoryStore(options),
  'memoryStore without hashes': async (options: Options) => memoryStore({ hashIds: false, ...options }),
  'memoryStore with seal': async (options: Options) => memoryStore({ seal: [newSecret()], ...options }),
  sqliteStore: async (options: Options) => {
    const store = sqliteStore(new Database(':memory:'), { sweepEvery: false, ...options })
    await store.setup()
    return store
  },
}

/** A store with three sessions of Ann's, one of Bob's, and one of nobody's. */
async function open(make: (options: Options) => Promise<ReturnType<typeof memoryStore>>, options: Options) {
  const clock = manualClock()
  const store = await make({ now: clock.now, ...options })
  for (const [id, subject] of [['a'], ['b', 'ann'], ['c', 'ann'], ['d', 'ann'], ['e', 'bob']] as const) {
    const owner = subject && hash(subject).digest('base64url')
    await store.create(id, { members: { n: '1' }, lifetime: { _session: true }, subject: owner }, HOUR)
  }
  return { clock, store }
}

test('an onEnded that gives a query, which runs when somebody waits for it, is run, and its failure is a process warning', async t => {
  const said = warnings(t)
  const run: unknown[] = []
  const query = (one: unknown) => ({
    // biome-ignore lint/suspicious/noThenProperty: as queries of knex, drizzle and Prisma have it
    then(_: unknown, reject: (error: Error) => void) {
      run.push(one)
      reject(new Error('the log is full'))
    },
  })
  const { store } = await open(STORES.memoryStore as never, { onEnded: query })
  assert.equal(await store.destroyAll('bob'), 1)
  await new Promise(resolve => setImmediate(resolve))
  assert.equal(run.length, 1)
  assert.deepEqual(said(), ['the log is full'])
})

for (const [name, make] of Object.entries(STORES)) {
  const opened = (options: Options) => open(make as Parameters<typeof open>[0], options)

  test(`${name}: destroyAll tells each session that it has ended, once`, async () => {
    const told: unknown[] = []
    const { store } = await opened({ onEnded: (one: unknown) => told.push(one) })
    await store.retire('b', { successor: 'c' }, HOUR)
    assert.equal(await store.destroyAll('ann', { except: 'd' }), 1)
    assert.equal(await store.destroyAll('ann', { only: hash('d').digest('base64url') }), 1)
    assert.equal(await store.destroyAll('ann'), 0)
    assert.deepEqual(told, [ended('c'), ended('d')])
    await Reflect.apply(store.destroy, store, ['e', CALL])
    assert.equal(told.length, 2, 'what a request ends is an event')
  })

  for (const [how, onEnded] of Object.entries({
    throws: () => {
      throw new Error('the log is full')
    },
    rejects: async () => {
      throw new Error('the log is full')
    },
    'rejects with what is no error': async () => Promise.reject('a text'),
  })) {
    test(`${name}: an onEnded that ${how} is a process warning, and all sessions are ended`, async t => {
      const said = warnings(t)
      const { store } = await opened({ onEnded })
      assert.equal(await store.destroyAll('ann'), 3)
      await new Promise(resolve => setImmediate(resolve))
      assert.deepEqual(said(), Array(3).fill('the log is full'))
    })
  }
}

function warnings(t: Test): () => readonly string[] {
  const list: string[] = []
  const note = ({ message }: Error) => list.push(message.replace('a listener of a store threw a string', FULL))
  process.on('warning', note)
  t.after(() => process.off('warning', note))
  return () => list.filter(message => message === FULL)
}

test('memoryStore tells what it drops when it is full, and no tombstone', async () => {
  const told: unknown[] = []
  const { store } = await open(STORES.memoryStore, { max: 5, onEnded: (one: unknown) => told.push(one) })
  store.retire('b', { successor: 'c' }, HOUR)
  for (const id of ['f', 'g']) store.create(id, { members: {}, lifetime: { _session: true } }, HOUR)
  store.read('g')
  assert.deepEqual(told, [{ id: fingerprint('a'), reason: 'evicted' }])
})

test('memoryStore tells whose it drops when it is full, and not where that is sealed', () => {
  for (const [options, whose] of [
    [{}, { subjectHash }],
    [{ seal: [newSecret()] }, {}],
  ] as const) {
    const told: unknown[] = []
    const store = memoryStore({ max: 1, onEnded: one => told.push(one), ...options })
    for (const id of ['a', 'b']) store.create(id, { members: {}, lifetime: {}, subject: subjectHash }, HOUR)
    store.read('b')
    assert.deepEqual(told, [{ id: fingerprint('a'), ...whose, reason: 'evicted' }])
  }
})

test('memoryStore tells what has expired, once it is found', async () => {
  const told: unknown[] = []
  const { clock, store } = await open(STORES.memoryStore, {
    onExpired: (one: unknown) => told.push(one),
    onEnded: () => assert.fail('it expired'),
  })
  store.retire('b', { successor: 'c' }, 1)
  clock.advance(HOUR)
  for (const id of ['a', 'b', 'c', 'a']) store.read(id)
  assert.deepEqual(told, [{ count: 1 }, { count: 1 }, { count: 1 }])
})

test('memoryStore tells what has expired, where that is found as room is made', () => {
  const told: unknown[] = []
  const clock = manualClock()
  const onEnded = () => assert.fail('it expired')
  const store = memoryStore({ max: 2, now: clock.now, onExpired: one => told.push(one), onEnded })
  for (const [id, ttl] of Object.entries({ a: 1, b: HOUR, c: HOUR })) {
    store.create(id, { members: {}, lifetime: {} }, ttl)
    clock.advance(1)
  }
  store.read('c')
  assert.deepEqual(told, [{ count: 1 }])
})

test('sqliteStore tells each batch of a sweep', async () => {
  const told: unknown[] = []
  const clock = manualClock()
  const store = await STORES.sqliteStore({ now: clock.now, onExpired: (one: unknown) => told.push(one) })
  assert.equal(await store.sweep(), 0)
  for (let n = 0; n < 60; n++) await store.create(`id-${n}`, { members: {}, lifetime: { _session: true } }, 1, CALL)
  clock.advance(10)
  assert.equal(await store.sweep(), 60)
  assert.deepEqual(told, [{ count: 50 }, { count: 10 }])
})

test('an option that is no function is refused, and in Redis onExpired is, as nothing is swept there', () => {
  const method = async () => []
  const onRedis = (options: Options) =>
    redisStore({ hgetall: method, evalsha: method, eval: method }, options as object)
  for (const [make, options] of [
    [memoryStore, { onEnded: 1 }],
    [memoryStore, { onExpired: 'log' }],
    [onRedis, { onEnded: null }],
    [onRedis, { onExpired: () => {} }],
    [(options: Options) => sqliteStore(new Database(':memory:'), options), { onExpired: {} }],
  ] as const) {
    assert.throws(() => make(options as never), { code: 'ERR_SESSION_OPTION', message: /: on(Ended|Expired) was / })
  }
})
