/* A store with get, put and delete alone, on the clients that need no server; what each is asked, and what is refused. */

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { after, describe } from 'node:test'
import { KVNamespace } from '@miniflare/kv'
import { MemoryStorage } from '@miniflare/storage-memory'
import Keyv from 'keyv'
import { type KvClient, kvStore } from 'koa-session/kv'
import { memoryStore } from 'koa-session/memory'
import { manualClock } from 'koa-session/testing'
import { createStorage } from 'unstorage'
import fsLite from 'unstorage/drivers/fs-lite'
import { versionOfPackage } from '../servers/found.ts'
import { row } from '../servers/report.ts'
import { newSecret } from '../support/secrets.ts'
import { digestOf } from './support/contract.ts'
import { proveKv } from './support/kv.ts'

const NOW = 1_700_000_000_000
const MINUTE = 60_000
const HOUR = 3_600_000
const DAY = 24 * HOUR
const ADA = { user: 'ada', _maxAge: HOUR }

const folder = mkdtempSync(join(tmpdir(), 'koa-session-kv-'))
after(() => rmSync(folder, { recursive: true }))

const CLIENTS: ReadonlyArray<readonly [name: string, client: KvClient, server: string]> = [
  [`keyv ${versionOfPackage('keyv')}`, new Keyv({ throwOnErrors: true }), 'the process'],
  [`unstorage ${versionOfPackage('unstorage')}`, createStorage(), 'the process'],
  [`unstorage ${versionOfPackage('unstorage')}`, createStorage({ driver: fsLite({ base: folder }) }), 'files'],
  ['Workers KV', new KVNamespace(new MemoryStorage()), `@miniflare/kv ${versionOfPackage('@miniflare/kv')}`],
  ['get, set and delete', new Map(), 'a Map'],
]

for (const [client, made, server] of CLIENTS) {
  describe(`a store on ${client}, ${server}`, () => {
    proveKv(row({ store: 'kv', client, server }).test, options => kvStore(made, options))
  })
}

/** A client that keeps texts, by the names of its methods, and says what it was asked. */
function fake(get: string, set: string, remove: string, extra: object = {}) {
  const texts = new Map<string, unknown>()
  const asked: unknown[][] = []
  const client = {
    ...extra,
    [get]: async (key: string) => texts.get(key) ?? null,
    [set]: async (...given: [string, string]) => {
      asked.push(given)
      texts.set(...given)
    },
    [remove]: async (key: string) => texts.delete(key),
  } as unknown as KvClient
  return { texts, asked, client }
}

test('a client is told how long to keep a session, in its own words', async t => {
  t.mock.method(Date, 'now', () => NOW)
  const seconds = (name: string) => (ms: number) => ({ [name]: ms / 1000 })
  const unix = (ms: number) => ({ expires: ms > 30 * DAY ? (NOW + ms) / 1000 : ms / 1000 })
  const kinds: ReadonlyArray<readonly [ReturnType<typeof fake>, (ms: number) => unknown]> = [
    [fake('get', 'set', 'delete'), ms => ms],
    [fake('get', 'put', 'delete'), seconds('expirationTtl')],
    [fake('getItem', 'setItem', 'removeItem'), seconds('ttl')],
    [fake('get', 'set', 'delete', { increment() {} }), unix],
  ]
  for (const [{ client, asked }, words] of kinds) {
    const rows = [
      [1, MINUTE],
      [MINUTE, MINUTE],
      [MINUTE + 0.5, MINUTE + 1000],
      [DAY, DAY],
      [30 * DAY, 30 * DAY],
      [31 * DAY, 31 * DAY],
    ]
    const store = kvStore(client)
    for (const [ttl = 0] of rows) await store.set('a', ADA, ttl)
    assert.deepEqual(
      asked.map(([, , told]) => told),
      rows.map(([, ms = 0]) => words(ms)),
    )
  }
})

test('a client of memjs gives bytes, which are a text', async () => {
  const { client, texts } = fake('get', 'set', 'delete', { increment() {} })
  const bytes = async (key: string) => ({ value: texts.has(key) ? Buffer.from(String(texts.get(key))) : null })
  const store = kvStore(Object.assign(client, { get: bytes }) as KvClient)
  assert.equal(await store.get('a'), undefined)
  await store.set('a', { user: 'Адa' }, HOUR)
  assert.deepEqual(await store.get('a'), { user: 'Адa' })
})

test('a client that may keep a session longer does not give it out', async () => {
  const { now, advance } = manualClock(NOW)
  const { client, texts } = fake('get', 'put', 'delete')
  const store = kvStore(client, { now })
  await store.set('a', ADA, 1000)
  advance(999)
  assert.deepEqual(await store.get('a'), ADA)
  advance(1)
  assert.equal(await store.get('a'), undefined)
  assert.equal(texts.size, 1)
  await store.set('a', ADA, 1e300)
  assert.deepEqual(await store.get('a'), ADA)
})

