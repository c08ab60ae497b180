import { SessionError } from '../errors.ts'
import { checkOption } from './after.ts'
import { checkNames } from './options.ts'
import type { StoreCall, StoredPayload } from './store.ts'

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

/** The options of `connectStore()`. */
export interface ConnectStoreOptions {
  /**
   * The ids that are accepted: the whole id has to match. One that does not is missing, and the store is not asked. Default:
   * any id that came in a signed or sealed cookie, and otherwise 1 to 128 letters of `A-Z`, `a-z`, `0-9`, `_` and `-`.
   */
  readonly ids?: RegExp | undefined
  /** The clock that the store goes by, in milliseconds since the epoch. Default `Date.now`. */
  readonly now?: (() => number) | undefined
}

/** Whether the id was signed. Who does not say so does not know. */
type IdCall = Pick<StoreCall, 'signed'>

/** A store of three methods. */
export interface ConnectedStore {
  /** The payload under `id`, or nothing when there is none, it has expired, or the id is not accepted. */
  get(id: string, maxAge?: number, call?: IdCall): Promise<StoredPayload | undefined>
  /** Keeps `payload` under `id` for `ttl` milliseconds. Rejects with `ERR_SESSION_ID` for an id that is not accepted. */
  set(id: string, payload: StoredPayload, ttl: number, call?: IdCall): Promise<void>
  /** Deletes what is under `id`. */
  destroy(id: string, call?: IdCall): Promise<void>
}

/** In a path, in a query and in a pattern each of these stands for itself. */
const HARMLESS = /^[A-Za-z0-9_-]{1,128}$/

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
 * bring back one that another has ended: such a store offers nothing that would prevent it. It may make a path of an id,
 * so that an id which nothing signed does not reach it unless it matches the option `ids`.
 *
 * A session that is missing or is no JSON is `undefined`, also where the store calls it an error. Rejects with what the
 * store calls back, throws or rejects with. Throws `ERR_SESSION_OPTION` when `store` is no such store.
 */
export function connectStore(store: ExpressStore, options: ConnectStoreOptions = {}): ConnectedStore {
  checkNames('connectStore', options, ['ids', 'now'])
  const { ids, now = Date.now } = options
  const isStore = [store?.get, store?.set, store?.destroy].every(method => typeof method === 'function')
  // A client of Redis, and a store of this package, have methods of these names that call nothing back.
  const isOther = 'hGetAll' in Object(store) || 'plain' in Object(store)
  checkOption('connectStore', 'store', store, isStore && !isOther, 'a store for express-session')
  checkOption('connectStore', 'ids', ids, ids === undefined || ids instanceof RegExp, 'a RegExp')
  checkOption('connectStore', 'now', now, typeof now === 'function', 'a function that gives milliseconds')

  const isAccepted = accepting(ids)

  async function destroy(id: string, call?: IdCall): Promise<void> {
    if (isAccepted(id, call)) await answerOf(callback => store.destroy(id, callback)).catch(unlessMissing)
  }

  return {
    async get(id, _maxAge, call) {
      if (!isAccepted(id, call)) return undefined
      return answerOf(callback => store.get(id, callback)).then(payloadIn, unlessMissing)
    },

    // Never by `touch`: that renews the cookie alone, and the payload says itself when it expires.
    async set(id, payload, ttl, call) {
      if (!isAccepted(id, call)) throw refusal(ids)
      // To memorystore no time at all is for ever.
      if (!(ttl > 0)) return destroy(id, call)
      const session = { ...shifted(payload), cookie: cookieFor(Math.ceil(ttl), now()) }
      await answerOf(callback => store.set(id, session, callback))
    },

    destroy,
  }
}

function accepting(ids: RegExp | undefined): (id: string, call: IdCall | undefined) => boolean {
  if (!ids) return (id, call) => call?.signed === true || HARMLESS.test(id)
  // Without its state, and with no line but the whole id.
  const whole = new RegExp(`^(?:${ids.source})$`, ids.flags.replace(/[gmy]/g, ''))
  return id => whole.test(id)
}

/** A new id of the application itself: nobody else can bring one that was not found before. */
function refusal(ids: RegExp | undefined): SessionError {
  const what = ids
    ? 'a new id does not match the option ids; give ids a pattern that the ids of genid and prefix match as a whole'
    : 'a new id has other characters than A-Z a-z 0-9 _ -, or more than 128, and no cookie signs it; set the option ids to ' +
      'a pattern that your ids match, or sign the cookie; a ContextStore or a wrapper passes the last argument of each method on'
  return new SessionError('ERR_SESSION_ID', `connectStore: ${what}`)
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
