/*
 * Counts what sessions lose when requests come at once, here and elsewhere: keys that parallel requests set, increments
 * of one counter, and sign-outs that a slow request undoes. It starts servers of its own, those that the tests start.
 */

import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { startMariadb } from '../../test/servers/mariadb.ts'
import { startPostgres } from '../../test/servers/postgres.ts'
import { startRedis } from '../../test/servers/redis.ts'
import { headerFrom } from '../../test/support/set-cookie.mjs'
import { install } from '../install.mjs'
import { about, stated } from '../machine.mjs'
import { table } from '../markdown.mjs'

const KEYS = 200
const INCREMENTS = 500
const ROUNDS = 20

const listening = async server => {
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
  return server.address().port
}

const times = (count, make) => Promise.all(Array.from({ length: count }, (_, index) => make(index)))

async function measure(open, urls) {
  const { listener, close } = await open(urls)
  const server = createServer(listener)
  const origin = `http://127.0.0.1:${await listening(server)}`
  const get = async (path, cookie = '') => {
    const response = await fetch(origin + path, { headers: { cookie } })
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`)
    return { data: await response.json(), cookies: response.headers.getSetCookie() }
  }
  const signIn = async () => headerFrom((await get('/in')).cookies)
  const names = Array.from({ length: KEYS }, (_, index) => `key${index}`)
  const all = async cookie => (await get(`/all?keys=user,n,${names.join()}`, cookie)).data
  try {
    let cookie = await signIn()
    if ((await all(cookie)).user !== 'ada') throw new Error('the next request does not find the session')
    await times(KEYS, index => get(`/set?key=${names[index]}`, cookie))
    const kept = await all(cookie)
    const keys = names.filter(name => kept[name] !== 1).length
    cookie = await signIn()
    await times(INCREMENTS, () => get('/count', cookie))
    const increments = INCREMENTS - (await all(cookie)).n
    let risen = 0
    for (let round = 0; round < ROUNDS; round++) {
      cookie = await signIn()
      const slow = get(`/slow?key=${round}&wait=${20 + Math.random() * 40}`, cookie)
      await sleep(5 + Math.random() * 10)
      await get('/out', cookie)
      await slow
      if ((await all(cookie)).user === 'ada') risen++
    }
    return { keys, increments, risen }
  } finally {
    server.closeAllConnections()
    server.close()
    await close()
  }
}

// Not by `require`, because not every package exports its package.json.
const versionOf = name =>
  JSON.parse(readFileSync(new URL(`../node_modules/${name}/package.json`, import.meta.url), 'utf8')).version

install()
const { peers } = await import('./peers.mjs')
const packages = ['koa-redis', 'connect-redis', 'express-session', '@fastify/session']
const servers = { redis: await startRedis(), postgres: await startPostgres(), mysql: await startMariadb() }
const urls = Object.fromEntries(Object.entries(servers).map(([name, { url }]) => [name, url]))
try {
  const rows = []
  for (const [name, open] of Object.entries(peers)) {
    const { keys, increments, risen } = await measure(open, urls)
    rows.push([name, `${keys} of ${KEYS}`, `${increments} of ${INCREMENTS}`, `${risen} of ${ROUNDS}`])
  }
  console.log(`${stated(about)}, ${packages.map(name => `${name} ${versionOf(name)}`).join(', ')}.\n`)
  console.log(table(['package, store', '>keys lost', '>increments lost', '>sign-outs undone'], rows))
} finally {
  for (const server of Object.values(servers)) await server.stop()
}
