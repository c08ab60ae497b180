import * as crypto from 'node:crypto'

/** The SHA-256 of `text` in base64url: 43 characters. */
export const digest: (text: string) => string =
  // Half the time, from Node 20.12 on.
  typeof crypto.hash === 'function'
    ? text => crypto.hash('sha256', text, 'base64url')
    : text => crypto.createHash('sha256').update(text).digest('base64url')

/** A SHA-256 in base64url as logs may show it: its first 8 digits. */
export function fingerprintOf(hash: string): string {
  return Buffer.from(hash, 'base64url').toString('hex').slice(0, 8)
}

/** An id as logs may show it. */
export function fingerprint(id: string | undefined): string | undefined {
  return id === undefined ? undefined : fingerprintOf(digest(id))
}

/** The text of a name: of a string, or of a whole number that is exact; `undefined` for anything else. */
export function nameIn(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  return typeof value === 'bigint' || Number.isSafeInteger(value) ? String(value) : undefined
}
