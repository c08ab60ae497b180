/** The clients that a store takes, each kind under its name. */
import { GlideClient, GlideClusterClient, Logger } from '@valkey/valkey-glide'
import { Cluster, Redis } from 'ioredis'
import iovalkey from 'iovalkey'
import type { RedisClient } from 'koa-session/redis'
import { createClient, createClientPool, createCluster, createSentinel, RESP_TYPES } from 'redis'
import { versionOfPackage } from '../../servers/found.ts'
import { type RedisCluster, startRedis, startRedisCluster, startRedisSentinel } from '../../servers/redis.ts'
import type { Server } from '../../servers/server.ts'

export interface Connected {
  readonly client: RedisClient
  close(): Promise<unknown>
}

export interface Backends {
  readonly single: Server
  readonly sentinel: Server
  readonly cluster: RedisCluster
  stop(): Promise<void>
}

export interface Kind {
  /** With its version. */
  readonly client: string
  readonly server: keyof Omit<Backends, 'stop'>
  /** Whether it is one of those that most applications have, and not one with answers of other types. */
  readonly isUsual: boolean
  connect(backends: Backends): Promise<Connected>
}

export async function startBackends(): Promise<Backends> {
  // No test here wants a failover: a node that waits for a busy disk must not be taken to be down.
  const [single, cluster] = await Promise.all([startRedis(), startRedisCluster({ nodeTimeout: 60_000 })])
  const sentinel = await startRedisSentinel(single)
  return {
    single,
    cluster,
    sentinel,
    async stop() {
      await Promise.all([single.stop(), cluster.stop(), sentinel.stop()])
    },
  }
}

interface NodeRedis {
  connect(): Promise<unknown>
  close(): Promise<unknown>
  on(event: 'error', listener: () => void): unknown
}

async function connected<Client extends RedisClient & NodeRedis>(client: Client): Promise<Connected> {
  client.on('error', () => {})
  await client.connect()
  return { client, close: () => client.close() }
}

const rootNodes = ({ cluster }: Backends) => cluster.nodes.map(({ url }) => ({ url }))
const redis = `redis ${versionOfPackage('redis')}`
const ioredis = `ioredis ${versionOfPackage('ioredis')}`
const valkey = `iovalkey ${versionOfPackage('iovalkey')}`
const glide = `valkey-glide ${versionOfPackage('@valkey/valkey-glide')}`
// It prints each answer that is an error, also one that a store expects.
Logger.setLoggerConfig('off')

/** A client of `redis` that gives other types. */
function mapped(client: string, RESP: 2 | 3, mapping: object): Kind {
  return {
    client: `${redis}, ${client}`,
    server: 'single',
    isUsual: false,
    async connect({ single }) {
      const client = createClient({ url: single.url, RESP })
      const { close } = await connected(client)
      return { client: client.withTypeMapping(mapping), close }
    },
  }
}

/** Its own 250 ms are too short for a machine that is busy, and 500 requests at once. */
const PATIENT = { requestTimeout: 10_000 }

export const KINDS: readonly Kind[] = [
  {
    client: redis,
    server: 'single',
    isUsual: true,
    connect: ({ single }) => connected(createClient({ url: single.url })),
  },
  {
    client: redis,
    server: 'sentinel',
    isUsual: true,
    connect: ({ sentinel }) =>
      connected(createSentinel({ name: 'main', sentinelRootNodes: [{ host: '127.0.0.1', port: sentinel.port }] })),
  },
  {
    client: redis,
    server: 'cluster',
    isUsual: true,
    connect: backends => connected(createCluster({ rootNodes: rootNodes(backends) })),
  },
  {
    client: `${redis}, a pool`,
    server: 'single',
    isUsual: false,
    connect: ({ single }) => connected(createClientPool({ url: single.url })),
  },
  mapped('RESP3', 3, {}),
  mapped('bytes', 2, { [RESP_TYPES.BLOB_STRING]: Buffer }),
  mapped('RESP3, Maps of bytes', 3, { [RESP_TYPES.BLOB_STRING]: Buffer, [RESP_TYPES.MAP]: Map }),
  mapped('RESP3, lists', 3, { [RESP_TYPES.MAP]: Array }),
  {
    client: `${redis}, RESP3`,
    server: 'cluster',
    isUsual: false,
    connect: backends => connected(createCluster({ rootNodes: rootNodes(backends), RESP: 3 })),
  },
  {
    client: ioredis,
    server: 'single',
    isUsual: true,
    async connect({ single }) {
      const client = new Redis(single.port)
      return { client, close: () => client.quit() }
    },
  },
  {
    client: ioredis,
    server: 'cluster',
    isUsual: true,
    async connect({ cluster }) {
      const client = new Cluster(cluster.ports.map(port => ({ host: '127.0.0.1', port })))
      return { client, close: () => client.quit() }
    },
  },
  {
    client: `${ioredis}, automatic pipelines`,
    server: 'single',
    isUsual: false,
    async connect({ single }) {
      const client = new Redis(single.port, { enableAutoPipelining: true, keyPrefix: 'own:' })
      return { client, close: () => client.quit() }
    },
  },
  {
    client: valkey,
    server: 'single',
    isUsual: true,
    async connect({ single }) {
      const client = new iovalkey.Redis(single.port)
      return { client, close: () => client.quit() }
    },
  },
  {
    client: valkey,
    server: 'cluster',
    isUsual: false,
    async connect({ cluster }) {
      const client = new iovalkey.Cluster(cluster.ports.map(port => ({ host: '127.0.0.1', port })))
      return { client, close: () => client.quit() }
    },
  },
  {
    client: glide,
    server: 'single',
    isUsual: true,
    async connect({ single: { port } }) {
      const client = await GlideClient.createClient({ addresses: [{ host: '127.0.0.1', port }], ...PATIENT })
      return { client, close: async () => client.close() }
    },
  },
  {
    client: glide,
    server: 'cluster',
    isUsual: true,
    async connect({ cluster }) {
      const addresses = cluster.ports.map(port => ({ host: '127.0.0.1', port }))
      const client = await GlideClusterClient.createClient({ addresses, ...PATIENT })
      return { client, close: async () => client.close() }
    },
  },
]
