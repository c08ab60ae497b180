/* The clients of SQLite that this Node has. The database is in the process, so there is no server to start. */
import { createRequire } from 'node:module'
import { versionOfPackage } from './found.ts'

/** What the three clients have in common, as far as the tests go. */
export interface SqliteDatabase {
  exec(sql: string): unknown
  prepare(sql: string): SqliteStatement
  close(): unknown
}

export interface SqliteStatement {
  run(...values: unknown[]): { changes: number | bigint }
  get(...values: unknown[]): unknown
  all(...values: unknown[]): unknown[]
}

export type SqliteName = 'node:sqlite' | 'libsql' | 'better-sqlite3'

export interface SqliteClient {
  readonly name: SqliteName
  /** With its version: `libsql 0.5.29`. */
  readonly title: string
  /** Why it can't be used on this Node. */
  readonly missing?: string | undefined
  /** Opens the database of a file, which is made if it is not there. */
  open(file: string): SqliteDatabase
}

const require = createRequire(import.meta.url)

type Constructor = new (file: string) => SqliteDatabase

/** The oldest Node that each is for: node:sqlite needs no flag from there on. */
const OLDEST: Record<SqliteName, readonly [major: number, minor: number]> = {
  'node:sqlite': [22, 13],
  libsql: [18, 0],
  // It can't be tried: on a Node that is older it ends the process.
  'better-sqlite3': [22, 0],
}

/** Each client, usable or not: the versions decide. */
export function sqliteClients(): SqliteClient[] {
  return [
    client('node:sqlite', `node:sqlite of Node ${process.versions.node}`, () => {
      const { DatabaseSync }: { DatabaseSync: Constructor } = require('node:sqlite')
      return DatabaseSync
    }),
    ...(['libsql', 'better-sqlite3'] as const).map(name =>
      client(name, `${name} ${versionOfPackage(name)}`, (): Constructor => require(name)),
    ),
  ]
}

function client(name: SqliteName, title: string, find: () => Constructor): SqliteClient {
  const [major, minor] = OLDEST[name]
  const [ownMajor = 0, ownMinor = 0] = process.versions.node.split('.').map(Number)
  const isOld = ownMajor < major || (ownMajor === major && ownMinor < minor)
  const missing = isOld ? `${name} needs Node ${major}.${minor}, this is ${process.versions.node}` : undefined
  return {
    name,
    title,
    missing,
    open(file) {
      if (missing !== undefined) throw new Error(missing)
      const Database = find()
      return new Database(file)
    },
  }
}
