/*
 * Runs the tests with node:test on whatever Node this is. It exists because `node --test` takes patterns only from
 * Node 21 on, and because the same tests run against the source (the default) and against the built package
 * (`--dist`), by way of how `koa-session` is resolved.
 *
 * What needs a server that has to be started is in `test/stores/servers`, and left out with `--dist` unless it is asked
 * for by that path: the matrix runs seven times, and a server is the same on every Node. SQLite is elsewhere, because
 * its clients are not. The table at the end says what ran on what, as the tests handed it in (test/servers/report.ts).
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'

const { values, positionals } = parseArgs({ options: { dist: { type: 'boolean' } }, allowPositionals: true })
const root = fileURLToPath(new URL('..', import.meta.url))
const SERVERS = join('test', 'stores', 'servers')
const wanted = positionals.length > 0 ? positionals : ['test']

/** Tests that look inside the source, as what is built has no inside, and those of the kit itself and its page. */
const INSIDE = [
  /^test\/(session|codec|config|testing\/(broken|page))/,
  /^test\/stores\/(rows|migrate\.races|sql\/(names|sweep))/,
  /^test\/cli\/(?!process)/,
]
/**
 * With `--dist`, a folder of these is run in one process, as starting one and its loader takes most of the time. That each
 * file passes alone is seen on the source. A warning that is given once a process has a process of its own.
 */
const TOGETHER = ['koa', 'security', 'compat'].map(folder => join('test', folder))
const ALONE = join('test', 'compat', 'warnings.test.ts')

const isAskedFor = wanted.some(part => part.startsWith(SERVERS))

const files = readdirSync(join(root, 'test'), { recursive: true })
  .map(file => join('test', String(file)))
  .filter(file => file.endsWith('.test.ts') && wanted.some(part => file.includes(part)))
  .filter(file => !values.dist || !INSIDE.some(inside => inside.test(file)))
  .filter(file => !values.dist || !file.startsWith(SERVERS) || isAskedFor)
  // Those of servers wait and are long: begun first, they end while others still run.
  .sort((a, b) => Number(b.startsWith(SERVERS)) - Number(a.startsWith(SERVERS)) || (a < b ? -1 : 1))

const report = mkdtempSync(join(tmpdir(), 'koa-session-report-'))
const groups = mkdtempSync(join(tmpdir(), 'koa-session-groups-'))
// Node leaves one processor to the process that waits for the others.
const atOnce = `--test-concurrency=${Math.max(2, availableParallelism() - 1)}`
const { status } = spawnSync(process.execPath, ['--import', 'tsx', '--test', atOnce, ...processesOf(files)], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, TSX_TSCONFIG_PATH: values.dist ? 'tsconfig.dist.json' : 'tsconfig.json', TEST_REPORT: report },
})
const rows = readdirSync(report).flatMap(file => readFileSync(join(report, file), 'utf8').trim().split('\n'))
for (const folder of [report, groups]) rmSync(folder, { recursive: true })
if (rows.length > 0) console.log(tableOf(rows.map(row => JSON.parse(row))))
process.exit(status ?? 1)

/** The files that node:test runs, a process for each. */
function processesOf(tests) {
  if (!values.dist) return tests
  const isIn = folder => test => test.startsWith(folder) && test !== ALONE
  const alone = tests.filter(test => !TOGETHER.some(folder => isIn(folder)(test)))
  const together = TOGETHER.map(folder => tests.filter(isIn(folder))).filter(group => group.length > 0)
  return [...together.map(groupOf), ...alone]
}

function groupOf(tests, index) {
  const file = join(groups, `${index}.mjs`)
  writeFileSync(file, tests.map(test => `await import('${pathToFileURL(join(root, test))}')\n`).join(''))
  return file
}

/** What did not run comes last. No line begins like one of node's counts, which others read. */
function tableOf(rows) {
  const cells = merged(rows)
    .map(row => [row.store || '-', row.client || '-', row.server, outcomeOf(row)])
    .sort((a, b) => a[3].startsWith('did') - b[3].startsWith('did') || a.join().localeCompare(b.join()))
  const table = [['store', 'client', 'server', 'tests'], ...cells]
  const widths = [0, 1, 2].map(column => Math.max(...table.map(line => line[column].length)))
  return table
    .map(line =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
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
