/** A client that gives one command the answer of another, as npm's `redis` 5.12 does after a connection was reset. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { dynamodbStore } from 'koa-session/dynamodb'
import { mongoStore } from 'koa-session/mongodb'
import { postgresStore } from 'koa-session/postgres'
import { redisStore } from 'koa-session/redis'
import { isMarkOf } from '../../src/stores/redis/mark.ts'
import { digestOf as digest } from './support/contract.ts'

const HOUR = 3_600_000
const CALL = { ctx: undefined, rolling: false, changed: true }
const never = () => assert.fail('not asked')

interface Asked {
  read(id: string): unknown
  list?(subject: string): unknown
  destroy?(id: string): unknown
}

/** A store whose client answers what is under `name`, or of `subject`, whatever it is asked for. */
const STORES: Readonly<Record<string, (name: string, subject: string) => Asked>> = {
  redis: name => {
    const hash = { l: `[null,${HOUR}]`, m: `0 1 1 ${HOUR} 0`, k: name.slice(-8), '.user': '"bob"' }
    const run = async () => `${name.slice(-8)}\0removed`
    const { read, destroy } = redisStore({ hgetall: async () => hash, evalsha: run, eval: run })
    return { read: id => read(id, CALL), destroy: id => destroy(id, CALL) }
  },
  postgres: (name, subject) => {
    const store = postgresStore({ query: async () => ({ rows: [rowOf(name, subject)], rowCount: 0 }) })
    return { read: id => store.read(id, CALL), list: one => store.list(one), destroy: id => store.destroy(id, CALL) }
  },
  mongodb: (name, subject) => {
    const found = { _id: name, m: {}, l: '[]', v: 0, s: digest(subject), c: 1, n: 1, e: new Date(8e15) }
    const others = ['aggregate', 'insertOne', 'updateOne', 'replaceOne', 'findOneAndUpdate']
    const rest = Object.fromEntries([...others, 'listIndexes', 'createIndex'].map(method => [method, never]))
    const none = async () => ({ deletedCount: 0 })
    const deleting = { deleteOne: none, deleteMany: none }
    const collection = {
      ...rest,
      ...deleting,
      findOne: async () => found,
      find: () => ({ toArray: async () => [found] }),
    }
    const store = mongoStore(collection as never)
    return { read: id => store.read(id, CALL), list: one => store.list(one), destroy: id => store.destroy(id, CALL) }
  },
  dynamodb: name => {
    const Item = { pk: { S: `sess:${name}` }, m: { M: {} }, l: { S: '[]' }, v: { N: '0' }, e: { N: String(8e15) } }
    const others = ['putItem', 'updateItem', 'deleteItem', 'query', 'scan', 'describeTable', 'createTable']
    const rest = Object.fromEntries([...others, 'describeTimeToLive', 'updateTimeToLive'].map(one => [one, never]))
    const store = dynamodbStore({ ...rest, getItem: async () => ({ Item }) } as never)
    return { read: id => store.read(id, CALL) }
  },
}

function rowOf(name: string, subject: string) {
  const times = { created_at: 1, seen_at: 1, expires_at: HOUR, retired_at: null, retired_for: null }
  return { name, data: { user: '"bob"' }, lifetime: '{}', version: 0, subject: digest(subject), ...times }
}

const isRefused = { code: 'ERR_SESSION_STORE', message: /the answer to another question/ }

for (const [name, storeOn] of Object.entries(STORES)) {
  const own = storeOn(digest('a'), 'ada')
  const other = storeOn(digest('b'), 'bob')

  test(`${name}: the answer to another question gives nobody a session`, async () => {
    assert.notEqual(await own.read('a'), undefined)
    await assert.rejects(async () => other.read('a'), isRefused)
  })

  if (own.list) {
    test(`${name}: the sessions of another subject are not listed`, async () => {
      assert.equal(Object(await own.list?.('ada')).length, 1)
      await assert.rejects(async () => other.list?.('ada'), isRefused)
    })
  }

  if (own.destroy) {
    test(`${name}: a sign-out that was not answered is none, and ends nobody else's session`, async () => {
      await own.destroy?.('a')
      await assert.rejects(async () => other.destroy?.('a'), isRefused)
    })
  }
}

test('redis: a session of an older version, which has no mark, is read', async () => {
  const hash = { l: '[]', m: '0 1 1 1 0', '.user': '"ada"' }
  const store = redisStore({ hgetall: async () => hash, evalsha: never, eval: never } as never)
  assert.deepEqual(Object(await store.read('a', CALL)).members, { user: '"ada"' })
})

test('redis: the mark of a key is the end of its bytes, in ASCII', () => {
  const rows: ReadonlyArray<readonly [mark: string | undefined, key: string, is: boolean]> = [
    ['01234567', 'sess:01234567', true],
    ['01234567', '01234567', true],
    ['app:a', 'a', true],
    ['app:a', 'b', false],
    ['s:~~~~~~', 'sess:ééé', true],
    ['~~~~~~~~', 'sess:éééééé', true],
    ['', 'sess:01234567', false],
    [undefined, 'sess:01234567', false],
  ]
  for (const [mark, key, is] of rows) assert.equal(isMarkOf(mark, key), is, `${mark} ${key}`)
})
