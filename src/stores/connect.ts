import { checkOption } from './after.ts'
import { checkNames } from './options.ts'
import type { StoredPayload } from './store.ts'

/** As much of a store for express-session as is called. */
export interface ExpressStore {
  get(id: string, callback: (error?: unknown, session?: unknown) => void): unknown
  set(id: string, session: ExpressSession, callback: (error?: unknown) => void): unknown
  destroy(id: string, callback: (error?: unknown) => void): unknown
}

/** A session as such stores take it: they tell from the cookie how long it lives. */
export interface ExpressSession {
  readonly cookie: ExpressCookie
}

/** A cookie as express-session writes it into a session. */
export interface ExpressCookie {
  /** Milliseconds. */
  readonly originalMaxAge: number
  readonly expires: Date
  readonly httpOnly: boolean
  readonly path: string
  /** Milliseconds. As with express-session it is there to be read, and is not written. */
  readonly maxAge?: number
}

export interface ConnectStoreOptions {
  /** The clock that the store goes by, in milliseconds since the epoch. Default `Date.now`. */
  readonly now?: (() => number) | undefined
}

/** A store of three methods. */
export interface ConnectedStore {
  get(id: string): Promise<StoredPayload | undefined>
  set(id: string, payload: StoredPayload, ttl: number): Promise<void>
  destroy(id: string): Promise<void>
}

/** The latest instant that is a Date (ECMA-262, 21.4.1.1). */
const LATEST = 8.64e15

/** What is no data: the cookie, and what session-file-store writes into each session. */
const FOREIGN: ReadonlySet<string> = new Set(['cookie', '__lastAccess'])
/** Data under such a name has one underscore more in the store, so that nothing is lost. */
const SHIFTED = /^_*(cookie|__lastAccess)$/

/**
 * Any store that was made for express-session as one for this package: connect-redis, connect-pg-simple, connect-mongo,
 * memorystore, session-file-store and others. Ids and data are in it as express-session has them, so that it reads what
 * that has written; ids are not hashed. The last of parallel requests that save a session wins, and a slow request can
 * bring back one that another has ended: such a store offers nothing that would prevent it.
 *
 * A session that is missing or is no JSON is `undefined`, also where the store calls it an error. Rejects with what the
 * store calls back, throws or rejects with. Throws `ERR_SESSION_OPTION` when `store` is no such store.
 */
export function connectStore(store: ExpressStore, options: ConnectStoreOptions = {}): ConnectedStore {
  checkNames('connectStore', options, ['now'])
  const { now = Date.now } = options
  const isStore = [store?.get, store?.set, store?.destroy].every(method => typeof method === 'function')
  // A client of Redis, and a store of this package, have methods of these names that call nothing back.
  const isOther = 'hGetAll' in Object(store) || 'plain' in Object(store)
  checkOption('connectStore', 'store', store, isStore && !isOther, 'a store for express-session')
  checkOption('connectStore', 'now', now, typeof now === 'function', 'a function that gives milliseconds')

  const destroy = (id: string) => answerOf(callback => store.destroy(id, callback)).then(() => undefined, unlessMissing)

  return {
    get: id => answerOf(callback => store.get(id, callback)).then(payloadIn, unlessMissing),

    // Never by `touch`: that renews the cookie alone, and the payload says itself when it expires.
    async set(id, payload, ttl) {
      // To memorystore no time at all is for ever.
      if (!(ttl > 0)) return destroy(id)
      const session = { ...shifted(payload), cookie: cookieFor(Math.ceil(ttl), now()) }
      await answerOf(callback => store.set(id, session, callback))
    },

    destroy,
  }
}

function cookieFor(maxAge: number, now: number): ExpressCookie {
  const expires = new Date(Math.min(now + maxAge, LATEST))
  return Object.defineProperty({ originalMaxAge: maxAge, expires, httpOnly: true, path: '/' }, 'maxAge', {
    value: maxAge,
  })
}

function shifted(payload: StoredPayload): StoredPayload {
  return Object.fromEntries(
    Object.entries(payload).map(([name, value]) => [SHIFTED.test(name) ? `_${name}` : name, value]),
  )
}

function payloadIn(session: unknown): StoredPayload | undefined {
  if (typeof session !== 'object' || session === null || Array.isArray(session)) return undefined
  const data = Object.entries(session).filter(([name]) => !FOREIGN.has(name))
  return Object.fromEntries(data.map(([name, value]) => [SHIFTED.test(name) ? name.slice(1) : name, value]))
}

/** What is called back first. A promise may fulfil before that, and so tells nothing but that it failed. */
function answerOf(ask: (callback: (error?: unknown, answer?: unknown) => void) => unknown): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const asked = ask((error, answer) => (error ? reject(error) : resolve(answer)))
    Promise.resolve(asked).catch(reject)
  })
}

/** Throws `error`, unless it only says that there is no session: to express-session, too, ENOENT says that. */
function unlessMissing(error: unknown): undefined {
  const { name, code, syscall } = Object(error)
  // A socket that is not there is a server that is down.
  const isMissing = (code === 'ENOENT' && syscall !== 'connect') || name === 'SyntaxError'
  if (!isMissing) throw error
}
