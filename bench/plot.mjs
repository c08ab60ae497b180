/*
 * Draws the growths from the results that bench/grow.mjs wrote, and prints their tables, so that plots and tables
 * of bench/results are of one and the same run. Usage: node bench/plot.mjs results.json
 */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { growths } from './growth.mjs'
import { growthTable } from './growth-table.mjs'
import { stated } from './machine.mjs'
import { chart } from './svg.mjs'

const { positionals } = parseArgs({ allowPositionals: true })
if (positionals.length !== 1) throw new Error('usage: node bench/plot.mjs results.json')
const { about, plan, results } = JSON.parse(readFileSync(positionals[0], 'utf8'))

const versions = [
  ['7.0.2', '#d9822b'],
  ['8', '#3b8eea'],
]
const shapes = {
  read: { marker: 'circle', dash: '6 4' },
  write: { marker: 'square' },
  visit: { marker: 'circle', dash: '2 3' },
}
const titles = { cookie: 'in a signed cookie', store: 'in memoryStore()' }

function timePanel(growth, mode, points) {
  const { axis, label, isLogarithmic, spread = [] } = growths[growth]
  const values = [...new Set(points.map(({ value }) => value))]
  const uses = Object.keys(shapes).filter(use => points.some(one => one.use === use))
  const lines = versions.flatMap(([version, colour]) =>
    uses.map(use => ({
      name: `${version}, ${use}`,
      style: { colour, ...shapes[use] },
      points: points.filter(one => one.use === use).map(one => [one.value, one[version].microseconds]),
    })),
  )
  return {
    title: titles[mode],
    xAxis: axis,
    yAxis: 'µs per request above bare Koa',
    xTicks: values.map(value => [value, label(value)]),
    xIsLogarithmic: isLogarithmic,
    yIsLogarithmic: spread.includes(mode),
    lines,
  }
}

function heapPanel({ xAxis, xTicks, xIsLogarithmic }, points) {
  const of = what =>
    points
      .filter(one => one.use === 'read' && one.heap)
      .map(({ value, heap }) => [value, heap[what]])
      .filter(([, bytes]) => bytes !== undefined)
  const colour = '#a371f7'
  return {
    title: 'memory of a session',
    xAxis,
    yAxis: 'bytes of heap per session',
    xTicks,
    xIsLogarithmic,
    lines: [
      { name: 'put there', style: { colour, marker: 'square' }, points: of('full') },
      {
        name: 'once used by a request',
        style: { colour, marker: 'square', dash: '2 3' },
        points: of('used'),
      },
      { name: 'put there, without content', style: { colour, marker: 'circle', dash: '6 4' }, points: of('empty') },
    ],
  }
}

const folder = new URL('./plots/', import.meta.url)
mkdirSync(folder, { recursive: true })
console.log(`${stated(about)}: ${plan.starts} starts.`)
for (const [growth, result] of Object.entries(results)) {
  const { title } = growths[growth]
  const modes = [...new Set(result.points.map(({ mode }) => mode))]
  const panels = modes.map(mode =>
    timePanel(
      growth,
      mode,
      result.points.filter(one => one.mode === mode),
    ),
  )
  if (result.points.some(({ heap }) => heap)) panels.push(heapPanel(panels[0], result.points))
  writeFileSync(new URL(`${growth}.svg`, folder), chart({ title, panels }))
  console.log(`\n### ${title}\n\n![${title}](plots/${growth}.svg)\n\n${growthTable(growth, result)}`)
}
