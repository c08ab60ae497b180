/** The types of a session. This file imports nothing, so that no file here imports another one for a type alone. */

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
  /** What koa-session 7 does not know. */
  _meta?: Meta
}

/** What 8 says of a session beside the names of 7.x: instants, in milliseconds since the epoch. */
export interface Meta {
  /** When it was made. */
  readonly created?: number
  /** When somebody proved last to be who they are: `regenerate({ fresh: true })`. */
  readonly fresh?: number
  /** Since when somebody has been who they are, with the option `notBefore`. */
  readonly since?: number
  /** Which version of the application its data is of, with the option `version`. */
  readonly dataVersion?: number
}

/** What a payload says of its lifetime. */
export type Lifetime = Pick<Payload, '_expire' | '_maxAge' | '_session' | '_meta'>

/** The event for a presented session that was not accepted, in the words of 7.x; there is none for `none`. */
export type Fault = 'missed' | 'expired' | 'invalid' | 'none'

/** Why it was not. */
export type Reason =
  | 'signature'
  | 'undecodable'
  | 'missing'
  | 'retired'
  | 'expired'
  | 'absolute'
  | 'revoked'
  | 'newer'
  | 'valid'
  | 'schema'

/** A presented session that was not accepted; `id` is that of a stored one. */
export interface Refused {
  readonly fault: Fault
  /** `undefined`: nothing was presented. */
  readonly reason: Reason | undefined
  readonly value?: unknown
  /** Whether its id was given up so lately that a request that was under way then may still bring it. */
  readonly isParallel?: boolean
  /** Whether it was ended in the store for that reason. */
  readonly isEnded?: boolean
  /** Whose it was, where it was ended: see `StoredRecord`. */
  readonly subject?: string | undefined
  readonly id?: string | undefined
}

/** A presented session that is accepted, with its data in one of two forms. */
export interface Found {
  readonly fault?: undefined
  readonly id?: string
  readonly lifetime: Lifetime
  readonly payload?: Payload
  /** The JSON that the payload was read from, where that is known and nobody else has the payload. */
  readonly text?: string | undefined
  readonly members?: Members
  /** The members that the store has, where the payload is what the option `upgrade` has made of them. */
  readonly stored?: Members
  /** What a store says of it beside: see `StoredRecord`. */
  readonly version?: number | undefined
  readonly subject?: string | undefined
}

/** What was found behind the value that a client presented. */
export type Loaded = Found | Refused

/** Data as a store has it that can write one key and leave the others: each value as JSON text, under its name. */
export type Members = Readonly<Record<string, string>>

/** What makes the members of a session of those that a store has. */
export interface Changes {
  readonly set: Members
  readonly unset: readonly string[]
  /** Whether the session holds no data. */
  readonly isEmpty: boolean
}

/** How a session differs from what client and backend have of it. */
export type Difference = 'same' | 'changed' | 'emptied' | 'removed'

/** What a request made of its session. */
export interface Outcome {
  readonly difference: Difference
  /** Whether there was one when it was loaded or last committed. */
  readonly isKnown: boolean
  /** The handler asked for it, by `save()` or by setting `maxAge`. */
  readonly forced: boolean
  /** The handler asked for a new id. */
  readonly regenerate: boolean
  /** Why a session that did not change is to be kept alive, if it is. */
  readonly keepAlive: 'no' | 'rolling' | 'renew'
}

/** What the end of a request does with the session. */
export type Plan =
  | { readonly action: 'skip' }
  | { readonly action: 'save'; readonly reason: 'changed' | 'forced' | 'rolling' | 'renew' }
  | { readonly action: 'replace' }
  | { readonly action: 'destroy'; readonly reason: 'sign-out' | 'emptied' }

/** How a commit differs from the one at the end of a request. */
export interface CommitOptions {
  /** Save even what is empty or has not changed. */
  readonly save?: boolean
  /** Save under a new id, and forget the old one. */
  readonly regenerate?: boolean
}

/** How `regenerate()` differs from a new id and nothing else. */
export interface RegenerateOptions {
  /**
   * The visitor has just proved who they are: `isFresh()` counts from now. The session under the new id has the data of this
   * request, and nothing that parallel requests write under the old one.
   */
  readonly fresh?: boolean
  /** The keys that the session keeps. Default: all of them. */
  readonly keep?: readonly string[]
}

/** Called once the session was saved, or with what went wrong. */
export type CommitCallback = (error?: unknown) => void
