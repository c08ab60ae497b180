#!/usr/bin/env node
/** The one file that talks to the process: reads its arguments, its environment and its input, prints, ends it. */
import { randomBytes } from 'node:crypto'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { LONGEST_INPUT, run } from './run.ts'
import { progressLine } from './sessions/lines.ts'
import { EXIT } from './usage.ts'

// By its own name, which is found from the source as from the build.
const { version } = createRequire(import.meta.url)('koa-session/package.json') as { version: string }

async function readInput(): Promise<string | undefined> {
  // A terminal cuts a line at 4095 characters, without a word.
  if (process.stdin.isTTY) return undefined
  let text = ''
  process.stdin.setEncoding('utf8')
  for await (const chunk of process.stdin) {
    text += chunk
    // What is longer is refused, and may have no end.
    if (text.length > LONGEST_INPUT) break
  }
  return text
}

function print(text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(text, error => (error ? reject(error) : resolve()))
  })
}

/** The end of the input is no answer. */
async function ask(question: string): Promise<string> {
  process.stderr.write(question)
  const lines = createInterface({ input: process.stdin })
  try {
    for await (const line of lines) return line
    return ''
  } finally {
    // It would wait for more.
    lines.close()
  }
}

async function working<Result>(what: string, done: () => number, work: () => Promise<Result>): Promise<Result> {
  if (!process.stderr.isTTY) return work()
  const began = performance.now()
  const show = (text: string) => process.stderr.write(`\r${text}\u001b[K`)
  const timer = setInterval(
    () => show(progressLine(what, Math.floor((performance.now() - began) / 1000), done())),
    1000,
  )
  try {
    return await work()
  } finally {
    clearInterval(timer)
    show('')
  }
}

/** The second interruption ends the process, as without this. */
function interruption(): AbortSignal {
  const controller = new AbortController()
  process.once('SIGINT', () => controller.abort())
  return controller.signal
}

// Whoever reads it may stop before the end: the write is answered with that, too.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})

const { code, stdout, stderr } = await run(process.argv.slice(2), {
  environment: process.env,
  readInput,
  now: Date.now,
  random: randomBytes,
  version,
  admin: {
    // Of the application, which is where the command is run.
    load: createRequire(join(process.cwd(), 'package.json')),
    print,
    ask: process.stdin.isTTY && process.stderr.isTTY ? ask : undefined,
    working,
    interruption,
  },
})
process.stdout.write(stdout)
process.stderr.write(stderr)
// Not process.exit(), which would cut off what a pipe has not taken yet.
process.exitCode = code
// What was interrupted may still be under way.
if (code === EXIT.interrupted) process.exit()
