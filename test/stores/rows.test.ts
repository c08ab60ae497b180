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
  assert.throws(() => open({ hashIds: 'yes' as never }), { message: /^testStore: hashIds was yes, expected true or/ })
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
