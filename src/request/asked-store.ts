import { isPromise } from '../async.ts'
import type { Lifetime, Payload } from '../session/model.ts'
import {
  type Answer,
  type KeyedStore,
  keyed,
  type ListedSession,
  type Patch,
  type Patched,
  type Retire,
  type Store,
  type StoredRecord,
} from '../stores/store.ts'
import type { Exchange } from './exchange.ts'
import type { Settings } from './settings.ts'
import { failed, overdue } from './store-failure.ts'
import { isHeard, type SessionStoreMessage, STORE, traceStore } from './tracing.ts'

type StoreOperation = SessionStoreMessage['operation']

/** A store outlives the session by this much (ms), so that one that has expired is seen to have (as in 7.x). */
const GRACE = 10_000

/**
 * A store, as one request asks it. It answers within the request's `storeTimeout`: otherwise, and where it fails, it is
 * `ERR_SESSION_TIMEOUT` and `ERR_SESSION_STORE`, and an event.
 */
export class AskedStore {
  readonly store: Store
  readonly #exchange: Exchange
  readonly #settings: Settings
  /** How long (ms) the request has waited for the store, since its handler last asked for a commit. */
  waited = 0

  constructor(store: Store, exchange: Exchange, settings: Settings) {
    this.store = store
    this.#exchange = exchange
    this.#settings = settings
  }

  /** The store that `make` makes for one request. One that can't be made is like one that is down. */
  static open(make: () => Store, exchange: Exchange, settings: Settings): AskedStore {
    try {
      return new this(make(), exchange, settings)
    } catch (cause) {
      throw failed(exchange, { operation: 'open' }, cause)
    }
  }

  /** Whether it can be written to key by key; if not, `read` and what follows must not be called. */
  get isKeyed(): boolean {
    return keyed(this.store) !== undefined
  }

  /** Whether it never gives a promise. */
  get answersAtOnce(): boolean {
    return this.store.answersAtOnce === true
  }

  get canRetire(): boolean {
    return canRetire(this.store)
  }

  /** Whether it keeps whose sessions it has, so that it can find them by that. */
  get keepsOwner(): boolean {
    return keyed(this.store)?.list !== undefined
  }

  /** Whether it can find and end them. */
  get canList(): boolean {
    return canList(this.store)
  }

  get(id: string): unknown {
    return this.#ask('get', id)
  }

  set(id: string, payload: Payload, changed: boolean): unknown {
    return this.#ask('set', id, payload, changed)
  }

  destroy(id: string): unknown {
    return this.#ask('destroy', id)
  }

  read(id: string): Answer<StoredRecord | undefined> {
    return this.#ask('read', id)
  }

  create(id: string, record: StoredRecord): Answer<boolean> {
    return this.#ask('create', id, record)
  }

  patch(id: string, patch: Patch): Answer<Patched> {
    return this.#ask('patch', id, patch)
  }

  touch(id: string, lifetime: Lifetime): Answer<boolean> {
    return this.#ask('touch', id, lifetime)
  }

  retire(id: string, retire: Retire): Answer<Exclude<Patched, 'emptied'>> {
    return this.#ask('retire', id, retire)
  }

  /** Where the store `keepsOwner`: the sessions of `owner`, the newest first. */
  list(owner: string): Answer<readonly ListedSession[]> {
    return this.#ask('list', undefined, { subject: owner })
  }

  /** Ends the session of `owner` with this handle. Says how many there were. */
  endOne(owner: string, only: string): Answer<number> {
    return this.#ask('destroyAll', undefined, { subject: owner, only })
  }

