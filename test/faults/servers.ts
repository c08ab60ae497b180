/* What is put under fire: a server of each kind, with a proxy before it or on a small disk where the fault needs it. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import mysql from 'mysql2/promise'
import pg from 'pg'
import { available, type ServerName } from '../servers/available.ts'
import { startDynalite } from '../servers/dynalite.ts'
import { versionOfPackage } from '../servers/found.ts'
import { startMariadb } from '../servers/mariadb.ts'
import { foreignUrl, startMongodb } from '../servers/mongodb.ts'
import { makeFolder, removeFolder } from '../servers/place.ts'
import { startPostgres, startPostgresStandby } from '../servers/postgres.ts'
import { findRedis, type RedisCluster, startRedis, startRedisCluster, startRedisGroup } from '../servers/redis.ts'
import type { Server } from '../servers/server.ts'
import { type SqliteDatabase, type SqliteName, sqliteClients } from '../servers/sqlite.ts'
import type { Place, StoreName } from './clients.ts'
import { type Disk, mountDisk } from './disk.ts'
import { startProxy, type TcpProxy } from './proxy.ts'

/** What a fault needs of its server. */
export interface Needs {
  readonly proxy?: boolean
  /** On a small disk of its own. */
  readonly disk?: boolean
  /** See `test/servers/redis.ts`. */
  readonly persistent?: boolean
  readonly redis?: readonly string[]
  readonly nodeTimeout?: number
  /** A second PostgreSQL, which follows the first one: `'synchronous'`: and which each commit waits for. */
  readonly standby?: 'asynchronous' | 'synchronous'
}

export interface Target {
  readonly place: Place
  /** None where the database is in the application. */
  readonly servers: readonly Server[]
  readonly cluster?: RedisCluster
  readonly replication?: Replication
  readonly proxies: readonly TcpProxy[]
  readonly disk?: Disk | undefined
  /** Takes the lock of a database in a file, and gives what gives it back. */
  lock?(): () => void
  stop(): Promise<void>
}

/** What takes the place of the first of the servers. */
interface Replication {
  /** Has the replicas hear nothing from it any more. */
  cutOff(): Promise<void>
  /** Has a replica take its place, or waits until it has. */
  promote(): Promise<void>
}

export interface Kind {
  readonly title: string
  /** Why it can't be had. */
  readonly missing: string | undefined
  start(needs: Needs): Promise<Target>
}

const host = '127.0.0.1'
/** Long enough for what stops for some seconds to be no reason to replace it. */
const NODE_TIMEOUT = 15_000
const DISK_OF_SQLITE = '48m'
const DISK_OF_POSTGRES = '144m'
const DISK_OF_MARIADB = '192m'
/** A log that leaves some of that disk to the data. */
const SHORT_LOG = ['-c', 'max_wal_size=48MB', '-c', 'min_wal_size=32MB']
/** Those of the tests do not wait for the disk. */
const DURABLE_POSTGRES = ['-c', 'fsync=on']
const DURABLE_MARIADB = ['--innodb-flush-log-at-trx-commit=1']
const SMALL_MARIADB = ['--innodb-log-file-size=16M']
/** More rows than a full disk has room for. */
const MANY = 100_000
const run = promisify(execFile)
const NOWHERE: Target = {
  ...{ place: { ports: [], addresses: {}, file: '' }, servers: [], proxies: [] },
  stop: async () => {},
}

export const KINDS: Readonly<Record<StoreName, Kind>> = {
  memory: { title: 'memory', missing: undefined, start: async () => NOWHERE },
  redis: kind('redis', 'redis', startSingle),
  'redis-queued': kind('redis', 'redis', startSingle),
  ioredis: kind('redis', 'ioredis', startSingle),
  cluster: kind('redis', 'redis', startCluster, ', a cluster of 6'),
  'cluster-ioredis': kind('redis', 'ioredis', startCluster, ', a cluster of 6'),
  sentinel: kind('redis', 'redis', startGroup, ', 2 replicas, 3 sentinels'),
  'sentinel-ioredis': kind('redis', 'ioredis', startGroup, ', 2 replicas, 3 sentinels'),
  'sentinel-wait': kind('redis', 'ioredis', startGroup, ', 2 replicas, 3 sentinels, `WAIT 1` after each write'),
  postgres: kind('postgres-apt', 'pg', startPostgresOn),
  mariadb: kind('mariadb', 'mysql2', startMariadbOn),
  mongodb: kind('mongodb', 'mongodb', startMongodbOn),
  dynamodb: kind('dynalite', '@aws-sdk/client-dynamodb', async needs => before([await startDynalite()], needs)),
  libsql: sqlite('libsql'),
  'node:sqlite': sqlite('node:sqlite'),
  'better-sqlite3': sqlite('better-sqlite3'),
}

