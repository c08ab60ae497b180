import { maxAgeOf } from '../session/lifetime.ts'
import type { Difference, Found, Lifetime, Loaded } from '../session/model.ts'
import type { Session } from '../session/session.ts'
import type { Scope } from './scope.ts'

/**
 * Turns what the client carries into a session and back, for one request, and knows what client and store have of it.
 * There are two kinds, and nothing else asks which one it has. Where a method gives no promise, its work is done when
 * it returns.
 */
export abstract class Backend {
  protected readonly scope: Scope
  /** The instant at which it expires; `undefined`: it does not say. */
  expiresAt: number | undefined
  /** What this request did last: gave the session its lifetime from now, or ended it. */
  done: 'nothing' | 'saved' | 'ended' = 'nothing'

  /** How long (ms) the request has waited for a store, since its handler last asked for a commit. */
  waited = 0

  constructor(scope: Scope) {
    this.scope = scope
  }

  /** The session's id, where it needs one; it is made with the session, not at its commit (as in 7.x). */
  abstract get id(): string | undefined
  /** Whether loading takes a round trip, so that it is done before the handler runs. */
  abstract get waits(): boolean
  /** Whether client and store have a session. */
  abstract get isKnown(): boolean
  /** Whether a store is being asked to hold the session under an id that is new to it. */
  abstract get isNewIdUnderWay(): boolean
  /** Gives the session an id, where it needs one and has none. */
  abstract nameIt(): void
  abstract unname(): void
  /** What is behind the value that the client presented. */
  abstract load(presented: string): Loaded | Promise<Loaded>
  /**
   * Fills `session` with what was found. Says whether it can be told if it changes: data this deep or cyclic was not
   * written by us.
   */
  abstract fill(session: Session, found: Found): boolean
  /** How `session` differs from what is known. `isAhead`: a save that is under way is not to have what changed since. */
  abstract compare(session: Session, isAhead?: boolean): Difference
  /** Puts the session to rest as it was compared last, and has the client carry it. */
  abstract save(session: Session): void | Promise<void>
  /** The same, under a new id; the old one is forgotten. */
  abstract replace(session: Session, keep?: readonly string[]): void | Promise<void>
  /** Whether others may write to the session, key by key, so that `update` has something to do. */
  get canUpdate(): boolean {
    return false
  }
  /** Has `change` change the session as it is by now, and saves that in the same step. */
  update(_session: Session, _change: (draft: Session) => unknown): void | Promise<void> {}
  /** Ends the session, for the client too: one that was removed, or one that was `emptied`. */
  abstract destroy(emptied?: Session): void | Promise<void>
  /** Does at once what has to leave with the headers, of a save (or with `null` a destroy) that is still to come. */
  abstract announce(session: Session | null): void
  /** Takes up that what was presented, and could not be read, is to be forgotten. */
  abstract giveUp(presented: string | undefined): void
  /** Takes up that the client has another session by now: this request saves none, and sends nothing. */
  abstract giveWay(): void

  /** Client and store have the session with this lifetime from now on. */
  protected committed(lifetime: Lifetime): void {
    this.expiresAt = lifetime._expire
    this.done = 'saved'
    // One that the handler has set since is still to be saved.
    if (this.scope.isForced && this.scope.maxAge === maxAgeOf(lifetime)) this.scope.isForced = false
  }
}
