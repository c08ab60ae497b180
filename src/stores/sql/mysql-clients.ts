/** The clients that a store in MariaDB or MySQL takes, as what it calls. */

import { answerError } from './answers.ts'
import { type Acquire, onConnection, type Release } from './connections.ts'
import type { SqlValue } from './statements.ts'

/** The part of a client that the store calls: a pool or a connection of `mysql2/promise` or `mariadb` has it. */
export interface MysqlClient {
  execute(sql: string, values: SqlValue[]): PromiseLike<readonly [result: unknown, ...rest: unknown[]]>
  query(sql: string): PromiseLike<unknown>
}

/** A pool or a connection of `mysql2`, which takes callbacks. */
export interface MysqlCallbackClient {
  promise(): MysqlClient
}

/** What is none of them is given back as it is: it is for `checkClient`. */
export function clientIn(pool: MysqlClient | MysqlCallbackClient): MysqlClient {
  const { promise, batch, execute, query } = Object(pool) as Partial<MysqlCallbackClient & MysqlClient & Batching>
  // Of mysql2, both kinds have execute.
  if (typeof promise === 'function') return (pool as MysqlCallbackClient).promise()
  // A client of @libsql/client has no query.
  const isMariadb = [batch, execute, query].every(method => typeof method === 'function')
  return isMariadb ? mariadb(pool as MysqlClient) : (pool as MysqlClient)
}

interface Batching {
  batch(sql: string, values: unknown[]): unknown
}

/** Of `mariadb`, whose types promise a list, execute() answers the result alone. */
function mariadb(pool: MysqlClient): MysqlClient {
  return {
    execute: async (sql, values) => [await (pool.execute(sql, values) as PromiseLike<unknown>)],
    query: sql => pool.query(sql),
  }
}

/**
 * A client that takes a connection of `mysql2` or `mariadb` for each statement, for a library that hands out those of its
 * pool (Knex, Sequelize). `acquire` gives one; `release` takes it back, after a statement that has failed, too.
 */
export function fromConnections<Connection>(acquire: Acquire<Connection>, release: Release<Connection>): MysqlClient {
  const use = <Result>(ask: (client: MysqlClient) => PromiseLike<Result>) =>
    onConnection(acquire, release, connection => {
      const client = clientIn(connection as MysqlClient)
      if (typeof Object(client).execute === 'function') return ask(client)
      throw answerError('mysqlStore', 'a connection without the method execute')
    })
  return {
    execute: (sql, values) => use(client => client.execute(sql, values)),
    query: sql => use(client => client.query(sql)),
  }
}
