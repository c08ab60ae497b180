import assert from 'node:assert/strict'
import test from 'node:test'
import { inspect } from 'node:util'
import { SessionError } from '../../src/errors.ts'
import { isFlatlySame, textOf } from '../../src/session/changes.ts'
import type { MaxAge } from '../../src/session/model.ts'
import {
  type CommitWork,
  dataIn,
  dataOf,
  fill,
  fillFrom,
  Session,
  type SessionHost,
} from '../../src/session/session.ts'

/** A request that writes down what its session asks of it. */
class RecordingOwner implements SessionHost {
  readonly asked: CommitWork[] = []
  readonly isDegraded = false
  readonly handle = 'handle'
  readonly lifetimes: unknown[] = []
  readonly id: string | undefined
  #outcome: () => Promise<void>

  constructor({ id = undefined as string | undefined, outcome = async () => {} } = {}) {
    this.id = id
    this.#outcome = outcome
  }

  get maxAge(): MaxAge {
    return 5000
  }

  set maxAge(value: MaxAge) {
    this.lifetimes.push(value)
  }

  readonly marks: string[] = []
  readonly settings = {
    createdAt: 1_700_000_000_000,
    isFresh: (milliseconds: number) => {
      this.marks.push(`within ${milliseconds}`)
      return milliseconds > 1000
    },
  }

  commit(work: CommitWork): Promise<void> {
    this.asked.push(work)
    return this.#outcome()
  }
}

type Open = Session & Record<string, unknown>

function open({ owner = new RecordingOwner(), isNew = true, data = {} as Record<string, unknown> } = {}): Open {
  const session = new Session(owner, isNew)
  fill(session, data)
  return session as Open
}

test('a session says whether it began with this request', () => {
  assert.equal(open({ isNew: true }).isNew, true)
  assert.equal(open({ isNew: false }).isNew, false)
})

test('a session shows the id that the request knows', () => {
  assert.equal(open({ owner: new RecordingOwner({ id: 'id-1' }) }).externalKey, 'id-1')
  assert.equal(open().externalKey, undefined)
})

test('maxAge is read from the request, and setting it tells the request, whatever it is', () => {
  const owner = new RecordingOwner()
  const session = open({ owner })
  assert.equal(session.maxAge, 5000)
  for (const value of [1000, 'session', 0, undefined, null, 'wrong', Number.NaN, () => 1]) {
    Reflect.set(session, 'maxAge', value)
    assert.equal(owner.lifetimes.at(-1), value)
  }
  assert.deepEqual(dataOf(session), {})
})

test('an object assigned to a session sets its lifetime with maxAge', () => {
  const owner = new RecordingOwner()
  const session = Object.assign(open({ owner }), { maxAge: 100, user: 'ada' })
  assert.deepEqual(owner.lifetimes, [100])
  assert.deepEqual(dataOf(session), { user: 'ada' })
})

test('length and populated count the data alone', async t => {
  const rows: ReadonlyArray<readonly [claim: string, data: Record<string, unknown>, length: number]> = [
    ['nothing', {}, 0],
    ['one key', { user: 'ada' }, 1],
    ['a key that holds undefined', { user: undefined }, 1],
    ['functions do not count', { user: 'ada', greet: () => 'hi' }, 1],
    ['functions alone are nothing', { greet: () => 'hi' }, 0],
    ['metadata does not count', { _expire: 1, _maxAge: 1, _session: true, _requireSave: true, _meta: {} }, 0],
    ['other names with an underscore do', { _csrf: 'x', __v: 1 }, 2],
  ]
  for (const [claim, data, length] of rows) {
    await t.test(claim, () => {
      const session = open({ data })
      assert.equal(session.length, length)
      assert.equal(session.populated, length > 0)
    })
  }
})

