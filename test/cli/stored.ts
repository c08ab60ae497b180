/** Sessions in a store, for the command to find. */
import { createHash } from 'node:crypto'
import { sqliteStore } from 'koa-session/sqlite'
import Database from 'libsql'
import { makeFolder, removeFolder } from '../servers/place.ts'

export const digest = (text: string) => createHash('sha256').update(text).digest('base64url')
export const fingerprint = (id: string) => createHash('sha256').update(id).digest('hex').slice(0, 8)

export const HOUR = 3_600_000
export const call = { ctx: undefined, rolling: false, changed: true }

/** As much of a store as is written to. */
interface Filled {
  create(id: string, record: object, ttl: number, call: object): unknown
}

/** Each id with whose session it is: nobody's where that is `undefined`. */
export type Sessions = Readonly<Record<string, string | undefined>>

export async function fill(store: Filled, sessions: Sessions, members: object = { text: '"a-secret-of-ada"' }) {
  for (const [id, user] of Object.entries(sessions)) {
    const subject = user === undefined ? undefined : digest(user)
    await store.create(id, { members, lifetime: { _maxAge: HOUR }, subject }, HOUR, call)
  }
}

interface Owner {
  after(stop: () => void): unknown
}

type Options = Omit<NonNullable<Parameters<typeof sqliteStore>[1]>, 'sweepEvery'>

/** A database file until the test ends, with `sessions` in it, and a store on it. */
export async function stored(owner: Owner, sessions: Sessions, options: Options = {}) {
  const folder = makeFolder()
  const db = new Database(`${folder}/sessions.db`)
  owner.after(() => {
    db.close()
    removeFolder(folder)
  })
  const store = sqliteStore(db, { ...options, sweepEvery: false })
  await store.setup()
  db.exec('BEGIN')
  await fill(store as unknown as Filled, sessions)
  db.exec('COMMIT')
  return { url: `sqlite:${folder}/sessions.db`, folder, db, store }
}
