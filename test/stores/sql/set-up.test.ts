/** What a set-up makes of the table that it finds: on SQLite, and the decision by itself. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { postgresStore } from 'koa-session/postgres'
import { sqliteStore } from 'koa-session/sqlite'
import Database from 'libsql'
import { type Column, FIRST, missingIn, upgradesFrom } from '../../../src/stores/sql/set-up.ts'
import type { Dialect, Table } from '../../../src/stores/sql/statements.ts'

const TABLE: Table = { quoted: '"sessions"', schema: undefined, name: 'sessions' }
const OF_KIND = { text: 'text', json: 'jsonb', integer: 'bigint' }

/** A dialect of two versions, of which only the parts for a set-up are there. */
const DIALECT = {
  versions: [
    { columns: FIRST, upgrade: () => ['CREATE TABLE', 'CREATE INDEX expires_at', 'CREATE INDEX subject'] },
    { columns: { device: 'text' }, upgrade: () => ['ADD COLUMN device'] },
    { columns: { place: 'text' }, upgrade: () => ['ADD COLUMN place', 'CREATE INDEX place'] },
  ],
  types: { text: /^text$/, json: /^jsonb$/, integer: /^bigint$/ },
  index: (_: Table, column: string) => `CREATE INDEX ${column}`,
} as Partial<Dialect> as Dialect

function columnsOf(...versions: number[]): Column[] {
  const columns = versions.flatMap(version => Object.entries(DIALECT.versions[version - 1]?.columns ?? {}))
  return columns.map(([name, kind]) => {
    const is_indexed = ['name', 'expires_at', 'subject'].includes(name)
    return { name, type: OF_KIND[kind], is_key: name === 'name', is_indexed }
  })
}

test('a table is brought from the version that it has to the newest one, step by step', () => {
  const rows: ReadonlyArray<readonly [claim: string, columns: Column[], statements: readonly string[]]> = [
    ['of the first version', columnsOf(1), ['ADD COLUMN device', 'ADD COLUMN place', 'CREATE INDEX place']],
    ['of the second', columnsOf(1, 2), ['ADD COLUMN place', 'CREATE INDEX place']],
    ['of the newest', columnsOf(1, 2, 3), []],
    [
      'with a column of your own',
      [...columnsOf(1, 2, 3), { name: 'note', type: 'xml', is_key: false, is_indexed: true }],
      [],
    ],
    [
      'without an index',
      columnsOf(1, 2, 3).map(column => ({ ...column, is_indexed: column.name === 'subject' })),
      ['CREATE INDEX expires_at'],
    ],
  ]
  for (const [claim, columns, statements] of rows) {
    assert.deepEqual(missingIn('aStore', columns, DIALECT, TABLE), statements, claim)
  }
  const longer = { columns: { subject: 'text' }, types: { text: /^long$/ }, upgrade: () => ['MODIFY subject'] } as const
  const types = { ...DIALECT.types, text: /^(text|long)$/ }
  const dialect = { ...DIALECT, types, versions: [...DIALECT.versions.slice(0, 1), longer] }
  assert.deepEqual(missingIn('aStore', columnsOf(1), dialect, TABLE), ['MODIFY subject'], 'of another type')
  const ready = columnsOf(1).map(column => (column.name === 'subject' ? { ...column, type: 'long' } : column))
  assert.deepEqual(missingIn('aStore', ready, dialect, TABLE), [])
  assert.equal(upgradesFrom(0, DIALECT, TABLE).length, 6)
  assert.deepEqual(upgradesFrom(2, DIALECT, TABLE), ['ADD COLUMN place', 'CREATE INDEX place'])
  assert.deepEqual(upgradesFrom(3, DIALECT, TABLE), [])
})

test('a table of somebody else is refused, with what is wrong with it', () => {
  const change = (name: string, more: Partial<Column>) =>
    columnsOf(1).map(column => (column.name === name ? { ...column, ...more } : column))
  const rows: ReadonlyArray<readonly [columns: Column[], what: string]> = [
    [columnsOf(1).filter(({ name }) => name !== 'lifetime'), 'lifetime is missing'],
    [change('data', { type: 'text' }), 'data is of type text'],
    [change('expires_at', { type: 'timestamp' }), 'expires_at is of type timestamp'],
    [change('name', { is_key: false }), 'name is no key'],
    [change('subject', { is_key: 1 }), 'subject is a key'],
  ]
  for (const [columns, what] of rows) {
    const advice = 'choose another name by the option table, or compare it with store.setupSql'
    const message = `aStore: the table sessions is there, and is not one of koa-session (${what}): ${advice}`
    assert.throws(() => missingIn('aStore', columns, DIALECT, TABLE), { code: 'ERR_SESSION_OPTION', message })
  }
})

test('a set-up where all is there asks a server once', async () => {
  const asked: unknown[] = []
  const query = async (one: unknown) => ({ rows: columnsOf(1), rowCount: asked.push(one) })
  await postgresStore({ query }, { sweepEvery: false }).setup()
  assert.equal(asked.length, 1)
})

test('a set-up where all is there only looks, and makes what is missing', async () => {
  const db = new Database(':memory:')
  const ran: string[] = []
  const told = {
    exec(sql: string) {
      ran.push(sql)
      return db.exec(sql)
    },
    prepare: (sql: string) => db.prepare(sql),
  }
  const store = sqliteStore(told, { sweepEvery: false })
  assert.equal(store.schemaVersion, 1)
  assert.deepEqual(store.upgradeSql(0), store.setupSql)
  assert.deepEqual(store.upgradeSql(1), [])
  for (const from of [-1, 2, 0.5, Number.NaN, '1']) {
    assert.throws(() => store.upgradeSql(from as number), { code: 'ERR_SESSION_OPTION' }, `${from}`)
  }
  await store.setup()
  assert.deepEqual(ran.splice(0), store.setupSql)
  await store.setup()
  assert.deepEqual(ran, [])
  db.exec('DROP INDEX sessions_subject')
  await store.setup()
  assert.deepEqual(ran.splice(0), store.setupSql.slice(2))
  db.exec('DROP TABLE sessions; CREATE TABLE sessions (sid TEXT PRIMARY KEY, sess TEXT, expired INTEGER)')
  const message = /^sqliteStore: the table sessions is there, and is not one of koa-session \(name is missing, data is/
  await assert.rejects(store.setup(), { code: 'ERR_SESSION_OPTION', message })
  assert.deepEqual(ran, [])
  db.exec("ATTACH ':memory:' AS app")
  const other = sqliteStore(told, { table: 'app.Sessions', sweepEvery: false })
  await other.setup()
  ran.length = 0
  await other.setup()
  assert.deepEqual(ran, [])
  db.close()
})
