/** The clients that an application may have, and how each connects. They are the application's: none is imported here. */

import { pathIn } from './plan.ts'

export interface Connection {
  readonly client: unknown
  close(): unknown
}

/** A package, and what makes a connection of it. It rejects where nobody answers. */
export type Client = readonly [name: string, connect: (loaded: never, url: string) => Connection | Promise<Connection>]

/** How long (ms) a server may take to answer a connection. */
const PATIENCE = 5000

interface Emitting {
  on(event: 'error', listener: (error: unknown) => void): unknown
}

/** A connection that breaks is an error of what is asked next: without a listener it would end the process. */
function ignore(): void {}

interface NodeRedis extends Emitting {
  connect(): Promise<unknown>
  destroy(): void
}

interface IoRedis extends Emitting {
  connect(): Promise<unknown>
  disconnect(): void
}

type IoRedisModule = { default: new (url: string, options: object) => IoRedis }

async function ioredis({ default: Redis }: IoRedisModule, url: string): Promise<Connection> {
  const options = { lazyConnect: true, retryStrategy: () => null, maxRetriesPerRequest: 0, connectTimeout: PATIENCE }
  const client = new Redis(url, options)
  let reason: unknown
  client.on('error', error => {
    reason ??= error
  })
  // What it rejects with does not say why.
  await client.connect().catch(error => {
    throw reason ?? error
  })
  return { client, close: () => client.disconnect() }
}

export const REDIS: readonly Client[] = [
  [
    'redis',
    async ({ createClient }: { createClient(options: object): NodeRedis }, url) => {
      const client = createClient({ url, socket: { reconnectStrategy: false, connectTimeout: PATIENCE } })
      client.on('error', ignore)
      await client.connect()
      return { client, close: () => client.destroy() }
    },
  ],
  ['ioredis', ioredis],
  ['iovalkey', ioredis],
]

interface Ending {
  end(options?: object): Promise<unknown>
}

interface PgClient extends Emitting, Ending {
  connect(): Promise<unknown>
}

export const POSTGRES: readonly Client[] = [
  [
    'pg',
    async ({ Client }: { Client: new (options: object) => PgClient }, url) => {
      const client = new Client({ connectionString: url, connectionTimeoutMillis: PATIENCE })
      client.on('error', ignore)
      await client.connect()
      return { client, close: () => client.end() }
    },
  ],
  [
    'postgres',
    (postgres: (url: string, options: object) => Ending, url) => {
      const client = postgres(url, { max: 1, connect_timeout: PATIENCE / 1000, onnotice: ignore })
      return { client, close: () => client.end({ timeout: 1 }) }
    },
  ],
]

type MysqlModule = { createConnection(options: object | string): Promise<Emitting & Ending> }

async function mysql(connecting: Promise<Emitting & Ending>): Promise<Connection> {
  const client = await connecting
  client.on('error', ignore)
  return { client, close: () => client.end() }
}

export const MYSQL: readonly Client[] = [
  [
    'mysql2/promise',
    ({ createConnection }: MysqlModule, url) => mysql(createConnection({ uri: url, connectTimeout: PATIENCE })),
  ],
  [
    'mariadb',
    ({ createConnection }: MysqlModule, url) => {
      const address = new URL(url.replace(/^mysql:/i, 'mariadb:'))
      if (!address.searchParams.has('connectTimeout')) address.searchParams.set('connectTimeout', String(PATIENCE))
      return mysql(createConnection(address.href))
    },
  ],
]

interface MongoClient {
  connect(): Promise<unknown>
  close(): Promise<unknown>
}

type MongoModule = { MongoClient: new (url: string, options: object) => MongoClient }

async function mongodb({ MongoClient }: MongoModule, url: string): Promise<Connection> {
  const client = new MongoClient(url, { serverSelectionTimeoutMS: PATIENCE })
  await client.connect()
  return { client, close: () => client.close() }
}

export const MONGODB: readonly Client[] = [
  ['mongodb', mongodb],
  ['mongoose', ({ mongo }: { mongo: MongoModule }, url) => mongodb(mongo, url)],
]

export const DYNAMODB: readonly Client[] = [
  [
    '@aws-sdk/client-dynamodb',
    ({ DynamoDB }: { DynamoDB: new (options: object) => { destroy(): void } }, url) => {
      const [, region] = /^dynamodb:\/\/(.+)$/i.exec(url) ?? []
      const client = new DynamoDB(region === undefined ? {} : { region })
      return { client, close: () => client.destroy() }
    },
  ],
]

interface SqliteDatabase {
  exec(sql: string): unknown
  close(): unknown
}

type Database = new (path: string) => SqliteDatabase

function sqlite(Database: Database, url: string): Connection {
  const client = new Database(pathIn(url))
  // Others may be writing.
  client.exec(`PRAGMA busy_timeout = ${PATIENCE}`)
  return { client, close: () => client.close() }
}

export const SQLITE: readonly Client[] = [
  ['libsql', sqlite],
  // On a Node that is older than it asks for, loading it ends the process: who has only this one has such a Node.
  ['better-sqlite3', sqlite],
  ['node:sqlite', ({ DatabaseSync }: { DatabaseSync: Database }, url) => sqlite(DatabaseSync, url)],
]
