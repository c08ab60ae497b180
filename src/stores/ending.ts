/** How sessions end that are given new ids meanwhile: a tombstone names its successor, and is followed to it. */

import { SessionError } from '../errors.ts'
import { after } from './after.ts'
import type { Rows } from './rows.ts'
import type { Answer } from './store.ts'

/** How many tombstones are followed from a name. */
export const LONGEST_CHAIN = 20

export interface Ended {
  /** How many sessions there were. */
  readonly count: number
  /** The names of the tombstones that led to them. */
  readonly retired: readonly string[]
}

const NOTHING: Ended = { count: 0, retired: [] }
const NONE: ReadonlySet<string> = new Set()

/**
 * Ends the sessions under `names`, or under the names that took their place, except those that are `spared`. Rejects with
 * `ERR_SESSION_STORE` where a name leads over more than 20 tombstones; what `names` led to in fewer has ended by then.
 *
 * Whoever gives a session a new id creates the successor before the old id is retired in favour of it. And to see that a
 * name is no tombstone and to remove it is one step. So a session is either removed under its old name, and its `retire`
 * is answered with `gone`; or the tombstone is there, and is followed to what was created before.
 */
export function end(
  rows: Rows,
  names: readonly string[],
  spared: ReadonlySet<string> = NONE,
  former: Ended = NOTHING,
  followed = 0,
): Answer<Ended> {
  return after(rows.remove(names), ({ count, tombstones }) => {
    const retired = [...former.retired, ...tombstones.map(({ name }) => name)]
    const ended = { count: former.count + count, retired }
    const isNew = (name: string | undefined) => name !== undefined && !spared.has(name) && !retired.includes(name)
    const next = [...new Set(tombstones.map(({ successor }) => successor))].filter(name => isNew(name)) as string[]
    if (next.length === 0) return ended
    if (followed === LONGEST_CHAIN) throw tooLong()
    return end(rows, next, spared, ended, followed + 1)
  })
}

/** `name`, and the names that took its place, one after the other. Rejects as `end` does. */
export function chainOf(rows: Rows, name: string, chain: Set<string> = new Set()): Answer<ReadonlySet<string>> {
  if (chain.size > LONGEST_CHAIN) throw tooLong()
  chain.add(name)
  return after(rows.read(name), record => {
    const { successor } = record ?? {}
    return successor === undefined || chain.has(successor) ? chain : chainOf(rows, successor, chain)
  })
}

function tooLong(): SessionError {
  const what = `a session was given a new id more than ${LONGEST_CHAIN} times since it had the id that is to end`
  return new SessionError('ERR_SESSION_STORE', `${what}; end it by its present id`)
}
