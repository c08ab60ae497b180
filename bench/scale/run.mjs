/*
 * A million sessions in each of the stores: what reading and writing one takes among so many, what they take on disk or
 * in memory, what a sweep of half of them does to the requests that go on, and what it takes to list and to end the
 * thousand sessions of one subject. Or, with `--reseal`, what it does to requests that all of them are sealed anew. It
 * starts servers of its own, those that the tests start, one after the other.
 */

import { fork } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { about, stated } from '../machine.mjs'
import { bytesOfJson, CROWD } from './sessions.mjs'
import { resealTables, tablesOf } from './tables.mjs'

const NAMES = ['sqlite', 'postgres', 'mysql', 'redis', 'mongodb', 'dynamodb', 'memory']
/** What is no real server gets no more: mongo-java-server walks through a collection for all but what names `_id` alone. */
const MOST = { mongodb: 20_000, dynamodb: 20_000 }
const MOST_RESEALED = { mongodb: 4 * CROWD, dynamodb: 4 * CROWD }
/** No backend takes longer, whatever it does. */
const PATIENCE = 1_150_000

const { values } = parseArgs({
  options: {
    sessions: { type: 'string', default: '1000000' },
    only: { type: 'string', multiple: true, default: NAMES },
    reseal: { type: 'boolean', default: false },
    seconds: { type: 'string', default: '600' },
    quick: { type: 'boolean', default: false },
    json: { type: 'string' },
  },
})
const sessions = values.quick ? 20_000 : Number(values.sessions)
if (!Number.isSafeInteger(sessions) || sessions < 4 * CROWD || sessions % (2 * CROWD) !== 0) {
  throw new Error(`--sessions: a multiple of ${2 * CROWD}, at least ${4 * CROWD}`)
}
const seconds = Number(values.seconds)
if (!(seconds > 0)) throw new Error('--seconds: how long a reseal may take')
const unknown = values.only.filter(name => !NAMES.includes(name))
if (unknown.length > 0) throw new Error(`--only: one of ${NAMES.join(', ')}`)
const [operations, calm] = values.quick ? [4000, 3000] : [20_000, 10_000]

function measure(name) {
  const count = Math.min(sessions, (values.reseal ? MOST_RESEALED : MOST)[name] ?? sessions)
  const [program, more] = values.reseal ? ['reseal.mjs', [calm, seconds * 1000]] : ['child.mjs', [operations, calm]]
  const execArgv = ['--import', 'tsx', '--expose-gc', '--max-old-space-size=8192']
  const child = fork(new URL(program, import.meta.url), [name, count, ...more].map(String), { execArgv })
  return new Promise((resolve, reject) => {
    let result
    // It stops its server and removes its folder when it is asked to end; what watches over servers does when it is not.
    const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE)
    child.once('message', message => {
      result = message
    })
    child.once('exit', (code, signal) => {
      clearTimeout(timer)
      if (code === 0 && result) resolve(result)
      else reject(new Error(`${name} ended with ${code ?? signal}`))
    })
  })
}

const results = []
const plan = { sessions, operations, calm, bytesOfJson, reseal: values.reseal, seconds }
// What is kept in memory was sealed by the process that has its secrets.
const isMeasured = name => values.only.includes(name) && !(values.reseal && name === 'memory')
for (const name of NAMES.filter(isMeasured)) {
  try {
    results.push(await measure(name))
    // After each: what follows may be stopped.
    if (values.json) writeFileSync(values.json, JSON.stringify({ about, plan, results }, null, 1))
  } catch (error) {
    // The others' figures took minutes, and are good.
    console.error(error.message)
    process.exitCode = 1
  }
}
console.log(`${stated(about)}: ${sessions.toLocaleString('en-US')} sessions of ${bytesOfJson} bytes of JSON.\n`)
console.log((values.reseal ? resealTables : tablesOf)(results))
