/*
 * Has the sessions of one backend sealed anew, in a process of its own, while requests go on there, and tells how long
 * these took before, during and after it.
 */

import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { backends } from './backends.mjs'
import { expect, requestsOf, timed } from './requests.mjs'
import { anyOne, idOf } from './sessions.mjs'

const [name, sessionsText, calmText, limitText] = process.argv.slice(2)
const [sessions, calm, limit] = [sessionsText, calmText, limitText].map(Number)
const SAMPLE = 1000

const start = Date.now()
const now = Date.now
const { during } = requestsOf({ start, now })
const [older, newest] = [0, 1].map(() => randomBytes(32).toString('base64url'))
const say = text => process.stderr.write(`${name}: ${text}\n`)

/** How many of a sample are sealed with the newest secret: their share. */
async function shareDone(store) {
  let done = 0
  for (let count = 0; count < SAMPLE; count++) {
    if ((await store.read(idOf(anyOne(sessions)), { rolling: false })).members.theme === '"dark"') done++
  }
  return done / SAMPLE
}

const backend = await backends[name]({ now, sessions })
const { title, durability } = backend
try {
  const fill = await timed(() => backend.fill({ count: sessions, start, seal: [older] }))
  say(`${sessions} sealed sessions in ${Math.round(fill.ms / 1000)} s`)
  const late = backend.open([newest])
  expect(await shareDone(late), 0, 'what the newest secret opens before')
  const store = backend.open([newest, older])
  const requests = work => during(store, () => anyOne(sessions), work)
  const before = await requests(() => sleep(calm))
  const resealing = store.reseal()
  // Where it takes too long, it is left when its client is closed.
  resealing.catch(() => undefined)
  const busy = await requests(() => Promise.race([resealing, sleep(limit, undefined, { ref: false })]))
  const isOver = typeof busy.result === 'number'
  if (typeof busy.result === 'string') throw new Error(busy.result)
  const share = await shareDone(late)
  if (isOver) expect(share, 1, 'the share that the newest secret opens')
  say(`${Math.round(100 * share)} % of them in ${Math.round(busy.ms / 1000)} s`)
  const after = isOver ? await requests(() => sleep(calm)) : undefined
  process.send({ name, title, durability, sessions, fill: fill.ms, isOver, share, before, during: busy, after })
} finally {
  await backend.close()
}
process.disconnect()
