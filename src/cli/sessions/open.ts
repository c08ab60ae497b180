/** Connects to a store by a client of the application. */

import { existsSync } from 'node:fs'
import { SessionError } from '../../errors.ts'
import type { RecordStore, RowOptions } from '../../stores/rows.ts'
import { UsageError } from '../usage.ts'
import { type Client, type Connection, DYNAMODB, MONGODB, MYSQL, POSTGRES, REDIS, SQLITE } from './clients.ts'
import { Failure } from './failure.ts'
import { type Kind, type Place, pathIn } from './plan.ts'

export interface AdminStore extends RecordStore {
  sweep?(): Promise<number>
}

export interface Opened {
  /** A store on the connection. `swept` is told of what a sweep has deleted, where the store says so. */
  make(options: RowOptions, swept?: (expired: { readonly count: number }) => void): AdminStore
  close(): unknown
}

/** A package of the application; throws with the code `MODULE_NOT_FOUND` where it is not there. */
export type Load = (name: string) => unknown

const CLIENTS: Readonly<Record<Kind, readonly Client[]>> = {
  sqlite: SQLITE,
  redis: REDIS,
  postgres: POSTGRES,
  mysql: MYSQL,
  mongodb: MONGODB,
  dynamodb: DYNAMODB,
}

type Make = (client: never, options: object) => AdminStore

/** Only the store that is asked for is loaded. */
const MAKERS: Readonly<Record<Kind, () => Promise<Make>>> = {
  sqlite: async () => (await import('../../stores/sql/sqlite.ts')).sqliteStore,
  redis: async () => (await import('../../stores/redis.ts')).redisStore,
  postgres: async () => (await import('../../stores/sql/postgres.ts')).postgresStore,
  mysql: async () => (await import('../../stores/sql/mysql.ts')).mysqlStore,
  mongodb: async () => (await import('../../stores/mongodb.ts')).mongoStore,
  dynamodb: async () => (await import('../../stores/dynamodb.ts')).dynamodbStore,
}

/** Rejects with a `Failure` where there is no client, and as the client does where nobody answers. */
export async function open(place: Place, load: Load): Promise<Opened> {
  const { kind, url } = place
  if (kind === 'sqlite' && !existsSync(pathIn(url))) {
    throw new Failure('there is no such file; its path is that from the folder in which you run the command')
  }
  const make = await MAKERS[kind]()
  const connection = await connected(kind, url, load)
  return { make: (options, swept) => made(place, connection, make, options, swept), close: connection.close }
}

function connected(kind: Kind, url: string, load: Load): Connection | Promise<Connection> {
  const names = CLIENTS[kind].map(([name]) => name)
  const faults: unknown[] = []
  for (const [name, connect] of CLIENTS[kind]) {
    try {
      return connect(load(name) as never, url)
    } catch (error) {
      faults.push(error)
    }
  }
  const broken = faults.find(error => !ABSENT.includes(String(Reflect.get(Object(error), 'code'))))
  if (broken) throw broken
  throw new Failure(
    `there is no client for this store in this folder: npm install ${names[0]?.replace('/promise', '')}` +
      `${names.length > 1 ? ` (or ${names.slice(1).join(', ')})` : ''}, or run the command where the application is`,
  )
}

const ABSENT = ['MODULE_NOT_FOUND', 'ERR_UNKNOWN_BUILTIN_MODULE']

function made(
  { kind, table = 'sessions', prefix }: Place,
  { client }: Connection,
  make: Make,
  options: RowOptions,
  swept: ((expired: { readonly count: number }) => void) | undefined,
): AdminStore {
  const own = {
    sqlite: { table, sweepEvery: false, onExpired: swept },
    postgres: { table, sweepEvery: false, onExpired: swept },
    mysql: { table, sweepEvery: false, onExpired: swept },
    redis: { prefix },
    mongodb: {},
    dynamodb: { table, prefix },
  }[kind]
  try {
    return make((kind === 'mongodb' ? collectionOf(client, table) : client) as never, { ...options, ...own })
  } catch (error) {
    if (error instanceof SessionError) throw new UsageError('--table or --prefix is not one that the store takes')
    throw error
  }
}

function collectionOf(client: unknown, name: string): unknown {
  return (client as { db(): { collection(name: string): unknown } }).db().collection(name)
}
