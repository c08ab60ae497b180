/* Redis, with a store on it. It deletes by itself what has expired. */

import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { createClient } from 'redis'
import { redisStore } from '../../dist/redis.mjs'
import { findRedis, startRedis } from '../../test/servers/redis.ts'
import { createAll } from './fill.mjs'
import { DAY, idOf, isShort } from './sessions.mjs'

const EXPIRY_LIMIT = 120_000

export async function redis({ now, sessions }) {
  // No rewrite of the file while it is measured.
  const args = ['--appendonly', 'yes', '--appendfsync', 'everysec', '--auto-aof-rewrite-percentage', '0']
  const server = await startRedis({ args })
  // It is filled by a thousand commands at a time, which wait for each other.
  const connect = () => createClient({ url: server.url, commandOptions: { timeout: 60_000 } }).connect()
  const [client, aside] = [await connect(), await connect()]
  const open = seal => redisStore(client, { now, seal })
  const info = async (section, name) => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(await aside.info(section))[1])
  const empty = await info('memory', 'used_memory')
  const expiring = Array.from({ length: sessions / 2 }, (_, index) => 2 * index + 1).filter(isShort)

  const keyOf = number => `sess:${createHash('sha256').update(idOf(number)).digest('base64url')}`

  let nearlyAll

  async function expireAt(instant) {
    for (let first = 0; first < expiring.length; first += 2000) {
      const some = expiring.slice(first, first + 2000)
      const answers = await Promise.all(some.map(number => aside.pExpireAt(keyOf(number), instant)))
      if (answers.some(answer => Number(answer) !== 1)) throw new Error('a session was not there')
    }
  }

  /** Has half of the sessions expire at one instant, after the last was told: how long that takes is tried out before. */
  async function prepareSweep() {
    const began = Date.now()
    await expireAt(began + DAY)
    const at = Date.now() + 1000 + 2 * (Date.now() - began)
    await expireAt(at)
    return at
  }

  return {
    title: `Redis ${findRedis().version}, redis`,
    durability: 'appendonly yes, appendfsync everysec, no rewrite of the file meanwhile',
    open,
    prepareSweep,
    async sweep(at) {
      await sleep(Math.max(0, at - Date.now()))
      const began = Date.now()
      for (;;) {
        const gone = await info('stats', 'expired_keys')
        if (gone >= 0.9 * expiring.length) nearlyAll ??= Date.now() - began
        // It leaves the last ones for later: it looks for more only while one in ten that it finds has expired.
        if (gone >= expiring.length || Date.now() - began > EXPIRY_LIMIT) return gone
        await sleep(50)
      }
    },
    fill: ({ seal, ...all }) => createAll(open(seal), { ...all, inFlight: 1000 }),
    bytes: async () => (await info('memory', 'used_memory')) - empty,
    written: () => info('persistence', 'aof_current_size'),
    async more() {
      const [keys, commands] = [await aside.dbSize(), await aside.info('commandstats')]
      let members = 0
      for await (const found of aside.scanIterator({ MATCH: 'sess:@*', COUNT: 1000 })) {
        const cards = await Promise.all(found.map(key => aside.zCard(key)))
        members += cards.reduce((sum, card) => sum + Number(card), 0)
      }
      const each = name => Number(new RegExp(`^cmdstat_${name}:.*usec_per_call=([\\d.]+)`, 'm').exec(commands)?.[1])
      return {
        keys,
        nearlyAll,
        membersOfIndex: members,
        microsecondsInServer: { hgetall: each('hgetall'), evalsha: each('evalsha') },
      }
    },
    async close() {
      client.destroy()
      aside.destroy()
      await server.stop()
    },
  }
}
