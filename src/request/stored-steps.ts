import { andThen } from '../async.ts'
import { dataFrom, NO_CHANGES } from '../session/members.ts'
import type { Lifetime } from '../session/model.ts'
import { pack } from '../session/payload.ts'
import { dataOf, type Session } from '../session/session.ts'
import type { Patch, Patched } from '../stores/store.ts'
import type { AskedStore } from './asked-store.ts'
import { Backend } from './backend.ts'
import { createCapped, type Owned, patchCapped, updateCapped } from './cap.ts'
import type { Step, StepAnswer, Surroundings, Wish } from './custody.ts'
import { CustodyMachine, PRESENTED } from './custody-machine.ts'
import type { EndReason, Exchange, Told } from './exchange.ts'
import { type Former, leaveAlone, merge, retire } from './hand-over.ts'
import { newId, takenError, unreachableError } from './ids.ts'
import { subjectIn } from './prepare.ts'
import type { Settings } from './settings.ts'
import { StoredState } from './stored-state.ts'
import { updateStored } from './update-stored.ts'

const NO_LIFETIME: Lifetime = {}

export type StoreFor = (exchange: Exchange, settings: Settings) => AskedStore

/** What one commit is about. */
export interface Commit {
  readonly wish: Wish
  readonly session: Session | undefined
  /** Nobody asked for it: what comes too late is told, and is no error. */
  readonly isFinal?: boolean
  /** The session did not change, and is only to be extended. */
  readonly isUnasked?: boolean
  readonly change?: (draft: Session) => unknown
}

/** Performs the steps that the machine names, on the store, the client and the session. */
export abstract class StoredSteps extends Backend implements Surroundings<Former> {
  readonly #storeFor: StoreFor
  protected readonly state = new StoredState()
  protected readonly machine = new CustodyMachine<Former>(this)
  /** The lifetime that the commit under way saves. */
  protected lifetime: Lifetime = NO_LIFETIME
  /** The value that the client presented. */
  protected presented: string | undefined
  /** The keys that go over to the next new id; `undefined`: all. With `fresh`: none. */
  protected keep: readonly string[] | undefined
  /** Whether the request says that the visitor has proved to be who the data say. */
  protected isProven = false
  /** Whether the session that was replaced is still to be ended, for the client too, and what is told of that. */
  protected toEnd: Told | boolean = false
  #store: AskedStore | undefined

  constructor(exchange: Exchange, settings: Settings, storeFor: StoreFor) {
    super(exchange, settings)
    this.#storeFor = storeFor
    if (settings.config.lazy) this.machine.custody = PRESENTED
  }

  get store(): AskedStore {
    this.#store ??= this.#storeFor(this.exchange, this.settings)
    return this.#store
  }

  override beginPatience(): void {
    if (this.#store) this.#store.waited = 0
  }

  override newId(): string {
    return newId(this.exchange.ctx, this.settings.config)
  }

  reaches(id: string): boolean {
    return !this.exchange.hasLeft || id === this.presented || id === this.exchange.sent
  }

  formerOf(id: string): Former {
    const [{ known: members, version }, { keep, isSignIn }] = [this.state, this]
    return { id, members, version, keep, isSignIn, isProof: isSignIn || keep?.length === 0, attempts: 0 }
  }

  protected get isSignIn(): boolean {
    return this.isProven || typeof this.state.newOwner === 'string'
  }

  protected perform(step: Step, commit: Commit): StepAnswer | PromiseLike<StepAnswer> {
    const { custody, former, leftover } = this.machine
    const id = custody.id ?? ''
    switch (step) {
      case 'create':
        return this.#create(id, commit.session as Session)
      case 'patch':
        return this.#patch(id, commit, true)
      case 'empty':
        // What others have written is in the session, where it was merged since.
        return commit.session?.populated ? 'saved' : this.#patch(id, commit, false)
      case 'update':
        return this.#update(id, commit, this.settings.isForced)
      case 'retire':
        return former ? this.#retire(former, id) : 'saved'
      case 'alone':
      case 'merge':
        return this.#handOver(step, commit.session)
      case 'destroy':
        return andThen(this.store.destroy(leftover), () => this.#destroyed(leftover))
      case 'send':
        // A new id has to arrive, whoever asked for it.
        this.exchange.send(id, commit.isUnasked && id === this.presented)
        if (this.machine.isMade && !former) this.#tell('created', id)
        this.committed(this.lifetime)
        this.state.settle()
        return undefined
      case 'clear':
        return this.#ended()
      case 'withdraw':
        this.exchange.withdraw()
        // What others ended is told, though nothing has changed since it was saved.
        this.state.changes ??= NO_CHANGES
        return undefined
      case 'reportGone':
        return this.#reportGone()
      case 'refuse':
        if (!commit.isFinal) throw unreachableError()
        this.exchange.emit({ type: 'late' })
        this.state.settle()
        return undefined
      default:
        throw takenError()
    }
  }

  #create(id: string, session: Session): StepAnswer | PromiseLike<StepAnswer> {
    if (!this.store.isKeyed) return this.#set(id, session, true)
    const { owner: subject } = this.state
    this.state.version = undefined
    const record = { members: this.state.after(), lifetime: this.lifetime, version: 0, subject }
    const owned = this.#owned(id, subject)
    return owned ? createCapped(owned, record) : this.store.create(id, record)
  }

  /** What has got an owner, where a user may have only so many sessions. */
  #owned(id: string, owner: string | null | undefined): Owned | undefined {
    const { store, exchange, state, machine } = this
    const { maxSessions: cap } = this.settings.config
    if (!cap || typeof owner !== 'string') return undefined
    return { store, exchange, state, cap, owner, id, replaced: [machine.former?.id, ...machine.leftovers] }
  }

