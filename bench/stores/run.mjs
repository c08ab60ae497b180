/*
 * The bill of a session in a store: commands and bytes of each request, requests a second beside the peers, and a soak.
 * It starts servers of its own, those that the tests start, and stops by itself. `--backend` leaves out the others.
 */

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startDynalite } from '../../test/servers/dynalite.ts'
import { startMongodb } from '../../test/servers/mongodb.ts'
import { makeFolder, removeFolder } from '../../test/servers/place.ts'
import { startPostgres } from '../../test/servers/postgres.ts'
import { startRedis } from '../../test/servers/redis.ts'
import { install } from '../install.mjs'
import { about, stated } from '../machine.mjs'

install()
const { billTables, measureBill } = await import('./bill.mjs')
const { httpTables, measureHttp } = await import('./http.mjs')
const { measureSoak, soakTables } = await import('./soak.mjs')
const { variants } = await import('./variants.mjs')

const parts = {
  bill: { measure: measureBill, tables: billTables },
  http: { measure: measureHttp, tables: httpTables },
  soak: { measure: measureSoak, tables: soakTables },
}

const starts = { redis: startRedis, postgres: startPostgres, mongodb: startMongodb, dynamodb: startDynalite }
const BACKENDS = [...Object.keys(starts), 'sqlite', 'memory']

const { values: opts } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'string' },
    only: { type: 'string', multiple: true, default: Object.keys(parts) },
    backend: { type: 'string', multiple: true, default: BACKENDS },
    minutes: { type: 'string', default: '10' },
  },
})
if (opts.backend.some(name => !BACKENDS.includes(name))) throw new Error(`--backend takes ${BACKENDS.join(', ')}`)
for (const name of opts.only) {
  if (!(name in parts)) throw new Error(`--only takes ${Object.keys(parts).join(', ')}`)
}

const packages = ['redis', 'koa-redis', 'connect-redis', 'express-session', '@fastify/session', 'autocannon']
const others = ['ioredis', 'pg', 'connect-pg-simple', 'mongodb', 'connect-mongo', 'dynalite', 'libsql']

// Not by `require`, because not every package exports its package.json.
const versionIn = (folder, name) =>
  `${name} ${JSON.parse(readFileSync(new URL(`${folder}/node_modules/${name}/package.json`, import.meta.url), 'utf8')).version}`
const clients = [...packages.map(name => versionIn('..', name)), ...others.map(name => versionIn('../..', name))]

const folder = makeFolder()
const servers = {}
// The soak has stores of its own.
const isNeeded = backend => opts.backend.includes(backend) || opts.only.includes('soak')
for (const backend of Object.keys(starts).filter(isNeeded)) servers[backend] = await starts[backend]()
const urls = {
  ...Object.fromEntries(Object.entries(servers).map(([name, { url }]) => [name, url])),
  sqlite: join(folder, 'sessions.db'),
}
const names = Object.keys(variants).filter(name => opts.backend.includes(variants[name].backend))
const outcome = { about, clients }
try {
  console.log(`${stated(about)}, ${clients.join(', ')}.`)
  for (const name of opts.only) {
    outcome[name] = await parts[name].measure({
      names,
      urls,
      servers,
      quick: opts.quick,
      minutes: Number(opts.minutes),
    })
    console.log(`\n${parts[name].tables(outcome[name])}`)
    if (outcome[name].faults?.length > 0) process.exitCode = 1
  }
} finally {
  for (const server of Object.values(servers)) await server.stop()
  removeFolder(folder)
}
if (opts.json) writeFileSync(opts.json, `${JSON.stringify(outcome)}\n`)
