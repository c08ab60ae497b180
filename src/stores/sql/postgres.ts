import { digest } from '../../codec/digest.ts'
import { checkOption } from '../after.ts'
import { checkClient } from '../clients.ts'
import { answerError, countIn, rowsIn } from './answers.ts'
import { clientIn, type PgliteClient, type PostgresClient, type PostgresJsClient } from './postgres-clients.ts'
import { retried } from './retried.ts'
import { type Column, type Desk, FIRST } from './set-up.ts'
import type { SqlClient } from './sql-rows.ts'
import { indexName, type SqlStore, type SqlStoreOptions, sqlStore, whereOf } from './sql-store.ts'
import { type Dialect, onConflict, type Statement, valuesFor } from './statements.ts'

export { fromConnections } from './postgres-clients.ts'
export type { SqlStore, SqlStoreOptions } from './sql-store.ts'
export type { PgliteClient, PostgresClient, PostgresJsClient }

/** The options of `postgresStore()`. */
export interface PostgresStoreOptions extends SqlStoreOptions {
  /**
   * Whether the server keeps the plan of each statement, under a name, for each connection. Statements take about a
   * quarter less time. Not behind a pooler that gives every transaction another connection, unless it knows of such
   * statements (PgBouncer does from 1.21 on). Default `false`.
   */
  readonly prepare?: boolean | undefined
}

const MAKER = 'postgresStore'
/** Of the advisory lock under which tables are made: any number that nobody else takes. */
const SETUP_LOCK = 7_268_305_162
/** A deadlock, and a serialization failure where that is the isolation level: the server took nothing of it over. */
const TRANSIENT: readonly unknown[] = ['40P01', '40001']

/** The columns of the table that a statement would find under that name. */
const LOOK = `SELECT CAST(attname AS text) AS name, format_type(atttypid, NULL) AS type,
  EXISTS (SELECT FROM pg_index WHERE indrelid = attrelid AND indkey[0] = attnum AND indisvalid) AS is_indexed,
  EXISTS (SELECT FROM pg_index WHERE indrelid = attrelid AND indkey[0] = attnum AND indisvalid
    AND indisunique AND indnkeyatts = 1 AND indpred IS NULL) AS is_key
  FROM pg_attribute WHERE attrelid = to_regclass(CAST($1 AS text)) AND attnum > 0 AND NOT attisdropped`

const postgres: Dialect = {
  ...onConflict,
  quote: identifier => `"${identifier}"`,
  parameter: position => `$${position}`,

  versions: [
    {
      columns: FIRST,
      upgrade: table => [
        `CREATE TABLE IF NOT EXISTS ${table.quoted} (
  name text NOT NULL PRIMARY KEY,
  data jsonb NOT NULL,
  lifetime text NOT NULL,
  version bigint NOT NULL,
  subject text,
  created_at bigint NOT NULL,
  seen_at bigint NOT NULL,
  expires_at bigint NOT NULL,
  retired_at bigint
)`,
        postgres.index(table, 'expires_at'),
        postgres.index(table, 'subject'),
      ],
    },
  ],
  types: { text: /^(text|character)/, json: /^jsonb$/, integer: /^bigint$/ },
  index: (table, column) =>
    `CREATE INDEX IF NOT EXISTS ${postgres.quote(indexName(table, column))} ON ${table.quoted} (${column})${whereOf(column)}`,

  // A database orders texts by the rules of its language.
  nameInBytes: 'name COLLATE "C"',

  // As text first: some clients make JSON of what is said to be jsonb, and the text would be JSON in JSON.
  inserted: 'CAST(CAST(:data AS text) AS jsonb)',
  // Its values are texts, so that no other null is dropped.
  changed: () => 'jsonb_strip_nulls(data || CAST(CAST(:change AS text) AS jsonb))',
  isReadable: `jsonb_typeof(data) = 'object'`,
  isEmpty: `data = '{}'`,
  returning: `RETURNING version, data = '{}' AS is_empty`,
  nextVersion: 'version + 1',
  clock: 'CAST(FLOOR(EXTRACT(EPOCH FROM statement_timestamp()) * 1000) AS bigint)',
  nextSeen: ':now',
  // What another sweep is deleting, or a request is taking over, is not waited for. In order, so that the index is used
  // even where most have expired: each batch would pass by all that those before it deleted.
  sweep: (table, limit, instant) => `DELETE FROM ${table} WHERE name = ANY (ARRAY(SELECT name FROM ${table}
    WHERE expires_at <= ${instant} ORDER BY expires_at LIMIT ${limit} FOR UPDATE SKIP LOCKED))
    AND expires_at <= ${instant}`,
  batch: 500,
}

/**
 * Sessions in PostgreSQL, 12 or later, by a `Pool` or a `Client` of `pg`, by `postgres` (postgres.js), or in PGlite.
 * `await store.setup()` makes the table.
 *
 * The order of a session's top-level keys is that of `jsonb`: the shorter ones first. The server's time does not matter:
 * instants are those of `now`, but for a sweep, and for how long ago an id was retired, where the option `now` is not given.
 * A deadlock, or a serialization failure where the database's transactions are set to a stricter isolation, is tried again,
 * up to ten times.
 *
 * `hashIds: false`: an id takes at most 1,024 characters, of which all but printable ASCII take five each.
 * Throws `ERR_SESSION_OPTION`.
 */
export function postgresStore(
  client: PostgresClient | PostgresJsClient | PgliteClient,
  options: PostgresStoreOptions = {},
): SqlStore {
  const { prepare = false } = Object(options) as PostgresStoreOptions
  const pool = clientIn(client)
  const expected = 'a Pool or a Client of pg, postgres.js or PGlite'
  checkClient(MAKER, 'pool', pool, typeof pool?.query === 'function', expected)
  checkOption(MAKER, 'prepare', prepare, typeof prepare === 'boolean', 'true or false')
  const desk: Desk = {
    look: async ({ quoted }) =>
      rowsIn(MAKER, answerIn(await pool.query({ text: LOOK, values: [quoted] })).rows) as Column[],
    // In one message, which is one transaction: two that create the same table at once would fail otherwise.
    run: statements => pool.query({ text: [`SELECT pg_advisory_xact_lock(${SETUP_LOCK})`, ...statements].join(';\n') }),
  }
  return sqlStore(MAKER, { dialect: postgres, client: clientOf(pool, prepare), desk }, options, ['prepare'])
}

function clientOf(pool: PostgresClient, prepare: boolean): SqlClient {
  const isTransient = (error: unknown) => TRANSIENT.includes(Object(error).code)
  const names = new Map<Statement, string>()

  /** The server cuts off a longer name. */
  function nameOf(statement: Statement): string {
    const known = names.get(statement)
    if (known !== undefined) return known
    const name = digest(statement.text)
    names.set(statement, name)
    return name
  }

  function query(statement: Statement, values: Parameters<typeof valuesFor>[1]) {
    const plain = { text: statement.text, values: valuesFor(statement, values) }
    const asked = prepare ? { ...plain, name: nameOf(statement) } : plain
    return retried(async () => await pool.query(asked), isTransient)
  }

  return {
    rows: async (statement, values) => rowsIn(MAKER, answerIn(await query(statement, values)).rows),
    count: async (statement, values) => countIn(MAKER, answerIn(await query(statement, values)).rowCount),
  }
}

function answerIn(answer: unknown): { readonly rows?: unknown; readonly rowCount?: unknown } {
  if (typeof answer === 'object' && answer !== null && 'rows' in answer) return answer
  throw answerError(MAKER, Array.isArray(answer) ? 'a list in place of an object with rows' : 'no object with rows')
}
