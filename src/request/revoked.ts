import { SessionError } from '../errors.ts'
import { instantOf, isBefore } from '../session/lifetime.ts'
import type { Lifetime } from '../session/model.ts'
import { kindOf } from '../value-kind.ts'

/**
 * Whether a session with this lifetime began before the `instant` of the option `notBefore`. Throws `ERR_SESSION_OPTION` for
 * what is neither an instant nor nothing.
 */
export function isRevoked(lifetime: Lifetime, instant: unknown): boolean {
  if (instant === undefined || instant === null) return false
  const time = instantOf(instant)
  if (time !== undefined) return isBefore(lifetime, time)
  // Not the value: it may be data.
  const what = `option notBefore gave ${kindOf(instant)}, expected a valid Date, milliseconds since the epoch, or nothing`
  throw new SessionError('ERR_SESSION_OPTION', what)
}
