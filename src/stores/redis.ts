import { checkOption } from './after.ts'
import { checkClient, OTHERS_OF_REDIS } from './clients.ts'
import { checkRowOptions } from './options.ts'
import { recordStore } from './record-store.ts'
import {
  commandsOf,
  type GlideClient,
  type IoRedisClient,
  isClient,
  type NodeRedisClient,
  type RedisClient,
} from './redis/client.ts'
import { createRedisRows } from './redis/rows.ts'
import type { RecordStore, RowOptions } from './rows.ts'

export type { GlideClient, IoRedisClient, NodeRedisClient, RecordStore, RedisClient }

/** A store in Redis. */
export interface RedisStore extends RecordStore {
  /**
   * Where Redis evicts what expires (`maxmemory-policy` `volatile-…`): deletes from the indexes of subjects what has expired
   * or was evicted, and says how many indexes were deleted by it. It reads all sessions that have a subject. Elsewhere it
   * does nothing, since everything expires by itself.
   */
  sweep(): Promise<number>
}

/** The options of `redisStore()`. */
export interface RedisStoreOptions extends RowOptions {
  /**
   * What the keys begin with: that of a session goes on with its name, that of the index of a subject with `@`. Default
   * `'sess:'`. Stores with the same prefix share their sessions.
   */
  readonly prefix?: string | undefined
}

/**
 * Sessions in Redis (5.0 and later), each in a hash under one key, that expires by itself. `client`: one of npm's `redis`
 * (5, 6: a client, a pool, a cluster, sentinels), of `ioredis` (5, 6: `Redis`, `Cluster`), of `iovalkey` or of
 * `@valkey/valkey-glide`, which the application connects, configures and closes.
 *
 * Each operation takes one round trip: HGETALL to read, and to write a script on one key, which is atomic. What a replica
 * has is older, so a client that reads from replicas makes requests miss what the one before them saved. A session that has a subject takes three when it is given it, and when it is
 * extended about once in its lifetime. What is under a key and is no session is nothing: `read` does not see it, and
 * `create` and `set` take its place.
 *
 * `list` and `destroyAll` find all sessions of a subject, or reject. Where Redis may evict any key (`maxmemory-policy`
 * `allkeys-…`), or does not say what it may evict, they reject with `ERR_SESSION_STORE`. The policy is read once.
 *
 * Throws `ERR_SESSION_OPTION` when `client` is none of these or an option not what it has to be.
 */
export function redisStore(client: RedisClient, options: RedisStoreOptions = {}): RedisStore {
  checkRowOptions('redisStore', options, ['prefix', 'onExpired'])
  const { onExpired }: { onExpired?: unknown } = options as object
  checkOption(
    'redisStore',
    'onExpired',
    onExpired,
    onExpired === undefined,
    'nothing: Redis expires sessions by itself',
  )
  const { prefix = 'sess:', now } = options
  checkClient(
    'redisStore',
    'client',
    client,
    isClient(client),
    'a client of redis, ioredis, iovalkey or @valkey/valkey-glide',
    OTHERS_OF_REDIS,
  )
  checkOption('redisStore', 'prefix', prefix, typeof prefix === 'string', 'a string')
  checkOption(
    'redisStore',
    'now',
    now,
    now === undefined || typeof now === 'function',
    'a function that gives milliseconds',
  )
  // The handle of a name that is an id is not a name: it has to be looked for.
  const rows = createRedisRows(commandsOf(client), prefix, now, options.hashIds === false)
  return { ...recordStore('redisStore', rows, options), sweep: rows.sweep }
}
