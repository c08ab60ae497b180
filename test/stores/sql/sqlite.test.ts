import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type TestContext as Test } from 'node:test'
import { type SqliteDatabase, sqliteStore } from '../../../src/stores/sql/sqlite.ts'
import { CLIENTS } from './sqlite-clients.ts'
import { type Before, sqlSuite } from './suite.ts'

for (const [client, openFile] of CLIENTS) {
  test.describe(client, () => {
    sqlSuite(t => {
      const file = fileFor(t)
      const connect = () => {
        const db = openFile(file)
        t.after(() => db.close())
        db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA busy_timeout = 5000')
        return db
      }
      const db = connect()
      return {
        connect: (options, before) => sqliteStore(before ? told(connect(), before) : connect(), options),
        run: async sql =>
          sql.startsWith('SELECT')
            ? (db.prepare(sql).all() as Record<string, unknown>[])
            : [db.exec(sql)].map(() => ({})),
        quote: identifier => `"${identifier}"`,
      }
    })
  })
}

/** A file in a folder that goes with the test, after its databases. */
function fileFor(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'koa-session-sqlite-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, 'sessions.db')
}

/** `db`, that tells of each statement before it is run. */
function told(db: SqliteDatabase, before: Before): SqliteDatabase {
  return {
    exec: sql => db.exec(sql),
    prepare(sql) {
      const statement = db.prepare(sql)
      return {
        run(...values) {
          before(sql)
          return statement.run(...values)
        },
        all(...values) {
          before(sql)
          return statement.all(...values)
        },
      }
    },
  }
}
