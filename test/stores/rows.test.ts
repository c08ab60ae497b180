/** What stands between a store and its table: what a copy of the table says, and what can be done with one. */

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import test from 'node:test'
import { memoryStore } from '../../src/stores/memory.ts'
import { recordStore } from '../../src/stores/record-store.ts'
import type { Removed, RowOptions, Rows } from '../../src/stores/rows.ts'
import type { StoredRecord } from '../../src/stores/store.ts'
import { newSecret } from '../support/secrets.ts'

const HOUR = 3_600_000
const [SECRET, OLDER] = [newSecret(), newSecret()]
const RECORD = { members: { user: '"ada@example.org"', cart: '[1]' }, lifetime: { _expire: 5, _maxAge: 6 } }
const digest = (text: string) => createHash('sha256').update(text).digest('base64url')
const call = { ctx: {}, rolling: false, changed: true }

function removed(table: Map<string, StoredRecord>, names: readonly string[]): Removed {
  return { count: names.filter(name => table.delete(name)).length, tombstones: [] }
}

/** A table that never expires, and what is in it. */
function open(
  options: RowOptions = {},
  table = new Map<string, StoredRecord>(),
  odd: { [Name in keyof Rows]?: Rows[Name] & {} } = {},
) {
  const rows: Rows = {
    read: name => table.get(name),
    create: (name, record) => !table.has(name) && Boolean(table.set(name, record)),
    replace: (name, record) => void table.set(name, record),
    patch(name, { set }) {
      const known = table.get(name) ?? RECORD
      table.set(name, { ...known, members: { ...known.members, ...set } })
      return 'saved'
    },
    touch: () => true,
    retire: () => 'saved',
    remove: names => removed(table, names),
    forget: () => {},
    names: () => [],
    async *pages() {},
    list: subject =>
      [...table]
        .filter(([, record]) => record.subject === subject)
        .map(([name, record]) => ({ name, record, createdAt: 1, seenAt: 2, expiresAt: 3 })),
    ...odd,
  }
  return { table, store: recordStore('testStore', rows, options) }
}

test('no usable credential in a dump (CVE-2019-16782): a session is kept under the SHA-256 of its id', () => {
  const { table, store } = open()
  store.create('', RECORD, HOUR, call)
  store.create('an id', RECORD, HOUR, call)
  store.set('another', { user: 'eve' }, HOUR, call)
  assert.deepEqual([...table.keys()], ['', 'an id', 'another'].map(digest))
  assert.ok(!JSON.stringify([...table]).includes('an id'))
  for (const name of table.keys()) assert.equal(store.read(name, call), undefined)
  assert.deepEqual(store.get('an id', HOUR, call), { user: 'ada@example.org', cart: [1], _expire: 5, _maxAge: 6 })
  assert.equal(store.create('an id', RECORD, HOUR, call), false)
  store.destroy('an id', call)
  store.destroy('another', call)
  store.destroy('', call)
  assert.equal(table.size, 0)
})

test('what a payload says of its lifetime is that of the record, and no member', () => {
  const { table, store } = open()
  const lifetime = { _expire: 5, _maxAge: 6, _session: true, _meta: { created: 4 } } as const
  store.set('a', { user: 'eve', ...lifetime }, HOUR, call)
  assert.deepEqual(table.get(digest('a')), { members: { user: '"eve"' }, lifetime })
})

test('with hashIds: false it is kept under its id, and listed under the hash of that all the same', () => {
  const { table, store } = open({ hashIds: false })
  store.create('an id', { ...RECORD, subject: digest('ada') }, HOUR, call)
  assert.deepEqual([...table.keys()], ['an id'])
  const [listed] = store.list('ada') as readonly { handle: string }[]
  assert.equal(listed?.handle, digest('an id'))
  assert.equal(store.destroyAll('ada', { only: 'an id' }), 0)
  assert.equal(store.destroyAll('ada', { only: digest('an id') }), 1)
})

