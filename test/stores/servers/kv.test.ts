/** Sessions in Memcached, by memjs. */
import assert from 'node:assert/strict'
import { after, before } from 'node:test'
import { kvStore } from 'koa-session/kv'
import { Client } from 'memjs'
import { versionOfPackage } from '../../servers/found.ts'
import { startMemcached } from '../../servers/memcached.ts'
import { row, suiteOn } from '../../servers/report.ts'
import type { Server } from '../../servers/server.ts'
import { proveKv } from '../support/kv.ts'

const HOUR = 3_600_000
const MONTH = 31 * 24 * HOUR
const ADA = { user: 'ada' }

suiteOn('memcached', 'stores in Memcached', title => {
  const { test } = row({ store: 'kv', client: `memjs ${versionOfPackage('memjs')}`, server: title })
  let server: Server
  let client: Client
  before(async () => {
    server = await startMemcached()
    client = Client.create(server.url, { retries: 1, logger: { log() {} } })
  })
  after(async () => {
    client.close()
    await server.stop()
  })

  // An item has less than 1 MiB, unless the server was started with another `-I`.
  const limits = { 'hostile values: a payload may be large': /too large/ }
  proveKv(test, options => kvStore(client, options), { limits })

  test('a session of more than thirty days is kept', async () => {
    const store = kvStore(client)
    for (const ttl of [MONTH, 200 * 12 * MONTH]) {
      await store.set('month', ADA, ttl)
      assert.deepEqual(await store.get('month'), ADA)
    }
  })

  test('a session that is larger than the server takes is an error', async () => {
    const store = kvStore(client)
    await store.set('large', ADA, HOUR)
    await assert.rejects(store.set('large', { text: 'a'.repeat(2 ** 20) }, HOUR), /MemJS SET: .*too large/i)
    assert.equal(await store.get('large'), undefined, 'Memcached drops what was there')
  })

  test('a server that is down is an error, and empty when it is back', async () => {
    const store = kvStore(client)
    await store.set('lost', ADA, HOUR)
    await server.kill()
    await assert.rejects(store.get('lost'))
    await assert.rejects(store.set('lost', ADA, HOUR))
    await assert.rejects(store.destroy('lost'))
    await server.restart()
    assert.equal(await store.get('lost'), undefined)
  })
})
