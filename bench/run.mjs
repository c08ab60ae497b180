/*
 * Tells what the session middleware itself costs a request, above bare Koa: for the release before (7.0.2), for this one
 * (8) and for the least code that does the same job (the floor), beside what this one is meant to cost. `--cold` does so
 * with caches that are empty, `--once` where every request brings another cookie.
 */

import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { cases, modes } from './cases.mjs'
import { grossOf, kinds } from './judge.mjs'
import { about, stated } from './machine.mjs'
import { fixed, table } from './markdown.mjs'
import { median } from './statistics.mjs'
import { takeTurns } from './turns.mjs'

/** The status of `--check` where a case is too slow: no crash ends with it. */
const TOO_SLOW = 20

const flag = { type: 'boolean' }
const { values: opts } = parseArgs({
  options: { quick: flag, json: { type: 'string' }, check: flag, 'self-test': flag, cold: flag, once: flag },
})
if (opts['self-test']) about.versions[8] = '7.0.2 again, as a self test'

const {
  what,
  names,
  isMeasured,
  plan: ofKind,
  summarize,
  titles,
  row,
  misses,
} = kinds[opts.cold ? 'cold' : opts.once ? 'once' : 'warm']
const plan = {
  source: './cases.mjs',
  variantOf: name => (opts['self-test'] && name.startsWith('8') ? '7.0.2' : name),
  ...ofKind(opts.quick),
}
const bytePlan = {
  ...plan,
  // Too large to be collected while bytes are counted.
  semiSpace: 32,
  requests: 100,
  ...(opts.quick ? { starts: 1, seconds: 2 } : { starts: 3, seconds: 8 }),
}

// What `--check` does not judge would only take its time.
const namesFor = mode => names[mode].filter(name => !opts.check || name !== 'floor, memory')
const entries = modes
  .flatMap(mode => Object.keys(cases).map(key => ({ mode, key, share: cases[key].share, names: namesFor(mode) })))
  .filter(isMeasured)

// Those of one case at a time, where each has processes of its own.
const groups = opts.once ? entries.map(entry => [entry]) : [entries]
let rounds = 0
for (const group of groups) rounds += await takeTurns(group, what, { ...plan, seconds: plan.seconds / groups.length })
if (what === 'times') await takeTurns(entries, 'bytes', bytePlan)

// Identical code was seen to move by a factor of two: what looks gross has to do so again, twice, in other processes.
const isGross = entry => grossOf(summarize(entry)).length > 0
let suspects = opts.check ? entries.filter(isGross) : []
for (let again = 0; again < 2 && suspects.length > 0; again++) {
  suspects = suspects.map(({ key, mode, share, names, bytes }) => ({ key, mode, share, names, bytes }))
  const seconds = Math.max(2, (plan.seconds * suspects.length) / entries.length)
  rounds += await takeTurns(suspects, what, { ...plan, seconds })
  suspects = suspects.filter(isGross)
}

const results = entries.map(summarize)
const missed = results.filter(one => misses(one).length > 0)
const bare = fixed(median(results.map(one => one.bare)))
console.log(`${stated(about)}: bare Koa at ${bare} µs, ${plan.starts} starts, ${rounds} rounds.\n`)
console.log(
  table(
    [...titles, 'misses'],
    results.map(one => [
      ...row(one),
      misses(one)
        .map(what => `✗ ${what}`)
        .join(', '),
    ]),
  ),
)
console.log(`\n${missed.length} of ${results.length} rows miss a target.`)
if (opts.json) writeFileSync(opts.json, `${JSON.stringify({ about, plan, bytePlan, rounds, results, entries })}\n`)
if (suspects.length > 0) {
  process.exitCode = TOO_SLOW
  const list = suspects.map(summarize).map(one => `${one.key} (${one.mode}): ${grossOf(one).join(', ')}`)
  console.error(`\nGrossly above what is allowed:\n${list.join('\n')}`)
}
