/*
 * Throws at the built package whatever clients, stores and developers might: 200,000 inputs near to what is good, and
 * headers that grow, to see whether time grows faster. It exists because the tests have the cases that somebody
 * thought of. A failure names its seed: `--seed` repeats it, with the same `--runs`; `--only` picks properties by
 * words of their title.
 */
import { parseArgs } from 'node:util'
import fc from 'fast-check'
import { growths } from './fuzz/growth.mjs'
import { properties } from './fuzz/properties.mjs'

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '200000' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
    only: { type: 'string', default: '' },
  },
})
const [runs, seed] = [Number(values.runs), Number(values.seed)]
if (!(Number.isSafeInteger(runs) && runs > 0 && Number.isSafeInteger(seed)))
  throw new Error('--runs and --seed take numbers')

// Those for odd options would stand between the results.
process.removeAllListeners('warning')

const isWanted = title => title.includes(values.only)
const wanted = properties.filter(([title]) => isWanted(title))
const share = Math.ceil(runs / properties.length)
let tried = 0
let failed = 0

async function prove(title, make) {
  const outcomes = {}
  const property = make(outcome => {
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
  })
  const found = await fc.check(property, { numRuns: share, seed })
  tried += found.numRuns
  const counted = Object.entries(outcomes).map(([outcome, count]) => `${count} ${outcome}`)
  console.log(`${found.failed ? '✗' : '✓'} ${title}: ${found.numRuns} inputs (${counted.join(', ')})`)
  if (!found.failed) return
  failed++
  console.error(`${String(fc.defaultReportMessage(found)).slice(0, 3000)}\n${found.errorInstance?.stack}`)
}

console.log(`seed ${seed}`)
const begin = performance.now()
for (const [title, make] of wanted) await prove(title, make)
for await (const { title, isGood, told } of growths(isWanted)) {
  if (!isGood) failed++
  console.log(`${isGood ? '✓' : '✗'} ${title}: ${told}`)
}
const seconds = ((performance.now() - begin) / 1000).toFixed(0)
console.log(
  `fuzz: ${tried.toLocaleString('en-US')} inputs, ${failed} failures, in ${seconds} s; --seed ${seed} repeats it`,
)
if (failed > 0) process.exitCode = 1
