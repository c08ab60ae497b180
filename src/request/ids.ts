import { refusePromise } from '../async.ts'
import type { Config } from '../config.ts'
import { SessionError } from '../errors.ts'
import { kindOf } from '../value-kind.ts'
import { called } from './property-error.ts'

/** An id for a new session. Throws `ERR_SESSION_ID` where `genid` gives none. */
export function newId(ctx: unknown, { genid }: Config): string {
  const id = refusePromise(called(genid, ctx), 'genid')
  if (typeof id === 'string' && id !== '') return id
  const advice = 'a string that is not empty, unique and made by chance'
  throw new SessionError('ERR_SESSION_ID', `the option genid returned ${kindOf(id)}, expected ${advice}`)
}

export function takenError(): SessionError {
  const advice = 'make ids by chance, as the default does'
  return new SessionError('ERR_SESSION_ID', `the option genid returned 3 ids that the store has already; ${advice}`)
}

/** A new id that can't reach its client would be a session that nobody can use. */
export function unreachableError(): SessionError {
  const advice = 'begin the session, or regenerate it, before the response begins'
  const what = 'the new id of the session can not be sent, because the headers have left'
  return new SessionError('ERR_SESSION_HEADERS_SENT', `${what}; ${advice}`)
}
