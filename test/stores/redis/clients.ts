/** The clients that a store takes, each kind under its name. */
import { Cluster, Redis } from 'ioredis'
import { createClient, createClientPool, createCluster, createSentinel, RESP_TYPES } from 'redis'
import type { RedisClient } from '../../../src/stores/redis.ts'
import { type Server, startCluster, startRedis, startSentinel } from './server.ts'

export interface Connected {
  readonly client: RedisClient
  close(): Promise<unknown>
}

export interface Backends {
  readonly single: Server
  readonly sentinel: Server
  readonly nodes: readonly Server[]
}

export interface Kind {
  readonly name: string
  readonly isCluster: boolean
  connect(backends: Backends): Promise<Connected>
}

interface Owner {
  after(stop: () => Promise<void>): void
}

export async function startBackends(owner: Owner): Promise<Backends> {
  const [single, nodes] = await Promise.all([startRedis(owner), startCluster(owner)])
  return { single, nodes, sentinel: await startSentinel(owner, single) }
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

const rootNodes = (nodes: readonly Server[]) => nodes.map(({ url }) => ({ url }))

export const KINDS: readonly Kind[] = [
  { name: 'redis', isCluster: false, connect: ({ single }) => connected(createClient({ url: single.url })) },
  {
    name: 'redis, RESP3',
    isCluster: false,
    connect: ({ single }) => connected(createClient({ url: single.url, RESP: 3 })),
  },
  {
    name: 'redis, which gives bytes',
    isCluster: false,
    async connect({ single }) {
      const client = createClient({ url: single.url })
      const { close } = await connected(client)
      return { client: client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer }), close }
    },
  },
  {
    name: 'redis, RESP3, which gives Maps of bytes',
    isCluster: false,
    async connect({ single }) {
      const client = createClient({ url: single.url, RESP: 3 })
      const { close } = await connected(client)
      const mapping = { [RESP_TYPES.BLOB_STRING]: Buffer, [RESP_TYPES.MAP]: Map }
      return { client: client.withTypeMapping(mapping), close }
    },
  },
  {
    name: 'redis, RESP3, which gives lists',
    isCluster: false,
    async connect({ single }) {
      const client = createClient({ url: single.url, RESP: 3 })
      const { close } = await connected(client)
      return { client: client.withTypeMapping({ [RESP_TYPES.MAP]: Array }), close }
    },
  },
  {
    name: 'redis, a pool',
    isCluster: false,
    connect: ({ single }) => connected(createClientPool({ url: single.url })),
  },
  {
    name: 'redis, a sentinel',
    isCluster: false,
    connect: ({ sentinel }) =>
      connected(createSentinel({ name: 'main', sentinelRootNodes: [{ host: '127.0.0.1', port: sentinel.port }] })),
  },
  {
    name: 'redis, a cluster',
    isCluster: true,
    connect: ({ nodes }) => connected(createCluster({ rootNodes: rootNodes(nodes) })),
  },
  {
    name: 'redis, a cluster, RESP3',
    isCluster: true,
    connect: ({ nodes }) => connected(createCluster({ rootNodes: rootNodes(nodes), RESP: 3 })),
  },
  {
    name: 'ioredis',
    isCluster: false,
    async connect({ single }) {
      const client = new Redis(single.port)
      return { client, close: () => client.quit() }
    },
  },
  {
    name: 'ioredis, which pipelines by itself',
    isCluster: false,
    async connect({ single }) {
      const client = new Redis(single.port, { enableAutoPipelining: true, keyPrefix: 'own:' })
      return { client, close: () => client.quit() }
    },
  },
  {
    name: 'ioredis, a cluster',
    isCluster: true,
    async connect({ nodes }) {
      const client = new Cluster(nodes.map(({ port }) => ({ host: '127.0.0.1', port })))
      return { client, close: () => client.quit() }
    },
  },
]