test('a session is its data: for JSON, for inspect, for Object.keys and for a loop', () => {
  const session = open({ data: { user: 'ada', cart: [1] } })
  session.greet = () => 'hi'
  assert.equal(JSON.stringify(session), '{"user":"ada","cart":[1]}')
  assert.deepEqual(session.toJSON(), { user: 'ada', cart: [1] })
  assert.equal(inspect(session), "{ user: 'ada', cart: [ 1 ] }")
  assert.equal(inspect({ session }), "{ session: { user: 'ada', cart: [ 1 ] } }")
  assert.deepEqual(Object.keys(session), ['user', 'cart', 'greet'])
  const names: string[] = []
  for (const name in session) names.push(name)
  assert.deepEqual(names, ['user', 'cart', 'greet'])
  assert.deepEqual({ ...session, greet: undefined }, { user: 'ada', cart: [1], greet: undefined })
})

test('toJSON gives a new object each time, and not the session', () => {
  const session = open({ data: { user: 'ada' } })
  const data = session.toJSON()
  data.user = 'bob'
  assert.equal(session.user, 'ada')
  assert.deepEqual(session.toJSON(), { user: 'ada' })
})

test('data can be changed and deleted like any property', () => {
  const session = open({ data: { user: 'ada', cart: [] } })
  session.user = 'bob'
  delete session.cart
  assert.equal('cart' in session, false)
  assert.deepEqual(dataOf(session), { user: 'bob' })
})

test('what JSON would lose is an error that names the key', () => {
  const session = open({ data: { a: 1 } })
  session.cart = new Map()
  assert.throws(() => textOf(dataOf(session)), { code: 'ERR_SESSION_DATA', message: /^session\.cart holds a Map/ })
})

test('a session that holds itself is an error that names the key, not an overflow', () => {
  const session = open()
  session.self = session
  assert.throws(() => textOf(dataOf(session)), { code: 'ERR_SESSION_DATA', message: /^session\.self holds/ })
})

test('each method asks the request for one kind of commit', async t => {
  const change = () => {}
  const rows: ReadonlyArray<readonly [claim: string, call: (session: Session) => unknown, asked: CommitWork]> = [
    ['save() for one that saves', session => session.save(), { save: true }],
    [
      'regenerate() for one with a new id',
      session => session.regenerate(),
      { regenerate: true, fresh: undefined, keep: undefined },
    ],
    ['manuallyCommit() for that of the end', session => session.manuallyCommit(), {}],
    ['commit() for that of the end', session => session.commit(), {}],
    ['commit(undefined) for that of the end', session => session.commit(undefined), {}],
    ['commit({ save }) for one that saves', session => session.commit({ save: true }), { save: true }],
    ['commit(options) for what they say', session => session.commit({ regenerate: false }), { regenerate: false }],
    ['save(callback) for one that saves', session => session.save(() => {}), { save: true }],
    [
      'regenerate(callback) for one with a new id',
      session => session.regenerate(() => {}),
      { regenerate: true, fresh: undefined, keep: undefined },
    ],
    [
      'regenerate({}) for one with a new id',
      session => session.regenerate({}),
      { regenerate: true, fresh: undefined, keep: undefined },
    ],
    [
      'regenerate(null) for one with a new id',
      session => session.regenerate(null as never),
      { regenerate: true, fresh: undefined, keep: undefined },
    ],
    ['commit(callback) for that of the end', session => session.commit(() => {}), {}],
    [
      'commit(options, callback) for what they say',
      session => session.commit({ save: true }, () => {}),
      { save: true },
    ],
    ['commit(undefined, callback) for that of the end', session => session.commit(undefined, () => {}), {}],
    ['update(change) for what it changes', session => session.update(change), { update: change }],
  ]
  for (const [claim, call, asked] of rows) {
    await t.test(claim, async () => {
      const owner = new RecordingOwner()
      await call(open({ owner }))
      assert.deepEqual(owner.asked, [asked])
    })
  }
})

type Callback = (error?: unknown) => void

const withCallback: ReadonlyArray<readonly [claim: string, call: (session: Session, callback: Callback) => unknown]> = [
  ['save', (session, callback) => session.save(callback)],
  ['regenerate', (session, callback) => session.regenerate(callback)],
  ['commit', (session, callback) => session.commit(callback)],
  ['commit with options', (session, callback) => session.commit({ save: true }, callback)],
]

