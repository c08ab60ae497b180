/** The contract of a store: payloads under ids. */

/** A session at rest, as the store keeps it: a plain object that JSON can hold. */
export type StoredPayload = Record<string, unknown>

/** What the middleware says of the call; a store may ignore it. */
export interface StoreCall {
  /** The Koa context of the request. */
  readonly ctx: unknown
  /**
   * Whether the id comes in a cookie that is signed or sealed. Otherwise, with `externalKey` and `signed: false`, it may be
   * any text that a client has made up: it must not become a path or a query.
   */
  readonly signed?: boolean | undefined
}

/** The same, where a session is read. */
export interface StoreGetCall extends StoreCall {
  /** The option `rolling`. */
  readonly rolling: boolean
}

/** The same, where a session is saved. */
export interface StoreSetCall extends StoreGetCall {
  /** Whether the data differs from what is stored under this id. The lifetime in the payload is new in any case. */
  readonly changed: boolean
}

/**
 * Where sessions live when they do not live in the cookie. The methods `get`, `set` and `destroy` are all that is
 * needed; each may return a promise or the value itself.
 *
 * A rejection means that the backend is unavailable, and nothing else: a session that is missing, expired or
 * corrupt is `undefined`. The object is called as an object (`store.get(…)`), never through detached methods.
 */
export interface Store {
  /**
   * The payload under `id`, or nothing when there is none or it has expired.
   * `maxAge`: the configured idle lifetime, in milliseconds.
   */
  get(id: string, maxAge: number, call: StoreGetCall): unknown
  /**
   * Keeps `payload` under `id`, in place of any other, for `ttl` milliseconds. `ttl` is the session's lifetime and
   * ten seconds, so that a session that has expired is seen to have. Where the store has whose session it is, that stays.
   */
  set(id: string, payload: StoredPayload, ttl: number, call: StoreSetCall): unknown
  /**
   * Deletes what is under `id`. To delete what is not there is no error. Where `id` was retired in favour of a successor,
   * the session under the successor is deleted, and so on over up to 20 tombstones that are still there. Beyond that it
   * rejects, and no session is deleted.
   */
  destroy(id: string, call: StoreCall): unknown

  /**
   * Whether no method ever gives a promise, as of a store in memory. With the option `lazy`, such a store is read when
   * `ctx.session` is. Absent: it is not known, and `load(ctx)` of the middleware has to be awaited.
   */
  readonly answersAtOnce?: boolean | undefined
  /**
   * A store that has this and `read`, `create`, `patch` and `touch` is written to key by key, so that parallel requests
   * that change different keys both win, and no request restores a session that another has ended. `plain` are its own
   * `get`, `set` and `destroy`: where somebody has put others in their place (a wrapper, a subclass, a mock), those are
   * used, and none of the methods below.
   */
  readonly plain?: Pick<Store, 'get' | 'set' | 'destroy'>
  /** The record under `id`, or nothing when there is none, or it has expired, or it can't be read. */
  read?(id: string, call: StoreGetCall): Answer<StoredRecord | undefined>
  /** Keeps a record under `id` for `ttl` milliseconds, if nothing is there. Says whether it did. */
  create?(id: string, record: StoredRecord, ttl: number, call: StoreCall): Answer<boolean>
  /**
   * In one atomic step: if there is a record under `id`, and it has the version that `patch` names, if any, sets and
   * removes members of it, gives it a new lifetime and another version. One that is left without members by what is
   * removed is dropped, unless `keepsEmpty`.
   */
  patch?(id: string, patch: Patch, ttl: number, call: StoreCall): Answer<Patched>
  /** Gives the record under `id` a new lifetime and leaves its members alone. Says whether it is there. */
  touch?(id: string, lifetime: StoredLifetime, ttl: number, call: StoreCall): Answer<boolean>
  /**
   * Puts a tombstone in the place of the record under `id`, for `ttl` milliseconds, if it is there and has the version
   * that is named, if any. A store may keep it for ten minutes alone. The tombstone keeps the `successor` that is named, and whose session it was. A tombstone never
   * yields data again: `get` gives `{ _retired: at }` and `read` a record with `retiredAt`, the instant. To `create` the
   * id is taken, to `patch` and `touch` there is nothing, and what is `set` is not kept. To retire it again in favour of
   * the same successor is `saved`, whatever the version, so that a call whose answer was lost can be repeated; any other
   * `retire` is `gone`. A store without this method is asked to `destroy`.
   */
  retire?(id: string, retire: Retire, ttl: number, call: StoreCall): Answer<Exclude<Patched, 'emptied'>>
  /**
   * The sessions of a subject, the newest first, those of one instant by their handles, without those that have expired or
   * were retired: `maxSessions` has each process end the same ones. One that is retired during the call is listed under its successor. Nobody has none. Throws or rejects with `ERR_SESSION_OPTION` where
   * `limit` is not a positive integer.
   */
  list?(subject: Whose, options?: ListOptions): Answer<readonly ListedSession[]>
  /**
   * Ends sessions of a subject: all of them, all but one, or one. Says how many there were. One whose id was retired ends
   * under its successor, as with `destroy`, and rejects as that does once the others have ended. Throws or rejects with
   * `ERR_SESSION_OPTION`, and ends nothing, where `which` has another name, or one that is no text: `undefined` neither.
   * Nobody has none. More than 500 end 500 at a time, so that the event loop goes on: then the answer is a promise.
   */
  destroyAll?(subject: Whose, which?: Which): Answer<number>

