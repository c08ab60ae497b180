import type { MaxAge, Outcome, Plan } from './model.ts'

export const SKIP: Plan = { action: 'skip' }
const REPLACE: Plan = { action: 'replace' }
const DESTROY: Plan = { action: 'destroy', reason: 'emptied' }
const SIGN_OUT: Plan = { action: 'destroy', reason: 'sign-out' }
const SAVE = {
  changed: { action: 'save', reason: 'changed' },
  forced: { action: 'save', reason: 'forced' },
  rolling: { action: 'save', reason: 'rolling' },
  renew: { action: 'save', reason: 'renew' },
} as const

/** Decides, and does nothing else. */
export function planCommit({ difference, isKnown, forced, regenerate, keepAlive }: Outcome): Plan {
  if (difference === 'removed') return SIGN_OUT
  // An empty session is neither stored nor sent, at logout included, unless the handler asks for it.
  if (difference === 'emptied' && !forced) return isKnown ? DESTROY : SKIP
  if (regenerate) return REPLACE
  if (forced) return SAVE.forced
  if (difference !== 'same') return SAVE.changed
  return keepAlive === 'no' ? SKIP : SAVE[keepAlive]
}

/** Whether it keeps something that the handler did, and not merely a session alive. */
export function isChange(plan: Plan): boolean {
  return plan.action === 'save' ? plan.reason === 'changed' || plan.reason === 'forced' : plan.action !== 'skip'
}

/**
 * Whether a session that expires at the instant `expiresAt` (`undefined`: it does not say) is to be renewed: when less
 * than `threshold` is left of its lifetime, or less than half of that (`true`). All in milliseconds.
 */
export function isDue(
  threshold: number | boolean,
  maxAge: MaxAge,
  expiresAt: number | undefined,
  now: number,
): boolean {
  if (!threshold || maxAge === 'session' || expiresAt === undefined) return false
  return expiresAt - now < (threshold === true ? maxAge / 2 : threshold)
}
