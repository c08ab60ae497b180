import { checkOption } from '../after.ts'
import type { SqlRow } from './columns.ts'
import { retried } from './retried.ts'
import type { SqlClient } from './sql-rows.ts'
import { indexName, type SqlStore, type SqlStoreOptions, sqlStore } from './sql-store.ts'
import { type Columns, type Dialect, type SqlValue, valuesFor } from './statements.ts'

export type { SqlStore, SqlStoreOptions } from './sql-store.ts'

/** The part of a client that the store calls: a pool or a connection of `mysql2/promise` has it. */
export interface MysqlClient {
  execute(sql: string, values: SqlValue[]): PromiseLike<readonly [result: unknown, ...rest: unknown[]]>
  query(sql: string): PromiseLike<unknown>
}

/** A pool or a connection of `mysql2`, which takes callbacks. */
export interface MysqlCallbackClient {
  promise(): MysqlClient
}

interface Header {
  readonly affectedRows: number
  readonly insertId: number | string
}

const DUPLICATE = 1062
/** A deadlock, and MariaDB's "record has changed": the server took nothing of it over. */
const TRANSIENT = [1213, 1020]

const isFree = 'expires_at <= :now'
const isTombstone = 'retired_at IS NOT NULL AND expires_at > :now'
const unlessTombstone = (column: string) => `${column} = IF(${isTombstone}, ${column}, given_${column})`
const whereFree = (column: string, otherwise: string) => `${column} = IF(${isFree}, given_${column}, ${otherwise})`

/**
 * What is inserted, under names of its own: those that MySQL and MariaDB have for it are not the same, and the same value
 * twice would need twice the packet. MySQL would cut a plain parameter off after 65,535 bytes here.
 */
function given({ names, values }: Columns): string {
  const all = values.split(', ').map(value => (value === ':data' ? "JSON_MERGE_PATCH('{}', :data)" : value))
  return names
    .split(', ')
    .map((name, at) => `${all[at]} AS given_${name}`)
    .join(', ')
}

const SUBJECT = 'subject VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin'

const mysql: Dialect = {
  quote: identifier => `\`${identifier}\``,

  setup: table => [
    `CREATE TABLE IF NOT EXISTS ${table.quoted} (
  name VARCHAR(1024) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
  data JSON NOT NULL,
  lifetime TEXT CHARACTER SET utf8mb4 NOT NULL,
  version BIGINT NOT NULL,
  ${SUBJECT},
  created_at BIGINT NOT NULL,
  seen_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  retired_at BIGINT,
  KEY ${mysql.quote(indexName(table, 'expires_at'))} (expires_at),
  KEY ${mysql.quote(indexName(table, 'subject'))} (subject)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC`,
    // An older version made it for 43. To a column that is as long already this does nothing.
    `ALTER TABLE ${table.quoted} MODIFY ${SUBJECT}`,
  ],

  create: (table, { names, values }) => `INSERT INTO ${table} (${names}) VALUES (${values})`,
  makeRoom: table => `DELETE FROM ${table} WHERE name = :name AND ${isFree}`,

  // Assigned from left to right, so that what the conditions ask for comes last.
  replace: (
    table,
    columns,
  ) => `INSERT INTO ${table} (${columns.names}) SELECT * FROM (SELECT ${given(columns)}) AS given
    ON DUPLICATE KEY UPDATE ${unlessTombstone('data')}, ${unlessTombstone('lifetime')}, ${unlessTombstone('seen_at')},
    ${whereFree('version', `IF(${isTombstone}, version, version + 1)`)}, ${whereFree('subject', 'subject')},
    ${whereFree('created_at', 'created_at')}, ${unlessTombstone('retired_at')}, ${unlessTombstone('expires_at')}`,

  changed: 'JSON_MERGE_PATCH(data, :change)',
  isReadable: 'JSON_VALID(data)',
  isEmpty: 'JSON_LENGTH(data) = 0',
  returning: '',
  // The server says it with the result; and, whatever the connection counts as affected, that there was a row.
  nextVersion: 'LAST_INSERT_ID(version + 1)',
  nextSeen: 'LAST_INSERT_ID(:now)',
  // Whatever the time zone of the connection: of a local time there may be two.
  clock: '1000 * UNIX_TIMESTAMP()',
  sweep: (table, limit, instant) =>
    `DELETE FROM ${table} WHERE expires_at <= ${instant} ORDER BY expires_at LIMIT ${limit}`,
  batch: 500,
}

/**
 * Sessions in MariaDB, 10.5 or later, or MySQL, 8.0 or later, by a pool or a connection of `mysql2` or `mysql2/promise`.
 * `await store.setup()` makes the table. Its tests run against MariaDB 10.11 and MySQL 9.7.
 *
 * The connection's character set has to be `utf8mb4`, as it is by default. What is sent at once is bounded by the server's
 * `max_allowed_packet` (16 MB in MariaDB, 64 MB in MySQL by default), in which a value takes the room of its JSON as a
 * string in JSON; to what exceeds it the store is unavailable, and the server ends the connection. MySQL, not MariaDB,
 * keeps a session's top-level keys in an order of its own: the shorter ones first. The server's time does not matter:
 * instants are those of `now`. A deadlock is tried again, up to ten times.
 *
 * `hashIds: false`: an id takes at most 1,024 characters, of which all but printable ASCII take five each.
 * Throws `ERR_SESSION_OPTION`.
 */
export function mysqlStore(pool: MysqlClient | MysqlCallbackClient, options: SqlStoreOptions = {}): SqlStore {
  const client = promising(pool)
  const run = async (statements: readonly string[]) => {
    for (const statement of statements) await client.query(statement)
  }
  return sqlStore('mysqlStore', { dialect: mysql, client: clientOf(client), run }, options)
}

/** Of `mysql2`, both kinds have `execute`. */
function promising(pool: MysqlClient | MysqlCallbackClient): MysqlClient {
  const { promise, execute } = Object(pool) as Partial<MysqlClient & MysqlCallbackClient>
  const takesCallbacks = typeof promise === 'function'
  const isClient = takesCallbacks || typeof execute === 'function'
  checkOption('mysqlStore', 'pool', pool, isClient, 'a pool or a connection of mysql2')
  return takesCallbacks ? (pool as MysqlCallbackClient).promise() : (pool as MysqlClient)
}

function clientOf(client: MysqlClient): SqlClient {
  const isTransient = (error: unknown) => TRANSIENT.includes((error as { errno?: number }).errno ?? 0)

  async function execute(text: string, values: SqlValue[]): Promise<unknown> {
    const [result] = await retried(async () => await client.execute(text, values), isTransient)
    return result
  }

  return {
    async rows(statement, values) {
      const result = await execute(statement.text, valuesFor(statement, values))
      if (Array.isArray(result)) return result
      const { affectedRows, insertId } = result as Header
      return affectedRows > 0 || Number(insertId) > 0 ? [{ version: insertId } satisfies SqlRow] : []
    },

    async count(statement, values) {
      try {
        return ((await execute(statement.text, valuesFor(statement, values))) as Header).affectedRows
      } catch (error) {
        if ((error as { errno?: number }).errno === DUPLICATE) return 0
        throw error
      }
    },
  }
}
