/** The command as a process: of the source, or of what is built with `scripts/test.mjs --dist`. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { newSecret } from '../support/secrets.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const isBuilt = process.env.TSX_TSCONFIG_PATH === 'tsconfig.dist.json'
const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href
// Absolute, since it may run in another folder.
const command = isBuilt ? [join(root, 'dist/cli.mjs')] : ['--import', tsx, join(root, 'src/cli/main.ts')]
export const SECRET = newSecret()

export interface Outcome {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface Given {
  readonly input?: string
  readonly keys?: string
  /** Whether more may come after `input`: the process is not told of an end. */
  readonly isOpen?: boolean
  readonly environment?: Readonly<Record<string, string>>
  /** The folder that it runs in: by default that of the project. */
  readonly folder?: string
  /** Options of Node. */
  readonly node?: readonly string[]
  /** Called with what interrupts the process. */
  readonly started?: (interrupt: () => void) => unknown
  /** Whether nobody reads on after the first text that is printed. */
  readonly isShort?: boolean
  /** Whether nobody reads what goes wrong. */
  readonly isUnheard?: boolean
}

/** Why there is no terminal on this machine. */
export const noTerminal = spawnSync('script', ['--version']).stdout?.includes('util-linux')
  ? undefined
  : 'script of util-linux is not installed: apt-get install bsdutils'

/** Runs it at a terminal, where somebody types `answer` once it has printed `question`. */
export async function runAtTerminal(
  parameters: string,
  environment: Given['environment'],
  question: string,
  answer: string,
) {
  const line = [process.execPath, ...command, parameters].join(' ')
  const child = spawn('script', ['-qfec', line, '/dev/null'], {
    cwd: root,
    env: { ...process.env, TSX_TSCONFIG_PATH: join(root, 'tsconfig.json'), ...environment },
  })
  let printed = ''
  child.stdout.setEncoding('utf8').on('data', text => {
    if (!printed.includes(question) && (printed + text).includes(question)) child.stdin.write(answer)
    printed += text
  })
  const [code] = await once(child, 'close')
  return { code, printed }
}

/** Runs it with `input` piped in, or with nothing to read. */
export function run(
  parameters: readonly string[],
  {
    input,
    keys = SECRET,
    isOpen = false,
    environment,
    folder = root,
    node = [],
    started,
    isShort,
    isUnheard,
  }: Given = {},
) {
  return new Promise<Outcome>((resolve, reject) => {
    const child = spawn(process.execPath, [...node, ...command, ...parameters], {
      cwd: folder,
      stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      env: {
        ...process.env,
        TSX_TSCONFIG_PATH: join(root, 'tsconfig.json'),
        KOA_SESSION_KEYS: keys,
        ...environment,
      },
    })
    const told = { stdout: '', stderr: '' }
    for (const stream of ['stdout', 'stderr'] as const) {
      child[stream]?.setEncoding('utf8').on('data', text => {
        told[stream] += text
        if (isShort && stream === 'stdout') child.stdout?.destroy()
      })
    }
    if (isUnheard) child.stderr?.destroy()
    child.on('error', reject).on('close', code => resolve({ code, ...told }))
    started?.(() => child.kill('SIGINT'))
    // It may have read enough before the end.
    child.stdin?.on('error', () => {})
    if (isOpen) child.stdin?.write(input)
    else child.stdin?.end(input)
  })
}
