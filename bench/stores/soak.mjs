/*
 * Half the load that this package carries on Redis, for minutes, on three stores at a time: visitors sign in, read,
 * write and sign out. Does the heap grow, and is anything left open once the store and its client are closed?
 */

import { setTimeout as sleep } from 'node:timers/promises'
import { headerFrom } from '../../test/support/set-cookie.mjs'
import { load } from '../load.mjs'
import { fixed, table } from '../markdown.mjs'
import { slope } from '../statistics.mjs'
import { user } from './session.mjs'
import { startVariant } from './start.mjs'
import { prove } from './visitors.mjs'

const NAMES = ['koa-session 8, redis', 'koa-session 8, postgres', 'koa-session 8, sqlite (libsql)']
const CONNECTIONS = 12
/** Short enough for what nobody ended to expire, and to be swept, many times in a run; in milliseconds. */
const OPTIONS = { maxAge: 60_000, sweepEvery: 10_000, hasSubject: true }
/** The part of a run in which caches and compiled code still grow. */
const WARM_UP = 0.2
/** What a heap may grow by with each request (bytes), if that is more than chance: half of the smallest object. */
const MOST = 8
/** How long a run (s) has to be for its slope to say something. */
const LEAST = 240
const PATIENCE = 10_000

/** What a visitor does in turn; every other one leaves without signing out. */
const visit = ['/plant', '/read', '/read', '/write', '/read', '/read', '/write', '/read']
const steps = [...visit, '/out', ...visit]

const requests = steps.map(path => ({
  method: 'GET',
  path,
  setupRequest(request, context) {
    if (path === '/plant') context.cookie = undefined
    return { ...request, headers: { ...request.headers, ...(context.cookie && { cookie: context.cookie }) } }
  },
  onResponse(_status, _body, context, headers) {
    if (path !== '/plant') return
    context.cookie = headerFrom([headers['set-cookie'] ?? headers['Set-Cookie']].flat())
  },
}))

/** Every answer names the visitor, whose session is lost where it does not. */
const verifyBody = body => String(body) === user

const visitors = (server, options) =>
  load(server, '/', { cookies: Array(CONNECTIONS).fill(''), requests, verifyBody, ...options })

/** Heap after a full collection, at intervals, as [minutes, KB]. */
async function sample(server, seconds) {
  const began = performance.now()
  const samples = []
  const minutes = () => (performance.now() - began) / 60_000
  while (minutes() * 60 < seconds) {
    await sleep(Math.min(5000, seconds * 20))
    samples.push([minutes(), (await server.ask('heap')).heap / 1024])
  }
  return samples
}

async function close(server) {
  const { handles } = await server.ask('close')
  const code = await Promise.race([server.stop(), sleep(PATIENCE, 'none', { ref: false })])
  if (code === 'none') server.kill()
  return { handles, code }
}

async function soak(name, server, rate, seconds) {
  const [samples, result] = await Promise.all([
    sample(server, seconds),
    visitors(server, { seconds, overallRate: rate }),
  ])
  const settled = samples.filter(([minutes]) => minutes * 60 > seconds * WARM_UP)
  return {
    name,
    rate,
    minutes: seconds / 60,
    ...result,
    samples,
    slope: slope(settled),
    heap: settled.at(-1)[1],
    ...(await close(server)),
  }
}

export async function measureSoak({ urls, quick, minutes }) {
  const seconds = quick ? 20 : minutes * 60
  const servers = []
  try {
    for (const name of NAMES) {
      const server = await startVariant(name, { urls, ...OPTIONS, execArgv: ['--expose-gc'] })
      servers.push(server)
      await prove(server, name)
    }
    await visitors(servers[0], { seconds: 3 })
    const { perSecond } = await visitors(servers[0], { seconds: quick ? 2 : 5 })
    const rate = Math.floor(perSecond / 2 / NAMES.length)
    const results = await Promise.all(NAMES.map((name, index) => soak(name, servers[index], rate, seconds)))
    return { seconds, perSecond, results, faults: results.flatMap(one => faultsOf(one, seconds)) }
  } finally {
    for (const server of servers) server.kill()
  }
}

/** What the heap grows by with each request, in bytes. */
const perRequest = (kilobytesAMinute, { requests, minutes }) => (kilobytesAMinute * 1024 * minutes) / requests

function faultsOf(one, seconds) {
  const { name, slope, handles, code } = one
  // A shorter run is all warm-up.
  const grows = seconds >= LEAST && slope.value > 2 * slope.error && perRequest(slope.value, one) > MOST
  return [
    grows && `${name}: its heap grows by ${fixed(slope.value)} KB a minute`,
    handles.length > 0 && `${name}: left open after close(): ${handles.join(', ')}`,
    code !== 0 && `${name}: its process did not end by itself: ${code}`,
  ].filter(Boolean)
}

export function soakTables({ seconds, perSecond, results, faults }) {
  const titles = [
    'store',
    '>requests/s',
    '>requests',
    '>p99, ms',
    '>heap at the end, KB',
    '>grows by, KB a minute',
    '>bytes a request',
  ]
  const rows = results.map(one => {
    const { name, requests, minutes, p99, heap, slope, handles, code } = one
    const [growth, error] = [slope.value, slope.error].map(value => perRequest(value, one))
    return [
      ...[name, fixed(requests / minutes / 60, 0), fixed(requests, 0), fixed(p99), fixed(heap, 0)],
      `${fixed(slope.value)} ± ${fixed(slope.error)}`,
      `${fixed(growth)} ± ${fixed(error)}`,
      handles.length === 0 && code === 0 ? 'nothing' : `${handles.join(', ')} (${code})`,
    ]
  })
  return [
    `${fixed(seconds / 60)} minutes, a third each of half of ${fixed(perSecond, 0)} requests/s.`,
    table([...titles, 'left open'], rows),
    ...faults.map(fault => `✗ ${fault}`),
  ].join('\n\n')
}
