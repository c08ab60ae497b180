import { andThen, isPromise } from '../async.ts'
import { NO_CHANGES } from '../session/members.ts'
import type { Difference, Found, Lifetime, Loaded } from '../session/model.ts'
import { pack } from '../session/payload.ts'
import { dataOf, type Session } from '../session/session.ts'
import type { AskedStore } from './asked-store.ts'
import { Backend } from './backend.ts'
import { CustodyMachine, type Step, type StepAnswer, type Surroundings, type Wish } from './custody.ts'
import type { Exchange } from './exchange.ts'
import { type Former, merge, retire } from './hand-over.ts'
import { newId, takenError, unreachableError } from './ids.ts'
import { loadStored } from './load-stored.ts'
import { ownerOf, prepare } from './prepare.ts'
import type { Settings } from './settings.ts'
import { StoredState } from './stored-state.ts'
import { updateStored } from './update-stored.ts'

export type StoreFor = (exchange: Exchange, settings: Settings) => AskedStore

/** What one commit is about. */
interface Commit {
  readonly wish: Wish
  readonly session: Session | undefined
  /** Nobody asked for it: what comes too late is told, and is no error. */
  readonly isFinal?: boolean
  readonly change?: (draft: Session) => unknown
}

/** The session is in a store, and the client carries its id. A store that can't be made is like one that is down. */
export class StoreBackend extends Backend implements Surroundings<Former> {
  readonly #storeFor: StoreFor
  readonly #state = new StoredState()
  readonly #machine = new CustodyMachine<Former>(this)
  #store: AskedStore | undefined
  #presented: string | undefined
  /** The keys that go over to the next new id; `undefined`: all. */
  #keep: readonly string[] | undefined
  #lifetime: Lifetime = {}

  constructor(exchange: Exchange, settings: Settings, storeFor: StoreFor) {
    super(exchange, settings)
    this.#storeFor = storeFor
  }

  get id(): string {
    return this.#machine.id
  }

  get waits(): boolean {
    return true
  }

  get isKnown(): boolean {
    return this.#state.members !== undefined || this.#machine.leftovers.length > 0
  }

  override get isGone(): boolean {
    return this.#machine.custody.at === 'gone'
  }

  /** Where the session is shared with other requests, key by key. */
  override get canUpdate(): boolean {
    const { custody } = this.#machine
    return custody.at === 'stored' && !custody.former && this.store.isKeyed
  }

  get store(): AskedStore {
    this.#store ??= this.#storeFor(this.exchange, this.settings)
    return this.#store
  }

  newId(): string {
    return newId(this.exchange.ctx, this.settings.config)
  }

  reaches(id: string): boolean {
    return !this.exchange.hasLeft || id === this.#presented || id === this.exchange.sent
  }

  formerOf(id: string): Former {
    const { members, version } = this.#state
    return { id, members, version, keep: this.#keep, attempts: 0 }
  }

  load(id: string): Loaded | Promise<Loaded> {
    this.#presented = id
    return loadStored(this.exchange, this.settings.config, this.store, id)
  }

  override setAside(id: string | undefined, why: 'unread' | 'superseded'): void {
    if (id !== undefined) this.#machine.custody = { at: why, id }
  }

  override discardEarly(): void {
    if (this.#machine.custody.at === 'none') this.#machine.renew(false)
  }

  fill(session: Session, found: Found): boolean {
    const { _expire } = found.lifetime
    this.expiresAt = typeof _expire === 'number' ? _expire : undefined
    if (!this.#state.fill(session, found)) return false
    this.#machine.custody = { at: 'stored', id: found.id as string, former: undefined }
    return true
  }

  compare(session: Session): Difference {
    const { config } = this.settings
    const { custody } = this.#machine
    const difference = this.#state.compare(session, config.subject && (one => ownerOf(config, one)))
    // An id that is still to be retired is as good as a change.
    return difference === 'same' && custody.at === 'stored' && custody.former ? 'changed' : difference
  }

  save(session: Session, isFinal: boolean): void | Promise<void> {
    return this.#prepared(session, { wish: 'save', session, isFinal })
  }

  regenerate(session: Session, keep: readonly string[] | undefined): void | Promise<void> {
    const { custody } = this.#machine
    this.#keep = keep
    if ('former' in custody && custody.former) custody.former.keep = keep
    return this.#prepared(session, { wish: 'regenerate', session })
  }

  override update(session: Session, change: (draft: Session) => unknown): void | Promise<void> {
    return this.#commit({ wish: 'update', session, change })
  }

  /** A parallel request may have put data there, where the store can tell. */
  empty(session: Session): void | Promise<void> {
    if (!this.store.isKeyed) return this.end()
    this.#lifetime = this.settings.newLifetime()
    return this.#commit({ wish: 'empty', session })
  }

  end(): void | Promise<void> {
    return this.#commit({ wish: 'end', session: undefined })
  }

  renew(isToEnd: boolean): void {
    this.#machine.renew(isToEnd)
    this.#state.clear()
    this.#keep = undefined
  }

  override beginPatience(): void {
    if (this.#store) this.#store.waited = 0
  }

  override leave(): void {
    const id = this.#machine.idToSend
    if (id !== undefined) this.exchange.send(id)
  }

  override finish(session: Session | undefined): void | Promise<void> {
    const step = this.#machine.begin('sweep')
    if (step === undefined) return
    try {
      // What fails here was reported when it failed, as `session:error`.
      return this.#run(step, { wish: 'sweep', session })?.catch(() => {})
    } catch {}
  }

  #prepared(session: Session, commit: Commit): void | Promise<void> {
    const { ctx } = this.exchange
    const { config } = this.settings
    if (!config.beforeSave && !config.schema) return this.#save(commit)
    return andThen(prepare(ctx, config, session), () => {
      if (config.beforeSave) this.compare(session)
      return this.#save(commit)
    })
  }

  #save(commit: Commit): void | Promise<void> {
    this.#lifetime = this.settings.newLifetime()
    return this.#commit(commit)
  }

  #commit(commit: Commit): void | Promise<void> {
    return this.#run(this.#machine.begin(commit.wish), commit)
  }

  /** Does one step after the other. Where the store answers at once, all is done when it returns. */
  #run(first: Step | undefined, commit: Commit, error?: unknown): void | Promise<void> {
    let step = first
    while (step !== undefined) {
      let answer: StepAnswer | PromiseLike<StepAnswer>
      if (step === 'create') this.#checkSend()
      try {
        answer = this.#perform(step, commit)
      } catch (failure) {
        return this.#failed(step, commit, failure)
      }
      if (isPromise(answer)) return this.#wait(step, commit, answer, error)
      step = this.#machine.answered(step, answer)
    }
    // What could not be destroyed of a session that was to be ended is the request's error.
    if (error !== undefined && commit.wish === 'end') throw error
  }

