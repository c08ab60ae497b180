/*
 * The databases, each with a store on it: how it is started and how durable it is, how it is filled, and what it takes on
 * disk or in memory. Servers are those of the tests, with the settings of a server that keeps what it has acknowledged.
 */

import { createHash } from 'node:crypto'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import mysql from 'mysql2/promise'
import pg from 'pg'
import { createClient } from 'redis'
import { memoryStore } from '../../dist/memory.mjs'
import { mysqlStore } from '../../dist/mysql.mjs'
import { postgresStore } from '../../dist/postgres.mjs'
import { redisStore } from '../../dist/redis.mjs'
import { sqliteStore } from '../../dist/sqlite.mjs'
import { findMariadb, startMariadb } from '../../test/servers/mariadb.ts'
import { makeFolder, removeFolder } from '../../test/servers/place.ts'
import { findPostgres, startPostgres } from '../../test/servers/postgres.ts'
import { findRedis, startRedis } from '../../test/servers/redis.ts'
import { sqliteClients } from '../../test/servers/sqlite.ts'
import { createAll, insertAll } from './fill.mjs'
import { DAY, idOf, isShort } from './sessions.mjs'
import { createWatch } from './watch.mjs'

const CONNECTIONS = 32
const EXPIRY_LIMIT = 120_000
const unswept = { sweepEvery: false }

async function sqlite({ now }) {
  const client = sqliteClients().find(({ missing }) => missing === undefined)
  const folder = makeFolder()
  const file = join(folder, 'sessions.db')
  const db = client.open(file)
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -262144')
  // In the end, on a connection of its own: one of libsql's that explains does not get to the end of its transaction.
  let aside
  const explain = (text, values) => {
    aside ??= client.open(file)
    return aside
      .prepare(`EXPLAIN QUERY PLAN ${text}`)
      .all(...values)
      .map(({ detail }) => detail)
      .join('; ')
  }
  const watch = createWatch(explain)
  const watched = {
    exec: sql => db.exec(sql),
    prepare(sql) {
      const statement = db.prepare(sql)
      return {
        run: (...values) => watch.sync(sql, values, () => statement.run(...values)),
        all: (...values) => watch.sync(sql, values, () => statement.all(...values)),
      }
    },
  }
  const store = sqliteStore(watched, { now, ...unswept })
  return {
    title: client.title,
    durability: 'WAL, synchronous = NORMAL: a crash of the machine may take the last commits, one of the process none',
    store,
    watch,
    sweep: () => store.sweep(),
    async fill(sessions) {
      const plain = sqliteStore(db, { now, ...unswept })
      await plain.setup()
      db.exec('BEGIN')
      await createAll(plain, { ...sessions, inFlight: 1 })
      db.exec('COMMIT')
      db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
    },
    bytes: () => {
      db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
      return statSync(file).size
    },
    async close() {
      aside?.close()
      db.close()
      removeFolder(folder)
    },
  }
}