  /** What `answer` gives, if it does within `patience` (ms); `waited` is told of the time that it took, if any. */
  within<Value>(
    operation: string,
    id: string | undefined,
    answer: PromiseLike<Value>,
    patience = this.#settings.config.storeTimeout,
    waited: (time: number) => void = () => {},
  ): Promise<Value> {
    return new Promise((resolve, reject) => {
      let timer: NodeJS.Timeout | undefined
      let began = 0
      // What answers in this tick gets no timer.
      const waiting = setImmediate(() => {
        began = performance.now()
        const late = () => fail(overdue(this.#exchange, operation, id, this.#settings.config.storeTimeout))
        timer = setTimeout(late, patience)
      })
      const settled = <Given>(settle: (given: Given) => void) => {
        return (given: Given) => {
          clearImmediate(waiting)
          clearTimeout(timer)
          if (timer) waited(performance.now() - began)
          timer = undefined
          settle(given)
        }
      }
      const fail = settled(reject)
      answer.then(settled(resolve), fail)
    })
  }

  /** Asks by what the methods above are given, and says what of it is an answer to which. */
  #ask<Value>(operation: StoreOperation, id: string | undefined, what?: object, changed = false): Answer<Value> {
    if (!isHeard(STORE)) return this.#answer(operation, id, what, changed)
    return traceStore({ operation, id, what }, () => this.#answer<Value>(operation, id, what, changed))
  }

  #answer<Value>(operation: StoreOperation, id: string | undefined, what: object | undefined, changed: boolean) {
    try {
      // A store that answers something else than its contract says is not told from one that does.
      const answer = this.#call(operation, id, what, changed) as Answer<Value>
      return isPromise(answer) ? this.#settled(operation, id, what, answer) : answer
    } catch (cause) {
      throw failed(this.#exchange, { operation, id, what }, cause)
    }
  }

  /** One switch in place of a closure for each question, which would be a good part of what a request allocates here. */
  #call(operation: StoreOperation, given: string | undefined, what: object | undefined, changed: boolean): unknown {
    const { ctx } = this.#exchange
    const { rolling, maxAge, ttl, sealing, externalKey, cookie } = this.#settings.config
    const signed = sealing !== undefined || (externalKey === undefined && cookie.signed === true)
    const [store, id = ''] = [this.store as KeyedStore, given]
    const { subject: subjectHash, only } = (what ?? {}) as { subject?: string; only?: string }
    switch (operation) {
      case 'get':
        return store.get(id, maxAge === 'session' ? ttl : maxAge, { ctx, signed, rolling })
      case 'set':
        return store.set(id, what as Payload, this.#ttl, { ctx, signed, rolling, changed })
      case 'read':
        return store.read(id, { ctx, signed, rolling })
      case 'create':
        return store.create(id, what as StoredRecord, this.#ttl, { ctx, signed })
      case 'patch':
        return store.patch(id, what as Patch, this.#ttl, { ctx, signed })
      case 'touch':
        return store.touch(id, what as Lifetime, this.#ttl, { ctx, signed })
      case 'retire':
        return store.retire?.(id, what as Retire, this.#ttl, { ctx, signed })
      case 'list':
        return store.list?.({ subjectHash })
      case 'destroyAll':
        return store.destroyAll?.({ subjectHash }, { only })
      default:
        return store.destroy(id, { ctx, signed })
    }
  }

  /** How long (ms) the store is to keep what is put under an id. */
  get #ttl(): number {
    const { maxAge, config } = this.#settings
    return maxAge === 'session' ? config.ttl : maxAge + GRACE
  }

  /** A request does not wait longer in all than for one answer that does not come. */
  #settled<Value>(
    operation: StoreOperation,
    id: string | undefined,
    what: object | undefined,
    answer: PromiseLike<Value>,
  ) {
    let isOver = false
    const fail = (cause: unknown) => {
      // That it has not answered was told.
      throw isOver ? cause : failed(this.#exchange, { operation, id, what }, cause)
    }
    const left = Math.max(0, this.#settings.config.storeTimeout - this.waited)
    return this.within(operation, id, Promise.resolve(answer).catch(fail), left, time => {
      this.waited += time
      isOver = true
    })
  }
}

/** Whether the sessions of a subject can be found, and ended, in `store`. */
export const canList = (store: Store) => Boolean(keyed(store)?.list && keyed(store)?.destroyAll)

/** Whether an id that was replaced stays known in `store`. */
export const canRetire = (store: Store) => keyed(store)?.retire !== undefined
