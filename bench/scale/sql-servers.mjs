/* PostgreSQL and MariaDB, each with a store on it. They wait for the disk, as those of the tests do not. */

import { statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import mysql from 'mysql2/promise'
import pg from 'pg'
import { mysqlStore } from '../../dist/mysql.mjs'
import { postgresStore } from '../../dist/postgres.mjs'
import { findMariadb, startMariadb } from '../../test/servers/mariadb.ts'
import { findPostgres, startPostgres } from '../../test/servers/postgres.ts'
import { insertAll } from './fill.mjs'
import { createWatch } from './watch.mjs'

const CONNECTIONS = 32
const unswept = { sweepEvery: false }

export async function postgres({ now }) {
  const settings = ['fsync=on', 'shared_buffers=512MB', 'max_wal_size=4GB']
  const server = await startPostgres({ args: settings.flatMap(setting => ['-c', setting]) })
  const pool = new pg.Pool({ connectionString: server.url, max: CONNECTIONS })
  const first = async (text, values) => (await pool.query(text, values)).rows[0]
  const explain = async (text, values) => {
    const { rows } = await pool.query(`EXPLAIN ${text}`, values)
    return rows.map(row => row['QUERY PLAN']).join('\n')
  }
  const watch = createWatch(explain)
  const watched = { query: query => watch.async(query.text, query.values, () => pool.query(query)) }
  const options = { now, prepare: true, ...unswept }
  const open = seal => postgresStore(watched, { ...options, seal })
  return {
    title: `PostgreSQL ${findPostgres('apt').version ?? findPostgres('npm').version}, pg`,
    durability: 'fsync and synchronous_commit on; shared_buffers 512 MB; prepare: true',
    open,
    watch,
    sweep: () => open().sweep(),
    async fill({ seal, ...sessions }) {
      await postgresStore(pool, options).setup()
      const noting = note => {
        const query = ({ text, values }) => {
          note(text, values)
          return Promise.resolve({ rows: [], rowCount: 1 })
        }
        return postgresStore({ query }, { ...options, seal })
      }
      // The statement of `create` with columns of many rows in the place of the values of one.
      const types = ['text', 'jsonb', 'text', 'text', 'bigint', 'bigint']
      await insertAll(
        noting,
        async (text, rows) => {
          const columns = types.map((_, at) => rows.map(row => row[at]))
          const arrays = types.map((type, at) => `$${at + 1}::${type}[]`).join(', ')
          const values = /VALUES \((.*?)\) ON/.exec(text)[1].replace(/\$(\d)/g, 'one.c$1')
          const head = text.slice(0, text.indexOf(' VALUES'))
          const names = types.map((_, at) => `c${at + 1}`).join(', ')
          await pool.query(`${head} SELECT ${values} FROM unnest(${arrays}) AS one (${names})`, columns)
        },
        sessions,
      )
      await pool.query('VACUUM ANALYZE sessions')
      await pool.query('CHECKPOINT')
    },
    bytes: async () => Number((await first("SELECT pg_total_relation_size('sessions') AS size")).size),
    written: async () =>
      Number((await first("SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0') AS bytes")).bytes),
    more: async () => {
      await sleep(1500)
      const statistics = await first(
        'SELECT n_tup_upd, n_tup_hot_upd, n_tup_del FROM pg_stat_user_tables WHERE relname = $1',
        ['sessions'],
      )
      return Object.fromEntries(Object.entries(statistics).map(([name, value]) => [name, Number(value)]))
    },
    async close() {
      await pool.end()
      await server.stop()
    },
  }
}

export async function mariadb({ now }) {
  const args = ['--innodb-flush-log-at-trx-commit=1', '--innodb-buffer-pool-size=1G', '--innodb-log-file-size=1G']
  const server = await startMariadb({ args })
  const pool = mysql.createPool({ uri: server.url, connectionLimit: CONNECTIONS })
  const explain = async (text, values) => {
    // Only these can be explained.
    if (!/^(SELECT|UPDATE|DELETE)/.test(text)) return ''
    const [rows] = await pool.execute(`EXPLAIN ${text}`, values)
    return rows.map(({ type, key, rows, Extra }) => `${type} ${key} rows ${rows} ${Extra}`).join('\n')
  }
  const watch = createWatch(explain)
  const watched = {
    query: sql => pool.query(sql),
    execute: (sql, values) => watch.async(sql, values, () => pool.execute(sql, values)),
  }
  const options = { now, ...unswept }
  const open = seal => mysqlStore(watched, { ...options, seal })
  return {
    title: `MariaDB ${findMariadb().version}, mysql2`,
    durability: 'innodb_flush_log_at_trx_commit = 1; innodb_buffer_pool_size 1 GB',
    open,
    watch,
    sweep: () => open().sweep(),
    async fill({ seal, ...sessions }) {
      await open().setup()
      const noting = note => {
        const execute = (text, values) => {
          // What the connection is asked about itself.
          if (text.startsWith('SELECT')) return Promise.resolve([[{ version: 1 }]])
          note(text, values)
          return Promise.resolve([{ affectedRows: 1, insertId: 0 }])
        }
        return mysqlStore({ execute, query: async () => undefined }, { ...options, seal })
      }
      await insertAll(
        noting,
        async (text, rows) => {
          const at = text.indexOf('(', text.indexOf('VALUES'))
          const many = rows.map(() => text.slice(at)).join(', ')
          await pool.query(text.slice(0, at) + many, rows.flat())
        },
        sessions,
      )
      await pool.query('ANALYZE TABLE sessions')
    },
    async bytes() {
      await pool.query('ANALYZE TABLE sessions')
      return statSync(join(server.folder, 'data', 'test', 'sessions.ibd')).size
    },
    async close() {
      await pool.end()
      await server.stop()
    },
  }
}
