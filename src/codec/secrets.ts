/** What a list of secrets has to be, wherever one is given: `app.keys`, the option `keys`, `seal` of a store. */

import { KeyObject } from 'node:crypto'
import { SessionError } from '../errors.ts'
import { isSecret, type Secret } from './keyring.ts'
import type { isSigningSecret, SigningSecret } from './signature.ts'
import { type Weakness, weaknessOf } from './weakness.ts'

/** What sealing asks of a secret, in bytes. Signing does with half of it, for the sake of secrets that are in use. */
const SEALING_BYTES = 32
const SIGNING_BYTES = 16
const KEYGEN = '`npx koa-session keygen` makes a secret'
/** How an entry that is no secret comes to be in a list. */
export const UNSET = `. An environment variable was probably not set, or a list ends in a comma: ${KEYGEN}`

/**
 * The secrets in `given`, which errors call `name`. Throws `ERR_SESSION_KEYS` where it is no list of them: anybody can
 * sign and seal with an empty one. The message says which entry is none and of what kind it is, and shows no value.
 */
export function listOfSecrets(given: unknown, name: string): readonly Secret[]
export function listOfSecrets(given: unknown, name: string, isGood: typeof isSigningSecret): readonly SigningSecret[]
export function listOfSecrets(given: unknown, name: string, isGood: (one: unknown) => boolean = isSecret) {
  if (!Array.isArray(given) || given.length === 0) throw noList(given, name)
  // Not `findIndex`: it is done for each request.
  for (let at = 0; at < given.length; at++) if (!isGood(given[at])) throw noSecret(given[at], `${name}[${at}]`)
  return given
}

/** The same, for sealing. Throws `ERR_SESSION_KEYS` for what can be guessed, too. */
export function sealingSecrets(given: unknown, name: string): readonly Secret[] {
  const secrets = listOfSecrets(given, name)
  refuseWeak(secrets, name)
  return secrets
}

/** Throws `ERR_SESSION_KEYS` for what can be guessed (CVE-2023-27524, CVE-2019-5420): it says which, and not what. */
export function refuseWeak(secrets: readonly Secret[], name: string): void {
  const weak = weaknessIn(secrets, name, SEALING_BYTES)
  if (weak) throw new SessionError('ERR_SESSION_KEYS', `${weak}, which sealing refuses: ${KEYGEN}`)
}

/** Why a secret that signs can be guessed, in words for a warning; `undefined`: nothing is known against them. */
export function weakSigning(secrets: readonly SigningSecret[], name: string): string | undefined {
  const weak = weaknessIn(secrets, name, SIGNING_BYTES)
  return weak && `${weak}, so that others can sign sessions: ${KEYGEN}`
}

function weaknessIn(secrets: readonly SigningSecret[], name: string, leastBytes: number): string | undefined {
  for (const [at, secret] of secrets.entries()) {
    const weakness = weaknessOf(secret instanceof KeyObject ? secret.export() : secret, leastBytes)
    if (weakness) return `${name}[${at}] is ${WORDS[weakness]}${weakness === 'short' ? `${leastBytes} bytes` : ''}`
  }
  return undefined
}

const WORDS: Readonly<Record<Weakness, string>> = {
  known: 'made of well-known words',
  short: 'shorter than ',
  repetitive: 'a repetition of a few characters',
}

function noList(given: unknown, name: string): SessionError {
  const advice =
    typeof Object(given).sign === 'function'
      ? 'a Keygrip, which does not show its secrets: give them to the option keys, as a list'
      : `${kindOf(given)}, expected a list of secrets such as [secret]: ${KEYGEN}`
  return new SessionError('ERR_SESSION_KEYS', `${name} is ${advice}`)
}

function noSecret(value: unknown, name: string): SessionError {
  // Text that is no secret is blank.
  const isUnset = [undefined, null, false].includes(value as null) || typeof value === 'string'
  const message = `${name} is ${kindOf(value)}, expected text or bytes${isUnset ? UNSET : `: ${KEYGEN}`}`
  return new SessionError('ERR_SESSION_KEYS', message)
}

/** What kind of thing `value` is, without showing it. */
function kindOf(value: unknown): string {
  if (value === undefined || value === null) return String(value)
  if (typeof value === 'string')
    return value === '' ? 'an empty string' : /\S/.test(value) ? 'a string' : 'a blank string'
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list'
  if (value instanceof Uint8Array) return value.length === 0 ? 'an empty Buffer' : 'bytes'
  if (value instanceof KeyObject)
    return value.symmetricKeySize === 0 ? 'an empty KeyObject' : `a ${value.type} KeyObject`
  if (value instanceof Promise) return 'a promise'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}
