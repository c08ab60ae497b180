/** What looks like a client that a store takes, and is none: found out at start. */

import { SessionError } from '../errors.ts'
import { checkOption } from './after.ts'

const LENT = 'give fromConnections() of koa-session/postgres or koa-session/mysql what it lends'

/** A member by which each is known, what it is, and what to do. The page docs/clients.md has the same list. */
type Others = ReadonlyArray<readonly [member: string, what: string, advice: string]>

export const OTHERS_OF_REDIS: Others = [
  ['autoPipeline', 'a client of @upstash/redis', 'connect to the same database by one of these'],
]

export const OTHERS_OF_KV: Others = [
  ['hGetAll', 'a client of redis', 'give it to redisStore()'],
  ['hgetall', 'a client of ioredis', 'give it to redisStore()'],
  ['plain', 'a store of this package', 'give it to the middleware as the option store'],
  ['listenQueue', 'a database of Deno KV', 'put get, set and delete of texts around it'],
]

const COLLECTION = 'give its collection(name)'

export const OTHERS_OF_MONGODB: Others = [
  ['hydrate', 'a model of mongoose', 'give mongoose.connection.collection(name)'],
  ['connection', 'mongoose', 'give its connection.collection(name)'],
  ['databaseName', 'a Db', COLLECTION],
  ['readyState', 'a connection of mongoose', COLLECTION],
  ['startSession', 'a MongoClient', 'give its db().collection(name)'],
]

const OTHERS_OF_SQL: Others = [
  ['$client', 'a database of drizzle', 'give its $client'],
  ['$pool', 'a database of pg-promise', 'give its $pool'],
  ['createQueryRunner', "a DataSource of TypeORM's", 'give the pool of its driver, once it is initialized'],
  ['getQueryInterface', 'an instance of Sequelize', LENT],
  ['$queryRawUnsafe', 'a client of Prisma', 'give the pool that its adapter was given'],
  ['parallelize', 'a database of sqlite3', 'open the file by better-sqlite3 or libsql'],
  ['migrate', 'an instance of Knex', LENT],
  ['selectFrom', 'an instance of Kysely', 'give the pool that its dialect was given'],
  ['waitReady', 'a database of PGlite', 'give it to postgresStore()'],
  ['unsafe', 'a client of postgres.js', 'give it to postgresStore()'],
  ['batch', 'a client of mariadb, or of @libsql/client', 'give that of mariadb to mysqlStore(), or connect by libsql'],
]

/** Throws `ERR_SESSION_OPTION` for a client that is not `expected`, and for one that is known not to be. */
export function checkClient(
  maker: string,
  option: string,
  client: unknown,
  isGood: boolean,
  expected: string,
  others = OTHERS_OF_SQL,
): void {
  const [, what, advice] = others.find(([member]) => member in Object(client)) ?? []
  if (what === undefined) checkOption(maker, option, client, isGood, `${expected}; docs/clients.md has others`)
  if (what === undefined) return
  const message = `${maker}: ${option} was ${what}, expected ${expected}: ${advice}, see docs/clients.md`
  throw new SessionError('ERR_SESSION_OPTION', message)
}