test('a session that is given a new id while all of its subject are ended is ended, too, and one that is spared is not', () => {
  const table = new Map<string, StoredRecord>()
  const ada = { ...RECORD, subject: digest('ada') }
  let ids = 0
  const { store } = open({}, table, {
    remove(names) {
      // Who holds the session has got two more since it was listed.
      if (ids < 2) table.set(digest(`new ${++ids}`), ada)
      return removed(table, names)
    },
  })
  for (const id of ['old', 'own']) store.create(id, ada, HOUR, call)
  assert.equal(store.destroyAll('ada', { except: 'own' }), 3)
  assert.deepEqual([...table.keys()], [digest('own')])
})

test('where a subject has no sessions, nothing is removed', () => {
  const { store } = open({}, new Map(), { remove: () => assert.fail('there is none') })
  assert.equal(store.destroyAll('ada'), 0)
})

test('who signs in all the time does not keep the end of the others waiting', () => {
  const table = new Map<string, StoredRecord>()
  let ids = 0
  const remove = (names: readonly string[]) => {
    table.set(digest(`new ${++ids}`), { ...RECORD, subject: digest('ada') })
    return removed(table, names)
  }
  const { store } = open({}, table, { remove })
  store.create('old', { ...RECORD, subject: digest('ada') }, HOUR, call)
  assert.equal(store.destroyAll('ada'), 10)
})

/** A table in which names got new ids since they were listed: removed, they lead to their successors. */
function moving(table: Map<string, StoredRecord>, successors: Readonly<Record<string, string>>) {
  const moved = new Map(Object.entries(successors).map(([id, successor]) => [digest(id), digest(successor)]))
  return (names: readonly string[]): Removed => {
    const tombstones = names.filter(name => moved.has(name)).map(name => ({ name, successor: moved.get(name) }))
    for (const { name } of tombstones) table.delete(name)
    return { ...removed(table, names), tombstones }
  }
}

for (const [how, onEnded] of Object.entries({
  'at once': undefined,
  'one after the other, to tell of each': () => {},
})) {
  test(`the sessions of a subject that got new ids since they were listed end, and count, ${how}`, () => {
    const table = new Map<string, StoredRecord>()
    const { store } = open({ onEnded }, table, { remove: moving(table, { b: 'd', c: 'e' }) })
    for (const id of ['a', 'b', 'c']) store.create(id, { ...RECORD, subject: digest('ada') }, HOUR, call)
    for (const id of ['d', 'e']) store.create(id, RECORD, HOUR, call)
    assert.deepEqual([store.destroyAll('ada'), table.size], [3, 0])
  })
}

test('who ends one session spares the one that was to be spared, though that took its place', () => {
  const table = new Map<string, StoredRecord>()
  const { store } = open({}, table, { remove: moving(table, { a: 'b' }) })
  store.create('a', { ...RECORD, subject: digest('ada') }, HOUR, call)
  store.create('b', RECORD, HOUR, call)
  assert.equal(store.destroyAll('ada', { only: digest('a'), except: 'b' }), 0)
  assert.deepEqual([...table.keys()], [digest('b')])
})

test('where ids are kept, which sessions of one instant are the newest is told by their handles alone', async () => {
  const limits: unknown[] = []
  const list = (_: string, limit?: number) => {
    limits.push(limit)
    return ['a', 'b'].map(name => ({ name, record: RECORD, createdAt: 1, seenAt: 2, expiresAt: 3 }))
  }
  const newest = ['a', 'b'].map(digest).sort().reverse()
  for (const hashIds of [true, false]) {
    const listed = await open({ hashIds }, new Map(), { list }).store.list('ada', { limit: 1 })
    if (!hashIds)
      assert.deepEqual(
        listed.map(({ handle }) => handle),
        newest.slice(0, 1),
      )
  }
  assert.deepEqual(limits, [1, undefined])
})

test('what is no id is an error, each time, and never the session that was asked for before', () => {
  const { store } = open()
  store.create('a', RECORD, HOUR, call)
  for (const _ of [1, 2]) assert.throws(() => store.read(undefined as never, call), TypeError)
})

test('clear() ends a session that got two new ids behind the walk', async () => {
  const table = new Map<string, StoredRecord>()
  const { store } = open({}, table, {
    remove: moving(table, { a: 'b', b: 'c' }),
    async *pages() {
      yield [{ name: digest('a'), record: RECORD, createdAt: 1, seenAt: 2, expiresAt: 3 }]
    },
  })
  store.create('c', RECORD, HOUR, call)
  assert.deepEqual([await store.clear(), table.size], [1, 0])
})

