// Each client is taken as its package types it: no cast, in any TypeScript.

import type { Store } from 'koa-session'
import { type SqliteDatabase, type SqlStore, sqliteStore } from 'koa-session/sqlite'
import Libsql from 'libsql'

const store: SqlStore = sqliteStore(new Libsql(':memory:'))
const asked: Store = store

declare const own: {
  exec(sql: string): void
  prepare(sql: string): {
    run(...values: (string | number | null)[]): { changes: number }
    all(...values: (string | number | null)[]): object[]
  }
}
const database: SqliteDatabase = own
sqliteStore(database)

// @ts-expect-error: a client whose answer comes later
sqliteStore({ exec() {}, prepare: () => ({ run: async () => ({ changes: 1 }), all: async () => [] }) })
// @ts-expect-error: without `exec`
sqliteStore({ prepare: own.prepare })

export { asked }
