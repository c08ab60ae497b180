import type { Config } from '../config.ts'
import { SessionError, type SessionErrorCode } from '../errors.ts'
import { warnOnce } from '../warnings.ts'

/** The error for what was done with the property that holds the session: `ctx.session`, unless an option says otherwise. */
export function propertyError(
  { property }: Config,
  code: SessionErrorCode,
  what: string,
  cause?: unknown,
): SessionError {
  return new SessionError(code, `ctx.${property} ${what}`, { cause })
}

/** Says, once per process, that what a session got before its middleware is lost. */
export function warnOfEarly({ property }: Config): void {
  warnOnce(
    'KOA_SESSION_EARLY',
    `what was written to ctx.${property} before its middleware ran is not saved; use the middleware earlier`,
  )
}
