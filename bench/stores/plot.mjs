/*
 * Draws what bench/stores/run.mjs measured, from the results that it wrote, so that plots and tables of bench/results
 * are of one and the same run. Usage: node bench/stores/plot.mjs results.json
 */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { bars, chart } from '../svg.mjs'

const { positionals } = parseArgs({ allowPositionals: true })
if (positionals.length !== 1) throw new Error('usage: node bench/stores/plot.mjs results.json')
const { http, soak } = JSON.parse(readFileSync(positionals[0], 'utf8'))

const [orange, blue, violet] = ['#d9822b', '#3b8eea', '#a371f7']
const folder = new URL('../plots/', import.meta.url)
mkdirSync(folder, { recursive: true })
const write = (name, svg) => writeFileSync(new URL(`${name}.svg`, folder), svg)

if (http) {
  const isPeer = name => name.includes(', ') && !name.startsWith('koa-session 8')
  const panels = [...new Set(http.results.map(({ key }) => key))].map(key => ({
    title: `${key}, requests/s`,
    bars: http.results
      .filter(one => one.key === key && one.name.includes(', '))
      .map(({ name, perSecond }) => ({ name, value: perSecond, colour: isPeer(name) ? orange : blue })),
  }))
  write('stores', bars({ title: 'Requests per second of a 4 KB session', panels }))
}

if (soak) {
  const colours = [orange, blue, violet]
  const last = Math.ceil(soak.seconds / 60)
  const ticks = Array.from({ length: last + 1 }, (_, minute) => [minute, String(minute)])
  const lines = soak.results.map(({ name, samples }, index) => ({
    name: name.replace('koa-session 8, ', ''),
    style: { colour: colours[index], marker: 'circle' },
    points: samples.map(([minutes, kilobytes]) => [minutes, kilobytes / 1024]),
  }))
  const panel = { title: 'heap after a full collection', xAxis: 'minutes', yAxis: 'MB', xTicks: ticks, lines }
  write('soak', chart({ title: 'Heap at half load', panels: [panel] }))
}
