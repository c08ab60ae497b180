/** How sessions are listed by an index that names them, where index and session are not written in one step. */

import { SessionError } from '../errors.ts'
import type { Row } from './rows.ts'

/** How many questions are on their way at a time where there is one for each of many sessions. */
const AT_A_TIME = 100
/** How often an index is read for one list. Each time a session has to have got another name meanwhile. */
const PASSES = 20

export interface Index<Entry> {
  entries(): Promise<readonly Entry[]>
  /** What is under the name of an entry. */
  read(entry: Entry): Promise<Row | undefined>
  /** Another text for an entry that was made again. */
  textOf(entry: Entry): string
  /** Called with what was found for each entry. */
  looked?(entries: readonly Entry[], rows: ReadonlyArray<Row | undefined>): Promise<void>
}

/**
 * The sessions of `subject` that are live. A session that gets another name meanwhile is in the index under that one
 * before it is gone under the former, so where a name was found gone or retired the index is looked at again. Tombstones
 * need not be there for it. Rejects with `ERR_SESSION_STORE`.
 */
export async function listIndexed<Entry>(maker: string, subject: string, index: Index<Entry>): Promise<Row[]> {
  const isLive = (row: Row | undefined): row is Row =>
    row?.record.subject === subject && row.record.retiredAt === undefined
  const known = new Set<string>()
  for (let pass = 0; pass < PASSES; pass++) {
    const entries = await index.entries()
    const rows = await forEach(entries, entry => index.read(entry))
    await index.looked?.(entries, rows)
    const gone = entries.filter((_, at) => !isLive(rows[at])).map(index.textOf)
    if (gone.every(entry => known.has(entry))) return rows.filter(isLive)
    for (const entry of gone) known.add(entry)
  }
  const what = 'the sessions of a subject got new ids faster than they could be listed'
  throw new SessionError('ERR_SESSION_STORE', `${maker}: ${what}: try again`)
}

/** Some at a time. */
export async function forEach<From, To>(all: readonly From[], made: (one: From) => Promise<To>): Promise<To[]> {
  const results: To[] = []
  for (let at = 0; at < all.length; at += AT_A_TIME) {
    results.push(...(await Promise.all(all.slice(at, at + AT_A_TIME).map(made))))
  }
  return results
}
