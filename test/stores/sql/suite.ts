/** What holds of a store in a table, whichever database it is in: told of each by its own test. */

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import type { TestContext as Test } from 'node:test'
import type { Patch, Patched, StoredRecord } from 'koa-session'
import type { RecordStore } from 'koa-session/redis'
import type { SqlStore, SqlStoreOptions } from 'koa-session/sqlite'
import { manualClock } from 'koa-session/testing'
import { newSecret } from '../../support/secrets.ts'
import { LIFETIME_OF_ALPHA, MEMBERS_OF_ALPHA, type SqlDialect, tableOfAlpha } from '../support/alpha.ts'
import { digestOf as digest, type Register } from '../support/contract.ts'
import { proveReseal } from '../support/reseal.ts'
import { proveSame } from '../support/same.ts'

/** A database for one test, which ends with it. */
export interface Backend {
  /** A store on a connection of its own, that is told of each statement before it is run. */
  connect(options: SqlStoreOptions, before?: Before): SqlStore
  /** Runs SQL past the store. */
  run(sql: string): Promise<readonly Record<string, unknown>[]>
  readonly dialect: SqlDialect
  quote(identifier: string): string
  /** How the database would run `sql` on `table`, as it tells it; a database that may choose uses an index. */
  planOf(sql: string, table: string): Promise<string>
}

/** What SQLite does not wait for. */
export type Before = (sql: string) => unknown

export type Open = (t: Test) => Backend | Promise<Backend>

const NOW = 1_700_000_000_000
const HOUR = 3_600_000
const call = { ctx: undefined, rolling: false, changed: true }

/** Names of keys, and ids, that a database could stumble over. */
export const HOSTILE = [
  '',
  ' ',
  'a ',
  'a',
  'A',
  'ä',
  '__proto__',
  '$.a',
  'a.b',
  '"',
  "'",
  '\\',
  '`',
  '~',
  '~0000',
  '[0]',
]
HOSTILE.push(
  '🍪',
  '\ud83c',
  '\udf6a',
  '\ufffd',
  '\0',
  '\n',
  '?',
  ':name',
  '$1',
  '%',
  'constructor',
  "'; DROP TABLE x --",
)

function patchOf(patch: Partial<Patch>): Patch {
  return { set: {}, unset: [], lifetime: {}, keepsEmpty: false, ...patch }
}

function recordOf(members: Record<string, string>, subject?: string): StoredRecord {
  return { members, lifetime: { _expire: NOW + HOUR }, subject: subject && digest(subject) }
}

/** Asks all that a store can be asked. */
export async function useAll(store: RecordStore & Partial<Pick<SqlStore, 'setup' | 'sweep'>>): Promise<void> {
  await store.setup?.()
  await store.set('a', { user: 'ada' }, HOUR, call)
  assert.deepEqual(await store.get('a', 0, call), { user: 'ada' })
  assert.equal(await store.create('b', recordOf({ n: '1' }, 'ada'), HOUR, call), true)
  assert.equal(await store.create('b', recordOf({ n: '1' }, 'ada'), HOUR, call), false)
  assert.equal(await store.patch('b', patchOf({ set: { n: '2' } }), HOUR, call), 'saved')
  assert.equal(await store.touch('b', {}, HOUR, call), true)
  assert.equal(await store.create('c', recordOf({ n: '2' }, 'ada'), HOUR, call), true)
  assert.equal(await store.retire('b', { successor: 'c' }, HOUR, call), 'saved')
  assert.equal((await store.list('ada')).length, 1)
  await store.destroy('b', call)
  assert.equal(await store.create('d', recordOf({ n: '1' }, 'ada'), HOUR, call), true)
  assert.equal(await store.patch('d', patchOf({ unset: ['n'] }), HOUR, call), 'emptied')
  assert.equal(await store.create('e', recordOf({}, 'ada'), HOUR, call), true)
  assert.equal(await store.destroyAll('ada'), 1)
  await store.set('f', {}, -1, call)
  await store.sweep?.()
  assert.equal(await store.get('f', 0, call), undefined)
}

