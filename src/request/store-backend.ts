import { andThen, isAsyncFunction, isPromise, orElse } from '../async.ts'
import type { Difference, Found, Loaded } from '../session/model.ts'
import type { CommitWork, Session } from '../session/session.ts'
import type { Standing } from './backend.ts'
import type { Step, StepAnswer } from './custody.ts'
import type { EndReason, Told } from './exchange.ts'
import { loadStored } from './load-stored.ts'
import { isAwaited } from './looks.ts'
import { ownerOf, prepare } from './prepare.ts'
import { type Commit, StoredSteps } from './stored-steps.ts'
import { standingIn } from './tracing.ts'

/** The session is in a store, and the client carries its id. A store that can't be made is like one that is down. */
export class StoreBackend extends StoredSteps {
  /** Whether a save waits for the application, before the store is asked. */
  #isPreparing = false

  /** Which one it is nobody knows before it was loaded. */
  override get id(): string | undefined {
    return this.isPresented ? undefined : this.machine.id
  }

  get waits(): boolean {
    return true
  }

  override get answersAtOnce(): boolean {
    const { schema } = this.settings.config
    if (isAwaited(this.settings.config) || isAsyncFunction(schema?.['~standard'].validate)) return false
    try {
      return this.store.answersAtOnce
    } catch {
      // A store that can't be made has answered, with an error.
      return true
    }
  }

  override get isPresented(): boolean {
    return this.machine.custody.at === 'presented'
  }

  get isKnown(): boolean {
    return this.state.members !== undefined || (this.toEnd !== false && this.done === 'nothing')
  }

  override get isGone(): boolean {
    const { custody } = this.machine
    return custody.at === 'gone' || (custody.at === 'superseded' && custody.former?.members !== undefined)
  }

  override get canUpdate(): boolean {
    const { custody } = this.machine
    return custody.at === 'stored' && !custody.former && this.store.isKeyed
  }

  override get standing(): Standing {
    return standingIn(this.machine.custody, this.state.isRefused, this.done === 'ended')
  }

  load(id: string): Loaded | Promise<Loaded> {
    this.presented = id
    return loadStored(this.exchange, this.settings.config, this.store, id)
  }

  override setAside(why: 'unread' | 'superseded' | 'newer', id = this.presented): void {
    if (id !== undefined) this.machine.custody = { at: why === 'newer' ? 'unread' : why, id }
  }

  override discardEarly(): void {
    if (this.machine.custody.at === 'none' || this.isPresented) this.machine.renew(false)
  }

  fill(session: Session, found: Found): boolean {
    const { _expire } = found.lifetime
    this.expiresAt = typeof _expire === 'number' ? _expire : undefined
    if (!this.state.fill(session, found, this.store.keepsOwner)) return false
    this.machine.custody = { at: 'stored', id: found.id as string, former: undefined }
    return true
  }

  compare(session: Session): Difference {
    const [{ config }, { custody, former }] = [this.settings, this.machine]
    const difference = this.state.compare(session, config.subject && (one => ownerOf(config, one)))
    // An id that is still to be retired is as good as a change.
    return difference === 'same' && custody.at === 'stored' && former ? 'changed' : difference
  }

  save(session: Session, isFinal: boolean): void | Promise<void> {
    if (isFinal && this.state.isRefused) return
    return this.#prepared(session, { wish: 'save', session, isFinal })
  }

  /** Once the headers have left it stays as it is: what says when the cookie expires is the store's lifetime. */
  override extend(session: Session): void | Promise<void> {
    if (this.exchange.hasLeft) return
    return this.#prepared(session, { wish: 'save', session, isFinal: true, isUnasked: true })
  }

  regenerate(session: Session, work: CommitWork): void | Promise<void> {
    const { former, custody: known } = this.machine
    if (known.at === 'superseded' && !session.populated) return this.regenerateEmpty()
    // A proof is that of the data of this request.
    this.keep = work.fresh ? [] : work.keep
    this.isProven = work.fresh === true && work.keep !== undefined
    if (former) Object.assign(former, { keep: this.keep, isSignIn: former.isSignIn || this.isSignIn })
    else if (known.at === 'stored') this.machine.custody = { ...known, at: 'staying', former: this.formerOf(known.id) }
    return this.#prepared(session, { wish: 'regenerate', session })
  }

  override regenerateEmpty(): void {
    const [{ custody }, members] = [this.machine, this.machine.former?.members]
    if (custody.at !== 'superseded') return
    // The session has nothing of the one before: without `subject`, too, what it gets is its own.
    this.machine.custody = { ...custody, former: { ...this.formerOf(custody.id), members, isSignIn: true } }
  }

