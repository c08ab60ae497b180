import assert from 'node:assert/strict'
import test from 'node:test'
import { inspect } from 'node:util'
import {
  changed,
  changesBetween,
  changesSince,
  dataFrom,
  isSameMember,
  NO_CHANGES,
  NO_MEMBERS,
  valueIn,
} from '../../src/session/members.ts'
import type { Members } from '../../src/session/model.ts'

const BEFORE: Members = {
  user: '"ada"',
  quoted: '"a \\"b\\" \\\\n"',
  visits: '3',
  isAdmin: 'true',
  nothing: 'null',
  cart: '{"items":[{"id":1}]}',
}

const session = (): Record<string, unknown> => ({
  user: 'ada',
  quoted: 'a "b" \\n',
  visits: 3,
  isAdmin: true,
  nothing: null,
  cart: { items: [{ id: 1 }] },
})

type Change = (session: Record<string, unknown>) => unknown
type Row = readonly [claim: string, change: Change, set: Members, unset?: readonly string[]]

const rows: readonly Row[] = [
  ['another string', session => Object.assign(session, { user: 'bob' }), { user: '"bob"' }],
  ['a string of the same length', session => Object.assign(session, { user: 'adb' }), { user: '"adb"' }],
  ['a string that is its text', session => Object.assign(session, { user: '"ada"' }), { user: '"\\"ada\\""' }],
  [
    'a string that reads as the inside of the text',
    session => Object.assign(session, { quoted: 'a \\"b\\" \\\\n' }),
    { quoted: '"a \\\\\\"b\\\\\\" \\\\\\\\n"' },
  ],
  ['a string in place of a number', session => Object.assign(session, { visits: '3' }), { visits: '"3"' }],
  ['a number in place of a string', session => Object.assign(session, { user: 1 }), { user: '1' }],
  ['a number that JSON has not', session => Object.assign(session, { visits: Number.NaN }), { visits: 'null' }],
  ['a string in place of a boolean', session => Object.assign(session, { isAdmin: 'true' }), { isAdmin: '"true"' }],
  ['the other boolean', session => Object.assign(session, { isAdmin: false }), { isAdmin: 'false' }],
  ['null in place of a string', session => Object.assign(session, { user: null }), { user: 'null' }],
  [
    'a change deep in a value',
    session => Object.assign((session.cart as { items: object[] }).items[0] ?? {}, { id: 2 }),
    { cart: '{"items":[{"id":2}]}' },
  ],
  ['a new key', session => Object.assign(session, { theme: 'dark' }), { theme: '"dark"' }],
  ['a key that is deleted', session => delete session.user, {}, ['user']],
  ['a key that is undefined', session => Object.assign(session, { user: undefined }), {}, ['user']],
  ['a key that is a function', session => Object.assign(session, { user: () => 'ada' }), {}, ['user']],
  [
    'a toJSON that leaves it out',
    session => Object.assign(session, { cart: { toJSON: () => undefined } }),
    {},
    ['cart'],
  ],
  [
    'a toJSON that asks for its name',
    session => Object.assign(session, { cart: { toJSON: (name: string) => name } }),
    { cart: '"cart"' },
  ],
  ['a Date', session => Object.assign(session, { at: new Date(0) }), { at: '"1970-01-01T00:00:00.000Z"' }],
  ['a name that objects inherit', session => Object.assign(session, { toString: 1 }), { toString: '1' }],
  [
    'one changed and one deleted',
    session => delete session.cart && Object.assign(session, { visits: 4 }),
    { visits: '4' },
    ['cart'],
  ],
]

for (const [claim, change, set, unset = []] of rows) {
  test(`${claim} is a change, and no other key is`, () => {
    const data = session()
    change(data)
    const changes = changesSince(BEFORE, data)
    assert.deepEqual({ ...changes?.set }, set)
    assert.deepEqual(changes?.unset, unset)
    assert.equal(changes?.isEmpty, false)
  })
}

const same: ReadonlyArray<readonly [claim: string, change: Change]> = [
  ['nothing', () => {}],
  ['a value set to what it is', session => Object.assign(session, { user: 'ada', visits: 3, nothing: null })],
  ['an equal object in place of another', session => Object.assign(session, { cart: { items: [{ id: 1 }] } })],
  ['another order', session => delete session.user && Object.assign(session, { user: 'ada' })],
  ['what JSON leaves out', session => Object.assign(session, { a: undefined, b: () => 1, c: Symbol('c') })],
  ['a number that is written the same', session => Object.assign(session, { nothing: Number.NaN })],
  ['a member named __proto__', session => Object.defineProperty(session, '__proto__', { value: 1, enumerable: true })],
]

for (const [claim, change] of same) {
  test(`${claim} is no change`, () => {
    const data = session()
    change(data)
    assert.equal(changesSince(BEFORE, data), undefined)
  })
}

test('a session that has lost all its keys is empty, and one without any has not changed', () => {
  assert.deepEqual(changesSince({ user: '"ada"' }, {}), { set: {}, unset: ['user'], isEmpty: true })
  assert.equal(changesSince(NO_MEMBERS, {}), undefined)
})

test('what a session inherits is not its data', () => {
  assert.equal(changesSince(NO_MEMBERS, Object.create({ inherited: 1 })), undefined)
})

test('what would be lost is an error that names the key', () => {
  for (const value of [new Map(), [new Set()], 1n, { a: new Map() }, Promise.resolve()]) {
    assert.throws(() => changesSince(NO_MEMBERS, { cart: value }), {
      code: 'ERR_SESSION_DATA',
      message: /^session\.cart holds/,
    })
  }
})

