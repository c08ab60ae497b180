import { setImmediate } from 'node:timers/promises'
import { SessionError } from '../errors.ts'
import type { Rewriting, Rewritten, Row, Rows } from './rows.ts'

/** How often a row is tried to which others write all the time. */
const TRIES = 10

/**
 * Walks through `pages`, and writes what `renewed` gives for one. Says how many were written. One row
 * after the other, with a turn of the event loop after each: nobody waits for it, and requests for the database. Rejects
 * with `ERR_SESSION_STORE` where others write to a row each time.
 */
export async function resealAll(
  pages: ReturnType<Rows['pages']>,
  rewriting: Rewriting,
  renewed: (row: Row) => Rewritten | undefined,
): Promise<number> {
  let count = 0
  for await (const page of pages) {
    for (const row of page) if (await isRewritten(row)) count++
    await setImmediate()
  }
  return count

  async function isRewritten(found: Row): Promise<boolean> {
    let row: Row | undefined = found
    for (let tries = 0; tries < TRIES; tries++) {
      const texts = row && renewed(row)
      if (!row || !texts) return false
      const isDone = await rewriting.rewrite(row, texts)
      await setImmediate()
      if (isDone) return true
      row = await rewriting.find(row.name)
    }
    throw new SessionError('ERR_SESSION_STORE', 'reseal: others wrote to a session all the time: call it again')
  }
}
