/** All sessions of a store, whoever's they are; and how many of them end without holding the event loop. */

import { setImmediate } from 'node:timers/promises'
import { after } from './after.ts'
import { end, LONGEST_CHAIN } from './ending.ts'
import { checkListing, notCursor } from './options.ts'
import type { Row, Rows } from './rows.ts'
import type { AllOptions, Answer } from './store.ts'
import { telling } from './told.ts'

/** How many sessions are read at a time. */
const PAGE = 100
/** How many names end at a time. */
const TURN = 500
/** A name that is a hash. */
const HASH = /^[\w-]{43}$/

export interface Everything {
  /** Of each session its row, and the cursor behind it. */
  all(options: AllOptions): AsyncIterable<{ readonly row: Row; readonly cursor: string }>
  count(): Answer<number>
  /** Says of each session, by its name and the hash of its subject, that it was ended. */
  clear(ended: ((name: string, subject: string | undefined) => void) | undefined): Promise<number>
}

/** `rows` whose names are hashes. Where the prefix of a store goes on as that of another one, the rows of that have others. */
export function hashed(rows: Rows): Rows {
  return {
    ...rows,
    async *pages(batch, from) {
      for await (const page of rows.pages(batch, from)) yield page.filter(({ name }) => HASH.test(name))
    },
  }
}

/** `handleOf`: gives what is shown of a name; absent: the name, which is a hash. */
export function everything(rows: Rows, handleOf?: (name: string) => string): Everything {
  const cursorOf = (row: Row) => row.cursor ?? (handleOf ? handleOf(row.name) : row.name)

  async function* pages(from?: string): AsyncIterable<readonly Row[]> {
    for await (const page of rows.pages(PAGE, from)) {
      yield page
      // Where rows answer at once, nothing else has had its turn.
      await setImmediate()
    }
  }

  /** A name that is an id is in no cursor: it is looked for from the beginning. */
  async function* pagesAfter(from: string | undefined): AsyncIterable<readonly Row[]> {
    if (from === undefined || rows.hasCursors) return yield* pages(from)
    if (!HASH.test(from)) throw notCursor()
    if (!handleOf) return yield* pages(from)
    let isFound = false
    for await (const page of pages()) {
      if (isFound) yield page
      else {
        const at = page.findIndex(row => cursorOf(row) === from)
        isFound = at >= 0
        if (isFound) yield page.slice(at + 1)
      }
    }
    if (!isFound) throw notCursor()
  }

  async function* all({ after: from, limit = Number.POSITIVE_INFINITY }: AllOptions) {
    let left = limit
    for await (const page of pagesAfter(from)) {
      for (const row of page) {
        if (row.record.retiredAt !== undefined) continue
        yield { row, cursor: cursorOf(row) }
        if (--left === 0) return
      }
    }
  }

  return {
    all(options) {
      checkListing('all', options)
      return all(options)
    },

    count() {
      return rows.count ? rows.count() : counted(all({}))
    },

    async clear(ended) {
      const owners = new Map<string, string | undefined>()
      const told = ended ? telling(rows, name => ended(name, owners.get(name))) : rows
      let count = 0
      for await (const page of pages()) {
        owners.clear()
        for (const { name, record } of page) owners.set(name, record.subject)
        // Tombstones, too: the session may have got its new id behind the walk.
        let names = page.map(({ name }) => name)
        const known = new Set<string | undefined>([...names, undefined])
        for (let step = 0; names.length > 0 && step <= LONGEST_CHAIN; step++) {
          const removed = await told.remove(names)
          count += removed.count
          const next = removed.tombstones.map(({ successor }) => successor).filter(name => !known.has(name))
          names = [...new Set(next)] as string[]
          for (const name of names) known.add(name)
        }
      }
      return count
    },
  }
}

/** How many names of a subject are looked for at a time: with those that are spared more than a turn ends. */
export const LOOKED = TURN + 50

/** Ends the sessions under `names`, some at a time. Where one leads too far, it rejects once the others have ended. */
export function endInTurns(rows: Rows, names: readonly string[], spared: ReadonlySet<string>): Answer<number> {
  if (names.length <= TURN) return after(end(rows, names, spared), ({ count }) => count)
  return (async () => {
    let sum = 0
    let failure: unknown
    for (let at = 0; at < names.length; at += TURN) {
      try {
        sum += (await end(rows, names.slice(at, at + TURN), spared)).count
      } catch (error) {
        failure ??= error
      }
      await setImmediate()
    }
    if (failure !== undefined) throw failure
    return sum
  })()
}

async function counted(all: AsyncIterable<unknown>): Promise<number> {
  let count = 0
  for await (const _ of all) count++
  return count
}
