/** Servers of Redis for tests, each on a private port of 127.0.0.1 and in a folder of its own. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'

const HOST = '127.0.0.1'
const run = promisify(execFile)

/** What stops the servers: a test, a suite. */
interface Owner {
  after(stop: () => Promise<void>): void
}

export interface Server {
  readonly port: number
  readonly url: string
  /** What redis-cli prints for a command. */
  cli(...args: string[]): Promise<string>
}

/** A single server, which is up. */
export async function startRedis(owner: Owner): Promise<Server> {
  const [port = 0] = await freePorts(1)
  await start(owner, 'redis-server', ['--port', String(port), '--save', '', '--appendonly', 'no'])
  await until(() => cli(port, 'PING').then(answer => answer === 'PONG'))
  return serverOn(port)
}

/** Three masters with a replica each, which are linked. */
export async function startCluster(owner: Owner): Promise<Server[]> {
  const ports = await freePorts(6)
  for (const port of ports) {
    const args = ['--port', String(port), '--save', '', '--cluster-enabled', 'yes', '--cluster-node-timeout', '2000']
    await start(owner, 'redis-server', [...args, '--cluster-port', String(port + 10_000)])
    await until(() => cli(port, 'PING').then(answer => answer === 'PONG'))
  }
  const nodes = ports.map(port => `${HOST}:${port}`)
  await run('redis-cli', ['--cluster', 'create', ...nodes, '--cluster-replicas', '1', '--cluster-yes'])
  for (const port of ports) {
    await until(async () => (await cli(port, 'CLUSTER', 'INFO')).includes('cluster_state:ok'))
    await until(async () => /role:master|master_link_status:up/.test(await cli(port, 'INFO', 'replication')))
  }
  return ports.map(serverOn)
}

/** One sentinel, which is in front of `server` under the name `main`. */
export async function startSentinel(owner: Owner, server: Server): Promise<Server> {
  const [port = 0] = await freePorts(1)
  const config = ['sentinel monitor main', HOST, server.port, '1'].join(' ')
  await start(owner, 'redis-server', ['sentinel.conf', '--sentinel', '--port', String(port)], config)
  await until(async () => (await cli(port, 'SENTINEL', 'master', 'main')).includes('num-slaves'))
  return serverOn(port)
}

function serverOn(port: number): Server {
  return { port, url: `redis://${HOST}:${port}`, cli: (...args) => cli(port, ...args) }
}

async function cli(port: number, ...args: string[]): Promise<string> {
  const { stdout } = await run('redis-cli', ['-h', HOST, '-p', String(port), ...args])
  return stdout.trimEnd()
}

async function start(owner: Owner, command: string, args: string[], config = ''): Promise<void> {
  const cwd = await mkdtemp(join(tmpdir(), 'koa-session-redis-'))
  await writeFile(join(cwd, 'sentinel.conf'), `${config}\n`)
  const child = spawn(command, [...args, '--bind', HOST], { cwd, stdio: 'ignore' })
  owner.after(async () => {
    await stop(child)
    await rm(cwd, { recursive: true, force: true })
  })
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGKILL')
  await once(child, 'exit')
}

/** A server answers when it does: this asks until then, for ten seconds at most. */
async function until(isReady: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 10_000
  while (!(await isReady().catch(() => false))) {
    if (Date.now() > end) throw new Error('a server was not ready in time')
    await sleep(50)
  }
}

/** Ports on which nobody listens; the cluster's own are 10,000 above. */
async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = []
  while (ports.length < count) {
    const port = 20_000 + Math.floor(Math.random() * 25_000)
    const areFree = (await Promise.all([isFree(port), isFree(port + 10_000)])).every(Boolean)
    if (areFree && !ports.includes(port)) ports.push(port)
  }
  return ports
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  try {
    server.listen(port, HOST)
    await once(server, 'listening')
    return true
  } catch {
    return false
  } finally {
    server.close()
  }
}
