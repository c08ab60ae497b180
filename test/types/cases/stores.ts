// Whatever has the three methods is a store.

import Koa, { type Context } from 'koa'
import session, {
  type Store,
  type StoreCall,
  type StoredPayload,
  type StoreGetCall,
  type StoreSetCall,
} from 'koa-session'
import { type MemoryStore, type MemoryStoreOptions, memoryStore } from 'koa-session/memory'
import type { CreateSessionOptions as Options7 } from 'koa-session-7'

const app = new Koa()
const sessions = new Map<string, StoredPayload>()

session(
  {
    store: {
      async get(id) {
        return sessions.get(id)
      },
      async set(id, payload) {
        sessions.set(id, payload)
      },
      async destroy(id) {
        sessions.delete(id)
      },
    },
  },
  app,
)

const store: Store = {
  get: (id, maxAge, { ctx, rolling }) => sessions.get(`${id}${maxAge}${ctx}${rolling}`),
  set: (id, payload, ttl, { changed }) => {
    if (changed) sessions.set(id, { ...payload, ttl: ttl.toFixed() })
  },
  destroy: (id, { ctx }) => sessions.delete(`${id}${ctx}`),
}
session({ store }, app)

class Full implements Store {
  get(id: string, _maxAge: number, _call: StoreGetCall): StoredPayload | undefined {
    return sessions.get(id)
  }
  set(id: string, payload: StoredPayload, _ttl: number, _call: StoreSetCall): void {
    sessions.set(id, payload)
  }
  destroy(id: string, _call: StoreCall): void {
    sessions.delete(id)
  }
}
session({ store: new Full() }, app)

class PerRequest {
  readonly #tenant: string
  constructor(ctx: Context) {
    this.#tenant = ctx.host
  }
  async get(id: string) {
    return sessions.get(this.#tenant + id)
  }
  async set(id: string, payload: Record<string, unknown>, _ttl?: number) {
    sessions.set(this.#tenant + id, payload)
  }
  async destroy(id: string) {
    sessions.delete(this.#tenant + id)
  }
}
session({ ContextStore: PerRequest }, app)
session({ ContextStore: Full }, app)

// One that was written for 7.x.
declare const old: NonNullable<Options7['store']>
session({ store: old }, app)

const limits: MemoryStoreOptions = { max: 100 }
const memory: MemoryStore = memoryStore(limits)
session({ store: memory }, app)
session({ store: memoryStore() }, app)
session({ store: memoryStore({ max: 1, now: () => 0 }) }, app)
const size: number = memory.size

// @ts-expect-error: without `destroy`
session({ store: { get() {}, set() {} } }, app)
// @ts-expect-error: an id is a string
session({ store: { get: (id: number) => id, set() {}, destroy() {} } }, app)
// @ts-expect-error: a class, not an instance
session({ ContextStore: new Full() }, app)
// @ts-expect-error: a number
memoryStore({ max: '1' })
// @ts-expect-error: for reading
memory.size = size