  /**
   * All sessions, whoever's they are, in any order, without those that have expired or were retired. Each that is there
   * under one id during the whole walk is in it. Only some are in memory at a time. Throws `ERR_SESSION_OPTION` where an option is not what it has to
   * be; a step of the iterator rejects where the backend is unavailable, and with `ERR_SESSION_OPTION` where no session can be found by `after`.
   */
  all?(options?: AllOptions): AsyncIterable<StoredSession>
  /** How many sessions there are, without those that have expired or were retired. */
  count?(): Answer<number>
  /**
   * Ends all sessions that are there when it begins, some at a time, so that the event loop goes on. Says how many there
   * were. One whose id is retired meanwhile ends under its successor, unless it gets more than 20 new ids. Retired ids stay retired.
   */
  clear?(): Promise<number>
}

/** A value, or a promise of it. */
export type Answer<T> = T | Promise<T>

/** Whose a session is: a name, or a whole number, which stands for its text. A number is at most 2^53 - 1, a bigint any. */
export type Subject = string | number | bigint

/**
 * The same, or `{ subjectHash }`: the `subject` of a `StoredRecord`, as `read` and the event `session:reuse` give it, whatever
 * the store makes of it at rest. `undefined` and `null`: nobody, as the hash too. A hash that is no text is
 * refused: to some databases it would be a query.
 */
export type Whose = Subject | { readonly subjectHash: string | undefined } | null | undefined

/** The lifetime of a session, in milliseconds, under its names in a payload. `_session`: it ends when the browser closes. */
export interface StoredLifetime {
  readonly _expire?: number
  readonly _maxAge?: number
  readonly _session?: true
  readonly _meta?: {
    readonly created?: number
    readonly fresh?: number
    readonly since?: number
    readonly dataVersion?: number
  }
}

