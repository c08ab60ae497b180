/* One store under load for a while: what was asked, and which promises the answers break. */

import { type Application, startApplication } from '../faults/application.ts'
import type { StoreName } from '../faults/clients.ts'
import { type Ask, askOn } from '../faults/http.ts'
import { KINDS } from '../faults/servers.ts'
import { randomFrom } from '../stores/support/site.ts'
import type { Emitted, Orders } from './app.ts'
import type { Entry, Life, Violation } from './history.ts'
import { judge } from './judge.ts'
import { scriptOf } from './script.ts'
import { live } from './visitor.ts'

export interface Trial {
  readonly lives: readonly Life[]
  readonly violations: readonly Violation[]
}

const FILE = new URL('app.ts', import.meta.url)
const USERS = 16
const BROWSERS = 2
/** The clock of the sessions is so fast that the ten seconds for which a retired id is parallel are one. */
const SPEED = 10
const PARALLEL = 10_000 / SPEED

export async function race(store: StoreName, seconds: number, seed: number): Promise<Trial> {
  const { place, stop } = await KINDS[store].start({})
  const applications: Application[] = []
  try {
    const orders: Omit<Orders, 'port'> = { store, place, speed: SPEED, since: Date.now() }
    // One after the other, as each makes the table that is not there.
    for (let count = store === 'memory' ? 1 : 2; count > 0; count--) {
      applications.push(await startApplication(FILE, orders))
    }
    const connections = applications.map(({ port }) => askOn(port))
    const asks = connections.map(({ ask }) => ask)
    const lives = await load(asks, seconds, seed)
    const told = await withEvents(asks, lives)
    for (const { close } of connections) close()
    return { lives: told, violations: told.flatMap(life => judge(life, PARALLEL)) }
  } finally {
    await Promise.all(applications.map(application => application.stop()))
    await stop()
  }
}

/** One user after the other, in the place of each, until the time is over. Every other one ends sessions. */
async function load(asks: readonly Ask[], seconds: number, seed: number): Promise<Life[]> {
  const lives: Life[] = []
  const signal = AbortSignal.timeout(seconds * 1000)
  const places = Array.from({ length: USERS }, async (_, place) => {
    for (let turn = 0; !signal.aborted; turn++) {
      const user = `u${place}-${turn}`
      const random = randomFrom(seed + place * 1_000_003 + turn * 7919)
      const scripts = Array.from({ length: BROWSERS }, (_, index) =>
        scriptOf(`${user}.${'ab'[index]}`, random, (place + turn) % 2 === 1, PARALLEL),
      )
      lives.push(await live(asks, user, scripts, signal))
    }
  })
  await Promise.all(places)
  return lives
}

/** With what the processes have emitted for each request, which they say when all are answered. */
async function withEvents(asks: readonly Ask[], lives: readonly Life[]): Promise<Life[]> {
  const events = new Map<string, string[]>()
  for (const ask of asks) {
    const emitted: Emitted[] = JSON.parse((await ask('/events')).text)
    for (const { request, event } of emitted) events.set(request, [...(events.get(request) ?? []), event])
  }
  const noted = (entry: Entry): Entry => ({ ...entry, events: events.get(entry.request) ?? [] })
  return lives.map(({ user, entries }) => ({ user, entries: entries.map(noted) }))
}
