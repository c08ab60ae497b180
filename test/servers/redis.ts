/* Redis of the machine: one server, a sentinel before it, a primary with replicas and sentinels, or a cluster. Or a newer one, or Valkey. */
import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { promisify } from 'node:util'
import { type Found, folderOf, versionOf } from './found.ts'
import { findNewer, newerProgram, type Program } from './newer.ts'
import { freePort, makeFolder } from './place.ts'
import { launch, type Server } from './server.ts'

/** The machine's own, or what scripts/newer-servers.mjs has unpacked. */
export type RedisSource = 'apt' | 'newer' | 'valkey'

const NEWER = { newer: 'usr/bin/redis-server', valkey: 'usr/bin/valkey-server' }

export interface RedisOptions {
  /** Default `apt`. */
  source?: RedisSource
  /** Keeps the data over a crash and a restart, as of the last answer. Off: what is restarted is empty. */
  persistent?: boolean
  /** More arguments of redis-server, such as `['--maxmemory', '10mb']`. */
  args?: readonly string[]
}

export interface RedisCluster {
  /** Masters and replicas, three of each, in no order: who is what changes when one of them fails. */
  readonly nodes: readonly Server[]
  readonly ports: readonly number[]
  /**
   * Waits until every node that runs sees the whole cluster at work. Just after a crash they do: they notice it only
   * after `nodeTimeout`.
   */
  ready(): Promise<void>
  stop(): Promise<void>
}

/** A node of a cluster talks to the others on its own port and this. */
const BUS = 10_000
const CLUSTER_PATIENCE = 60_000
const run = promisify(execFile)

export function findRedis(source: RedisSource = 'apt'): Found {
  if (source !== 'apt') return findNewer(NEWER[source])
  const folder = folderOf('redis-server', 'redis-cli')
  if (folder) return { folder, version: versionOf(join(folder, 'redis-server')) }
  return { missing: 'redis-server is not installed: apt-get install redis-server' }
}

export async function startRedis(options: RedisOptions = {}): Promise<Server> {
  const port = await freePort()
  return startNode(serverOf(options.source), port, options)
}

/** A sentinel in front of `server`, which it calls `main`. `lines`: more of its configuration. */
export async function startRedisSentinel(server: Server, quorum = 1, lines: readonly string[] = []): Promise<Server> {
  const port = await freePort()
  const folder = makeFolder()
  const monitor = `sentinel monitor main 127.0.0.1 ${server.port} ${quorum}`
  writeFileSync(join(folder, 'sentinel.conf'), `${[monitor, ...lines].join('\n')}\n`)
  return launch({
    command: join(programs(), 'redis-server'),
    args: ['sentinel.conf', '--sentinel', '--port', String(port), '--bind', '127.0.0.1', '--dir', folder],
    port,
    url: `redis://127.0.0.1:${port}`,
    folder,
    ready: /\+monitor master main/,
    endSignal: 'SIGTERM',
    crashSignal: 'SIGKILL',
  })
}

export interface RedisGroup {
  /** The primary that is the first, and its replicas. */
  readonly nodes: readonly Server[]
  readonly sentinels: readonly Server[]
  /** Has the replicas hear nothing from the primary any more. */
  cutOff(): Promise<void>
  /** Waits until another node is the primary, and the sentinels say so. */
  promoted(): Promise<void>
  stop(): Promise<void>
}

/** A primary, two replicas and three sentinels, which replace a primary that is silent for two seconds. */
export async function startRedisGroup(options: RedisOptions = {}): Promise<RedisGroup> {
  const own = { ...options, args: [...REPLICATED, ...(options.args ?? [])] }
  const primary = await startRedis(own)
  const { port } = primary
  const follow = { ...own, args: [...own.args, '--replicaof', '127.0.0.1', String(port)] }
  const nodes = [primary, ...(await Promise.all([1, 2].map(() => startRedis(follow))))]
  const lines = ['down-after-milliseconds main 2000', 'failover-timeout main 10000']
  const all = lines.map(line => `sentinel ${line}`)
  const sentinels = await Promise.all([1, 2, 3].map(() => startRedisSentinel(primary, 2, all)))
  const stop = async () => {
    await Promise.all([...sentinels, ...nodes].map(server => server.stop()))
  }
  const isKnown = async () => {
    const quorums = await Promise.all(sentinels.map(sentinel => cli(sentinel.port, 'sentinel', 'ckquorum', 'main')))
    const known = await Promise.all(sentinels.map(sentinel => cli(sentinel.port, 'sentinel', 'master', 'main')))
    const isLinked = /connected_slaves:2/.test(await cli(port, 'info', 'replication'))
    const areFound = known.every(text => /num-slaves\n2\n/.test(text) && /num-other-sentinels\n2\n/.test(text))
    return isLinked && areFound && quorums.every(text => text.startsWith('OK 3'))
  }
  const isReplaced = async () => {
    const said = await Promise.all(
      sentinels.map(sentinel => cli(sentinel.port, 'sentinel', 'get-master-addr-by-name', 'main')),
    )
    const [chosen = 0, ...others] = said.map(text => Number(text.split('\n')[1]))
    if (chosen === port || others.some(other => other !== chosen)) return false
    return (await cli(chosen, 'role')).startsWith('master')
  }
  try {
    await until(isKnown, 'the sentinels do not know all of each other')
  } catch (error) {
    await stop()
    throw error
  }
  return {
    nodes,
    sentinels,
    async cutOff() {
      // There is nobody.
      await Promise.all(nodes.slice(1).map(replica => cli(replica.port, 'replicaof', '127.0.0.1', '1')))
    },
    promoted: () => until(isReplaced, 'no replica has become the primary'),
    stop,
  }
}

