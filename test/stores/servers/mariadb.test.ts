/** Sessions in MariaDB and in MySQL, by each kind of pool of mysql2. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe } from 'node:test'
import { type MysqlClient, mysqlStore } from 'koa-session/mysql'
import { manualClock } from 'koa-session/testing'
import mysqlCallbacks from 'mysql2'
import mysql from 'mysql2/promise'
import { versionOfPackage } from '../../servers/found.ts'
import { startMariadb } from '../../servers/mariadb.ts'
import { startMysql } from '../../servers/mysql.ts'
import { row, suiteOn } from '../../servers/report.ts'
import type { Server } from '../../servers/server.ts'
import { sqlSuite } from '../sql/suite.ts'
import { ALL, digestOf as digest, proveContract, UNORDERED } from '../support/contract.ts'
import { proveParallel } from '../support/parallel.ts'

const version = versionOfPackage('mysql2')

/** The kinds of pools that there are. */
const POOLS = {
  [`mysql2/promise ${version}`]: (uri: string) => mysql.createPool({ uri }),
  [`mysql2 ${version}`]: (uri: string) => mysqlCallbacks.createPool({ uri }),
}
type Pool = ReturnType<(typeof POOLS)[string]>

suiteOn('mariadb', 'stores in MariaDB', title => prove(title, startMariadb, ALL))
// It keeps keys in an order of its own.
suiteOn('mysql', 'stores in MySQL', title => prove(title, startMysql, UNORDERED))

function prove(title: string, start: () => Promise<Server>, capabilities: typeof ALL): void {
  let server: Server
  const urlOf = () => server.url
  before(async () => {
    server = await start()
  })
  after(() => server.stop())

  const rowOf = (client: string) => row({ store: 'mysql', client, server: title })
  const pools: Pool[] = []
  const storeIn = (index: number, now = Date.now) =>
    mysqlStore(pools[index] ?? assert.fail('there is no pool'), { sweepEvery: false, now })
  before(async () => {
    for (const connect of Object.values(POOLS)) pools.push(connect(urlOf()))
    await storeIn(0).setup()
  })
  after(() => Promise.all(pools.map(pool => ('promise' in pool ? pool.promise() : pool).end())))

  for (const [index, client] of Object.keys(POOLS).entries()) {
    describe(`by ${client}`, () => {
      const clock = manualClock()
      proveContract(rowOf(client).test, {
        clock,
        open: () => storeIn(index, clock.now),
        capabilities,
        async corrupt(id) {
          const pool = mysql.createPool(urlOf())
          const [changed] = await pool.execute("UPDATE sessions SET data = '[1]' WHERE name = ?", [digest(id)])
          await pool.end()
          assert.equal(Object(changed).affectedRows, 1)
        },
      })
    })
  }

  describe('by both at the same time', () => {
    proveParallel(rowOf(Object.keys(POOLS).join(', ')).test, () => [storeIn(0), storeIn(1)])
  })

  const { test } = rowOf(`mysql2/promise ${version}`)
  sqlSuite(test, t => {
    const connect = () => {
      const pool = mysql.createPool({ uri: urlOf(), connectionLimit: 4 })
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
      async planOf(sql, table) {
        await pool.query(`ANALYZE TABLE ${table}`)
        const [rows] = await pool.query(`EXPLAIN ${sql}`)
        // MySQL gives a tree as a text.
        const steps = rows as Array<{ key?: string | null; EXPLAIN?: string }>
        return steps.map(({ key, EXPLAIN }) => key ?? EXPLAIN).join('\n')
      },
    }
  })

  const call = { ctx: undefined, rolling: false, changed: true }
  const HOUR = 3_600_000
  const patch = { set: {}, unset: ['m'], lifetime: {}, keepsEmpty: false, version: 0 }

  test('it does not matter what a connection counts as affected, or gives for an integer', async t => {
    const kinds = [{}, { flags: ['-FOUND_ROWS'] }, { supportBigNumbers: true, bigNumberStrings: true }]
    for (const kind of [...kinds, { namedPlaceholders: true }, { jsonStrings: true }]) {
      const pool = mysql.createPool({ uri: urlOf(), ...kind })
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

  test('setup() makes room for sealed subjects in a table of the version before', async t => {
    const pool = mysql.createPool({ uri: urlOf() })
    t.after(() => pool.end())
    const table = `t_${randomBytes(4).toString('hex')}`
    const options = { table, sweepEvery: false, seal: ['tqcFRmO4JzXyL1hPn7uVbE2wKd9sGa0i'] } as const
    const store = mysqlStore(pool, options)
    await pool.query((store.setupSql[0] ?? '').replace('subject VARCHAR(64)', 'subject VARCHAR(43)'))
    const record = { members: { n: '1' }, lifetime: {}, subject: digest('ada') }
    await mysqlStore(pool, { ...options, seal: undefined }).create('before', record, HOUR, call)
    await assert.rejects(async () => store.create('a', record, HOUR, call), { code: 'ER_DATA_TOO_LONG' })
    await store.setup()
    assert.equal(await store.create('a', record, HOUR, call), true)
    assert.equal((await store.list('ada')).length, 2)
  })

  test('the server has nothing to say against the statements', async t => {
    const connection = await mysql.createConnection(urlOf())
    t.after(() => connection.end())
    const told: unknown[] = []
    const client: MysqlClient = {
      async execute(sql, values) {
        // As text, since the warnings of a statement that is prepared come with that.
        const answer = await connection.query(sql, values)
        const [warnings] = await connection.query('SHOW WARNINGS')
        told.push(...(warnings as Array<{ Message: string }>).map(({ Message }) => Message))
        return answer
      },
      query: sql => connection.query(sql),
    }
    const store = mysqlStore(client, { table: `t_${randomBytes(4).toString('hex')}`, sweepEvery: false })
    await store.setup()
    for (const n of [1, 2]) await store.set('a', { n, text: 'x'.repeat(100_000) }, HOUR, call)
    assert.deepEqual(await store.get('a', 0, call), { n: 2, text: 'x'.repeat(100_000) })
    await store.create('b', { members: { n: '1' }, lifetime: {}, subject: digest('ada') }, HOUR, call)
    await store.patch('b', { ...patch, set: { o: '1' } }, HOUR, call)
    await store.touch('b', {}, HOUR, call)
    await store.retire('b', { successor: 'a' }, HOUR, call)
    await store.destroyAll('ada')
    await store.destroy('b', call)
    await store.sweep()
    assert.deepEqual(told, [])
  })

  test('a pool that takes callbacks is as good', async t => {
    const pool = mysqlCallbacks.createPool({ uri: urlOf() })
    t.after(() => pool.end())
    const [rows] = await pool.promise().query('SELECT DATABASE() AS name')
    const { name } = (rows as Array<{ name: string }>)[0] ?? {}
    const store = mysqlStore(pool, { table: `${name}.t_${randomBytes(4).toString('hex')}`, sweepEvery: false })
    await store.setup()
    await store.set('a', { user: 'ada' }, HOUR, call)
    assert.deepEqual(await store.get('a', 0, call), { user: 'ada' })
  })

  test('what exceeds the packet of the server is refused, and what was there stays', async t => {
    const pool = mysql.createPool({ uri: urlOf() })
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
    const other = mysql.createPool({ uri: urlOf() })
    t.after(() => other.end())
    assert.deepEqual({ ...(await mysqlStore(other, options).read('a', call))?.members }, { n: '1' })
  })
}