/** What a store writes by the clock of the database, `retiredAt` it, by a connection with any time zone. */
export async function checkClock(store: SqlStore, retiredAt: () => Promise<readonly unknown[]>): Promise<void> {
  await store.setup()
  const began = Date.now()
  for (const id of ['a', 'b', 'c', 'd']) {
    await store.create(id, recordOf({}), HOUR, call)
    await store.retire(id, {}, HOUR, call)
  }
  const instants = (await retiredAt()).map(Number)
  const ended = Date.now()
  assert.equal(instants.length, 4)
  for (const at of instants) assert.ok(at >= began - 1 && at <= ended + 1, `${began} <= ${at} <= ${ended}`)
  assert.ok(
    instants.some(at => at % 1000 !== 0),
    'to the millisecond',
  )
  assert.equal(await store.sweep(), 0)
}

/** Registers the tests, by `test`. */
export function sqlSuite(test: Register, open: Open): void {
  async function start(t: Test, options: SqlStoreOptions = {}) {
    const backend = await open(t)
    const clock = manualClock(NOW)
    const table = options.table ?? `t_${randomBytes(6).toString('hex')}`
    const all = { sweepEvery: false, now: clock.now, ...options, table } as const
    const connect = (more: SqlStoreOptions = {}, before?: Before) => backend.connect({ ...all, ...more }, before)
    const store = connect()
    await store.setup()
    const quoted = table.split('.').map(backend.quote).join('.')
    const count = async () => (await backend.run(`SELECT name FROM ${quoted}`)).length
    return { ...backend, connect, store, clock, table: quoted, count }
  }

  async function membersOf(store: RecordStore, id: string): Promise<Record<string, string> | undefined> {
    const record = await store.read(id, call)
    return record && { ...record.members }
  }

  proveReseal(test, async t => {
    const { connect } = await start(t)
    return { store: (seal, more) => connect({ seal, ...more }) }
  })

  test('what another writes between the two steps of reseal() stays, and is sealed anew', async t => {
    const [one, other] = [newSecret(), newSecret()]
    const { connect } = await start(t)
    const old = connect({ seal: [other] })
    await old.create('a', recordOf({ n: '0', m: '0' }, 'ada'), HOUR, call)
    let writes = 0
    const store = connect({ seal: [one, other] }, sql => {
      if (!sql.includes('created_at =') || writes === 3) return undefined
      return old.patch('a', patchOf({ set: { n: String(++writes) } }), HOUR, call)
    })
    assert.equal(await store.reseal(), 1)
    assert.deepEqual(await membersOf(connect({ seal: [one] }), 'a'), { n: '3', m: '0' })
  })

  test('of several sessions one that gets a new id just before they end does so, too', async t => {
    const { store, connect } = await start(t)
    for (const id of ['one', 'two']) await store.create(id, recordOf({ n: '0' }, 'ada'), HOUR, call)
    await store.create('next', recordOf({ n: '0' }), HOUR, call)
    let isMoved = false
    const other = connect({}, sql => {
      if (isMoved || !/^DELETE .* IN /.test(sql)) return undefined
      isMoved = true
      return store.retire('one', { successor: 'next' }, HOUR, call)
    })
    assert.equal(await other.destroyAll('ada'), 2)
    assert.equal(await store.read('next', call), undefined)
  })

  test('its table is made once, though it is set up again, and by others at the same time', async t => {
    const { store, connect, run, quote } = await start(t, { table: `made_${randomBytes(4).toString('hex')}` })
    await store.set('a', { user: 'ada' }, HOUR, call)
    await store.setup()
    assert.deepEqual(await store.get('a', 0, call), { user: 'ada' })
    for (const table of Array.from({ length: 8 }, () => `Race_${randomBytes(4).toString('hex')}`)) {
      const racing = Array.from({ length: 8 }, () => connect({ table }))
      // There is no table yet, but a connection from now on: so they race for the one and not for the other.
      await Promise.allSettled(racing.map(async store => store.read('a', call)))
      await Promise.all(racing.map(store => store.setup()))
      assert.deepEqual(await run(`SELECT * FROM ${quote(table)}`), [])
    }
  })

  test('two applications in one database have nothing of each other', async t => {
    const { connect } = await start(t)
    const name = randomBytes(4).toString('hex')
    const [one, two] = ['shop', 'forum'].map(app => connect({ table: `${app}_${name}` }))
    assert.ok(one && two)
    for (const store of [one, two]) await store.setup()
    for (const store of [one, two]) await store.create('a', recordOf({ user: '"ada"' }, 'ada'), HOUR, call)
    assert.equal(await one.destroyAll('ada'), 1)
    assert.equal(await one.read('a', call), undefined)
    assert.equal((await two.list('ada')).length, 1)
  })

  test('what is kept of a user is listed, and once it was deleted no data is left, but of a former id a tombstone', async t => {
    const { connect, run, quote } = await start(t)
    const table = `user_${randomBytes(4).toString('hex')}`
    const store = connect({ table })
    await store.setup()
    for (const id of ['a', 'b', 'c']) await store.create(id, recordOf({ n: `"${id}"` }, 'ada'), HOUR, call)
    assert.equal(await store.retire('b', { successor: 'c' }, HOUR, call), 'saved')
    const data = (await store.list('ada')).map(({ data }) => data.n)
    assert.deepEqual(data.sort(), ['a', 'c'])
    assert.equal(await store.destroyAll('ada'), 2)
    const left = await run(`SELECT name, data, retired_at FROM ${quote(table)}`)
    assert.deepEqual(
      left.map(({ name, data }) => [name, typeof data === 'string' ? JSON.parse(data) : data]),
      [[digest('b'), {}]],
    )
    assert.ok(left.every(({ retired_at }) => Number(retired_at) > 0))
  })

  test('a table of that name that is somebody else’s is refused, and stays as it is', async t => {
    const { connect, run, quote } = await start(t)
    const table = `other_${randomBytes(4).toString('hex')}`
    await run(`CREATE TABLE ${quote(table)} (sid VARCHAR(64) PRIMARY KEY, data VARCHAR(64), expires INTEGER)`)
    await run(`INSERT INTO ${quote(table)} (sid) VALUES ('a')`)
    await assert.rejects(connect({ table }).setup(), {
      code: 'ERR_SESSION_OPTION',
      message:
        /^\w+: the table other_\w+ is there, and is not one of koa-session \(name is missing, .*subject is missing/,
    })
    const [row, ...others] = await run(`SELECT * FROM ${quote(table)}`)
    assert.deepEqual([{ ...row }, others], [{ sid: 'a', data: null, expires: null }, []])
  })

  test('what is missing of the table is made, and nothing where nothing is', async t => {
    const { connect, run, quote, planOf } = await start(t)
    const table = `lacks_${randomBytes(4).toString('hex')}`
    const first = connect({ table })
    const [create = ''] = first.setupSql
    await run(create.replace(/,\n {2}KEY [^\n]*?(?=,?\n)/g, ''))
    await connect({ table }).setup()
    const asked: string[] = []
    const told = connect({ table }, sql => void asked.push(sql))
    await told.setup()
    assert.deepEqual(
      asked.filter(sql => /CREATE|ALTER/.test(sql)),
      [],
    )
    // A table of one row is read as fast without an index.
    for (let n = 0; n < 200; n++) await told.create(`session ${n}`, recordOf({}, `user ${n}`), HOUR, call)
    const sql = `SELECT name FROM ${quote(table)} WHERE subject = '${digest('user 7')}'`
    assert.match(await planOf(sql, quote(table)), /lacks_\w+_subject/)
  })

  test('a table of the first alpha is set up as one of today, and its sessions go on', async t => {
    const { connect, run, dialect } = await start(t)
    const table = `alpha_${randomBytes(4).toString('hex')}`
    for (const statement of tableOfAlpha(dialect, table)) await run(statement)
    const store = connect({ table })
    await store.setup()
    const asked: string[] = []
    await connect({ table }, sql => void asked.push(sql)).setup()
    assert.deepEqual(
      asked.filter(sql => /CREATE|ALTER/.test(sql)),
      [],
      'it is of the newest version',
    )
    const { members, lifetime, version } = (await store.read('id', call)) ?? assert.fail('its session is not there')
    assert.deepEqual([{ ...members }, lifetime, version], [MEMBERS_OF_ALPHA, LIFETIME_OF_ALPHA, 0])
    assert.deepEqual((await store.read('old', call))?.retiredAt, NOW)
    assert.equal((await store.list('ada')).length, 1)
    assert.equal(await store.patch('id', patchOf({ set: { user: '"bob"' }, unset: ['a.b~c'] }), HOUR, call), 'saved')
    assert.deepEqual(await membersOf(store, 'id'), { user: '"bob"', 'né🍪': MEMBERS_OF_ALPHA['né🍪'] })
    assert.equal(await store.retire('id', { successor: 'next' }, HOUR, call), 'saved')
    assert.equal(await store.destroyAll('ada'), 0)
    const sealed = connect({ table, seal: [newSecret()] })
    assert.equal(await sealed.create('sealed', recordOf({ n: '1' }, 'ada'), HOUR, call), true, 'there is room for it')
  })

  test('a list is found by the index of subjects', async t => {
    const { store, connect, planOf, table } = await start(t)
    for (let n = 0; n < 200; n++) await store.create(`session ${n}`, recordOf({}, `user ${n}`), HOUR, call)
    const asked: string[] = []
    const told = connect({}, sql => asked.push(sql))
    assert.equal((await told.list('user 7')).length, 1)
    const [sql = '', ...rest] = asked
    assert.deepEqual(rest, [])
    const plain = sql
      .replace(/(?<=subject = )(\?|\$1)/, `'${digest('user 7')}'`)
      .replace(/(?<=expires_at > )(\?|\$2)/, String(NOW))
    assert.doesNotMatch(plain, /\?|\$/)
    assert.match(await planOf(plain, table), /\bt_[0-9a-f]+_subject\b/)
  })

  test('the SQL that it shows makes the table that it needs', async t => {
    const { connect, run } = await start(t)
    const store = connect({ table: `migrated_${randomBytes(4).toString('hex')}` })
    for (const statement of store.setupSql) await run(statement)
    assert.equal(await store.create('a', recordOf({ user: '"ada"' }, 'ada'), HOUR, call), true)
    assert.equal((await store.list('ada')).length, 1)
  })

  test('an id of its own name has a row of its own', async t => {
    const { store, count } = await start(t, { hashIds: false })
    const ids = HOSTILE.filter(id => id !== '')
    for (const id of ids)
      assert.equal(await store.create(id, recordOf({ id: JSON.stringify(id) }, 'all'), HOUR, call), true)
    for (const id of ids) assert.deepEqual(await membersOf(store, id), { id: JSON.stringify(id) })
    assert.equal(await count(), ids.length)
    assert.equal((await store.list('all')).length, ids.length)
    assert.equal(await store.destroyAll('all', { except: 'A' }), ids.length - 1)
    assert.deepEqual(await membersOf(store, 'A'), { id: '"A"' })
  })

  test('an id that is too long for the table has no row, and can be given none', async t => {
    const { store } = await start(t, { hashIds: false })
    const longest = 'x'.repeat(1024)
    assert.equal(await store.create(longest, recordOf({}), HOUR, call), true)
    assert.equal((await store.read(longest, call))?.version, 0)
    for (const id of [`${longest}x`, 'é'.repeat(300)]) {
      assert.equal(await store.read(id, call), undefined)
      assert.equal(await store.touch(id, {}, HOUR, call), false)
      assert.equal(await store.patch(id, patchOf({ set: { a: '1' } }), HOUR, call), 'gone')
      assert.equal(await store.retire(id, {}, HOUR, call), 'gone')
      assert.equal(await store.destroy(id, call), undefined)
      await assert.rejects(async () => store.create(id, recordOf({}), HOUR, call), { code: 'ERR_SESSION_ID' })
    }
  })

  test('keys and values come back as they were written, and go one by one', async t => {
    const { store } = await start(t)
    const names = [...HOSTILE]
    const value = JSON.stringify(`${HOSTILE.join('')}null`)
    const set = Object.fromEntries(names.map(name => [name, value]))
    await store.create('a', recordOf({ kept: 'null' }), HOUR, call)
    assert.equal(await store.patch('a', patchOf({ set }), HOUR, call), 'saved')
    assert.deepEqual(await membersOf(store, 'a'), { kept: 'null', ...set })
    for (const name of names) {
      assert.equal(await store.patch('a', patchOf({ unset: [name] }), HOUR, call), 'saved')
      delete set[name]
      assert.deepEqual(await membersOf(store, 'a'), { kept: 'null', ...set })
    }
  })

  test('a lifetime may have fractions, be over, or be longer than anybody lives', async t => {
    const { store, clock } = await start(t)
    const ttls: ReadonlyArray<readonly [ttl: number, isThere: boolean]> = [
      [0.5, true],
      [0, false],
      [-1, false],
      [-0.5, false],
      [8e15, true],
      [Number.POSITIVE_INFINITY, true],
      [Number.NaN, false],
    ]
    for (const [ttl, isThere] of ttls) {
      const id = `with ${ttl}`
      assert.equal(await store.create(id, recordOf({ a: '1' }), ttl, call), true)
      assert.equal((await store.read(id, call)) !== undefined, isThere, id)
    }
    clock.advance(1)
    assert.equal(await store.read('with 0.5', call), undefined)
  })

  test('of many who create one id, one does, also where an expired one is in the way', async t => {
    const { store, connect, clock } = await start(t)
    const others = [store, connect(), connect(), connect()]
    for (const round of [1, 2, 3]) {
      const tries = Array.from({ length: 20 }, (_, index) =>
        others[index % 4]?.create('a', recordOf({ by: String(index) }), HOUR, call),
      )
      const created = await Promise.all(tries)
      assert.equal(created.filter(isCreated => isCreated).length, 1, `round ${round}`)
      assert.deepEqual(await membersOf(store, 'a'), { by: String(created.indexOf(true)) })
      clock.advance(HOUR)
    }
  })

  test('of fifty parallel patches of other keys none is lost', async t => {
    const { store, connect } = await start(t)
    const others = [store, connect(), connect()]
    await store.create('a', recordOf({}), HOUR, call)
    const names = Array.from({ length: 50 }, (_, index) => `key${index}`)
    const outcomes = await Promise.all(
      names.map((name, index) => others[index % 3]?.patch('a', patchOf({ set: { [name]: '1' } }), HOUR, call)),
    )
    assert.deepEqual(new Set(outcomes), new Set(['saved']))
    assert.deepEqual(Object.keys((await membersOf(store, 'a')) ?? {}).sort(), names.sort())
    assert.equal((await store.read('a', call))?.version, 50)
  })

  test('of parallel patches of one version one is saved', async t => {
    const { store, connect } = await start(t)
    const others = [store, connect(), connect()]
    await store.create('a', recordOf({}), HOUR, call)
    const outcomes = await Promise.all(
      Array.from({ length: 12 }, (_, n) =>
        others[n % 3]?.patch('a', patchOf({ set: { n: String(n) }, version: 0 }), HOUR, call),
      ),
    )
    assert.deepEqual(outcomes.sort(), [...Array(11).fill('conflict'), 'saved'])
    assert.equal(await store.patch('b', patchOf({ set: { n: '1' }, version: 0 }), HOUR, call), 'gone')
  })

  test('what empties a session does not take what another has put there at the same time', async t => {
    const { store, connect } = await start(t)
    const other = connect()
    for (let round = 0; round < 30; round++) {
      const id = `session ${round}`
      await store.create(id, recordOf({ old: '1' }), HOUR, call)
      const [emptied, filled] = await Promise.all([
        store.patch(id, patchOf({ unset: ['old'] }), HOUR, call),
        other.patch(id, patchOf({ set: { cart: '[1]' } }), HOUR, call),
      ])
      const members = await membersOf(store, id)
      if (filled === 'saved') assert.deepEqual([emptied, members], ['saved', { cart: '[1]' }])
      else assert.deepEqual([emptied, filled, members], ['emptied', 'gone', undefined])
    }
  })

  test('nor what has happened between its two statements', async t => {
    const rows: ReadonlyArray<readonly [claim: string, act: (other: SqlStore) => unknown, Patched, left: unknown]> = [
      ['nothing', () => {}, 'emptied', undefined],
      ['others put data there', o => o.patch('a', patchOf({ set: { cart: '1' } }), HOUR, call), 'saved', { cart: 1 }],
      ['others replace it', o => o.set('a', { cart: 1 }, HOUR, call), 'saved', { cart: 1 }],
      ['others keep it empty', o => o.patch('a', patchOf({ keepsEmpty: true }), HOUR, call), 'saved', {}],
      ['others extend it', o => o.touch('a', {}, HOUR, call), 'emptied', undefined],
      ['others give its id up', o => o.retire('a', {}, HOUR, call), 'saved', { _retired: NOW }],
      ['others end it', o => o.destroy('a', call), 'saved', undefined],
    ]
    for (const [claim, act, outcome, left] of rows) {
      const { store, connect } = await start(t)
      await store.create('a', recordOf({ old: '1' }), HOUR, call)
      const raced = connect({}, sql => sql.startsWith('DELETE') && act(store))
      assert.equal(await raced.patch('a', patchOf({ unset: ['old'] }), HOUR, call), outcome, claim)
      const payload = await store.get('a', 0, call)
      assert.deepEqual(payload && { ...payload, _expire: undefined }, left && { ...left, _expire: undefined }, claim)
    }
  })

  for (const hashIds of [true, false]) {
    test(`a session that is destroyed while it gets a new id ends, on connections of their own, hashIds: ${hashIds}`, async t => {
      const { store, connect } = await start(t, { hashIds })
      const [other, third] = [connect(), connect()]
      for (let round = 0; round < 30; round++) {
        const ids = ['a', 'é', 'c'].map(stem => `${stem}${round}`)
        const [a = '', b = '', c = ''] = ids
        for (const id of ids) await store.create(id, recordOf({ n: '1' }, 'ada'), HOUR, call)
        await store.retire(a, { successor: b }, HOUR, call)
        const renew = async () => {
          const outcome = await other.retire(b, { successor: c }, HOUR, call)
          if (outcome === 'gone') await other.destroy(c, call)
        }
        const ends: ReadonlyArray<() => unknown> = [
          () => store.destroy(a, call),
          () => store.destroyAll('ada', { only: digest(a) }),
          () => store.destroyAll('ada'),
        ]
        await Promise.all([renew(), ends[round % 3]?.(), third.touch(b, {}, HOUR, call)])
        for (const id of ids) assert.equal(await store.touch(id, {}, HOUR, call), false, `${id}, round ${round}`)
        assert.deepEqual(await store.list('ada'), [])
      }
    })
  }

  test('to destroy a session is one statement, and a tombstone of an older version leads nowhere', async t => {
    const { store, connect, run, table, count } = await start(t)
    const seen: string[] = []
    const watched = connect({}, sql => void seen.push(sql.slice(0, 6)))
    await store.create('a', recordOf({ n: '1' }), HOUR, call)
    await watched.destroy('a', call)
    assert.deepEqual(seen, ['DELETE'])
    await store.create('b', recordOf({ n: '1' }, 'ada'), HOUR, call)
    await store.retire('b', { successor: 'c' }, HOUR, call)
    assert.equal((await store.read('b', call))?.successor, digest('c'))
    await run(`UPDATE ${table} SET lifetime = '{}', subject = NULL`)
    const { retiredAt, successor } = (await store.read('b', call)) ?? {}
    assert.deepEqual([retiredAt, successor], [NOW, undefined])
    assert.equal(await store.retire('b', { successor: 'c' }, HOUR, call), 'gone')
    await store.destroy('b', call)
    assert.equal(await count(), 0)
  })

  test('what is not saved is gone or another version, as it is when that is asked', async t => {
    const { store, connect } = await start(t)
    const patch = patchOf({ set: { a: '2' }, version: 7 })
    const raced = connect({}, sql => sql.startsWith('SELECT') && store.destroy('a', call))
    await store.create('a', recordOf({ a: '1' }), HOUR, call)
    assert.equal(await store.patch('a', patch, HOUR, call), 'conflict')
    assert.equal(await store.retire('a', { version: 7 }, HOUR, call), 'conflict')
    assert.equal(await raced.patch('a', patch, HOUR, call), 'gone')
    assert.equal(await store.retire('a', { version: 7 }, HOUR, call), 'gone')
  })

  test('an expired record is not replaced when somebody else has done so by then', async t => {
    const { store, connect, clock } = await start(t)
    await store.create('a', recordOf({ by: '"nobody"' }), HOUR, call)
    clock.advance(HOUR)
    let isFirst = true
    const raced = connect({}, sql => {
      if (!sql.startsWith(isFirst ? 'DELETE' : 'INSERT')) return undefined
      isFirst = false
      return store.create('a', recordOf({ by: '"other"' }), HOUR, call)
    })
    const isOurs = await raced.create('a', recordOf({ by: '"us"' }), HOUR, call)
    assert.deepEqual(await membersOf(store, 'a'), { by: isOurs ? '"us"' : '"other"' })
    // Where it takes one statement, nobody can come in between.
    assert.equal(isOurs, isFirst)
  })

  test('a session that ends while it is written to stays ended', async t => {
    const { store, connect } = await start(t)
    const other = connect()
    for (let round = 0; round < 20; round++) {
      const id = `session ${round}`
      await store.create(id, recordOf({ old: '1' }), HOUR, call)
      await Promise.all([
        round % 2 ? store.retire(id, {}, HOUR, call) : store.destroy(id, call),
        other.patch(id, patchOf({ set: { user: '1' } }), HOUR, call),
        other.touch(id, {}, HOUR, call),
        round % 2 ? other.set(id, { user: 1 }, HOUR, call) : undefined,
      ])
      const payload = await store.get(id, 0, call)
      assert.deepEqual(payload, round % 2 ? { _retired: NOW } : undefined)
    }
  })

  test('a patch that is left without members keeps its row where it is to, or where it removed none', async t => {
    const { store } = await start(t)
    await store.create('a', recordOf({ old: '1' }), HOUR, call)
    assert.equal(await store.patch('a', patchOf({ unset: ['old'], keepsEmpty: true }), HOUR, call), 'saved')
    assert.equal(await store.patch('a', patchOf({}), HOUR, call), 'saved')
    assert.deepEqual(await membersOf(store, 'a'), {})
    assert.equal(await store.patch('a', patchOf({ unset: ['new'], set: { new: '1' } }), HOUR, call), 'saved')
    assert.equal(await store.patch('a', patchOf({ unset: ['new'] }), 0, call), 'emptied')
    assert.equal(await store.read('a', call), undefined)
  })

  test('a touch that changes nothing is still one', async t => {
    const { store } = await start(t)
    await store.create('a', recordOf({ a: '1' }), HOUR, call)
    assert.equal(await store.touch('a', { _expire: 1 }, HOUR, call), true)
    assert.equal(await store.touch('a', { _expire: 1 }, HOUR, call), true)
    assert.equal((await store.read('a', call))?.version, 0)
  })

  test('what somebody else has put into the columns is nothing, and is not in the way', async t => {
    const { store, run, table } = await start(t)
    for (const data of ['[]', '"x"', 'null', '{"a":1}']) {
      await store.create('a', recordOf({ a: '1' }, 'ada'), HOUR, call)
      await run(`UPDATE ${table} SET data = '${data}'`)
      assert.equal(await store.read('a', call), undefined)
      assert.equal(await store.get('a', 0, call), undefined)
      assert.equal((await store.list('ada')).length, 1)
      // Some databases make an object of it: then it is saved in truth.
      const outcome = await store.patch('a', patchOf({ set: { a: '1' } }), HOUR, call)
      assert.deepEqual(await membersOf(store, 'a'), outcome === 'saved' ? { a: '1' } : undefined, data)
      assert.equal(await store.destroyAll('ada'), 1)
    }
    await store.create('b', recordOf({ a: '1' }), HOUR, call)
    await run(`UPDATE ${table} SET lifetime = 'noise'`)
    assert.equal(await store.read('b', call), undefined)
  })

  test('a sweep deletes what has expired, in batches, and nothing else', async t => {
    const { store, clock, count } = await start(t)
    const some = Array.from({ length: 1100 }, (_, index) => `expired ${index}`)
    for (let from = 0; from < some.length; from += 100) {
      await Promise.all(some.slice(from, from + 100).map(id => store.create(id, recordOf({}), HOUR, call)))
    }
    await store.create('tombstone', recordOf({}), HOUR, call)
    await store.retire('tombstone', {}, HOUR, call)
    clock.advance(1)
    await store.create('alive', recordOf({}), HOUR, call)
    clock.advance(HOUR - 1)
    assert.equal(await count(), 1102)
    assert.equal(await store.sweep(), 1101)
    assert.equal(await count(), 1)
    assert.equal((await store.read('alive', call))?.version, 0)
    assert.equal(await store.sweep(), 0)
  })

  test('a process whose clock is ahead sweeps by the clock of the database', async t => {
    const { connect, count } = await start(t)
    const other = connect({ now: undefined })
    await other.create('alive', recordOf({}), HOUR, call)
    await other.create('over', recordOf({}), HOUR, call)
    await connect({ now: () => Date.now() - 2 * HOUR }).touch('over', {}, HOUR, call)
    const { now } = Date
    t.mock.method(Date, 'now', () => now() + 10 * HOUR)
    const ahead = connect({ now: undefined })
    assert.equal(await ahead.read('alive', call), undefined)
    assert.equal(await ahead.sweep(), 1)
    assert.notEqual(await other.read('alive', call), undefined)
    assert.equal(await count(), 1)
  })

  test('the clock of the database tells milliseconds', async t => {
    const { connect, run, table } = await start(t)
    const retiredAt = async () => (await run(`SELECT retired_at FROM ${table}`)).map(row => row.retired_at)
    await checkClock(connect({ now: undefined }), retiredAt)
  })

  test('several sweeps at once delete each row once, while it is written to', async t => {
    const { store, connect, clock, count } = await start(t)
    const others = [store, connect(), connect()]
    for (let n = 0; n < 300; n++) await store.create(`session ${n}`, recordOf({ a: '1' }), n % 2 ? 1 : HOUR, call)
    clock.advance(1)
    const writes = Array.from({ length: 100 }, (_, n) => others[n % 3]?.set(`session ${n * 3}`, { b: 1 }, HOUR, call))
    const sweeps = await Promise.all([...others.map(one => one.sweep()), ...writes])
    const swept = Number(sweeps[0]) + Number(sweeps[1]) + Number(sweeps[2])
    await store.sweep()
    assert.ok(swept <= 150)
    assert.equal(await count(), 150 + Array.from({ length: 100 }, (_, n) => (n * 3) % 2).filter(odd => odd).length)
  })

  test('as many sessions as a subject has are listed and ended', async t => {
    const { store, connect, clock } = await start(t)
    for (let n = 0; n < 120; n++) {
      await store.create(`session ${n}`, recordOf({ n: String(n) }, 'ada'), HOUR, call)
      clock.advance(1)
    }
    await store.create('other', recordOf({}, 'bob'), HOUR, call)
    const listed = await store.list('ada')
    assert.deepEqual(
      listed.map(({ data }) => data.n),
      Array.from({ length: 120 }, (_, n) => 119 - n),
    )
    assert.equal(listed[3]?.createdAt, NOW + 116)
    assert.equal(await store.destroyAll('ada', { only: listed[5]?.handle }), 1)
    assert.equal(await connect().destroyAll('ada', { except: 'session 7' }), 118)
    assert.deepEqual(
      (await store.list('ada')).map(({ data }) => data),
      [{ n: 7 }],
    )
    assert.equal((await store.list('bob')).length, 1)
  })

  test('what replaces a session keeps whose it is and when it was made, and nothing of one that is over', async t => {
    const { store, clock } = await start(t)
    await store.create('a', recordOf({ n: '1' }, 'ada'), HOUR, call)
    clock.advance(5)
    await store.set('a', { m: 2 }, HOUR, call)
    const listed = (await store.list('ada')).map(({ handle, ...rest }) => rest)
    assert.deepEqual(listed, [{ createdAt: NOW, seenAt: NOW + 5, expiresAt: NOW + 5 + HOUR, data: { m: 2 } }])
    assert.equal((await store.read('a', call))?.version, 1)
    clock.advance(HOUR)
    await store.set('a', { m: 3 }, HOUR, call)
    const record = await store.read('a', call)
    assert.deepEqual([record?.version, record?.subject], [0, undefined])
  })

  test('a tombstone is in the way of others until it expires', async t => {
    const { store, clock } = await start(t)
    for (const id of ['a', 'b']) {
      await store.create(id, recordOf({ n: '1' }, 'ada'), HOUR, call)
      assert.equal(await store.retire(id, {}, HOUR, call), 'saved')
    }
    clock.advance(HOUR - 1)
    await store.set('a', { m: 2 }, HOUR, call)
    assert.equal(await store.create('b', recordOf({ m: '2' }), HOUR, call), false)
    assert.deepEqual(await store.get('a', 0, call), { _retired: NOW })
    clock.advance(1)
    await store.set('a', { m: 2 }, HOUR, call)
    assert.equal(await store.create('b', recordOf({ m: '2' }), HOUR, call), true)
    for (const id of ['a', 'b']) assert.deepEqual(await membersOf(store, id), { m: '2' })
    assert.deepEqual(await store.list('ada'), [])
  })

  test('a table with a long name has both of its indexes', async t => {
    const { store, connect, run, quote } = await start(t)
    const table = `t${randomBytes(31).toString('hex')}`
    const long = connect({ table })
    await long.setup()
    await long.setup()
    await long.create('a', recordOf({}, 'ada'), HOUR, call)
    assert.equal((await long.list('ada')).length, 1)
    assert.equal((await store.list('ada')).length, 0)
    assert.equal((await run(`SELECT name FROM ${quote(table)}`)).length, 1)
  })

  proveSame(test, {
    async open(t, clock) {
      const { connect } = await start(t)
      return connect({ now: clock.now })
    },
    runs: 40,
  })
}
