import type { Difference, Found, Lifetime, Loaded } from '../session/model.ts'
import { pack } from '../session/payload.ts'
import { dataOf, type Session } from '../session/session.ts'
import type { Patched } from '../stores/store.ts'
import type { AskedStore } from './asked-store.ts'
import { andThen } from './await.ts'
import { Backend } from './backend.ts'
import { emitGone } from './events.ts'
import { type Former, handOver } from './hand-over.ts'
import { newId, refuseTaken, refuseUnreachable } from './ids.ts'
import { loadStored } from './load-stored.ts'
import { prepare } from './prepare.ts'
import type { Scope } from './scope.ts'
import { StoredState } from './stored-state.ts'
import { updateStored } from './update-stored.ts'

/** The session is in a store, and the client carries its id. A store that can't be made is like one that is down. */
export class StoreBackend extends Backend {
  id: string | undefined
  readonly #storeFor: (scope: Scope) => AskedStore
  readonly #state: StoredState
  #store: AskedStore | undefined
  /** The id under which the store holds the session, or may. */
  #storedId: string | undefined
  /** The id under which it was last asked to. */
  #storingId: string | undefined
  /** What a new id took the place of, until the store has given it up. */
  #former: Former | undefined
  /** The id of what could not be read. */
  #unreadId: string | undefined
  /** Whether another request has ended it, or has given the client another one by now. */
  #lost: 'no' | 'gone' | 'replaced' = 'no'

  constructor(scope: Scope, storeFor: (scope: Scope) => AskedStore) {
    super(scope)
    this.#state = new StoredState(scope)
    this.#storeFor = storeFor
  }

  get waits(): boolean {
    return true
  }

  get isKnown(): boolean {
    return this.#state.members !== undefined
  }

  get isNewIdUnderWay(): boolean {
    return this.#storingId !== undefined && this.#storingId !== this.#storedId
  }

  /** Where the session is shared with other requests, key by key. */
  override get canUpdate(): boolean {
    return this.#lost === 'no' && this.#storedId !== undefined && this.#storedId === this.id && this.store.isKeyed
  }

  get store(): AskedStore {
    this.#store ??= this.#storeFor(this.scope)
    return this.#store
  }

  nameIt(): string {
    this.id ??= newId(this.scope)
    return this.id
  }

  unname(): void {
    this.id = undefined
  }

  giveWay(): void {
    this.#lost = 'replaced'
  }

  giveUp(presented: string | undefined): void {
    this.#unreadId = presented
  }

  load(id: string): Loaded | Promise<Loaded> {
    return loadStored(this.scope, this.store, id)
  }

  fill(session: Session, found: Found): boolean {
    const { _expire } = found.lifetime
    this.expiresAt = typeof _expire === 'number' ? _expire : undefined
    if (!this.#state.take(session, found)) return false
    this.id = this.#storedId = found.id
    return true
  }

  compare(session: Session, isAhead = false): Difference {
    const difference = isAhead ? this.#state.lookAhead(session) : this.#state.compare(session)
    // An id that was to be given up, and was not, is as good as a change.
    return difference === 'same' && this.#former && this.#storedId === this.id ? 'changed' : difference
  }

  save(session: Session): void | Promise<void> {
    if (this.#lost !== 'no') return this.#lose()
    const id = this.nameIt()
    refuseUnreachable(this.scope, id)
    this.#storingId = id
    const { beforeSave, schema } = this.scope.config
    if (!beforeSave && !schema) return this.#put(session, id)
    return andThen(prepare(this.scope, session), () => {
      if (beforeSave) this.compare(session)
      return this.#put(session, id)
    })
  }

  replace(session: Session, keep?: readonly string[]): void | Promise<void> {
    if (this.#lost !== 'no') return this.#lose()
    const id = this.#storedId
    // One that is new already, while the old one is still to be given up, will do.
    if (!this.#former || id !== this.id) this.#rename()
    const { members, version } = this.#state
    if (id !== undefined) this.#former = { ...(this.#former ?? { id, members, version }), keep }
    return this.save(session)
  }

  #rename(): string {
    this.id = newId(this.scope)
    refuseUnreachable(this.scope, this.id)
    return this.id
  }

  #put(session: Session, id: string): void | Promise<void> {
    const putting = this.#write(session, id, this.scope.settings.newLifetime())
    // It is made safe under its new id first.
    const former = this.#former
    return former ? andThen(putting, () => this.#handOver(session, former)) : putting
  }

  #write(session: Session, id: string, lifetime: Lifetime): void | Promise<void> {
    if (!this.store.isKeyed) return this.#set(session, id, lifetime)
    return id === this.#storedId ? this.#patch(id, lifetime, true) : this.#create(id, lifetime, 1)
  }

  /** For a store of three methods, which replaces all. */
  #set(session: Session, id: string, lifetime: Lifetime): void | Promise<void> {
    const isChanged = this.#state.changes !== undefined || id !== this.#storedId
    return andThen(this.store.set(this.scope, id, pack(dataOf(session), lifetime), isChanged), () =>
      this.#saved(lifetime),
    )
  }

  #create(id: string, lifetime: Lifetime, attempt: number): void | Promise<void> {
    this.#storingId = id
    const record = { members: this.#state.after(), lifetime, version: 0, subject: this.#state.owner }
    const isFree = this.store.create(this.scope, id, record)
    return isFree === true ? this.#saved(lifetime) : this.#created(isFree, lifetime, attempt)
  }

  #created(isFree: boolean | Promise<boolean>, lifetime: Lifetime, attempt: number): void | Promise<void> {
    return andThen(isFree, (isFree): void | Promise<void> => {
      if (isFree) return this.#saved(lifetime)
      refuseTaken(attempt)
      return this.#create(this.#rename(), lifetime, attempt + 1)
    })
  }

