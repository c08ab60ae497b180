import type { Secret } from './keyring.ts'

/**
 * Why a secret is weak. `known`: it stands in a readme or a tutorial; `short`: it has fewer than 16 bytes; `repetitive`:
 * it has fewer than 5 different bytes, or repeats fewer than 16.
 */
export type Weakness = 'known' | 'short' | 'repetitive'

/** 128 bits, if they are random. */
const LEAST_BYTES = 16
const LEAST_DIFFERENT = 5

/** From the readmes and tutorials of Koa, its packages, express-session, iron-session, Fastify, hapi, NestJS, Superset. */
const WELL_KNOWN = [
  ['some secret hurr', 'some secret', 'im a newer secret', 'i like turtle', 'keys', 'keykeys', 'key1', 'key2'],
  ['insert 64 bytes random string', 'insert another 64 bytes random string', 'SEKRIT1', 'SEKRIT2', 'SEKRIT3'],
  ['keyboard cat', 'secret', 'secret key', 'super secret', 'super secret key', 'my super secret key', 'top secret'],
  ['my secret', 'my secret key', 'your secret', 'your secret key', 'your secret key here', 'session secret'],
  ['your session secret', 'change me', 'change this', 'changeit', 'change me in production', 'replace me', 'default'],
  ['password', 'complex_password_at_least_32_characters_long', 'password-should-be-32-characters', 'development'],
  ['the-password-must-be-at-least-32-characters-long', 'a secret with minimum length of 32 characters'],
  ['averylogphrasebiggerthanthirtytwochars', 'averylogphrasebiggerthanfortytwochars', 'thisISaSECRET_1234'],
  ['CHANGE_ME_TO_A_COMPLEX_RANDOM_SECRET', 'YOUR_OWN_RANDOM_GENERATED_SECRET_KEY', 'TEST_NON_DEV_SECRET'],
  ['your-secret-key-change-in-production', 'your-super-secret-key', '12345678901234567890123456789012'],
]

/** What counts of a well-known secret: neither case nor what separates its words. */
function essence(text: string): string {
  return text.toLowerCase().replace(/[\s_-]/g, '')
}

const wellKnown = new Set(WELL_KNOWN.flat().map(essence))

/** Why `secret` should not be used, or `undefined`: then nothing is known against it, which does not prove it strong. */
export function weaknessOf(secret: Secret): Weakness | undefined {
  const bytes = Buffer.from(secret)
  // One character for each byte.
  const text = bytes.toString('latin1')
  if (wellKnown.has(essence(text))) return 'known'
  if (bytes.length < LEAST_BYTES) return 'short'
  return new Set(bytes).size < LEAST_DIFFERENT || isRepeating(text) ? 'repetitive' : undefined
}

/** Whether `text` is something shorter than a secret has to be, at least twice; a last part of it may follow. */
function isRepeating(text: string): boolean {
  for (let length = 1; length < LEAST_BYTES && length * 2 <= text.length; length++) {
    if (text.startsWith(text.slice(length))) return true
  }
  return false
}
