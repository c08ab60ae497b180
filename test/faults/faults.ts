/* The faults, as data: what happens to which servers, and what has to outlive it. */
import { setTimeout as sleep } from 'node:timers/promises'
import { ended } from '../servers/process.ts'
import type { Server } from '../servers/server.ts'
import type { Application } from './application.ts'
import type { StoreName } from './clients.ts'
import type { Mode } from './proxy.ts'
import { leaderOf, type Needs, type Target } from './servers.ts'

/** What a fault is caused to. */
export interface Scene {
  readonly target: Target
  readonly application: Application
  /** The server that is down, until it is back. */
  victim?: Server
  /** Gives back what was taken. */
  release?: () => void
}

export interface Fault {
  readonly name: string
  readonly title: string
  readonly stores: readonly StoreName[]
  readonly needs?: Needs
  /** Whether all that was acknowledged is kept. Default `true`. Where not, what is missing is counted and no failure. */
  readonly keepsAll?: boolean
  /** Whether the application itself is down for a while, and every page with it. */
  readonly endsApplication?: boolean
  readonly onStoreError?: 'anonymous'
  /** What breaks promises that are not ours to keep, by stores: it is told, and is no failure. */
  readonly known?: Partial<Record<StoreName, string>>
  /** What it takes for a store that can't be had here: printed in the place of a row. */
  readonly elsewhere?: Partial<Record<StoreName, string>>
  inject(scene: Scene): Promise<void> | void
  recover(scene: Scene): Promise<void> | void
}

const REDIS = ['redis', 'redis-queued', 'ioredis'] as const
const SENTINEL = ['sentinel', 'sentinel-ioredis'] as const
const CLUSTER = ['cluster', 'cluster-ioredis'] as const
const DATABASES = ['postgres', 'mariadb'] as const
const SQLITE = ['libsql', 'node:sqlite'] as const
const REMOTE = [...REDIS, ...CLUSTER, ...DATABASES, 'mongodb', 'dynamodb'] as const
/** What was to be written when the connection broke waits for an answer in the next one, which so never begins. */
const QUEUED = { 'redis-queued': "npm's redis 5.12 with its queue may never come back" }
/** Each request that waits for the lock holds all others. */
const HELD = 'clients of SQLite hold the event loop while they wait'
/** mongo-java-server keeps nothing on disk, and is alone. */
const REPLICA_SET = { mongodb: 'takes a replica set of MongoDB' }
const MASTER_TIMEOUT = 3000
/** How long (ms) a replica has heard nothing when its primary is killed. */
const BEHIND = 1000

const kill = {
  async inject(scene: Scene) {
    scene.victim = await leaderOf(scene.target)
    await scene.victim.kill()
  },
  recover: ({ victim }: Scene) => victim?.restart(),
}

const stop = {
  async inject(scene: Scene) {
    scene.victim = await leaderOf(scene.target)
    await scene.victim.kill('SIGSTOP')
  },
  recover: ({ victim }: Scene) => victim?.kill('SIGCONT'),
}

function network(name: Mode, title: string): Fault {
  const set =
    (mode: Mode) =>
    ({ target }: Scene) => {
      for (const proxy of target.proxies) proxy.mode = mode
    }
  return { name, title, stores: REMOTE, needs: { proxy: true }, inject: set(name), recover: set('pass') }
}

type Failover = Pick<Fault, 'name' | 'title' | 'stores'> & Partial<Pick<Fault, 'needs' | 'keepsAll' | 'elsewhere'>>

/** Two faults: the replicas are as near behind as they can be, or have heard nothing for a while. */
function failover({ name, title, ...fault }: Failover): Fault[] {
  const inject = async (scene: Scene) => {
    scene.victim = await leaderOf(scene.target)
    await scene.victim.kill()
  }
  async function recover({ target, victim }: Scene) {
    await target.replication?.promote()
    // As whoever repairs it would: sentinels make a replica of it. A database that was replaced stays down.
    if (target.proxies.length === 0) await victim?.restart()
  }
  const behind = async (scene: Scene) => {
    await scene.target.replication?.cutOff()
    await sleep(BEHIND)
    await inject(scene)
  }
  return [
    { name, title, ...fault, inject, recover },
    {
      ...fault,
      name: `${name}-behind`,
      title: `${title}, which had heard nothing for a second`,
      inject: behind,
      recover,
    },
  ]
}

