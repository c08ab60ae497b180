/** The signatures of signed cookies: HMAC-SHA1 in base64url, as Keygrip makes them. */

import { KeyObject, timingSafeEqual } from 'node:crypto'
import { hmacSha1 as signBy } from './hmac.ts'
import { isSecret, type Secret } from './keyring.ts'

export { signBy }

/** What can sign: a secret, or a key of node:crypto. */
export type SigningSecret = Secret | KeyObject

/** Whether `value` can sign. A KeyObject may have no bytes, or be one of a pair, with which HMAC does not work. */
export function isSigningSecret(value: unknown): value is SigningSecret {
  return isSecret(value) || (value instanceof KeyObject && Number(value.symmetricKeySize) > 0)
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

/** The position of the secret that made `signature` for `pair`, a cookie's name, `=` and value; -1: none of them. */
export function signerIn(secrets: readonly SigningSecret[], pair: string, signature: string): number {
  for (let position = 0; position < secrets.length; position++) {
    if (isEqual(signBy(secrets[position] as SigningSecret, pair), signature)) return position
  }
  return -1
}
