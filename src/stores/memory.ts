import { checkOption } from './after.ts'
import { Entries, type Entry } from './entries.ts'
import { checkRowOptions, notCursor } from './options.ts'
import { recordStore } from './record-store.ts'
import type { OnExpired, ResealOptions, Row, RowOptions, Rows, Tombstone } from './rows.ts'
import type {
  AllOptions,
  Answer,
  ListedSession,
  ListOptions,
  Patch,
  Patched,
  Retire,
  StoredLifetime,
  StoredPayload,
  StoredRecord,
  StoredSession,
  Which,
  Whose,
} from './store.ts'
import { checkListener, tell, teller } from './told.ts'

/** The options of `memoryStore()`. */
export interface MemoryStoreOptions extends RowOptions {
  /** How many sessions and tombstones it keeps. Default 10,000. */
  readonly max?: number | undefined
  /** Told that sessions, or retired ids, have expired, once they are found to have: `{ count }`. */
  readonly onExpired?: OnExpired | undefined
}

interface Plain {
  /** The payload under `id`, or nothing when there is none or it has expired. */
  get(id: string): StoredPayload | undefined
  /** Keeps `payload` under `id`, in place of any other, for `ttl` milliseconds. */
  set(id: string, payload: StoredPayload, ttl: number): void
  /** Ends the session under `id`, also where the id was retired. */
  destroy(id: string): void
}

/** A store in this process's memory: bounded, and gone with the process. Made by `memoryStore()`; it answers at once. */
export interface MemoryStore extends Plain {
  /** See `answersAtOnce` of `Store`. */
  readonly answersAtOnce: true
  /** See `plain` of `Store`. */
  readonly plain: Plain
  /** The record under `id`, or nothing when there is none or it has expired. */
  read(id: string): StoredRecord | undefined
  /** Keeps a record under `id` for `ttl` milliseconds, if nothing is there. Says whether it did. */
  create(id: string, record: StoredRecord, ttl: number): boolean
  /** Changes the record under `id`: see `patch` of `Store`. `ttl`: milliseconds. */
  patch(id: string, patch: Patch, ttl: number): Patched
  /** Gives the record under `id` a new lifetime. Says whether it is there. `ttl`: milliseconds. */
  touch(id: string, lifetime: StoredLifetime, ttl: number): boolean
  /** Puts a tombstone in the place of the record under `id`: see `retire` of `Store`. `ttl`: milliseconds. */
  retire(id: string, retire: Retire, ttl: number): Exclude<Patched, 'emptied'>
  /**
   * The sessions of a subject, the newest first. Nobody (`undefined`, `null`) has none. Throws `ERR_SESSION_OPTION` where `limit`
   * is not a positive integer.
   */
  list(subject: Whose, options?: ListOptions): readonly ListedSession[]
  /**
   * Ends sessions of a subject: all of them, all but one (`except`), or one (`only`). Says how many there were: by a promise where
   * more than 500 end. Nobody has none. Throws `ERR_SESSION_OPTION` where `which` is not what it has to be.
   */
  destroyAll(subject: Whose, which?: Which): Answer<number>
  /** All sessions, in any order. Throws `ERR_SESSION_OPTION` where an option is not what it has to be. */
  all(options?: AllOptions): AsyncIterable<StoredSession>
  /** How many sessions there are, without those that have expired or were retired. */
  count(): number
  /** Ends all sessions that are there when it begins. Says how many there were. */
  clear(): Promise<number>
  /** As in the other stores. There is nothing to do: what is in this process was sealed with its first secret. */
  reseal(options?: ResealOptions): Promise<number>
  /** The number of sessions that it holds, those that expired and were not looked at since included. */
  readonly size: number
}

/** How long (ms) a tombstone is kept at most. Requests that were under way bring its id within ten seconds. */
const LONGEST_TOMBSTONE = 600_000

/**
 * Sessions in this process's memory, for one process and for tests. Each value is kept as JSON text, so that no request
 * shares an object with another; expiry is checked when a session is read.
 *
 * Beyond `max`, tombstones go first, then sessions without a subject, then those that a subject has beyond a thousandth of
 * `max` (two at least), then the others. Of each kind the one goes that was not used for longest. So one who signs in again
 * and again, or many who do not sign in, do not push out the others. A tombstone is kept for ten minutes at most.
 *
 * Throws `ERR_SESSION_OPTION` when `max` is not a positive integer or another option not what it has to be.
 */