/** A session as a store has it that is written to key by key. */
export interface StoredRecord {
  /** The session's top-level keys, each with the JSON text of its value. Never written to once it was handed over. */
  readonly members: Readonly<Record<string, string>>
  /** When it expires, and what else koa-session says of it. */
  readonly lifetime: StoredLifetime
  /** When the id was retired (ms since the epoch), if it was: then there are no members. */
  readonly retiredAt?: number | undefined
  /**
   * Of a tombstone that is read: how long ago (ms) the id was retired, by the clock of the store. Processes whose clocks
   * differ then agree on it. Absent: the middleware compares `retiredAt` with its own clock.
   */
  readonly retiredFor?: number | undefined
  /** Of a tombstone that is read: the handle of the id that took its place, if that was named: its SHA-256 in base64url. */
  readonly successor?: string | undefined
  /**
   * An integer: another one after each `patch` and each `set`, not after a `touch`. A store may have none; then only one
   * process can `update()` a session at a time.
   */
  readonly version?: number | undefined
  /**
   * Whose session it is, or of a tombstone was, if that is known: the SHA-256 of the subject in base64url, so that a
   * store holds no name of a user. `list` and `destroyAll` are given the subject itself, or this as `{ subjectHash }`. What a
   * store keeps may be made of it (an HMAC, by the option `seal`); it takes and gives this. A session whose secret was
   * dropped is read with the HMAC in its place, which finds the sessions that are kept with the same one.
   */
  readonly subject?: string | undefined
}

/** What `patch` changes: members, by their JSON texts, and the lifetime. `keepsEmpty`: a record without members stays. */
export interface Patch {
  readonly set: Readonly<Record<string, string>>
  readonly unset: readonly string[]
  readonly lifetime: StoredLifetime
  readonly keepsEmpty: boolean
  /** The version that the record must have. */
  readonly version?: number | undefined
  /** Whose session it is from now on, as in `StoredRecord`; `null`: nobody's. Absent: that does not change. */
  readonly subject?: string | null | undefined
}

/** Which record `retire` retires, and in favour of which id. */
export interface Retire {
  /** The version that the record must have. */
  readonly version?: number | undefined
  /** The id that takes the place of this one. The store keeps it as it keeps ids. */
  readonly successor?: string | undefined
}

/**
 * What became of a record: it was saved, it was dropped as it was left without members, it is not there, or it has
 * another version.
 */
export type Patched = 'saved' | 'emptied' | 'gone' | 'conflict'

/** One of the sessions of a subject. Instants are milliseconds since the epoch. */
export interface ListedSession {
  /** The SHA-256 of its id in base64url: it ends this session (`destroyAll`), and is good for nothing else. */
  readonly handle: string
  /** When it was stored first under its id: `regenerate()`, at sign-in, gives it another one. */
  readonly createdAt: number
  /** When it was saved or extended last. */
  readonly seenAt: number
  /** When it expires, unless it is used before. */
  readonly expiresAt: number
  /** What it holds, without its lifetime. */
  readonly data: StoredPayload
}

/** One of all sessions. */
export interface StoredSession extends ListedSession {
  /** The SHA-256 of its subject in base64url, if it has one. */
  readonly subjectHash: string | undefined
  /** Where a later walk goes on: see `AllOptions`. It opens nothing. */
  readonly cursor: string
}

/** What `list()` takes beside the subject. */
export interface ListOptions {
  /** How many are listed at most: a positive integer. Default: all. */
  readonly limit?: number | undefined
}

/** What `all()` takes. */
export interface AllOptions extends ListOptions {
  /** The `cursor` of a session of an earlier walk: this one goes on behind it. Default: from the beginning. */
  readonly after?: string | undefined
}

/** Which sessions `destroyAll()` ends. Default: all of the subject. */
export interface Which {
  /**
   * The id of a session that goes on: `ctx.session.externalKey`. If the id was retired, the session under its successor
   * goes on. A successor that is created during the call is only known once the id is retired in favour of it.
   */
  readonly except?: string | undefined
  /** The handle of the one that ends. If its id was retired since, the session under its successor ends. */
  readonly only?: string | undefined
}

/** A store that is written to key by key. */
export type KeyedStore = Store & Required<Pick<Store, 'read' | 'create' | 'patch' | 'touch'>>

/** `store`, if it can be written to key by key. */
export function keyed(store: Store): KeyedStore | undefined {
  const { plain } = store
  const isOwn = plain?.get === store.get && plain.set === store.set && plain.destroy === store.destroy
  return isOwn && store.read && store.create && store.patch && store.touch ? (store as KeyedStore) : undefined
}
