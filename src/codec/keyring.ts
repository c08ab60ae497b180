import { createSecretKey, hkdfSync, type KeyObject } from 'node:crypto'

/** What the user configures: text, of which the UTF-8 counts, or bytes. */
export type Secret = string | Uint8Array

/** Whether `value` can be a secret: text that is not blank, or bytes. */
export function isSecret(value: unknown): value is Secret {
  return typeof value === 'string' ? value.trim() !== '' : value instanceof Uint8Array && value.length > 0
}

/** What is derived from one secret. None of it tells anything about the secret, or about the other. */
export interface SealingKey {
  /** 256 bits, for AES. */
  readonly cipherKey: KeyObject
  /** 4 bytes, as an unsigned number: it stands in the clear in what is sealed, and tells which key opens it. */
  readonly hint: number
}

/** The keys of a list of secrets, in its order: the first one seals, each opens. */
export type Keyring = readonly SealingKey[]

/**
 * How keys are derived: HKDF-SHA256 (RFC 5869) with the secret as its input. The salt may be fixed and known (3.1); key
 * and hint differ by `info`, which makes them independent of each other (3.2). It does not slow a guess down: the
 * secret itself has to be beyond guessing (`weakness.ts`).
 */
const SALT = 'koa-session'
const KEY_INFO = 'koa-session sealed 1 key'
const HINT_INFO = 'koa-session sealed 1 hint'

/** So many secrets are remembered beside those of the current list: an application may make them as it goes. */
const REMEMBERED = 32

interface Derived {
  /** A copy: the bytes of a secret may be overwritten. */
  readonly secret: string | Buffer
  readonly key: SealingKey
}

/**
 * A function from secrets, newest first, to their keys. Asked again for equal secrets, in whatever list, it returns the
 * very same keyring without deriving anything; a list that was changed since, in place too, is noticed. Each user of
 * one list has its own such function.
 */
export function createKeyrings(): (secrets: readonly Secret[]) => Keyring {
  const remembered: Derived[] = []
  let current: readonly Derived[] = []
  let keyring: Keyring = []

  function derivedOf(secret: Secret): Derived {
    const known = remembered.find(derived => isSame(derived.secret, secret))
    if (known) return known
    const derived = derive(secret)
    if (remembered.push(derived) > REMEMBERED) remembered.shift()
    return derived
  }

  return secrets => {
    if (!isSameList(current, secrets)) {
      current = secrets.map(derivedOf)
      keyring = current.map(({ key }) => key)
    }
    return keyring
  }
}

function derive(secret: Secret): Derived {
  const bytes = Buffer.from(hkdfSync('sha256', secret, SALT, KEY_INFO, 32))
  const hint = Buffer.from(hkdfSync('sha256', secret, SALT, HINT_INFO, 4)).readUInt32BE()
  const copy = typeof secret === 'string' ? secret : Buffer.from(secret)
  return { secret: copy, key: { cipherKey: createSecretKey(bytes), hint } }
}

function isSameList(known: readonly Derived[], secrets: readonly Secret[]): boolean {
  if (known.length !== secrets.length) return false
  for (let at = 0; at < known.length; at++) if (!isSame(known[at]?.secret, secrets[at])) return false
  return true
}

function isSame(known: string | Buffer | undefined, secret: Secret | undefined): boolean {
  if (typeof known !== 'object' || typeof secret !== 'object') return known === secret
  return known.equals(secret)
}
