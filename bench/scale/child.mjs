/* Measures one backend, in a process of its own: what another has left on the heap would be in its figures. */

import { PerformanceObserver } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { backends } from './backends.mjs'
import { inTurn, summaryOf } from './load.mjs'
import { expect, requestsOf, timed } from './requests.mjs'
import { aLiveOne, anyOne, CROWD, crowdSubject, HOUR, idOf } from './sessions.mjs'

const [name, sessionsText, operationsText, calmText] = process.argv.slice(2)
const [sessions, operations, calm] = [sessionsText, operationsText, calmText].map(Number)
const LIMIT = 30_000

const start = Date.now()
let passed = 0
const now = () => Date.now() + passed
const { get, patch, during } = requestsOf({ start, now })
const pauses = []
new PerformanceObserver(list => {
  for (const { duration } of list.getEntries()) pauses.push(duration)
}).observe({ entryTypes: ['gc'] })

const say = text => process.stderr.write(`${name}: ${text}\n`)

async function latencies(store) {
  const operate = (inFlight, count) =>
    inTurn({
      operations: { get: () => get(store, anyOne(sessions)), patch: () => patch(store, anyOne(sessions)) },
      count,
      limit: LIMIT,
      inFlight,
    })
  await operate(8, operations / 10)
  const { written } = backend
  const before = await written?.()
  const [one, many] = [await operate(1, operations), await operate(32, operations)]
  const bytes = written && ((await written()) - before) / (one.patch.count + many.patch.count)
  return { one, many, bytesLoggedByPatch: bytes }
}

async function ofOneSubject(store) {
  const listed = await timed(() => store.list(crowdSubject))
  expect(listed.result.length, CROWD, 'sessions listed')
  const ended = await timed(() => store.destroyAll(crowdSubject, { except: idOf(0) }))
  expect(ended.result, CROWD - 1, 'sessions ended')
  return { list: listed.ms, end: ended.ms }
}

/** Those of the crowd were ended: none of these is read. */
const aLiveOneLeft = () => {
  for (;;) {
    const number = aLiveOne(sessions)
    if (number % (sessions / CROWD) !== 0) return number
  }
}

async function swept(store, backend) {
  const prepared = await backend.prepareSweep?.()
  passed = backend.prepareSweep ? 0 : HOUR + 1000
  const requests = await during(store, aLiveOneLeft, () => backend.sweep(prepared))
  const batches = backend.watch?.batches ?? []
  return { during: requests, deleted: requests.result, batches: batches.length ? summaryOf(batches) : undefined }
}

const backend = await backends[name]({ now, sessions })
try {
  const store = backend.open()
  const fill = await timed(() => backend.fill({ count: sessions, start }))
  say(`${sessions} sessions in ${Math.round(fill.ms / 1000)} s`)
  const bytes = (await backend.bytes()) / sessions
  pauses.length = 0
  const latency = await latencies(store)
  say('latencies are measured')
  const subject = await ofOneSubject(store)
  const before = await during(store, aLiveOneLeft, () => sleep(calm))
  const longestPause = pauses.reduce((one, other) => Math.max(one, other), 0)
  const sweep = backend.sweep ? await swept(store, backend) : undefined
  if (sweep) say(`swept ${sweep.deleted} in ${Math.round(sweep.during.ms / 1000)} s`)
  const after = await backend.bytes()
  const { title, durability } = backend
  const result = { name, title, durability, sessions, fill: fill.ms, bytes, latency, subject, before, sweep, after }
  const more = { longestPause, collections: pauses.length, ...(await backend.more?.()) }
  process.send({ ...result, more, plans: backend.watch?.plans() })
} finally {
  await backend.close()
}
process.disconnect()
