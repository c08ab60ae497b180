/*
 * Kills, stops and cuts off the servers of the stores under a bounded load, and counts what became of what was
 * acknowledged. It exists because a promise about faults is worth what was seen of it. It starts servers of its own, ends
 * them, and fails where a promise was broken.
 *
 * `--only redis,postgres --fault kill,stop --seconds 30 --json file`; `--quick`: 9 seconds each; `--smoke`: three faults
 * of Redis, in under a minute. With `FAULTS_CAUSES` set, errors are told apart by what caused them.
 */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import type { StoreName } from './clients.ts'
import { FAULTS, type Fault } from './faults.ts'
import { isFailure, tableOf, verdictOf } from './report.ts'
import { KINDS } from './servers.ts'
import { type Trial, tryFault } from './trial.ts'

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    fault: { type: 'string' },
    seconds: { type: 'string' },
    json: { type: 'string' },
    quick: { type: 'boolean', default: false },
    smoke: { type: 'boolean', default: false },
  },
})

const SMOKE = { only: 'redis', fault: 'kill,stop,reset', seconds: '5' }
const { only, fault, seconds = values.quick ? '9' : '30' } = values.smoke ? { ...values, ...SMOKE } : values
const failures: string[] = []
const trials: Trial[] = []

for (const [server, each] of planOf(only?.split(','), fault?.split(','))) await run(server, each)

console.log(`\n${tableOf(trials)}\n`)
for (const failure of failures) console.log(`- ${failure}`)
if (values.json) writeFileSync(values.json, `${JSON.stringify({ seconds, node: process.version, trials }, null, 2)}\n`)
const isKept = trials.length > 0 && !trials.some(isFailure)
process.exit(isKept && failures.length === 0 ? 0 : 1)

function planOf(servers: string[] | undefined, faults: string[] | undefined): [StoreName, Fault][] {
  const wanted = FAULTS.filter(({ name }) => !faults || faults.includes(name))
  const names = (Object.keys(KINDS) as StoreName[]).filter(name => !servers || servers.includes(name))
  return names.flatMap(name =>
    wanted
      .filter(({ stores, elsewhere = {} }) => stores.includes(name) || name in elsewhere)
      .map((each): [StoreName, Fault] => [name, each]),
  )
}

async function run(server: StoreName, each: Fault): Promise<void> {
  const missing = KINDS[server].missing ?? each.elsewhere?.[server]
  if (missing !== undefined) {
    // What can't be on this Node, or on this machine, is no gap.
    console.log(`${server}, ${each.name}: did not run: ${missing}`)
    return
  }
  try {
    const trial = await tryFault(server, each, Number(seconds))
    trials.push(trial)
    console.log(`${server}, ${each.name}: ${trial.requests} requests, ${verdictOf(trial)}`)
  } catch (error) {
    failures.push(`${server}, ${each.name}: could not be run: ${error instanceof Error ? error.message : error}`)
  }
}
