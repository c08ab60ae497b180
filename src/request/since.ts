import type { Config } from '../config.ts'
import { sinceIn } from '../session/lifetime.ts'
import type { Lifetime } from '../session/model.ts'
import type { Session } from '../session/session.ts'
import { holderOf } from './mark.ts'

/** Since when somebody has been who they are in a session. */
export interface Since {
  /** The instant. `undefined`: it is unknown, and stays so. */
  readonly at: number | undefined
  /** Who it is, with the option `subject`. */
  readonly holder: string | undefined
}

/** Whether it matters: with the option `notBefore`. Without it, what another process with the option has saved is kept. */
export function hasSince({ _meta }: Lifetime, { notBefore }: Config): boolean {
  return notBefore !== undefined || _meta?.since !== undefined
}

/** What a session was found with. */
export function sinceFound(lifetime: Lifetime, config: Config, session: Session): Since {
  return { at: sinceIn(lifetime), holder: subjectOf(config, session) }
}

/** What `session` is saved with at the instant `now`: it is as old as it was, unless it gets a new id or is somebody else's. */
export function sinceOf(
  known: Since | undefined,
  config: Config,
  session: Session,
  now: number,
  isAnew: boolean,
): Since | undefined {
  if (!known && config.notBefore === undefined) return undefined
  const holder = subjectOf(config, session)
  return known && !isAnew && known.holder === holder ? known : { at: now, holder }
}

function subjectOf(config: Config, session: Session): string | undefined {
  return config.subject && holderOf(config, session)
}
