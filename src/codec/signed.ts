import { createHmac, getHashes } from 'node:crypto'
import { SessionError } from '../errors.ts'
import { warnOnce } from '../warnings.ts'
import { find } from './cookie-header.ts'
import type { Memory, Remembered } from './memory.ts'
import { isOriginal } from './originals.ts'
import { listOfSecrets, UNSET, weakSigning } from './secrets.ts'
import { isSigningSecret, signBy, signerIn } from './signature.ts'
import { LARGEST_COOKIE } from './size.ts'

/** Whether what is signed with `keys` can be verified here: a list of secrets, or a Keygrip. */
export function canVerify(keys: unknown): boolean {
  return Array.isArray(keys) ? keys.length > 0 : isKeygrip(keys)
}

/**
 * The `nth` value in `header` of the cookie that begins with `start` (a name and `=`) which one of the secrets signed, or
 * any where it is not signed (an empty `startOfSignature`). Notes in `found` whether an older secret signed it, and what is
 * remembered of it. It costs one HMAC where the newest did, and none for what is too large, or is in `memory`.
 */
export function presentedIn(
  header: string | undefined,
  keys: unknown,
  start: string,
  startOfSignature: string,
  nth: number,
  found: { isStale: boolean; remembered: Remembered | undefined },
  memory?: Memory,
): string | undefined {
  if (!header) return undefined
  let left = nth
  for (let at = 0; ; at++) {
    const pair = find(header, start, at)
    if (pair === undefined) return undefined
    // Without the `=`, as browsers count.
    if (pair.length === start.length || pair.length - 1 > LARGEST_COOKIE) continue
    const value = pair.slice(start.length)
    found.remembered = undefined
    const signer = startOfSignature ? signerOf(pair, value, header, startOfSignature, keys, memory) : 0
    if (signer === -1 || left-- > 0) continue
    if (typeof signer === 'object') found.remembered = signer
    else if (signer > 0) found.isStale = true
    return value
  }
}

/** One of the secrets that signed `pair`, the newest (0) if it did, or -1; or what is remembered of it: the newest did. */
function signerOf(
  pair: string,
  value: string,
  header: string,
  startOfSignature: string,
  keys: unknown,
  memory: Memory | undefined,
): number | Remembered {
  let position = -1
  for (let at = 0; position !== 0; at++) {
    const signature = find(header, startOfSignature, at)?.slice(startOfSignature.length)
    if (signature === undefined) break
    const known = memory?.find(value, signature)
    if (known) return known
    const found = Array.isArray(keys) ? signerIn(keys, pair, signature) : (keys as Keygrip).index(pair, signature)
    if (found === 0) memory?.add({ body: value, tag: signature, text: undefined })
    if (found >= 0) position = found
  }
  return position
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
 * A function that throws `ERR_SESSION_KEYS` where Koa can't sign with `app.keys`, or anybody could; what can be guessed is
 * a process warning. Nothing is said of keys that are not set, which may come later. A list is looked at again when it has
 * changed, in place too; a Keygrip, whose secrets nobody sees, once.
 */
export function createKeysCheck(): (keys: unknown) => void {
  let seen: readonly unknown[] = []
  return keys => {
    const list: readonly unknown[] = Array.isArray(keys) ? keys : [keys]
    if (isSame(list, seen)) return
    checkKeys(keys)
    seen = [...list]
  }
}

function isSame(list: readonly unknown[], seen: readonly unknown[]): boolean {
  if (list.length !== seen.length) return false
  for (let at = 0; at < list.length; at++) if (list[at] !== seen[at]) return false
  return true
}

/** As the function that `createKeysCheck` makes. */
export function checkKeys(keys: unknown): void {
  if (!areSet(keys)) return
  if (isKeygrip(keys)) checkKeygrip(keys)
  // What signs has secrets of its own, which it does not show.
  if (typeof Object(keys).sign === 'function') return
  const weak = weakSigning(listOfSecrets(keys, 'app.keys', isSigningSecret), 'app.keys')
  if (weak) warnOnce('KOA_SESSION_WEAK_SECRET', weak)
}

/** Whether there is anything in `app.keys`. */
export function areSet(keys: unknown): boolean {
  return keys !== undefined && keys !== null && !(Array.isArray(keys) && keys.length === 0)
}

const ENCODINGS = ['base64', 'base64url', 'hex'] as const

/** The signatures of the empty secret that have so many characters, by every algorithm that there is. */
function forgedOf(length: number): string[] {
  const hashes = getHashes().flatMap(name => {
    try {
      return [createHmac(name, '').update('text').digest()]
    } catch {
      // Not every hash makes an HMAC.
      return []
    }
  })
  const texts = hashes.flatMap(hash => ENCODINGS.map(encoding => hash.toString(encoding)))
  // Keygrip writes base64 for URLs, with or without what fills up the end.
  return texts.flatMap(text => [text, text.replace(/=+$/, '')]).filter(text => text.length === length)
}

/** A Keygrip compares with what each of its secrets signs: it throws for what is none, and accepts what is forged. */
function checkKeygrip(keys: Keygrip): void {
  try {
    const forged = new Set(forgedOf(keys.sign('text').length))
    if ([...forged].every(signature => keys.index('text', signature) < 0)) return
    // The message of Node may show the entry.
  } catch {}
  throw new SessionError('ERR_SESSION_KEYS', `app.keys is a Keygrip with an entry that is no secret${UNSET}`)
}