export const FAULTS: readonly Fault[] = [
  {
    ...{ name: 'kill', title: 'SIGKILL of the server, every answer on disk before it is sent' },
    ...{ stores: [...REDIS, ...DATABASES, 'dynamodb'], needs: { persistent: true }, elsewhere: REPLICA_SET },
    ...kill,
  },
  {
    ...{ name: 'kill-everysec', title: 'the same, with `appendfsync everysec`' },
    ...{ stores: ['redis'], needs: { persistent: true, redis: ['--appendfsync', 'everysec'] }, keepsAll: false },
    ...kill,
  },
  {
    ...{ name: 'kill-empty', title: 'the same, with nothing on disk' },
    ...{ stores: ['redis', 'mongodb'], keepsAll: false },
    ...kill,
  },
  { name: 'stop', title: 'SIGSTOP of the server, for longer than `storeTimeout`', stores: REMOTE, ...stop },
  {
    ...{ name: 'stop-anonymous', title: "the same, with `onStoreError: 'anonymous'`", stores: REMOTE },
    ...{ onStoreError: 'anonymous', ...stop },
  },
  {
    ...{ name: 'master', title: 'SIGKILL of a master of the cluster, which its replica takes the place of' },
    ...{ stores: CLUSTER, needs: { nodeTimeout: MASTER_TIMEOUT }, keepsAll: false },
    inject: kill.inject,
    async recover({ target, victim }) {
      // By then the others have noticed.
      await sleep(MASTER_TIMEOUT)
      await target.cluster?.ready()
      // Before it was replaced it would have come back as an empty master.
      await victim?.restart()
    },
  },
  ...failover({
    ...{ name: 'failover', title: 'SIGKILL of the primary, which a replica takes the place of' },
    ...{ stores: [...SENTINEL, 'postgres'], needs: { standby: 'asynchronous' }, keepsAll: false },
    elsewhere: REPLICA_SET,
  }),
  ...failover({
    ...{ name: 'failover-min', title: 'the same, with `min-replicas-to-write 1` and `min-replicas-max-lag 1`' },
    ...{ stores: ['sentinel-ioredis'], keepsAll: false },
    needs: { redis: ['--min-replicas-to-write', '1', '--min-replicas-max-lag', '1'] },
  }),
  ...failover({
    ...{ name: 'failover-sync', title: 'the same, where a write is acknowledged once a replica has it' },
    ...{ stores: ['sentinel-wait', 'postgres'], needs: { standby: 'synchronous' } },
  }),
  network('cut', 'replies cut in the middle, and the connection with them'),
  { ...network('reset', 'connections reset in the place of a reply'), known: QUEUED },
  {
    ...network('greeting', 'the same, also where a connection is being made'),
    known: QUEUED,
  },
  network('slow', 'every reply 200 ms later'),
  {
    ...{ name: 'full', title: 'no room left on the disk', stores: [...DATABASES, ...SQLITE], needs: { disk: true } },
    inject: ({ target }) => target.disk?.fill(),
    async recover({ target: { disk, servers } }) {
      disk?.clear()
      for (const server of servers) if (await ended([server.pid], 50)) await server.restart()
    },
  },
  {
    ...{ name: 'lock', title: 'another process holds the lock of the database', stores: SQLITE },
    known: { libsql: HELD, 'node:sqlite': HELD },
    inject(scene) {
      scene.release = scene.target.lock?.()
    },
    recover: ({ release }) => release?.(),
  },
  {
    ...{ name: 'application', title: 'SIGKILL of the application, twice' },
    ...{ stores: [...REMOTE, ...SQLITE], endsApplication: true },
    inject: ({ application }) => application.killAndStart(),
    recover: ({ application }) => application.killAndStart(),
  },
]
