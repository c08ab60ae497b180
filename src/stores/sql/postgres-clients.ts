/** The clients that a store in PostgreSQL takes, as what it calls. */

import { answerError } from './answers.ts'
import { type Acquire, onConnection, type Release } from './connections.ts'
import type { SqlValue } from './statements.ts'

interface PostgresQuery {
  readonly text: string
  readonly values?: SqlValue[]
  readonly name?: string
}

/** The part of a client that the store calls: a `Pool` or a `Client` of `pg` has it. */
export interface PostgresClient {
  query(query: PostgresQuery): PromiseLike<{ readonly rows: readonly object[]; readonly rowCount: number | null }>
}

/** What is used of `postgres` (postgres.js). */
export interface PostgresJsClient {
  unsafe(
    text: string,
    values?: SqlValue[],
    options?: { readonly prepare: boolean },
  ): PromiseLike<readonly object[] & { readonly count: number | null }>
}

/** What is used of `PGlite` of `@electric-sql/pglite`. */
export interface PgliteClient {
  readonly waitReady: PromiseLike<void>
  exec(text: string): PromiseLike<unknown>
  query<Row extends object>(
    text: string,
    values: SqlValue[],
  ): PromiseLike<{ readonly rows: readonly Row[]; readonly affectedRows?: number | undefined }>
}

/** What looks like another client is given back as it is: it is for `checkClient`. */
export function clientIn(pool: PostgresClient | PostgresJsClient | PgliteClient): PostgresClient {
  const given: object = Object(pool)
  if ('unsafe' in given) return postgresJs(given as PostgresJsClient)
  return 'waitReady' in given ? pglite(given as PgliteClient) : (pool as PostgresClient)
}

function postgresJs(sql: PostgresJsClient): PostgresClient {
  return {
    async query({ text, values = [], name }) {
      const rows = await sql.unsafe(text, values, { prepare: name !== undefined })
      return { rows, rowCount: rows.count }
    },
  }
}

function pglite(db: PgliteClient): PostgresClient {
  return {
    async query({ text, values }) {
      // Only exec() takes several statements, which a set-up has.
      if (!values) await db.exec(text)
      const { rows, affectedRows = 0 } = values ? await db.query(text, values) : { rows: [] }
      return { rows, rowCount: affectedRows }
    },
  }
}

/**
 * A client that takes a connection of `pg` for each statement, for a library that hands out those of its pool (Knex,
 * Sequelize). `acquire` gives one; `release` takes it back, after a statement that has failed, too.
 */
export function fromConnections<Connection>(
  acquire: Acquire<Connection>,
  release: Release<Connection>,
): PostgresClient {
  return {
    query: query =>
      onConnection(acquire, release, connection => {
        const client = connection as PostgresClient
        if (typeof Object(client).query === 'function') return client.query(query)
        throw answerError('postgresStore', 'a connection without the method query')
      }),
  }
}
