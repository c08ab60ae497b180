/*
 * Runs the tests with node:test on whatever Node this is, against the source (the default) or against the built package
 * (`--dist`), by way of how `koa-session` is resolved. `--quick` runs what needs no server and no other process. It exists
 * because `node --test` takes patterns only from Node 21 on, prints too much, and waits for ever for a test that never
 * settles: here no test may take longer than `--limit` (ms).
 *
 * What needs a server that has to be started is in `test/stores/servers`, and left out with `--dist` unless it is asked
 * for by that path: the matrix runs seven times, and a server is the same on every Node. SQLite is elsewhere, because
 * its clients are not. The table at the end says what ran on what, as the tests handed it in (test/servers/report.ts).
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join, sep } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { choose, grouped } from './tests/choice.mjs'
import { runProcess } from './tests/process.mjs'
import { failuresOf, lineOf, tableOf, totalsOf } from './tests/report.mjs'

const { values, positionals: words } = parseArgs({
  options: {
    dist: { type: 'boolean' },
    quick: { type: 'boolean' },
    limit: { type: 'string', default: '240000' },
  },
  allowPositionals: true,
})
const root = fileURLToPath(new URL('..', import.meta.url))
const limit = Number(values.limit)
const kind = { isDist: values.dist === true, isQuick: values.quick === true }

const all = readdirSync(join(root, 'test'), { recursive: true })
  .map(file => `test/${String(file).split(sep).join('/')}`)
  .filter(file => /\.test\.(ts|mjs)$/.test(file))
const { files, missing } = choose(all, { words, ...kind })
if (missing.length > 0) {
  console.error(`no test has ${missing.join(', nor ')} in its path${values.dist ? ' and runs against the build' : ''}`)
  process.exit(2)
}

const report = mkdtempSync(join(tmpdir(), 'koa-session-report-'))
const folder = mkdtempSync(join(tmpdir(), 'koa-session-groups-'))
// One processor is left to the servers that tests start, which the quick ones do not.
const processes = Math.max(2, availableParallelism() - (values.quick ? 0 : 1))
const env = {
  ...process.env,
  TSX_TSCONFIG_PATH: values.dist ? 'tsconfig.dist.json' : 'tsconfig.json',
  ...(values.quick && { PROPERTY_MS: '100' }),
}
const options = { limit, cwd: root, env: { ...env, TEST_REPORT: report } }

const begun = performance.now()
// Only here, as it takes a Node on which the matrix need not run. Coverage is of the source itself, by tsx.
const isTranspiled = values.quick && !process.env.NODE_V8_COVERAGE
const place = isTranspiled ? await (await import('./tests/transpiled.mjs')).transpiled(files, root) : root
if (isTranspiled) options.flags = ['--enable-source-maps']
process.on('exit', () => {
  for (const temporary of [report, folder, ...(isTranspiled ? [place] : [])]) rmSync(temporary, { recursive: true })
})
process.on('SIGINT', () => process.exit(130))
const waiting = grouped(files, { ...kind, processes })
const results = []
await Promise.all(Array.from({ length: processes }, work))
const rows = readdirSync(report).flatMap(file => readFileSync(join(report, file), 'utf8').trim().split('\n'))

const failures = results.flatMap(({ title, result }) => failuresOf(title, result))
if (failures.length > 0) console.log(`\n${failures.join('\n')}`)
if (rows.length > 0) console.log(`\n${tableOf(rows.map(row => JSON.parse(row)))}`)
console.log(`\n${totalsOf(results.map(({ result }) => result))}`)
console.log(`in ${((performance.now() - begun) / 1000).toFixed(1)} s`)
// Not by exit(): what was printed may still be on its way.
if (results.some(({ result: { counts } }) => counts.fail + counts.cancelled > 0)) process.exitCode = 1

async function work() {
  for (let group = waiting.shift(); group; group = waiting.shift()) {
    const result = await runProcess(fileOf(group), options)
    results.push({ title: group.title, result })
    console.log(lineOf(group.title, result))
  }
}

function fileOf({ title, files }) {
  const pathOf = test => join(place, isTranspiled ? test.replace(/\.ts$/, '.mjs') : test)
  if (files.length === 1) return pathOf(files[0])
  const file = join(folder, `${title.replace(/\W+/g, '-')}.mjs`)
  writeFileSync(file, files.map(test => `await import('${pathToFileURL(pathOf(test))}')\n`).join(''))
  return file
}
