/*
 * Runs one file of tests in a process of its own, and ends it when nothing is heard of it for too long. node:test has a
 * time limit too, but not on Node 18, where it also ends with the test what it waits for; and a loop without an end
 * hears no timer. So the limit is kept from outside, the same way on every Node.
 */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

const REPORTER = new URL('events.mjs', import.meta.url).href
/** How much of what a file printed is kept for the report of its failure. */
const KEPT = 8000
const WHY_LATE = 'the process was stopped. A test has no end, or it left something open'

export const OUTCOMES = ['pass', 'fail', 'cancelled', 'skipped', 'todo']

/**
 * What came of `file`: `counts` by outcome, `failures` as `{ title, error }`, `output` (the end of what it printed) and
 * `seconds`. `limit`: how long a test may take, in ms; `flags`: those of Node, by default the loader of tsx. Never rejects.
 */
export function runProcess(file, { limit, env, cwd, flags = ['--import', 'tsx'] }) {
  const begun = performance.now()
  const counts = Object.fromEntries(OUTCOMES.map(outcome => [outcome, 0]))
  const failures = []
  let output = ''
  const running = []
  let hasEnded = false
  let isTooLate = false

  const child = spawn(
    process.execPath,
    [...flags, `--test-reporter=${REPORTER}`, '--test-reporter-destination=stdout', file],
    { cwd, env, stdio: ['ignore', 'pipe', 'pipe', 'pipe'] },
  )
  const watch = setTimeout(() => {
    isTooLate = true
    child.kill('SIGKILL')
  }, limit)
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', text => {
      output = (output + text).slice(-KEPT)
    })
  }
  createInterface({ input: child.stdio[3] }).on('line', line => {
    watch.refresh()
    const { type, name, title, outcome, error } = JSON.parse(line)
    if (type === 'ended') hasEnded = true
    if (type === 'begun') running.push(name)
    if (type !== 'done') return
    if (running.includes(name)) running.splice(running.lastIndexOf(name), 1)
    if (outcome in counts) counts[outcome]++
    if (error !== undefined) failures.push({ title, error })
  })

  return new Promise(resolve => {
    child.on('error', error => fail('the process', String(error)))
    child.on('close', (status, signal) => {
      clearTimeout(watch)
      const known = counts.fail + counts.cancelled > 0
      if (isTooLate) fail(running.at(-1) ?? 'the file', `did not end within ${limit / 1000} s; ${WHY_LATE}`)
      else if (!known && (status !== 0 || signal)) fail('the process', `ended with ${signal ?? `status ${status}`}`)
      else if (!hasEnded) fail('the process', 'ended before its tests, or has none')
      resolve({ counts, failures, output, seconds: (performance.now() - begun) / 1000 })
    })
  })

  function fail(title, error) {
    counts.fail++
    failures.push({ title, error })
  }
}
