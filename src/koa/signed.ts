import { find, pairsNamed } from '../codec/cookie-header.ts'
import { isEqual, isSecret, type Secret, signBy } from '../codec/signature.ts'
import { SessionError } from '../errors.ts'
import { isOriginal } from './originals.ts'

/** A cookie that is as it was sent; `isStale`: an older secret signed it. */
export interface Verified {
  readonly value: string
  readonly isStale: boolean
}

/**
 * The `nth` value in `header` of the cookie that begins with `start` (a name and `=`) which is signed by one of the
 * secrets, or any where it is not signed (an empty `startOfSignature`). `null`: Koa's cookies have to be asked. It costs
 * one HMAC where the newest secret signed it, and none for what is larger than `largest`.
 */
export function presentedIn(
  header: string | undefined,
  keys: unknown,
  start: string,
  startOfSignature: string,
  { nth, largest }: { readonly nth: number; readonly largest: number },
): Verified | null | undefined {
  if (!header) return undefined
  const first = find(header, start)
  if (first === undefined) return undefined
  if (startOfSignature && !Array.isArray(keys) && !isKeygrip(keys)) return null
  let left = nth
  for (const pair of pairsNamed(header, start, first)) {
    // Without the `=`, as browsers count.
    if (pair.length === start.length || pair.length - 1 > largest) continue
    const position = startOfSignature ? signerOf(pair, header, startOfSignature, keys) : 0
    if (position >= 0 && left-- === 0) return { value: pair.slice(start.length), isStale: position > 0 }
  }
  return undefined
}

/** Which of the secrets signed `pair`, or -1. */
function signerOf(pair: string, header: string, startOfSignature: string, keys: unknown): number {
  const first = find(header, startOfSignature)
  if (first === undefined) return -1
  const signatures = pairsNamed(header, startOfSignature, first).map(one => one.slice(startOfSignature.length))
  if (!Array.isArray(keys)) {
    const positions = signatures.map(one => (keys as Keygrip).index(pair, one)).filter(position => position >= 0)
    return positions.length > 0 ? Math.min(...positions) : -1
  }
  return keys.findIndex((secret: Secret) => {
    const expected = signBy(secret, pair)
    return signatures.some(one => isEqual(expected, one))
  })
}

interface Keygrip {
  sign(text: string): string
  index(text: string, signature: string): number
}

/** The signature that Koa's cookies write; `undefined` where `keys` are neither a list of secrets nor a Keygrip. */
export function sign(keys: unknown, text: string): string | undefined {
  if (Array.isArray(keys)) return isSecret(keys[0]) ? signBy(keys[0], text) : undefined
  return isKeygrip(keys) ? keys.sign(text) : undefined
}

/** Whether to sign with `keys` says what their `index` does. */
function isKeygrip(keys: unknown): keys is Keygrip {
  const { sign, index } = Object(keys)
  return isOriginal('sign', sign) && isOriginal('index', index)
}

/**
 * Throws `ERR_SESSION_KEYS` where one of the secrets in a list is none: anybody can sign with an empty one. The message
 * has no secret.
 */
export function checkKeys(keys: unknown): void {
  if (!Array.isArray(keys)) return
  for (let at = 0; at < keys.length; at++) {
    if (isSecret(keys[at])) continue
    const advice =
      'an environment variable was probably not set; give a list of secrets, as `npx koa-session keygen` makes them'
    throw new SessionError('ERR_SESSION_KEYS', `app.keys[${at}] is ${shown(keys[at])}: ${advice}`)
  }
}

/** What is not a secret: its kind alone. */
function shown(value: unknown): string {
  if (value === '') return 'an empty string'
  if (value instanceof Uint8Array) return 'no bytes'
  return value === undefined || value === null ? String(value) : `of type ${typeof value}`
}
