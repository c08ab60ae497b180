/*
 * Requests a second, latency and processor time over HTTP, of all variants in turns: each in a process of its own, in
 * random order in each round, 32 requests in flight, each connection with a session of its own. A ratio is taken within
 * a round, because the machine changes its pace and clients and databases run on it too.
 */

import { load } from '../load.mjs'
import { fixed, table } from '../markdown.mjs'
import { median, noise, shuffled } from '../statistics.mjs'
import { sessions } from './session.mjs'
import { startVariant } from './start.mjs'
import { peersOf, variants } from './variants.mjs'
import { prove, signIn, writesTo } from './visitors.mjs'

const CONNECTIONS = 32
/** `plant`: what makes the sessions; absent: there are none before. */
const CASES = {
  'read one of five keys': { path: '/read', plant: '/plant' },
  'write one of five keys': { path: '/write', plant: '/plant', isWrite: true },
  'read one of 42 keys': { path: '/read', plant: '/plant/many' },
  'write one of 42 keys': { path: '/write', plant: '/plant/many', isWrite: true },
  'first visit': { path: '/visit' },
}
const KINDS = Object.keys(sessions)
/** Of the requests a second of the best peer on Redis, on the write of one key. */
const TARGET = 1.5

const visitors = Array.from({ length: CONNECTIONS }, () => '')
const cases = Object.keys(CASES)
/**
 * First visits come last, since mongo-java-server walks through all of their sessions wherever a filter has more than the
 * keys of an index.
 */
const GROUPS = [cases.filter(key => CASES[key].plant), cases.filter(key => !CASES[key].plant)]
const planFor = quick =>
  quick ? { starts: 1, rounds: 1, seconds: 1, warmUp: 1 } : { starts: 3, rounds: 2, seconds: 1, warmUp: 1 }

async function measure(server, name, key, cookies, seconds) {
  const { path, isWrite } = CASES[key]
  const isCounted = isWrite && variants[name].backend !== undefined
  const before = isCounted ? await writesTo(server, cookies) : 0
  const sample = await load(server, path, { cookies, seconds })
  const counted = isCounted ? (await writesTo(server, cookies)) - before : sample.requests
  // Those that were under way when the time was up were counted by the server alone.
  if (counted < sample.requests || counted > sample.requests + CONNECTIONS) {
    throw new Error(`${name}: counted ${counted} in ${sample.requests} requests`)
  }
  return sample
}

async function oneStart(start, names, urls, plan, samples) {
  const servers = {}
  const cookies = {}
  try {
    for (const name of names) {
      servers[name] = await startVariant(name, { urls, database: `bench${start}` })
      if (!variants[name].backend) continue
      await prove(servers[name], name)
      cookies[name] = {}
      for (const kind of KINDS) cookies[name][kind] = await Promise.all(visitors.map(() => signIn(servers[name], kind)))
    }
    // For a bare framework a header of the same length.
    const [any] = Object.values(cookies)
    for (const name of names) cookies[name] ??= any
    for (const group of GROUPS) {
      for (let round = -1; round < plan.rounds; round++) {
        for (const key of shuffled(group)) {
          for (const name of shuffled(names)) {
            const seconds = round < 0 ? plan.warmUp : plan.seconds
            const own = cookies[name][CASES[key].plant] ?? visitors
            const sample = await measure(servers[name], name, key, own, seconds)
            // The first round is there for the compiler.
            if (round >= 0) samples.push({ start, round, key, name, ...sample })
          }
        }
      }
    }
  } finally {
    await Promise.all(Object.values(servers).map(server => server.stop()))
  }
}

/** The samples of a variant are in the same order as those of any other. */
function summaryOf(samples, names, name, key) {
  const of = (name, what) => samples.filter(one => one.name === name && one.key === key).map(one => one[what])
  const { framework, isOurs } = variants[name]
  const shares = of(name, 'perSecond').map((value, index) => value / of(framework, 'perSecond')[index])
  return {
    name,
    key,
    perSecond: median(of(name, 'perSecond')),
    noise: noise(of(name, 'perSecond')),
    p50: median(of(name, 'p50')),
    p99: median(of(name, 'p99')),
    processor: median(of(name, 'processor')) * 1e6,
    busy: median(of(name, 'busy')),
    share: median(shares),
    ...(isOurs && besidePeers(of, name, peersOf(name, names))),
  }
}

/** Ratios to the best peer on the same backend, if there is one: of requests a second, and of processor time. */
function besidePeers(of, name, peers) {
  if (peers.length === 0) return {}
  const ratio = what => of(name, what).map((value, index) => peers.map(peer => value / of(peer, what)[index]))
  const medians = rows => peers.map((_, index) => median(rows.map(row => row[index])))
  return {
    ratio: Math.min(...medians(ratio('perSecond'))),
    processorRatio: Math.max(...medians(ratio('processor'))),
  }
}

const targetOf = ({ name, key }) =>
  CASES[key].isWrite && variants[name].isOurs && variants[name].backend === 'redis' ? TARGET : 1

function row(one) {
  const { name, perSecond, noise, p50, p99, processor, busy, share, ratio, processorRatio } = one
  const target = ratio === undefined ? '–' : `≥ ${targetOf(one).toFixed(1)}`
  return [
    name,
    `${fixed(perSecond, 0)} ± ${fixed(noise, 0)}`,
    `${fixed(100 * share, 0)} %`,
    fixed(p50),
    fixed(p99),
    fixed(processor, 0),
    `${fixed(100 * busy, 0)} %`,
    fixed(ratio, 2),
    target,
    fixed(processorRatio, 2),
    ratio === undefined ? '' : ratio >= targetOf(one) ? '✓' : '✗',
  ]
}

const titles = [
  'package, store',
  ...['>requests/s', '>of its bare framework', '>p50, ms', '>p99, ms', '>processor time, µs', '>server busy'],
  ...['>beside the best peer', '>target', '>processor time beside it', 'met'],
]

export async function measureHttp({ names: all, urls, quick }) {
  const plan = { connections: CONNECTIONS, ...planFor(quick) }
  const stores = all.filter(name => variants[name].isTimed !== false)
  const names = [...new Set([...stores.map(name => variants[name].framework), ...stores])]
  const samples = []
  for (let start = 0; start < plan.starts; start++) await oneStart(start, names, urls, plan, samples)
  const results = cases.flatMap(key => names.map(name => summaryOf(samples, names, name, key)))
  return { plan, results, samples }
}

export function httpTables({ plan, results }) {
  const tables = cases.map(key => `### ${key}\n\n${table(titles, results.filter(one => one.key === key).map(row))}`)
  const measured = results.filter(({ ratio }) => ratio !== undefined)
  const missed = measured.filter(one => one.ratio < targetOf(one)).length
  const { connections, starts, rounds, seconds } = plan
  return [
    `${connections} connections, ${starts} starts, ${rounds} rounds each of ${seconds} s.`,
    ...tables,
    `${missed} of ${measured.length} rows miss a target.`,
  ].join('\n\n')
}
