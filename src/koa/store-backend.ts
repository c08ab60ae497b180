import { textOf } from '../session/changes.ts'
import type { Lifetime } from '../session/lifetime.ts'
import { type Changes, changed, changesSince, type Members, NO_CHANGES, NO_MEMBERS } from '../session/members.ts'
import { type Found, type Loaded, pack } from '../session/payload.ts'
import type { Difference } from '../session/plan.ts'
import { dataOf, fill, fillFrom, type Session } from '../session/session.ts'
import { type KeyedStore, keyed, type Patched, type Store } from '../stores/store.ts'
import { andThen } from './await.ts'
import { Backend } from './backend.ts'
import { emitGone } from './events.ts'
import { newId, refuseTaken, refuseUnreachable, ttlOf } from './ids.ts'
import { loadStored } from './load-stored.ts'
import { checkSchema } from './schema.ts'
import type { Scope } from './scope.ts'

/** The session is in a store, and the client carries its id. A store that can't be made is like one that is down. */
export class StoreBackend extends Backend {
  id: string | undefined
  readonly #storeFor: (scope: Scope) => Store
  #store: Store | undefined
  /** The id under which the store holds the session, or may. */
  #storedId: string | undefined
  /** The id under which it was last asked to. */
  #storingId: string | undefined
  /** The id that a new one took the place of, until the store has given it up; and that of what could not be read. */
  #replacedId: string | undefined
  #unreadId: string | undefined
  /** What the store has of the data, as far as this request knows. */
  #members: Members | undefined
  /** What had changed when it was compared last; `undefined`: nothing. */
  #changes: Changes | undefined
  /** Whether the store has the changes by now. */
  #isSaved = false
  /** Whether another request has ended it, or has given the client another one by now. */
  #lost: 'no' | 'gone' | 'replaced' = 'no'

  constructor(scope: Scope, storeFor: (scope: Scope) => Store) {
    super(scope)
    this.#storeFor = storeFor
  }

  get waits(): boolean {
    return true
  }

  get isKnown(): boolean {
    return this.#members !== undefined
  }

  get isNewIdUnderWay(): boolean {
    return this.#storingId !== undefined && this.#storingId !== this.#storedId
  }

