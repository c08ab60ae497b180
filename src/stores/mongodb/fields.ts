/**
 * A session is one document, whose values are strings, numbers and dates:
 *
 * | field | holds |
 * |---|---|
 * | `_id` | the name: the hash of the id, unless `hashIds: false` |
 * | `m` | the members: an object, each name encoded, each value the JSON text of the session's |
 * | `l` | the lifetime, as in a hash of Redis |
 * | `v` | the version |
 * | `s` | whose it is, of a tombstone whose it was; absent: nobody's |
 * | `c`, `n` | when it was created, and saved or extended last (ms, by the clock of the store) |
 * | `e` | when it expires: a date, by which the TTL index deletes it |
 * | `u` | tokens: of the insert, and of the last changes that named a version |
 * | `r` | of a tombstone alone: when the id was retired (`t`, a date), its successor (`n`) if that was named, a token (`u`) |
 *
 * A driver sends a command once more that a lost connection has cut off. A server may carry it out twice. By its token it
 * is known the second time.
 */

import { lifetimeIn, lifetimeText } from '../redis/lifetime.ts'
import type { Row, Tombstone } from '../rows.ts'
import { decodeName, encodeName } from '../sql/names.ts'
import type { Patch, StoredLifetime, StoredRecord } from '../store.ts'
import { type Found, tooLarge } from './collection.ts'

/** How many changes of others may come between a change and its repetition. */
const TOKENS = 7
/** The most that a document can take (bytes), without what is beside the members. */
const LARGEST = 16 * 1024 * 1024 - 16 * 1024
/** What a string and its name take beside their bytes. */
const OVERHEAD = 7

/** To update operators a point divides names, and a dollar begins what is none. */
const OTHER = /[.$]|^_/g

/** The name of a member in printable ASCII, another one for each, that MongoDB takes for nothing but a name. */
function fieldOf(name: string): string {
  return encodeName(name).replace(OTHER, unit => `~${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

export interface Times {
  readonly now: number
  readonly expires: Date
}

/** What is inserted. Throws `ERR_SESSION_TOO_LARGE`. */
export function insertedFor(
  name: string,
  { members, lifetime, subject }: StoredRecord,
  { now, expires }: Times,
  token: string,
): object {
  const m = fieldsFor(members)
  const s = subject === undefined ? {} : { s: subject }
  return { _id: encodeName(name), m, l: lifetimeText(lifetime), v: 0, ...s, c: now, n: now, e: expires, u: [token] }
}

/** What `set` changes of a session that is there: all but whose it is and when it was created. Throws `ERR_SESSION_TOO_LARGE`. */
export function replacementFor({ members, lifetime }: StoredRecord, times: Times): object {
  return { $set: { m: fieldsFor(members), ...extended(lifetime, times) }, $inc: { v: 1 } }
}

export function extended(lifetime: StoredLifetime, { now, expires }: Times): object {
  return { l: lifetimeText(lifetime), n: now, e: expires }
}

/** What a patch changes. Throws `ERR_SESSION_TOO_LARGE`. */
export function changeFor({ set, unset, lifetime, subject }: Patch, times: Times, token: string | undefined): object {
  const gone = unset.filter(name => !Object.hasOwn(set, name)).map(name => [`m.${fieldOf(name)}`, ''])
  if (subject === null) gone.push(['s', ''])
  const moved = typeof subject === 'string' ? { s: subject } : {}
  return {
    $set: { ...extended(lifetime, times), ...moved, ...fieldsFor(set, 'm.') },
    // Older servers refuse one without names.
    ...(gone.length > 0 && { $unset: Object.fromEntries(gone) }),
    $inc: { v: 1 },
    ...(token !== undefined && { $push: { u: { $each: [token], $slice: -TOKENS } } }),
  }
}

/** What becomes of a session whose id is retired. `at`: by the clock of the store; absent: by that of the server. */
export function tombstoneFor(
  successor: string | undefined,
  { now, expires }: Times,
  at: Date | undefined,
  token: string,
): object {
  const named = successor === undefined ? {} : { 'r.n': encodeName(successor) }
  return {
    $set: { m: {}, n: now, e: expires, 'r.u': token, ...named, ...(at && { 'r.t': at }) },
    $unset: { l: '', u: '' },
    $inc: { v: 1 },
    ...(!at && { $currentDate: { 'r.t': true } }),
  }
}

/** The members, each under its field. Throws `ERR_SESSION_TOO_LARGE`. */
export function fieldsFor(members: StoredRecord['members'], prefix = ''): Record<string, string> {
  const fields: Record<string, string> = {}
  let size = 0
  for (const [name, text] of Object.entries(members)) {
    const field = fieldOf(name)
    size += field.length + Buffer.byteLength(text) + OVERHEAD
    fields[prefix + field] = text
  }
  if (size > LARGEST) throw tooLarge()
  return fields
}

/** The record, or nothing where somebody has put something else into the fields. */
export function recordIn({ m, l, v, s, r }: Found): StoredRecord | undefined {
  const subject = textIn(s)
  if (r !== undefined && r !== null) {
    const { t } = Object(r)
    if (!(t instanceof Date)) return undefined
    return { members: {}, lifetime: {}, retiredAt: t.getTime(), successor: successorIn(r), subject }
  }
  const members = membersIn(m)
  const lifetime = typeof l === 'string' ? lifetimeIn(l) : undefined
  if (!members || !lifetime || typeof v !== 'number') return undefined
  return { members, lifetime, retiredAt: undefined, version: v, subject }
}

/** The successor that `r` names. */
function successorIn(r: unknown): string | undefined {
  const text = textIn(Object(r).n)
  return text === undefined ? undefined : decodeName(text)
}

/** A tombstone as what leads to another name. */
export function tombstoneIn({ _id, r }: Found): Tombstone {
  return { name: decodeName(String(_id)), successor: successorIn(r) }
}

/** One that can't be read is listed, too, so that it can be ended. */
export function rowIn(found: Found): Row {
  const { _id, s, c, n, e } = found
  return {
    name: decodeName(String(_id)),
    record: recordIn(found) ?? { members: {}, lifetime: {}, subject: textIn(s) },
    createdAt: Number(c),
    seenAt: Number(n),
    expiresAt: Number(e),
  }
}

/** Whether the command that made `token` has changed what was found. */
export function isDoneBy({ u, r }: Found, token: string): boolean {
  return Object(r).u === token || (Array.isArray(u) && u.includes(token))
}

export function isRetired({ r }: Found): boolean {
  return r !== undefined && r !== null
}

function membersIn(m: unknown): Record<string, string> | undefined {
  if (typeof m !== 'object' || m === null || Array.isArray(m)) return undefined
  const members = Object.entries(m)
  if (!members.every((member): member is [string, string] => typeof member[1] === 'string')) return undefined
  return Object.fromEntries(members.map(([name, text]) => [decodeName(name), text]))
}

function textIn(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}
