/** Sessions in MariaDB and in MySQL, by each kind of pool of mysql2. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe } from 'node:test'
import type { Store } from 'koa-session'
import { type MysqlClient, mysqlStore } from 'koa-session/mysql'
import { manualClock } from 'koa-session/testing'
import mysqlCallbacks from 'mysql2'
import mysql from 'mysql2/promise'
import { versionOfPackage } from '../../servers/found.ts'
import { startMariadb } from '../../servers/mariadb.ts'
import { startMysql } from '../../servers/mysql.ts'
import { row, suiteOn } from '../../servers/report.ts'
import type { Server } from '../../servers/server.ts'
import { newSecret } from '../../support/secrets.ts'
import { checkClock, sqlSuite, useAll } from '../sql/suite.ts'
import { ALL, digestOf as digest, proveContract, UNORDERED } from '../support/contract.ts'
import { grantsIn } from '../support/grants.ts'
import { proveParallel } from '../support/parallel.ts'
import { proveReuse } from '../support/reuse.ts'

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
  const storeIn = (index: number, now?: () => number) =>
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
    const { test } = rowOf(Object.keys(POOLS).join(', '))
    proveParallel(test, () => [storeIn(0), storeIn(1)])
    proveReuse(test, { open: options => storeIn(0, options?.now) as Required<Store>, hasClock: true })
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
            if (!sql.includes('@@autocommit')) await before(sql)
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
      dialect: 'mysql',
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

  test('a connection that is set otherwise is an error at first use, and nothing is taken for data', async t => {
    const table = `t_${randomBytes(4).toString('hex')}`
    const good = mysql.createPool({ uri: urlOf() })
    t.after(() => good.end())
    const known = mysqlStore(good, { table, sweepEvery: false })
    await known.setup()
    await known.set('a', { user: 'ada' }, HOUR, call)
    const rows: ReadonlyArray<readonly [options: object, what: RegExp]> = [
      [{ rowsAsArray: true }, /answered rows that are arrays, not objects/],
      [{ nestTables: true }, /answered rows without the columns that were asked for/],
      [{ nestTables: '_' }, /answered rows without the columns that were asked for/],
      [{ typeCast: false }, /answered bytes in place of a text/],
    ]
    for (const [options, what] of rows) {
      const pool = mysql.createPool({ uri: urlOf(), ...options })
      t.after(() => pool.end())
      const store = mysqlStore(pool, { table, sweepEvery: false })
      const error = { code: 'ERR_SESSION_OPTION', message: what }
      await assert.rejects(async () => store.read('a', call), error)
      await assert.rejects(async () => store.set('b', {}, HOUR, call), error)
      await assert.rejects(store.setup(), error)
    }
    const silent = await mysql.createConnection({ uri: urlOf() })
    t.after(() => silent.end())
    await silent.query('SET autocommit = 0')
    const store = mysqlStore(silent, { table, sweepEvery: false })
    const message = /^mysqlStore: the client answered that its autocommit is off, so that nothing would be kept: give/
    await assert.rejects(async () => store.set('b', {}, HOUR, call), { code: 'ERR_SESSION_OPTION', message })
    await silent.query('SET autocommit = 1')
    await store.set('b', { n: 1 }, HOUR, call)
    assert.deepEqual(await known.get('b', 0, call), { n: 1 })
  })

  test('a user who may SELECT, INSERT, UPDATE and DELETE is enough, once the table is there', async t => {
    const admin = mysql.createPool({ uri: urlOf() })
    t.after(() => admin.end())
    await admin.query("CREATE USER 'app_user'@'%'")
    const app = mysql.createPool({ uri: urlOf().replace('root@', 'app_user@') })
    t.after(() => app.end())
    const table = 'granted'
    await mysqlStore(admin, { table, sweepEvery: false }).setup()
    for (const grant of grantsIn('mysql')) await admin.query(grant.replace('sessions', table))
    const store = mysqlStore(app, { table, sweepEvery: false })
    await useAll(store)
    const other = mysqlStore(app, { table: 'missing', sweepEvery: false })
    await assert.rejects(other.setup(), { errno: 1142 })
    await admin.query(`ALTER TABLE ${table} MODIFY subject VARCHAR(43) CHARACTER SET ascii COLLATE ascii_bin`)
    await assert.rejects(store.setup(), { errno: 1142 })
    for (const statement of store.upgradeSql(1)) await admin.query(statement)
    await store.setup()
  })

  test('a connection with the character set latin1 damages no text, and what utf8mb4 wrote before is read', async t => {
    const [latin, utf] = ['latin1', 'utf8mb4'].map(charset => mysql.createPool({ uri: urlOf(), charset }))
    assert.ok(latin && utf)
    t.after(() => Promise.all([latin.end(), utf.end()]))
    const table = `t_${randomBytes(4).toString('hex')}`
    const [store, other] = [latin, utf].map(pool => mysqlStore(pool, { table, sweepEvery: false }))
    assert.ok(store && other)
    await store.setup()
    const members = { 'né🍪': '"Jörg 🍪 日本"', plain: '"\\u0000"' }
    await store.create('a', { members, lifetime: {} }, HOUR, call)
    assert.equal(await store.patch('a', { ...patch, set: { more: '"é"' }, unset: [], version: 0 }, HOUR, call), 'saved')
    for (const one of [store, other]) {
      assert.deepEqual({ ...(await one.read('a', call))?.members }, { ...members, more: '"é"' })
    }
    // As it was written until now.
    const old = JSON.stringify({ 'n~00e9~d83c~df6a': members['né🍪'] })
    await utf.execute(`UPDATE ${table} SET data = ?`, [old])
    assert.deepEqual({ ...(await other.read('a', call))?.members }, { 'né🍪': members['né🍪'] })
    assert.equal(await other.patch('a', { ...patch, set: { more: '"é"' }, unset: [], version: 1 }, HOUR, call), 'saved')
    assert.deepEqual({ ...(await other.read('a', call))?.members }, { 'né🍪': members['né🍪'], more: '"é"' })
  })

  test('setup() makes room for sealed subjects in a table of the version before', async t => {
    const pool = mysql.createPool({ uri: urlOf() })
    t.after(() => pool.end())
    const table = `t_${randomBytes(4).toString('hex')}`
    const options = { table, sweepEvery: false } as const
    const [plain, store] = [mysqlStore(pool, options), mysqlStore(pool, { ...options, seal: [newSecret()] })]
    const columns = async () => {
      const [rows] = await pool.query(`SHOW COLUMNS FROM ${table}`)
      return rows
    }
    assert.equal(store.schemaVersion, 2)
    const first = store.setupSql.slice(0, -store.upgradeSql(1).length)
    for (const statement of first) await pool.query(statement)
    const record = { members: { n: '1' }, lifetime: {}, subject: digest('ada') }
    await plain.create('before', record, HOUR, call)
    await assert.rejects(async () => store.create('a', record, HOUR, call), { code: 'ER_DATA_TOO_LONG' })
    await store.setup()
    assert.equal(await store.create('a', record, HOUR, call), true)
    assert.equal((await store.list('ada')).length, 2)
    const upgraded = await columns()
    await pool.query(`DROP TABLE ${table}`)
    await store.setup()
    assert.deepEqual(await columns(), upgraded, 'it is the same as a new one')
    await pool.query(`ALTER TABLE ${table} MODIFY subject VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin`)
    await store.setup()
    assert.match(JSON.stringify(await columns()), /varchar\(255\)/i, 'what is longer stays so')
  })

  test('the time zone of a connection does not matter to the clock of the server', async t => {
    const connection = await mysql.createConnection(urlOf())
    t.after(() => connection.end())
    await connection.query("SET time_zone = '+05:30'")
    const table = `t_${randomBytes(4).toString('hex')}`
    await checkClock(mysqlStore(connection, { table, sweepEvery: false }), async () => {
      const [rows] = await connection.query(`SELECT retired_at FROM ${table}`)
      return (rows as Array<{ retired_at: number }>).map(({ retired_at }) => retired_at)
    })
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