  get store(): Store {
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

  fill(session: Session, { id, lifetime, payload, members }: Found): boolean {
    this.expiresAt = typeof lifetime._expire === 'number' ? lifetime._expire : undefined
    this.id = id
    this.#storedId = id
    try {
      if (members) fillFrom(session, members)
      else fill(session, payload ?? {})
      this.#members = members ?? changesSince(NO_MEMBERS, session)?.set ?? NO_MEMBERS
    } catch {
      this.id = undefined
      this.#storedId = undefined
    }
    return this.#members !== undefined
  }

  compare(session: Session): Difference {
    if (this.#isSaved) this.#members = this.#after()
    this.#isSaved = false
    this.#changes = changesSince(this.#members ?? NO_MEMBERS, session)
    if (!this.#changes) return this.#members ? 'same' : 'emptied'
    return this.#changes.isEmpty ? 'emptied' : 'changed'
  }

  /** The members of the session as it was compared last. */
  #after(): Members {
    const { set, unset } = this.#changes ?? NO_CHANGES
    if (!this.#members) return set
    return this.#changes ? changed(this.#members, set, unset) : this.#members
  }

  save(session: Session): void | Promise<void> {
    const { ctx, config } = this.scope
    if (this.#lost === 'replaced') return this.#lose()
    const id = this.nameIt()
    refuseUnreachable(this.scope, id)
    this.#storingId = id
    if (!config.beforeSave && !config.schema) return this.#put(session, id)
    return andThen(config.beforeSave?.(ctx, session), () => {
      if (config.beforeSave) this.compare(session)
      const checked = config.schema && checkSchema(config.schema, textOf(dataOf(session)))
      return andThen(checked, () => this.#put(session, id))
    })
  }

  replace(session: Session): void | Promise<void> {
    if (this.#lost === 'replaced') return this.#lose()
    this.#rename()
    this.#replacedId ??= this.#storedId
    return this.save(session)
  }

  #rename(): string {
    const id = newId(this.scope)
    refuseUnreachable(this.scope, id)
    this.id = id
    return id
  }

  #put(session: Session, id: string): void | Promise<void> {
    const lifetime = this.scope.newLifetime()
    const store = keyed(this.store)
    if (store && id !== this.#storedId) return this.#create(store, id, lifetime, 1)
    return store ? this.#patch(store, id, lifetime, true) : this.#set(session, id, lifetime)
  }

  /** For a store of three methods, which replaces all. */
  #set(session: Session, id: string, lifetime: Lifetime): void | Promise<void> {
    const { ctx, config } = this.scope
    const call = { ctx, rolling: config.rolling, changed: this.#changes !== undefined || id !== this.#storedId }
    const payload = pack(dataOf(session), lifetime)
    return andThen(this.store.set(id, payload, ttlOf(this.scope), call), () => this.#saved(lifetime))
  }

  #create(store: KeyedStore, id: string, lifetime: Lifetime, attempt: number): void | Promise<void> {
    const { ctx } = this.scope
    this.#storingId = id
    const isFree = store.create(id, { members: this.#after(), lifetime }, ttlOf(this.scope), { ctx })
    return isFree === true ? this.#saved(lifetime) : this.#created(isFree, store, lifetime, attempt)
  }

  #created(isFree: boolean | Promise<boolean>, store: KeyedStore, lifetime: Lifetime, attempt: number) {
    return andThen(isFree, (isFree): void | Promise<void> => {
      if (isFree) return this.#saved(lifetime)
      refuseTaken(attempt)
      return this.#create(store, this.#rename(), lifetime, attempt + 1)
    })
  }

  /** Writes what has changed, or the lifetime alone. */
  #patch(store: KeyedStore, id: string, lifetime: Lifetime, isForced: boolean): void | Promise<void> {
    if (this.#lost === 'gone') return
    const call = { ctx: this.scope.ctx }
    if (!this.#changes) return this.#patched(store.touch(id, lifetime, ttlOf(this.scope), call), lifetime)
    const { set, unset, isEmpty } = this.#changes
    return this.#patched(
      store.patch(id, { set, unset, lifetime, keepsEmpty: isEmpty && isForced }, ttlOf(this.scope), call),
      lifetime,
    )
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
    if (this.#changes) emitGone(this.scope.ctx, this.#changes)
    this.#isSaved = true
  }

  #saved(lifetime: Lifetime): void | Promise<void> {
    this.scope.reply.carry(this.nameIt())
    this.committed(lifetime)
    this.#isSaved = true
    this.#storedId = this.#storingId
    if (this.#replacedId !== undefined) return this.#retire(this.#replacedId)
    if (this.#unreadId !== undefined) return this.#forget(this.#unreadId)
  }

  #retire(id: string): void | Promise<void> {
    const store = keyed(this.store)
    if (!store?.retire) return this.#forget(id)
    return andThen(store.retire(id, ttlOf(this.scope), { ctx: this.scope.ctx }), wasThere => {
      this.#replacedId = undefined
      if (wasThere === false) return this.#undo()
    })
  }

  #forget(id: string): void | Promise<void> {
    return andThen(this.store.destroy(id, { ctx: this.scope.ctx }), () => {
      this.#replacedId = this.#unreadId = undefined
    })
  }

  /** Another request has ended the session, or given it another id, before this one gave it a new one. */
  #undo(): void | Promise<void> {
    this.scope.reply.withdraw()
    this.#lost = 'gone'
    emitGone(this.scope.ctx, this.#changes)
    return this.#forget(this.nameIt())
  }

  destroy(emptied?: Session): void | Promise<void> {
    if (this.#lost === 'replaced') return
    const store = emptied && this.id !== undefined && this.id === this.#storedId && keyed(this.store)
    // A parallel request may have put data there.
    return store ? this.#patch(store, this.#storedId ?? '', this.scope.newLifetime(), false) : this.#end()
  }

  async #end(): Promise<void> {
    const { ctx, reply } = this.scope
    reply.drop()
    for (const id of [this.#storedId, this.#replacedId, this.#unreadId])
      if (id !== undefined) await this.store.destroy(id, { ctx })
    this.id = this.#storedId = this.#storingId = this.#replacedId = this.#unreadId = undefined
    this.#members = undefined
    this.#isSaved = false
    this.done = 'ended'
  }

  announce(session: Session | null): void {
    if (this.#lost === 'replaced') return
    if (session) this.scope.reply.carry(this.nameIt())
    else this.scope.reply.drop()
  }
}
