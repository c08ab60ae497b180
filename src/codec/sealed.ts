import { createCipheriv, createDecipheriv } from 'node:crypto'
import { SessionError } from '../errors.ts'
import type { Keyring, SealingKey } from './keyring.ts'
import { pooled, type RandomSource } from './random.ts'

/**
 * Sealed text: AES-256-GCM, written in base64url without padding (RFC 4648, section 5). Its bytes are
 *
 * | offset | length | |
 * |---|---|---|
 * | 0 | 1 | the version of this layout, 1 |
 * | 1 | 4 | the hint of the key (`keyring.ts`, which says how both are derived) |
 * | 5 | 12 | the nonce, random |
 * | 17 | n | the ciphertext of the text in UTF-8, as long as that |
 * | 17 + n | 16 | the tag |
 *
 * The associated data are the first 5 of these bytes, followed by the UTF-8 of the JSON text `["purpose","name"]`, made
 * by `JSON.stringify`: what was sealed for one purpose or for the cookie of one name does not open for another. A store
 * has two names there: that of the row and that of the key.
 */
const VERSION = 1
const HINT_AT = 1
const NONCE_AT = 5
const TEXT_AT = 17
const TAG_LENGTH = 16
const ALGORITHM = 'aes-256-gcm'
/** Node's default takes tags of other lengths, too: 4 bytes of one could be guessed. */
const OPTIONS = { authTagLength: TAG_LENGTH }

/** The length in characters up to which a cookie's value is opened, far above what browsers and servers let through. */
export const LONGEST = 16_384
const SHORTEST = ((TEXT_AT + TAG_LENGTH) * 4) / 3

/** What a sealed value is for. Made once, by `sealContext`. */
export interface SealContext {
  readonly associated: Uint8Array
  /** The associated data by key: there are as many as there are secrets. */
  readonly known: Map<SealingKey, Buffer>
}

/**
 * What came of opening. `position` is that of the secret that sealed it, 0 for the newest. Either `fault` is a refusal:
 * `undecodable` is no text of this layout, `signature` was not sealed by any of the secrets for this context.
 */
export type Opened =
  | { readonly fault?: undefined; readonly text: string; readonly position: number }
  | { readonly fault: 'undecodable' | 'signature' }

const UNDECODABLE: Opened = { fault: 'undecodable' }
const SIGNATURE: Opened = { fault: 'signature' }

/** What a value is at present. Nothing in it outlives a call, and it never holds a text in the clear. */
const scratch = Buffer.allocUnsafeSlow((LONGEST * 3) / 4)
const nonceInScratch = scratch.subarray(NONCE_AT, TEXT_AT)
const tag = Buffer.allocUnsafeSlow(TAG_LENGTH)

/** Binds what is sealed to its purpose and to the name of its cookie, or to several names, each for itself. */
export function sealContext(purpose: string, ...names: readonly string[]): SealContext {
  return { associated: Buffer.from(JSON.stringify([purpose, ...names])), known: new Map() }
}

/**
 * `text`, sealed by the newest secret: good as the value of a cookie, and another one each time. A lone surrogate in
 * `text` would become U+FFFD, but JSON escapes it. What is longer than `LONGEST` opens only if `open` is told. Throws
 * `ERR_SESSION_KEYS` when there is no secret.
 *
 * With random nonces, a secret may seal 2^32 values at most (NIST SP 800-38D, 8.3), after which it has to be replaced:
 * 136 years of one a second, 50 days of 1,000 a second.
 */
