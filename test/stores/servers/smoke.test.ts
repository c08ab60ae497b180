import assert from 'node:assert/strict'
import { after, before } from 'node:test'
import { Cluster, Redis } from 'ioredis'
import mysql from 'mysql2/promise'
import { createClient, createCluster } from 'redis'
import { versionOfPackage } from '../../servers/found.ts'
import { startMariadb } from '../../servers/mariadb.ts'
import { poolOf } from '../../servers/pool.ts'
import { startPostgres } from '../../servers/postgres.ts'
import { type RedisCluster, startRedis, startRedisCluster } from '../../servers/redis.ts'
import { row, suiteOn } from '../../servers/report.ts'
import type { Server } from '../../servers/server.ts'

/** A row of the smoke test: no store, just the client that a store is given. */
function smoke(name: string, server: string) {
  return row({ store: '(smoke)', client: `${name} ${versionOfPackage(name)}`, server })
}

suiteOn('redis', 'a Redis server', title => {
  let server: Server
  before(async () => {
    server = await startRedis({ persistent: true })
  })
  after(() => server.stop())

  const kept = smoke('redis', title)
  kept.test('keeps by redis what it answered for, over a crash', async t => {
    const client = await createClient({ url: server.url })
      .on('error', () => undefined)
      .connect()
    t.after(() => client.destroy())
    await client.set('a', '1')
    const { pid } = server
    await server.kill()
    assert.throws(() => process.kill(pid, 0))
    await server.restart()
    assert.notEqual(server.pid, pid)
    assert.equal(await client.get('a'), '1')
  })

  smoke('ioredis', title).test('answers ioredis, but not while it hangs', async t => {
    const client = new Redis(server.url)
    t.after(() => client.disconnect())
    await client.set('b', '2')
    await server.kill('SIGSTOP')
    const answer = client.get('b')
    const first = await Promise.race([answer, new Promise(resolve => setTimeout(resolve, 100, 'nothing'))])
    await server.kill('SIGCONT')
    assert.deepEqual([first, await answer], ['nothing', '2'])
  })
})

suiteOn('redis', 'a Redis cluster', title => {
  let cluster: RedisCluster
  before(async () => {
    cluster = await startRedisCluster()
  })
  after(() => cluster.stop())

  const ids = Array.from({ length: 20 }, (_, index) => `session:${index}`)

  smoke('redis', `${title}, 6 nodes`).test('is reached by redis, whoever has the key', async t => {
    const client = createCluster({ rootNodes: cluster.nodes.map(({ url }) => ({ url })) })
    await client.connect()
    t.after(() => client.destroy())
    for (const id of ids) await client.set(id, id)
    assert.deepEqual(await Promise.all(ids.map(id => client.get(id))), ids)
  })

  smoke('ioredis', `${title}, 6 nodes`).test('is reached by ioredis, also when a node comes back', async t => {
    const [first] = cluster.nodes
    assert.ok(first)
    await first.restart()
    await cluster.ready()
    const client = new Cluster(cluster.ports.map(port => ({ host: '127.0.0.1', port })))
    t.after(() => client.disconnect())
    for (const id of ids) await client.set(id, `${id}!`)
    assert.deepEqual(
      await Promise.all(ids.map(id => client.get(id))),
      ids.map(id => `${id}!`),
    )
  })
})

for (const source of ['apt', 'npm'] as const) {
  suiteOn(`postgres-${source}`, `PostgreSQL of ${source}`, title => {
    let server: Server
    before(async () => {
      server = await startPostgres({ source })
    })
    after(() => server.stop())

    smoke('pg', title).test('keeps what it committed, over a crash', async t => {
      const pool = poolOf({ connectionString: server.url })
      t.after(() => pool.end())
      await pool.query('CREATE TABLE kept (id text PRIMARY KEY, data jsonb)')
      await pool.query('INSERT INTO kept VALUES ($1, $2)', ['a', { name: 'ünï' }])
      await server.kill()
      await server.restart()
      assert.deepEqual((await pool.query('SELECT data FROM kept')).rows, [{ data: { name: 'ünï' } }])
    })
  })
}

suiteOn('mariadb', 'MariaDB', title => {
  let server: Server
  before(async () => {
    server = await startMariadb()
  })
  after(() => server.stop())

  smoke('mysql2', title).test('keeps what it committed, over a crash', async t => {
    const pool = mysql.createPool(server.url)
    t.after(() => pool.end())
    await pool.query('CREATE TABLE kept (id varchar(64) PRIMARY KEY, data json)')
    await pool.execute('INSERT INTO kept VALUES (?, ?)', ['a', '{"name":"ünï"}'])
    await server.kill()
    await server.restart()
    const [rows] = await pool.query("SELECT JSON_VALUE(data, '$.name') AS name FROM kept")
    assert.deepEqual(
      (rows as { name: string }[]).map(({ name }) => name),
      ['ünï'],
    )
  })
})
