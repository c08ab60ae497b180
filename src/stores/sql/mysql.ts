import { checkClient } from '../clients.ts'
import { answerError, countIn, rowsIn } from './answers.ts'
import type { SqlRow } from './columns.ts'
import { clientIn, type MysqlCallbackClient, type MysqlClient } from './mysql-clients.ts'
import { retried } from './retried.ts'
import { type Column, type Desk, FIRST } from './set-up.ts'
import type { SqlClient } from './sql-rows.ts'
import { indexName, type SqlStore, type SqlStoreOptions, sqlStore } from './sql-store.ts'
import { type Columns, type Dialect, type SqlValue, type Table, valuesFor } from './statements.ts'

export { fromConnections } from './mysql-clients.ts'
export type { SqlStore, SqlStoreOptions } from './sql-store.ts'
export type { MysqlCallbackClient, MysqlClient }

interface Header {
  readonly affectedRows: number
  readonly insertId: number | string
}

const MAKER = 'mysqlStore'
/** What is asked of a connection first: the answer shows, too, how it gives rows. */
const ASK = "SELECT @@autocommit AS version, 'text' AS name"

const DUPLICATE = 1062
const NO_TABLE = 1146
/** A deadlock, and MariaDB's "record has changed": the server took nothing of it over. */
const TRANSIENT: readonly unknown[] = [1213, 1020]

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

const mysql: Dialect = {
  quote: identifier => `\`${identifier}\``,

  versions: [
    {
      columns: FIRST,
      upgrade: table => [
        `CREATE TABLE IF NOT EXISTS ${table.quoted} (
  name VARCHAR(1024) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
  data JSON NOT NULL,
  lifetime TEXT CHARACTER SET utf8mb4 NOT NULL,
  version BIGINT NOT NULL,
  subject VARCHAR(43) CHARACTER SET ascii COLLATE ascii_bin,
  created_at BIGINT NOT NULL,
  seen_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  retired_at BIGINT,
  KEY ${mysql.quote(indexName(table, 'expires_at'))} (expires_at),
  KEY ${mysql.quote(indexName(table, 'subject'))} (subject)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC`,
      ],
    },
    {
      columns: { subject: 'text' },
      // That of a session that is sealed is longer.
      types: { text: /char\((6[4-9]|[7-9]\d|\d{3,})\)|text/i },
      upgrade: table => [
        `ALTER TABLE ${table.quoted} MODIFY subject VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin`,
      ],
    },
  ],
  types: { text: /char|text/i, json: /^(json|longtext)/i, integer: /^bigint/i },
  index: (table, column) => `CREATE INDEX ${mysql.quote(indexName(table, column))} ON ${table.quoted} (${column})`,

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

  // MariaDB 10.11 was seen to leave members of which one patch removes several, in another order than they have in `data`.
  removesOneByOne: true,
  changed: gone => `JSON_MERGE_PATCH(${['data', ':change', ...gone].join(', ')})`,
  isReadable: 'JSON_VALID(data)',
  isEmpty: 'JSON_LENGTH(data) = 0',
  returning: '',
  // The server says it with the result; and, whatever the connection counts as affected, that there was a row.
  nextVersion: 'LAST_INSERT_ID(version + 1)',
  // UTC, as of a local time there may be two.
  clock: `TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(3)) DIV 1000`,
  nextSeen: 'LAST_INSERT_ID(:now)',
  sweep: (table, limit, instant) =>
    `DELETE FROM ${table} WHERE expires_at <= ${instant} ORDER BY expires_at LIMIT ${limit}`,
  batch: 500,
}

