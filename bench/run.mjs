/*
 * Tells what the session middleware itself costs a request: the processor time and memory above bare
 * Koa, for the release before (7.0.2) and for this one (8), beside what this one is meant to cost.
 */

import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { allocationTargets, cases, grossRatio, modes } from './cases.mjs'
import { about, stated } from './machine.mjs'
import { fixed, table } from './markdown.mjs'
import { median, minus, noise } from './statistics.mjs'
import { takeTurns } from './turns.mjs'

/** The status of `--check` where a case is too slow: no crash ends with it. */
const TOO_SLOW = 20

const flag = { type: 'boolean' }
const { values: opts } = parseArgs({
  options: { quick: flag, json: { type: 'string' }, check: flag, 'self-test': flag },
})
if (opts['self-test']) about.versions[8] = '7.0.2 again, as a self test'

const plan = {
  source: './cases.mjs',
  variantOf: name => (opts['self-test'] && name === '8' ? '7.0.2' : name),
  ...(opts.quick ? { warmUp: 300 } : { warmUp: 2000 }),
}
const timePlan = {
  ...plan,
  // Every batch pays its share of collections. With the 16 MB that Node allows most batches see none, and their
  // median leaves out what allocation costs; the ratios were the same within their noise.
  semiSpace: 1,
  ...(opts.quick ? { starts: 3, seconds: 6, requests: 100 } : { starts: 5, seconds: 39, requests: 200 }),
}
const bytePlan = {
  ...plan,
  // Too large to be collected while bytes are counted.
  semiSpace: 32,
  requests: 100,
  ...(opts.quick ? { starts: 1, seconds: 2 } : { starts: 3, seconds: 8 }),
}

function summarize({ mode, key, times, bytes }) {
  const perStart = of => times.bare.map((_, i) => of(i))
  const above = name => perStart(i => minus(times[name][i], times.bare[i]))
  const [before, now] = [above('7.0.2'), above('8')]
  // From one round to the next the machine may change its pace: a ratio is taken within a round.
  const ratios = perStart(i => median(now[i].map((value, j) => value / before[i][j])))
  const time = starts => ({ microseconds: median(starts.map(median)), noise: noise(starts.flat()) })
  const allocated = name => bytes.bare.map((bare, i) => median(minus(bytes[name][i], bare)))
  const [bytesBefore, bytesNow] = [allocated('7.0.2'), allocated('8')]
  return {
    mode,
    key,
    target: cases[key].targets[mode],
    bare: median(times.bare.map(median)),
    before: { ...time(before), bytes: Math.round(median(bytesBefore)) },
    now: { ...time(now), bytes: Math.round(median(bytesNow)) },
    ratio: median(ratios),
    ratioNoise: noise(ratios),
    byteRatio: median(bytesNow.map((value, i) => value / bytesBefore[i])),
  }
}

function misses({ mode, target, now, ratio, byteRatio }) {
  const isSlow = target.ratio === undefined ? now.microseconds > target.microseconds : ratio > target.ratio
  return [isSlow && 'time', byteRatio > allocationTargets[mode] && 'bytes'].filter(Boolean)
}

// To seal is another work than to sign, which is what 7.0.2 does there.
const isGross = ({ mode, key, ratio }) => mode !== 'sealed' && !cases[key].mayBeGross && ratio > grossRatio

function row(one) {
  const { mode, key, target, before, now } = one
  const time = ({ microseconds, noise }) => `${fixed(microseconds)} ± ${fixed(noise)}`
  const goal = target.ratio === undefined ? `< ${target.microseconds} µs` : `≤ ${fixed(target.ratio, 2)}`
  const ratio = target.ratio === undefined ? '–' : `${fixed(one.ratio, 2)} ± ${fixed(one.ratioNoise, 2)}`
  const limit = allocationTargets[mode]
  const allocated = [before.bytes, now.bytes, fixed(one.byteRatio, 2), limit ? `≤ ${limit}` : '–']
  return [
    mode,
    key,
    time(before),
    time(now),
    ratio,
    goal,
    ...allocated,
    misses(one)
      .map(what => `✗ ${what}`)
      .join(', '),
  ]
}

const titles = ['mode', 'case', '>7.0.2, µs', '>8, µs', '>8 / 7.0.2', '>target']
const byteTitles = ['>7.0.2, bytes', '>8, bytes', '>8 / 7.0.2', '>target', 'misses']

const entries = modes.flatMap(mode => Object.keys(cases).map(key => ({ mode, key, share: cases[key].share })))
let rounds = await takeTurns(entries, 'times', timePlan)
await takeTurns(entries, 'bytes', bytePlan)

// Identical code was seen to move by a factor of two: what looks gross has to stay so when it is started anew.
const suspects = opts.check ? entries.filter(entry => isGross(summarize(entry))) : []
if (suspects.length > 0) {
  const seconds = Math.max(2, (timePlan.seconds * suspects.length) / entries.length)
  rounds += await takeTurns(suspects, 'times', { ...timePlan, seconds })
}

const results = entries.map(summarize)
const missed = results.filter(one => misses(one).length > 0)
const bare = fixed(median(results.map(one => one.bare)))
console.log(`${stated(about)}: bare Koa at ${bare} µs, ${timePlan.starts} starts, ${rounds} rounds.\n`)
console.log(table([...titles, ...byteTitles], results.map(row)))
console.log(`\n${missed.length} of ${results.length} rows miss a target.`)
if (opts.json) writeFileSync(opts.json, `${JSON.stringify({ about, timePlan, bytePlan, rounds, results, entries })}\n`)
const gross = opts.check ? results.filter(isGross) : []
if (gross.length > 0) {
  process.exitCode = TOO_SLOW
  const list = gross.map(({ key, mode, ratio }) => `${key} (${mode}): ${fixed(ratio, 2)}`)
  console.error(`\nAbove ${grossRatio} of 7.0.2's time:\n${list.join('\n')}`)
}