test('of many sessions those end that can, where the table fails once, which is an error', async () => {
  const table = new Map<string, StoredRecord>()
  let calls = 0
  const { store } = open({}, table, {
    async remove(names) {
      if (++calls === 1) throw new Error('down')
      return removed(table, names)
    },
  })
  for (let at = 0; at < 1100; at++) store.create(`id ${at}`, { ...RECORD, subject: digest('ada') }, HOUR, call)
  await assert.rejects(async () => store.destroyAll('ada'), { message: 'down' })
  assert.equal(table.size, 500)
})

test('reseal() of a store without secrets is an error that says what to pass', async () => {
  await assert.rejects(async () => open().store.reseal(), { code: 'ERR_SESSION_OPTION', message: /option seal/ })
})

test('reseal() rejects where others write to a session each time', async () => {
  const record = { ...RECORD, subject: digest('ada'), version: 0 }
  const row = { name: digest('a'), record, createdAt: 1, seenAt: 2, expiresAt: 3 }
  let tries = 0
  const { store } = open({ seal: [SECRET] }, undefined, {
    async *pages() {
      yield [row]
    },
    rewriting: { find: () => row, rewrite: () => ++tries < 0 },
  })
  await assert.rejects(store.reseal(), { code: 'ERR_SESSION_STORE', message: /call it again/ })
  assert.equal(tries, 10)
  assert.equal(await memoryStore({ seal: [SECRET] }).reseal(), 0, 'there all is sealed with its first secret')
})

test('a member that is called as a part of the lifetime does not take its place', () => {
  const { store } = open()
  store.create('a', { members: { _expire: '9' }, lifetime: { _expire: 5 } }, HOUR, call)
  assert.deepEqual(store.get('a', HOUR, call), { _expire: 5 })
})

test('what is sealed says nothing of a value, and is another text each time', () => {
  const { table, store } = open({ seal: [SECRET] })
  store.create('a', { ...RECORD, subject: digest('ada') }, HOUR, call)
  store.create('b', RECORD, HOUR, call)
  const dump = JSON.stringify([...table])
  for (const secret of ['ada@', '[1]', 'example']) assert.ok(!dump.includes(secret))
  const [a, b] = [...table.values()]
  assert.notEqual(a?.members.user, b?.members.user)
  store.patch('a', { set: { theme: '"dark"' }, unset: [], lifetime: {}, keepsEmpty: true }, HOUR, call)
  assert.ok(!JSON.stringify([...table]).includes('dark'))
  assert.deepEqual((store.read('a', call) as StoredRecord).members, { ...RECORD.members, theme: '"dark"' })
  store.set('c', { user: 'eve@example.org' }, HOUR, call)
  assert.deepEqual(store.get('c', HOUR, call), { user: 'eve@example.org' })
  assert.ok(!JSON.stringify([...table]).includes('eve@'))
  const [listed] = store.list('ada') as readonly { data: unknown }[]
  assert.deepEqual(listed?.data, { user: 'ada@example.org', cart: [1], theme: 'dark' })
})

test('a sealed value opens for its session and its key alone, and only untouched', () => {
  const { table, store } = open({ seal: [SECRET] })
  store.create('a', RECORD, HOUR, call)
  store.create('b', RECORD, HOUR, call)
  const [a, b] = [digest('a'), digest('b')].map(name => table.get(name)?.members) as [
    Record<string, string>,
    Record<string, string>,
  ]
  const text = String(a.user)
  const forgeries = {
    'of another session': { user: String(b.user) },
    'of another key': { cart: text },
    'in the clear': { user: '"eve"' },
    'cut off': { user: text.slice(0, -1) },
    'with another character': { user: `${text.slice(0, 40)}${text[40] === 'A' ? 'B' : 'A'}${text.slice(41)}` },
    empty: { user: '' },
  }
  for (const [what, members] of Object.entries(forgeries)) {
    table.set(digest('a'), { members: { ...a, ...members }, lifetime: {} })
    const [[name = '']] = Object.entries(members) as [[string, string]]
    assert.equal((store.read('a', call) as StoredRecord).members[name], '', what)
    assert.equal(store.get('a', HOUR, call), undefined, what)
  }
})

