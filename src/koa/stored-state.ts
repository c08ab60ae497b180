import { changed, changesSince, NO_CHANGES, NO_MEMBERS } from '../session/members.ts'
import type { Changes, Difference, Found, Members } from '../session/model.ts'
import { fill, fillFrom, type Session } from '../session/session.ts'
import type { Patch } from '../stores/store.ts'
import { ownerOf } from './prepare.ts'
import type { Scope } from './scope.ts'

/** What a store has of a session, as far as this request knows, and how the session differs from that. */
export class StoredState {
  readonly #scope: Scope
  /** `undefined`: it has none. */
  members: Members | undefined
  version: number | undefined
  /** What had changed when it was compared last; `undefined`: nothing. */
  changes: Changes | undefined
  /** Whose session it is, and what the store has of that. */
  owner: string | undefined
  #storedOwner: string | undefined
  /** Whether the store has the changes by now. */
  #isSaved = false

  constructor(scope: Scope) {
    this.#scope = scope
  }

  /** Fills `session` with what was found. Says whether it could: data too deep to compare was not written by us. */
  take(session: Session, { payload, members, version, subject }: Found): boolean {
    this.version = version
    this.owner = this.#storedOwner = subject
    try {
      if (members) fillFrom(session, members)
      else fill(session, payload ?? {})
      this.members = members ?? changesSince(NO_MEMBERS, session)?.set ?? NO_MEMBERS
    } catch {}
    return this.members !== undefined
  }

  /** The store has `members` by now: what differs from the session as it was compared last goes into `session`. */
  agree(session: Session, members: Members, owner: string | undefined): void {
    const compared = this.after()
    for (const name of Object.keys(compared)) if (!Object.hasOwn(members, name)) Reflect.deleteProperty(session, name)
    fillFrom(session, Object.fromEntries(Object.entries(members).filter(([name, text]) => text !== compared[name])))
    this.members = members
    this.version = this.changes = undefined
    this.owner = this.#storedOwner = owner
    this.#isSaved = false
  }

  compare(session: Session): Difference {
    if (this.#isSaved) this.members = this.after()
    this.#isSaved = false
    this.changes = changesSince(this.members ?? NO_MEMBERS, session)
    if (this.#scope.config.subject) this.#compareOwner(session)
    if (!this.changes) return this.members ? 'same' : 'emptied'
    return this.changes.isEmpty ? 'emptied' : 'changed'
  }

  /** The same, and forgets it: a save that is under way has not these changes. */
  lookAhead(session: Session): Difference {
    const { members, changes, owner } = this
    const isSaved = this.#isSaved
    try {
      return this.compare(session)
    } finally {
      Object.assign(this, { members, changes, owner })
      this.#isSaved = isSaved
    }
  }

  /** A store that does not know whose session it is, because nobody said so before, is told. */
  #compareOwner(session: Session): void {
    const isKnown = this.#storedOwner !== undefined || !this.members || this.members === NO_MEMBERS
    if (this.changes ? this.changes.isEmpty : isKnown) return
    this.owner = ownerOf(this.#scope, session)
    if (this.owner !== this.#storedOwner) this.changes ??= NO_CHANGES
  }

  /** The members of the session as it was compared last. */
  after(): Members {
    const { set, unset } = this.changes ?? NO_CHANGES
    if (!this.members) return set
    return this.changes ? changed(this.members, set, unset) : this.members
  }

  /** Whose session it is from now on, as a patch says it. */
  get newOwner(): Patch['subject'] {
    return this.owner === this.#storedOwner ? undefined : (this.owner ?? null)
  }

  /** The store has the session as it was compared last, or has told that it takes none. */
  settle(): void {
    this.#isSaved = true
    this.#storedOwner = this.owner
  }

  /** It has none any more, and nothing is left to be saved. */
  clear(): void {
    this.#scope.isForced = false
    this.members = this.version = this.owner = this.#storedOwner = undefined
    this.#isSaved = false
  }
}
