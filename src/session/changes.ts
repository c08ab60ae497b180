import { SessionError } from '../errors.ts'
import { checkLosses, mayHaveLosses, unjson } from './losses.ts'
import type { Data, Payload } from './model.ts'

/** The text of a session without data. */
export const EMPTY = '{}'

/**
 * The JSON text of `data`. Two states are the same when their texts are: comparing the text itself can miss no
 * change, as a checksum can.
 *
 * Throws `ERR_SESSION_DATA`, naming the key, for a BigInt, a cycle, a Map, a Set and a promise. Raises the process
 * warning `KOA_SESSION_LOSSY`, once for each key, for what else JSON loses and leaves a trace of, see `checkLosses`.
 */
export function textOf(data: Data): string {
  try {
    const text = JSON.stringify(data)
    if (mayHaveLosses(text)) checkLosses(data)
    return text
  } catch (cause) {
    throw cause instanceof SessionError ? cause : unheld(data, cause)
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

/** What `text` says, or `undefined` where it is no JSON. */
export function parsedOrNothing(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The error for the first value that JSON can not hold. */
function unheld(data: Data, cause: unknown): unknown {
  for (const key of Object.keys(data)) {
    try {
      JSON.stringify(data[key])
    } catch (error) {
      return unjson(key, error)
    }
  }
  return cause
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
