/*
 * Tells how many requests a second a server answers with a session, as a share of what the same server answers
 * without. The servers take turns, each in a process of its own; the share is taken within a round, because the
 * machine changes its pace and the client runs on it too.
 */

import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { user } from './cases.mjs'
import { install } from './install.mjs'
import { about, stated } from './machine.mjs'
import { fixed, table } from './markdown.mjs'
import { startServer } from './server-process.mjs'
import { median, noise, shuffled } from './statistics.mjs'

install()
const { cookieOf, load, version } = await import('./load.mjs')

const flag = { type: 'boolean' }
const { values: opts } = parseArgs({ options: { quick: flag, json: { type: 'string' }, 'self-test': flag } })
if (opts['self-test']) about.versions[8] = '7.0.2 again, as a self test'
const plan = {
  connections: 10,
  ...(opts.quick ? { starts: 1, rounds: 3, seconds: 1, warmUp: 2 } : { starts: 3, rounds: 2, seconds: 2, warmUp: 3 }),
}

const names = ['bare', '7.0.2', '8']
const modes = ['cookie', 'store']
const cases = {
  'read 60 B': { plant: '/plant/small', path: '/read', target: 0.7 },
  'counter 60 B': { plant: '/plant/small', path: '/write', target: 0.58, counts: true },
  'read 2 KB': { plant: '/plant/large', path: '/read', target: 0.32 },
}
// Less of a processor than this, and it was not the server that set the pace.
const leastBusy = 0.9

const program = new URL('./http-server.mjs', import.meta.url)
const servers = []

function stopAll() {
  for (const server of servers.splice(0)) server.stop()
}

async function start(name, mode) {
  const variant = opts['self-test'] && name === '8' ? '7.0.2' : name
  const server = await startServer(program, [variant, mode], `${name} (${mode})`)
  servers.push(server)
  return server
}

// Answers with the cookie of a session for which it was proved that the case does what it is timed for.
async function prepare({ origin }, name, mode, key) {
  const { plant, path, counts } = cases[key]
  const must = (truth, what) => {
    if (!truth) throw new Error(`${name}, ${key} (${mode}): ${what}`)
  }
  const get = async (path, cookie) => {
    const response = await fetch(origin + path, { headers: { cookie }, signal: AbortSignal.timeout(10_000) })
    must(response.ok, `${path} answered ${response.status}`)
    return { cookie: cookieOf(response), body: await response.text() }
  }
  const look = async cookie => JSON.parse((await get('/look', cookie)).body)
  const { cookie } = await get(plant, '')
  must(/koa\.sess=.+koa\.sess\.sig=/.test(cookie), 'the planting request got no signed cookie')
  for (let expected = 2; expected < 4; expected++) {
    const seen = await look(cookie)
    must(seen.user === user, 'the next request does not find the session')
    const answer = await get(path, cookie)
    must(Boolean(answer.cookie) === Boolean(counts), counts ? 'no Set-Cookie' : 'an unexpected Set-Cookie')
    if (counts) {
      must(Number(answer.body) === seen.n + 1, `the handler counted ${answer.body} after ${seen.n}`)
      must((await look(answer.cookie)).n === seen.n + 1, 'the next request does not find what was counted')
    } else {
      must(answer.body === user, `the handler read ${answer.body}`)
    }
  }
  return { cookie, look: () => look(cookie) }
}

async function oneStart(index, mode, samples) {
  const running = {}
  const sessions = {}
  for (const name of names) running[name] = await start(name, mode)
  for (const key of Object.keys(cases)) {
    for (const name of names.slice(1)) sessions[name + key] = await prepare(running[name], name, mode, key)
    // For the bare server a header of the same length.
    sessions[`bare${key}`] = sessions[`7.0.2${key}`]
  }
  for (let round = -1; round < plan.rounds; round++) {
    for (const key of shuffled(Object.keys(cases))) {
      const { path, counts } = cases[key]
      for (const name of shuffled(names)) {
        const { cookie, look } = sessions[name + key]
        const before = await look()
        const cookies = Array(plan.connections).fill(cookie)
        const seconds = round < 0 ? plan.warmUp : plan.seconds
        const sample = await load(running[name], path, { cookies, seconds, isAwake: true })
        const { n } = await look()
        const counted = mode === 'store' && counts && name !== 'bare' ? n - before.n : undefined
        // Those that were under way when the time was up were counted by the server alone.
        if (counted !== undefined && (counted < sample.requests || counted > sample.requests + plan.connections)) {
          throw new Error(`${name}, ${key} (${mode}): counted ${counted} in ${sample.requests} requests`)
        }
        // The first round is there for the compiler.
        if (round >= 0) samples.push({ start: index, mode, key, name, round, ...sample })
      }
    }
  }
}

const samples = []
try {
  for (let index = 0; index < plan.starts; index++) {
    for (const mode of modes) await oneStart(index, mode, samples)
    stopAll()
  }
} finally {
  stopAll()
}

function summarize(mode, key) {
  const found = samples.filter(one => one.mode === mode && one.key === key)
  const of = (name, what) => found.filter(one => one.name === name).map(one => one[what])
  const starts = of('bare', 'start')
  // Identical code differs from one process to the next by more than from one round to the next.
  const medianOfMedians = list =>
    median([...new Set(starts)].map(index => median(list.filter((_, i) => starts[i] === index))))
  const share = name => {
    const list = of(name, 'perSecond').map((value, i) => value / of('bare', 'perSecond')[i])
    return { median: medianOfMedians(list), noise: noise(list) }
  }
  const processorShare = name =>
    medianOfMedians(of('bare', 'processor').map((value, i) => value / of(name, 'processor')[i]))
  return {
    mode,
    key,
    target: mode === 'cookie' ? cases[key].target : undefined,
    bare: medianOfMedians(of('bare', 'perSecond')),
    before: { share: share('7.0.2'), processorShare: processorShare('7.0.2') },
    now: { share: share('8'), processorShare: processorShare('8') },
    busy: median(names.flatMap(name => of(name, 'busy'))),
  }
}

const percent = value => `${fixed(100 * value, 0)} %`
const misses = ({ target = 0, before, now }) =>
  [now.share.median < target && '✗ target', now.share.median <= before.share.median && '✗ 7.0.2'].filter(Boolean)
const row = one => {
  const { mode, key, target, bare, before, now, busy } = one
  const shares = [before, now].map(({ share }) => `${percent(share.median)} ± ${fixed(100 * share.noise, 0)}`)
  const goal = target ? `≥ ${percent(target)}` : '> 7.0.2'
  const byProcessor = [before, now].map(({ processorShare }) => percent(processorShare))
  return [mode, key, fixed(bare, 0), ...shares, goal, ...byProcessor, percent(busy), misses(one).join(', ')]
}
const titles = ['mode', 'case', '>bare Koa, requests/s', '>7.0.2', '>8', '>target']
const processorTitles = ['>7.0.2, by processor time', '>8, by processor time', '>server busy', 'misses']
const results = modes.flatMap(mode => Object.keys(cases).map(key => summarize(mode, key)))
console.log(
  `${stated(about)}, autocannon ${version}: ${plan.connections} connections, ${plan.starts} starts, ${plan.rounds} rounds each of ${plan.seconds} s.\n`,
)
console.log(table([...titles, ...processorTitles], results.map(row)))
if (results.some(({ busy }) => busy < leastBusy)) {
  console.log(`\nThe servers had less than ${percent(leastBusy)} of a processor: go by the processor time.`)
}
if (opts.json) writeFileSync(opts.json, `${JSON.stringify({ about, plan, results, samples })}\n`)
