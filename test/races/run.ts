/*
 * Lets visitors send requests at the same time to two processes that share a store, and judges their answers: no key is
 * lost, no increment is lost or counted twice, no session that was ended comes back, nobody gets the session of another,
 * and no session is left under two ids. It exists because a race is seen by running it. It starts servers of its own.
 *
 * `--only memory,redis --seconds 20 --seed 1`: the seed repeats the choice of the requests, not their timing. `--smoke`:
 * four seconds on each of memory, SQLite and Redis.
 */
import { parseArgs } from 'node:util'
import type { StoreName } from '../faults/clients.ts'
import { KINDS } from '../faults/servers.ts'
import { excerptsOf, lineOf, untried } from './report.ts'
import { race } from './trial.ts'

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    seconds: { type: 'string' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
    smoke: { type: 'boolean', default: false },
  },
})

const SQL: readonly StoreName[] = ['libsql', 'postgres', 'mariadb']
const STORES: readonly StoreName[] = ['memory', 'redis', 'ioredis', 'mongodb', 'dynamodb', ...SQL]
const SMOKE: readonly StoreName[] = ['memory', 'libsql', 'redis']

const names = values.only?.split(',') ?? (values.smoke ? SMOKE : STORES)
const stores = STORES.filter(store => names.includes(store))
const [seconds, seed] = [Number(values.seconds ?? (values.smoke ? 4 : 20)), Number(values.seed)]
if (stores.length !== names.length) throw new Error(`--only takes ${STORES.join(', ')}`)
if (!(seconds > 0 && Number.isSafeInteger(seed))) throw new Error('--seconds and --seed take numbers')

console.log(`seed ${seed}`)
for (const store of stores) await run(store)
process.exit()

async function run(store: StoreName): Promise<void> {
  const { title, missing } = KINDS[store]
  if (missing !== undefined) {
    console.log(`${store}: did not run: ${missing}`)
    if (process.env.CI) process.exitCode = 1
    return
  }
  const trial = await race(store, seconds, seed)
  console.log(`${store} (${title}): ${lineOf(trial)}`)
  const missed = untried(trial)
  if (missed.length > 0) console.log(`  shows nothing: never answered were ${missed.join(', ')}`)
  if (trial.violations.length > 0) console.log(excerptsOf(trial))
  if (missed.length + trial.violations.length > 0) process.exitCode = 1
}
