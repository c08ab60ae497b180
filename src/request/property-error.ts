import type { Config } from '../config.ts'
import { SessionError, type SessionErrorCode } from '../errors.ts'
import { kindOf } from '../session/value.ts'
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
  warnOnce('KOA_SESSION_EARLY', `what ctx.${property} got before its middleware is not saved`)
}

export function badValue(config: Config, value: unknown): SessionError {
  return propertyError(config, 'ERR_SESSION_VALUE', `was set to ${kindOf(value)}, expected null or a plain object`)
}

export function skipped(config: Config): SessionError {
  return propertyError(config, 'ERR_SESSION_SKIPPED', 'was used on a request that the option skip leaves out')
}

/** Says, once per process, that a response has left and nothing will commit the session. */
export function warnOfLost({ property }: Config, isWithoutMiddleware: boolean): void {
  if (isWithoutMiddleware) {
    const advice = `call app.use(session(app)) before the middleware that uses ctx.${property}`
    warnOnce('KOA_SESSION_UNUSED', `ctx.${property} was used, and the response left without its middleware: ${advice}`)
    return
  }
  const advice = `call ctx.${property}.manuallyCommit(), or commit(ctx) of the middleware, before the response ends`
  warnOnce(
    'KOA_SESSION_UNCOMMITTED',
    `ctx.${property} was changed and autoCommit is false, so nothing is saved: ${advice}`,
  )
}
