/* What is printed of the tests: a line for each file, what failed with its error, the counts, and the table of servers. */
import { OUTCOMES } from './process.mjs'

const ERROR_LINES = 60

/** A line for a file: `✓ test/koa/cache.test.ts  31 tests, 0.8 s`. */
export function lineOf(title, { counts, seconds, failures }) {
  const total = OUTCOMES.reduce((sum, outcome) => sum + counts[outcome], 0)
  const bad = OUTCOMES.slice(1)
    .filter(outcome => counts[outcome] > 0)
    .map(outcome => `${counts[outcome]} ${outcome === 'fail' ? 'failed' : outcome}`)
  const isGood = failures.length === 0 && counts.fail + counts.cancelled === 0
  return `${isGood ? '✓' : '✗'} ${title}  ${[`${total} tests`, ...bad, `${seconds.toFixed(1)} s`].join(', ')}`
}

/** A block for each failed test: `not ok <file> › <title>`, and its error, indented. */
export function failuresOf(title, { failures, output }) {
  const blocks = failures.map(({ title: test, error }) => `not ok ${title} › ${test}\n${indented(shortened(error))}`)
  if (blocks.length === 0 || output.trim() === '') return blocks
  return [...blocks, `not ok ${title}: the end of what it printed\n${indented(output.trimEnd())}`]
}

/** In the form of node's own reporters: `# pass 12`. */
export function totalsOf(results) {
  const sum = outcome => results.reduce((total, { counts }) => total + counts[outcome], 0)
  return OUTCOMES.map(outcome => `# ${outcome} ${sum(outcome)}`).join('\n')
}

function shortened(error) {
  const lines = error.split('\n').filter(line => !/^ +at .*\bnode:internal\//.test(line))
  return lines.length > ERROR_LINES ? [...lines.slice(0, ERROR_LINES), '…'].join('\n') : lines.join('\n')
}

function indented(text) {
  return text.replace(/^/gm, '    ')
}

/** What ran on which server, from the rows that the tests handed in. What did not run comes last. */
export function tableOf(rows) {
  const cells = merged(rows)
    .map(row => [row.store || '-', row.client || '-', row.server, outcomeOf(row)])
    .sort((a, b) => a[3].startsWith('did') - b[3].startsWith('did') || a.join().localeCompare(b.join()))
  const table = [['store', 'client', 'server', 'tests'], ...cells]
  const widths = [0, 1, 2].map(column => Math.max(...table.map(line => line[column].length)))
  const lineOf = line => line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')
  return table.map(line => lineOf(line).trimEnd()).join('\n')
}

/** Several suites can be about the same store, client and server. */
function merged(rows) {
  const sums = new Map()
  for (const row of rows) {
    const key = JSON.stringify([row.store, row.client, row.server, row.missing])
    const { passed = 0, failed = 0 } = sums.get(key) ?? {}
    sums.set(key, { ...row, passed: passed + row.passed, failed: failed + row.failed })
  }
  return [...sums.values()]
}

function outcomeOf({ passed, failed, missing }) {
  if (missing !== undefined) return `did not run: ${missing}`
  return `${passed} passed${failed > 0 ? `, ${failed} failed` : ''}`
}