test('a key has the hash of the id, whatever the id is', async () => {
  const { client, asked, texts } = fake('get', 'set', 'delete')
  for (const id of ['a', '../a b\n', '💥']) {
    await kvStore(client).set(id, ADA, HOUR)
    await kvStore(client, { prefix: 'app-2:' }).set(id, ADA, HOUR)
    assert.deepEqual(
      asked.splice(0).map(([key]) => key),
      [`sess:${digestOf(id)}`, `app-2:${digestOf(id)}`],
    )
  }
  assert.match(String(texts.get(`sess:${digestOf('a')}`)), /^\d+ \[\{"user":"\\"ada\\""\},\{"_maxAge":3600000\}\]$/)
})

const FAR = '9000000000000'
const NO_SESSION: readonly unknown[] = [
  ...[
    '',
    'ada',
    '{}',
    '0 [{},{}]',
    `${FAR} {}`,
    `${FAR} [`,
    `${FAR} [1,2]`,
    `${FAR} [{"a":1},{}]`,
    `${FAR} [{"a":"{"},{}]`,
  ],
  ...[null, undefined, 5, true, {}, [], { value: 'ada' }, Buffer.from('ada')],
]

test('what is under a key and is no session is nothing, and is replaced', async () => {
  for (const value of NO_SESSION) {
    const { client, texts } = fake('get', 'set', 'delete')
    const store = kvStore(client)
    texts.set(`sess:${digestOf('a')}`, value)
    assert.equal(await store.get('a'), undefined, String(value))
    await store.set('a', ADA, HOUR)
    assert.deepEqual(await store.get('a'), ADA)
  }
})

test('with seal, values are encrypted, bound to their session, and opened with any of the secrets', async () => {
  const { client, texts } = fake('get', 'set', 'delete')
  const [old, newer] = [newSecret(), newSecret()]
  await kvStore(client, { seal: [old] }).set('a', { user: 'ada lovelace', _maxAge: HOUR }, HOUR)
  const text = String(texts.get(`sess:${digestOf('a')}`))
  assert.ok(!text.includes('lovelace'))
  texts.set(`sess:${digestOf('b')}`, text)
  const store = kvStore(client, { seal: [newer, old] })
  assert.equal((await store.get('a'))?.user, 'ada lovelace')
  assert.equal(await store.get('b'), undefined)
  await store.set('a', ADA, HOUR)
  assert.deepEqual(await kvStore(client, { seal: [newer] }).get('a'), ADA)
  assert.equal(await kvStore(client, { seal: [old] }).get('a'), undefined)
})

test('what a client can not do is an error, and never a missing session', async () => {
  const down = new Error('down')
  const fail = async () => Promise.reject(down)
  const store = kvStore({ get: fail, set: fail, delete: fail })
  await assert.rejects(store.get('a'), down)
  await assert.rejects(store.set('a', ADA, HOUR), down)
  await assert.rejects(store.set('a', ADA, 0), down)
  await assert.rejects(store.destroy('a'), down)
  const full = kvStore({ get: () => undefined, set: async () => false, delete: () => false })
  const message = 'kvStore: the client answered that the session was not kept'
  await assert.rejects(full.set('a', ADA, HOUR), { code: 'ERR_SESSION_STORE', message })
  await full.destroy('a')
})

const method = () => undefined
const REFUSED: ReadonlyArray<readonly [client: unknown, message: RegExp, options?: unknown]> = [
  [undefined, /^kvStore: client was of type undefined, expected a KV namespace, .*, or get, set and delete/],
  [{ get: method, set: method, del: method }, /^kvStore: client was of type object, expected a KV namespace/],
  [{ get: method, set: method, del: method, hGetAll: method }, /a client of redis, .*: give it to redisStore\(\)/],
  [{ get: method, set: method, del: method, hgetall: method }, /a client of ioredis, .*: give it to redisStore\(\)/],
  [memoryStore(), /client was a store of this package, .*: give it to the middleware as the option store/],
  [{ get: method, set: method, delete: method, listenQueue: method }, /a database of Deno KV, .*: put get, set and/],
  [new Keyv(), /^kvStore: client was of type object, expected a Keyv with throwOnErrors: true/],
  [new Map(), /^kvStore: prefix was "a b", expected at most 100 of/, { prefix: 'a b' }],
  [new Map(), /^kvStore: prefix was "\.\.\/", expected/, { prefix: '../' }],
  [new Map(), /^kvStore: prefix was 5, expected/, { prefix: 5 }],
  [new Map(), /^kvStore: now was 5, expected a function/, { now: 5 }],
  [new Map(), /^kvStore: unknown option hashIds, expected one of prefix, seal, now/, { hashIds: false }],
  [new Map(), /^kvStore: seal\[0\] is .*, which sealing refuses/, { seal: ['short'] }],
]

test('what is no client, and options that are not what they have to be, are refused at start', () => {
  for (const [client, message, options] of REFUSED) {
    assert.throws(() => kvStore(client as never, options as never), { message, name: 'SessionError' })
  }
})
