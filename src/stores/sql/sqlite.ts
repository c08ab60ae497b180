import { checkClient } from '../clients.ts'
import { answerError, countIn, rowsIn } from './answers.ts'
import { type Column, type Desk, FIRST } from './set-up.ts'
import type { SqlClient } from './sql-rows.ts'
import { indexName, type SqlStore, type SqlStoreOptions, sqlStore, whereOf } from './sql-store.ts'
import { type Dialect, onConflict, type SqlValue, type Statement, type Table, valuesFor } from './statements.ts'

export type { SqlStore, SqlStoreOptions } from './sql-store.ts'

/** The part of a database's client that the store calls: `node:sqlite`, `better-sqlite3`, `libsql` and `bun:sqlite` have it. */
export interface SqliteDatabase {
  exec(sql: string): unknown
  prepare(sql: string): SqliteStatement
}

/** It is given strings, numbers and null. They are `unknown`, as libsql has no null among its types before TypeScript 6. */
export interface SqliteStatement {
  run(...values: unknown[]): { readonly changes: number | bigint }
  all(...values: unknown[]): unknown[]
}

const MAKER = 'sqliteStore'

const sqlite: Dialect = {
  ...onConflict,
  quote: identifier => `"${identifier}"`,

  versions: [
    {
      columns: FIRST,
      upgrade: table => [
        `CREATE TABLE IF NOT EXISTS ${table.quoted} (
  name TEXT NOT NULL PRIMARY KEY,
  data TEXT NOT NULL,
  lifetime TEXT NOT NULL,
  version INTEGER NOT NULL,
  subject TEXT,
  created_at INTEGER NOT NULL,
  seen_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  retired_at INTEGER
)`,
        sqlite.index(table, 'expires_at'),
        sqlite.index(table, 'subject'),
      ],
    },
  ],
  types: { text: /char|text|clob/i, json: /char|text|clob|json/i, integer: /int/i },
  index(table, column) {
    const schema = table.schema === undefined ? '' : `${sqlite.quote(table.schema)}.`
    const name = `${schema}${sqlite.quote(indexName(table, column))}`
    return `CREATE INDEX IF NOT EXISTS ${name} ON ${sqlite.quote(table.name)} (${column})${whereOf(column)}`
  },

  changed: () => 'json_patch(data, :change)',
  isReadable: 'json_valid(data)',
  isEmpty: `data = '{}'`,
  returning: `RETURNING version, data = '{}' AS is_empty`,
  nextVersion: 'version + 1',
  nextSeen: ':now',
  // Of the machine that the process runs on, unless it is told another time. 2440587.5 is the beginning of 1970.
  clock: `CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)`,
  sweep: (table, limit, instant) => `DELETE FROM ${table} WHERE name IN
    (SELECT name FROM ${table} WHERE expires_at <= ${instant} LIMIT ${limit})`,
  // The event loop waits for each: every row is on pages of its own, in the table and in three indexes.
  batch: 50,
}

/**
 * Sessions in an SQLite database, SQLite 3.38 or later: `DatabaseSync` of `node:sqlite` (Node 22 or later),
 * `better-sqlite3` (the same), `libsql`, or `bun:sqlite`. `await store.setup()` makes the table. It answers at once; as every client of
 * SQLite does that, a statement keeps the event loop waiting.
 *
 * Give it a connection of its own: a transaction that is open on it would take the store's statements in, and roll them
 * back. Where several processes use the file, each connection needs `PRAGMA busy_timeout = 500` (5000 until `setup()` is done,
 * where they start together), and then had better be in WAL mode (`PRAGMA journal_mode = WAL`). A database that is locked for longer is a store that is unavailable.
 *
 * While a statement waits for a lock, the event loop stands still, and `storeTimeout` can't end it. With the 5,000 ms that
 * better-sqlite3 has by default (its option `timeout`), a request to a locked database was seen to hold all others for 10 s;
 * with 500 ms for 1.1 s. Of four processes that wrote as fast as they could, none waited for more than 264 ms. The other
 * clients wait for nobody by default.
 *
 * `hashIds: false`: an id takes at most 1,024 characters, of which all but printable ASCII take five each.
 * Throws `ERR_SESSION_OPTION`.
 */
export function sqliteStore(db: SqliteDatabase, options: SqlStoreOptions = {}): SqlStore {
  const isDatabase = typeof db?.prepare === 'function' && typeof db.exec === 'function'
  checkClient(MAKER, 'db', db, isDatabase, 'a database of node:sqlite, better-sqlite3, libsql or bun:sqlite')
  const client = clientOf(db)
  const desk: Desk = {
    look: table => client.rows({ text: lookAt(table), order: [] }, {}) as Column[],
    run(statements) {
      for (const statement of statements) db.exec(statement)
    },
  }
  return { ...sqlStore(MAKER, { dialect: sqlite, client, desk }, options), answersAtOnce: true }
}

/** A name has nothing in it that would have to be escaped. */
function lookAt({ name, schema }: Table): string {
  const place = schema === undefined ? '' : `, '${schema}'`
  return `SELECT name, type, pk > 0 AS is_key, EXISTS (
    SELECT 1 FROM pragma_index_list('${name}'${place}) AS one, pragma_index_info(one.name${place}) AS part
    WHERE part.seqno = 0 AND part.name = info.name) AS is_indexed FROM pragma_table_info('${name}'${place}) AS info`
}

/** Statements are prepared when they are first used, by when there is a table. */
function clientOf(db: SqliteDatabase): SqlClient {
  const prepared = new Map<Statement, SqliteStatement>()

  function prepare(statement: Statement): SqliteStatement {
    const known = prepared.get(statement)
    if (known) return known
    const made = db.prepare(statement.text)
    const { all, run } = Object(made) as Partial<SqliteStatement>
    if (typeof all !== 'function' || typeof run !== 'function')
      throw answerError(MAKER, 'no statement with all and run')
    prepared.set(statement, made)
    return made
  }

  /** Runs a write again that found the database locked, with values that change nothing. */
  let settle: (() => unknown) | undefined

  /**
   * libsql leaves a write that was refused under way until it is run again, and commits none of those that follow: so it is
   * run again before the next one.
   */
  function run<T>(statement: Statement, act: (prepared: SqliteStatement, values: SqlValue[]) => T, values: Values): T {
    const isWrite = !statement.text.startsWith('SELECT')
    if (isWrite) settle?.()
    try {
      return act(prepare(statement), valuesFor(statement, values))
    } catch (error) {
      if (isWrite && isLocked(error)) settle = () => settled(() => act(prepare(statement), valuesFor(statement, {})))
      throw error
    }
  }

  function settled(again: () => unknown): void {
    try {
      again()
    } catch (error) {
      if (isLocked(error)) throw error
    }
    settle = undefined
  }

  return {
    // All of them, as a statement that is left before its end is not over.
    rows: (statement, values) =>
      rowsIn(
        MAKER,
        run(statement, (made, given) => made.all(...given), values),
      ),
    count: (statement, values) => countIn(MAKER, run(statement, (made, given) => made.run(...given), values)?.changes),
  }
}

type Values = Parameters<typeof valuesFor>[1]

const isLocked = (error: unknown) => error instanceof Error && error.message.includes('locked')