function kind(name: ServerName, client: string, start: Kind['start'], more = ''): Kind {
  const { title, missing } = available(name)
  return { title: `${title}${more}, ${client} ${versionOfPackage(client)}`, missing, start }
}

async function startSingle({ persistent = false, redis = [], ...needs }: Needs): Promise<Target> {
  return before([await startRedis({ persistent, args: redis })], needs)
}

/** The one that `MONGODB_URL` names is used as it is. */
async function startMongodbOn(needs: Needs): Promise<Target> {
  if (foreignUrl && needs.proxy) throw new Error('there is no proxy before the server of MONGODB_URL')
  const { own, url, stop } = await startMongodb()
  const target = await before(own ? [own] : [], needs)
  return own ? target : { ...target, place: { ...target.place, file: url }, stop }
}

/** The replicas are linked some seconds after a cluster says that it is ready, and before that none can take over. */
async function startCluster(needs: Needs): Promise<Target> {
  const { nodeTimeout = NODE_TIMEOUT } = needs
  const cluster = await startRedisCluster({ nodeTimeout })
  await sleep(4000)
  await cluster.ready()
  return { ...(await before(cluster.nodes, needs)), cluster }
}

async function startGroup({ redis = [] }: Needs): Promise<Target> {
  const { nodes, sentinels, cutOff, promoted, stop } = await startRedisGroup({ args: redis })
  const place = { ports: sentinels.map(({ port }) => port), addresses: {}, file: '' }
  return { place, servers: nodes, proxies: [], replication: { cutOff, promote: promoted }, stop }
}

async function startPostgresOn(needs: Needs): Promise<Target> {
  if (needs.standby) return startPostgresPair(needs.standby)
  if (!needs.disk) return before([await startPostgres({ args: DURABLE_POSTGRES })], needs)
  return onDisk(DISK_OF_POSTGRES, () => startPostgres({ args: [...DURABLE_POSTGRES, ...SHORT_LOG] }))
}

async function startMariadbOn(needs: Needs): Promise<Target> {
  if (!needs.disk) return before([await startMariadb({ args: DURABLE_MARIADB })], needs)
  const target = await onDisk(DISK_OF_MARIADB, () => startMariadb({ args: [...DURABLE_MARIADB, ...SMALL_MARIADB] }))
  const [server] = target.servers
  const { disk } = target
  if (!server || !disk) throw new Error('there is no server on a disk')
  const fill = async () => {
    disk.fill()
    await fillTable(server)
  }
  return { ...target, disk: { ...disk, fill } }
}

/** Its file has room for what is to come: takes that too, by rows that nobody asks for, until it refuses one, or ends. */
async function fillTable({ url }: Server): Promise<void> {
  const connection = await mysql.createConnection(url)
  connection.on('error', () => {})
  const columns = 'name, data, lifetime, version, created_at, seen_at, expires_at'
  const insert = `INSERT INTO sessions (${columns}) VALUES (?, JSON_OBJECT('x', ?), '{}', 0, 0, 0, ${Number.MAX_SAFE_INTEGER})`
  for (const length of [100_000, 5000, 100]) {
    const put = async () => {
      for (let row = 0; row < MANY; row++) await connection.execute(insert, [`${length} ${row}`, 'x'.repeat(length)])
    }
    const isFull = await put().then(
      () => false,
      () => true,
    )
    if (!isFull) throw new Error('the disk is not full')
  }
  connection.destroy()
}

