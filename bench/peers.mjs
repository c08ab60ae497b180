/*
 * Tells what a session costs elsewhere: the processor time that koa-session and the session packages of other
 * frameworks add to a request, each above its own framework alone. Frameworks differ by more than sessions do, so
 * only this difference can be compared between them.
 */

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { cases } from './cases.mjs'
import { install } from './install.mjs'
import { about } from './machine.mjs'
import { fixed, table } from './markdown.mjs'
import { start } from './process.mjs'
import { median, minus, noise, shuffled } from './statistics.mjs'

const program = new URL('./peers/child.mjs', import.meta.url)
const { values: opts } = parseArgs({ options: { quick: { type: 'boolean' }, json: { type: 'string' } } })
const plan = opts.quick
  ? { starts: 2, seconds: 6, warmUp: 500, requests: 100 }
  : { starts: 5, seconds: 40, warmUp: 1500, requests: 200 }

const peers = [
  { peer: 'koa-session 8', mode: 'cookie', framework: 'koa' },
  { peer: 'koa-session 8', mode: 'sealed', framework: 'koa' },
  { peer: 'koa-session 7', mode: 'cookie', framework: 'koa' },
  { peer: 'secure-session', mode: 'cookie', framework: 'fastify' },
  { peer: 'iron-session', mode: 'cookie', framework: 'http' },
  { peer: 'koa-session 8', mode: 'store', framework: 'koa' },
  { peer: 'koa-session 7', mode: 'store', framework: 'koa' },
  { peer: 'express-session', mode: 'store', framework: 'express' },
]
/** What this package may take of what secure-session takes, which encrypts. */
const goals = {
  cookie: { 'read 60 B': 0.8, 'read 2 KB': 0.8, 'write 60 B': 1.2, 'write 2 KB': 1.2, rolling: 1.2 },
  sealed: { 'read 60 B': 0.8, 'read 2 KB': 0.8, 'write 60 B': 2.2, 'write 2 KB': 1.2, rolling: 2.2 },
}
const nameOf = ({ peer = 'alone', mode, framework }) => `${framework}, ${peer}, ${mode}`
const bareOf = ({ mode, framework }) => ({ mode, framework })
const bare = new Map(peers.map(bareOf).map(one => [nameOf(one), one]))
const variants = [...peers, ...bare.values()]

// Resolves to a list of samples for each case and variant; those at the same place were taken side by side.
async function oneStart() {
  const keys = Object.keys(cases)
  const samples = Object.fromEntries(keys.map(key => [key, Object.fromEntries(variants.map(one => [nameOf(one), []]))]))
  const children = variants.map(variant => ({ ...start(program, [JSON.stringify(variant)]), variant }))
  const round = async (command, requests, record) => {
    for (const key of shuffled(keys)) {
      for (const { ask, variant } of shuffled(children)) {
        record(samples[key][nameOf(variant)], await ask(command, key, requests))
      }
    }
  }
  try {
    await Promise.all(children.map(child => child.ready))
    await round('prepare', plan.warmUp, () => undefined)
    const deadline = Date.now() + plan.seconds * 1000
    for (let i = 0; i < 5 || Date.now() < deadline; i++) {
      await round('time', plan.requests, (list, value) => list.push(value))
    }
    return samples
  } finally {
    for (const child of children) child.stop()
  }
}

function summarize(key, starts) {
  const results = peers.map(one => {
    const alone = starts.map(samples => samples[key][nameOf(bareOf(one))])
    const above = starts.map((samples, i) => minus(samples[key][nameOf(one)], alone[i]))
    // Identical code differs from one process to the next by more than from one round to the next.
    const [microseconds, bare] = [above, alone].map(lists => median(lists.map(median)))
    return { peer: one.peer, mode: one.mode, microseconds, noise: noise(above.flat()), bare }
  })
  return { key, results }
}

// Not by `require`, because not every package exports its package.json.
function versionOf(name) {
  const file = new URL(`node_modules/${name}/package.json`, import.meta.url)
  return [name, JSON.parse(readFileSync(file, 'utf8')).version]
}

if (!existsSync(new URL('../dist/memory.mjs', import.meta.url))) {
  throw new Error('nothing to measure: run `npm run build` first')
}
install()
const { date, node, cpu, cores, versions } = about
const packages = ['fastify', '@fastify/secure-session', 'express', 'express-session', 'iron-session'].map(versionOf)
Object.assign(versions, Object.fromEntries(packages))

const starts = []
for (let i = 0; i < plan.starts; i++) starts.push(await oneStart())
const summaries = Object.keys(cases).map(key => summarize(key, starts))
const rounds = starts.map(samples => Object.values(samples.untouched)[0].length).reduce((sum, one) => sum + one)

const titles = ['case', ...peers.map(({ peer, mode }) => `>${peer}, ${mode}`)]
const row = ({ key, results }) => [key, ...results.map(one => `${fixed(one.microseconds)} ± ${fixed(one.noise)}`)]
const alone = peers.map((_, i) => fixed(median(summaries.map(({ results }) => results[i].bare))))
const own = `koa ${versions.koa}, koa-session ${versions[8]} and ${versions['7.0.2']}`
const others = packages.map(one => one.join(' ')).join(', ')
console.log('Processor time per request in µs, above the framework alone, ± half the interquartile range.')
console.log(`${date.slice(0, 10)}, ${cpu}, ${cores} cores, ${rounds} rounds in ${plan.starts} starts;`)
console.log(`Node ${node}, ${own}, ${others}.\n`)
console.log(table(titles, [...summaries.map(row), ['*framework alone*', ...alone]]))

const compared = Object.keys(goals.cookie).map(key => {
  const { results } = summaries.find(one => one.key === key)
  const timeOf = (peer, mode) => results.find(one => one.peer === peer && one.mode === mode).microseconds
  const cells = Object.keys(goals).flatMap(mode => {
    const ratio = timeOf('koa-session 8', mode) / timeOf('secure-session', 'cookie')
    const goal = goals[mode][key]
    return [fixed(ratio, 2), `≤ ${fixed(goal)}${ratio > goal ? ' ✗' : ''}`]
  })
  return [key, ...cells]
})
console.log('\nOf the time of secure-session:\n')
console.log(table(['case', '>signed', '>goal', '>sealed', '>goal'], compared))
if (opts.json) writeFileSync(opts.json, `${JSON.stringify({ about, plan, rounds, summaries, starts })}\n`)
