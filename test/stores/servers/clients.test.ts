/** Clients whose methods are not those that a store calls, given as they are: each on the contract and the races. */
import assert from 'node:assert/strict'
import { after, before, describe } from 'node:test'
import { PGlite } from '@electric-sql/pglite'
import { mysqlStore } from 'koa-session/mysql'
import { type PostgresStoreOptions, postgresStore } from 'koa-session/postgres'
import { manualClock } from 'koa-session/testing'
import mariadb from 'mariadb'
import postgres from 'postgres'
import { versionOfPackage } from '../../servers/found.ts'
import { startMariadb } from '../../servers/mariadb.ts'
import { startPostgres } from '../../servers/postgres.ts'
import { row, suiteOn } from '../../servers/report.ts'
import type { Server } from '../../servers/server.ts'
import { useAll } from '../sql/suite.ts'
import { proveContract, UNORDERED } from '../support/contract.ts'
import { proveParallel } from '../support/parallel.ts'

const ofClient = (name: string) => `${name} ${versionOfPackage(name)}`
const QUIET = { sweepEvery: false } as const

suiteOn('postgres-npm', 'postgres.js', title => {
  const { test } = row({ store: 'postgres', client: ofClient('postgres'), server: title })
  const clock = manualClock()
  const clients: ReturnType<typeof postgres>[] = []
  let server: Server
  const open = (at = 0, options: PostgresStoreOptions = {}) =>
    postgresStore(clients[at] ?? assert.fail('there is no client'), { ...QUIET, ...options })
  before(async () => {
    server = await startPostgres({ source: 'npm' })
    for (const _ of [1, 2]) clients.push(postgres(server.url, { onnotice: () => {} }))
    await open().setup()
  })
  after(async () => {
    await Promise.all(clients.map(sql => sql.end()))
    await server.stop()
  })

  proveContract(test, { clock, open: () => open(0, { now: clock.now }), capabilities: UNORDERED })
  proveParallel(test, () => [open(0), open(1, { prepare: true })])

  test('it does not encode JSON twice, and setup() finds what it made', async () => {
    await useAll(open(0, { table: 'twice' }))
    await open(0, { table: 'twice' }).setup()
  })

  test('statements are kept on the server where that is asked for, and only there', async t => {
    const sql = postgres(server.url, { max: 1 })
    t.after(() => sql.end())
    for (const [prepare, count] of [
      [false, 0],
      [true, 1],
    ] as const) {
      const store = postgresStore(sql, { ...QUIET, prepare })
      await store.read('a', { ctx: undefined, rolling: false })
      const kept = await sql.unsafe("SELECT name FROM pg_prepared_statements WHERE statement LIKE '%retired_for%'")
      assert.equal(kept.length, count, `prepare: ${prepare}`)
    }
  })
})

describe('PGlite', () => {
  const { test } = row({ store: 'postgres', client: 'PGlite', server: ofClient('@electric-sql/pglite') })
  const clock = manualClock()
  let db: PGlite
  const open = (options: PostgresStoreOptions = {}) => postgresStore(db, { ...QUIET, ...options })
  before(async () => {
    db = new PGlite()
    await open().setup()
  })
  after(() => db.close())

  proveContract(test, { clock, open: () => open({ now: clock.now }), capabilities: UNORDERED })
  // It has one connection.
  proveParallel(test, () => [open(), open()])

  test('it does all that a store asks', () => useAll(open({ table: 'twice' })))
})

suiteOn('mariadb', 'the client of MariaDB', title => {
  const { test } = row({ store: 'mysql', client: ofClient('mariadb'), server: title })
  const clock = manualClock()
  const pools: ReturnType<typeof mariadb.createPool>[] = []
  let server: Server
  const open = (at = 0, now?: () => number) =>
    mysqlStore(pools[at] ?? assert.fail('there is no pool'), { ...QUIET, now })
  before(async () => {
    server = await startMariadb()
    for (const _ of [1, 2]) pools.push(mariadb.createPool(server.url.replace('mysql:', 'mariadb:')))
    await open().setup()
  })
  after(async () => {
    await Promise.all(pools.map(pool => pool.end()))
    await server.stop()
  })

  proveContract(test, { clock, open: () => open(0, clock.now), capabilities: UNORDERED })
  proveParallel(test, () => [open(0), open(1)])

  test('a connection alone does all that a store asks', async t => {
    const connection = await mariadb.createConnection(server.url.replace('mysql:', 'mariadb:'))
    t.after(() => connection.end())
    await useAll(mysqlStore(connection, { ...QUIET, table: 'one' }))
  })
})
