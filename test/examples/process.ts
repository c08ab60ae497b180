/* An example as a person starts it: a process, of the built package, in a folder of its own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'

export interface Example {
  /** Another one after each `restart`. */
  readonly url: string
  /** What it has printed since it was started. */
  readonly stdout: string
  /** Ends it as the interrupt key does, and starts it again in the same folder. */
  restart(): Promise<void>
}

export interface Ending {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Rejects when it ends before it listens. `name`: its folder. */
export async function startExample(
  t: Pick<TestContext, 'after'>,
  args: readonly string[],
  env = {},
  name = 'counter',
): Promise<Example> {
  const folder = makeFolder(t)
  let running = await start(name, folder, args, env)
  t.after(async () => {
    running.child.kill('SIGKILL')
    await running.ended
  })
  return {
    get url() {
      return running.url
    },
    get stdout() {
      return running.told.stdout
    },
    async restart() {
      running.child.kill('SIGINT')
      const { code, stderr } = await running.ended
      if (code !== 0) throw new Error(`the example ended with ${code}: ${stderr}`)
      running = await start(name, folder, args, env)
    },
  }
}

/** Of a start that fails. */
export function endOfExample(t: Pick<TestContext, 'after'>, args: readonly string[]): Promise<Ending> {
  return launch('counter', makeFolder(t), args, {}).ended
}

function makeFolder(t: Pick<TestContext, 'after'>): string {
  const folder = mkdtempSync(join(tmpdir(), 'koa-session-example-'))
  t.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))
  return folder
}

async function start(name: string, folder: string, args: readonly string[], env: object) {
  const { child, told, ended } = launch(name, folder, args, env)
  for (;;) {
    const url = /^http:\S+$/m.exec(told.stdout)?.[0]
    if (url) return { child, ended, told, url }
    const isOver = await Promise.race([ended, child.stdout ? once(child.stdout, 'data').then(() => undefined) : ended])
    if (isOver) throw new Error(`the example ended with ${isOver.code}: ${isOver.stderr}`)
  }
}

function launch(name: string, folder: string, args: readonly string[], env: object) {
  const server = fileURLToPath(new URL(`../../examples/${name}/server.mjs`, import.meta.url))
  const { SESSION_KEYS, ...inherited } = process.env
  const child: ChildProcess = spawn(process.execPath, [server, ...args], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...inherited, PORT: '0', ...env },
  })
  const told = { stdout: '', stderr: '' }
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream]?.setEncoding('utf8').on('data', text => {
      told[stream] += text
    })
  }
  const ended: Promise<Ending> = once(child, 'close').then(([code]) => ({ code, ...told }))
  return { child, told, ended }
}
