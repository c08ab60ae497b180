/** Cookies as the middleware writes them, made of the codec alone. */
import { split } from '../../src/codec/chunks.ts'
import { createKeyrings } from '../../src/codec/keyring.ts'
import { seal, sealContext } from '../../src/codec/sealed.ts'
import { encoded, signature } from '../compat/both.ts'
import { newSecret } from '../support/secrets.ts'

export const NOW = 1_700_000_000_000
export const HOUR = 3_600_000
export const [NEWEST, OLDER, FOREIGN] = [newSecret(), newSecret(), newSecret()]
export const SECRETS = [NEWEST, OLDER]

/** A session of 27 and 11 bytes of data, with an hour of its two hours left. */
export const PAYLOAD = { n: 123456789, user: 'ada-lovelace', _expire: NOW + HOUR, _maxAge: 2 * HOUR }

const keyrings = createKeyrings()

/** A Cookie header with `value` and its signature. */
export function signedValue(value: string, { key = 'koa.sess', secret = NEWEST } = {}): string {
  return `${key}=${value}; ${key}.sig=${signature(key, value, secret)}`
}

export function signed(payload: unknown, how?: { key?: string; secret?: string }): string {
  return signedValue(encoded(payload), how)
}

/** The value of a sealed cookie with a payload, or with `text`. */
export function sealedValue(
  payload: unknown,
  { key = 'koa.sess', secret = NEWEST, purpose = 'session', text = JSON.stringify(payload) } = {},
): string {
  return seal(text, keyrings([secret]), sealContext(purpose, key))
}

export function sealed(payload: unknown, how?: Parameters<typeof sealedValue>[1]): string {
  return `${how?.key ?? 'koa.sess'}=${sealedValue(payload, how)}`
}

/** The pairs of a sealed session that is cut into pieces of `limit` characters. */
export function chunked(payload: unknown, limit: number): string[] {
  const pieces = split(sealedValue(payload), { limit, max: 9 }) ?? []
  return pieces.map((piece, at) => `koa.sess${at === 0 ? '' : `.${at}`}=${piece}`)
}
