/** What a store has of a session, and how the session differs from that. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { StoredState } from '../../src/request/stored-state.ts'
import type { Found } from '../../src/session/model.ts'
import { type Data, site } from './site.ts'

const ownerOf = (session: object) => (session as { user?: string }).user

function open(found?: Partial<Found>) {
  const state = new StoredState()
  const session = site().begin().session as Data
  if (found) assert.ok(state.fill(session, { lifetime: {}, ...found }, true))
  return { state, session }
}

const FOUND = { members: { a: '1', b: '2' }, version: 3, subject: 'ann' }

test('a session has the members or the payload that was found', () => {
  const { state, session } = open(FOUND)
  assert.deepEqual(
    [session.toJSON(), state.members, state.version, state.owner],
    [{ a: 1, b: 2 }, FOUND.members, 3, 'ann'],
  )
  const other = open({ payload: { a: { deep: 1 }, _expire: 1 } })
  assert.deepEqual([other.session.toJSON(), other.state.members], [{ a: { deep: 1 } }, { a: '{"deep":1}' }])
  const nothing = open({ payload: {} })
  assert.deepEqual([nothing.state.members, nothing.state.compare(nothing.session, undefined)], [{}, 'same'])
  const none = open({})
  assert.deepEqual([none.state.members, none.session.toJSON()], [{}, {}])
})

test('what can not be read or compared was not written by us', () => {
  const cyclic: Record<string, unknown> = {}
  cyclic.self = cyclic
  for (const found of [{ members: { a: '{' } }, { payload: cyclic }]) {
    const state = new StoredState()
    assert.equal(state.fill(site().begin().session, { lifetime: {}, ...found }, true), false)
  }
})

/** What is done to `{ a: 1, b: 2 }`, how it differs then, and by what. */
const COMPARED: Readonly<
  Record<string, readonly [work: (session: Data) => unknown, difference: string, changes: unknown, after: unknown]>
> = {
  nothing: [() => {}, 'same', undefined, { a: '1', b: '2' }],
  'a key is set': [
    session => Object.assign(session, { c: 3 }),
    'changed',
    { set: { c: '3' }, unset: [], isEmpty: false },
    { a: '1', b: '2', c: '3' },
  ],
  'a key is changed and another one removed': [
    session => {
      session.a = 10
      Reflect.deleteProperty(session, 'b')
    },
    'changed',
    { set: { a: '10' }, unset: ['b'], isEmpty: false },
    { a: '10' },
  ],
  'all keys are removed': [
    session => ['a', 'b'].map(name => Reflect.deleteProperty(session, name)),
    'emptied',
    { set: {}, unset: ['a', 'b'], isEmpty: true },
    {},
  ],
}

for (const [what, [work, difference, changes, after]] of Object.entries(COMPARED)) {
  test(`a session is compared with what the store has: ${what}`, () => {
    const { state, session } = open(FOUND)
    work(session)
    assert.equal(state.compare(session, undefined), difference)
    assert.deepEqual([state.changes, state.after()], [changes, after])
    const { set, unset } = (changes ?? { set: {}, unset: [] }) as { set: object; unset: string[] }
    assert.deepEqual(state.changedNames, [...Object.keys(set), ...unset])
    assert.equal(state.compare(session, undefined), difference, 'again: the store does not have it')
    state.settle()
    assert.equal(state.compare(session, undefined), 'same', 'the store has it')
    assert.deepEqual(state.members, after)
    session.d = 4
    assert.equal(state.compare(session, undefined), 'changed', 'it is compared with that from now on')
  })
}

test('a new session without data is empty, and with data has changed', () => {
  const { state, session } = open()
  assert.equal(state.compare(session, undefined), 'emptied')
  assert.deepEqual([state.after(), state.changedNames], [{}, []])
  session.a = 1
  assert.deepEqual([state.compare(session, undefined), state.after()], ['changed', { a: '1' }])
})

/** What the store has; what is done; how it differs then, whose it is, and what a patch says of that. */
const OWNED: Readonly<
  Record<
    string,
    readonly [
      found: Partial<Found> | undefined,
      work: object,
      difference: string,
      owner: string | undefined,
      newOwner: string | null | undefined,
    ]
  >
> = {
  'nothing changes': [FOUND, {}, 'same', 'ann', undefined],
  'nothing changes, and the store does not know whose it is': [
    { members: { user: '"ann"' } },
    {},
    'changed',
    'ann',
    'ann',
  ],
  'nothing changes, and it is nobody’s': [{ members: { a: '1' } }, {}, 'same', undefined, undefined],
  'nothing changes, and it has no data': [{ members: {} }, {}, 'same', undefined, undefined],
  'it becomes somebody else’s': [FOUND, { user: 'bob' }, 'changed', 'bob', 'bob'],
  'it becomes nobody’s': [FOUND, { c: 3 }, 'changed', undefined, null],
  'it is emptied': [FOUND, { a: undefined, b: undefined }, 'emptied', undefined, null],
  'a new one is somebody’s': [undefined, { user: 'ann' }, 'changed', 'ann', 'ann'],
  'a new one has no data': [undefined, {}, 'emptied', undefined, undefined],
}

