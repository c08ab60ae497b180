import { changed, changesBetween, changesSince, NO_CHANGES, NO_MEMBERS } from '../session/members.ts'
import type { Changes, Difference, Found, Members } from '../session/model.ts'
import { fill, fillFrom, type Session } from '../session/session.ts'
import type { Patch } from '../stores/store.ts'

/** What a store has of a session, as far as this request knows, and how the session differs from that. */
export class StoredState {
  /** `undefined`: it has none. */
  members: Members | undefined
  version: number | undefined
  /** What the option `upgrade` has made of these, until the store has it. No field: each request would have room for it. */
  declare upgraded?: Members | undefined
  /** What had changed when it was compared last; `undefined`: nothing. */
  changes: Changes | undefined
  /** Whose session it is, and what the store has of that. */
  owner: string | undefined
  storedOwner: string | undefined
  /** For whom there was no room. */
  refused: string | undefined
  /** Whether the store could know whose session it is. */
  #keepsOwner = true
  /** Whether the store has the changes by now. */
  #isSaved = false

  /** Fills `session` with what was found. Says whether it could: data too deep to compare was not written by us. */
  fill(session: Session, { payload, members, stored, version, subject }: Found, keepsOwner: boolean): boolean {
    this.#keepsOwner = keepsOwner
    try {
      if (members) fillFrom(session, members)
      else fill(session, payload ?? {})
      const filled = members ?? changesSince(NO_MEMBERS, session)?.set ?? NO_MEMBERS
      if (stored) this.upgraded = filled
      this.members = stored ?? filled
      this.version = version
      this.owner = this.storedOwner = subject
    } catch {}
    return this.members !== undefined
  }

  /** The store has `members` by now: what differs from the session as it was compared last goes into `session`. */
  adopt(session: Session, members: Members, owner: string | undefined): void {
    const compared = this.after()
    const later = changesSince(compared, session)?.set ?? NO_MEMBERS
    const isToGo = (name: string) => !Object.hasOwn(members, name) && !Object.hasOwn(later, name)
    for (const name of Object.keys(compared)) if (isToGo(name)) Reflect.deleteProperty(session, name)
    fillFrom(session, Object.fromEntries(Object.entries(members).filter(([name, text]) => text !== compared[name])))
    this.members = members
    this.version = this.changes = undefined
    if (this.upgraded) this.upgraded = undefined
    this.owner = this.storedOwner = owner
    this.#isSaved = false
  }

  /** `ownerOf` says whose session it is; absent: nobody asks. */
  compare(session: Session, ownerOf: ((session: Session) => string | undefined) | undefined): Difference {
    if (this.#isSaved) this.members = this.after()
    this.#isSaved = false
    this.changes = changesSince(this.known ?? NO_MEMBERS, session)
    if (ownerOf) this.#compareOwner(session, ownerOf)
    if (!this.changes) return this.members ? 'same' : 'emptied'
    return this.changes.isEmpty ? 'emptied' : 'changed'
  }

  /** A store that does not know whose session it is, because nobody said so before, is told, if it can keep that. */
  #compareOwner(session: Session, ownerOf: (session: Session) => string | undefined): void {
    const isKnown = this.storedOwner !== undefined || !this.members || this.members === NO_MEMBERS
    // What was upgraded may say somebody else, who is saved with it.
    if (!this.changes && (!this.#keepsOwner || (isKnown && !this.upgraded))) return
    // Without data it belongs to nobody.
    this.owner = this.changes?.isEmpty ? undefined : ownerOf(session)
    if (this.owner !== this.storedOwner && !isKnown) this.changes ??= NO_CHANGES
  }

  /** The members of the session as it was found, or saved last. */
  get known(): Members | undefined {
    return this.upgraded ?? this.members
  }

  /** The members of the session as it was compared last. */
  after(): Members {
    const { known, changes } = this
    const { set, unset } = changes ?? NO_CHANGES
    if (!known) return set
    return changes ? changed(known, set, unset) : known
  }

  /** What makes these of those that the store has; `undefined`: nothing. */
  get toSave(): Changes | undefined {
    if (!this.upgraded) return this.changes
    const after = this.after()
    return { ...changesBetween(this.members ?? NO_MEMBERS, after), isEmpty: Object.keys(after).length === 0 }
  }

  /** The members that the store has. */
  get stored(): Members {
    return this.#isSaved ? this.after() : (this.members ?? NO_MEMBERS)
  }

  /** What was not saved until now is not to be. */
  dropUnsaved(): void {
    if (this.#isSaved) return
    this.changes = undefined
    this.owner = this.storedOwner
  }

  /** The names of what had changed when it was compared last. */
  get changedNames(): readonly string[] {
    const { set, unset } = this.changes ?? NO_CHANGES
    return [...Object.keys(set), ...unset]
  }

  /** Whose session it is from now on, as a patch says it. */
  get newOwner(): Patch['subject'] {
    return this.owner === this.storedOwner ? undefined : (this.owner ?? null)
  }

  /** Whether there was no room for the one whose session it is. */
  get isRefused(): boolean {
    return this.refused !== undefined && this.refused === this.owner
  }

  /** What takes the changes back, where the store has them and is not to. What was upgraded stays so. */
  get undoing(): Pick<Patch, 'set' | 'unset' | 'subject'> {
    const stored = this.upgraded ?? this.stored
    const [known, others] = [[] as string[], [] as string[]]
    for (const name of this.changedNames) (Object.hasOwn(stored, name) ? known : others).push(name)
    const set = Object.fromEntries(known.map(name => [name, stored[name] ?? '']))
    return { set, unset: others, subject: this.storedOwner ?? null }
  }

  /** The store has the session as it was compared last, or can't have it. */
  settle(): void {
    this.#isSaved = true
    if (this.upgraded) [this.members, this.upgraded] = [this.after(), undefined]
    this.storedOwner = this.owner
  }

  /** The store has none any more. */
  clear(): void {
    this.members = this.version = this.owner = this.storedOwner = this.refused = undefined
    this.#isSaved = false
    if (this.upgraded) this.upgraded = undefined
  }
}
