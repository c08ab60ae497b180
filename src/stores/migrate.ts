import { checkOption } from './after.ts'
import { reader } from './moving.ts'
import { checkNames, checkWhich } from './options.ts'
import { payloadIn } from './record.ts'
import { type Answer, type KeyedStore, keyed, type Store, type StoreCall } from './store.ts'

/** The options of `migrate()`. */
export interface MigrateOptions {
  /** How long (ms) a session is kept of which the old store does not say when it expires. Default a day. */
  readonly ttl?: number | undefined
  /** The clock, in milliseconds since the epoch. Default `Date.now`. */
  readonly now?: (() => number) | undefined
}

/** A store with all the methods of the contract that `To` has. */
export type MigratingStore<To extends Store> = KeyedStore &
  Pick<Store, 'retire'> &
  Pick<To, Extract<keyof To, 'list' | 'destroyAll'>>

/**
 * The store `to`, and in it each session of the store `from` once it is used: it is moved when it is read. `from` is any
 * store of three methods, with payloads as objects or as JSON text (koa-redis, one that was written for koa-session 7),
 * or another one of this package. What is no payload is nothing.
 *
 * No session is lost and none that was ended comes back, whatever runs in parallel and in whichever process, as long as
 * every process uses `migrate`: one that still writes to `from` alone does not see what has been moved. `list` and
 * `destroyAll` know no session that has not been used since: to end all sessions of a subject, mind `from`, too.
 *
 * `destroy` follows the tombstones of each store in that store. An id that `from` itself has retired, before every process
 * used `migrate`, does not lead to a session that was moved since.
 *
 * An id that `to` does not have costs a `get` of `from`. When the longest lifetime of a session in `from` has passed,
 * nothing is left there: put `to` in this store's place. Throws `ERR_SESSION_OPTION`. Rejects when one of them does.
 *
 * Why that holds: a reader copies the payload with a mark on it, and nobody takes a marked record for a session before
 * `from` has been asked again. Whoever ends a session removes it from `from` first, then from `to`.
 * - read ∥ read: one of them creates. Another mark takes the place of the first before `from` gives the session up, so that
 *   a record with the first one which `from` does not have is one that was ended; a reader that finds nothing in `from`
 *   looks into `to` again. Whoever finds the other mark removes the session from `from`, then the mark: a move that was cut
 *   off leaves nothing there that comes back once the session has ended in `to`.
 * - read ∥ destroy: the copy is made before `to.destroy`, and goes with it; or after that, and is marked: `from` has
 *   nothing by then, so that every reader, the copying one first, destroys it.
 * - read ∥ retire, or a patch that drops the record: as with destroy; the tombstone, too, stops a copy.
 * - create of an id that is in `from`, or on its way: it is taken.
 */
export function migrate<To extends Store>(from: Store, to: To, options: MigrateOptions = {}): MigratingStore<To> {
  checkNames('migrate', options, ['ttl', 'now'])
  const { ttl = 86_400_000, now = Date.now } = options
  const isOld =
    [from?.get, from?.set, from?.destroy].every(method => typeof method === 'function') && !('hGetAll' in Object(from))
  checkOption('migrate', 'from', from, isOld, 'a store')
  const target = keyedOf(to)
  checkOption('migrate', 'ttl', ttl, Number.isFinite(ttl) && ttl > 0, 'a positive number of milliseconds')
  checkOption('migrate', 'now', now, typeof now === 'function', 'a function that gives milliseconds')
  return storeOf(from, target, ttl, now) as unknown as MigratingStore<To>
}

function keyedOf(to: Store): KeyedStore {
  const target = to && keyed(to)
  checkOption('migrate', 'to', to, Boolean(target), 'a store that is written to key by key')
  return target as KeyedStore
}

function storeOf(from: Store, to: KeyedStore, ttl: number, now: () => number): KeyedStore & Store {
  const { fetch, read } = reader(from, to, ttl, now)
  const plain: Pick<Store, 'get' | 'set' | 'destroy'> = {
    get: async (id, _maxAge, call) => payloadIn(await read(id, call)),

    async set(id, payload, ttl, call) {
      // `to` does not have what `from` has retired.
      if ((await read(id, call))?.retiredAt === undefined) await to.set(id, payload, ttl, call)
    },

    async destroy(id, call) {
      await from.destroy(id, call)
      await to.destroy(id, call)
    },
  }

  /** What `change` makes of the session, which was moved by then. */
  async function changed<Value>(id: string, call: StoreCall, change: () => Answer<Value>): Promise<Value> {
    await read(id, call)
    return change()
  }

  /** The same, where it may leave nothing behind, or a tombstone. */
  async function ended<Value>(id: string, call: StoreCall, end: () => Answer<Value>): Promise<Value> {
    const record = await read(id, call)
    if (record && record.retiredAt === undefined) await from.destroy(id, call)
    return end()
  }

  return {
    ...plain,
    plain,
    read,
    create: async (id, record, ttl, call) => !(await fetch(id, call)) && to.create(id, record, ttl, call),

    patch(id, patch, ttl, call) {
      const mayEmpty = patch.unset.length > 0 && !patch.keepsEmpty
      return (mayEmpty ? ended : changed)(id, call, () => to.patch(id, patch, ttl, call))
    },

    touch: (id, lifetime, ttl, call) => changed(id, call, () => to.touch(id, lifetime, ttl, call)),

    ...(to.retire && {
      retire: (id, retire, ttl, call) => ended(id, call, () => (to as Required<Store>).retire(id, retire, ttl, call)),
    }),
    ...(to.list && { list: (subject, options) => (to as Required<Store>).list(subject, options) }),
    ...(to.destroyAll && {
      destroyAll(subject, which) {
        checkWhich(which)
        return (to as Required<Store>).destroyAll(subject, which)
      },
    }),
  }
}
