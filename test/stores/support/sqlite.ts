/** SQLite for a test: a file that goes with it, and connections that are closed before. */
import { join } from 'node:path'
import { makeFolder, removeFolder } from '../../servers/place.ts'
import type { SqliteClient, SqliteDatabase } from '../../servers/sqlite.ts'

/** What several connections of one file need so that none of them has to wait for the disk, or finds it locked. */
export const SHARED = 'PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA busy_timeout = 5000'

export interface SqliteFile {
  readonly file: string
  /** Another connection, on which `setup` was run. */
  connect(): SqliteDatabase
}

/** What the file goes with: a test, or a suite. */
interface Owner {
  after(stop: () => void): unknown
}

export function sqliteFile(owner: Owner, client: SqliteClient, setup = ''): SqliteFile {
  const folder = makeFolder()
  const file = join(folder, 'sessions.db')
  const open: SqliteDatabase[] = []
  owner.after(() => {
    for (const db of open) db.close()
    removeFolder(folder)
  })
  return {
    file,
    connect() {
      const db = client.open(file)
      open.push(db)
      if (setup) db.exec(setup)
      return db
    },
  }
}
