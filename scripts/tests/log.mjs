/*
 * What a stage of the gate says of its tests, from the file that has all it printed: how many passed, failed and did not
 * run; with `--failures`, the tests that failed, with what they say. Tests print in TAP, or as node's reporter for a terminal.
 */
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { COUNT } from './verdict.mjs'

/** Summed up over all runs in `output`: `{ passed, failed, idle }`. A test that was skipped did not run. */
export function sumsOf(output) {
  const sums = { pass: 0, fail: 0, cancelled: 0, skipped: 0, todo: 0 }
  for (const [, word, count] of output.matchAll(COUNT)) sums[word] += Number(count)
  return { passed: sums.pass, failed: sums.fail, idle: sums.cancelled + sums.skipped + sums.todo }
}

/** A block for each test that failed itself, and not by one in it: its line `not ok`, and what is indented below that. */
export function failedIn(output) {
  const blocks = []
  for (const line of output.split('\n')) {
    const indent = line.search(/\S/)
    const block = blocks.at(-1)
    if (/^ *not ok /.test(line)) blocks.push({ indent, lines: [line], isOpen: true })
    else if (block?.isOpen && (indent === -1 || indent > block.indent)) block.lines.push(line)
    else if (block) block.isOpen = false
  }
  return blocks.map(({ lines }) => lines.join('\n').trimEnd()).filter(block => !/subtests? ?failed/i.test(block))
}

if (process.argv[1] === import.meta.filename) {
  const { values, positionals } = parseArgs({ options: { failures: { type: 'boolean' } }, allowPositionals: true })
  const output = readFileSync(positionals[0], 'utf8')
  const { passed, failed, idle } = sumsOf(output)
  console.log(values.failures ? failedIn(output).join('\n') : `${passed} ${failed} ${idle}`)
}
