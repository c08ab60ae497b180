/* What is asked of a store, and checked: a session read, a key of it written, and both at a steady rate beside other work. */

import { steadily, summaryOf, timelineOf } from './load.mjs'
import { expiresAt, idOf, patchOf } from './sessions.mjs'

const [RATE, AT_A_TIME] = [200, 8]

export async function timed(work) {
  const began = performance.now()
  const result = await work()
  return { ms: performance.now() - began, result }
}

export function expect(found, wanted, what) {
  if (found !== wanted) throw new Error(`${what}: ${String(found)}, not ${String(wanted)}`)
}

/** Of sessions that were made at `start`, by the clock `now`. */
export function requestsOf({ start, now }) {
  function get(store, number) {
    const check = record => expect(record?.members.theme, '"dark"', 'what was read')
    const answer = store.read(idOf(number), { rolling: false })
    return typeof answer?.then === 'function' ? answer.then(check) : check(answer)
  }

  function patch(store, number) {
    const check = verdict => expect(verdict, 'saved', 'a patch')
    const answer = store.patch(idOf(number), patchOf(number, start), expiresAt(number, start) - now(), {})
    return typeof answer?.then === 'function' ? answer.then(check) : check(answer)
  }

  /** Requests of the sessions that `next` names, while `work` is done. `processor`: what all of it takes here, in ms. */
  async function during(store, next, work) {
    let isOver = false
    const request = async () => {
      const number = next()
      await get(store, number)
      await patch(store, number)
    }
    const before = process.cpuUsage()
    const under = steadily({ request, rate: RATE, inFlight: AT_A_TIME, isOver: () => isOver })
    const done = await timed(async () => {
      try {
        return await work()
      } catch (error) {
        return String(error)
      } finally {
        isOver = true
      }
    })
    const samples = await under
    const { user, system } = process.cpuUsage(before)
    return {
      ...summaryOf(samples.map(([, time]) => time)),
      ms: done.ms,
      processor: (user + system) / 1000,
      result: done.result,
      timeline: timelineOf(samples),
    }
  }

  return { get, patch, during }
}
