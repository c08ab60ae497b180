import { andThen } from '../async.ts'
import { NO_CHANGES } from '../session/members.ts'
import type { Lifetime, Members } from '../session/model.ts'
import { pack } from '../session/payload.ts'
import { dataOf, type Session } from '../session/session.ts'
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
  /** The keys that go over to the next new id; `undefined`: all. */
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

  newId(): string {
    return newId(this.exchange.ctx, this.settings.config)
  }

  reaches(id: string): boolean {
    return !this.exchange.hasLeft || id === this.presented || id === this.exchange.sent
  }

  formerOf(id: string): Former {
    const { members, version } = this.state
    return { id, members, version, keep: this.keep, isSignIn: this.isSignIn, attempts: 0 }
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
        return this.#patch(id, commit.session as Session, true)
      case 'empty':
        return this.#empty(id, commit.session as Session)
      case 'update':
        return this.#update(id, commit)
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
    const isChanged = answer === true || this.state.changes !== undefined
    return andThen(this.store.set(id, pack(dataOf(session), this.lifetime), isChanged), () => answer)
  }

  /** Writes what has changed, or the lifetime alone. */
  #patch(id: string, session: Session, keepsEmpty: boolean): StepAnswer | PromiseLike<StepAnswer> {
    const state = this.state
    const { changes, newOwner: subject } = state
    if (!this.store.isKeyed) return this.#set(id, session, 'saved')
    if (!changes) return andThen(this.store.touch(id, this.lifetime), isThere => (isThere ? 'saved' : 'gone'))
    const { set, unset, isEmpty } = changes
    state.version = undefined
    const patch = { set, unset, lifetime: this.lifetime, keepsEmpty: isEmpty && keepsEmpty, subject }
    const owned = this.#owned(id, subject)
    const patching = owned ? patchCapped(owned, patch) : this.store.patch(id, patch)
    return this.exchange.hears('ended') ? andThen(patching, outcome => this.#patched(id, outcome)) : patching
  }

  /** What others have written is in the session, where it was merged since. */
  #empty(id: string, session: Session): StepAnswer | PromiseLike<StepAnswer> {
    return session.populated ? 'saved' : this.#patch(id, session, false)
  }

  async #update(id: string, { session, change }: Commit): Promise<StepAnswer> {
    const given = { ctx: this.exchange.ctx, settings: this.settings, store: this.store, id }
    const mine = this.state.changes
    const [one, by] = [session as Session, change as (draft: Session) => unknown]
    const updated = await updateStored({ ...given, session: one, change: by, ...(mine && { mine }) })
    if (!updated) {
      this.state.changes ??= NO_CHANGES
      return 'gone'
    }
    const owned = updated.owner === this.state.storedOwner ? undefined : this.#owned(id, updated.owner)
    if (owned && updated.outcome === 'saved') await updateCapped(owned)
    this.lifetime = updated.lifetime
    this.#patched(id, updated.outcome)
    this.state.adopt(one, updated.members, updated.owner)
    return updated.outcome
  }

  #handOver(step: 'alone' | 'merge', session: Session | undefined): StepAnswer | PromiseLike<StepAnswer> {
    const { settings, store, state } = this
    const { former, custody } = this.machine
    if (!former || !session) return false
    const given = { former, to: custody.id as string, session, state }
    return step === 'merge' ? merge(settings, store, given) : leaveAlone(settings, store, given)
  }

  #retire(former: Former, id: string): StepAnswer | PromiseLike<StepAnswer> {
    const retiring = retire(this.store, former, id)
    if (!this.exchange.hears('regenerated')) return retiring
    return retiring.then(answer => {
      if (answer === 'saved') this.#tell('regenerated', id)
      return answer
    })
  }

  #patched<Outcome>(id: string, outcome: Outcome): Outcome {
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
    const { owner, members } = this.state
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
    const { changes, changedNames: keys } = this.state
    if (changes) this.exchange.emit({ type: 'gone', keys })
    this.settings.isForced = false
    this.state.settle()
  }
}

/** The data of `members`, for a look at them. */
function dataFrom(members: Members): object {
  return Object.fromEntries(Object.entries(members).map(([name, text]) => [name, JSON.parse(text)]))
}
