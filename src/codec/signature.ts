/** The signatures of signed cookies: HMAC-SHA1 in base64url, as Keygrip makes them. */

import { createHmac, createSecretKey, KeyObject, timingSafeEqual } from 'node:crypto'
import { isSecret, type Secret } from './keyring.ts'

/** What can sign: a secret, or a key of node:crypto. */
export type SigningSecret = Secret | KeyObject

/** Whether `value` can sign. A KeyObject may have no bytes, or be one of a pair, with which HMAC does not work. */
export function isSigningSecret(value: unknown): value is SigningSecret {
  return isSecret(value) || (value instanceof KeyObject && Number(value.symmetricKeySize) > 0)
}

/** The signature of `text`. */
export function signBy(secret: SigningSecret, text: string): string {
  const key = typeof secret === 'string' ? keyOf(secret) : secret
  return createHmac('sha1', key).update(text).digest('base64url')
}

let ours = Buffer.alloc(0)
let theirs = Buffer.alloc(0)

/** Whether they are equal, in a time that says nothing about them but their lengths. */
export function isEqual(text: string, other: string): boolean {
  const { length } = text
  if (other.length !== length) return false
  if (ours.length !== length) [ours, theirs] = [Buffer.alloc(length), Buffer.alloc(length)]
  return ours.write(text) === length && theirs.write(other) === length && timingSafeEqual(ours, theirs)
}

/** Secrets as node:crypto has them. Applications have a few; one that makes them as it goes does not fill the memory. */
const secrets = new Map<string, KeyObject>()

function keyOf(secret: string): KeyObject {
  const known = secrets.get(secret)
  if (known) return known
  if (secrets.size >= 100) secrets.clear()
  const made = createSecretKey(secret, 'utf8')
  secrets.set(secret, made)
  return made
}
