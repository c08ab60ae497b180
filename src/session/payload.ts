/** A session at rest: the application's data and, beside it, its lifetime. */

import type { Lifetime } from './lifetime.ts'
import type { Members } from './members.ts'

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
}

/** Names in a payload that are never data. */
export const METADATA: ReadonlySet<string> = new Set(['_expire', '_maxAge', '_session', '_requireSave', '_meta'])

/** What is told of a presented session that was not taken up, in the words of 7.x; it is silent about `none`. */
export type Fault = 'missed' | 'expired' | 'invalid' | 'none'

/** Why it was not. */
export type Reason = 'signature' | 'undecodable' | 'missing' | 'retired' | 'expired' | 'absolute' | 'valid' | 'schema'

/** A presented session that was not taken up; `id` is that of a stored one. */
export interface Refused {
  readonly fault: Fault
  /** `undefined`: nothing was presented. */
  readonly reason: Reason | undefined
  readonly value?: unknown
  /** Whether its id was given up so lately that a request that was under way then may still bring it. */
  readonly isParallel?: boolean
  readonly id?: string | undefined
}

/** A presented session that can be taken up, with its data in one of two forms. */
export interface Found {
  readonly fault?: undefined
  readonly id?: string
  readonly lifetime: Lifetime
  readonly payload?: Payload
  /** The JSON that the payload was read from, where that is known and nobody else has the payload. */
  readonly text?: string | undefined
  readonly members?: Members
  /** What a store says of it beside: see `StoredRecord`. */
  readonly version?: number | undefined
  readonly subject?: string | undefined
}

/** What was found behind the value that a client presented. */
export type Loaded = Found | Refused

/** Nothing was presented. */
export const NOTHING: Refused = { fault: 'none', reason: undefined }
/** Something was, and it can't be told from noise. */
export const UNDECODABLE: Refused = { fault: 'none', reason: 'undecodable' }
/** It was not signed or sealed by us. */
export const FORGED: Refused = { fault: 'none', reason: 'signature' }

/** `data` as it is put to rest. */
export function pack(data: Data, lifetime: Lifetime): Payload {
  // Several times as fast as to spread them, in V8.
  return Object.assign({}, data, lifetime)
}

/**
 * What follows `text`, the JSON text of data, without its last brace, in the JSON text of `pack(data, lifetime)`: so
 * that nothing is serialized twice.
 */
export function packedEnd(text: string, { _expire, _maxAge, _meta }: Lifetime): string {
  const end = _expire === undefined ? UNTIL_CLOSED : `"_expire":${json(_expire)},"_maxAge":${json(_maxAge)}`
  const more = _meta ? `,"_meta":${metaText(_meta)}}` : '}'
  return text.length === 2 ? end + more : `,${end}${more}`
}

function metaText({ created, fresh }: Meta): string {
  if (created === undefined || fresh !== undefined) return JSON.stringify({ created, fresh })
  return `{"created":${json(created)}}`
}

/** As `JSON.stringify` has it, in a third of its time. A clock that is not one gives what is no number. */
function json(value: unknown): unknown {
  return Number.isFinite(value) ? value : JSON.stringify(value)
}

const UNTIL_CLOSED = '"_session":true'
/** As `packedEnd` writes it, with its number of members. */
const END = /^(?:"_session":true|"_expire":\d+,"_maxAge":\d+)(,"_meta":\{(?:"\w+":\d+(?:,(?=")|(?=\})))*\})?\}$/

/**
 * Where the data ends in `text`, the JSON text of a payload with so many `reserved` members, if the lifetime follows
 * as `packedEnd` has it; otherwise `undefined`. It can't be mistaken: a quote behind a comma begins a member, and the
 * last brace is that of the whole.
 */
export function endOfData(text: string, reserved: number): number | undefined {
  const timed = text.lastIndexOf('"_expire":')
  const at = timed < 0 ? text.lastIndexOf(UNTIL_CLOSED) : timed
  const end = at < 0 ? null : END.exec(text.slice(at))
  const count = (timed < 0 ? 1 : 2) + (end?.[1] ? 1 : 0)
  if (!end || count !== reserved || (at > 1 && text[at - 1] !== ',')) return undefined
  return at > 1 ? at - 1 : at
}

/** Whether `value` can be a payload: an object, not a list. */
export function isPayload(value: unknown): value is Payload {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
