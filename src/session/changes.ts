import { SessionError } from '../errors.ts'
import type { Data, Payload } from './model.ts'

/** The text of a session without data. */
export const EMPTY = '{}'

/**
 * The JSON text of `data`. Two states are the same when their texts are: comparing the text itself can miss no
 * change, as a checksum can.
 *
 * Throws `ERR_SESSION_DATA`, naming the key, for what JSON can't hold (a BigInt, a cycle) and for what it would
 * turn into `{}` without a word (a Map, a Set).
 */
export function textOf(data: Data): string {
  try {
    const text = JSON.stringify(data)
    // Only what serializes to {} can hide a Map, so the closer look is for those few.
    if (text.length > 2 && text.includes(EMPTY)) refuseCollections(data)
    return text
  } catch (cause) {
    throw cause instanceof SessionError ? cause : dataError(data, cause)
  }
}

/** The JSON text of `data`, or `undefined` where there is none: data this deep or cyclic was not written by us. */
export function textOrNothing(data: Data): string | undefined {
  try {
    return JSON.stringify(data)
  } catch {
    return undefined
  }
}

function refuseCollections(data: Data): void {
  for (const key of Object.keys(data)) {
    const kind = collectionIn(data[key])
    if (kind) throw lossy(key, `a ${kind}, which JSON turns into {}`)
  }
}

function collectionIn(value: unknown): 'Map' | 'Set' | undefined {
  // A list of what is still to be looked at instead of recursion: data nests deeper than the stack.
  const pending = [value]
  const seen = new Set<unknown>()
  while (pending.length > 0) {
    const next = pending.pop()
    if (typeof next !== 'object' || next === null || seen.has(next)) continue
    seen.add(next)
    if ('toJSON' in next && typeof next.toJSON === 'function') continue
    // The tag is the same in every realm.
    const tag = Object.prototype.toString.call(next)
    if (tag === '[object Map]') return 'Map'
    if (tag === '[object Set]') return 'Set'
    for (const member of Array.isArray(next) ? next : Object.values(next)) pending.push(member)
  }
  return undefined
}

function dataError(data: Data, cause: unknown): unknown {
  for (const key of Object.keys(data)) {
    try {
      JSON.stringify(data[key])
    } catch (error) {
      return lossy(key, `what JSON can not hold${error instanceof Error ? ` (${error.message})` : ''}`, error)
    }
  }
  return cause
}

function lossy(key: string, what: string, cause?: unknown): SessionError {
  const advice = 'keep plain data in the session: an array, an object, a string'
  return new SessionError('ERR_SESSION_DATA', `session.${key} holds ${what}; ${advice}`, { cause })
}

/**
 * Whether `session` holds just the data of `payload`, as far as values tell that can't change in themselves. `false`:
 * their texts have to be compared.
 */
export function isFlatlySame(session: object, payload: Payload, reserved: number): boolean {
  let left = -reserved
  // What `in` finds beyond the data makes no difference disappear.
  for (const _ in payload) left++
  for (const name in session) {
    const value = (session as Data)[name]
    if (value !== payload[name] || !(value === null || FLAT.has(typeof value))) return false
    left--
  }
  return left === 0
}

const FLAT: ReadonlySet<string> = new Set(['string', 'number', 'boolean'])
