import { SessionError } from '../errors.ts'
import { isPublic } from '../node/headers.ts'
import { isDue } from '../session/plan.ts'
import type { Session } from '../session/session.ts'
import { isStoreFailure } from './asked-store.ts'
import type { Scope } from './scope.ts'

/** Why a session that did not change is to be kept alive, if it is. */
export function reasonToExtend({ ctx, config, settings, backend, maxAge }: Scope): 'no' | 'rolling' | 'renew' {
  const { rolling, renew, now } = config
  const isRolling = rolling || settings.isStale
  if (backend.done === 'saved' || !(isRolling || renew) || isPublic(ctx.res)) return 'no'
  if (isRolling) return 'rolling'
  return isDue(renew, maxAge, backend.expiresAt, now()) ? 'renew' : 'no'
}

/** Saves a session that did not change. Where that can't be done, it may stay as it is. */
export function extend({ config, backend }: Scope, session: Session): void | Promise<void> {
  function bear(error: unknown): void {
    // Where cookies are not signed, a stranger chose its size.
    const isTooLarge = error instanceof SessionError && error.code === 'ERR_SESSION_TOO_LARGE'
    const isOutage = config.onStoreError === 'anonymous' && isStoreFailure(error)
    if (!isTooLarge && !isOutage) throw error
  }
  try {
    return backend.save(session)?.catch(bear)
  } catch (error) {
    bear(error)
  }
}
