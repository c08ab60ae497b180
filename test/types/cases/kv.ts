// The clients of a store with get, put and delete, by their own types.

import type { KVNamespace } from '@cloudflare/workers-types'
import type Keyv from 'keyv'
import Koa from 'koa'
import session, { type Store } from 'koa-session'
import { type KvStore, type KvStoreOptions, kvStore } from 'koa-session/kv'
import type { Client } from 'memjs'
import type { Storage } from 'unstorage'

const app = new Koa()
declare const namespace: KVNamespace
declare const keyv: Keyv
declare const memjs: Client
declare const storage: Storage

const options: KvStoreOptions = { prefix: 'shop:', seal: ['secret'], now: () => 0 }
const inKv: KvStore = kvStore(namespace, options)
const stores: readonly Store[] = [inKv, kvStore(keyv), kvStore(memjs), kvStore(storage), kvStore(new Map())]
for (const store of stores) session({ store }, app)

// @ts-expect-error: no delete
kvStore({ get: (key: string) => key, set() {} })
// @ts-expect-error: ids are always hashed
kvStore(namespace, { hashIds: false })
// @ts-expect-error: it ends nothing by itself
kvStore(namespace, { onEnded() {} })
