/*
 * The tables of bench/grow.mjs, which it prints and which bench/plot.mjs prints again from a file.
 */

import { growths } from './growth.mjs'
import { fixed, table } from './markdown.mjs'

const time = ({ microseconds, noise }) => `${fixed(microseconds)} ± ${fixed(noise)}`
const whole = value => (value === undefined ? '–' : value.toLocaleString('en-US'))

const heapColumns = {
  '>heap each, B': heap => heap?.full,
  '>without content': heap => heap?.empty,
  '>once used': heap => heap?.used,
  '>full collection, ms': heap => heap?.collection,
}

export function growthTable(growth, { points }) {
  const { axis, label } = growths[growth]
  const hasHeap = points.some(({ heap }) => heap)
  const row = one => {
    const { mode, use, value, bare, '7.0.2': before, 8: now, ratio, heap } = one
    const heaped = hasHeap ? Object.values(heapColumns).map(of => whole(of(heap))) : []
    return [mode, use, label(value), fixed(bare), time(before), time(now), fixed(ratio, 2), ...heaped]
  }
  const titles = ['mode', 'use', `>${axis.split(',')[0]}`, '>bare Koa, µs', '>7.0.2, µs', '>8, µs', '>8 / 7.0.2']
  const order = one => `${one.mode} ${one.use}`
  const sorted = points.toSorted((a, b) => order(a).localeCompare(order(b)) || a.value - b.value)
  return table([...titles, ...(hasHeap ? Object.keys(heapColumns) : [])], sorted.map(row))
}
