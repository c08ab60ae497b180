/** The table behind a store, and what all stores have in common: the types alone. */

import type { Answer, Patch, Patched, Retire, Store, StoredLifetime, StoredRecord } from './store.ts'

/** A session that a method of a store has ended. */
export interface EndedSession {
  /** A fingerprint, as in the events: the first 8 characters of the SHA-256 of its id in hex. */
  readonly id: string
  /** The SHA-256 of its subject in base64url, where the store has that. */
  readonly subjectHash?: string
  /** By `destroyAll()`, by `clear()`, or because the store was full. */
  readonly reason: 'destroyAll' | 'clear' | 'evicted'
}

export type OnEnded = (ended: EndedSession) => unknown
export type OnExpired = (expired: { readonly count: number }) => unknown

/** The options that all stores have. */
export interface RowOptions {
  /** Whether a session is kept under the SHA-256 of its id, so that what is stored has no id that could be used. */
  readonly hashIds?: boolean | undefined
  /**
   * Secrets, the newest first: each value is sealed (AES-256-GCM) with the first of them, bound to its session and its
   * key, and opened with any. Whose a session is, is kept as an HMAC with the first, and read as without `seal`. The names
   * of the keys, and when a session expires, stay readable. `reseal()` replaces what an older secret has sealed.
   */
  readonly seal?: ReadonlyArray<string | Uint8Array> | undefined
  /**
   * The clock, in milliseconds since the epoch. Default `Date.now`; to sweep, and for how long ago an id was retired, the
   * clock of the database.
   */
  readonly now?: (() => number) | undefined
  /**
   * Told of each session that the store ends itself: by `destroyAll()` and `clear()`, which then delete one after the other,
   * and where `memoryStore` is full. What a request ends is the event `session:ended`. A failure of it is a process warning.
   */
  readonly onEnded?: OnEnded | undefined
}

/** A record in a list. */
export interface Row {
  /** What it is kept under. */
  readonly name: string
  readonly record: StoredRecord
  readonly createdAt: number
  readonly seenAt: number
  readonly expiresAt: number
  /** Of a page whose rows have others than their names: what goes on behind it. */
  readonly cursor?: string | undefined
}

/** A tombstone that was found, with the name of its successor, if it has one. */
export interface Tombstone {
  readonly name: string
  readonly successor: string | undefined
}

export interface Removed {
  /** How many sessions there were. */
  readonly count: number
  /** What was retired, and is still there. */
  readonly tombstones: readonly Tombstone[]
}

/**
 * Where records are kept, each under a name. The methods are those of `Store`, whose guarantees are theirs; a successor is
 * given and returned as a name.
 */
export interface Rows {
  /** Of a tombstone with `retiredFor`. */
  read(name: string): Answer<StoredRecord | undefined>
  create(name: string, record: StoredRecord, ttl: number): Answer<boolean>
  /** Puts a record in the place of any but a tombstone; whose it is stays. */
  replace(name: string, record: StoredRecord, ttl: number): Answer<void>
  patch(name: string, patch: Patch, ttl: number): Answer<Patched>
  touch(name: string, lifetime: StoredLifetime, ttl: number): Answer<boolean>
  retire(name: string, retire: Retire, ttl: number): Answer<Exclude<Patched, 'emptied'>>
  /** Removes all but tombstones. Of each name it is one atomic step to see that it is no tombstone, and to remove it. */
  remove(names: readonly string[]): Answer<Removed>
  /** Removes tombstones, and nothing else. */
  forget(names: readonly string[]): Answer<unknown>
  /**
   * Those of a subject, which is given as in `StoredRecord`, that are there and not retired, in any order. Each session
   * that is there during the whole call is in the list, though it may get another name meanwhile. `limit`: the newest are
   * enough, so many of them.
   */
  list(subject: string, limit?: number): Answer<readonly Row[]>
  /**
   * Names of at most `limit` of those. Absent where to list all of them does not hold the event loop.
   */
  some?(subject: string, limit: number): Answer<readonly string[]>
  /**
   * Names of what a subject has or had. Those of tombstones are among them where names are ids; where they are hashes they
   * need not be, as the name of a tombstone is its handle.
   */
  names(subject: string): Answer<readonly string[]>
  /**
   * All rows, those of tombstones too, about `batch` at a time: from the beginning, or behind the row with this cursor, or with this name
   * where rows have no cursors. Each that is there during the whole walk is in one. Rejects with `ERR_SESSION_OPTION` where `after` is no cursor of its own.
   */
  pages(batch: number, after?: string): AsyncIterable<readonly Row[]>
  /** Whether its rows have cursors of their own. */
  readonly hasCursors?: true
  /** How many there are that are not retired. Absent: they are counted page by page. */
  count?(): Answer<number>
  /** Absent where all that is kept was sealed by this process. */
  readonly rewriting?: Rewriting
}

/** What it takes to seal anew what another secret has sealed. */
export interface Rewriting {
  /** The row under `name`, of a tombstone too. */
  find(name: string): Answer<Row | undefined>
  /**
   * In one atomic step: puts other texts in the place of some of the row's members, and another one in that of its
   * subject, where they were not changed since it was found. All else stays. Says whether it did.
   */
  rewrite(row: Row, texts: Rewritten): Answer<boolean>
}

export interface Rewritten {
  readonly members: StoredRecord['members']
  /** Absent: that stays. */
  readonly subject: string | undefined
}

export interface ResealOptions {
  /** How many sessions are read at a time: a positive integer. Default 100. */
  readonly batch?: number | undefined
}

/** TypeScript 5.0 with `exactOptionalPropertyTypes` has `Required` leave `undefined` in, beside the types of npm's `mongodb`. */
type Whole<Type> = { [Name in keyof Type]-?: Exclude<Type[Name], undefined> }

/** A store with all methods of the contract. */
export interface RecordStore extends Whole<Store> {
  /**
   * Seals anew, with the first secret of `seal`, whatever another one of the list has sealed, so that those can be dropped.
   * Says how many sessions (and retired ids) that were. Lifetimes stay. To be called once every process has the new secret
   * first; it may run in several at once, and again. Rejects with `ERR_SESSION_OPTION` where the store has no `seal`.
   */
  reseal(options?: ResealOptions): Promise<number>
}