export function seal(text: string, keyring: Keyring, context: SealContext, random: RandomSource = pooled): string {
  const [key] = keyring
  if (!key) throw new SessionError('ERR_SESSION_KEYS', 'a sealed cookie needs at least one secret')
  nonceInScratch.set(random(TEXT_AT - NONCE_AT))
  const cipher = createCipheriv(ALGORITHM, key.cipherKey, nonceInScratch, OPTIONS)
  cipher.setAAD(associatedData(key, context))
  const ciphertext = cipher.update(text, 'utf8')
  cipher.final()
  const tagAt = TEXT_AT + ciphertext.length
  const length = tagAt + TAG_LENGTH
  const bytes = length > scratch.length ? Buffer.concat([scratch.subarray(0, TEXT_AT)], length) : scratch
  bytes[0] = VERSION
  bytes.writeUInt32BE(key.hint, HINT_AT)
  bytes.set(ciphertext, TEXT_AT)
  bytes.set(cipher.getAuthTag(), tagAt)
  return bytes.toString('base64url', 0, length)
}

/**
 * What `seal` sealed for the same `context` with one of the secrets; a value, and never an exception, for any `value`.
 * Each sealed value has exactly one text: what decodes to the same bytes, but is written otherwise, is refused. So is,
 * before work is done on it, what is longer than `longest` characters.
 */
export function open(value: string, keyring: Keyring, context: SealContext, longest = LONGEST): Opened {
  if (value.length < SHORTEST || value.length > longest) return UNDECODABLE
  const bytes = value.length > LONGEST ? Buffer.allocUnsafeSlow((value.length * 3) / 4) : scratch
  const length = bytes.write(value, 'base64url')
  if (!isCanonical(value, length) || bytes[0] !== VERSION) return UNDECODABLE
  const hint = bytes.readUInt32BE(HINT_AT)
  for (let position = 0; position < keyring.length; position++) {
    const key = keyring[position]
    // Another secret with the same hint is improbable, and tried.
    const text = key?.hint === hint ? decrypt(key, bytes, length, context) : undefined
    if (text !== undefined) return { text, position }
  }
  return SIGNATURE
}

/** The characters that a last group of two or three may end in: no bits are left over. */
const LAST = ['', '', 'AQgw', 'AEIMQUYcgkosw048']
/** In the strings that headers are, which have a byte a character, it is known to match nothing without a look at them. */
const WIDE = /[^\0-\xff]/

/**
 * Whether `value` is the one text that the `length` bytes which Node made of it are written as. Node skips what it does not
 * know, so that there are fewer bytes; takes the other alphabet, too, and the low byte of a character that has two.
 */
function isCanonical(value: string, length: number): boolean {
  const rest = value.length % 4
  if (length !== Math.floor((value.length * 3) / 4) || value.includes('+') || value.includes('/')) return false
  return (rest === 0 || LAST[rest]?.includes(value.at(-1) ?? ' ') === true) && !WIDE.test(value)
}

function decrypt(key: SealingKey, bytes: Buffer, length: number, context: SealContext): string | undefined {
  const tagAt = length - TAG_LENGTH
  const nonce = bytes === scratch ? nonceInScratch : bytes.subarray(NONCE_AT, TEXT_AT)
  const decipher = createDecipheriv(ALGORITHM, key.cipherKey, nonce, OPTIONS)
  decipher.setAAD(associatedData(key, context))
  for (let at = 0; at < TAG_LENGTH; at++) tag[at] = bytes[tagAt + at] as number
  decipher.setAuthTag(tag)
  const text = decipher.update(bytes.subarray(TEXT_AT, tagAt))
  try {
    decipher.final()
  } catch {
    // The one thing that it throws for: the tag is not that of these bytes.
    return undefined
  }
  return text.toString()
}

function associatedData(key: SealingKey, { associated, known }: SealContext): Buffer {
  const made = known.get(key)
  if (made) return made
  const data = Buffer.alloc(NONCE_AT + associated.length)
  data[0] = VERSION
  data.writeUInt32BE(key.hint, HINT_AT)
  data.set(associated, NONCE_AT)
  // An application may make secrets as it goes.
  if (known.size >= MOST_KNOWN) known.clear()
  known.set(key, data)
  return data
}

const MOST_KNOWN = 32
