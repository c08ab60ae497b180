/*
 * Tells how long a fresh process takes to load the package, above an empty process and above one that has loaded Koa:
 * what every start of a server and every cold start of a function pays. The processes take turns, because the machine
 * changes its pace.
 */

import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'
import { about, stated } from './machine.mjs'
import { fixed, table } from './markdown.mjs'
import { median, minus, noise, shuffled } from './statistics.mjs'

const flag = { type: 'boolean' }
const { values: opts } = parseArgs({ options: { quick: flag, json: { type: 'string' }, 'self-test': flag } })
if (opts['self-test']) about.versions[8] = '7.0.2 again, as a self test'
const rounds = opts.quick ? 9 : 61
const target = 0.2

const built = name => (opts['self-test'] ? 'koa-session-7' : new URL(`../dist/${name}`, import.meta.url))
const quoted = name => JSON.stringify(name instanceof URL ? name.href : name)
const quotedPath = name => JSON.stringify(name instanceof URL ? fileURLToPath(name) : name)
// With Koa loaded first, Node's own modules are there already: what the package adds to an application.
const byImport = first => ({
  type: 'module',
  empty: first,
  least: `${first}; const loaded = await import('./least.mjs')`,
  '7.0.2': `${first}; const loaded = (await import('koa-session-7')).default`,
  8: `${first}; const loaded = (await import(${quoted(built('index.mjs'))})).default`,
})
const byRequire = first => ({
  type: 'commonjs',
  empty: first,
  least: `${first}; const loaded = require('./least.cjs')`,
  '7.0.2': `${first}; const loaded = require('koa-session-7')`,
  8: `${first}; const loaded = require(${quotedPath(built('index.cjs'))})`,
})
const ways = {
  import: byImport(''),
  require: byRequire(''),
  'import after Koa': byImport("await import('koa')"),
  'require after Koa': byRequire("require('koa')"),
}
// Whatever signs has one file to read, and node:crypto.
const names = ['empty', 'least', '7.0.2', '8']

const report = 'const { user, system } = process.cpuUsage(); console.log(performance.now() * 1000, user + system)'
const proof = "if (typeof (loaded.default ?? loaded) !== 'function') throw new Error('nothing loaded');"

// Microseconds since the process began, on the clock and on the processor.
async function run(way, name) {
  const code = `${ways[way][name]};\n${name === 'empty' ? '' : proof}\n${report}`
  const { stdout } = await promisify(execFile)(process.execPath, [`--input-type=${ways[way].type}`, '-e', code], {
    cwd: fileURLToPath(new URL('.', import.meta.url)),
    env: { ...process.env, NODE_ENV: 'production', NODE_OPTIONS: '' },
    timeout: 30_000,
  })
  const [clock, processor] = stdout.split(' ').map(Number)
  return { clock, processor }
}

const measures = ['processor', 'clock']
const samples = {}
for (const way of Object.keys(ways)) {
  samples[way] = Object.fromEntries(names.map(name => [name, { clock: [], processor: [] }]))
  for (let round = -1; round < rounds; round++) {
    for (const name of shuffled(names)) {
      const used = await run(way, name)
      // The first round reads files that the system does not yet hold in memory.
      if (round >= 0) for (const measure of measures) samples[way][name][measure].push(used[measure])
    }
  }
}

const results = Object.keys(ways).flatMap(way =>
  measures.map(measure => {
    const of = name => samples[way][name][measure].map(value => value / 1000)
    const [least, before, now] = ['least', '7.0.2', '8'].map(name => minus(of(name), of('empty')))
    const summary = list => ({ milliseconds: median(list), noise: noise(list) })
    const ratio = median(now) / median(before)
    return {
      way,
      measure,
      empty: summary(of('empty')),
      least: summary(least),
      before: summary(before),
      now: summary(now),
      ratio,
    }
  }),
)

const time = ({ milliseconds, noise }) => `${fixed(milliseconds)} ± ${fixed(noise)}`
const labels = { processor: 'processor time', clock: 'clock' }
const row = ({ way, measure, empty, least, before, now, ratio }) => {
  const times = [empty, least, before, now].map(time)
  return [way, labels[measure], ...times, fixed(ratio, 2), `≤ ${fixed(target, 2)}`, ratio > target ? '✗' : '']
}
const titles = [
  'by',
  'measured',
  '>without, ms',
  '>one line, ms',
  '>7.0.2, ms',
  '>8, ms',
  '>8 / 7.0.2',
  '>target',
  'misses',
]
console.log(`${stated(about)}: ${rounds} rounds.\n`)
console.log(table(titles, results.map(row)))
if (opts.json) writeFileSync(opts.json, `${JSON.stringify({ about, rounds, results, samples })}\n`)
