import { checkOption } from './after.ts'
import { checkClient, OTHERS_OF_KV } from './clients.ts'
import {
  type KeyvClient,
  type KvClient,
  type MemjsClient,
  type Texts,
  textsOf,
  type UnstorageClient,
  type WorkersKv,
} from './kv/client.ts'
import { kvRows } from './kv/rows.ts'
import { checkNames, checkPrefix } from './options.ts'
import { recordStore } from './record-store.ts'
import type { RowOptions, Rows } from './rows.ts'
import type { StoredPayload } from './store.ts'

export type { KeyvClient, KvClient, MemjsClient, UnstorageClient, WorkersKv }

/** Ids are always hashed. The keys can't be listed, so that there is no `reseal()`. */
export interface KvStoreOptions extends Pick<RowOptions, 'seal' | 'now'> {
  /** What the keys begin with: letters, digits, `_`, `-` and `:`, at most 100. Default `'sess:'`. */
  readonly prefix?: string | undefined
}

/** A store of three methods. */
export interface KvStore {
  /** The payload under `id`, or nothing when there is none or it has expired. */
  get(id: string): Promise<StoredPayload | undefined>
  /** Keeps `payload` under `id`, in place of any other, for `ttl` milliseconds. */
  set(id: string, payload: StoredPayload, ttl: number): Promise<void>
  /** Deletes what is under `id`. */
  destroy(id: string): Promise<void>
}

/**
 * Sessions where there are texts under keys for a time, and no more. **Of parallel requests the last save wins, with all
 * that it has read before. A session that was ended comes back if a request is under way that saves it. `update()` is
 * atomic in one process alone, an id that was replaced by `regenerate()` is not remembered, and the sessions of a user can
 * neither be listed nor ended all together.** In Workers KV other places see what was saved, or ended, up to a minute and more later. In
 * Memcached a session may be gone at any time. Where that matters, take one of the other stores.
 *
 * `client`: a KV namespace of Cloudflare Workers, a storage of `unstorage`, a client of `memjs` (Memcached), a `Keyv` (5
 * and later, with `throwOnErrors: true`), or anything with `get(key)`, `set(key, text, ttl)` (milliseconds) and
 * `delete(key)`. The application makes, configures and closes it. When a session expires is kept within its text, and
 * checked when it is read. The client is told, too, so that it deletes the text: after a minute or later.
 *
 * What is there and is no session is nothing. Rejects as the client does, and with `ERR_SESSION_STORE` where the client
 * answers that a session was not kept. Throws `ERR_SESSION_OPTION` when `client` is none of these or an option not what it
 * has to be.
 */
export function kvStore(client: KvClient, options: KvStoreOptions = {}): KvStore {
  checkNames('kvStore', options, ['prefix', 'seal', 'now'])
  const { prefix = 'sess:', now = Date.now } = options
  const texts = textsOf(client)
  const expected = 'a KV namespace, a storage of unstorage, a client of memjs, or get, set and delete'
  checkClient('kvStore', 'client', client, texts !== undefined, expected, OTHERS_OF_KV)
  const hides = Object(client).throwOnErrors === false
  checkOption(
    'kvStore',
    'client',
    client,
    !hides,
    'a Keyv with throwOnErrors: true, which does not hide that its store is down',
  )
  checkPrefix('kvStore', prefix)
  checkOption('kvStore', 'now', now, typeof now === 'function', 'a function that gives milliseconds')
  // Its three methods of koa-session 7 ask for nothing else of its rows.
  const rows = kvRows(texts as Texts, prefix, now) as Rows
  const { get, set, destroy } = recordStore('kvStore', rows, options)
  return { get, set, destroy } as KvStore
}
