import { refusePromise } from '../async.ts'
import { SessionError } from '../errors.ts'
import type { Scope } from './scope.ts'

/** An id for a new session. Throws `ERR_SESSION_ID` where `genid` gives none. */
export function newId({ ctx, config }: Scope): string {
  const id = refusePromise(config.genid(ctx), 'genid')
  if (typeof id === 'string' && id !== '') return id
  const what = id === '' ? 'an empty string' : typeof id
  throw new SessionError('ERR_SESSION_ID', `genid gave ${what}, expected an id`)
}

/** A new id that can't reach its client would be a session that nobody can use: `ERR_SESSION_HEADERS_SENT`. */
export function refuseUnreachable({ presented, reply }: Scope, id: string): void {
  if (!reply.hasLeft || id === presented.value || id === reply.carried) return
  const advice = 'use the session before the response begins'
  throw new SessionError('ERR_SESSION_HEADERS_SENT', `the headers left before the id of a new session; ${advice}`)
}

/** How many ids are tried for a new session, where those that `genid` gives are taken. */
const ATTEMPTS = 3

/** Throws `ERR_SESSION_ID` when the last attempt found its id taken. */
export function refuseTaken(attempt: number): void {
  if (attempt === ATTEMPTS) throw new SessionError('ERR_SESSION_ID', `genid gave ${ATTEMPTS} ids that are taken`)
}

/** A store outlives the session by this much (ms), so that one that has expired is seen to have (as in 7.x). */
const GRACE = 10_000

/** How long (ms) a store is to keep what is put under an id. */
export function ttlOf({ maxAge, config }: Scope): number {
  return maxAge === 'session' ? config.ttl : maxAge + GRACE
}
