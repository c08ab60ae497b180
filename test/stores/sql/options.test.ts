import assert from 'node:assert/strict'
import test from 'node:test'
import { type MysqlCallbackClient, type MysqlClient, mysqlStore } from 'koa-session/mysql'
import { type PostgresClient, postgresStore } from 'koa-session/postgres'
import type { SqlStore, SqlStoreOptions } from 'koa-session/sqlite'
import { sqliteStore } from 'koa-session/sqlite'
import mysqlCallbacks from 'mysql2'
import mysql from 'mysql2/promise'
import pg from 'pg'

const nothing = async () => ({ rows: [], rowCount: 0 })
const FACTORIES: ReadonlyArray<readonly [maker: string, quote: string, make: (options: SqlStoreOptions) => SqlStore]> =
  [
    [
      'sqliteStore',
      '"',
      options => sqliteStore({ exec() {}, prepare: () => ({ run: () => ({ changes: 0 }), all: () => [] }) }, options),
    ],
    ['postgresStore', '"', options => postgresStore({ query: nothing }, options)],
    ['mysqlStore', '`', options => mysqlStore({ execute: async () => [[]], query: nothing }, options)],
  ]

/** As somebody without types calls it. */
function loosely(make: (options: SqlStoreOptions) => SqlStore, options: object): () => SqlStore {
  return () => make({ sweepEvery: false, ...options } as SqlStoreOptions)
}

test('a bad option is refused by its name', () => {
  const rows: ReadonlyArray<readonly [option: string, values: readonly unknown[]]> = [
    ['table', ['', 'a b', 'a"b', 'a`b', '1a', 'a.b.c', '.a', 'a.', 'é', 'a;b', 'x'.repeat(64), 5, null]],
    ['sweepEvery', [0, -1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 30 + 1, true, '5', null]],
    ['onSweepError', [5, null]],
    ['now', [5, null]],
    ['hashIds', ['yes']],
  ]
  for (const [maker, , make] of FACTORIES) {
    for (const [option, values] of rows) {
      for (const value of values) {
        assert.throws(loosely(make, { [option]: value }), {
          code: 'ERR_SESSION_OPTION',
          message: new RegExp(`^${maker}: ${option} was `),
        })
      }
    }
    for (const seal of [[], ['short']]) {
      const message = new RegExp(`^${maker}: seal`)
      assert.throws(loosely(make, { seal }), { code: 'ERR_SESSION_KEYS', message })
    }
  }
})

test('a good option is taken', async () => {
  const rows: readonly object[] = [
    {},
    { table: 'app.Sessions_2' },
    { table: 'x'.repeat(63) },
    { sweepEvery: 1 },
    { sweepEvery: 2 ** 30 },
  ]
  for (const [, , make] of FACTORIES) {
    for (const options of rows) await loosely(make, options)().close()
  }
})

test('what is no client is refused', () => {
  for (const client of [undefined, null, {}, { query: 5 }, 'postgres://127.0.0.1', { promise: 5 }]) {
    const error = { code: 'ERR_SESSION_OPTION' }
    assert.throws(() => sqliteStore(client as never), error)
    assert.throws(() => postgresStore(client as never), error)
    assert.throws(() => mysqlStore(client as never), error)
  }
  assert.throws(() => postgresStore({ query: nothing }, { prepare: 1 as never }), { code: 'ERR_SESSION_OPTION' })
})