for (const [how, find] of Object.entries({
  throws: () => {
    throw new Error('down')
  },
  rejects: () => Promise.reject(new Error('down')),
})) {
  test(`a write is done, though what an older secret has sealed can't be sealed anew: that ${how}`, async () => {
    const { table, store: former } = open({ seal: [OLDER] })
    former.create('a', RECORD, HOUR, call)
    const { store } = open({ seal: [SECRET, OLDER] }, table, { rewriting: { find, rewrite: () => false } })
    await store.read('a', call)
    assert.equal(await store.patch('a', { set: {}, unset: [], lifetime: {}, keepsEmpty: true }, HOUR, call), 'saved')
  })
}

test('with seal, whose a session becomes is hidden in a patch, too, and what is found twice is listed once', async () => {
  const subjects: unknown[] = []
  const row = { name: digest('a'), record: RECORD, createdAt: 1, seenAt: 2, expiresAt: 3 }
  const { store } = open({ seal: [SECRET, OLDER] }, new Map(), {
    list: () => [row],
    names: () => [row.name],
    patch(_, { subject }) {
      subjects.push(subject)
      return 'saved'
    },
  })
  for (const subject of [digest('ada'), null, undefined])
    store.patch('a', { set: {}, unset: [], lifetime: {}, keepsEmpty: true, subject }, HOUR, call)
  assert.notEqual(subjects[0], digest('ada'))
  assert.deepEqual([typeof subjects[0], ...subjects.slice(1)], ['string', null, undefined])
  assert.equal((await store.list('ada')).length, 1)
})

test('what a value is bound to can be read in one way only: a row and a key that make the same text are others', () => {
  const { table, store } = open({ seal: [SECRET], hashIds: false })
  store.create('a b', { members: { c: '"secret"' }, lifetime: {} }, HOUR, call)
  const text = String(table.get('a b')?.members.c)
  table.set('a', { members: { 'b c': text }, lifetime: {} })
  assert.equal((store.read('a', call) as StoredRecord).members['b c'], '')
  assert.equal((store.read('a b', call) as StoredRecord).members.c, '"secret"')
})

test('secrets rotate: the first seals, each opens, and one that is dropped opens nothing', () => {
  const { table, store: old } = open({ seal: [OLDER] })
  old.create('a', RECORD, HOUR, call)
  const { store: both } = open({ seal: [SECRET, OLDER] }, table)
  assert.deepEqual((both.read('a', call) as StoredRecord).members, RECORD.members)
  both.create('b', RECORD, HOUR, call)
  const { store: late } = open({ seal: [SECRET] }, table)
  assert.deepEqual((late.read('b', call) as StoredRecord).members, RECORD.members)
  assert.equal(late.get('a', HOUR, call), undefined)
})

test('in two steps, each of several processes reads what any of them has sealed; at once it does not', () => {
  const table = new Map<string, StoredRecord>()
  const isRead = (seal: readonly string[], id: string) => open({ seal }, table).store.get(id, HOUR, call) !== undefined
  const steps = [
    [[OLDER], [OLDER, SECRET]],
    [
      [OLDER, SECRET],
      [SECRET, OLDER],
    ],
    [
      [SECRET, OLDER],
      [SECRET, OLDER],
    ],
  ]
  const ids: string[] = []
  for (const processes of steps) {
    for (const seal of processes) {
      ids.push(`id ${ids.length}`)
      open({ seal }, table).store.create(ids.at(-1) ?? '', RECORD, HOUR, call)
    }
    for (const seal of processes) assert.ok(ids.every(id => isRead(seal, id)))
  }
  assert.deepEqual(
    ids.map(id => isRead([OLDER], id)),
    [true, true, true, false, false, false],
  )
})

test('a value of 10 MB is sealed and opened', () => {
  const { store } = open({ seal: [SECRET] })
  const text = JSON.stringify('ü'.repeat(5_000_000))
  store.create('a', { members: { text }, lifetime: {} }, HOUR, call)
  assert.equal((store.read('a', call) as StoredRecord).members.text, text)
})

