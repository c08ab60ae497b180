import { SessionError } from '../errors.ts'
import { refusePromise } from './await.ts'
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
