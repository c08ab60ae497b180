import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import test from 'node:test'
import mysqlCallbacks from 'mysql2'
import mysql from 'mysql2/promise'
import { digest } from '../../../src/codec/digest.ts'
import { type MysqlClient, mysqlStore } from '../../../src/stores/sql/mysql.ts'
import { mysqlUrl } from './servers.ts'
import { sqlSuite } from './suite.ts'

test.describe('mysql', { skip: !mysqlUrl && 'no server' }, () => {
  sqlSuite(t => {
    const connect = () => {
      const pool = mysql.createPool({ uri: mysqlUrl ?? '', connectionLimit: 4 })
      t.after(() => pool.end())
      return pool
    }
    const pool = connect()
    return {
      connect(options, before = () => {}) {
        const own = connect()
        const client: MysqlClient = {
          async execute(sql, values) {
            await before(sql)
            return own.execute(sql, values)
          },
          query: sql => own.query(sql),
        }
        return mysqlStore(client, options)
      },
      async run(sql) {
        const [rows] = await pool.query(sql)
        return Array.isArray(rows) ? (rows as Record<string, unknown>[]) : []
      },
      quote: identifier => `\`${identifier}\``,
    }
  })

  const call = { ctx: undefined, rolling: false, changed: true }
  const HOUR = 3_600_000
  const patch = { set: {}, unset: ['m'], lifetime: {}, keepsEmpty: false, version: 0 }

  test('it does not matter what a connection counts as affected, or gives for an integer', async t => {
    const kinds = [{}, { flags: ['-FOUND_ROWS'] }, { supportBigNumbers: true, bigNumberStrings: true }]
    for (const kind of [...kinds, { namedPlaceholders: true }, { jsonStrings: true }]) {
      const pool = mysql.createPool({ uri: mysqlUrl ?? '', ...kind })
      t.after(() => pool.end())
      const now = () => 1_700_000_000_000
      const store = mysqlStore(pool, { table: `t_${randomBytes(4).toString('hex')}`, sweepEvery: false, now })
      await store.setup()
      const record = { members: { n: '1' }, lifetime: {}, subject: digest('ada') }
      assert.equal(await store.create('a', record, HOUR, call), true)
      assert.equal(await store.create('a', record, HOUR, call), false)
      for (const _ of [1, 2]) assert.equal(await store.touch('a', {}, HOUR, call), true)
      assert.equal(await store.touch('b', {}, HOUR, call), false)
      assert.equal(await store.patch('a', { ...patch, unset: ['m'] }, HOUR, call), 'saved')
      assert.equal(await store.patch('a', patch, HOUR, call), 'conflict')
      assert.equal((await store.list('ada'))[0]?.expiresAt, now() + HOUR)
      assert.equal(await store.patch('a', { ...patch, unset: ['n'], version: 1 }, HOUR, call), 'emptied')
    }
  })

  test('a pool that takes callbacks is as good', async t => {
    const pool = mysqlCallbacks.createPool({ uri: mysqlUrl ?? '' })
    t.after(() => pool.end())
    const [rows] = await pool.promise().query('SELECT DATABASE() AS name')
    const { name } = (rows as Array<{ name: string }>)[0] ?? {}
    const store = mysqlStore(pool, { table: `${name}.t_${randomBytes(4).toString('hex')}`, sweepEvery: false })
    await store.setup()
    await store.set('a', { user: 'ada' }, HOUR, call)
    assert.deepEqual(await store.get('a', 0, call), { user: 'ada' })
  })

  test('what exceeds the packet of the server is refused, and what was there stays', async t => {
    const pool = mysql.createPool({ uri: mysqlUrl ?? '' })
    t.after(() => pool.end())
    const options = { table: `t_${randomBytes(4).toString('hex')}`, sweepEvery: false } as const
    const store = mysqlStore(pool, options)
    await store.setup()
    await store.create('a', { members: { n: '1' }, lifetime: {} }, HOUR, call)
    const [rows] = await pool.query('SELECT @@max_allowed_packet AS bytes')
    const { bytes = 0 } = (rows as Array<{ bytes: number }>)[0] ?? {}
    const set = { large: JSON.stringify('x'.repeat(bytes)) }
    await assert.rejects(async () => store.patch('a', { ...patch, set }, HOUR, call))
    // The server has ended the connection.
    const other = mysql.createPool({ uri: mysqlUrl ?? '' })
    t.after(() => other.end())
    assert.deepEqual({ ...(await mysqlStore(other, options).read('a', call))?.members }, { n: '1' })
  })
})
