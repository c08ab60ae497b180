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
 * The store of one request. What it is asked it answers within `storeTimeout`: otherwise, and where it fails, it is
 * `ERR_SESSION_TIMEOUT` and `ERR_SESSION_STORE`, and the event `session:error`.
 */
export class AskedStore {
  readonly #scope: Scope
  readonly store: Store
  /** Whether it can be written to key by key; if not, `read` and what follows must not be called. */
  readonly isKeyed: boolean
  readonly canRetire: boolean

  /** `storeFor` makes the store. One that can't be made is like one that is down. */
  constructor(scope: Scope, storeFor: (scope: Scope) => Store) {
    this.#scope = scope
    try {
      this.store = storeFor(scope)
    } catch (cause) {
      throw this.#failed('open', undefined, 'ERR_SESSION_STORE', cause)
    }
    const byKeys = keyed(this.store)
    this.isKeyed = byKeys !== undefined
    this.canRetire = byKeys?.retire !== undefined
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

  retire(id: string, version: number | undefined): Answer<Patched> {
    return this.#ask('retire', id, { version })
  }

  /** What `answer` gives, if it does within the time that the store has for `operation`. */
  within<Value>(operation: Operation, id: string, answer: PromiseLike<Value>): Promise<Value> {
    const { storeTimeout } = this.#scope.config
    return new Promise((resolve, reject) => {
      let timer: NodeJS.Timeout | undefined
      const overdue = () => reject(this.#failed(operation, id, 'ERR_SESSION_TIMEOUT'))
      // What answers in this tick gets no timer.
      const waiting = setImmediate(() => {
        timer = setTimeout(overdue, storeTimeout)
      })
      const settle = () => {
        clearImmediate(waiting)
        clearTimeout(timer)
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
  #ask<Value>(operation: Operation, id: string, what?: object, changed = false): Answer<Value> {
    try {
      // A store that answers something else than its contract says is not told from one that does.
      const answer = this.#call(operation, id, what, changed) as Answer<Value>
      return isPromise(answer) ? this.#settled(operation, id, answer) : answer
    } catch (cause) {
      throw this.#failed(operation, id, 'ERR_SESSION_STORE', cause)
    }
  }

  /** One switch in place of a closure for each question, which would be a good part of what a request allocates here. */
  #call(operation: Operation, id: string, what: object | undefined, changed: boolean): unknown {
    const { ctx, config } = this.#scope
    const { rolling, maxAge } = config
    const store = this.store as KeyedStore
    switch (operation) {
      case 'get':
        return store.get(id, maxAge === 'session' ? config.ttl : maxAge, { ctx, rolling })
      case 'set':
        return store.set(id, what as Payload, ttlOf(this.#scope), { ctx, rolling, changed })
      case 'read':
        return store.read(id, { ctx, rolling })
      case 'create':
        return store.create(id, what as StoredRecord, ttlOf(this.#scope), { ctx })
      case 'patch':
        return store.patch(id, what as Patch, ttlOf(this.#scope), { ctx })
      case 'touch':
        return store.touch(id, what as Lifetime, ttlOf(this.#scope), { ctx })
      case 'retire':
        return store.retire?.(id, what as Retire, ttlOf(this.#scope), { ctx })
      default:
        return store.destroy(id, { ctx })
    }
  }

  #settled<Value>(operation: Operation, id: string, answer: PromiseLike<Value>): Promise<Value> {
    const fail = (cause: unknown) => {
      throw this.#failed(operation, id, 'ERR_SESSION_STORE', cause)
    }
    return this.within(operation, id, Promise.resolve(answer).catch(fail))
  }

  #failed(
    operation: Operation,
    id: string | undefined,
    code: 'ERR_SESSION_STORE' | 'ERR_SESSION_TIMEOUT',
    cause?: unknown,
  ) {
    const { ctx, config } = this.#scope
    const what = code === 'ERR_SESSION_STORE' ? 'failed' : `has not answered within ${config.storeTimeout} ms`
    const error = new SessionError(code, `${operation} of the session store ${what}`, { cause })
    emitFailed(ctx, operation, id, error)
    return error
  }
}

/** Whether `error` is that of a store which failed, or did not answer. */
export function isStoreFailure(error: unknown): boolean {
  return error instanceof SessionError && (error.code === 'ERR_SESSION_STORE' || error.code === 'ERR_SESSION_TIMEOUT')
}