test('a client of another kind is refused at start, by what it is and what to give', () => {
  const other = { query: nothing, execute: async () => [[]] as const, exec() {}, prepare: () => ({}) }
  const makers = { postgresStore, mysqlStore, sqliteStore }
  const rows: ReadonlyArray<readonly [member: string, message: RegExp, takesIt?: keyof typeof makers]> = [
    ['$client', /was a database of drizzle, expected .*: give its \$client, see docs\/clients\.md$/],
    ['$pool', /was a database of pg-promise, .*: give its \$pool/],
    ['createQueryRunner', /was a DataSource of TypeORM's, .*: give the pool of its driver, once it is initialized/],
    ['getQueryInterface', /was an instance of Sequelize, .*: give fromConnections\(\) of koa-session\/postgres or/],
    ['$queryRawUnsafe', /was a client of Prisma, .*: give the pool that its adapter was given/],
    ['parallelize', /was a database of sqlite3, .*: open the file by better-sqlite3 or libsql/],
    ['migrate', /was an instance of Knex, .*: give fromConnections\(\) of koa-session\/postgres or koa-session\/mysql/],
    ['selectFrom', /was an instance of Kysely, .*: give the pool that its dialect was given/],
    ['waitReady', /was a database of PGlite, .*: give it to postgresStore\(\)/, 'postgresStore'],
    ['unsafe', /was a client of postgres\.js, .*: give it to postgresStore\(\)/, 'postgresStore'],
    ['batch', /was a client of mariadb, or of @libsql\/client, .*: give that of mariadb to mysqlStore/, 'mysqlStore'],
  ]
  for (const [member, message, takesIt] of rows) {
    const client = { ...other, [member]: nothing }
    for (const [name, make] of Object.entries(makers)) {
      if (name === takesIt) assert.ok(make(client as never, { sweepEvery: false }), `${name} and ${member}`)
      else assert.throws(() => make(client as never, { sweepEvery: false }), { code: 'ERR_SESSION_OPTION', message })
    }
  }
})

test('an answer of another shape is an error that names it, and never data', async () => {
  const of = (rows: unknown) => async () => ({ rows, rowCount: 0 })
  const good = { name: 'a', data: '{}', lifetime: '{}', version: 0, retired_at: null }
  const call = { ctx: undefined, rolling: false, changed: true }
  const rows: ReadonlyArray<readonly [answer: () => Promise<unknown>, what: string]> = [
    [async () => [good], 'a list in place of an object with rows'],
    [async () => undefined, 'no object with rows'],
    [of({}), 'an object in place of a list of rows'],
    [of([['secret']]), 'rows that are arrays, not objects'],
    [of([undefined]), 'rows that are undefined, not objects'],
    [of([{ sessions: good }]), 'rows without the columns that were asked for'],
    [of([{ ...good, name: Buffer.from('secret') }]), 'bytes in place of a text'],
    [of([{ ...good, retired_at: undefined, retiredAt: null }]), 'rows whose columns have other names'],
  ]
  for (const [query, what] of rows) {
    const store = postgresStore({ query: query as PostgresClient['query'] }, { sweepEvery: false })
    const advice = 'give it a client of its own, with the settings that it has by default, see docs/clients.md'
    const message = `postgresStore: the client answered ${what}: ${advice}`
    await assert.rejects(async () => store.read('a', call), { code: 'ERR_SESSION_OPTION', message })
  }
  const uncounted = postgresStore({ query: async () => ({ rows: [] }) as never }, { sweepEvery: false })
  await assert.rejects(async () => uncounted.set('a', {}, 1, call), /answered undefined in place of the number of rows/)
  const callbacks = { exec() {}, prepare: () => ({ all: () => callbacks, run: () => callbacks }) }
  const sqlite = sqliteStore(callbacks as never, { sweepEvery: false })
  assert.throws(
    () => sqlite.read('a', call),
    /^SessionError: sqliteStore: the client answered an object in place of a list/,
  )
  assert.throws(() => sqlite.set('a', {}, 1, call), /answered undefined in place of the number of rows/)
  const promised = sqliteStore({ exec() {}, prepare: async () => ({}) } as never, { sweepEvery: false })
  assert.throws(() => promised.read('a', call), /answered no statement with all and run/)
  await assert.rejects(sqlite.setup(), /answered an object in place of a list/)
  await assert.rejects(promised.setup(), /answered no statement with all and run/)
})

test('the table is quoted, with its schema, wherever it is named', () => {
  for (const [, quote, make] of FACTORIES) {
    const { setupSql } = make({ table: 'app.Order', sweepEvery: false })
    assert.match(
      setupSql[0] ?? '',
      new RegExp(`^CREATE TABLE IF NOT EXISTS ${quote}app${quote}\\.${quote}Order${quote} \\(`),
    )
    for (const column of ['expires_at', 'subject']) {
      assert.equal(setupSql.filter(sql => sql.includes(`Order_${column}`)).length, 1)
    }
  }
})

test('indexes have names of their own, and no longer ones than PostgreSQL has', () => {
  for (const [, quote, make] of FACTORIES) {
    const tables = [`${'x'.repeat(62)}1`, `${'x'.repeat(62)}2`, 'y'.repeat(53), 'sessions']
    const sql = tables.flatMap(table => make({ table, sweepEvery: false }).setupSql).join('\n')
    const names = [...sql.matchAll(/(?:KEY|INDEX IF NOT EXISTS) (["`])(.*?)\1/g)].map(([, , name]) => name ?? '')
    assert.equal(new Set(names).size, 8, `${quote}`)
    assert.deepEqual(
      names.filter(name => name.length > 63),
      [],
    )
  }
})

test('the clients of the databases have the methods that the stores are typed by', async () => {
  const pool = new pg.Pool()
  const postgres: PostgresClient[] = [pool, new pg.Client()]
  const callbacks = mysqlCallbacks.createPool({})
  const pools: Array<MysqlClient | MysqlCallbackClient> = [mysql.createPool({}), callbacks]
  for (const client of postgres) assert.equal(typeof postgresStore(client, { sweepEvery: false }).read, 'function')
  for (const client of pools) assert.equal(typeof mysqlStore(client, { sweepEvery: false }).read, 'function')
  await pool.end()
})

test('a statement that the database undid in favour of another is tried again, up to ten times', async () => {
  const rows: ReadonlyArray<readonly [error: object | undefined, failures: number, tries: number]> = [
    [{ code: '40P01', errno: 1213 }, 3, 4],
    [{ code: '40001', errno: 1020 }, 9, 10],
    [{ code: '40001', errno: 1213 }, 99, 10],
    [{ code: '57P01', errno: 1053 }, 1, 1],
    [{ message: 'no' }, 1, 1],
    [undefined, 1, 1],
  ]
  const makers: ReadonlyArray<readonly [answer: unknown, make: (ask: () => Promise<never>) => SqlStore]> = [
    [{ rows: [], rowCount: 0 }, query => postgresStore({ query }, { sweepEvery: false })],
    [
      [[]],
      execute => {
        const asked = async (sql: string) => (sql.includes('@@autocommit') ? ([[{ version: 1 }]] as const) : execute())
        return mysqlStore({ execute: asked, query: execute }, { sweepEvery: false })
      },
    ],
  ]
  for (const [error, failures, expected] of rows) {
    for (const [answer, make] of makers) {
      let tries = 0
      const store = make(async () => {
        tries++
        if (tries <= failures) throw error && Object.assign(new Error('no'), error)
        return answer as never
      })
      const reading = Promise.resolve(store.read('a', { ctx: undefined, rolling: false }))
      if (failures >= expected) await assert.rejects(reading, error ?? (thrown => thrown === undefined))
      else assert.equal(await reading, undefined)
      assert.equal(tries, expected)
    }
  }
})