for (const [claim, call] of withCallback) {
  test(`${claim} calls back once when it is done, without arguments, and gives no promise`, async () => {
    let given: unknown
    const done = new Promise<unknown[]>(resolve => {
      given = call(open(), (...parameters) => resolve(parameters))
    })
    assert.equal(given, undefined)
    assert.deepEqual(await done, [])
  })

  test(`${claim} calls back with the error, once, and nothing is left unhandled`, async () => {
    const error = new SessionError('ERR_SESSION_STORE', 'no store')
    const calls: unknown[] = []
    const session = open({ owner: new RecordingOwner({ outcome: () => Promise.reject(error) }) })
    await new Promise<void>(resolve => {
      call(session, (...parameters) => {
        calls.push(...parameters)
        resolve()
      })
    })
    await Promise.resolve()
    assert.deepEqual(calls, [error])
  })
}

test('without a callback there is a promise that tells the outcome', async () => {
  const error = new Error('no store')
  const failing = () => open({ owner: new RecordingOwner({ outcome: () => Promise.reject(error) }) })
  const work = [failing().save(), failing().regenerate(), failing().manuallyCommit(), failing().commit()]
  const outcomes = await Promise.allSettled(work)
  assert.deepEqual(
    outcomes.map(outcome => outcome.status === 'rejected' && outcome.reason === error),
    [true, true, true, true],
  )
  assert.equal(await open().save(), undefined)
  assert.equal(await open().regenerate(), undefined)
  assert.equal(await open().commit(), undefined)
  assert.equal(await open().manuallyCommit(), undefined)
})

test('a session holds what it was filled with until it is changed', async t => {
  const rows: ReadonlyArray<
    readonly [claim: string, change: (session: Record<string, unknown>) => void, isHeld: boolean]
  > = [
    ['nothing', () => {}, true],
    ['a value set to what it is', session => Object.assign(session, { a: 1 }), true],
    ['another value', session => Object.assign(session, { a: 2 }), false],
    ['another type', session => Object.assign(session, { a: '1' }), false],
    ['one more', session => Object.assign(session, { d: 1 }), false],
    ['one less', session => delete session.c, false],
    ['another name for the same value', session => delete session.c && Object.assign(session, { d: null }), false],
    ['another order of equal values', session => delete session.a && Object.assign(session, { a: 1 }), true],
    ['an object in place of a value', session => Object.assign(session, { a: [1] }), false],
    ['a function, which is no data', session => Object.assign(session, { d: () => 1 }), false],
  ]
  for (const [claim, change, isHeld] of rows) {
    await t.test(claim, () => {
      const session = new Session(new RecordingOwner(), false)
      const payload = { a: 1, b: 1, c: null, _expire: 1, _maxAge: 1 }
      const reserved = fill(session, payload)
      assert.equal(reserved, 2)
      assert.deepEqual(dataIn(payload), { a: 1, b: 1, c: null })
      change(session as unknown as Record<string, unknown>)
      assert.equal(isFlatlySame(session, payload, reserved), isHeld)
    })
  }
})

test('regenerate({ keep }) drops the other data, and none of what is no data', async () => {
  const session = open({ data: { user: 'ada', cart: [1], csrf: 'x' } })
  Object.assign(session, { save: async () => {} })
  await session.regenerate({ keep: ['cart', 'nothing'] })
  assert.deepEqual(dataOf(session), { cart: [1] })
  assert.equal(typeof Object.getOwnPropertyDescriptor(session, 'save'), 'object')
  await session.regenerate({ keep: [] })
  assert.deepEqual(dataOf(session), {})
})

const REFUSED: ReadonlyArray<
  readonly [
    claim: string,
    call: (session: Record<string, (...given: unknown[]) => unknown>) => unknown,
    message: string,
  ]
