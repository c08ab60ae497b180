import { find } from '../codec/cookie-header.ts'
import { isEqual, isSigningSecret, type SigningSecret, signBy } from '../codec/signature.ts'
import { SessionError } from '../errors.ts'
import { LARGEST_COOKIE } from '../request/size.ts'
import { isOriginal } from './originals.ts'

/** Whether what is signed with `keys` can be verified here: a list of secrets, or a Keygrip. */
export function canVerify(keys: unknown): boolean {
  return Array.isArray(keys) ? keys.length > 0 : isKeygrip(keys)
}

/**
 * The `nth` value in `header` of the cookie that begins with `start` (a name and `=`) which one of the secrets signed, or
 * any where it is not signed (an empty `startOfSignature`). Notes in `found` whether an older secret signed it. It costs
 * one HMAC where the newest did, and none for what is too large.
 */
export function presentedIn(
  header: string | undefined,
  keys: unknown,
  start: string,
  startOfSignature: string,
  nth: number,
  found: { isStale: boolean },
): string | undefined {
  if (!header) return undefined
  let left = nth
  for (let at = 0; ; at++) {
    const pair = find(header, start, at)
    if (pair === undefined) return undefined
    // Without the `=`, as browsers count.
    if (pair.length === start.length || pair.length - 1 > LARGEST_COOKIE) continue
    const position = startOfSignature ? signerOf(pair, header, startOfSignature, keys) : 0
    if (position < 0 || left-- > 0) continue
    if (position > 0) found.isStale = true
    return pair.slice(start.length)
  }
}

/** Which of the secrets signed `pair`, or -1. */
function signerOf(pair: string, header: string, startOfSignature: string, keys: unknown): number {
  let position = -1
  for (let at = 0; position !== 0; at++) {
    const signature = find(header, startOfSignature, at)?.slice(startOfSignature.length)
    if (signature === undefined) break
    const found = Array.isArray(keys) ? indexIn(keys, pair, signature) : (keys as Keygrip).index(pair, signature)
    if (found >= 0 && (position < 0 || found < position)) position = found
  }
  return position
}

function indexIn(keys: readonly SigningSecret[], pair: string, signature: string): number {
  for (let position = 0; position < keys.length; position++) {
    if (isEqual(signBy(keys[position] as SigningSecret, pair), signature)) return position
  }
  return -1
}

interface Keygrip {
  sign(text: string): string
  index(text: string, signature: string): number
}

/** The signature that Koa's cookies write; `undefined` where `keys` are neither a list of secrets nor a Keygrip. */
export function sign(keys: unknown, text: string): string | undefined {
  if (Array.isArray(keys)) return isSigningSecret(keys[0]) ? signBy(keys[0], text) : undefined
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
    if (isSigningSecret(keys[at])) continue
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
