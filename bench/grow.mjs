/*
 * Tells how a request's cost grows: with the session, with the secrets, with the other cookies in the header and
 * with the live sessions in the memory store. What is flat with one session of 60 bytes may not be with a million.
 */

import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { growths } from './growth.mjs'
import { growthTable } from './growth-table.mjs'
import { about, stated } from './machine.mjs'
import { median, minus, noise } from './statistics.mjs'
import { takeTurns } from './turns.mjs'

const { values: opts } = parseArgs({
  options: {
    quick: { type: 'boolean' },
    json: { type: 'string' },
    starts: { type: 'string', default: '3' },
    only: { type: 'string', multiple: true, default: Object.keys(growths) },
  },
})
const plan = {
  source: './growth.mjs',
  semiSpace: 1,
  ...(opts.quick
    ? { starts: 1, seconds: 10, warmUp: 1000, requests: 100 }
    : { starts: Number(opts.starts), seconds: 30, warmUp: 2000, requests: 200 }),
}
const largestQuick = 1e5

function summarize({ key, use, mode, value, times, facts }) {
  const above = name => times[name].map((list, i) => minus(list, times.bare[i]))
  const of = name => ({ microseconds: median(above(name).map(median)), noise: noise(above(name).flat()) })
  const [before, now] = [above('7.0.2'), above('8')]
  // From one round to the next the machine may change its pace: a ratio is taken within a round.
  const ratio = median(now.map((list, i) => median(list.map((value, j) => value / before[i][j]))))
  const bare = median(times.bare.map(median))
  return { key, use, mode, value, bare, '7.0.2': of('7.0.2'), 8: of('8'), ratio, heap: facts['8'] }
}

console.log(`${stated(about)}: ${plan.starts} starts.`)
const results = {}
const samples = {}
for (const growth of opts.only) {
  const { entries } = growths[growth]
  const measured = entries.filter(({ value }) => !opts.quick || value <= largestQuick)
  const rounds = await takeTurns(measured, 'times', plan)
  results[growth] = { rounds, points: measured.map(summarize) }
  samples[growth] = measured.map(({ key, times }) => ({ key, times }))
  console.log(`\n### ${growths[growth].title} (${rounds} rounds)\n\n${growthTable(growth, results[growth])}`)
}
if (opts.json) writeFileSync(opts.json, `${JSON.stringify({ about, plan, results, samples })}\n`)
