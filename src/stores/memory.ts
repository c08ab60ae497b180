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
  readonly text: string
  readonly expiresAt: number
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
  // A Map iterates in the order of insertion: the first entry is the one that was used longest ago.
  const entries = new Map<string, Entry>()

  function use(id: string, entry: Entry): void {
    entries.delete(id)
    entries.set(id, entry)
  }

  return {
    get(id) {
      const entry = entries.get(id)
      if (!entry) return undefined
      if (!(entry.expiresAt > now())) {
        entries.delete(id)
        return undefined
      }
      use(id, entry)
      return JSON.parse(entry.text)
    },

    set(id, payload, ttl) {
      use(id, { text: JSON.stringify(payload), expiresAt: now() + ttl })
      if (entries.size > max) entries.delete(entries.keys().next().value ?? '')
    },

    destroy(id) {
      entries.delete(id)
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
