/** What makes one thing of the clients: texts under keys, for a time. */

import type { Answer } from '../store.ts'

/** What is used of a KV namespace of Cloudflare Workers. */
export interface WorkersKv {
  get(key: string): Promise<string | null>
  put(key: string, text: string, options: { expirationTtl: number }): Promise<void>
  delete(key: string): Promise<void>
}

/** What is used of a storage of unstorage. `ttl`: seconds. */
export interface UnstorageClient {
  getItem(key: string): Promise<unknown>
  setItem(key: string, text: string, options: { ttl: number }): Promise<void>
  removeItem(key: string): Promise<void>
}

/** What is used of a client of memjs. `expires`: seconds. */
export interface MemjsClient {
  get(key: string): Promise<{ value: unknown }>
  set(key: string, text: string, options: { expires: number }): Promise<boolean>
  delete(key: string): Promise<boolean>
  /** Not called: it tells the client from one of keyv. */
  increment: unknown
}

/** What is used of a Keyv (5 and later). Anything else can be made a client by these three methods. `ttl`: milliseconds. */
export interface KeyvClient {
  /** What was set, as it was, or `undefined` or `null`. */
  get(key: string): unknown
  /** `false`: it was not kept. */
  set(key: string, text: string, ttl: number): unknown
  delete(key: string): unknown
}

/** The clients that `kvStore()` takes. */
export type KvClient = WorkersKv | UnstorageClient | MemjsClient | KeyvClient

/** Each rejects, or throws, as the client does. */
export interface Texts {
  get(key: string): Answer<unknown>
  /** For whole `seconds`, 60 or more. */
  set(key: string, text: string, seconds: number): Answer<unknown>
  remove(key: string): Answer<unknown>
}

/** What Memcached takes for an instant (seconds since the epoch) where it is longer than this. */
const MEMCACHED_LONGEST = 2_592_000

/** `client` as one thing; nothing where it is none of them. */
export function textsOf(client: KvClient): Texts | undefined {
  if (has(client, 'getItem', 'setItem', 'removeItem')) return ofUnstorage(client as UnstorageClient)
  if (has(client, 'get', 'put', 'delete')) return ofWorkersKv(client as WorkersKv)
  if (!has(client, 'get', 'set', 'delete')) return undefined
  return has(client, 'increment') ? ofMemjs(client as MemjsClient) : ofKeyv(client as KeyvClient)
}

function has(client: unknown, ...names: readonly string[]): boolean {
  const methods: Partial<Record<string, unknown>> = Object(client)
  return names.every(name => typeof methods[name] === 'function')
}

function ofWorkersKv(client: WorkersKv): Texts {
  return {
    get: key => client.get(key),
    set: (key, text, seconds) => client.put(key, text, { expirationTtl: seconds }),
    remove: key => client.delete(key),
  }
}

function ofUnstorage(client: UnstorageClient): Texts {
  return {
    get: key => client.getItem(key),
    set: (key, text, seconds) => client.setItem(key, text, { ttl: seconds }),
    remove: key => client.removeItem(key),
  }
}

function ofMemjs(client: MemjsClient): Texts {
  return {
    async get(key) {
      const { value } = await client.get(key)
      return value instanceof Uint8Array ? Buffer.from(value).toString() : value
    },
    // By the clock of the server, whatever the option `now` says. 0 would be the client's own default.
    set(key, text, seconds) {
      const until = Math.floor(Date.now() / 1000) + seconds
      return client.set(key, text, { expires: seconds > MEMCACHED_LONGEST ? Math.min(until, 2 ** 32 - 1) : seconds })
    },
    remove: key => client.delete(key),
  }
}

function ofKeyv(client: KeyvClient): Texts {
  return {
    get: key => client.get(key) as Answer<unknown>,
    set: (key, text, seconds) => client.set(key, text, seconds * 1000) as Answer<unknown>,
    remove: key => client.delete(key) as Answer<unknown>,
  }
}
