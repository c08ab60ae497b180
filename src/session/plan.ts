import type { MaxAge } from './payload.ts'

/** What the end of a request does with the session. */
export type Plan =
  | { readonly action: 'skip' }
  | { readonly action: 'save'; readonly reason: 'changed' | 'forced' | 'rolling' | 'renew' }
  | { readonly action: 'replace' }
  | { readonly action: 'destroy' }

/** How a session differs from what client and backend have of it. */
export type Difference = 'same' | 'changed' | 'emptied' | 'removed'

/** What a request made of its session. */
export interface Outcome {
  readonly difference: Difference
  /** Whether there was one when it was taken up or last committed. */
  readonly isKnown: boolean
  /** The handler asked for it, by `save()` or by setting `maxAge`. */
  readonly forced: boolean
  /** The handler asked for a new id. */
  readonly regenerate: boolean
  /** How a session that did not change is to be kept alive. */
  readonly keepAlive: 'no' | 'rolling' | 'renew'
  readonly maxAge: MaxAge
  /** When the session as it was taken up expires; `undefined`: it does not say. */
  readonly expiresAt: number | undefined
}

export const SKIP: Plan = { action: 'skip' }
const REPLACE: Plan = { action: 'replace' }
const DESTROY: Plan = { action: 'destroy' }
const SAVE = {
  changed: { action: 'save', reason: 'changed' },
  forced: { action: 'save', reason: 'forced' },
  rolling: { action: 'save', reason: 'rolling' },
  renew: { action: 'save', reason: 'renew' },
} as const

/** Decides, and does nothing else. `now` is in milliseconds since the epoch. */
export function planCommit(outcome: Outcome, now: number): Plan {
  const { difference, forced } = outcome
  if (difference === 'removed') return DESTROY
  // An empty session is neither stored nor sent, at logout included, unless the handler asks for it.
  if (difference === 'emptied' && !forced) return outcome.isKnown ? DESTROY : SKIP
  if (outcome.regenerate) return REPLACE
  if (forced) return SAVE.forced
  if (difference !== 'same') return SAVE.changed
  return keepAlive(outcome, now)
}

function keepAlive({ keepAlive, maxAge, expiresAt }: Outcome, now: number): Plan {
  const isDue = maxAge !== 'session' && expiresAt !== undefined && expiresAt - now < maxAge / 2
  return keepAlive === 'rolling' || (keepAlive === 'renew' && isDue) ? SAVE[keepAlive] : SKIP
}
