/*
 * The two loads: operations as fast as they are answered, a bounded number of them at a time, and requests at a steady
 * rate, each timed from the moment at which it was due, so that what could not be sent in time is counted as well.
 */

import { quantile } from '../statistics.mjs'

/** In microseconds. */
export const summaryOf = samples => ({
  count: samples.length,
  p50: quantile(samples, 0.5),
  p99: quantile(samples, 0.99),
  max: samples.reduce((one, other) => Math.max(one, other), 0),
})

/** Runs the operations in turn, for `count` times in all or `limit` ms, and times each kind by itself. */
export async function inTurn({ operations, count, limit, inFlight }) {
  const samples = Object.fromEntries(Object.keys(operations).map(name => [name, []]))
  const kinds = Object.entries(operations)
  const end = performance.now() + limit
  const began = performance.now()
  let started = 0
  async function worker() {
    while (started < count && performance.now() < end) {
      const [name, run] = kinds[started++ % kinds.length]
      const before = performance.now()
      // A store that answers at once is not made to wait for a promise.
      const answer = run()
      if (typeof answer?.then === 'function') await answer
      samples[name].push((performance.now() - before) * 1000)
    }
  }
  await Promise.all(Array.from({ length: inFlight }, worker))
  const seconds = (performance.now() - began) / 1000
  const perSecond = started / seconds
  return { perSecond, ...Object.fromEntries(kinds.map(([name]) => [name, summaryOf(samples[name])])) }
}

/**
 * Starts `request` at a rate per second, no more than `inFlight` at a time, until `isOver`. Gives for each the second in
 * which it was due and its microseconds.
 */
export function steadily({ request, rate, inFlight, isOver }) {
  const began = performance.now()
  const samples = []
  let [next, running] = [0, 0]
  return new Promise((resolve, reject) => {
    async function start(due) {
      running++
      try {
        await request()
        samples.push([due / 1000, (performance.now() - began - due) * 1000])
      } catch (error) {
        reject(error)
      }
      running--
      startThoseDue()
    }

    function startThoseDue() {
      while (!isOver() && running < inFlight && (next * 1000) / rate <= performance.now() - began) {
        start((next++ * 1000) / rate)
      }
    }

    function tick() {
      startThoseDue()
      if (isOver() && running === 0) resolve(samples)
      else setTimeout(tick, 1)
    }
    tick()
  })
}

/** Per quarter of a second: when it began, the p50 and the p99 of what was due in it. */
export function timelineOf(samples, width = 0.25) {
  const parts = new Map()
  for (const [due, time] of samples) {
    const part = Math.floor(due / width)
    parts.set(part, [...(parts.get(part) ?? []), time])
  }
  return [...parts].map(([part, times]) => [part * width, quantile(times, 0.5), quantile(times, 0.99)])
}
