import { EMPTY } from './changes.ts'
import type { MaxAge } from './payload.ts'

/** What the end of a request does with the session. */
export type Plan =
  | { readonly action: 'skip' }
  | { readonly action: 'save'; readonly reason: 'changed' | 'forced' | 'rolling' | 'renew' }
  | { readonly action: 'replace' }
  | { readonly action: 'destroy' }

/** What a request made of its session. */
export interface Outcome {
  /** The data's text now; `null`: the handler removed the session. */
  readonly after: string | null
  /** Whether there was one when it was taken up or last committed. */
  readonly isKnown: boolean
  /** Whether the text is another one since. */
  readonly isChanged: boolean
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

/** Decides, and does nothing else. `now` is in milliseconds since the epoch. */
export function planCommit(outcome: Outcome, now: number): Plan {
  const { after, isChanged, forced } = outcome
  if (after === null) return { action: 'destroy' }
  // An empty session is neither stored nor sent, at logout included, unless the handler asks for it.
  if (after === EMPTY && !forced && isChanged) return outcome.isKnown ? { action: 'destroy' } : SKIP
  if (outcome.regenerate) return { action: 'replace' }
  if (forced) return { action: 'save', reason: 'forced' }
  if (isChanged) return { action: 'save', reason: 'changed' }
  return keepAlive(outcome, now)
}

function keepAlive({ keepAlive, maxAge, expiresAt }: Outcome, now: number): Plan {
  const isDue = maxAge !== 'session' && expiresAt !== undefined && expiresAt - now < maxAge / 2
  return keepAlive === 'rolling' || (keepAlive === 'renew' && isDue) ? { action: 'save', reason: keepAlive } : SKIP
}
