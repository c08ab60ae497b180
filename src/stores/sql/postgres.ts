import { checkOption } from '../after.ts'
import type { SqlRow } from './columns.ts'
import { retried } from './retried.ts'
import { indexName, type SqlStore, type SqlStoreOptions, sqlStore } from './sql-store.ts'
import { type Dialect, onConflict, type SqlValue, valuesFor } from './statements.ts'

export type { SqlStore, SqlStoreOptions } from './sql-store.ts'

/** The part of a client that the store calls: a `Pool` or a `Client` of `pg` has it. */
export interface PostgresClient {
  query(
    text: string,
    values?: SqlValue[],
  ): PromiseLike<{ readonly rows: readonly object[]; readonly rowCount: number | null }>
}

/** Of the advisory lock under which tables are made: any number that nobody else takes. */
const SETUP_LOCK = 7_268_305_162
/** A deadlock, and a serialization failure where that is the isolation level: the server took nothing of it over. */
const TRANSIENT = ['40P01', '40001']

const postgres: Dialect = {
  ...onConflict,
  quote: identifier => `"${identifier}"`,
  parameter: position => `$${position}`,

  setup(table) {
    const index = (column: string) =>
      `CREATE INDEX IF NOT EXISTS ${postgres.quote(indexName(table, column))} ON ${table.quoted} (${column})`
    return [
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
      index('expires_at'),
      `${index('subject')} WHERE subject IS NOT NULL`,
    ]
  },

  // Its values are texts, so that no other null is dropped.
  changed: 'jsonb_strip_nulls(data || CAST(:change AS jsonb))',
  isReadable: `jsonb_typeof(data) = 'object'`,
  isEmpty: `data = '{}'`,
  returning: `RETURNING version, data = '{}' AS is_empty`,
  nextVersion: 'version + 1',
  nextSeen: ':now',
  // What another sweep is deleting, or a request is taking over, is not waited for.
  sweep: (table, limit) => `DELETE FROM ${table} WHERE name = ANY (ARRAY(
    SELECT name FROM ${table} WHERE expires_at <= :now LIMIT ${limit} FOR UPDATE SKIP LOCKED)) AND expires_at <= :now`,
}

/**
 * Sessions in PostgreSQL, 12 or later, by a `Pool` or a `Client` of `pg`. `await store.setup()` makes the table.
 *
 * The order of a session's top-level keys is that of `jsonb`: the shorter ones first. Statements have no names, so that
 * a pooler such as PgBouncer may be in between. The server's time does not matter: instants are those of `now`.
 *
 * `hashIds: false`: an id takes at most 1,024 characters, of which all but printable ASCII take five each.
 * Throws `ERR_SESSION_OPTION`.
 */
export function postgresStore(pool: PostgresClient, options: SqlStoreOptions = {}): SqlStore {
  checkOption('postgresStore', 'pool', pool, typeof pool?.query === 'function', 'a Pool or a Client of pg')
  const isTransient = (error: unknown) => TRANSIENT.includes((error as { code?: string }).code ?? '')
  const query = (text: string, values: SqlValue[]) => retried(async () => await pool.query(text, values), isTransient)

  return sqlStore(
    'postgresStore',
    {
      dialect: postgres,
      client: {
        rows: async (statement, values) =>
          (await query(statement.text, valuesFor(statement, values))).rows as readonly SqlRow[],
        count: async (statement, values) => (await query(statement.text, valuesFor(statement, values))).rowCount ?? 0,
      },
      // In one message, which is one transaction: two that create the same table at once would fail otherwise.
      run: statements => pool.query([`SELECT pg_advisory_xact_lock(${SETUP_LOCK})`, ...statements].join(';\n')),
    },
    options,
  )
}