  /** For a store of three methods, which replaces all. */
  #set<Answered extends StepAnswer>(id: string, session: Session, answer: Answered) {
    const isChanged = answer === true || this.state.toSave !== undefined
    return andThen(this.store.set(id, pack(dataOf(session), this.lifetime), isChanged), () => answer)
  }

  /** Writes what has changed, or the lifetime alone. */
  #patch(id: string, commit: Commit, mayKeep: boolean): StepAnswer | PromiseLike<StepAnswer> {
    const { state, lifetime } = this
    const { toSave, newOwner, version } = state
    if (!this.store.isKeyed) return this.#set(id, commit.session as Session, 'saved')
    const isVersioned = this.settings.config.version !== undefined
    if (!toSave && !isVersioned)
      return andThen(this.store.touch(id, this.lifetime), isThere => (isThere ? 'saved' : 'gone'))
    const { set, unset, isEmpty } = toSave ?? NO_CHANGES
    const keepsEmpty = isEmpty && mayKeep
    state.version = undefined
    const patch = { set, unset, lifetime, keepsEmpty, subject: mayKeep ? newOwner : undefined }
    if (!isVersioned) return this.#patched(id, patch)
    const patching = version === undefined ? 'conflict' : this.#patched(id, { ...patch, version })
    // Where others have saved it since, it is looked at again: they may be of another version of the application.
    return andThen<Patched, StepAnswer>(patching, outcome =>
      outcome === 'conflict' ? this.#update(id, commit, keepsEmpty) : outcome,
    )
  }

  #patched(id: string, patch: Patch): Patched | PromiseLike<Patched> {
    const owned = this.#owned(id, patch.subject)
    const patching = owned ? patchCapped(owned, patch) : this.store.patch(id, patch)
    return this.exchange.hears('ended') ? andThen(patching, outcome => this.#tellEmptied(id, outcome)) : patching
  }

  async #update(id: string, { wish, session, change }: Commit, keepsEmpty: boolean): Promise<StepAnswer> {
    const given = { ctx: this.exchange.ctx, settings: this.settings, store: this.store, id, change, keepsEmpty }
    const [one, mine] = [session as Session, this.state.changes]
    const updated = await updateStored({ ...given, session: one, ...(mine && { mine }) })
    if (!updated) {
      if (wish === 'update') this.state.changes ??= NO_CHANGES
      return 'gone'
    }
    const owned = updated.owner === this.state.storedOwner ? undefined : this.#owned(id, updated.owner)
    if (owned && updated.outcome === 'saved') await updateCapped(owned, change ? undefined : updated.lifetime)
    this.lifetime = updated.lifetime
    this.#tellEmptied(id, updated.outcome)
    this.state.adopt(one, updated.members, updated.owner)
    return updated.outcome
  }

  async #handOver(step: 'alone' | 'merge', session: Session | undefined): Promise<boolean> {
    const { settings, store, state } = this
    const { former, custody } = this.machine
    if (!former || !session || (step === 'alone' && !former.isSignIn && !this.isSignIn)) return false
    const given = { former, to: custody.at === 'stored' ? custody.id : undefined, session, state }
    if (step === 'merge') return merge(settings, store, given)
    const isAlone = await leaveAlone(settings, store, given)
    if (isAlone && given.to !== undefined) this.#tell('created', given.to)
    return isAlone
  }

  async #retire(former: Former, id: string): Promise<StepAnswer> {
    const answer = await retire(this.store, former, id)
    if (answer === 'saved') this.#tell('regenerated', id)
    return answer
  }

  #tellEmptied<Outcome>(id: string, outcome: Outcome): Outcome {
    if (outcome === 'emptied') this.#tell('ended', id, 'emptied')
    return outcome
  }

  /** What was ended is told once it is not there any more. */
  #destroyed(id: string): undefined {
    const { toEnd } = this
    if (typeof toEnd !== 'object' || toEnd.id !== id) return
    this.exchange.emit(toEnd)
    this.toEnd = true
  }

  #tell(type: Told['type'], id: string, reason?: EndReason): void {
    if (this.exchange.hears(type)) this.exchange.emit(this.told(type, id, reason))
  }

  protected told(type: Told['type'], id: string, reason?: EndReason): Told {
    const { config } = this.settings
    const { owner, known: members } = this.state
    const isUnknown = owner === undefined && config.subject && members
    const subject = isUnknown ? subjectIn(config, () => dataFrom(members)) : owner
    return { type, id, subject, ...(reason && { reason }) }
  }

  #ended(): undefined {
    this.exchange.clear()
    this.state.clear()
    this.settings.begin()
    this.done = 'ended'
  }

  /** Another request has ended the session: it stays so, and what changed is told once. */
  #reportGone(): undefined {
    if (this.state.changes) this.exchange.emit({ type: 'gone', keys: this.state.changedNames })
    this.settings.isForced = false
    this.state.settle()
  }
}
