import { SessionError } from '../errors.ts'
import { isDue } from '../session/plan.ts'
import { isStoreFailure } from './asked-store.ts'
import type { Backend } from './backend.ts'
import type { Settings } from './settings.ts'

/** Why a session that did not change is to be extended, if it is. `isShared`: the response may be in a shared cache. */
export function reasonToExtend(
  { config, isStale, maxAge }: Settings,
  { done, expiresAt }: Backend,
  isShared: boolean,
): 'no' | 'rolling' | 'renew' {
  const { rolling, renew, now } = config
  const isRolling = rolling || isStale
  if (done === 'saved' || !(isRolling || renew) || isShared) return 'no'
  if (isRolling) return 'rolling'
  return isDue(renew, maxAge, expiresAt, now()) ? 'renew' : 'no'
}

/** Throws `error`, unless a session that was merely to be extended may stay as it is. */
export function unlessBearable(onStoreError: 'throw' | 'anonymous', error: unknown): void {
  // Where cookies are not signed, a stranger chose its size.
  const isTooLarge = error instanceof SessionError && error.code === 'ERR_SESSION_TOO_LARGE'
  const isOutage = onStoreError === 'anonymous' && isStoreFailure(error)
  if (!isTooLarge && !isOutage) throw error
}
