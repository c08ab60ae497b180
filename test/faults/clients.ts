/*
 * The stores of the application, each with a client that is set as in production: its defaults, but that one of npm's
 * `redis` keeps no queue while it is not connected. With one, before 6.2, it can be without an answer for ever.
 */
import { Cluster, Redis } from 'ioredis'
import type { Store } from 'koa-session'
import { dynamodbStore } from 'koa-session/dynamodb'
import { memoryStore } from 'koa-session/memory'
import { mongoStore } from 'koa-session/mongodb'
import { mysqlStore } from 'koa-session/mysql'
import { postgresStore } from 'koa-session/postgres'
import { type IoRedisClient, redisStore } from 'koa-session/redis'
import { sqliteStore } from 'koa-session/sqlite'
import { MongoClient } from 'mongodb'
import mysql from 'mysql2/promise'
import pg from 'pg'
import { createClient, createCluster, createSentinel } from 'redis'
import { dynamodbOn } from '../servers/dynamodb-client.ts'
import { type SqliteName, sqliteClients } from '../servers/sqlite.ts'

export type StoreName =
  | 'memory'
  | 'redis'
  | 'redis-queued'
  | 'ioredis'
  | 'cluster'
  | 'cluster-ioredis'
  | 'sentinel'
  | 'sentinel-ioredis'
  | 'sentinel-wait'
  | 'postgres'
  | 'mariadb'
  | 'mongodb'
  | 'dynamodb'
  | SqliteName

/** Where the server is. */
export interface Place {
  /** Of the server, or of the nodes of a cluster; where a proxy is before it, that one's. */
  readonly ports: readonly number[]
  /** By the address that a node of a cluster says: the one that it has. */
  readonly addresses: Readonly<Record<string, { readonly host: string; readonly port: number }>>
  /** The file of SQLite, or the URL of a server of MongoDB that was there before. */
  readonly file: string
}

/** What all stores take. */
export interface StoreOptions {
  /** The clock, in milliseconds since the epoch. */
  readonly now?: () => number
}

/** A pool as large as those of `pg` and `mysql2` are by default. */
const CONNECTIONS = 10
/** More than a run makes: none goes before its time. */
const SESSIONS = 1_000_000
const host = '127.0.0.1'
const ignore = () => {}

export const OPEN: Readonly<Record<StoreName, (place: Place, options?: StoreOptions) => Promise<Store>>> = {
  memory: async (_, options) => memoryStore({ max: SESSIONS, ...options }),
  redis: (place, options) => nodeRedis(place, true, options),
  'redis-queued': (place, options) => nodeRedis(place, false, options),
  async ioredis({ ports: [port = 0] }, options) {
    const client = new Redis(port, host)
    client.on('error', ignore)
    return redisStore(client, options)
  },
  async cluster({ ports, addresses }, options) {
    const rootNodes = ports.map(port => ({ url: `redis://${host}:${port}` }))
    const client = createCluster({ rootNodes, nodeAddressMap: addresses, defaults: { disableOfflineQueue: true } })
    client.on('error', ignore)
    await client.connect()
    return redisStore(client, options)
  },
  async 'cluster-ioredis'({ ports, addresses }, options) {
    const nodes = ports.map(port => ({ host, port }))
    const client = new Cluster(nodes, { natMap: addresses })
    client.on('error', ignore)
    return redisStore(client, options)
  },
  async sentinel({ ports }, options) {
    const sentinelRootNodes = ports.map(port => ({ host, port }))
    const nodeClientOptions = { disableOfflineQueue: true }
    const client = createSentinel({ name: 'main', sentinelRootNodes, nodeClientOptions })
    client.on('error', ignore)
    await client.connect()
    return redisStore(client, options)
  },
  'sentinel-ioredis': async ({ ports }, options) => redisStore(behindSentinels(ports), options),
  'sentinel-wait': async ({ ports }, options) => redisStore(waiting(behindSentinels(ports)), options),
  async postgres({ ports: [port = 0] }, options) {
    const pool = new pg.Pool({ host, port, user: 'postgres', database: 'postgres', max: CONNECTIONS })
    pool.on('error', ignore)
    const store = postgresStore(pool, options)
    await store.setup()
    return store
  },
  async mariadb({ ports: [port = 0] }, options) {
    const store = mysqlStore(
      mysql.createPool({ host, port, user: 'root', database: 'test', connectionLimit: CONNECTIONS }),
      options,
    )
    await store.setup()
    return store
  },
  async mongodb({ ports: [port = 0], file }, options) {
    const client = new MongoClient(file || `mongodb://${host}:${port}`, { maxPoolSize: CONNECTIONS })
    const store = mongoStore(client.db('koa_session').collection('sessions'), options)
    await store.setup()
    return store
  },
  async dynamodb({ ports: [port = 0] }, options) {
    const client = dynamodbOn(`http://${host}:${port}`)
    const store = dynamodbStore(client, options)
    await store.setup()
    return store
  },
  libsql: sqlite('libsql'),
  'node:sqlite': sqlite('node:sqlite'),
  'better-sqlite3': sqlite('better-sqlite3'),
}

async function nodeRedis({ ports: [port] }: Place, disableOfflineQueue: boolean, options?: StoreOptions) {
  const client = createClient({ url: `redis://${host}:${port}`, disableOfflineQueue })
  client.on('error', ignore)
  await client.connect()
  return redisStore(client, options)
}

function behindSentinels(ports: Place['ports']): Redis {
  const client = new Redis({ name: 'main', sentinels: ports.map(port => ({ host, port })) })
  client.on('error', ignore)
  return client
}

/** As docs/stores/redis.md has it: what is written is acknowledged once a replica has it. */
function waiting(client: Redis): IoRedisClient {
  const replicated = async (answer: Promise<unknown>) => {
    const [value, replicas] = await Promise.all([answer, client.wait(1, 500)])
    if (replicas < 1) throw new Error('no replica has it')
    return value
  }
  return {
    hgetall: key => client.hgetall(key),
    evalsha: (...script) => replicated(client.evalsha(...script)),
    eval: (...script) => replicated(client.eval(...script)),
  }
}

function sqlite(name: SqliteName) {
  return async ({ file }: Place, options?: StoreOptions) => {
    const db = sqliteClients()
      .find(client => client.name === name)
      ?.open(file)
    if (!db) throw new Error(`no client ${name}`)
    db.exec('PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL')
    const store = sqliteStore(db, options)
    await store.setup()
    db.exec('PRAGMA busy_timeout = 500')
    return store
  }
}
