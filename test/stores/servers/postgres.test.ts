/** Sessions in PostgreSQL, the machine's and npm's; by pg, and by a store of express-session. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { createRequire } from 'node:module'
import { after, before, describe } from 'node:test'
import expressSession from 'express-session'
import type { Store } from 'koa-session'
import { connectStore, type ExpressStore } from 'koa-session/connect'
import { type PostgresClient, type PostgresStoreOptions, postgresStore } from 'koa-session/postgres'
import { manualClock } from 'koa-session/testing'
import pg from 'pg'
import { versionOfPackage } from '../../servers/found.ts'
import { poolOf } from '../../servers/pool.ts'
import { startPostgres } from '../../servers/postgres.ts'
import { row, suiteOn } from '../../servers/report.ts'
import type { Server } from '../../servers/server.ts'
import { checkClock, sqlSuite, useAll } from '../sql/suite.ts'
import { tellVisitor } from '../support/connect.ts'
import {
  digestOf as digest,
  proveContract,
  proveContractInTime,
  TTL_OF_SECONDS,
  UNORDERED,
} from '../support/contract.ts'
import { grantsIn } from '../support/grants.ts'
import { proveParallel } from '../support/parallel.ts'
import { proveReuse } from '../support/reuse.ts'

const require = createRequire(import.meta.url)
// It comes without types.
const PgStore: new (options: object) => ExpressStore = require('connect-pg-simple')(expressSession)

for (const source of ['apt', 'npm'] as const) {
  suiteOn(`postgres-${source}`, `stores in PostgreSQL of ${source}`, title => {
    let server: Server
    before(async () => {
      server = await startPostgres({ source })
    })
    after(() => server.stop())
    suiteIn(title, () => server.url)
  })
}

function suiteIn(title: string, urlOf: () => string): void {
  const client = `pg ${versionOfPackage('pg')}`
  const { test } = row({ store: 'postgres', client, server: title })

  describe('by pools', () => {
    const pools: pg.Pool[] = []
    const clock = manualClock()
    const storeIn = (pool: pg.Pool | undefined, options: PostgresStoreOptions = {}) =>
      postgresStore(pool ?? assert.fail('there is no pool'), { sweepEvery: false, ...options })
    before(async () => {
      for (const _ of [1, 2]) pools.push(poolOf({ connectionString: urlOf() }))
      await storeIn(pools[0]).setup()
    })
    after(() => Promise.all(pools.map(pool => pool.end())))

    proveContract(test, {
      clock,
      open: () => storeIn(pools[0], { now: clock.now }),
      capabilities: UNORDERED,
      async corrupt(id) {
        const changed = await pools[1]?.query("UPDATE sessions SET data = '[1]' WHERE name = $1", [digest(id)])
        assert.equal(changed?.rowCount, 1)
      },
    })
    proveParallel(test, () => pools.map((pool, index) => storeIn(pool, { prepare: index === 1 })))
    proveReuse(test, { open: options => storeIn(pools[0], options) as Required<Store>, hasClock: true })
  })

  describe('connect-pg-simple', () => {
    const versions = `connect-pg-simple ${versionOfPackage('connect-pg-simple')}, ${client}`
    const { test } = row({ store: 'connect', client: versions, server: title })
    let pool: pg.Pool
    const open = () => new PgStore({ pool, createTableIfMissing: true, pruneSessionInterval: false })
    before(async () => {
      pool = poolOf({ connectionString: urlOf() })
      // Of several that make the table at once all but one fail.
      await connectStore(open()).get('a')
    })
    after(() => pool.end())

    proveContractInTime(test, {
      open: () => connectStore(open()),
      ttl: TTL_OF_SECONDS,
      // Ids are texts of PostgreSQL as they are. Those that the middleware makes have no NUL.
      limits: { 'hostile ids: an id is only a name, whatever it is, and those that look alike are different': /0x00/ },
    })

    test('a visitor signs in, counts, signs out and expires', async t => {
      const { other, id, connected } = await tellVisitor(t, open(), Date.now)
      const hostile = { '\u0000': '\u0000', '😀': '\ud800', '$.a': null }
      await connected.set(id, { user: 'ada', ...hostile }, HOUR)
      assert.deepEqual(await connected.get(id), { user: 'ada', ...hostile })
      await other.get('/short')
      const { rows } = await pool.query(
        'SELECT extract(epoch FROM expire - now()) AS left FROM session WHERE sid = $1',
        [id],
      )
      assert.ok(rows[0].left > 5 && rows[0].left <= 12, `lives for ${rows[0].left} s`)
      await pool.query("UPDATE session SET expire = now() - interval '2 seconds'")
      assert.equal((await other.get('/')).text, 'nobody')
    })
  })

  sqlSuite(test, t => {
    const connect = () => {
      const pool = poolOf({ connectionString: urlOf(), max: 4 })
      t.after(() => pool.end())
      return pool
    }
    const pool = connect()
    return {
      connect(options, before = () => {}) {
        const own = connect()
        const client: PostgresClient = {
          async query(query) {
            await before(query.text)
            return own.query({ ...query })
          },
        }
        return postgresStore(client, options)
      },
      run: async sql => (await pool.query<Record<string, unknown>>(sql)).rows,
      dialect: 'postgres',
      quote: identifier => `"${identifier}"`,
      async planOf(sql, table) {
        await pool.query(`ANALYZE ${table}`)
        // In one message, which is one transaction. A small table would be read as a whole.
        const answers = await pool.query(`SET LOCAL enable_seqscan = off; EXPLAIN ${sql}`)
        const { rows } = (answers as unknown as pg.QueryResult[])[1] ?? assert.fail('there is no plan')
        return rows.map(row => row['QUERY PLAN']).join('\n')
      },
    }
  })

  const call = { ctx: undefined, rolling: false, changed: true }
  const HOUR = 3_600_000

  test('one connection is enough, statements may be named, and integers be of any type', async t => {
    const types = { getTypeParser: (id: number) => (id === 20 ? BigInt : pg.types.getTypeParser(id)) }
    const client = new pg.Client({ connectionString: urlOf(), types: types as never })
    await client.connect()
    t.after(() => client.end())
    const schema = `schema_${randomBytes(4).toString('hex')}`
    await client.query(`CREATE SCHEMA ${schema}`)
    const now = () => 1_700_000_000_000
    const store = postgresStore(client, { table: `${schema}.Sessions`, prepare: true, sweepEvery: false, now })
    await store.setup()
    for (const n of [0, 1, 2]) {
      await store.create(
        `session ${n}`,
        { members: { n: String(n) }, lifetime: {}, subject: digest('ada') },
        HOUR,
        call,
      )
      const patch = { set: {}, unset: ['m'], lifetime: {}, keepsEmpty: false, version: 0 }
      assert.equal(await store.patch(`session ${n}`, patch, HOUR, call), 'saved')
      assert.equal((await store.read(`session ${n}`, call))?.version, 1)
    }
    assert.equal((await store.list('ada'))[0]?.expiresAt, now() + HOUR)
    const { rows } = await client.query(`SELECT name FROM pg_prepared_statements`)
    assert.equal(rows.length, 4)
    assert.ok(rows.every(({ name }) => name.length === 43))
  })

  test('the time zone of a connection does not matter to the clock of the server', async t => {
    const client = new pg.Client({ connectionString: urlOf() })
    await client.connect()
    t.after(() => client.end())
    await client.query("SET TIME ZONE 'Asia/Kolkata'")
    const table = `t_${randomBytes(4).toString('hex')}`
    await checkClock(postgresStore(client, { table, sweepEvery: false }), async () => {
      const { rows } = await client.query(`SELECT retired_at FROM ${table}`)
      return rows.map(({ retired_at }) => retired_at)
    })
  })

  test('a user who may SELECT, INSERT, UPDATE and DELETE is enough, once the table is there', async t => {
    const [owner, table, name] = [urlOf(), 'granted', 'app_user']
    const admin = poolOf({ connectionString: owner })
    t.after(() => admin.end())
    await admin.query(`CREATE ROLE ${name} LOGIN`)
    const app = poolOf({ connectionString: owner.replace('postgres@', `${name}@`) })
    t.after(() => app.end())
    const store = postgresStore(app, { table, sweepEvery: false })
    await assert.rejects(store.setup(), { code: '42501' })
    await postgresStore(admin, { table, sweepEvery: false }).setup()
    for (const grant of grantsIn('postgres')) await admin.query(grant.replace('sessions', table))
    await useAll(store)
    await assert.rejects(app.query(`CREATE TABLE t_${randomBytes(4).toString('hex')} (a int)`), { code: '42501' })
  })

  test('a database in LATIN1 keeps any text', async t => {
    const admin = new pg.Client({ connectionString: urlOf() })
    await admin.connect()
    t.after(() => admin.end())
    const name = `latin_${randomBytes(4).toString('hex')}`
    await admin.query(`CREATE DATABASE ${name} ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0`)
    const pool = poolOf({ connectionString: urlOf().replace(/[^/]*$/, name) })
    t.after(() => pool.end())
    const store = postgresStore(pool, { sweepEvery: false })
    await store.setup()
    const members = { 'né🍪': '"Jörg 🍪 日本"', plain: '"\\u0000"' }
    await store.create('a', { members, lifetime: {} }, HOUR, call)
    const patch = { set: { more: '"🍪"' }, unset: [], lifetime: {}, keepsEmpty: false }
    assert.equal(await store.patch('a', patch, HOUR, call), 'saved')
    assert.deepEqual({ ...(await store.read('a', call))?.members }, { ...members, more: '"🍪"' })
    // As it was written until now, as far as it could be.
    await pool.query('UPDATE sessions SET data = $1', [JSON.stringify({ user: '"Jörg"' })])
    assert.deepEqual({ ...(await store.read('a', call))?.members }, { user: '"Jörg"' })
  })

  test('a sweep does not wait for what somebody else is deleting', async t => {
    const pool = poolOf({ connectionString: urlOf() })
    t.after(() => pool.end())
    const table = `locked_${randomBytes(4).toString('hex')}`
    const store = postgresStore(pool, { table, sweepEvery: false })
    await store.setup()
    for (const id of ['a', 'b', 'c']) await store.create(id, { members: {}, lifetime: {} }, 0, call)
    const other = await pool.connect()
    await other.query(`BEGIN; SELECT name FROM ${table} LIMIT 1 FOR UPDATE`)
    assert.equal(await store.sweep(), 2)
    await other.query('ROLLBACK')
    other.release()
    assert.equal(await store.sweep(), 1)
  })

  test('a sweep finds what has expired by the index, however much it is', async t => {
    const pool = poolOf({ connectionString: urlOf() })
    t.after(() => pool.end())
    const table = `many_${randomBytes(4).toString('hex')}`
    const asked: Array<{ readonly text: string; readonly values?: unknown[] }> = []
    const client: PostgresClient = {
      query(query) {
        asked.push(query)
        return pool.query({ ...query })
      },
    }
    const [store, other] = [{ now: () => 10_000 }, {}].map(clock => {
      return postgresStore(client, { table, sweepEvery: false, ...clock })
    })
    assert.ok(store && other)
    await store.setup()
    asked.length = 0
    for (const one of [store, other]) assert.equal(await one.sweep(), 0)
    const sweeps = asked.splice(0)
    // They do not expire in the order in which they lie there.
    await pool.query(`INSERT INTO ${table} (name, data, lifetime, version, created_at, seen_at, expires_at)
      SELECT md5(n::text), '{}', '{}', 0, 0, 0, (n * 7919) % 20000 + 1 FROM generate_series(1, 20000) AS n`)
    await pool.query(`ANALYZE ${table}`)
    assert.equal(sweeps.length, 2)
    for (const { text, values = [] } of sweeps) {
      const { rows } = await pool.query(`EXPLAIN ${text}`, values)
      const plan = rows.map(row => row['QUERY PLAN']).join('\n')
      assert.match(plan, new RegExp(`Index Scan using ${table}_expires_at`))
      assert.doesNotMatch(plan, /Seq Scan/)
    }
    for (const one of [store, other]) assert.equal(await one.sweep(), 10_000)
  })
}