  /** Writes what has changed, or the lifetime alone. */
  #patch(id: string, lifetime: Lifetime, isForced: boolean): void | Promise<void> {
    if (this.#lost === 'gone') return this.#lose()
    const { changes, newOwner: subject } = this.#state
    if (!changes) return this.#patched(this.store.touch(this.scope, id, lifetime), lifetime)
    const { set, unset, isEmpty } = changes
    this.#state.version = undefined
    const patch = { set, unset, lifetime, keepsEmpty: isEmpty && isForced, subject }
    return this.#patched(this.store.patch(this.scope, id, patch), lifetime)
  }

  #patched(outcome: boolean | Patched | Promise<boolean | Patched>, lifetime: Lifetime): void | Promise<void> {
    return andThen(outcome, (outcome): void | Promise<void> => {
      if (outcome === true || outcome === 'saved') return this.#saved(lifetime)
      if (outcome === 'emptied') return this.#end()
      this.#lose()
    })
  }

  /** Another request has ended the session: it stays so, what changed is told once, and the client may have another. */
  #lose(isTold = this.#state.changes !== undefined): void {
    if (this.#lost === 'no') this.#lost = 'gone'
    if (isTold) emitGone(this.scope.ctx, this.#state.changes)
    this.scope.isForced = false
    this.#state.settle()
  }

  #saved(lifetime: Lifetime): void | Promise<void> {
    this.scope.reply.carry(this.nameIt())
    this.committed(lifetime)
    this.#state.settle()
    this.#storedId = this.#storingId
    if (this.#unreadId !== undefined) return this.#forget(this.#unreadId)
  }

  /** Gives the old id up, where the session has got another one. */
  async #handOver(session: Session, former: Former): Promise<void> {
    const result = await handOver(this.scope, this.store, former, this.nameIt(), this.#state)
    this.#former = undefined
    if (!result) return this.#undo()
    this.#state.agree(session, result.members, result.owner)
  }

  async #forget(id: string): Promise<void> {
    await this.store.destroy(this.scope, id)
    this.#former = this.#unreadId = undefined
  }

  /** Another request has ended the session, or given it another id, before this one gave it a new one. */
  #undo(): void | Promise<void> {
    this.scope.reply.withdraw()
    this.#lose(true)
    return this.#forget(this.nameIt())
  }

  override async update(session: Session, change: (draft: Session) => unknown): Promise<void> {
    const updated = await updateStored(this.scope, this.store, this.nameIt(), this.#state.changes, change)
    if (!updated) return this.#lose(true)
    this.#state.agree(session, updated.members, updated.owner)
    if (updated.outcome === 'emptied') return this.#end()
    this.scope.reply.carry(this.nameIt())
    this.committed(updated.lifetime)
  }

  destroy(emptied?: Session): void | Promise<void> {
    // What could not be read can be ended all the same.
    if (this.#lost === 'replaced' && this.#unreadId === undefined) return
    const isShared = emptied && this.id !== undefined && this.id === this.#storedId && this.store.isKeyed
    // A parallel request may have put data there.
    return isShared ? this.#patch(this.id ?? '', this.scope.settings.newLifetime(), false) : this.#end()
  }

  async #end(): Promise<void> {
    this.scope.reply.drop()
    // That of a save that failed may be there all the same.
    for (const id of new Set([this.#storedId, this.#storingId, this.#former?.id, this.#unreadId]))
      if (id !== undefined) await this.store.destroy(this.scope, id)
    this.id = this.#storedId = this.#storingId = this.#unreadId = this.#former = undefined
    if (this.#lost === 'gone') this.#lost = 'no'
    this.#state.clear()
    this.done = 'ended'
  }

  announce(session: Session | null): void {
    if (this.#lost === 'replaced' && (session || this.#unreadId === undefined)) return
    if (session) this.scope.reply.carry(this.nameIt())
    else this.scope.reply.drop()
  }
}
