/** The statements that make a store's table, as `setup()` runs them, and the rights that its user needs. */

import { mysqlStore } from '../stores/sql/mysql.ts'
import { postgresStore } from '../stores/sql/postgres.ts'
import type { SqlStore, SqlStoreOptions } from '../stores/sql/sql-store.ts'
import { sqliteStore } from '../stores/sql/sqlite.ts'
import { UsageError } from './usage.ts'

export type DialectName = keyof typeof DIALECTS

interface Dialect {
  /** A store that is asked for its statements alone. */
  open(options: SqlStoreOptions): SqlStore
  /** What gives `user` the rights on `table`, which are all that the store needs once it is there. */
  grants(table: string, user: string): readonly string[]
}

/** No client: nothing is asked of it. */
const never = () => Promise.reject(new Error('there is no database'))

/** Quoted, as the store has it: databases fold the case of what is not. */
function quoted(table: string, quote: string): string {
  return table
    .split('.')
    .map(part => quote + part + quote)
    .join('.')
}

const DIALECTS = {
  postgres: {
    open: options => postgresStore({ query: never }, options),
    grants(table, user) {
      const [schema = 'public'] = table.split('.').slice(0, -1)
      return [
        `GRANT USAGE ON SCHEMA "${schema}" TO "${user}"`,
        `GRANT SELECT, INSERT, UPDATE, DELETE ON ${quoted(table, '"')} TO "${user}"`,
      ]
    },
  },
  mysql: {
    open: options => mysqlStore({ execute: never, query: never }, options),
    grants: (table, user) => [`GRANT SELECT, INSERT, UPDATE, DELETE ON ${quoted(table, '`')} TO '${user}'@'%'`],
  },
  sqlite: {
    open: options =>
      sqliteStore({ exec: never, prepare: () => ({ run: () => ({ changes: 0 }), all: () => [] }) }, options),
    grants: () => [],
  },
} satisfies Record<string, Dialect>

export interface SqlWish {
  readonly table: string
  readonly user: string | undefined
  /** The version that the table has; 0: there is none. */
  readonly from: number
}

export function isDialect(name: string | undefined): name is DialectName {
  return name !== undefined && Object.hasOwn(DIALECTS, name)
}

export const DIALECT_NAMES = Object.keys(DIALECTS).join(', ')

/** A script of SQL. Throws `ERR_SESSION_OPTION` for a table that is no name, and a `UsageError` for a version that is none. */
export function sqlOf(name: DialectName, { table, user, from }: SqlWish): string {
  const dialect: Dialect = DIALECTS[name]
  const store = dialect.open({ table, sweepEvery: false })
  if (from > store.schemaVersion) {
    throw new UsageError(`--from is a later version than ${store.schemaVersion}, the one of this release`)
  }
  const what = from === 0 ? `version ${store.schemaVersion}` : `from version ${from} to ${store.schemaVersion}`
  const statements = store.upgradeSql(from)
  const grants = user === undefined ? [] : dialect.grants(table, user)
  return [
    `-- koa-session, ${name}: the table ${table}, ${what}\n`,
    ...(statements.length > 0 ? statements : ['-- nothing is to be done']).map(ended),
    ...(grants.length > 0 ? [`\n-- the rights of ${user}\n`, ...grants.map(ended)] : []),
  ].join('')
}

function ended(statement: string): string {
  return statement.startsWith('--') ? `${statement}\n` : `${statement};\n`
}