async function postgres({ now }) {
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
  const store = postgresStore(watched, options)
  return {
    title: `PostgreSQL ${findPostgres('apt').version ?? findPostgres('npm').version}, pg`,
    durability: 'fsync and synchronous_commit on; shared_buffers 512 MB; prepare: true',
    store,
    watch,
    sweep: () => store.sweep(),
    async fill(sessions) {
      await postgresStore(pool, options).setup()
      const noting = note => {
        const query = ({ text, values }) => {
          note(text, values)
          return Promise.resolve({ rows: [], rowCount: 1 })
        }
        return postgresStore({ query }, options)
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

async function mariadb({ now }) {
  const args = ['--innodb-flush-log-at-trx-commit=1', '--innodb-buffer-pool-size=1G', '--innodb-log-file-size=1G']
  const server = await startMariadb({ args })
  const pool = mysql.createPool({ uri: server.url, connectionLimit: CONNECTIONS })
  const explain = async (text, values) => {
    if (text.startsWith('INSERT')) return ''
    const [rows] = await pool.execute(`EXPLAIN ${text}`, values)
    return rows.map(({ type, key, rows, Extra }) => `${type} ${key} rows ${rows} ${Extra}`).join('\n')
  }
  const watch = createWatch(explain)
  const watched = {
    query: sql => pool.query(sql),
    execute: (sql, values) => watch.async(sql, values, () => pool.execute(sql, values)),
  }
  const options = { now, ...unswept }
  const store = mysqlStore(watched, options)
  return {
    title: `MariaDB ${findMariadb().version}, mysql2`,
    durability: 'innodb_flush_log_at_trx_commit = 1; innodb_buffer_pool_size 1 GB',
    store,
    watch,
    sweep: () => store.sweep(),
    async fill(sessions) {
      await store.setup()
      const noting = note => {
        const execute = (text, values) => {
          note(text, values)
          return Promise.resolve([{ affectedRows: 1, insertId: 0 }])
        }
        return mysqlStore({ execute, query: async () => undefined }, options)
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

async function redis({ now, sessions }) {
  // No rewrite of the file while it is measured.
  const args = ['--appendonly', 'yes', '--appendfsync', 'everysec', '--auto-aof-rewrite-percentage', '0']
  const server = await startRedis({ args })
  const connect = () => createClient({ url: server.url }).connect()
  const [client, aside] = [await connect(), await connect()]
  const store = redisStore(client, { now })
  const info = async (section, name) => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(await aside.info(section))[1])
  const empty = await info('memory', 'used_memory')
  const expiring = Array.from({ length: sessions / 2 }, (_, index) => 2 * index + 1).filter(isShort)

  const keyOf = number => `sess:${createHash('sha256').update(idOf(number)).digest('base64url')}`

  let nearlyAll

  async function expireAt(instant) {
    for (let first = 0; first < expiring.length; first += 2000) {
      const some = expiring.slice(first, first + 2000)
      const answers = await Promise.all(some.map(number => aside.pExpireAt(keyOf(number), instant)))
      if (answers.some(answer => Number(answer) !== 1)) throw new Error('a session was not there')
    }
  }

  /** Has half of the sessions expire at one instant, after the last was told: how long that takes is tried out before. */
  async function prepareSweep() {
    const began = Date.now()
    await expireAt(began + DAY)
    const at = Date.now() + 1000 + 2 * (Date.now() - began)
    await expireAt(at)
    return at
  }

  return {
    title: `Redis ${findRedis().version}, redis`,
    durability: 'appendonly yes, appendfsync everysec, no rewrite of the file meanwhile',
    store,
    prepareSweep,
    async sweep(at) {
      await sleep(Math.max(0, at - Date.now()))
      const began = Date.now()
      for (;;) {
        const gone = await info('stats', 'expired_keys')
        if (gone >= 0.9 * expiring.length) nearlyAll ??= Date.now() - began
        // It leaves the last ones for later: it looks for more only while one in ten that it finds has expired.
        if (gone >= expiring.length || Date.now() - began > EXPIRY_LIMIT) return gone
        await sleep(50)
      }
    },
    fill: all => createAll(store, { ...all, inFlight: 1000 }),
    bytes: async () => (await info('memory', 'used_memory')) - empty,
    written: () => info('persistence', 'aof_current_size'),
    async more() {
      const [keys, commands] = [await aside.dbSize(), await aside.info('commandstats')]
      let members = 0
      for await (const found of aside.scanIterator({ MATCH: 'sess:@*', COUNT: 1000 })) {
        const cards = await Promise.all(found.map(key => aside.zCard(key)))
        members += cards.reduce((sum, card) => sum + Number(card), 0)
      }
      const each = name => Number(new RegExp(`^cmdstat_${name}:.*usec_per_call=([\\d.]+)`, 'm').exec(commands)?.[1])
      return {
        keys,
        nearlyAll,
        membersOfIndex: members,
        microsecondsInServer: { hgetall: each('hgetall'), evalsha: each('evalsha') },
      }
    },
    async close() {
      client.destroy()
      aside.destroy()
      await server.stop()
    },
  }
}

async function memory({ now, sessions }) {
  const used = () => {
    globalThis.gc()
    globalThis.gc()
    return process.memoryUsage().heapUsed
  }
  const store = memoryStore({ max: sessions, now })
  const before = used()
  return {
    title: 'memoryStore()',
    durability: 'none: gone with the process',
    store,
    fill: all => createAll(store, { ...all, inFlight: 1 }),
    bytes: () => used() - before,
    async more() {
      const began = performance.now()
      globalThis.gc()
      return { fullCollection: performance.now() - began, size: store.size }
    },
    async close() {},
  }
}

export const backends = { sqlite, postgres, mysql: mariadb, redis, memory }