for (const [what, [found, work, difference, owner, newOwner]] of Object.entries(OWNED)) {
  test(`whose it is: ${what}`, () => {
    const { state, session } = open(found)
    Object.assign(session, work)
    assert.equal(state.compare(session, ownerOf), difference)
    assert.deepEqual([state.owner, state.newOwner], [owner, newOwner])
    state.settle()
    assert.equal(state.newOwner, undefined)
  })
}

test('a session without data is nobody’s, and is not asked about', () => {
  const { state, session } = open({ payload: {} })
  assert.equal(
    state.compare(session, () => assert.fail()),
    'same',
  )
})

test('what others have written is in the session, but for what has changed since it was compared', () => {
  const { state, session } = open(FOUND)
  session.c = 3
  state.compare(session, undefined)
  state.settle()
  session.d = 4
  session.a = 100
  state.adopt(session, { a: '1', c: '30', e: '5' }, 'bob')
  assert.deepEqual(session.toJSON(), { a: 100, c: 30, d: 4, e: 5 })
  assert.deepEqual(
    [state.members, state.version, state.changes, state.owner, state.newOwner],
    [{ a: '1', c: '30', e: '5' }, undefined, undefined, 'bob', undefined],
  )
  assert.equal(state.compare(session, undefined), 'changed')
  assert.deepEqual(state.changes?.set, { a: '100', d: '4' })
})

test('a store that has nothing any more is given all', () => {
  const { state, session } = open(FOUND)
  session.c = 3
  state.compare(session, undefined)
  state.settle()
  state.clear()
  assert.deepEqual(
    [state.members, state.version, state.owner, state.newOwner],
    [undefined, undefined, undefined, undefined],
  )
  assert.equal(state.compare(session, undefined), 'changed')
  assert.deepEqual(state.after(), { a: '1', b: '2', c: '3' })
})

const UPGRADED = { ...FOUND, members: undefined, stored: FOUND.members, payload: { b: 2, c: 3, _expire: 1 } }

/** What is done to `{ b: 2, c: 3 }`, which `upgrade` has made of `{ a: 1, b: 2 }`; how it differs; what is to be saved. */
const SAVED: Readonly<Record<string, readonly [work: object, difference: string, changes: unknown, toSave: unknown]>> =
  {
    nothing: [{}, 'same', undefined, { set: { c: '3' }, unset: ['a'], isEmpty: false }],
    'a key is set': [
      { d: 4 },
      'changed',
      { set: { d: '4' }, unset: [], isEmpty: false },
      { set: { c: '3', d: '4' }, unset: ['a'], isEmpty: false },
    ],
    'it is made as the store has it': [
      { a: 1, c: undefined },
      'changed',
      { set: { a: '1' }, unset: ['c'], isEmpty: false },
      { set: {}, unset: [], isEmpty: false },
    ],
    'all keys are removed': [
      { b: undefined, c: undefined },
      'emptied',
      { set: {}, unset: ['b', 'c'], isEmpty: true },
      { set: {}, unset: ['a', 'b'], isEmpty: true },
    ],
  }

for (const [what, [work, difference, changes, toSave]] of Object.entries(SAVED)) {
  test(`a session that was upgraded is compared with what upgrade made of it, and saved as a whole: ${what}`, () => {
    const { state, session } = open(UPGRADED as Partial<Found>)
    Object.assign(session, work)
    assert.equal(state.compare(session, undefined), difference)
    assert.deepEqual([state.changes, state.toSave, state.stored], [changes, toSave, FOUND.members])
    const after = state.after()
    const values = Object.entries(after).map(([name, text]) => [name, JSON.parse(text)])
    assert.deepEqual(Object.fromEntries(values), JSON.parse(JSON.stringify(session.toJSON())))
    const undone = { ...after, ...state.undoing.set }
    for (const name of state.undoing.unset) Reflect.deleteProperty(undone, name)
    assert.deepEqual(undone, { b: '2', c: '3' }, 'what is taken back is not the upgrade')
    state.settle()
    assert.deepEqual([state.compare(session, undefined), state.stored, state.toSave], ['same', after, undefined])
  })
}

test('what was upgraded is no wish to save, whosever it is by now', () => {
  const { state, session } = open(UPGRADED as Partial<Found>)
  assert.equal(
    state.compare(session, () => 'bob'),
    'same',
  )
  assert.deepEqual([state.changes, state.newOwner], [undefined, 'bob'])
  state.adopt(session, { z: '1' }, undefined)
  assert.deepEqual([state.known, state.toSave, session.toJSON()], [{ z: '1' }, undefined, { z: 1 }])
  const other = open(UPGRADED as Partial<Found>).state
  other.clear()
  assert.deepEqual([other.known, other.stored], [undefined, {}])
})
