/* The stores in this process: SQLite in a file, and memory. */

import { statSync } from 'node:fs'
import { join } from 'node:path'
import { memoryStore } from '../../dist/memory.mjs'
import { sqliteStore } from '../../dist/sqlite.mjs'
import { makeFolder, removeFolder } from '../../test/servers/place.ts'
import { sqliteClients } from '../../test/servers/sqlite.ts'
import { createAll } from './fill.mjs'
import { createWatch } from './watch.mjs'

const unswept = { sweepEvery: false }

export async function sqlite({ now }) {
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
  const open = seal => sqliteStore(watched, { now, seal, ...unswept })
  return {
    title: client.title,
    durability: 'WAL, synchronous = NORMAL: a crash of the machine may take the last commits, one of the process none',
    open,
    watch,
    sweep: () => open().sweep(),
    async fill({ seal, ...sessions }) {
      const plain = sqliteStore(db, { now, seal, ...unswept })
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

export async function memory({ now, sessions }) {
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
    open: () => store,
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