export function memoryStore(options: MemoryStoreOptions = {}): MemoryStore {
  checkRowOptions('memoryStore', options, ['max', 'onExpired'])
  const { max = 10_000, now = Date.now, onExpired } = options
  checkOption('memoryStore', 'max', max, Number.isSafeInteger(max) && max > 0, 'a positive integer')
  checkOption('memoryStore', 'now', now, typeof now === 'function', 'a function that gives milliseconds')
  checkListener('memoryStore', 'onExpired', onExpired)
  const tellEvicted = teller(options, 'evicted')
  const entries = new Entries(max, now, ({ name, record: { subject } }, isExpired) => {
    if (isExpired) tell(onExpired, { count: 1 })
    // Of a store with `seal`, what is kept is not the hash.
    else tellEvicted(name, options.seal ? undefined : subject)
  })

  /** What is there, once there is room for one more. */
  function find(name: string): Entry | undefined {
    entries.makeRoom()
    return entries.find(name)
  }

  /** What can be changed. */
  function findLive(name: string): Entry | undefined {
    const entry = find(name)
    return entry?.record.retiredAt === undefined ? entry : undefined
  }

  const rows: Rows = {
    read(name) {
      const record = find(name)?.record
      if (record?.retiredAt === undefined) return record
      return { ...record, retiredFor: now() - record.retiredAt }
    },

    create(name, record, ttl) {
      if (find(name)) return false
      entries.add(name, firstOf(record), ttl)
      return true
    },

    replace(name, record, ttl) {
      const known = find(name)
      if (!known) entries.add(name, firstOf(record), ttl)
      else if (known.record.retiredAt === undefined) entries.change(known, nextOf(known.record, record), ttl)
    },

    patch(name, { set, unset, lifetime, keepsEmpty, version, subject }, ttl) {
      const entry = findLive(name)
      if (!entry) return 'gone'
      const { record } = entry
      if (version !== undefined && version !== record.version) return 'conflict'
      const members = Object.assign({}, unset.length > 0 ? without(record.members, unset) : record.members, set)
      if (unset.length > 0 && !keepsEmpty && Object.keys(members).length === 0) {
        entries.forget(entry)
        return 'emptied'
      }
      entries.change(entry, nextOf(record, { members, lifetime }, subject), ttl)
      return 'saved'
    },

    touch(name, lifetime, ttl) {
      const entry = findLive(name)
      if (!entry) return false
      const { members, version, subject } = entry.record
      entries.change(entry, { members, lifetime, version, subject }, ttl)
      return true
    },

    retire(name, { version, successor }, ttl) {
      // What was just created may be its successor, which must not have pushed it out.
      const entry = entries.find(name)
      if (!entry) return 'gone'
      const { retiredAt, successor: known, version: current, subject } = entry.record
      if (retiredAt !== undefined) return successor !== undefined && successor === known ? 'saved' : 'gone'
      if (version !== undefined && version !== current) return 'conflict'
      entries.change(
        entry,
        { members: {}, lifetime: {}, retiredAt: now(), successor, subject },
        Math.min(ttl, LONGEST_TOMBSTONE),
      )
      return 'saved'
    },

    remove(names) {
      let count = 0
      const tombstones: Tombstone[] = []
      for (const name of names) {
        const entry = find(name)
        if (!entry) continue
        if (entry.record.retiredAt !== undefined) {
          tombstones.push({ name, successor: entry.record.successor })
          continue
        }
        entries.forget(entry)
        count++
      }
      return { count, tombstones }
    },

    forget(names) {
      for (const name of names) {
        const entry = entries.findRetired(name)
        if (entry) entries.forget(entry)
      }
    },

    list: subject => entries.sessionsOf(subject).map(rowOf),
    some: (subject, limit) => entries.sessionsOf(subject, limit).map(({ name }) => name),
    names: subject => entries.namesOf(subject),

    hasCursors: true,

    async *pages(batch, after = '0') {
      if (!/^\d{1,15}$/.test(after)) throw notCursor()
      let page: Row[] = []
      for (const entry of entries.behind(Number(after))) {
        if (page.push({ ...rowOf(entry), cursor: String(entry.place) }) < batch) continue
        yield page
        page = []
      }
      yield page
    },

    count() {
      let count = 0
      for (const { record } of entries.behind(0)) if (record.retiredAt === undefined) count++
      return count
    },
  }

  // Its rows answer at once.
  const store = { ...recordStore('memoryStore', rows, options), answersAtOnce: true } as unknown as Omit<
    MemoryStore,
    'size'
  >
  return Object.defineProperty(store, 'size', { get: () => entries.size, enumerable: true }) as MemoryStore
}

/** A record as it is kept first: one that has a version is kept as it was given. */
function firstOf(record: StoredRecord): StoredRecord {
  if (record.version === 0) return record
  const { members, lifetime, subject } = record
  return { members, lifetime, retiredAt: undefined, version: 0, subject }
}

function nextOf(
  { version = 0, subject: known }: StoredRecord,
  { members, lifetime }: StoredRecord,
  subject: string | null | undefined = known,
): StoredRecord {
  return { members, lifetime, retiredAt: undefined, version: version + 1, subject: subject ?? undefined }
}

function rowOf({ name, record, createdAt, ttl, expiresAt }: Entry): Row {
  return { name, record, createdAt, seenAt: expiresAt - ttl, expiresAt }
}

function without(members: StoredRecord['members'], unset: readonly string[]): StoredRecord['members'] {
  const gone = new Set(unset)
  return Object.fromEntries(Object.entries(members).filter(([name]) => !gone.has(name)))
}
