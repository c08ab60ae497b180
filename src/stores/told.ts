/** What a store ends without a request, which no event of an application says. */

import { digest, fingerprintOf } from '../codec/digest.ts'
import { kindOf } from '../value-kind.ts'
import { after, checkOption } from './after.ts'
import type { EndedSession, Removed, RowOptions, Rows } from './rows.ts'
import type { Answer } from './store.ts'

/**
 * Calls `listen`, if it is there. Its failure is a process warning: the store goes on. What it gives may be a query, which
 * only runs where somebody waits for it.
 */
export function tell<Argument>(listen: ((argument: Argument) => unknown) | undefined, argument: Argument): void {
  if (!listen) return
  try {
    Promise.resolve(listen(argument)).catch(warn)
  } catch (error) {
    warn(error)
  }
}

function warn(error: unknown): void {
  process.emitWarning(error instanceof Error ? error : `a listener of a store threw ${kindOf(error)}`)
}

/** Says of sessions, by their names, that they were ended. */
export function teller({ onEnded, hashIds = true }: RowOptions, reason: EndedSession['reason']) {
  return (name: string, subjectHash: string | undefined) => {
    if (!onEnded) return
    const id = fingerprintOf(hashIds ? name : digest(name))
    tell(onEnded, { id, ...(subjectHash !== undefined && { subjectHash }), reason })
  }
}

export function checkListener(maker: string, name: 'onEnded' | 'onExpired', listener: unknown): void {
  checkOption(maker, name, listener, listener === undefined || typeof listener === 'function', 'a function')
}

const NONE: Removed = { count: 0, tombstones: [] }

/** `rows` that remove one name after the other, since only so it is known which was there, and say `ended` of each. */
export function telling(rows: Rows, ended: (name: string) => void): Rows {
  const removeAfter = (before: Removed, name: string) =>
    after(rows.remove([name]), ({ count, tombstones }) => {
      if (count > 0) ended(name)
      return { count: before.count + count, tombstones: [...before.tombstones, ...tombstones] }
    })
  const remove = (names: readonly string[]) =>
    names.reduce<Answer<Removed>>((removed, name) => after(removed, before => removeAfter(before, name)), NONE)
  return { ...rows, remove }
}
