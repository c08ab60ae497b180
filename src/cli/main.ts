#!/usr/bin/env node
/** The one file that talks to the process: reads its arguments, its environment and its input, prints, ends it. */
import { randomBytes } from 'node:crypto'
import { createRequire } from 'node:module'
import { LONGEST_INPUT, run } from './run.ts'

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

const { code, stdout, stderr } = await run(process.argv.slice(2), {
  environment: process.env,
  readInput,
  now: Date.now,
  random: randomBytes,
  version,
})
process.stdout.write(stdout)
process.stderr.write(stderr)
// Not process.exit(), which would cut off what a pipe has not taken yet.
process.exitCode = code
