import type { Difference, Found, Lifetime, Loaded } from '../session/model.ts'
import type { CommitWork, Session } from '../session/session.ts'
import type { EndReason, Exchange } from './exchange.ts'
import type { Settings } from './settings.ts'

/** The id that client and store have, or will have, and why a commit that is over has saved nothing. */
export interface Standing {
  readonly id?: string | undefined
  readonly lost?: 'gone' | 'late' | 'limit' | undefined
}

/**
 * Turns what the client carries into a session and back, for one request, and knows what client and store have of it.
 * There are two kinds, and nothing else asks which one it has. Where a method gives no promise, its work is done when
 * it returns.
 */
export abstract class Backend {
  readonly exchange: Exchange
  readonly settings: Settings
  /** The instant at which it expires; `undefined`: it does not say. */
  expiresAt: number | undefined
  /**
   * What this request did last: gave the session its lifetime from now, ended it, or began another one in its place. `kept`: what
   * the client has is of a newer version, and stays as it is.
   */
  done: 'nothing' | 'saved' | 'ended' | 'replaced' | 'kept' = 'nothing'

  constructor(exchange: Exchange, settings: Settings) {
    this.exchange = exchange
    this.settings = settings
  }

  /** The session's id, where it needs one; it is made with the session, not at its commit (as in 7.x). */
  get id(): string | undefined {
    return undefined
  }
  /** Whether loading takes a round trip, so that it is done before the handler runs. */
  abstract get waits(): boolean
  /** Whether loading, which may take a round trip, is sure to take none. */
  get answersAtOnce(): boolean {
    return false
  }
  /** Whether what the client presented has to be loaded before it can be ended. */
  get isPresented(): boolean {
    return false
  }
  /** Whether client or store have a session, as far as this request knows. */
  abstract get isKnown(): boolean
  /** Whether another request has ended the session. */
  get isGone(): boolean {
    return false
  }
  /** What is behind the value that the client presented. */
  abstract load(presented: string): Loaded | Promise<Loaded>
  /** Has the request go on without the session that was presented (as `id`): it could not be read, has another id, or is of a newer version. */
  setAside(_why: 'unread' | 'superseded' | 'newer', _id?: string): void {}
  /** Forgets the id of a session that was made before it was loaded, and that nobody had asked for it. */
  discardEarly(): void {}
  /**
   * Fills `session` with what was found. Says whether it can be told if it changes: data this deep or cyclic was not
   * written by us.
   */
  abstract fill(session: Session, found: Found): boolean
  /** How `session` differs from what is known. */
  abstract compare(session: Session): Difference
  /** Saves the session as it was compared last, and has the client carry it. `isFinal`: nobody asked for it. */
  abstract save(session: Session, isFinal: boolean): void | Promise<void>
  /** Gives a session that did not change its lifetime anew. */
  abstract extend(session: Session): void | Promise<void>
  /** The same as `save`, under a new id. The old one is retired. */
  abstract regenerate(session: Session, work: CommitWork): void | Promise<void>
  /** The same for a session without data, of which there is nothing to save. */
  regenerateEmpty(): void {}
  /** Whether others may write to the session, key by key, so that `update` has something to do. */
  get canUpdate(): boolean {
    return false
  }
  /** Has `change` change the session as it is by now, and saves that in the same step. */
  update(_session: Session, _change: (draft: Session) => unknown): void | Promise<void> {}
  /** Ends a session that holds no data any more, unless other requests have put data there. */
  abstract empty(session: Session): void | Promise<void>
  /** Ends the session, for the client too. */
  abstract end(reason: EndReason): void | Promise<void>
  /** An id for another session, where it needs one. */
  newId(): string | undefined {
    return undefined
  }
  /** What is saved from now on is another session, under `id`. `isToEnd`: this one is still to be ended. */
  abstract renew(isToEnd: boolean, id: string | undefined): void
  /** Sends what has to leave with the headers, while a commit is under way; `id`: of a session that is to take the place of this one. */
  leave(_id?: string): void {}
  /** Does what is left to be done at the end of the request. A promise where that takes a round trip; it never rejects. */
  finish(_session: Session | undefined): void | Promise<void> {}
  /** From now on the request may wait for a store as long again. */
  beginPatience(): void {}

  /** For tracing: makes no id. */
  get standing(): Standing {
    return { lost: this.exchange.hasLeft ? 'late' : undefined }
  }

  /** Client and store have the session with this lifetime from now on. */
  protected committed(lifetime: Lifetime): void {
    this.expiresAt = lifetime._expire
    this.done = 'saved'
    this.settings.saved(lifetime)
  }
}
