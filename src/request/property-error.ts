import type { Config } from '../config.ts'
import { SessionError, type SessionErrorCode } from '../errors.ts'

/** The error for what was done with the property that holds the session: `ctx.session`, unless an option says otherwise. */
export function propertyError(
  { property }: Config,
  code: SessionErrorCode,
  what: string,
  cause?: unknown,
): SessionError {
  return new SessionError(code, `ctx.${property} ${what}`, { cause })
}
