/*
 * Draws the latencies at rest and during a sweep from the results that bench/scale/run.mjs wrote. Usage:
 * node bench/scale/plot.mjs results.json
 */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { chart } from '../svg.mjs'

const { positionals } = parseArgs({ allowPositionals: true })
if (positionals.length !== 1) throw new Error('usage: node bench/scale/plot.mjs results.json')
const labels = { sqlite: 'SQLite', postgres: 'PostgreSQL', mysql: 'MariaDB', redis: 'Redis', memory: 'memory' }
const { plan, results: all } = JSON.parse(readFileSync(positionals[0], 'utf8'))
// What stands for another server has fewer sessions, and its own speed.
const results = all.filter(({ name }) => labels[name])
const count = plan.sessions.toLocaleString('en-US')

const colours = { sqlite: '#3b8eea', postgres: '#a371f7', mysql: '#d9822b', redis: '#d64545', memory: '#3fa45b' }
const [blue, orange] = ['#3b8eea', '#d9822b']
/** Points without a line between them, since one store is not on the way to the next. */
const unjoined = '0 10000'

function latencyPanel(title, which) {
  const of = (name, operation, quantile, style) => ({
    name,
    style: { ...style, dash: unjoined },
    points: results.map(({ latency }, index) => [index, latency[which][operation][quantile]]),
  })
  return {
    title,
    xAxis: 'store',
    yAxis: 'µs per operation',
    xTicks: results.map(({ name }, index) => [index, labels[name]]),
    yIsLogarithmic: true,
    lines: [
      of('get, p50', 'get', 'p50', { colour: blue, marker: 'circle' }),
      of('get, p99', 'get', 'p99', { colour: blue, marker: 'square' }),
      of('patch, p50', 'patch', 'p50', { colour: orange, marker: 'circle' }),
      of('patch, p99', 'patch', 'p99', { colour: orange, marker: 'square' }),
    ],
  }
}

/** The seconds before the sweep are below zero. */
function timePanel(title, at) {
  const swept = results.filter(({ sweep }) => sweep)
  const lines = swept.map(({ name, before, sweep }) => {
    const calm = before.timeline.map(one => [one[0] - before.ms / 1000, one[at] / 1000])
    const busy = sweep.during.timeline.map(one => [one[0], one[at] / 1000])
    const all = [...calm, ...busy]
    return {
      name: labels[name],
      style: { colour: colours[name], marker: 'none' },
      points: thinned(all).map(([second, time]) => [second, Math.max(time, 0.1)]),
    }
  })
  const last = Math.max(...lines.flatMap(line => line.points.map(([second]) => second)))
  const step = [1, 2, 5, 10, 20, 50, 100].find(one => last / one <= 8) ?? 200
  const first = -Math.ceil(swept[0].before.ms / 1000 / step) * step
  const ticks = Array.from({ length: Math.ceil((last - first) / step) + 1 }, (_, index) => first + index * step)
  return {
    title,
    xAxis: 'seconds since the sweep began',
    yAxis: 'ms per request',
    xTicks: ticks.map(tick => [tick, String(tick)]),
    yIsLogarithmic: true,
    lines,
  }
}

/** As many points as a line of that width can show: the slowest of those next to each other. */
function thinned(all, most = 150) {
  const width = Math.ceil(all.length / most)
  const groups = Array.from({ length: Math.ceil(all.length / width) }, (_, index) =>
    all.slice(index * width, (index + 1) * width),
  )
  return groups.map(group => [group[0][0], Math.max(...group.map(([, time]) => time))])
}

const folder = new URL('../plots/', import.meta.url)
mkdirSync(folder, { recursive: true })
const panels = [latencyPanel('one operation at a time', 'one'), latencyPanel('32 operations at a time', 'many')]
writeFileSync(new URL('scale.svg', folder), chart({ title: `Latency among ${count} sessions`, panels }))
if (results.some(({ sweep }) => sweep)) {
  const title = `Requests while ${(plan.sessions / 2).toLocaleString('en-US')} sessions are swept, and before`
  const panels = [timePanel('p50', 1), timePanel('p99', 2)]
  writeFileSync(new URL('sweep.svg', folder), chart({ title, panels }))
}
