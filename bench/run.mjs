/*
 * Tells what the session middleware itself costs a request: the processor time and memory above bare
 * Koa, for the release before (7.0.2) and for this one (8). Absolute times say little on shared machines, so
 * all three variants take turns in every round and only differences within a round are counted.
 */

import { fork } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import os from 'node:os'
import { parseArgs } from 'node:util'
import { cases, modes } from './cases.mjs'

const flag = { type: 'boolean' }
const options = { quick: flag, json: { type: 'string' }, check: flag, 'self-test': flag }
const { values: opts } = parseArgs({ options })
const plan = opts.quick
  ? { seconds: 9, byteSeconds: 4, warmUp: 200, requests: 50 }
  : { seconds: 130, byteSeconds: 15, warmUp: 2000, requests: 200 }
const names = ['bare', '7.0.2', '8']

if (!existsSync(new URL('../dist/memory.mjs', import.meta.url))) {
  throw new Error('nothing to measure: run `npm run build` first')
}

function start(name, semiSpace) {
  const size = ['min', 'max'].map(bound => `--${bound}-semi-space-size=${semiSpace}`)
  const variant = opts['self-test'] && name === '8' ? '7.0.2' : name
  const child = fork(new URL('./child.mjs', import.meta.url), [variant], {
    env: { ...process.env, NODE_ENV: 'production' },
    // On one thread collections cost the same whether or not another core is free to help.
    execArgv: ['--expose-gc', '--single-threaded-gc', ...size],
  })
  let settle
  const answer = () =>
    new Promise((resolve, reject) => {
      settle = ({ value, error }) => (error ? reject(new Error(error)) : resolve(value))
    })
  child.on('message', message => settle(message))
  child.on('exit', code => settle({ error: `the process of variant ${name} ended with ${code}` }))
  return {
    ready: answer(),
    stop: () => child.connected && child.disconnect(),
    ask(...message) {
      const promise = answer()
      child.send(message)
      return promise
    },
  }
}

function shuffled(list) {
  const keyed = list.map(value => ({ value, key: Math.random() }))
  return keyed.sort((a, b) => a.key - b.key).map(({ value }) => value)
}

function quantile(list, share) {
  const sorted = [...list].sort((a, b) => a - b)
  const position = (sorted.length - 1) * share
  const low = Math.floor(position)
  const high = Math.ceil(position)
  return sorted[low] + (sorted[high] - sorted[low]) * (position - low)
}
const median = list => quantile(list, 0.5)
// Half the 95 % confidence interval of the median, which supposes no distribution.
const noise = list => {
  const reach = Math.min(0.98 / Math.sqrt(list.length), 0.5)
  return (quantile(list, 0.5 + reach) - quantile(list, 0.5 - reach)) / 2
}
const minus = (a, b) => a.map((value, i) => value - b[i])

async function measure(entries, what, { semiSpace, seconds, requests }) {
  const deadline = Date.now() + seconds * 1000
  const children = {}
  const round = async (command, count, record) => {
    for (const entry of shuffled(entries)) {
      for (const name of shuffled(names)) {
        record(entry[what][name], await children[name].ask(command, entry.key, entry.mode, count))
      }
    }
  }
  try {
    for (const name of names) {
      children[name] = start(name, semiSpace)
      await children[name].ready
    }
    await round('prepare', plan.warmUp, () => undefined)
    let rounds = 0
    for (; rounds < 5 || Date.now() < deadline; rounds++) {
      await round(what, requests, (list, value) => list.push(value))
    }
    return rounds
  } finally {
    for (const child of Object.values(children)) child.stop()
  }
}

function summarize({ mode, key, times, bytes }) {
  const of = name => {
    const above = minus(times[name], times.bare)
    const extra = Math.round(median(minus(bytes[name], bytes.bare)))
    return { above, microseconds: median(above), noise: noise(above), bytes: extra }
  }
  const before = of('7.0.2')
  const now = of('8')
  const ratio = median(now.above.map((value, i) => value / before.above[i]))
  const excess = now.microseconds - before.microseconds
  const excessNoise = noise(minus(now.above, before.above))
  // Twice, because fourteen cases have fourteen chances to exceed it once by accident.
  const isClear = excess > 0.5 && excess > 2 * excessNoise
  const slower = isClear && ratio > 1.15 && now.microseconds > 1.15 * before.microseconds
  const numbers = { bare: median(times.bare), '7.0.2': before, 8: now, ratio, excess, excessNoise }
  return { mode, key, slower, ...numbers, times, bytes }
}

function table(results) {
  const time = one => `${one.microseconds.toFixed(1)} ± ${one.noise.toFixed(1)}`
  // A ratio to something that cannot be told from nothing is no result.
  const ratio = one => (one['7.0.2'].microseconds > one['7.0.2'].noise ? one.ratio.toFixed(2) : '–')
  const row = one => {
    const { '7.0.2': before, 8: now } = one
    const cells = [one.mode, one.key, time(before), time(now), ratio(one), before.bytes, now.bytes]
    return `| ${cells.join(' | ')} |`
  }
  const head = '| mode | case | 7.0.2, µs | 8, µs | 8 / 7.0.2 | 7.0.2, bytes | 8, bytes |'
  return [head, '| --- | --- | ---: | ---: | ---: | ---: | ---: |', ...results.map(row)].join('\n')
}

const require = createRequire(import.meta.url)
const version = name => require(`${name}/package.json`).version
const versions = { koa: version('koa'), '7.0.2': version('koa-session-7'), 8: version('..') }
if (opts['self-test']) versions[8] = 'a self test: 7.0.2 again'
const [date, cpu] = [new Date().toISOString(), os.cpus()[0]?.model]
const about = { date, node: process.version, cpu, versions, ...plan }
const lists = () => ({ bare: [], '7.0.2': [], 8: [] })
const entryOf = (mode, key) => ({ mode, key, times: lists(), bytes: lists() })
const entries = modes.flatMap(mode => Object.keys(cases).map(key => entryOf(mode, key)))
// A small young generation makes every batch pay its share of collections; a large one is not collected
// while bytes are counted.
const { seconds, byteSeconds, requests } = plan
const rounds = await measure(entries, 'times', { semiSpace: 1, seconds, requests })
await measure(entries, 'bytes', { semiSpace: 32, seconds: byteSeconds, requests: 100 })

const results = entries.map(summarize)
const bare = median(results.map(one => one.bare)).toFixed(1)
console.log(`Above bare Koa ${versions.koa} (${bare} µs), 8 being ${versions[8]}.`)
console.log(`Node ${process.version}, ${cpu}, ${date.slice(0, 10)}, ${rounds} rounds.\n`)
console.log(table(results))
if (opts.json) writeFileSync(opts.json, `${JSON.stringify({ ...about, rounds, results })}\n`)
const slower = results.filter(one => one.slower)
if (opts.check && slower.length) {
  process.exitCode = 1
  console.error(`\nSlower than 7.0.2: ${slower.map(one => `${one.key} (${one.mode})`).join(', ')}`)
}
