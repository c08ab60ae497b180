/** The contract of a store: payloads under ids. */

/** A session at rest, as the store keeps it: a plain object that JSON can hold. */
export type StoredPayload = Record<string, unknown>

/** What the middleware says of the call; a store may ignore it. */
export interface StoreCall {
  /** The Koa context of the request. */
  readonly ctx: unknown
}

export interface StoreGetCall extends StoreCall {
  /** The option `rolling`. */
  readonly rolling: boolean
}

export interface StoreSetCall extends StoreGetCall {
  /** Whether the data differs from what is stored under this id. The lifetime in the payload is new in any case. */
  readonly changed: boolean
}

/**
 * Where sessions live when they do not live in the cookie. These three methods are all that is needed; each may
 * return a promise or the value itself.
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
   * ten seconds, so that a session that has expired is seen to have.
   */
  set(id: string, payload: StoredPayload, ttl: number, call: StoreSetCall): unknown
  /** Forgets `id`. Forgetting what is not there is no error. */
  destroy(id: string, call: StoreCall): unknown
}
