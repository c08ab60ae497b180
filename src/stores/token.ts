import { pooled } from '../codec/random.ts'

/** What tells a call that is repeated from another one: 48 random bits, so that no two are the same among the last few. */
export function token(): string {
  return Buffer.from(pooled(6)).toString('base64url')
}
