import type { Config } from '../config.ts'
import type { Lifetime } from '../session/model.ts'
import type { Session } from '../session/session.ts'
import { ownerOf } from './prepare.ts'

/** Somebody has proved who they are: `regenerate({ fresh: true })`. It ends with them. */
export interface Mark {
  /** The instant. */
  readonly at: number
  /** Who it was. `undefined`: this request made the mark, before it signed somebody in. */
  readonly holder: string | undefined
  /** Whether this request made it. */
  readonly isOwn: boolean
}

/** The instant of the mark that a session was found with, if it has one. */
export function instantIn({ _meta }: Lifetime): number | undefined {
  return Number.isFinite(_meta?.fresh) ? _meta?.fresh : undefined
}

/** The mark of this instant in `session` as it was found, if it is somebody's. */
export function markIn(session: Session, at: number, config: Config): Mark | undefined {
  const holder = holderOf(config, session)
  return holder === undefined ? undefined : { at, holder, isOwn: false }
}

/** `mark`, if it is of who has `session`. One that nobody has is theirs from now on. */
export function heldBy(mark: Mark, config: Config, session: Session): Mark | undefined {
  const holder = holderOf(config, session)
  if (mark.holder === undefined) return { ...mark, holder }
  return mark.holder === holder ? mark : undefined
}

/** Who has `session`. Without the option `subject` it is not known of two whether they are the same. */
export function holderOf(config: Config, session: Session): string | undefined {
  if (!session.populated) return undefined
  return config.subject ? ownerOf(config, session) : 'somebody'
}
