/** Which clients of SQLite run on this Node, and how each opens a file. */
import { createRequire } from 'node:module'
import type { SqliteDatabase } from '../../../src/stores/sql/sqlite.ts'

export interface OpenDatabase extends SqliteDatabase {
  close(): void
}

type Constructor = new (file: string) => OpenDatabase

const require = createRequire(import.meta.url)
const major = Number(process.versions.node.split('.')[0])

/** By name. better-sqlite3 would end the process on an older Node, and node:sqlite is not there. */
export const CLIENTS: ReadonlyArray<readonly [client: string, open: (file: string) => OpenDatabase]> = [
  ['libsql', file => new (require('libsql') as Constructor)(file)],
  ...(major >= 22
    ? ([
        ['better-sqlite3', openBetter],
        ['node:sqlite', openNode],
      ] as const)
    : []),
]

function openBetter(file: string): OpenDatabase {
  return new (require('better-sqlite3') as Constructor)(file)
}

function openNode(file: string): OpenDatabase {
  return new (require('node:sqlite') as { DatabaseSync: Constructor }).DatabaseSync(file)
}
