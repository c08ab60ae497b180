import { SessionError } from '../errors.ts'
import type { Lifetime } from '../session/lifetime.ts'
import type { Payload } from '../session/payload.ts'
import {
  type Answer,
  type KeyedStore,
  keyed,
  type Patch,
  type Patched,
  type Retire,
  type Store,
  type StoredRecord,
} from '../stores/store.ts'
import { isPromise } from './await.ts'
import { emitFailed } from './events.ts'
import { ttlOf } from './ids.ts'
import type { Scope } from './scope.ts'

export type Operation =
  | ('open' | 'get' | 'set' | 'destroy')
  | ('read' | 'create' | 'patch' | 'touch' | 'retire' | 'update')

/**
 * A store, as requests ask it. It answers within their `storeTimeout`: otherwise, and where it fails, it is
 * `ERR_SESSION_TIMEOUT` and `ERR_SESSION_STORE`, and the event `session:error`.
 */
export class AskedStore {
  readonly store: Store

  constructor(store: Store) {
    this.store = store
  }

  /** The store that `make` makes for one request. One that can't be made is like one that is down. */
  static for(scope: Scope, make: () => Store): AskedStore {
    try {
      return new AskedStore(make())
    } catch (cause) {
      throw failed(scope, 'open', undefined, 'ERR_SESSION_STORE', cause)
    }
  }

  /** Whether it can be written to key by key; if not, `read` and what follows must not be called. */
  get isKeyed(): boolean {
    return keyed(this.store) !== undefined
  }

  get canRetire(): boolean {
    return keyed(this.store)?.retire !== undefined
  }

  get(scope: Scope, id: string): unknown {
    return this.#ask(scope, 'get', id)
  }

  set(scope: Scope, id: string, payload: Payload, changed: boolean): unknown {
    return this.#ask(scope, 'set', id, payload, changed)
  }

  destroy(scope: Scope, id: string): unknown {
    return this.#ask(scope, 'destroy', id)
  }

  read(scope: Scope, id: string): Answer<StoredRecord | undefined> {
    return this.#ask(scope, 'read', id)
  }

  create(scope: Scope, id: string, record: StoredRecord): Answer<boolean> {
    return this.#ask(scope, 'create', id, record)
  }

  patch(scope: Scope, id: string, patch: Patch): Answer<Patched> {
    return this.#ask(scope, 'patch', id, patch)
  }

  touch(scope: Scope, id: string, lifetime: Lifetime): Answer<boolean> {
    return this.#ask(scope, 'touch', id, lifetime)
  }

  retire(scope: Scope, id: string, retire: Retire): Answer<Patched> {
    return this.#ask(scope, 'retire', id, retire)
  }

  /** What `answer` gives, if it does within `patience` (ms); `waited` is told of the time that it took, if any. */
  within<Value>(
    scope: Scope,
    operation: Operation,
    id: string,
    answer: PromiseLike<Value>,
    patience = scope.config.storeTimeout,
    waited: (time: number) => void = () => {},
  ): Promise<Value> {
    return new Promise((resolve, reject) => {
      let timer: NodeJS.Timeout | undefined
      let began = 0
      const overdue = () => {
        settle()
        reject(failed(scope, operation, id, 'ERR_SESSION_TIMEOUT'))
      }
      // What answers in this tick gets no timer.
      const waiting = setImmediate(() => {
        began = performance.now()
        timer = setTimeout(overdue, patience)
      })
      const settle = () => {
        clearImmediate(waiting)
        clearTimeout(timer)
        if (timer) waited(performance.now() - began)
        timer = undefined
      }
      answer.then(
        value => {
          settle()
          resolve(value)
        },
        error => {
          settle()
          reject(error)
        },
      )
    })
  }

  /** Asks by what the methods above are given, and says what of it is an answer to which. */
  #ask<Value>(scope: Scope, operation: Operation, id: string, what?: object, changed = false): Answer<Value> {
    try {
      // A store that answers something else than its contract says is not told from one that does.
      const answer = this.#call(scope, operation, id, what, changed) as Answer<Value>
      return isPromise(answer) ? this.#settled(scope, operation, id, answer) : answer
    } catch (cause) {
      throw failed(scope, operation, id, 'ERR_SESSION_STORE', cause)
    }
  }

  /** One switch in place of a closure for each question, which would be a good part of what a request allocates here. */
  #call(scope: Scope, operation: Operation, id: string, what: object | undefined, changed: boolean): unknown {
    const { ctx, config } = scope
    const { rolling, maxAge } = config
    const store = this.store as KeyedStore
    switch (operation) {
      case 'get':
        return store.get(id, maxAge === 'session' ? config.ttl : maxAge, { ctx, rolling })
      case 'set':
        return store.set(id, what as Payload, ttlOf(scope), { ctx, rolling, changed })
      case 'read':
        return store.read(id, { ctx, rolling })
      case 'create':
        return store.create(id, what as StoredRecord, ttlOf(scope), { ctx })
      case 'patch':
        return store.patch(id, what as Patch, ttlOf(scope), { ctx })
      case 'touch':
        return store.touch(id, what as Lifetime, ttlOf(scope), { ctx })
      case 'retire':
        return store.retire?.(id, what as Retire, ttlOf(scope), { ctx })
      default:
        return store.destroy(id, { ctx })
    }
  }

  /** A request does not wait longer in all than for one answer that does not come. */
  #settled<Value>(scope: Scope, operation: Operation, id: string, answer: PromiseLike<Value>): Promise<Value> {
    const { backend, config } = scope
    let isOver = false
    const fail = (cause: unknown) => {
      // That it has not answered was told.
      throw isOver ? cause : failed(scope, operation, id, 'ERR_SESSION_STORE', cause)
    }
    const left = Math.max(0, config.storeTimeout - backend.waited)
    return this.within(scope, operation, id, Promise.resolve(answer).catch(fail), left, time => {
      backend.waited += time
      isOver = true
    })
  }
}

function failed(
  { ctx, config }: Scope,
  operation: Operation,
  id: string | undefined,
  code: 'ERR_SESSION_STORE' | 'ERR_SESSION_TIMEOUT',
  cause?: unknown,
): SessionError {
  const what = code === 'ERR_SESSION_STORE' ? 'failed' : `has not answered within ${config.storeTimeout} ms`
  const error = new SessionError(code, `${operation} of the session store ${what}`, { cause })
  emitFailed(ctx, operation, id, error)
  return error
}

/** Whether `error` is that of a store which failed, or did not answer. */
export function isStoreFailure(error: unknown): boolean {
  return error instanceof SessionError && (error.code === 'ERR_SESSION_STORE' || error.code === 'ERR_SESSION_TIMEOUT')
}
