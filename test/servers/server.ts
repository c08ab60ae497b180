/*
 * A real server that a test starts, kills and starts again. One for all kinds: what differs is the command, the line of
 * its log that says that it is ready, and the signal that ends it well.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { removeFolder, tellReaper, type User } from './place.ts'
import { ended, family, send } from './process.ts'

export interface Server {
  readonly port: number
  readonly url: string
  /** Its own, with its file `log` and its data. */
  readonly folder: string
  /** Another one after each `restart`. */
  readonly pid: number
  /**
   * Sends a signal to the server and, where it is one that no process can refuse, to its children: `SIGKILL` (the
   * default) is a crash, `SIGSTOP` a server that hangs until `SIGCONT`. Resolves when it is down, if the signal ends it.
   */
  kill(signal?: NodeJS.Signals): Promise<void>
  /** Starts it again on the same port with the same data, ending it well before if it still runs. */
  restart(): Promise<void>
  /** Ends it well and removes its folder. */
  stop(): Promise<void>
}

export interface Launch {
  command: string
  args: readonly string[]
  port: number
  url: string
  /** Its own, with its data in it: removed by `stop`. */
  folder: string
  /** What its log says when it takes connections. */
  ready: RegExp
  /** What makes it end well. */
  endSignal: NodeJS.Signals
  /** What makes it end at once, and tidy up behind itself if it can; for when the test process is no more. */
  crashSignal: NodeJS.Signals
  user?: User | undefined
}

const START_PATIENCE = 60_000
const END_PATIENCE = 15_000

export async function launch(how: Launch): Promise<Server> {
  let child = await start(how)
  return {
    port: how.port,
    url: how.url,
    folder: how.folder,
    get pid() {
      return pidOf(child)
    },
    kill: (signal = 'SIGKILL') => kill(child, signal),
    async restart() {
      await end(child, how.endSignal)
      child = await start(how)
    },
    async stop() {
      await end(child, how.endSignal)
      removeFolder(how.folder)
    },
  }
}

async function start(how: Launch): Promise<ChildProcess> {
  const file = join(how.folder, 'log')
  const log = openSync(file, 'a')
  const before = fstatSync(log).size
  const environment = { ...process.env, LC_ALL: 'C' }
  const options = { stdio: ['ignore', log, log] as const, cwd: how.folder, env: environment, ...how.user }
  const child = spawn(how.command, how.args, { ...options, stdio: [...options.stdio] })
  closeSync(log)
  await once(child, 'spawn')
  const pid = pidOf(child)
  tellReaper({ watch: pid, signal: how.crashSignal })
  child.once('exit', () => tellReaper({ forget: pid }))
  // A test that forgets to stop it ends all the same.
  child.unref()
  const logged = () => readFileSync(file).subarray(before).toString()
  for (const deadline = Date.now() + START_PATIENCE; !how.ready.test(logged()); await wait(20)) {
    if (hasEnded(child) || Date.now() > deadline) {
      await end(child, 'SIGKILL')
      throw new Error(`${how.command} did not start:\n${logged().slice(-2000)}`)
    }
  }
  return child
}

async function kill(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (hasEnded(child)) return
  const cannotBeRefused = signal === 'SIGKILL' || signal === 'SIGSTOP' || signal === 'SIGCONT'
  const pids = family(pidOf(child))
  for (const pid of cannotBeRefused ? pids : pids.slice(0, 1)) send(pid, signal)
  // Children that are stopped don't see that their parent has ended.
  const [, ...children] = pids
  for (const pid of children) tellReaper(signal === 'SIGSTOP' ? { watch: pid, signal: 'SIGKILL' } : { forget: pid })
  if (signal === 'SIGSTOP' || signal === 'SIGCONT') return
  await down(child, pids)
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (hasEnded(child)) return
  await kill(child, 'SIGCONT')
  await kill(child, signal)
}

/** Also its children: a database does not start again while one of them still has its memory. */
async function down(child: ChildProcess, pids: readonly number[]): Promise<void> {
  if (!(await ended(pids, END_PATIENCE))) {
    for (const pid of pids) send(pid, 'SIGKILL')
    await ended(pids, END_PATIENCE)
  }
  child.ref()
  if (!hasEnded(child)) await once(child, 'exit')
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null
}

function pidOf(child: ChildProcess): number {
  if (child.pid === undefined) throw new Error('the server was not started')
  return child.pid
}
