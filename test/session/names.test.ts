import assert from 'node:assert/strict'
import test from 'node:test'
import { inspect } from 'node:util'
import { textOf } from '../../src/session/changes.ts'
import { dataOf, draftOf, fill, Session, type SessionHost } from '../../src/session/session.ts'

const owner: SessionHost = {
  id: 'id-1',
  isDegraded: false,
  handle: undefined,
  maxAge: 5000,
  settings: { createdAt: 0, isFresh: () => false },
  commit: async () => {},
}

type Open = Session & Record<string, unknown>

const open = () => new Session(owner, true) as Open

const METHODS = ['save', 'regenerate', 'manuallyCommit', 'commit', 'toJSON']
const GETTERS = ['isNew', 'externalKey', 'length', 'populated']
const METADATA = ['_expire', '_maxAge', '_session', '_requireSave', '_meta']
const REFUSED = [...METHODS, ...GETTERS, ...METADATA]
const RESERVED = [...REFUSED, 'maxAge']

const VALUES = [1, 0, '', 'x', true, false, null, undefined, {}, [], 1n, Symbol('x')]

/** Code in sloppy mode, where a failed assignment says nothing by itself. */
const sloppy = new Function('session', 'name', 'value', 'session[name] = value') as typeof assign

const strict = new Function('session', 'name', 'value', '"use strict"; session[name] = value') as typeof assign

function assign(session: object, name: string, value: unknown): void {
  Object.assign(session, { [name]: value })
}

test('the reserved names are these and no other', () => {
  const isFree = (name: string) => /^(constructor|__proto__|handle|createdAt|isFresh|update|degraded)$/.test(name)
  const defined = Object.getOwnPropertyNames(Session.prototype).filter(name => !isFree(name))
  assert.deepEqual(defined.sort(), [...RESERVED].sort())
})

for (const name of REFUSED) {
  test(`session.${name} can not hold data, and says so in strict mode and in sloppy mode`, () => {
    const session = open()
    const error = {
      name: 'TypeError',
      message: `session.${name} is reserved: it can not hold data, choose another name`,
    }
    for (const value of VALUES) {
      assert.throws(() => assign(session, name, value), error, inspect(value))
      assert.throws(() => sloppy(session, name, value), error, inspect(value))
      assert.throws(() => strict(session, name, value), error, inspect(value))
    }
    assert.deepEqual(Object.getOwnPropertyNames(session), [])
  })

  test(`session.${name} can be shadowed by a function, which is not saved`, () => {
    for (const set of [assign, sloppy]) {
      const session = open()
      const shadow = () => 'shadow'
      set(session, name, shadow)
      assert.equal(session[name], shadow)
      assert.deepEqual(Object.keys(session), [])
      assert.deepEqual(dataOf(session), {})
      assert.equal(textOf(dataOf(session)), '{}')
    }
  })

  test(`session.${name} can be shadowed again, and is itself again when that is deleted`, () => {
    const session = open()
    const before = session[name]
    const second = () => 'second'
    assign(session, name, () => 'first')
    assign(session, name, second)
    assert.equal(session[name], second)
    assert.equal(Reflect.deleteProperty(session, name), true)
    assert.equal(session[name], before)
  })
}

test('a reserved name that a function has shadowed is refused to data all the same', () => {
  for (const name of REFUSED) {
    const session = open()
    assign(session, name, () => 'shadow')
    assert.throws(() => assign(session, name, 'data'), TypeError, name)
    assert.throws(() => sloppy(session, name, 'data'), TypeError, name)
  }
})

test('a function that shadows a member of one session leaves every other session as it was', () => {
  const first = open()
  assign(first, 'save', () => 'shadow')
  const { save } = Session.prototype
  assert.equal(open().save, save)
  assert.equal(typeof save, 'function')
})

test('the names of metadata read as undefined', () => {
  for (const name of METADATA) assert.equal(open()[name], undefined, name)
})

test('reserved names in a payload are ignored, and the rest of it is taken up', () => {
  for (const name of RESERVED) {
    for (const value of [1, 'x', null, {}, () => 'shadow']) {
      const lifetime = { ...owner }
      const session = new Session(lifetime, true) as Open
      fill(session, { before: 1, [name]: value, after: 2 })
      assert.deepEqual(Object.getOwnPropertyNames(session), ['before', 'after'], name)
      assert.equal(lifetime.maxAge, 5000)
    }
  }
})

const FREE = [
  'update',
  'createdAt',
  'isFresh',
  'degraded',
  'constructor',
  'toString',
  'valueOf',
  'hasOwnProperty',
  'isPrototypeOf',
  'propertyIsEnumerable',
  'toLocaleString',
  '__defineGetter__',
  '__lookupSetter__',
  'prototype',
  'then',
  'inspect',
  'id',
  'data',
  'owner',
  '#owner',
  '_csrf',
  '__v',
  '_',
  '',
  '0',
  'a.b',
  '{}',
  'maxage',
  'ISNEW',
  ' save',
]

