import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto'
import type { Secret } from './keyring.ts'

/**
 * Whose a session is, as a store keeps it that has secrets: so that nobody without them can try names of users on a copy of
 * it. It is made of the SHA-256 that the store is given, in base64url. Its bytes, in base64url, are
 *
 * | offset | length | |
 * |---|---|---|
 * | 0 | 16 | the tag: the first half of HMAC-SHA256 of the digest |
 * | 16 | 32 | the digest, XOR HMAC-SHA256 of the tag with another key |
 *
 * The same digest gives the same text, so that it can be looked up. Whoever has the secret gets the digest back, so that it
 * can be hidden with another one: a synthetic IV, as in RFC 5297, by HMAC alone.
 */
export interface SubjectKey {
  readonly tagKey: Buffer
  readonly maskKey: Buffer
}

const TAG_LENGTH = 16
const DIGEST_LENGTH = 32
const HIDDEN = /^[\w-]{64}$/

export function subjectKey(secret: Secret): SubjectKey {
  const bytes = Buffer.from(hkdfSync('sha256', secret, 'koa-session', 'koa-session subject 1 key', 64))
  return { tagKey: bytes.subarray(0, 32), maskKey: bytes.subarray(32) }
}

/** `digest` as the store keeps it. What is no SHA-256 is kept as it is. */
export function hideSubject(digest: string, key: SubjectKey): string {
  const bytes = Buffer.from(digest, 'base64url')
  if (bytes.length !== DIGEST_LENGTH) return digest
  const tag = tagOf(bytes, key)
  return Buffer.concat([tag, masked(bytes, tag, key)]).toString('base64url')
}

/** The digest in what `hideSubject` made with one of `keys`, and the position of that. */
export function openSubject(
  text: string,
  keys: readonly SubjectKey[],
): { readonly digest: string; readonly position: number } | undefined {
  if (!isHidden(text)) return undefined
  const bytes = Buffer.from(text, 'base64url')
  const tag = bytes.subarray(0, TAG_LENGTH)
  for (const [position, key] of keys.entries()) {
    const digest = masked(bytes.subarray(TAG_LENGTH), tag, key)
    if (timingSafeEqual(tagOf(digest, key), tag)) return { digest: digest.toString('base64url'), position }
  }
  return undefined
}

/** Whether `text` is what `hideSubject` makes, and no digest. */
export const isHidden = (text: string) => HIDDEN.test(text)

function tagOf(digest: Buffer, { tagKey }: SubjectKey): Buffer {
  return createHmac('sha256', tagKey).update(digest).digest().subarray(0, TAG_LENGTH)
}

function masked(bytes: Buffer, tag: Buffer, { maskKey }: SubjectKey): Buffer {
  const mask = createHmac('sha256', maskKey).update(tag).digest()
  return Buffer.from(bytes.map((byte, at) => byte ^ (mask[at] ?? 0)))
}