/** A server whose folder, which is made where temporary files are, is on a small disk. */
async function onDisk(size: string, start: () => Promise<Server>): Promise<Target> {
  const disk = mountDisk(size)
  const { TMPDIR } = process.env
  process.env.TMPDIR = disk.folder
  try {
    const target = await before([await start()], {})
    const stop = () => target.stop().finally(disk.remove)
    return { ...target, disk, stop }
  } catch (error) {
    disk.remove()
    throw error
  } finally {
    if (TMPDIR === undefined) delete process.env.TMPDIR
    else process.env.TMPDIR = TMPDIR
  }
}

/** A pool knows one address: what is there goes to another server, as behind a load balancer or a name of the network. */
async function startPostgresPair(standby: Needs['standby']): Promise<Target> {
  const waits = standby === 'synchronous' ? ['-c', 'synchronous_standby_names=*'] : []
  const primary = await startPostgres({ args: [...DURABLE_POSTGRES, ...waits] })
  const other = await startPostgresStandby(primary, { args: DURABLE_POSTGRES })
  const target = await before([primary, other], { proxy: true })
  const [proxy] = target.proxies
  await until(async () => (await ask(primary, 'SELECT FROM pg_stat_replication')).length > 0)
  const replication = {
    async cutOff() {
      await ask(other, "ALTER SYSTEM SET primary_conninfo = ''")
      await ask(other, 'SELECT pg_reload_conf()')
      await until(async () => (await ask(primary, 'SELECT FROM pg_stat_replication')).length === 0)
    },
    async promote() {
      await ask(other, 'SELECT pg_promote()')
      if (proxy) proxy.target = other.port
    },
  }
  return { ...target, place: { ...target.place, ports: target.place.ports.slice(0, 1) }, replication }
}

async function ask({ url }: Server, text: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(text)).rows
  } finally {
    await client.end()
  }
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + 30_000; !(await isSo()); await sleep(20)) {
    if (Date.now() > deadline) throw new Error('the standby does not follow, or does not stop following')
  }
}

function sqlite(name: SqliteName): Kind {
  const client = sqliteClients().find(client => client.name === name)
  const { title = name, missing } = client ?? {}
  return {
    title,
    missing,
    async start(needs) {
      const disk = needs.disk ? mountDisk(DISK_OF_SQLITE) : undefined
      const folder = disk?.folder ?? makeFolder()
      const place = { ports: [], addresses: {}, file: join(folder, 'sessions.db') }
      const stop = async () => (disk ? disk.remove() : removeFolder(folder))
      const lock = () => lockOn(client?.open(place.file))
      return { place, servers: [], proxies: [], disk, lock, stop }
    },
  }
}

/** Another process than that of the application may write, until what this gives is called. */
function lockOn(db: SqliteDatabase | undefined): () => void {
  db?.exec('PRAGMA busy_timeout = 5000; BEGIN IMMEDIATE')
  return () => {
    db?.exec('ROLLBACK')
    db?.close()
  }
}

/** A place for the application, with a proxy before each of the servers where that is asked for. */
async function before(servers: readonly Server[], { proxy }: Needs): Promise<Target> {
  const proxies = proxy ? await Promise.all(servers.map(({ port }) => startProxy(port))) : []
  const ports = (proxy ? proxies : servers).map(({ port }) => port)
  const pairs = servers.map(({ port }, index) => [`${host}:${port}`, { host, port: ports[index] ?? port }] as const)
  const stop = async () => {
    for (const each of proxies) each.close()
    await Promise.all(servers.map(server => server.stop()))
  }
  return { place: { ports, addresses: Object.fromEntries(pairs), file: '' }, servers, proxies, stop }
}

/** The one server, or a master of the cluster. */
export async function leaderOf({ servers, cluster }: Target): Promise<Server> {
  for (const server of servers) if (!cluster || (await isMaster(server.port))) return server
  throw new Error('there is no server that answers')
}

async function isMaster(port: number): Promise<boolean> {
  const { folder = '' } = { ...findRedis() } as { folder?: string }
  const { stdout } = await run(join(folder, 'redis-cli'), ['-p', String(port), 'role'])
  return stdout.startsWith('master')
}