  override update(session: Session, change: (draft: Session) => unknown): void | Promise<void> {
    return this.#commit({ wish: 'update', session, change })
  }

  /** A parallel request may have put data there, where the store can tell. */
  empty(session: Session): void | Promise<void> {
    if (!this.store.isKeyed && this.machine.custody.at !== 'unread') return this.end('emptied')
    this.lifetime = this.settings.newLifetime(session)
    return this.#commit({ wish: 'empty', session })
  }

  end(reason: EndReason): void | Promise<void> {
    this.toEnd = this.#ending(reason)
    return this.#commit({ wish: 'end', session: undefined })
  }

  /** What is to be told of the session that is ended, if there is one, and if somebody listens. */
  #ending(reason: EndReason): Told | boolean {
    const { at, id } = this.machine.custody
    const isThere = at === 'stored' || at === 'staying' || at === 'superseded' || at === 'unread'
    if (!isThere || !this.exchange.hears('ended')) return this.toEnd || true
    return this.told('ended', id, reason)
  }

  renew(isToEnd: boolean, id: string | undefined): void {
    this.toEnd = isToEnd && this.#ending('sign-out')
    this.machine.renew(isToEnd, id)
    this.done = 'nothing'
    this.state.clear()
    this.keep = undefined
    this.isProven = false
  }

  override leave(renewed?: string): void {
    const isPromised = this.machine.custody.at === 'none' && this.#isPreparing
    const id = renewed ?? (isPromised ? this.machine.id : this.machine.idToSend)
    if (id === undefined) return
    this.exchange.checkSend(id)
    this.exchange.send(id)
  }

  override finish(session: Session | undefined): void | Promise<void> {
    const { custody } = this.machine
    // A session that was removed, and whose end nobody committed, has nothing that could be merged.
    if (!session && custody.at === 'stored' && custody.former) return
    // What failed, or what nobody has committed, does not go over to the new id.
    this.state.dropUnsaved()
    const step = this.machine.begin('sweep')
    if (step === undefined) return
    // What fails here was reported when it failed, as `session:error`.
    return orElse<void>(
      () => {
        // Nothing took the place of the session that ends.
        if (this.toEnd !== false && this.done === 'nothing') this.exchange.clear()
        return this.#run(step, { wish: 'sweep', session })
      },
      () => {},
    )
  }

  #prepared(session: Session, commit: Commit & { readonly session: Session }): void | Promise<void> {
    const [{ ctx }, { config }] = [this.exchange, this.settings]
    if (!config.beforeSave && !config.schema) return this.#save(commit)
    const preparing = prepare(ctx, config, session)
    this.#isPreparing = commit.wish === 'save' && isPromise(preparing)
    return andThen(preparing, () => {
      if (config.beforeSave) this.compare(session)
      return this.#save(commit)
    })?.catch(error => {
      this.#isPreparing = false
      throw error
    })
  }

  #save(commit: Commit & { readonly session: Session }): void | Promise<void> {
    this.#isPreparing = false
    this.lifetime = this.settings.newLifetime(commit.session, commit.wish === 'regenerate')
    return this.#commit(commit)
  }

  #commit(commit: Commit): void | Promise<void> {
    return this.#run(this.machine.begin(commit.wish), commit)
  }

  /** Does one step after the other. Where the store answers at once, all is done when it returns. */
  #run(first: Step | undefined, commit: Commit, error?: unknown): void | Promise<void> {
    let step = first
    while (step !== undefined) {
      let answer: StepAnswer | PromiseLike<StepAnswer>
      if (step === 'create') this.#checkSend()
      try {
        answer = this.perform(step, commit)
      } catch (failure) {
        return this.#failed(step, commit, failure)
      }
      if (isPromise(answer)) return this.#wait(step, commit, answer, error)
      step = this.machine.answered(step, answer)
    }
    // What could not be destroyed of a session that was to be ended is the request's error.
    if (error !== undefined && commit.wish === 'end') throw error
  }

  /** Before the store is asked: a record whose id can't be sent would be one of many. */
  #checkSend(): void {
    try {
      this.exchange.checkSend(this.machine.custody.id ?? '')
    } catch (error) {
      this.machine.abandon(false)
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
    return this.#run(this.machine.answered(step, given), commit, error)
  }

  #failed(step: Step, commit: Commit, failure: unknown): void | Promise<void> {
    const next = this.machine.failed(step)
    if (step !== 'destroy') throw failure
    return this.#run(next, commit, failure)
  }
}
