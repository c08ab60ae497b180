import { SessionError } from '../errors.ts'

/** Name and value together, in bytes: RFC 6265bis, 5.6. A browser drops a larger cookie without a word. */
export const LARGEST_COOKIE = 4096

/** `limit`: what there is room for, in bytes, and `advice` how there is more. */
export function tooLarge(key: string, size: number, limit = LARGEST_COOKIE, advice = ''): SessionError {
  const reason =
    limit === LARGEST_COOKIE ? `browsers drop one of more than ${limit}` : `servers may refuse more than ${limit}`
  const out = `keep less in the session, or keep it in a store (option store)${advice}`
  return new SessionError('ERR_SESSION_TOO_LARGE', `the cookie ${key} has ${size} bytes, and ${reason}: ${out}`)
}
