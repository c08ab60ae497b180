import type { Lifetime } from '../session/lifetime.ts'
import { type Found, type Loaded, pack } from '../session/payload.ts'
import type { Difference } from '../session/plan.ts'
import { dataOf, type Session } from '../session/session.ts'
import type { Patched } from '../stores/store.ts'
import type { AskedStore } from './asked-store.ts'
import { andThen } from './await.ts'
import { Backend } from './backend.ts'
import { emitGone } from './events.ts'
import { handOver } from './hand-over.ts'
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
  /** The id that a new one took the place of, until the store has given it up, and the keys that go over (or all). */
  #replacedId: string | undefined
  #keep: readonly string[] | undefined
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

  compare(session: Session): Difference {
    return this.#state.compare(session)
  }

  save(session: Session): void | Promise<void> {
    if (this.#lost === 'replaced') return this.#lose()
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
    if (this.#lost === 'replaced') return this.#lose()
    this.#rename()
    this.#replacedId ??= this.#storedId
    this.#keep = keep
    return this.save(session)
  }

  #rename(): string {
    this.id = newId(this.scope)
    refuseUnreachable(this.scope, this.id)
    return this.id
  }

  #put(session: Session, id: string): void | Promise<void> {
    const putting = this.#write(session, id, this.scope.newLifetime())
    // It is made safe under its new id first.
    return this.#replacedId === undefined ? putting : andThen(putting, () => this.#handOver(session))
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
    if (this.#lost === 'gone') return
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
      this.#lost = 'gone'
      this.#lose()
    })
  }

  /** Another request has ended the session: it stays so, what changed is told once, and the client may have another. */
  #lose(): void {
    if (this.#state.changes) emitGone(this.scope.ctx, this.#state.changes)
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
  async #handOver(session: Session): Promise<void> {
    const from = this.#replacedId
    if (from === undefined) return
    if (!this.store.canRetire) return this.#forget(from)
    const members = await handOver(this.scope, this.store, from, this.nameIt(), this.#state, this.#keep)
    this.#replacedId = undefined
    if (!members) return this.#undo()
    this.#state.agree(session, members, this.#state.owner)
  }

  async #forget(id: string): Promise<void> {
    await this.store.destroy(this.scope, id)
    this.#replacedId = this.#unreadId = undefined
  }

  /** Another request has ended the session, or given it another id, before this one gave it a new one. */
  #undo(): void | Promise<void> {
    this.scope.reply.withdraw()
    this.#lost = 'gone'
    emitGone(this.scope.ctx, this.#state.changes)
    return this.#forget(this.nameIt())
  }

  override async update(session: Session, change: (draft: Session) => unknown): Promise<void> {
    const updated = await updateStored(this.scope, this.store, this.nameIt(), this.#state.changes, change)
    if (updated) {
      const { members, lifetime, owner } = updated
      this.#state.agree(session, members, owner)
      this.scope.reply.carry(this.nameIt())
      return this.committed(lifetime)
    }
    this.#lost = 'gone'
    this.#lose()
  }

  destroy(emptied?: Session): void | Promise<void> {
    // What could not be read can be ended all the same.
    if (this.#lost === 'replaced' && this.#unreadId === undefined) return
    const isShared = emptied && this.id !== undefined && this.id === this.#storedId && this.store.isKeyed
    // A parallel request may have put data there.
    return isShared ? this.#patch(this.id ?? '', this.scope.newLifetime(), false) : this.#end()
  }

  async #end(): Promise<void> {
    this.scope.reply.drop()
    for (const id of [this.#storedId, this.#replacedId, this.#unreadId])
      if (id !== undefined) await this.store.destroy(this.scope, id)
    this.id = this.#storedId = this.#storingId = this.#replacedId = this.#unreadId = undefined
    this.#state.clear()
    this.done = 'ended'
  }

  announce(session: Session | null): void {
    if (this.#lost === 'replaced' && (session || this.#unreadId === undefined)) return
    if (session) this.scope.reply.carry(this.nameIt())
    else this.scope.reply.drop()
  }
}
