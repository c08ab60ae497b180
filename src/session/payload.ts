/** A session at rest: the application's data and, beside it, its lifetime. */

/** The application's own properties. */
export type Data = Record<string, unknown>

/** Idle lifetime in milliseconds, or `'session'`: until the browser closes. */
export type MaxAge = number | 'session'

/** Data at rest, under the names of koa-session 7. An absent `_expire` means that nothing but the carrier ends it. */
export type Payload = Data & {
  /** The instant at which it expires, in milliseconds since the epoch. */
  _expire?: number
  /** The idle lifetime with which it was saved, in milliseconds. */
  _maxAge?: number
  /** Set when it lives until the browser closes. */
  _session?: true
}

/** Names in a payload that are never data. */
export const METADATA: ReadonlySet<string> = new Set(['_expire', '_maxAge', '_session', '_requireSave', '_meta'])

/** Why a presented session was not taken up. */
export type Fault = 'missed' | 'expired' | 'invalid'

/** A presented session that was not taken up; `id` is that of a stored one. */
export interface Refused {
  readonly fault: Fault
  readonly value: unknown
  readonly id?: string | undefined
}

/** What was found behind the value that a client presented. */
export type Loaded =
  | { readonly fault?: undefined; readonly payload: Payload; readonly id?: string }
  | (Refused & { readonly payload?: undefined })
  | { readonly fault: 'none'; readonly payload?: undefined; readonly id?: undefined }

/** Nothing was presented, or nothing that can be told from noise. */
export const NOTHING: Loaded = { fault: 'none' }

/** `data` as it is put to rest at the instant `now`. */
export function pack(data: Data, maxAge: MaxAge, now: number): Payload {
  const lifetime: Payload = maxAge === 'session' ? { _session: true } : { _expire: now + maxAge, _maxAge: maxAge }
  // Several times as fast as to spread them, in V8.
  return Object.assign({}, data, lifetime)
}

/** The lifetime that a payload was saved with, if it says so. */
export function maxAgeOf(payload: Payload): MaxAge | undefined {
  if (payload._session) return 'session'
  return isLifetime(payload._maxAge) ? payload._maxAge : undefined
}

/** Whether the payload's own lifetime has ended. One without a lifetime has not (as in 7.x). */
export function isExpired(payload: Payload, now: number): boolean {
  return typeof payload._expire === 'number' && payload._expire < now
}

/** Whether `value` can be a payload: an object, not a list. */
export function isPayload(value: unknown): value is Payload {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Beyond this the instant of expiry would be no Date (ECMA-262, 21.4.1.1: 8.64e15 from the epoch). */
const LONGEST = 8e15

/** Whether `value` is a number of milliseconds that a session can live. */
export function isLifetime(value: unknown): value is number {
  return typeof value === 'number' && value > 0 && value <= LONGEST
}
