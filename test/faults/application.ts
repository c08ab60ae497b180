/* The application's process, as its parent has it: it starts it, asks it, kills it, and notices when it dies by itself. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { freePort, tellReaper } from '../servers/place.ts'
import type { Place, StoreName } from './clients.ts'

/** What the process is told when it starts. */
export interface Orders {
  readonly store: StoreName
  readonly place: Place
  readonly port: number
  /** In ms. */
  readonly storeTimeout: number
  readonly onStoreError: 'throw' | 'anonymous'
}

export interface State {
  /** In bytes. */
  readonly rss: number
  readonly heapUsed: number
  /** Promises that were rejected and that nobody had anything to do with. */
  readonly rejections: number
}

export type Told = { readonly ready: true } | State

export interface Application {
  readonly port: number
  /** How often it died without being killed. */
  readonly deaths: number
  state(): Promise<State | undefined>
  /** SIGKILL, and the next one. */
  killAndStart(): Promise<void>
  stop(): Promise<void>
}

/** How long (ms) it may take to answer about itself. */
const PATIENCE = 5000

/** Starts the application of `file`: it is told what is `given`, and its port, and says when it is ready. */
export async function startApplication(file: URL, given: object): Promise<Application> {
  const orders = { ...given, port: await freePort() }
  let deaths = 0
  let isKilled = false
  let child = await start()

  async function start(): Promise<ChildProcess> {
    isKilled = false
    const started = await startProcess(file, orders)
    started.once('exit', () => {
      if (!isKilled) deaths++
    })
    return started
  }

  async function kill(): Promise<void> {
    isKilled = true
    if (child.exitCode !== null || child.signalCode !== null) return
    const exit = once(child, 'exit')
    child.kill('SIGKILL')
    await exit
  }

  return {
    port: orders.port,
    get deaths() {
      return deaths
    },
    state: () => stateOf(child),
    async killAndStart() {
      await kill()
      child = await start()
    },
    stop: kill,
  }
}

async function startProcess(file: URL, orders: object): Promise<ChildProcess> {
  const child = fork(fileURLToPath(file), [JSON.stringify(orders)], { execArgv: ['--import', 'tsx', '--expose-gc'] })
  const { pid } = child
  if (pid !== undefined) {
    tellReaper({ watch: pid, signal: 'SIGKILL' })
    child.once('exit', () => tellReaper({ forget: pid }))
  }
  const ended = once(child, 'exit').then(() => {
    throw new Error('the application has not started')
  })
  ended.catch(() => {})
  await Promise.race([once(child, 'message'), ended])
  return child
}

async function stateOf(child: ChildProcess): Promise<State | undefined> {
  if (!child.connected) return undefined
  child.send('state')
  try {
    const [told] = await once(child, 'message', { signal: AbortSignal.timeout(PATIENCE) })
    return told
  } catch {
    return undefined
  }
}
