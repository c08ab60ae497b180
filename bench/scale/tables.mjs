/* The tables of bench/results from the results of bench/scale/run.mjs. */

import { fixed, table } from '../markdown.mjs'

const micro = value => (value === undefined ? '–' : fixed(value, value < 100 ? 1 : 0))
const milli = value => (value === undefined ? '–' : fixed(value / 1000, value < 10_000 ? 2 : 0))

function latencyTable(results) {
  const rows = results.flatMap(({ title, latency }) =>
    [
      ['1', latency.one],
      ['32', latency.many],
    ].map(([inFlight, { get, patch, perSecond }]) => [
      title,
      inFlight,
      ...[get.p50, get.p99, patch.p50, patch.p99].map(micro),
      Math.round(perSecond).toLocaleString('en-US'),
    ]),
  )
  const titles = ['store', '>in flight', '>get p50, µs', '>get p99', '>patch p50', '>patch p99', '>operations/s']
  return table(titles, rows)
}

function sizeTable(results) {
  const titles = ['store', '>bytes per session', '>list 1,000, ms', '>end 999, ms', '>filled in, s']
  const rows = results.map(({ title, bytes, subject, fill }) => [
    title,
    Math.round(bytes),
    fixed(subject.list),
    fixed(subject.end),
    fixed(fill / 1000, 0),
  ])
  return table(titles, rows)
}

function sweepTable(results) {
  const titles = ['store', '>swept', '>in, s', '>a batch, ms', '>longest', '', '>p50, ms', '>p99', '>max', '>requests']
  const rows = results.flatMap(({ title, before, sweep }) => {
    const times = one => [milli(one.p50), milli(one.p99), milli(one.max), one.count]
    const calm = [title, '', '', '', '', 'before', ...times(before)]
    if (!sweep) return [calm]
    const { during, deleted, batches } = sweep
    const seconds = fixed(during.ms / 1000)
    return [calm, [title, deleted, seconds, milli(batches?.p50), milli(batches?.max), 'during', ...times(during)]]
  })
  return table(titles, rows)
}

const durabilityOf = results => results.map(({ title, durability }) => `- ${title}: ${durability}.`).join('\n')

export function tablesOf(results) {
  return [durabilityOf(results), latencyTable(results), sizeTable(results), sweepTable(results)].join('\n\n')
}

/** `sealed anew`: the share of all, where the time was up. A row takes processor time of the program, not of the server. */
export function resealTables(results) {
  const head = ['store', '>sessions', '>sealed anew', '>in, s', '>processor time of a row, µs']
  const titles = [...head, '', '>p50, ms', '>p99', '>max', '>requests']
  const rows = results.flatMap(({ title, sessions, isOver, share, before, during, after }) => {
    const times = one => [milli(one.p50), milli(one.p99), milli(one.max), one.count]
    const empty = [title, '', '', '', '']
    const done = isOver ? during.result.toLocaleString('en-US') : `${fixed(100 * share, 0)} %`
    // Without that of the requests.
    const processor = during.processor - (during.count * before.processor) / before.count
    const ofRow = (1000 * processor) / (isOver ? during.result : share * sessions)
    return [
      [...empty, 'before', ...times(before)],
      [
        title,
        sessions.toLocaleString('en-US'),
        done,
        fixed(during.ms / 1000, 0),
        fixed(ofRow, 0),
        'during',
        ...times(during),
      ],
      ...(after ? [[...empty, 'after', ...times(after)]] : []),
    ]
  })
  return [durabilityOf(results), table(titles, rows)].join('\n\n')
}
