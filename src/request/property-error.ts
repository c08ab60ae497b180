import type { Config } from '../config.ts'
import { SessionError, type SessionErrorCode } from '../errors.ts'
import { kindOf } from '../value-kind.ts'
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

export function badValue(config: Config, value: unknown): SessionError {
  const what = `was set to ${kindOf(value)}, expected a plain object, or null, which ends the session`
  return propertyError(config, 'ERR_SESSION_VALUE', what)
}

export function notLoaded(config: Config): SessionError {
  const advice = 'call `await sessions.load(ctx)` before, where sessions is what session() returned'
  return propertyError(config, 'ERR_SESSION_NOT_LOADED', `was read before it was loaded (option lazy): ${advice}`)
}

/** What is thrown in place of nothing, which a callback takes for success, and for which Koa answers nothing. */
export function orError(error: unknown): unknown {
  if (error !== undefined && error !== null) return error
  const what = `a function that koa-session was given threw, or rejected with, ${error}, expected an Error: throw one`
  return new SessionError('ERR_SESSION_OPTION', what)
}

/** What a function of the application gives, which is not async. Throws what it throws. */
export function called<Given, Value>(work: (given: Given) => Value, given: Given): Value {
  try {
    return work(given)
  } catch (error) {
    throw orError(error)
  }
}

export function skipped(config: Config): SessionError {
  const what = 'was used in a request that has no session, because the option skip returned true'
  return propertyError(config, 'ERR_SESSION_SKIPPED', what)
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