test('members after a change are new ones, and those before stay as they were', () => {
  const before = Object.freeze({ user: '"ada"', visits: '3' })
  assert.deepEqual(changed(before, { visits: '4' }, []), { user: '"ada"', visits: '4' })
  assert.deepEqual(changed(before, { theme: '"dark"' }, ['user']), { visits: '3', theme: '"dark"' })
  assert.deepEqual(before, { user: '"ada"', visits: '3' })
})

test('a session in which only functions are left is empty', () => {
  assert.deepEqual(changesSince({ user: '"ada"' }, { user: () => 'ada' }), { set: {}, unset: ['user'], isEmpty: true })
})

test('no changes change nothing, and are no empty session', () => {
  assert.deepEqual(NO_CHANGES, { set: {}, unset: [], isEmpty: false })
  assert.equal(Object.isFrozen(NO_CHANGES), true)
})

test('a value is what its text says, and no JSON is an error that shows none of it', () => {
  assert.deepEqual(valueIn('cart', '{"items":[1]}'), { items: [1] })
  assert.throws(() => valueIn('cart', '{secret'), {
    code: 'ERR_SESSION_DATA',
    message: 'session.cart can not be read, because the value in the store is not JSON; destroy this session',
  })
})

for (const value of ['ada', 3, true, false]) {
  test(`${JSON.stringify(value)} that is as it was is compared with its text, and not written again`, t => {
    const before = { value: JSON.stringify(value) }
    const writing = t.mock.method(JSON, 'stringify')
    assert.equal(changesSince(before, { value }), undefined)
    assert.equal(writing.mock.callCount(), 0)
  })
}

const losses: ReadonlyArray<readonly [value: unknown, kind: string | undefined]> = [
  [Number.NaN, 'NaN'],
  [-1 / 0, '-Infinity'],
  [[Number.NaN], 'NaN'],
  [/x/, 'a RegExp'],
  [{ method() {} }, 'a function'],
  [new Uint8Array(1), 'a Uint8Array'],
  [null, undefined],
  [[null], undefined],
  [{}, undefined],
  [new Date(0), undefined],
  [undefined, undefined],
  [() => 1, undefined],
  [Symbol('s'), undefined],
]

for (const [index, [value, kind]] of losses.entries()) {
  test(`${inspect(value)} is ${kind ? 'told once by its key' : 'not told'}`, t => {
    const { mock } = t.mock.method(process, 'emitWarning', () => {})
    const key = `key${index}`
    for (const _ of ['once', 'twice']) changesSince(NO_MEMBERS, { [key]: value })
    const said = mock.calls.map(({ arguments: [message] }) => String(message).split(',')[0])
    assert.deepEqual(said, kind ? [`session.${key} holds ${kind}`] : [])
  })
}

/** What two sets of members have under `a`, what makes the second of the first, and whether it is the same. */
const BETWEEN: ReadonlyArray<readonly [before: Members, after: Members, set: Members, unset: readonly string[]]> = [
  [{}, {}, {}, []],
  [{ a: '1' }, { a: '1' }, {}, []],
  [{ a: '1' }, { a: '2' }, { a: '2' }, []],
  [{}, { a: '1' }, { a: '1' }, []],
  [{ a: '1' }, {}, {}, ['a']],
  [{ a: '1', b: '2' }, { b: '3' }, { b: '3' }, ['a']],
  [{}, { a: '' }, {}, []],
  [{ constructor: '1' }, {}, {}, ['constructor']],
  [{}, { constructor: '1' }, { constructor: '1' }, []],
]

for (const [before, after, set, unset] of BETWEEN) {
  test(`what makes ${JSON.stringify(after)} of ${JSON.stringify(before)}`, () => {
    assert.deepEqual(changesBetween(before, after), { set, unset })
    assert.deepEqual(
      changesBetween(before, after, () => true),
      { set, unset },
    )
    assert.deepEqual(
      changesBetween(before, after, () => false),
      { set: {}, unset: [] },
    )
    const isB = (name: string) => name === 'b'
    const onlyB = Object.hasOwn(set, 'b') ? { b: set.b } : {}
    assert.deepEqual(changesBetween(before, after, isB), { set: onlyB, unset: unset.filter(isB) })
    const isSame = !Object.hasOwn(set, 'a') && !unset.includes('a') && after.a !== ''
    assert.equal(isSameMember(before, after, 'a'), isSame)
  })
}

test('a member that both have is the same by its text, and what an object inherits is none', () => {
  assert.equal(isSameMember({ a: '1' }, { a: '2' }, 'a'), false)
  assert.equal(isSameMember({ a: '1' }, { a: '1' }, 'a'), true)
  assert.equal(isSameMember({}, {}, 'toString'), true)
  assert.equal(isSameMember({ toString: '1' }, {}, 'toString'), false)
})

test('data are the values of members', () => {
  assert.deepEqual(dataFrom({ a: '1', b: '{"c":[true]}' }), { a: 1, b: { c: [true] } })
  assert.deepEqual(dataFrom(NO_MEMBERS), {})
})

test('a text that only looks like that of the value is another one', () => {
  const texts: ReadonlyArray<readonly [text: string, value: unknown]> = [
    ['"ab"', 'ac'],
    ['"ab"', 'a'],
    ['[1,2]', '1,2'],
    ['1234', '23'],
    ['"\\n"', '\\n'],
    ['"a\\"b"', 'a"b'],
    ['1', 2],
    ['"1"', 1],
    ['null', Number.NaN],
    ['true', false],
    ['false', true],
    ['"true"', true],
  ]
  for (const [text, value] of texts) {
    const expected = JSON.stringify(value)
    const changes = changesSince({ a: text }, { a: value })
    assert.deepEqual(changes?.set, expected === text ? undefined : { a: expected }, `${text} and ${String(value)}`)
  }
})