for (const name of FREE) {
  test(`data may be called ${inspect(name)}`, () => {
    for (const value of ['x', { nested: true }, null, 0, false]) {
      const assigned = open()
      assign(assigned, name, value)
      const filled = open()
      fill(filled, JSON.parse(JSON.stringify({ [name]: value })))
      for (const session of [assigned, filled]) {
        assert.deepEqual(session[name], value)
        assert.equal(JSON.stringify(dataOf(session)), JSON.stringify({ [name]: value }))
        assert.equal(textOf(dataOf(session)), JSON.stringify({ [name]: value }))
        assign(session, name, 'again')
        assert.deepEqual(dataOf(session), { [name]: 'again' })
        assert.equal(Reflect.deleteProperty(session, name), true)
        assert.equal(session.length, 0)
      }
    }
  })
}

const POISON = '{"__proto__":{"polluted":true,"save":1},"user":"ada"}'

const WAYS_IN: ReadonlyArray<readonly [claim: string, way: (session: Open) => void]> = [
  ['a payload', session => fill(session, JSON.parse(POISON))],
  ['Object.assign', session => void Object.assign(session, JSON.parse(POISON))],
  ['an assignment', session => strict(session, '__proto__', { polluted: true })],
  ['an assignment in sloppy mode', session => sloppy(session, '__proto__', { polluted: true })],
  ['an assignment of null', session => sloppy(session, '__proto__', null)],
  ['Reflect.set', session => void Reflect.set(session, '__proto__', { polluted: true })],
  ['a recursive merge', session => merge(session as Tree, JSON.parse(POISON.replace(',"save":1', '')))],
  ['a recursive merge by way of the constructor', session => merge(session as Tree, JSON.parse(BY_CONSTRUCTOR))],
]

const BY_CONSTRUCTOR = '{"constructor":{"prototype":{"polluted":true}}}'

for (const [claim, way] of WAYS_IN) {
  test(`no prototype is touched through ${claim}`, t => {
    t.after(() => Reflect.deleteProperty(Session.prototype, 'polluted'))
    const names = Object.getOwnPropertyNames(Session.prototype)
    const roots = Object.getOwnPropertyNames(Object.prototype)
    const session = open()
    try {
      way(session)
    } catch (error) {
      // To refuse is as good as to ignore.
      assert.equal(error instanceof TypeError, true)
    }
    assert.equal(Object.getPrototypeOf(session), Session.prototype)
    assert.equal(Object.hasOwn(session, '__proto__'), false)
    assert.equal(session.polluted, undefined)
    assert.equal(open().polluted, undefined)
    assert.equal(({} as Tree).polluted, undefined)
    assert.deepEqual(Object.getOwnPropertyNames(Session.prototype), names)
    assert.deepEqual(Object.getOwnPropertyNames(Object.prototype), roots)
    assert.equal(JSON.stringify(dataOf(session)).includes('polluted'), false)
  })
}

test('the class itself, by which each session goes on, is not touched through a recursive merge', () => {
  assert.throws(() => merge(open() as Tree, JSON.parse('{"constructor":{"beside":1}}')), TypeError)
  assert.deepEqual(dataOf(draftOf(open(), { a: '1' })), { a: 1 })
})

test('data with an inspection of its own can be assigned', () => {
  const session = Object.assign(open(), { user: 'ada', [inspect.custom]: () => 'mine' })
  assert.deepEqual(dataOf(session), { user: 'ada' })
  assert.equal(inspect(session), 'mine')
  assert.deepEqual({ ...session }, { user: 'ada' })
})

test('__proto__ of a session reads as what it is', () => {
  assert.equal(Reflect.get(open(), '__proto__'), Object.getPrototypeOf(open()))
})

test('a member named __proto__ deeper in the data stays plain data', () => {
  const session = open()
  fill(session, JSON.parse('{"a":{"__proto__":{"polluted":true}}}'))
  assert.equal(textOf(dataOf(session)), '{"a":{"__proto__":{"polluted":true}}}')
  assert.equal((session.a as Tree).polluted, undefined)
  assert.equal(session.polluted, undefined)
})

type Tree = { [name: string]: unknown }

/** As `deepMerge` is found in many an application. */
function merge(target: Tree, source: Tree): void {
  for (const [name, value] of Object.entries(source)) {
    if (typeof value !== 'object' || value === null) target[name] = value
    else {
      target[name] ??= {}
      merge(target[name] as Tree, value as Tree)
    }
  }
}
