import { orElse } from '../async.ts'
import { SessionError } from '../errors.ts'
import type { Plan } from '../session/model.ts'
import { isChange, isDue, planCommit } from '../session/plan.ts'
import type { CommitWork, Session } from '../session/session.ts'
import type { Backend } from './backend.ts'
import { isStoreFailure } from './store-failure.ts'
import type { SessionCommitMessage } from './tracing.ts'

/** What a commit of `session`, which the handler has or has removed, is to do. */
export function planFor(session: Session | null, save: boolean, regenerate: boolean, backend: Backend): Plan {
  const { settings } = backend
  const compared = session ? backend.compare(session) : 'removed'
  const difference = compared === 'same' && settings.isUnmarked ? 'changed' : compared
  const forced = save || settings.isForced || (backend.done === 'saved' && settings.chosenMaxAge !== undefined)
  const keepAlive = reasonToExtend(backend)
  return planCommit({ difference, isKnown: backend.isKnown, forced, regenerate, keepAlive })
}

/** Why a session that did not change is to be extended, if it is: not in a response that a shared cache may keep. */
function reasonToExtend({ settings, exchange, done, expiresAt }: Backend): 'no' | 'rolling' | 'renew' {
  const { rolling, renew, now } = settings.config
  const isRolling = rolling || settings.isStale
  if (done === 'saved' || !(isRolling || renew) || exchange.isShared) return 'no'
  if (isRolling) return 'rolling'
  return isDue(renew, settings.maxAge, expiresAt, now()) ? 'renew' : 'no'
}

/** Whether a commit would keep a change; data that can't be saved are one. */
export function holdsChange(plan: () => Plan): boolean {
  try {
    return isChange(plan())
  } catch {
    return true
  }
}

/** What a commit is about, as tracing says it. */
export function operationOf(plan: Plan, { update }: CommitWork, backend: Backend): SessionCommitMessage['operation'] {
  if (update && backend.canUpdate) return 'update'
  if (plan.action === 'skip') return 'none'
  if (plan.action !== 'save') return plan.action === 'replace' ? 'regenerate' : 'destroy'
  if (plan.reason === 'rolling' || plan.reason === 'renew') return 'touch'
  return backend.isKnown ? 'patch' : 'create'
}

/** Does what is planned for `session`. `isFinal`: nobody asked for it. */
export function perform(
  plan: Plan,
  session: Session | null | undefined,
  work: CommitWork,
  isFinal: boolean,
  backend: Backend,
): void | Promise<void> {
  // Who asks for a new id is not to go on under the old one, whatever others have written there.
  if (plan.action === 'destroy') return session && !work.regenerate ? backend.empty(session) : backend.end(plan.reason)
  if (plan.action === 'skip' && work.regenerate) return backend.regenerateEmpty()
  if (plan.action === 'skip' || !session) return
  if (plan.action === 'replace') return backend.regenerate(session, work)
  if (plan.reason === 'changed' || plan.reason === 'forced') return backend.save(session, isFinal)
  return extend(backend, session, backend.settings.config.onStoreError)
}

/** Saves a session that did not change. Where that can't be done, it may stay as it is. */
export function extend(backend: Backend, session: Session, onStoreError: 'throw' | 'anonymous'): void | Promise<void> {
  return orElse<void>(
    () => backend.extend(session),
    error => unlessBearable(onStoreError, error),
  )
}

/** Throws `error`, unless a session that was merely to be extended may stay as it is. */
function unlessBearable(onStoreError: 'throw' | 'anonymous', error: unknown): void {
  // Where cookies are not signed, a stranger chose its size.
  const isTooLarge = error instanceof SessionError && error.code === 'ERR_SESSION_TOO_LARGE'
  const isOutage = onStoreError === 'anonymous' && isStoreFailure(error)
  if (!isTooLarge && !isOutage) throw error
}
