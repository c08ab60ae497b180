import { refusePromise } from '../async.ts'
import type { Config } from '../config.ts'
import { SessionError } from '../errors.ts'

/** An id for a new session. Throws `ERR_SESSION_ID` where `genid` gives none. */
export function newId(ctx: unknown, { genid }: Config): string {
  const id = refusePromise(genid(ctx), 'genid')
  if (typeof id === 'string' && id !== '') return id
  const what = id === '' ? 'an empty string' : typeof id
  throw new SessionError('ERR_SESSION_ID', `genid gave ${what}, expected an id`)
}

export function takenError(): SessionError {
  return new SessionError('ERR_SESSION_ID', 'genid gave 3 ids that are taken; let it give random ones')
}

/** A new id that can't reach its client would be a session that nobody can use. */
export function unreachableError(): SessionError {
  const advice = 'use the session before the response begins'
  return new SessionError('ERR_SESSION_HEADERS_SENT', `the headers left before the id of a new session; ${advice}`)
}