test('what is no list of good secrets is refused: it is said which and of what kind, and not shown', () => {
  for (const [seal, message] of [
    [[], 'is an empty list, expected a list'],
    [SECRET, 'is a string, expected a list'],
    ['', 'is an empty string, expected a list'],
    [null, 'is null, expected a list'],
    [false, 'is a boolean, expected a list'],
    [{}, 'is an object, expected a list'],
    [[''], '[0] is an empty string, expected text or bytes. An environment variable was probably not set'],
    [[SECRET, undefined], '[1] is undefined, expected text or bytes. An environment variable was probably not set'],
    [[SECRET, 5], '[1] is a number, expected text or bytes:'],
    [['sesame'], '[0] is shorter than 32 bytes'],
    [['keyboard cat'], '[0] is made of well-known words'],
    [[SECRET, 'ab'.repeat(20)], '[1] is a repetition of a few characters'],
  ] as const) {
    const error = {
      code: 'ERR_SESSION_KEYS',
      message: new RegExp(`^testStore: seal ?${message.replace(/[[\].]/g, '\\$&')}`),
    }
    assert.throws(() => open({ seal: seal as never }), error)
    assert.throws(
      () => open({ seal: seal as never }),
      ({ message }: Error) => !message.includes(SECRET),
    )
  }
  assert.throws(() => open({ hashIds: 'yes' as never }), { message: /^testStore: hashIds was "yes", expected true or/ })
})

test('a session that another process seals with another of the secrets meanwhile is listed, and ended', () => {
  const sealedWith = (secret: string): StoredRecord => {
    const { table, store } = open({ seal: [secret] })
    store.create('a', { ...RECORD, subject: digest('ada') }, HOUR, call)
    return table.get(digest('a')) as StoredRecord
  }
  for (const [from, to] of [
    [OLDER, SECRET],
    [SECRET, OLDER],
  ] as const) {
    for (let moment = 0; moment < 5; moment++) {
      const table = new Map([[digest('a'), sealedWith(from)]])
      let asked = 0
      const { store } = open({ seal: [SECRET, OLDER] }, table, {
        list(subject) {
          if (asked++ === moment && table.size > 0) table.set(digest('a'), sealedWith(to))
          const found = [...table].filter(([, record]) => record.subject === subject)
          return found.map(([name, record]) => ({ name, record, createdAt: 1, seenAt: 2, expiresAt: 3 }))
        },
      })
      const what = `before question ${moment}, ${from === OLDER ? 'to the newest' : 'to the older'}`
      assert.equal((store.list('ada') as readonly unknown[]).length, 1, what)
      table.set(digest('a'), sealedWith(from))
      asked = 0
      assert.equal(store.destroyAll('ada'), 1, what)
    }
  }
})

test('reseal() leaves alone what another store has under a prefix that begins as the one of this store', async () => {
  const own = digest('a')
  const foreign = `admin:${digest('b')}`
  const record = { ...RECORD, subject: digest('ada'), version: 0 }
  const rowOf = (name: string) => ({ name, record, createdAt: 1, seenAt: 2, expiresAt: 3 })
  const written: string[] = []
  const { store } = open({ seal: [SECRET] }, undefined, {
    async *pages() {
      yield [own, foreign].map(rowOf)
    },
    rewriting: { find: rowOf, rewrite: ({ name }) => written.push(name) > 0 },
  })
  assert.equal(await store.reseal(), 1)
  assert.deepEqual(written, [own], 'the other store could not list and end those sessions any more')
})

test('beyond twenty new ids neither who is spared nor who is to end is known, and that is an error', () => {
  const store = memoryStore()
  const ada = { ...RECORD, subject: digest('ada') }
  for (let n = 0; n <= 21; n++) {
    store.create(`id${n}`, ada, HOUR)
    if (n > 0) store.retire(`id${n - 1}`, { successor: `id${n}` }, HOUR)
  }
  store.create('other', ada, HOUR)
  const error = { code: 'ERR_SESSION_STORE', message: /more than 20 times/ }
  assert.throws(() => store.destroyAll('ada', { except: 'id0' }), error)
  assert.throws(() => store.destroyAll('ada', { only: digest('id0') }), error)
  assert.equal(store.list('ada').length, 2)
  assert.equal(store.destroyAll('ada', { except: 'id1' }), 1)
  assert.equal(store.destroyAll('ada', { only: digest('id1') }), 1)
})