/** A replica is linked at once. */
const REPLICATED = ['--repl-diskless-sync-delay', '0', '--shutdown-timeout', '0']

/** What `redis-cli` prints. A node that hangs has no answer. */
async function cli(port: number, ...command: string[]): Promise<string> {
  return (await run(join(programs(), 'redis-cli'), ['-p', String(port), ...command], { timeout: 2000 })).stdout
}

async function until(isSo: () => Promise<boolean>, otherwise: string): Promise<void> {
  for (const deadline = Date.now() + CLUSTER_PATIENCE; !(await isSo().catch(() => false)); await wait(50)) {
    if (Date.now() > deadline) throw new Error(otherwise)
  }
}

export interface RedisClusterOptions {
  /**
   * After how many ms of silence a node is taken to be down; its replica is master a second or two later. Short ones
   * make a busy machine look like a broken cluster. Default 5,000.
   */
  nodeTimeout?: number
}

/** Six nodes, in about five seconds. Nothing is kept on disk: a master that restarts before it is replaced is empty. */
export async function startRedisCluster({ nodeTimeout = 5000 }: RedisClusterOptions = {}): Promise<RedisCluster> {
  const folder = programs()
  const ports = new Set<number>()
  while (ports.size < 6) ports.add(await freePort([BUS]))
  const args = [...CLUSTER, '--cluster-node-timeout', String(nodeTimeout)]
  const nodes = await Promise.all([...ports].map(port => startNode(serverOf(), port, { args })))
  const stop = async () => {
    await Promise.all(nodes.map(node => node.stop()))
  }
  const ready = () => waitForCluster(folder, [...ports])
  try {
    const addresses = [...ports].map(port => `127.0.0.1:${port}`)
    const options = ['--cluster-replicas', '1', '--cluster-yes']
    await run(join(folder, 'redis-cli'), ['--cluster', 'create', ...addresses, ...options])
    await ready()
  } catch (error) {
    await stop()
    throw error
  }
  return { nodes, ports: [...ports], ready, stop }
}

/** A replica is linked at once, and takes over soon. */
const CLUSTER = [
  ...['--cluster-enabled', 'yes', '--cluster-replica-validity-factor', '0'],
  ...['--repl-diskless-sync-delay', '0', '--shutdown-timeout', '0'],
]

function serverOf(source: RedisSource = 'apt'): Program {
  if (source === 'apt') return { command: join(programs(), 'redis-server'), args: [] }
  const program = newerProgram(NEWER[source])
  if (!program) throw new Error(`${NEWER[source]} was not unpacked: node scripts/newer-servers.mjs`)
  return program
}

function startNode(program: Program, port: number, { persistent = false, args = [] }: RedisOptions): Promise<Server> {
  const folder = makeFolder()
  const place = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder]
  // By its default, `everysec`, an answer may be sent while what it says is only in the memory of the process.
  const kept = ['--save', '', '--appendonly', persistent ? 'yes' : 'no', '--appendfsync', 'always']
  return launch({
    command: program.command,
    args: [...program.args, ...place, ...kept, ...args],
    port,
    url: `redis://127.0.0.1:${port}`,
    folder,
    ready: /Ready to accept connections/,
    endSignal: 'SIGTERM',
    crashSignal: 'SIGKILL',
  })
}

async function waitForCluster(folder: string, ports: readonly number[]): Promise<void> {
  const deadline = Date.now() + CLUSTER_PATIENCE
  for (;;) {
    const states = await Promise.all(ports.map(port => stateOf(folder, port)))
    if (states.every(state => state.isFine)) return
    if (Date.now() > deadline)
      throw new Error(`the cluster is not ready: ${states.map(state => state.text).join('\n')}`)
    await wait(100)
  }
}

/** A node that is down has nothing to say about the others. */
async function stateOf(folder: string, port: number): Promise<{ isFine: boolean; text: string }> {
  try {
    const ask = (...command: string[]) =>
      // A node that hangs has no answer, and is asked again.
      run(join(folder, 'redis-cli'), ['-p', String(port), ...command], { timeout: 2000 })
    const [cluster, replication] = await Promise.all([ask('cluster', 'info'), ask('info', 'replication')])
    const text = cluster.stdout + replication.stdout
    const isLinked = /role:master/.test(text) || /master_link_status:up/.test(text)
    return { isFine: /cluster_state:ok/.test(text) && /cluster_slots_ok:16384/.test(text) && isLinked, text }
  } catch (error) {
    return { isFine: /Connection refused/.test(String(error)), text: String(error) }
  }
}

function programs(): string {
  const found = findRedis()
  if (found.missing !== undefined) throw new Error(found.missing)
  return found.folder
}
