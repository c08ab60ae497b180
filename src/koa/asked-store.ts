import { SessionError } from '../errors.ts'
import type { Lifetime } from '../session/lifetime.ts'
import type { Payload } from '../session/payload.ts'
import {
  type Answer,
  type KeyedStore,
  keyed,
  type Patch,
  type Patched,
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
    const { ctx, config } = this.#scope
    const lifetime = config.maxAge === 'session' ? config.ttl : config.maxAge
    return this.#ask('get', id, () => this.store.get(id, lifetime, { ctx, rolling: config.rolling }))
  }

  set(id: string, payload: Payload, changed: boolean): unknown {
    const { ctx, config } = this.#scope
    const call = { ctx, rolling: config.rolling, changed }
    return this.#ask('set', id, () => this.store.set(id, payload, ttlOf(this.#scope), call))
  }

  destroy(id: string): unknown {
    return this.#ask('destroy', id, () => this.store.destroy(id, this.#call))
  }

  read(id: string): Answer<StoredRecord | undefined> {
    const { ctx, config } = this.#scope
    return this.#ask('read', id, () => this.#byKeys.read(id, { ctx, rolling: config.rolling }))
  }

  create(id: string, record: StoredRecord): Answer<boolean> {
    return this.#ask('create', id, () => this.#byKeys.create(id, record, ttlOf(this.#scope), this.#call))
  }

  patch(id: string, patch: Patch): Answer<Patched> {
    return this.#ask('patch', id, () => this.#byKeys.patch(id, patch, ttlOf(this.#scope), this.#call))
  }

  touch(id: string, lifetime: Lifetime): Answer<boolean> {
    return this.#ask('touch', id, () => this.#byKeys.touch(id, lifetime, ttlOf(this.#scope), this.#call))
  }

  retire(id: string, version: number | undefined): Answer<Patched | undefined> {
    return this.#ask('retire', id, () => this.#byKeys.retire?.(id, { version }, ttlOf(this.#scope), this.#call))
  }

  get #call() {
    return { ctx: this.#scope.ctx }
  }

  get #byKeys(): KeyedStore {
    return this.store as KeyedStore
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

  #ask<Value>(operation: Operation, id: string, question: () => Answer<Value>): Answer<Value> {
    const fail = (cause: unknown) => {
      throw this.#failed(operation, id, 'ERR_SESSION_STORE', cause)
    }
    try {
      const answer = question()
      return isPromise(answer) ? this.within(operation, id, Promise.resolve(answer).catch(fail)) : answer
    } catch (cause) {
      return fail(cause)
    }
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