  /** Before the store is asked: a record whose id can't be sent would be one of many. */
  #checkSend(): void {
    try {
      this.exchange.checkSend(this.#machine.custody.id ?? '')
    } catch (error) {
      this.#machine.unasked()
      throw error
    }
  }

  async #wait(step: Step, commit: Commit, answer: PromiseLike<StepAnswer>, error: unknown): Promise<void> {
    let given: StepAnswer
    try {
      given = await answer
    } catch (failure) {
      return this.#failed(step, commit, failure)
    }
    return this.#run(this.#machine.answered(step, given), commit, error)
  }

  #failed(step: Step, commit: Commit, failure: unknown): void | Promise<void> {
    const next = this.#machine.failed(step)
    if (step !== 'destroy') throw failure
    return this.#run(next, commit, failure)
  }

  #perform(step: Step, commit: Commit): StepAnswer | PromiseLike<StepAnswer> {
    const { custody, leftover } = this.#machine
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
        return 'former' in custody && custody.former ? retire(this.store, custody.former, id) : 'saved'
      case 'merge':
        return this.#merge(id, commit.session)
      case 'destroy':
        return andThen(this.store.destroy(leftover), () => undefined)
      case 'send':
        this.exchange.send(id)
        this.committed(this.#lifetime)
        this.#state.settle()
        return undefined
      case 'clear':
        return this.#ended()
      case 'withdraw':
        this.exchange.withdraw()
        // What others ended is told, though nothing has changed since it was saved.
        this.#state.changes ??= NO_CHANGES
        return undefined
      case 'reportGone':
        return this.#reportGone()
      case 'refuse':
        if (!commit.isFinal) throw unreachableError()
        this.exchange.emit({ type: 'late' })
        this.#state.settle()
        return undefined
      default:
        throw takenError()
    }
  }

  #create(id: string, session: Session): StepAnswer | PromiseLike<StepAnswer> {
    if (!this.store.isKeyed) return this.#set(id, session, true)
    const { owner: subject } = this.#state
    return this.store.create(id, { members: this.#state.after(), lifetime: this.#lifetime, version: 0, subject })
  }

  /** For a store of three methods, which replaces all. */
  #set<Answered extends StepAnswer>(id: string, session: Session, answer: Answered) {
    const isChanged = answer === true || this.#state.changes !== undefined
    return andThen(this.store.set(id, pack(dataOf(session), this.#lifetime), isChanged), () => answer)
  }

  /** Writes what has changed, or the lifetime alone. */
  #patch(id: string, session: Session, keepsEmpty: boolean): StepAnswer | PromiseLike<StepAnswer> {
    const state = this.#state
    const { changes, newOwner: subject } = state
    if (!this.store.isKeyed) return this.#set(id, session, 'saved')
    if (!changes) return andThen(this.store.touch(id, this.#lifetime), isThere => (isThere ? 'saved' : 'gone'))
    const { set, unset, isEmpty } = changes
    state.version = undefined
    const patch = { set, unset, lifetime: this.#lifetime, keepsEmpty: isEmpty && keepsEmpty, subject }
    return this.store.patch(id, patch)
  }

  /** What others have written is in the session, where it was merged since. */
  #empty(id: string, session: Session): StepAnswer | PromiseLike<StepAnswer> {
    return session.populated ? 'saved' : this.#patch(id, session, false)
  }

  async #update(id: string, { session, change }: Commit): Promise<StepAnswer> {
    const given = { ctx: this.exchange.ctx, settings: this.settings, store: this.store, id }
    const mine = this.#state.changes
    const [one, by] = [session as Session, change as (draft: Session) => unknown]
    const updated = await updateStored({ ...given, session: one, change: by, ...(mine && { mine }) })
    if (!updated) {
      this.#state.changes ??= NO_CHANGES
      return 'gone'
    }
    this.#lifetime = updated.lifetime
    this.#state.adopt(one, updated.members, updated.owner)
    return updated.outcome
  }

  #merge(to: string, session: Session | undefined): StepAnswer | PromiseLike<StepAnswer> {
    const { custody } = this.#machine
    if (!('former' in custody) || !custody.former || !session) return false
    return merge(this.settings, this.store, { former: custody.former, to, session, state: this.#state })
  }

  #ended(): undefined {
    this.exchange.clear()
    this.#state.clear()
    this.settings.isForced = false
    this.done = 'ended'
  }

  /** Another request has ended the session: it stays so, and what changed is told once. */
  #reportGone(): undefined {
    const { changes, changedNames: keys } = this.#state
    if (changes) this.exchange.emit({ type: 'gone', keys })
    this.settings.isForced = false
    this.#state.settle()
  }
}
