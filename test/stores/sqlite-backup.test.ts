/** Backups of SQLite: a copy of the file, by each client. */
import { join } from 'node:path'
import { sqliteStore } from 'koa-session/sqlite'
import { makeFolder, removeFolder } from '../servers/place.ts'
import { row } from '../servers/report.ts'
import { type SqliteDatabase, sqliteClients } from '../servers/sqlite.ts'
import { proveBackup } from './support/backup.ts'

for (const { title, missing, open } of sqliteClients()) {
  if (missing !== undefined) continue
  proveBackup(row({ store: 'sqlite', client: title, server: 'a file' }).test, async t => {
    const folder = makeFolder()
    const copy = join(folder, 'backup.db')
    let file = join(folder, 'sessions.db')
    const connections: SqliteDatabase[] = []
    const close = async () => {
      for (const db of connections.splice(0)) db.close()
    }
    t.after(() => close().finally(() => removeFolder(folder)))
    return {
      async open(now) {
        const db = open(file)
        connections.push(db)
        db.exec('PRAGMA journal_mode = WAL')
        const store = sqliteStore(db, { now, sweepEvery: false })
        await store.setup()
        return store
      },
      close,
      backup: () => connections[0]?.exec(`VACUUM INTO '${copy}'`),
      // Not over the file that was: a connection that is closed may keep it open for a while.
      restore() {
        file = copy
      },
    }
  })
}
