/*
 * States where a result comes from: a figure without its machine, date and versions can't be compared with another.
 */

import { createRequire } from 'node:module'
import os from 'node:os'

const require = createRequire(import.meta.url)
const version = name => require(`${name}/package.json`).version

export const versions = { koa: version('koa'), '7.0.2': version('koa-session-7'), 8: version('..') }

const cpu = os.cpus()[0]?.model.trim() ?? 'unknown processor'
const cores = os.availableParallelism()

export const about = { date: new Date().toISOString(), node: process.version, cpu, cores, versions }

export const stated = ({ date, node, cpu, cores, versions }) =>
  `${date.slice(0, 10)}, ${cpu}, ${cores} cores, Node ${node}, Koa ${versions.koa}, koa-session ${versions['7.0.2']} and ${versions[8]}`
