import { SessionError } from '../errors.ts'
import { payloadOf, recordOf } from './record.ts'
import type { Patch, Patched, StoredLifetime, StoredPayload, StoredRecord } from './store.ts'

export interface MemoryStoreOptions {
  /** How many sessions it keeps; beyond, the one that was not used for longest goes first. Default 10,000. */
  readonly max?: number
  /** The clock, in milliseconds since the epoch. Default `Date.now`. */
  readonly now?: () => number
}

interface Plain {
  get(id: string): StoredPayload | undefined
  set(id: string, payload: StoredPayload, ttl: number): void
  destroy(id: string): void
}

/** A store in this process's memory: bounded, and gone with the process. Made by `memoryStore()`. */
export interface MemoryStore extends Plain {
  readonly plain: Plain
  read(id: string): StoredRecord | undefined
  create(id: string, record: StoredRecord, ttl: number): boolean
  patch(id: string, patch: Patch, ttl: number): Patched
  touch(id: string, lifetime: StoredLifetime, ttl: number): boolean
  retire(id: string, ttl: number): boolean
  /** The number of sessions that it holds, those that expired and were not looked at since included. */
  readonly size: number
}

interface Entry {
  /** The key that it was made under: that of a later request may hold on to all of the request's headers. */
  readonly id: string
  members: StoredRecord['members']
  lifetime: StoredLifetime
  retiredAt: number | undefined
  expiresAt: number
  /** Its neighbours in the order of use. */
  older: Entry | undefined
  newer: Entry | undefined
}

/**
 * Sessions in this process's memory, for one process and for tests. Each value is kept as JSON text, so that no request
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

  function use(entry: Entry): void {
    if (entry === newest) return
    detach(entry)
    append(entry)
  }

  function forget(entry: Entry): void {
    detach(entry)
    entries.delete(entry.id)
  }

  /** What is there under `id` and has not expired, as the latest that was used. */
  function find(id: string): Entry | undefined {
    const entry = entries.get(id)
    if (!entry) return undefined
    if (!(entry.expiresAt > now())) {
      forget(entry)
      return undefined
    }
    use(entry)
    return entry
  }

  function add(id: string, { members, lifetime, retiredAt }: StoredRecord, ttl: number): void {
    const entry = { id, members, lifetime, retiredAt, expiresAt: now() + ttl, older: undefined, newer: undefined }
    entries.set(id, entry)
    append(entry)
    if (entries.size > max && oldest) forget(oldest)
  }

  /** What can be changed. */
  function findLive(id: string): Entry | undefined {
    const entry = find(id)
    return entry?.retiredAt === undefined ? entry : undefined
  }

  function extend(entry: Entry, { members, lifetime }: StoredRecord, ttl: number): void {
    entry.members = members
    entry.lifetime = lifetime
    entry.expiresAt = now() + ttl
  }

  const plain: Plain = {
    get(id) {
      const entry = find(id)
      return entry && payloadOf(entry)
    },

    set(id, payload, ttl) {
      const record = recordOf(payload)
      const known = entries.get(id)
      if (!known) return add(id, record, ttl)
      use(known)
      if (known.retiredAt === undefined) extend(known, record, ttl)
    },

    destroy(id) {
      const entry = entries.get(id)
      if (entry) forget(entry)
    },
  }

  return {
    ...plain,
    plain,

    read(id) {
      const entry = find(id)
      if (entry?.retiredAt !== undefined) return { members: {}, lifetime: {}, retiredAt: entry.retiredAt }
      return entry && { members: entry.members, lifetime: entry.lifetime }
    },

    create(id, record, ttl) {
      if (find(id)) return false
      add(id, record, ttl)
      return true
    },

    patch(id, { set, unset, lifetime, keepsEmpty }, ttl) {
      const entry = findLive(id)
      if (!entry) return 'gone'
      // Copied, since requests that read it still have it.
      const members = Object.assign({}, unset.length > 0 ? without(entry.members, unset) : entry.members, set)
      if (unset.length > 0 && !keepsEmpty && Object.keys(members).length === 0) {
        forget(entry)
        return 'emptied'
      }
      extend(entry, { members, lifetime }, ttl)
      return 'saved'
    },

    touch(id, lifetime, ttl) {
      const entry = findLive(id)
      if (entry) extend(entry, { members: entry.members, lifetime }, ttl)
      return entry !== undefined
    },

    retire(id, ttl) {
      const entry = findLive(id)
      if (!entry) return false
      forget(entry)
      add(id, { members: {}, lifetime: {}, retiredAt: now() }, ttl)
      return true
    },

    get size() {
      return entries.size
    },
  }
}

function without(members: StoredRecord['members'], unset: readonly string[]): StoredRecord['members'] {
  return Object.fromEntries(Object.entries(members).filter(([name]) => !unset.includes(name)))
}

function check(option: string, value: unknown, isGood: boolean, expected: string): void {
  if (isGood) return
  throw new SessionError('ERR_SESSION_OPTION', `memoryStore: ${option} was ${shown(value)}, expected ${expected}`)
}

function shown(value: unknown): string {
  return typeof value === 'object' || typeof value === 'function' ? `of type ${typeof value}` : String(value)
}
