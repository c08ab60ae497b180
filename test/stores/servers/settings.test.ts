/** Databases that are set otherwise than by default: behind a pooler, strictly isolated, or without the right to write. */
import assert from 'node:assert/strict'
import { after, before, type TestContext as Test } from 'node:test'
import { Redis } from 'ioredis'
import type { Patch } from 'koa-session'
import { type PostgresStoreOptions, postgresStore } from 'koa-session/postgres'
import { redisStore } from 'koa-session/redis'
import { manualClock } from 'koa-session/testing'
import type pg from 'pg'
import { versionOfPackage } from '../../servers/found.ts'
import { startPgbouncer } from '../../servers/pgbouncer.ts'
import { poolOf } from '../../servers/pool.ts'
import { startPostgres } from '../../servers/postgres.ts'
import { startRedis } from '../../servers/redis.ts'
import { row, suiteOn } from '../../servers/report.ts'
import type { Server } from '../../servers/server.ts'
import { digestOf, proveContract, UNORDERED } from '../support/contract.ts'

const HOUR = 3_600_000
const CALL = { ctx: undefined, rolling: false, changed: true }
const PATCH: Patch = { set: {}, unset: [], lifetime: {}, keepsEmpty: false }
const client = `pg ${versionOfPackage('pg')}`

/** So many write to one session at the same time, each by a connection of its own. */
const WRITERS = 20
const KEYS = 100

/** A store of a pool of its own until the test ends. */
function storeAt(t: Test, connectionString: string, options: PostgresStoreOptions = {}) {
  const pool = poolOf({ connectionString, max: WRITERS })
  t.after(() => pool.end())
  return postgresStore(pool, { sweepEvery: false, ...options })
}

/** Keys that are set at the same time: each is there, or its call was rejected. Says how many were. */
async function setAtOnce(store: ReturnType<typeof postgresStore>, id: string): Promise<number> {
  await store.create(id, { members: { user: '"ada"' }, lifetime: {} }, HOUR, CALL)
  const answers = await Promise.allSettled(
    Array.from({ length: KEYS }, (_, n) => store.patch(id, { ...PATCH, set: { [`k${n}`]: '1' } }, HOUR, CALL)),
  )
  const kept = Object.keys((await store.read(id, CALL))?.members ?? {})
  for (const [n, { status }] of answers.entries()) {
    assert.equal(kept.includes(`k${n}`), status === 'fulfilled', `k${n} was ${status}`)
  }
  return answers.filter(({ status }) => status === 'rejected').length
}

suiteOn('pgbouncer', 'PgBouncer in transaction mode', title => {
  suiteOn('postgres-npm', 'before PostgreSQL', server => {
    const { test } = row({ store: 'postgres', client, server: `${server}, ${title}` })
    const clock = manualClock()
    let postgres: Server
    let bouncer: Server
    let pool: pg.Pool
    before(async () => {
      postgres = await startPostgres({ source: 'npm' })
      bouncer = await startPgbouncer(postgres)
      pool = poolOf({ connectionString: bouncer.url })
      await postgresStore(pool, { sweepEvery: false }).setup()
    })
    after(async () => {
      await pool.end()
      await bouncer.stop()
      await postgres.stop()
    })

    proveContract(test, {
      clock,
      open: () => postgresStore(pool, { sweepEvery: false, now: clock.now }),
      capabilities: UNORDERED,
    })

    test('connections that clients share lose nothing that is written at once', async t => {
      assert.equal(await setAtOnce(storeAt(t, bouncer.url), 'shared'), 0)
    })

    test('processes that start together set up a table of their own', async t => {
      const stores = [1, 2, 3].map(() => storeAt(t, bouncer.url, { table: 'starts' }))
      await Promise.all(stores.map(store => store.setup()))
    })
  })
})

suiteOn('postgres-npm', 'PostgreSQL whose transactions are serializable', title => {
  const { test } = row({ store: 'postgres', client, server: `${title}, serializable` })
  const clock = manualClock()
  let server: Server
  let pool: pg.Pool
  before(async () => {
    server = await startPostgres({ source: 'npm', args: ['-c', 'default_transaction_isolation=serializable'] })
    pool = poolOf({ connectionString: server.url })
    await postgresStore(pool, { sweepEvery: false }).setup()
  })
  after(async () => {
    await pool.end()
    await server.stop()
  })

  proveContract(test, {
    clock,
    open: () => postgresStore(pool, { sweepEvery: false, now: clock.now }),
    capabilities: UNORDERED,
  })

  test(`${WRITERS} that write to one session at the same time are repeated until all is there`, async t => {
    assert.equal(await setAtOnce(storeAt(t, server.url), 'strict'), 0)
  })
})

/** What a store does that may read and not write: what it reads is there, and no write is acknowledged. */
async function readOnly(writable: Store, store: Store, error: object): Promise<void> {
  const record = { members: { user: '"ada"' }, lifetime: {}, subject: digestOf('ada') }
  await writable.create('kept', record, HOUR, CALL)
  for (let n = 0; !(await store.read('kept', CALL)); n++) {
    assert.ok(n < 500, 'it is not replicated')
    await new Promise(resolve => setTimeout(resolve, 10))
  }
  const writes: ReadonlyArray<() => unknown> = [
    () => store.create('new', record, HOUR, CALL),
    () => store.patch('kept', { ...PATCH, set: { a: '1' } }, HOUR, CALL),
    () => store.touch('kept', {}, HOUR, CALL),
    () => store.retire('kept', {}, HOUR, CALL),
    () => store.destroy('kept', CALL),
    () => store.destroyAll('ada'),
  ]
  for (const write of writes) await assert.rejects(async () => write(), error, String(write))
  assert.deepEqual({ ...(await writable.read('kept', CALL))?.members }, record.members)
}

type Store = ReturnType<typeof redisStore>

suiteOn('postgres-npm', 'PostgreSQL that may only be read', title => {
  let server: Server
  before(async () => {
    server = await startPostgres({ source: 'npm' })
  })
  after(() => server.stop())

  row({ store: 'postgres', client, server: `${title}, read-only` }).test(
    'gives what is there, and acknowledges no write',
    async t => {
      const [writable, store] = [server.url, `${server.url}?options=-c%20default_transaction_read_only%3Don`].map(url =>
        storeAt(t, url),
      )
      assert.ok(writable && store)
      await writable.setup()
      await store.setup()
      // As of a replica, too.
      await readOnly(writable, store, { code: '25006' })
      assert.equal((await store.list('ada')).length, 1)
      const absent = storeAt(t, `${server.url}?options=-c%20default_transaction_read_only%3Don`, { table: 'absent' })
      await assert.rejects(absent.setup(), { code: '25006' })
    },
  )
})

suiteOn('redis', 'a replica of Redis', title => {
  const what = { store: 'redis', client: `ioredis ${versionOfPackage('ioredis')}`, server: `${title}, a replica` }
  row(what).test('gives what is there, and acknowledges no write', async t => {
    const main = await startRedis()
    const replica = await startRedis({ args: ['--replicaof', '127.0.0.1', String(main.port)] })
    const [writable, store] = [main, replica].map(({ port }) => {
      const redis = new Redis(port)
      t.after(() => redis.quit())
      return redisStore(redis)
    })
    t.after(() => Promise.all([replica.stop(), main.stop()]))
    assert.ok(writable && store)
    const error = { message: /^READONLY/ }
    await readOnly(writable, store, error)
    // To look at an index is to remove from it what has expired.
    await assert.rejects(async () => store.list('ada'), error)
  })
})
