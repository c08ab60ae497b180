import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { describe, type TestContext as Test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type SqliteDatabase, type SqliteStatement, sqliteStore } from 'koa-session/sqlite'
import { manualClock } from 'koa-session/testing'
import { row } from '../../servers/report.ts'
import { sqliteClients } from '../../servers/sqlite.ts'
import { digestOf as digest } from '../support/contract.ts'
import { SHARED, sqliteFile } from '../support/sqlite.ts'
import { type Before, sqlSuite } from './suite.ts'

const WRITER = fileURLToPath(new URL('sqlite-writer.ts', import.meta.url))

/** How a client is told to give BigInts. */
interface WithBigInts {
  safeIntegers?(isOn: boolean): unknown
  setReadBigInts?(isOn: boolean): unknown
}

// Those that are not for this Node are in the table already.
for (const client of sqliteClients().filter(({ missing }) => missing === undefined)) {
  describe(`what is particular to SQLite by ${client.name}`, () => {
    const { test } = row({ store: 'sqlite', client: client.title, server: 'a file' })
    sqlSuite(test, t => {
      const { connect } = sqliteFile(t, client, SHARED)
      const db = connect()
      return {
        connect: (options, before) => sqliteStore(before ? told(connect(), before) : connect(), options),
        run: async sql =>
          sql.startsWith('SELECT')
            ? (db.prepare(sql).all() as Record<string, unknown>[])
            : [db.exec(sql)].map(() => ({})),
        dialect: 'sqlite',
        quote: identifier => `"${identifier}"`,
        async planOf(sql) {
          db.exec('ANALYZE')
          const steps = db.prepare(`EXPLAIN QUERY PLAN ${sql}`).all() as { detail: string }[]
          return steps.map(({ detail }) => detail).join('\n')
        },
      }
    })

    const call = { ctx: undefined, rolling: false, changed: true }
    const HOUR = 3_600_000

    const openFor = (t: Test, setup = '') => sqliteFile(t, client, setup)

    test('it answers at once', async t => {
      const store = sqliteStore(openFor(t).connect(), { sweepEvery: false })
      await store.setup()
      assert.equal(store.create('a', { members: { a: '1' }, lifetime: {} }, HOUR, call), true)
      assert.deepEqual(store.get('a', 0, call), { a: 1 })
      assert.equal(store.touch('a', {}, HOUR, call), true)
      assert.equal(store.patch('a', { set: {}, unset: ['a'], lifetime: {}, keepsEmpty: false }, HOUR, call), 'emptied')
    })

    test('a tombstone is followed for as long as its session would have lived', async t => {
      const { now, advance } = manualClock()
      const store = sqliteStore(openFor(t).connect(), { sweepEvery: false, now })
      await store.setup()
      for (const [ids, passed, left] of [
        [['a', 'b'], HOUR - 1, undefined],
        [['c', 'd'], HOUR, 1],
      ] as const) {
        for (const id of ids) store.create(id, { members: { a: '1' }, lifetime: {} }, 2 * HOUR, call)
        store.retire(ids[0], { successor: ids[1] }, HOUR, call)
        advance(passed)
        await store.destroy(ids[0], call)
        assert.deepEqual((store.get(ids[1], 0, call) as { a?: number } | undefined)?.a, left)
      }
    })

    test('its statements are prepared once, when they are used', async t => {
      const db = openFor(t).connect()
      const prepared: string[] = []
      const counted: SqliteDatabase = {
        exec: sql => db.exec(sql),
        prepare(sql) {
          prepared.push(sql)
          return db.prepare(sql)
        },
      }
      const store = sqliteStore(counted, { sweepEvery: false })
      await store.setup()
      // What the set-up looks at.
      prepared.length = 0
      for (let n = 0; n < 5; n++) {
        await store.set('a', { n }, HOUR, call)
        await store.get('a', 0, call)
      }
      assert.equal(prepared.length, 2)
    })

    test('it never looks through the whole table', async t => {
      const db = openFor(t).connect()
      const store = sqliteStore(db, { sweepEvery: false })
      await store.setup()
      const plans: string[] = []
      const planned = sqliteStore(
        told(db, sql => {
          const parameters = Array(sql.split('?').length - 1).fill(0)
          const steps = db.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...parameters) as Array<{ detail: string }>
          plans.push(...steps.map(({ detail }) => detail))
        }),
        { sweepEvery: false },
      )
      await planned.list('ada')
      await planned.sweep()
      await planned.destroy('a', call)
      await planned.touch('a', {}, HOUR, call)
      assert.ok(plans.some(plan => /SEARCH sessions USING INDEX sessions_subject/.test(plan)))
      assert.ok(plans.some(plan => /SEARCH sessions USING .*INDEX sessions_expires_at/.test(plan)))
      assert.deepEqual(
        plans.filter(plan => /SCAN sessions/.test(plan)),
        [],
      )
    })

    test('without its table it fails, until that is made', async t => {
      const store = sqliteStore(openFor(t).connect(), { sweepEvery: false })
      assert.throws(() => store.read('a', call), /no such table/)
      await assert.rejects(store.sweep(), /no such table/)
      await store.setup()
      assert.equal(store.read('a', call), undefined)
    })

    test('a database that another holds locked is unavailable, and then it is not', async t => {
      const { connect } = openFor(t, 'PRAGMA journal_mode = WAL; PRAGMA busy_timeout = 10')
      let tries = 0
      const store = sqliteStore(
        told(connect(), () => tries++),
        { sweepEvery: false },
      )
      await store.setup()
      store.set('a', { n: 1 }, HOUR, call)
      const other = connect()
      tries = 0
      other.exec('BEGIN IMMEDIATE')
      assert.throws(() => store.set('a', { n: 2 }, HOUR, call), /locked|busy/)
      assert.throws(() => store.touch('a', {}, HOUR, call), /locked|busy/)
      assert.equal(tries, 2, 'the event loop waits for busy_timeout once')
      assert.deepEqual(store.get('a', 0, call), { n: 1 })
      other.exec('COMMIT')
      store.set('a', { n: 3 }, HOUR, call)
      assert.deepEqual(store.get('a', 0, call), { n: 3 })
    })

    test('what is acknowledged after a lock is seen by others at once, whatever was refused before', async t => {
      const { connect } = openFor(t, 'PRAGMA journal_mode = WAL; PRAGMA busy_timeout = 10')
      const [store, seen] = [connect(), connect()].map(db => sqliteStore(db, { sweepEvery: false }))
      assert.ok(store && seen)
      await store.setup()
      const record = { members: { n: '1' }, lifetime: {}, subject: digest('ada') }
      const patch = { set: { m: '1' }, unset: [], lifetime: {}, keepsEmpty: false }
      store.create('before', record, HOUR, call)
      const other = connect()
      const writes: ReadonlyArray<() => unknown> = [
        () => store.create('refused', record, HOUR, call),
        () => store.patch('before', patch, HOUR, call),
        () => store.touch('before', {}, HOUR, call),
        () => store.retire('before', { successor: 'refused' }, HOUR, call),
        () => store.destroy('before', call),
        () => store.sweep(),
      ]
      for (const [index, write] of writes.entries()) {
        other.exec('BEGIN IMMEDIATE')
        await assert.rejects(async () => write(), /locked|busy/)
        other.exec('ROLLBACK')
        assert.equal(store.create(`after ${index}`, record, HOUR, call), true)
        assert.ok(seen.read(`after ${index}`, call), `after write ${index}`)
        assert.equal(
          seen.patch('before', { ...patch, set: { i: `${index}` } }, HOUR, call),
          'saved',
          'it is not locked',
        )
      }
      assert.deepEqual({ ...(await seen.read('before', call))?.members }, { n: '1', i: '5' })
      assert.equal(await seen.read('refused', call), undefined)
    })

    test('of two processes that write to one session none loses what the other wrote', async t => {
      const { file, connect } = openFor(t, 'PRAGMA journal_mode = WAL; PRAGMA busy_timeout = 5000')
      const store = sqliteStore(connect(), { sweepEvery: false })
      await store.setup()
      store.create('a', { members: {}, lifetime: {} }, HOUR, call)
      await Promise.all(['one', 'two'].map(who => write(client.name, file, who)))
      const record = await store.read('a', call)
      assert.equal(Object.keys(record?.members ?? {}).length, 200)
      assert.equal(record?.version, 200)
    })

    test('it does not mind integers that are BigInts', async t => {
      const db = openFor(t).connect()
      const withBigInts: SqliteDatabase = {
        exec: sql => db.exec(sql),
        prepare(sql) {
          const statement: SqliteStatement & WithBigInts = db.prepare(sql)
          if (statement.safeIntegers) statement.safeIntegers(true)
          else statement.setReadBigInts?.(true)
          // Some give one for what was changed, too.
          const run = (...values: unknown[]) => ({ changes: BigInt(statement.run(...values).changes) })
          return { all: (...values) => statement.all(...values), run }
        },
      }
      const store = sqliteStore(withBigInts, { sweepEvery: false, now: () => 5 })
      await store.setup()
      store.create('a', { members: { a: '1' }, lifetime: {}, subject: digest('ada') }, HOUR, call)
      assert.equal(
        store.patch('a', { set: {}, unset: ['b'], lifetime: {}, keepsEmpty: false, version: 0 }, HOUR, call),
        'saved',
      )
      assert.equal((await store.read('a', call))?.version, 1)
      assert.equal((await store.list('ada'))[0]?.expiresAt, HOUR + 5)
      assert.equal(
        store.patch('a', { set: {}, unset: ['a'], lifetime: {}, keepsEmpty: false, version: 1 }, HOUR, call),
        'emptied',
      )
      assert.equal(await store.sweep(), 0)
    })

    test('noise in its columns is nothing, and is not in the way', async t => {
      const db = openFor(t).connect()
      const store = sqliteStore(db, { sweepEvery: false })
      await store.setup()
      store.create('a', { members: { a: '1' }, lifetime: {}, subject: digest('ada') }, HOUR, call)
      db.exec(`UPDATE sessions SET data = '{"a'`)
      const patch = { set: { b: '1' }, unset: ['a'], lifetime: {}, keepsEmpty: false }
      assert.equal(store.read('a', call), undefined)
      assert.equal(store.patch('a', patch, HOUR, call), 'gone')
      assert.equal(store.patch('a', { ...patch, version: 0 }, HOUR, call), 'gone')
      assert.equal(store.count(), 0)
      assert.equal(store.destroyAll('ada'), 1)
    })

    test('sealed values are sealed in the table, and no others open', async t => {
      const db = openFor(t).connect()
      const options = {
        sweepEvery: false as const,
        hashIds: false,
        seal: ['k'.repeat(10) + randomBytes(32).toString('base64url')],
      }
      const store = sqliteStore(db, options)
      await store.setup()
      for (const id of ['a', 'b']) store.set(id, { user: `ada of ${id}` }, HOUR, call)
      const rows = db.prepare('SELECT data FROM sessions').all() as Array<{ data: string }>
      for (const { data } of rows) assert.doesNotMatch(data, /ada of/)
      assert.deepEqual(store.get('a', 0, call), { user: 'ada of a' })
      db.exec(`UPDATE sessions SET data = (SELECT data FROM sessions WHERE name = 'b')`)
      assert.equal(store.get('a', 0, call), undefined)
      assert.deepEqual(store.get('b', 0, call), { user: 'ada of b' })
    })
  })
}

/** Has another process set a hundred keys. */
async function write(client: string, file: string, who: string): Promise<void> {
  const child = spawn(process.execPath, ['--import', 'tsx', WRITER, client, file, who], { stdio: 'inherit' })
  const [code] = await once(child, 'exit')
  assert.equal(code, 0)
}

/** `db`, that tells of each statement before it is run. */
function told(db: SqliteDatabase, before: Before): SqliteDatabase {
  return {
    exec: sql => db.exec(sql),
    prepare(sql) {
      const statement = db.prepare(sql)
      return {
        run(...values) {
          before(sql)
          return statement.run(...values)
        },
        all(...values) {
          before(sql)
          return statement.all(...values)
        },
      }
    },
  }
}