/**
 * Sessions in MariaDB, 10.5 or later, or MySQL, 8.0 or later, by a pool or a connection of `mysql2`, `mysql2/promise` or
 * `mariadb`. * `await store.setup()` makes the table. Its tests run against MariaDB 10.11 and MySQL 9.7.
 *
 * What is stored is ASCII, so that the character set of a connection does not matter. What is sent at once is bounded by
 * the server's `max_allowed_packet` (16 MB in MariaDB, 64 MB in MySQL by default), in which a value takes the room of its JSON as a
 * string in JSON; to what exceeds it the store is unavailable, and the server ends the connection. MySQL, not MariaDB,
 * keeps a session's top-level keys in an order of its own: the shorter ones first. The server's time does not matter:
 * instants are those of `now`, but for a sweep, and for how long ago an id was retired, where the option `now` is not given.
 * A deadlock is tried again, up to ten times.
 *
 * `hashIds: false`: an id takes at most 1,024 characters, of which all but printable ASCII take five each.
 * Throws `ERR_SESSION_OPTION`.
 */
export function mysqlStore(pool: MysqlClient | MysqlCallbackClient, options: SqlStoreOptions = {}): SqlStore {
  const client = clientIn(pool)
  checkClient(
    MAKER,
    'pool',
    client,
    typeof client?.execute === 'function',
    'a pool or a connection of mysql2 or mariadb',
  )
  const execute = executor(client)
  const desk: Desk = {
    look: table => columnsOf(execute, table),
    async run(statements) {
      for (const statement of statements) await client.query(statement)
    },
  }
  return sqlStore(MAKER, { dialect: mysql, client: clientOf(execute), desk }, options)
}

/** Asked of the table itself: what the server has on all tables does not tell upper case from lower case. */
async function columnsOf(execute: Execute, { quoted }: Table): Promise<Column[]> {
  try {
    const rows = await execute(`SHOW COLUMNS FROM ${quoted}`, [])
    return (rows as Array<{ Field: string; Type: string; Key: string }>).map(({ Field, Type, Key }) => {
      return { name: Field, type: String(Type), is_key: Key === 'PRI', is_indexed: Key !== '' }
    })
  } catch (error) {
    if (errnoOf(error) === NO_TABLE) return []
    throw error
  }
}

/** What a statement answers. The first one waits for what the connection is asked about itself. */
function executor(client: MysqlClient): Execute {
  let isChecked = false

  async function execute(text: string, values: SqlValue[]): Promise<unknown> {
    const answer = await client.execute(text, values)
    if (!Array.isArray(answer)) throw answerError(MAKER, 'no list of a result and its fields')
    return answer[0]
  }

  async function check(): Promise<void> {
    const [row] = rowsIn(MAKER, await execute(ASK, []))
    if (row === undefined) throw answerError(MAKER, 'no row where there is one')
    if (Number(row.version) !== 1) throw answerError(MAKER, 'that its autocommit is off, so that nothing would be kept')
    isChecked = true
  }

  return async (text, values) => {
    if (!isChecked) await check()
    return execute(text, values)
  }
}

type Execute = (text: string, values: SqlValue[]) => Promise<unknown>

function clientOf(execute: Execute): SqlClient {
  const ask = (text: string, values: SqlValue[]) =>
    retried(
      () => execute(text, values),
      error => TRANSIENT.includes(errnoOf(error)),
    )

  return {
    async rows(statement, values) {
      const result = await ask(statement.text, valuesFor(statement, values))
      if (Array.isArray(result)) return rowsIn(MAKER, result)
      const { affectedRows, insertId } = headerIn(result)
      return affectedRows > 0 || Number(insertId) > 0 ? [{ version: insertId } satisfies SqlRow] : []
    },

    async count(statement, values) {
      try {
        return headerIn(await ask(statement.text, valuesFor(statement, values))).affectedRows
      } catch (error) {
        if (errnoOf(error) === DUPLICATE) return 0
        throw error
      }
    },
  }
}

/** A client may reject with nothing at all. */
const errnoOf = (error: unknown): unknown => Object(error).errno

function headerIn(result: unknown): Header {
  const { affectedRows, insertId }: Partial<Header> = Object(result)
  return { affectedRows: countIn(MAKER, affectedRows), insertId: insertId ?? 0 }
}