> = [
  [
    'regenerate({ keep: text }), which named a part of other keys',
    session => session.regenerate?.({ keep: 'userId' }),
    'regenerate(): option keep was a string, expected a list of the keys to keep',
  ],
  [
    'regenerate({ keep: undefined }), which kept everything',
    session => session.regenerate?.({ keep: undefined }),
    'regenerate(): option keep was undefined, expected a list of the keys to keep',
  ],
  [
    'regenerate({ keep: [1] })',
    session => session.regenerate?.({ keep: [1] }),
    'regenerate(): option keep was an array, expected a list of the keys to keep',
  ],
  [
    'regenerate({ keeps })',
    session => session.regenerate?.({ keeps: ['user'] }),
    'regenerate(): unknown option keeps, expected fresh and keep',
  ],
  [
    'regenerate({ constructor })',
    session => session.regenerate?.({ constructor: 1 }),
    'regenerate(): unknown option constructor, expected fresh and keep',
  ],
  [
    'regenerate({ fresh: 1 })',
    session => session.regenerate?.({ fresh: 1 }),
    'regenerate(): option fresh was a number, expected true or false',
  ],
  [
    "regenerate(['user'])",
    session => session.regenerate?.(['user']),
    'regenerate(): options were an array, expected an object with fresh and keep',
  ],
  ['save({ maxAge })', session => session.save?.({ maxAge: 1 }), 'save(): callback was an object, expected a function'],
  [
    'commit({ update })',
    session => session.commit?.({ update: () => {} }),
    'commit(): unknown option update, expected save and regenerate',
  ],
  ['commit({}, 1)', session => session.commit?.({}, 1), 'commit(): callback was a number, expected a function'],
  ['update() without a change', session => session.update?.(), 'update(): change was undefined, expected a function'],
  [
    "isFresh('5m')",
    session => session.isFresh?.('5m'),
    'isFresh(): milliseconds were a string, expected a number, 0 or more',
  ],
  [
    'isFresh(NaN)',
    session => session.isFresh?.(Number.NaN),
    'isFresh(): milliseconds were a number, expected a number, 0 or more',
  ],
  [
    'isFresh(-1)',
    session => session.isFresh?.(-1),
    'isFresh(): milliseconds were a number, expected a number, 0 or more',
  ],
]

for (const [claim, call, message] of REFUSED) {
  test(`${claim} is refused, and nothing is done`, () => {
    const owner = new RecordingOwner()
    const session = open({ owner, data: { user: 'ada', userId: 1 } })
    const work = () => call(session as unknown as Parameters<typeof call>[0])
    assert.throws(work, { code: 'ERR_SESSION_OPTION', message })
    assert.deepEqual([dataOf(session), owner.asked, owner.marks], [{ user: 'ada', userId: 1 }, [], []])
  })
}

test('regenerate() hands on what it is given, and isFresh() asks the request', async () => {
  const owner = new RecordingOwner()
  const session = open({ owner })
  await session.regenerate({ fresh: false, keep: ['user'] })
  await session.regenerate({ fresh: true, keep: ['user'] })
  assert.deepEqual(owner.asked, [
    { regenerate: true, fresh: false, keep: ['user'] },
    { regenerate: true, fresh: true, keep: ['user'] },
  ])
  assert.equal(session.isFresh(1001), true)
  assert.equal(session.isFresh(1000), false)
  assert.deepEqual(owner.marks, ['within 1001', 'within 1000'])
  assert.equal(session.createdAt, owner.settings.createdAt)
})

test('data of a name that 7.x does not know takes the place of what 8 has under it, and is data', () => {
  const session = open({ data: { createdAt: 'monday', isFresh: 1 } }) as Session & Record<string, unknown>
  assert.deepEqual(dataOf(session), { createdAt: 'monday', isFresh: 1 })
  assert.equal(session.createdAt as unknown, 'monday')
  Object.assign(session, { createdAt: 'tuesday' })
  assert.deepEqual(dataOf(session), { createdAt: 'tuesday', isFresh: 1 })
})

test('a session takes its data from the texts of a store, and none of what is no data', () => {
  const session = open()
  const members = { user: '"ada"', cart: '[1]', save: '1', _expire: '1', ['__proto__']: '1', createdAt: '2' }
  fillFrom(session, members)
  assert.deepEqual({ ...session }, { user: 'ada', cart: [1], createdAt: 2 })
  assert.throws(() => fillFrom(session, { user: '' }), { code: 'ERR_SESSION_DATA' })
})

test('a session takes nothing that its payload inherits', () => {
  const session = open()
  fill(session, Object.create({ admin: true }))
  assert.equal(session.admin, undefined)
})
