/** Twenty processes that are started at once, each of which sets the store up: SQLite, PostgreSQL, MariaDB, MongoDB. */
import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { after, before, describe } from 'node:test'
import { fileURLToPath } from 'node:url'
import { mongoStore } from 'koa-session/mongodb'
import { mysqlStore } from 'koa-session/mysql'
import { postgresStore } from 'koa-session/postgres'
import { sqliteStore } from 'koa-session/sqlite'
import { MongoClient } from 'mongodb'
import mysql from 'mysql2/promise'
import { versionOfPackage } from '../../servers/found.ts'
import { startMariadb } from '../../servers/mariadb.ts'
import { newName, startMongodb } from '../../servers/mongodb.ts'
import { makeFolder, removeFolder, tellReaper } from '../../servers/place.ts'
import { poolOf } from '../../servers/pool.ts'
import { startPostgres } from '../../servers/postgres.ts'
import { row, suiteOn } from '../../servers/report.ts'
import { sqliteClients } from '../../servers/sqlite.ts'
import type { Place } from '../support/starter.ts'

const COUNT = 20
const FILE = fileURLToPath(new URL('../support/starter.ts', import.meta.url))
/** The table, with what the database calls its indexes. */
const INDEXES = ['sessions_expires_at', 'sessions_subject']

describe('a first start of twenty processes at once', () => {
  let processes: ChildProcess[] = []

  before(async () => {
    processes = Array.from({ length: COUNT }, () => fork(FILE, { execArgv: ['--import', 'tsx'] }))
    for (const { pid } of processes) if (pid !== undefined) tellReaper({ watch: pid, signal: 'SIGKILL' })
    await answers()
  })
  after(async () => {
    await Promise.all(
      processes.map(async child => {
        const exit = once(child, 'exit')
        child.disconnect()
        await exit
        if (child.pid !== undefined) tellReaper({ forget: child.pid })
      }),
    )
  })

  async function answers(): Promise<unknown[]> {
    return Promise.all(processes.map(async child => (await once(child, 'message'))[0]))
  }

  async function told(what: Place | 'go'): Promise<unknown[]> {
    const said = answers()
    for (const child of processes) child.send(what)
    return said
  }

  /** Fails where one of them does. */
  async function startOn(place: Place): Promise<void> {
    const none = Array.from({ length: COUNT }, () => '')
    assert.deepEqual(await told(place), none)
    assert.deepEqual(await told('go'), none)
  }

  for (const { title, missing, open } of sqliteClients()) {
    if (missing !== undefined) continue
    const { test } = row({ store: 'sqlite', client: title, server: '' })
    test(`all succeed on a file of SQLite, and there is one schema: ${title}`, async t => {
      const folder = makeFolder()
      const url = join(folder, 'sessions.db')
      await startOn({ kind: 'sqlite', url, client: title })
      const db = open(url)
      t.after(() => {
        db.close()
        removeFolder(folder)
      })
      const names = db.prepare("SELECT name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY name").all()
      assert.deepEqual(
        names.map(row => Object(row).name),
        ['sessions', ...INDEXES],
      )
      assert.equal(await sqliteStore(db, { sweepEvery: false }).count(), COUNT)
    })
  }

  suiteOn('postgres-apt', 'on PostgreSQL', title => {
    row({ store: 'postgres', client: `pg ${versionOfPackage('pg')}`, server: title }).test(
      'all succeed, and there is one schema',
      async t => {
        const server = await startPostgres()
        const pool = poolOf({ connectionString: server.url })
        t.after(() => pool.end().then(server.stop))
        await startOn({ kind: 'postgres', url: server.url })
        const { rows } = await pool.query(
          'SELECT indexname FROM pg_indexes WHERE schemaname = current_schema ORDER BY 1',
        )
        assert.deepEqual(
          rows.map(({ indexname }) => indexname),
          [...INDEXES.slice(0, 1), 'sessions_pkey', ...INDEXES.slice(1)],
        )
        assert.equal(await postgresStore(pool, { sweepEvery: false }).count(), COUNT)
      },
    )
  })

  suiteOn('mariadb', 'on MariaDB', title => {
    row({ store: 'mysql', client: `mysql2/promise ${versionOfPackage('mysql2')}`, server: title }).test(
      'all succeed, and there is one schema',
      async t => {
        const server = await startMariadb()
        const pool = mysql.createPool({ uri: server.url })
        t.after(() => pool.end().then(server.stop))
        await startOn({ kind: 'mysql', url: server.url })
        const [tables] = await pool.query('SHOW TABLES')
        assert.equal((tables as unknown[]).length, 1)
        const [indexes] = await pool.query('SHOW INDEX FROM sessions')
        assert.deepEqual(
          (indexes as Array<{ Key_name: string }>).map(({ Key_name }) => Key_name),
          ['PRIMARY', ...INDEXES],
        )
        const [columns] = await pool.query("SHOW COLUMNS FROM sessions LIKE 'subject'")
        const [subject] = columns as object[]
        assert.match(Object(subject).Type, /varchar\(64\)/, 'it is of the newest version')
        assert.equal(await mysqlStore(pool, { sweepEvery: false }).count(), COUNT)
      },
    )
  })

  suiteOn('mongodb', 'on MongoDB', title => {
    row({ store: 'mongodb', client: `mongodb ${versionOfPackage('mongodb')}`, server: title }).test(
      'all succeed, and each index is there once',
      async t => {
        const server = await startMongodb()
        const client = new MongoClient(server.url)
        const database = newName('koa_session')
        t.after(async () => {
          await client.db(database).dropDatabase()
          await client.close()
          await server.stop()
        })
        const url = new URL(server.url)
        url.pathname = `/${database}`
        await startOn({ kind: 'mongodb', url: url.href })
        const collection = client.db(database).collection('sessions')
        const names = (await collection.listIndexes().toArray()).map(({ name }) => name)
        assert.deepEqual(names.sort(), ['_id_', 'e_1', 's_1'])
        assert.equal(await mongoStore(collection).count(), COUNT)
      },
    )
  })
})
