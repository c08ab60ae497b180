import { SessionError } from '../errors.ts'
import type { StoredPayload } from './store.ts'

export interface MemoryStoreOptions {
  /** How many sessions it keeps; beyond, the one that was not used for longest goes first. Default 10,000. */
  readonly max?: number
  /** The clock, in milliseconds since the epoch. Default `Date.now`. */
  readonly now?: () => number
}

/** A store in this process's memory: bounded, and gone with the process. Made by `memoryStore()`. */
export interface MemoryStore {
  get(id: string): StoredPayload | undefined
  set(id: string, payload: StoredPayload, ttl: number): void
  destroy(id: string): void
  /** The number of sessions that it holds, those that expired and were not looked at since included. */
  readonly size: number
}

interface Entry {
  /** The key that it was made under: that of a later request may hold on to all of the request's headers. */
  readonly id: string
  text: string
  expiresAt: number
  /** Its neighbours in the order of use. */
  older: Entry | undefined
  newer: Entry | undefined
}

/**
 * Sessions in this process's memory, for one process and for tests. They are kept as JSON text, so that no request
 * shares an object with another; expiry is checked when a session is read.
 *
 * Throws `ERR_SESSION_OPTION` when `max` is not a positive integer or `now` not a function.
 */
export function memoryStore({ max = 10_000, now = Date.now }: MemoryStoreOptions = {}): MemoryStore {
  check('max', max, Number.isSafeInteger(max) && max > 0, 'a positive integer')
  check('now', now, typeof now === 'function', 'a function that gives milliseconds')
  const entries = new Map<string, Entry>()
  // A list of its own: to find the first key of a Map takes longer the more were deleted before it.
  let oldest: Entry | undefined
  let newest: Entry | undefined

  function detach({ older, newer }: Entry): void {
    if (older) older.newer = newer
    else oldest = newer
    if (newer) newer.older = older
    else newest = older
  }

  function append(entry: Entry): void {
    entry.older = newest
    entry.newer = undefined
    if (newest) newest.newer = entry
    else oldest = entry
    newest = entry
  }

  function forget(entry: Entry): void {
    detach(entry)
    entries.delete(entry.id)
  }

  return {
    get(id) {
      const entry = entries.get(id)
      if (!entry) return undefined
      if (!(entry.expiresAt > now())) {
        forget(entry)
        return undefined
      }
      detach(entry)
      append(entry)
      return JSON.parse(entry.text)
    },

    set(id, payload, ttl) {
      const rest = { text: JSON.stringify(payload), expiresAt: now() + ttl }
      const known = entries.get(id)
      if (known) detach(known)
      const entry = known ? Object.assign(known, rest) : { id, ...rest, older: undefined, newer: undefined }
      if (!known) entries.set(id, entry)
      append(entry)
      if (entries.size > max && oldest) forget(oldest)
    },

    destroy(id) {
      const entry = entries.get(id)
      if (entry) forget(entry)
    },

    get size() {
      return entries.size
    },
  }
}

function check(option: string, value: unknown, isGood: boolean, expected: string): void {
  if (isGood) return
  throw new SessionError('ERR_SESSION_OPTION', `memoryStore: ${option} was ${shown(value)}, expected ${expected}`)
}

function shown(value: unknown): string {
  return typeof value === 'object' || typeof value === 'function' ? `of type ${typeof value}` : String(value)
}
