import { andThen } from '../async.ts'
import { NO_CHANGES } from '../session/members.ts'
import type { Lifetime } from '../session/model.ts'
import { pack } from '../session/payload.ts'
import { dataOf, type Session } from '../session/session.ts'
import type { AskedStore } from './asked-store.ts'
import { Backend } from './backend.ts'
import type { Step, StepAnswer, Surroundings, Wish } from './custody.ts'
import { CustodyMachine, PRESENTED } from './custody-machine.ts'
import type { Exchange } from './exchange.ts'
import { type Former, leaveAlone, merge, retire } from './hand-over.ts'
import { newId, takenError, unreachableError } from './ids.ts'
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
        return former ? retire(this.store, former, id) : 'saved'
      case 'alone':
      case 'merge':
        return this.#handOver(step, commit.session)
      case 'destroy':
        return andThen(this.store.destroy(leftover), () => undefined)
      case 'send':
        // A new id has to arrive, whoever asked for it.
        this.exchange.send(id, commit.isUnasked && id === this.presented)
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
    return this.store.create(id, { members: this.state.after(), lifetime: this.lifetime, version: 0, subject })
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
    return this.store.patch(id, patch)
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
    this.lifetime = updated.lifetime
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
