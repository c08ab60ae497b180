/** Libraries that have a pool of their own, each by the way to its connections that docs/clients.md names. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { after, before, describe } from 'node:test'
import { fileURLToPath } from 'node:url'
import { fromConnections as fromMysql, mysqlStore } from 'koa-session/mysql'
import { fromConnections as fromPostgres, postgresStore } from 'koa-session/postgres'
import type { SqlStore, SqlStoreOptions } from 'koa-session/sqlite'
import { manualClock } from 'koa-session/testing'
import { startMariadb } from '../../servers/mariadb.ts'
import { startPostgres } from '../../servers/postgres.ts'
import { missingRow, row, suiteOn } from '../../servers/report.ts'
import type { Server } from '../../servers/server.ts'
import { proveContract, UNORDERED } from '../support/contract.ts'
import { proveParallel } from '../support/parallel.ts'

const FOLDER = fileURLToPath(new URL('../../clients/', import.meta.url))
const MISSING = 'it is not installed: node test/clients/install.mjs'
const require = createRequire(FOLDER)
const isInstalled = (name: string) => existsSync(join(FOLDER, 'node_modules', name))

/** So few that one that is not given back is missed. */
const MAX = 5

/** What `pool` is in the section of the page that begins with this comment. */
function poolOf(comment: string, variables: Readonly<Record<string, unknown>>): unknown {
  const page = readFileSync(new URL('../../../docs/clients.md', import.meta.url), 'utf8')
  const [, block = ''] = /## Libraries[\s\S]*?```js\n([^`]*)```/.exec(page) ?? []
  const section = block.split(/^(?=\/\/ )/m).find(part => part.startsWith(`// ${comment}`))
  assert.ok(section, `the page has nothing for ${comment}`)
  return new Function(...Object.keys(variables), `${section}\nreturn pool`)(...Object.values(variables))
}

interface Opened {
  readonly pool: unknown
  /** What the library itself answers to a query. */
  ask(): Promise<unknown>
  close(): unknown
}

interface Library {
  readonly name: string
  readonly with: string
  /** Whether it lends connections. Otherwise its pool is one of `pg` or `mysql2`, which have run the races as such. */
  readonly lends?: boolean
  open(url: string): Promise<Opened> | Opened
}

function poolOfPg(connectionString: string) {
  const { Pool } = require('pg')
  return new Pool({ connectionString, max: MAX })
}

function poolOfMysql(uri: string) {
  return require('mysql2').createPool({ uri, connectionLimit: MAX })
}

function knex(client: string, fromConnections: unknown): Library {
  return {
    ...{ name: 'knex', with: client, lends: true },
    open(connection) {
      const knex = require('knex')({ client, connection, pool: { min: 0, max: MAX } })
      return {
        pool: poolOf('Knex', { knex, fromConnections }),
        ask: () => knex.select(knex.raw('1 AS n')),
        close: () => knex.destroy(),
      }
    },
  }
}

function sequelize(client: string, fromConnections: unknown): Library {
  return {
    ...{ name: 'sequelize', with: client, lends: true },
    open(url) {
      const { Sequelize } = require('sequelize')
      const sequelize = new Sequelize(url, { logging: false, pool: { max: MAX } })
      return {
        pool: poolOf('Sequelize', { sequelize, fromConnections }),
        ask: () => sequelize.query('SELECT 1 AS n'),
        close: () => sequelize.close(),
      }
    },
  }
}

function typeorm(client: string, type: 'postgres' | 'mysql'): Library {
  return {
    ...{ name: 'typeorm', with: client },
    async open(url) {
      const { DataSource } = require('typeorm')
      const extra = type === 'postgres' ? { max: MAX } : { connectionLimit: MAX }
      const dataSource = await new DataSource({ type, url, extra }).initialize()
      return {
        pool: poolOf(`TypeORM with ${type}`, { dataSource }),
        ask: () => dataSource.query('SELECT 1 AS n'),
        close: () => dataSource.destroy(),
      }
    },
  }
}

