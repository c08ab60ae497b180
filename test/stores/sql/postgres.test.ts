import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import test from 'node:test'
import pg from 'pg'
import { digest } from '../../../src/codec/digest.ts'
import { type PostgresClient, postgresStore } from '../../../src/stores/sql/postgres.ts'
import { postgresUrl } from './servers.ts'
import { sqlSuite } from './suite.ts'

test.describe('postgres', { skip: !postgresUrl && 'no server' }, () => {
  sqlSuite(t => {
    const connect = () => {
      const pool = new pg.Pool({ connectionString: postgresUrl, max: 4 })
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
      quote: identifier => `"${identifier}"`,
    }
  })

  const call = { ctx: undefined, rolling: false, changed: true }
  const HOUR = 3_600_000

  test('one connection is enough, statements may be named, and integers be of any type', async t => {
    const types = { getTypeParser: (id: number) => (id === 20 ? BigInt : pg.types.getTypeParser(id)) }
    const client = new pg.Client({ connectionString: postgresUrl, types: types as never })
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

  test('a sweep does not wait for what somebody else is deleting', async t => {
    const pool = new pg.Pool({ connectionString: postgresUrl })
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
})
