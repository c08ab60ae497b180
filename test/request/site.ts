/** Requests without HTTP, to a store that answers, fails or hangs as a test says. */
import { resolveConfig } from '../../src/config.ts'
import { AskedStore } from '../../src/request/asked-store.ts'
import { CookieBackend } from '../../src/request/cookie-backend.ts'
import type { Beginning } from '../../src/request/exchange.ts'
import { Scope } from '../../src/request/scope.ts'
import { Settings } from '../../src/request/settings.ts'
import { StoreBackend } from '../../src/request/store-backend.ts'
import type { Session } from '../../src/session/session.ts'
import { type MemoryStore, memoryStore } from '../../src/stores/memory.ts'
import type { Patch, Store, StoredLifetime, StoredPayload } from '../../src/stores/store.ts'
import { type ManualClock, manualClock } from '../../src/testing/clock.ts'
import { type Course, type Method, scriptedStore } from '../support/stores.ts'
import { FakeExchange } from './exchange.ts'

export type Data = Session & Record<string, unknown>
const LIFETIME = 1_000_000

interface Shared {
  readonly clock: ManualClock
  readonly memory: MemoryStore
}

/**
 * A site with one session, A, whose data are `{ a: 1 }`. New ids are 1, 2 and so on. `without`: methods the store lacks.
 * `shared`: the clock and the store of another one, whose options are other ones.
 */
export function site(options: Record<string, unknown> = {}, without: readonly Method[] = [], shared?: Shared) {
  const clock = shared?.clock ?? manualClock()
  const memory = shared?.memory ?? memoryStore({ now: clock.now })
  // Whatever it answers is waited for, unless a test says that it answers at once.
  const scripted = scriptedStore({ ...memory, answersAtOnce: undefined }, without)
  const store = scripted.store as unknown as Record<string, unknown>
  const courses = scripted.courses as Partial<Record<Method, Course[]>>
  let ids = 0
  const isStored = options.store !== null
  const config = resolveConfig({ store, genid: () => String(++ids), now: clock.now, storeTimeout: 30, ...options })
  if (isStored) put('A', { a: 1 })

  function put(id: string, data: StoredPayload, lifetime: StoredLifetime = {}): void {
    const _expire = clock.now() + LIFETIME
    memory.set(id, { ...data, _expire, _maxAge: LIFETIME, ...lifetime }, LIFETIME)
  }

  function begin(presented?: string, beginning: Beginning = 'early') {
    const exchange = new FakeExchange(presented)
    const settings = new Settings(config)
    const backend = isStored
      ? new StoreBackend(exchange, settings, () => new AskedStore(store as unknown as Store, exchange, settings))
      : new CookieBackend(exchange, settings)
    const scope = new Scope(backend, beginning)
    return {
      scope,
      exchange,
      settings,
      get session() {
        return scope.session as Data
      },
      told: () =>
        exchange.events.map(event =>
          event.type === 'store' ? `store ${event.operation} ${event.error.code}` : event.type,
        ),
    }
  }

  return {
    clock,
    memory,
    store,
    courses,
    calls: scripted.said,
    asked: scripted.calls,
    put,
    begin,
    /** A request that has begun. */
    async visit(presented?: string) {
      const request = begin(presented)
      await request.scope.start(false)
      return request
    },
    /** What another request writes to the session under `id`, key by key. */
    write(id: string, set: Patch['set'], unset: readonly string[] = []) {
      memory.patch(id, { set, unset, lifetime: memory.read(id)?.lifetime ?? {}, keepsEmpty: true }, LIFETIME)
    },
    /** The data of each record, under its id. */
    held(): Record<string, unknown> {
      const known = ['A', ...Array.from({ length: ids }, (_, at) => String(at + 1))]
      const live = known.filter(id => memory.read(id) && memory.read(id)?.retiredAt === undefined)
      return Object.fromEntries(live.map(id => [id, dataOf(memory.read(id)?.members ?? {})]))
    },
  }
}

function dataOf(members: Readonly<Record<string, string>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(members).map(([name, text]) => [name, JSON.parse(text)]))
}

/** The code of the error that `work` throws or rejects with; `undefined`: it does not. */
export async function codeOf(work: () => unknown): Promise<unknown> {
  try {
    await work()
    return undefined
  } catch (error) {
    return (error as { code?: unknown }).code ?? error
  }
}