const POSTGRES: readonly Library[] = [
  {
    ...{ name: 'drizzle-orm', with: 'pg' },
    open(url) {
      const pool = poolOfPg(url)
      const db = require('drizzle-orm/node-postgres').drizzle(pool)
      return { pool: poolOf('drizzle', { db }), ask: () => db.execute('SELECT 1 AS n'), close: () => pool.end() }
    },
  },
  {
    ...{ name: 'kysely', with: 'pg' },
    open(url) {
      const { Kysely, PostgresDialect, sql } = require('kysely')
      const pool = poolOfPg(url)
      const db = new Kysely({ dialect: new PostgresDialect({ pool }) })
      return { pool, ask: () => sql`SELECT 1 AS n`.execute(db), close: () => db.destroy() }
    },
  },
  {
    ...{ name: '@prisma/adapter-pg', with: 'pg' },
    async open(url) {
      const { PrismaPg } = require('@prisma/adapter-pg')
      const pool = poolOfPg(url)
      const adapter = await new PrismaPg(pool).connect()
      const ask = () => adapter.queryRaw({ sql: 'SELECT 1 AS n', args: [], argTypes: [] })
      return { pool, ask, close: () => pool.end() }
    },
  },
  knex('pg', fromPostgres),
  sequelize('pg', fromPostgres),
  typeorm('pg', 'postgres'),
]

const MYSQL: readonly Library[] = [
  {
    ...{ name: 'drizzle-orm', with: 'mysql2' },
    open(url) {
      const pool = poolOfMysql(url)
      const db = require('drizzle-orm/mysql2').drizzle(pool)
      return {
        pool: poolOf('drizzle', { db }),
        ask: () => db.execute('SELECT 1 AS n'),
        close: () => pool.promise().end(),
      }
    },
  },
  {
    ...{ name: 'kysely', with: 'mysql2' },
    open(url) {
      const { Kysely, MysqlDialect, sql } = require('kysely')
      const pool = poolOfMysql(url)
      const db = new Kysely({ dialect: new MysqlDialect({ pool }) })
      return { pool, ask: () => sql`SELECT 1 AS n`.execute(db), close: () => db.destroy() }
    },
  },
  knex('mysql2', fromMysql),
  sequelize('mysql2', fromMysql),
  typeorm('mysql2', 'mysql'),
]

suiteOn('postgres-npm', 'libraries on PostgreSQL', title => {
  prove(
    title,
    'postgres',
    POSTGRES,
    () => startPostgres({ source: 'npm' }),
    (pool, options) => postgresStore(pool as never, options),
  )
})
suiteOn('mariadb', 'libraries on MariaDB', title => {
  prove(title, 'mysql', MYSQL, startMariadb, (pool, options) => mysqlStore(pool as never, options))
})

function prove(
  server: string,
  store: string,
  libraries: readonly Library[],
  start: () => Promise<Server>,
  storeOn: (pool: unknown, options: SqlStoreOptions) => SqlStore,
): void {
  let running: Server
  before(async () => {
    running = await start()
  })
  after(() => running.stop())

  for (const library of libraries) {
    const what = { store, client: clientOf(library), server }
    if (!isInstalled(library.name)) {
      missingRow({ ...what, client: library.name }, MISSING)
      continue
    }
    describe(what.client, () => {
      const { test } = row(what)
      const clock = manualClock()
      const opened: Opened[] = []
      const table = `of_${library.name.replace(/\W/g, '_')}`
      const open = (at = 0, more: SqlStoreOptions = {}) =>
        storeOn(opened[at]?.pool, { table, sweepEvery: false, ...more })
      before(async () => {
        for (const _ of [1, 2]) opened.push(await library.open(running.url))
        await open().setup()
      })
      after(() => Promise.all(opened.map(({ close }) => close())))

      proveContract(test, { clock, open: () => open(0, { now: clock.now }), capabilities: UNORDERED })
      if (library.lends) proveParallel(test, () => [open(0), open(1)])

      test('a statement that fails takes no connection away, neither from the store nor from the library', async () => {
        const broken = open(0, { table: 'missing' })
        const call = { ctx: undefined, rolling: false, changed: true }
        for (let n = 0; n <= MAX; n++) await assert.rejects(async () => broken.read('a', call))
        assert.equal(await open().read('a', call), undefined)
        assert.ok(await opened[0]?.ask())
      })
    })
  }
}

function clientOf({ name, with: client }: Library): string {
  const version = (name: string) => {
    const file = join(FOLDER, 'node_modules', name, 'package.json')
    return existsSync(file) ? `${name} ${JSON.parse(readFileSync(file, 'utf8')).version}` : name
  }
  return `${version(name)}, ${version(client)}`
}
