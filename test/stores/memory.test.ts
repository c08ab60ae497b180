import assert from 'node:assert/strict'
import test from 'node:test'
import { type MemoryStoreOptions, memoryStore } from 'koa-session/memory'
import { manualClock } from 'koa-session/testing'

const NOW = 1_700_000_000_000
const HOUR = 3_600_000

function open(options: MemoryStoreOptions = {}) {
  const clock = manualClock(NOW)
  const store = memoryStore({ now: clock.now, ...options })
  /** Which of the ids are there. Looking at them is a use of them, the first one first. */
  const held = (...ids: string[]) => ids.filter(id => store.get(id) !== undefined)
  const add = (...ids: string[]) => {
    for (const id of ids) store.set(id, { id }, HOUR)
  }
  /** What it has under an id, without what it says of that beside. */
  const look = (id: string) => {
    const record = store.read(id)
    return record && { members: record.members, lifetime: record.lifetime }
  }
  return { clock, store, held, add, look }
}

test('a session expires when its time to live is over', async t => {
  const rows: ReadonlyArray<readonly [claim: string, ttl: number, elapsed: number, isThere: boolean]> = [
    ['it is there at once', HOUR, 0, true],
    ['it is there a millisecond before the end', HOUR, HOUR - 1, true],
    ['it is gone at the end', HOUR, HOUR, false],
    ['it is gone after the end', HOUR, HOUR + 1, false],
    ['it never was there with no time to live', 0, 0, false],
    ['it never was there with less than none', -1, 0, false],
    ['it is there for a fraction of a millisecond', 0.5, 0, true],
    ['it is there for the longest lifetime', 8e15, 1e15, true],
  ]
  for (const [claim, ttl, elapsed, isThere] of rows) {
    await t.test(claim, () => {
      const { clock, store, held } = open()
      store.set('a', {}, ttl)
      clock.advance(elapsed)
      assert.deepEqual(held('a'), isThere ? ['a'] : [])
    })
  }
})

test('the size counts what expired until it is looked at', () => {
  const { clock, store, add } = open()
  assert.equal(store.size, 0)
  add('a', 'b')
  assert.equal(store.size, 2)
  clock.advance(HOUR)
  assert.equal(store.size, 2)
  store.get('a')
  assert.equal(store.size, 1)
  store.destroy('b')
  assert.equal(store.size, 0)
})

test('beyond its maximum the session that was not used for longest goes first', async t => {
  const rows: ReadonlyArray<readonly [claim: string, use: (store: ReturnType<typeof open>) => void, left: string[]]> = [
    ['which is the oldest when none was used', () => {}, ['b', 'c', 'd']],
    ['getting one is a use of it', ({ store }) => store.get('a'), ['a', 'c', 'd']],
    ['setting one is a use of it', ({ add }) => add('a'), ['a', 'c', 'd']],
    ['the order of the uses counts', ({ held }) => held('c', 'b', 'a'), ['a', 'b', 'd']],
    ['looking for one that is not there is no use of any', ({ store }) => store.get('x'), ['b', 'c', 'd']],
    ['forgetting one makes room', ({ store }) => store.destroy('b'), ['a', 'c', 'd']],
    [
      'so does finding one that expired',
      ({ store }) => {
        store.set('b', {}, 0)
        store.get('b')
      },
      ['a', 'c', 'd'],
    ],
  ]
  for (const [claim, use, left] of rows) {
    await t.test(claim, () => {
      const opened = open({ max: 3 })
      opened.add('a', 'b', 'c')
      use(opened)
      opened.add('d')
      assert.equal(opened.store.size, 3)
      assert.deepEqual(opened.held('a', 'b', 'c', 'd'), left)
    })
  }
})

test('setting a session again at the maximum drops none', () => {
  const { store, held, add } = open({ max: 2 })
  add('a', 'b')
  add('a', 'b', 'b', 'a')
  assert.equal(store.size, 2)
  assert.deepEqual(held('a', 'b'), ['a', 'b'])
})

test('a store of one keeps the latest', () => {
  const { store, held, add } = open({ max: 1 })
  add('a', 'b', 'c')
  assert.equal(store.size, 1)
  assert.deepEqual(held('a', 'b', 'c'), ['c'])
})

test('by default a store keeps 10,000 sessions', () => {
  const { store, held, add } = open()
  for (let index = 0; index <= 10_000; index++) add(`id-${index}`)
  assert.equal(store.size, 10_000)
  assert.deepEqual(held('id-0', 'id-1', 'id-10000'), ['id-1', 'id-10000'])
})

test('by default the time is that of the machine', () => {
  const store = memoryStore()
  store.set('a', {}, HOUR)
  store.set('b', {}, 0)
  store.set('c', {}, -Date.now() + HOUR)
  assert.deepEqual([store.get('a'), store.get('b'), store.get('c')], [{}, undefined, undefined])
})

test('an id is only a name, whatever it is', () => {
  const { store } = open()
  for (const id of ['__proto__', 'constructor', 'hasOwnProperty', '', ' ', '0', 'ä'.repeat(1000)]) {
    assert.equal(store.get(id), undefined, id)
    store.set(id, { id }, HOUR)
    assert.deepEqual(store.get(id), { id })
  }
})

test('a payload that can not be kept is an error, and what was there stays', () => {
  const { store } = open()
  store.set('a', { user: 'ada' }, HOUR)
  assert.throws(() => store.set('a', { id: 1n }, HOUR), TypeError)
  assert.deepEqual(store.get('a'), { user: 'ada' })
})

test('two stores know nothing of each other', () => {
  const [first, second] = [memoryStore(), memoryStore()]
  first.set('a', {}, HOUR)
  assert.equal(second.get('a'), undefined)
})

test('a wrong option is an error that names it, what it was and what was expected', async t => {
  const count = 'a positive integer'
  const clock = 'a function that gives milliseconds'
  const rows: ReadonlyArray<readonly [option: string, value: unknown, shown: string, expected: string]> = [
    ['max', 0, '0', count],
    ['max', -1, '-1', count],
    ['max', 1.5, '1.5', count],
    ['max', Number.NaN, 'NaN', count],
    ['max', Number.POSITIVE_INFINITY, 'Infinity', count],
    ['max', 2 ** 53, '9007199254740992', count],
    ['max', '10', '"10"', count],
    ['max', true, 'true', count],
    ['max', 10n, '10', count],
    ['max', Symbol('max'), 'Symbol(max)', count],
    ['now', 5, '5', clock],
    ['now', 'now', '"now"', clock],
  ]
  for (const [index, [option, value, shown, expected]] of rows.entries()) {
    await t.test(`row ${index + 1}: ${option} was ${shown}`, () => {
      const message = `memoryStore: ${option} was ${shown}, expected ${expected}`
      assert.throws(() => memoryStore({ [option]: value }), {
        name: 'SessionError',
        code: 'ERR_SESSION_OPTION',
        message,
      })
    })
  }
})

test('an option that has no text of its own is refused with the same code', () => {
  for (const value of [Object.create(null), { toString: null, valueOf: null }]) {
    assert.throws(() => memoryStore({ max: value }), { code: 'ERR_SESSION_OPTION', message: /^memoryStore: max was/ })
    assert.throws(() => memoryStore({ now: value }), { code: 'ERR_SESSION_OPTION', message: /^memoryStore: now was/ })
  }
})

test('the least that is asked for works', () => {
  assert.equal(memoryStore({ max: 1 }).size, 0)
  assert.equal(memoryStore({ max: Number.MAX_SAFE_INTEGER }).size, 0)
  assert.equal(memoryStore({}).size, 0)
  assert.equal(memoryStore(undefined).size, 0)
})

test('the order of use is that of a list that is kept by hand', () => {
  const { store, add } = open({ max: 4 })
  const model: string[] = []
  const forget = (id: string) => model.includes(id) && model.splice(model.indexOf(id), 1)
  // A generator of numbers that anybody can repeat.
  let seed = 1
  const draw = (below: number) => {
    seed = (seed * 48_271) % 2_147_483_647
    return seed % below
  }
  for (let step = 0; step < 5000; step++) {
    const id = String(draw(7))
    const action = ['set', 'get', 'destroy'][draw(3)]
    if (action === 'set') add(id)
    else if (action === 'get') assert.equal(store.get(id) !== undefined, model.includes(id))
    else store.destroy(id)
    const isHeld = model.includes(id)
    forget(id)
    if (action === 'set' || (action === 'get' && isHeld)) model.push(id)
    if (model.length > 4) model.shift()
    assert.equal(store.size, model.length)
  }
})

const RECORD = { members: { user: '"ada"', cart: '[1]' }, lifetime: { _expire: NOW + HOUR, _maxAge: HOUR } } as const
const later = { _expire: NOW + 2 * HOUR, _maxAge: HOUR }

test('read(), patch() and touch() are uses of a session, for which is dropped first', () => {
  const uses = {
    read: ({ store }: ReturnType<typeof open>) => store.read('a'),
    touch: ({ store }: ReturnType<typeof open>) => store.touch('a', later, HOUR),
    patch: ({ store }: ReturnType<typeof open>) =>
      store.patch('a', { set: {}, unset: [], lifetime: later, keepsEmpty: true }, HOUR),
  }
  for (const use of Object.values(uses)) {
    const opened = open({ max: 2 })
    opened.add('a', 'b')
    use(opened)
    opened.add('c')
    assert.deepEqual(opened.held('a', 'b', 'c'), ['a', 'c'])
  }
})

/** `others` people who are signed in, and who of them is left after somebody has done something again and again. */
function crowd(others: number, options: MemoryStoreOptions = {}) {
  const opened = open(options)
  const { store } = opened
  const create = (id: string, user?: string, ttl = HOUR) =>
    store.create(id, { members: { cart: '[1]' }, lifetime: {}, ...(user && { subject: user }) }, ttl)
  const renew = (id: string, successor: string, user?: string) => {
    create(successor, user)
    return store.retire(id, { successor }, HOUR)
  }
  const ids = Array.from({ length: others }, (_, n) => `other ${n}`)
  for (const id of ids) create(id, id)
  /** How many are missing. Looking at them changes nothing for them: it is the end. */
  const lost = () => ids.filter(id => store.read(id) === undefined).length
  return { ...opened, create, renew, lost }
}

type Crowd = ReturnType<typeof crowd>

test('no visitor pushes out the others who have signed in', async t => {
  const TIMES = 10_000
  const rows: Readonly<Record<string, (crowd: Crowd, time: number) => void>> = {
    'who signs in again and again with a cookie': ({ renew }, n) => renew(`m${n}`, `m${n + 1}`, 'mallory'),
    'who signs in again and again without a cookie': ({ create }, n) => create(`m${n}`, 'mallory'),
    'who signs in again and again after a page that everybody sees': ({ create, renew }, n) => {
      create(`a${n}`)
      renew(`a${n}`, `m${n}`, 'mallory')
    },
    'who signs in again and again, and keeps the id': ({ create, store }, n) => {
      create(`m${n}`)
      store.patch(`m${n}`, { set: {}, unset: [], lifetime: {}, keepsEmpty: true, subject: 'mallory' }, HOUR)
    },
    'who never signs in': ({ create }, n) => create(`a${n}`),
    'who gets a new id again and again, and never signs in': ({ renew }, n) => renew(`a${n}`, `a${n + 1}`),
  }
  for (const [who, act] of Object.entries(rows)) {
    await t.test(who, () => {
      // None as long as the others leave room for the ten that a subject may have, and for the latest.
      for (const [others, most] of [
        [9989, 0],
        [10_000, 11],
      ] as const) {
        const opened = crowd(others)
        opened.create('m0')
        for (let time = 0; time < TIMES; time++) act(opened, time)
        assert.equal(opened.store.size, 10_000)
        assert.ok(opened.lost() <= most, `${opened.lost()} of ${others} are gone`)
      }
    })
  }
})

test('beyond its maximum a store drops one kind after the other, and of each what was not used for longest', async t => {
  const rows: ReadonlyArray<readonly [claim: string, act: (crowd: Crowd) => void, left: string[]]> = [
    ['a tombstone goes before a session of nobody', ({ create }) => create('new'), ['nobody', 'ada', 'bob', 'new']],
    [
      'a session of nobody goes before one that somebody has',
      ({ create }) => {
        create('new', 'eve')
        create('newer', 'eve')
      },
      ['ada', 'bob', 'new', 'newer'],
    ],
    [
      'what somebody has beyond two goes before what others have',
      ({ create }) => {
        for (const id of ['ada 2', 'ada 3', 'ada 4']) create(id, 'ada')
      },
      ['ada', 'bob', 'ada 2', 'ada 4'],
    ],
    [
      'and no longer when the others of the same subject have ended',
      ({ create, store }) => {
        for (const id of ['ada 2', 'ada 3']) create(id, 'ada')
        store.destroy('ada')
        store.read('ada 3')
        for (const id of ['new', 'newer']) create(id, 'eve')
      },
      ['ada 2', 'ada 3', 'new', 'newer'],
    ],
    [
      'one that becomes nobody’s goes first',
      ({ create, store }) => {
        store.patch('bob', { set: {}, unset: [], lifetime: {}, keepsEmpty: true, subject: null }, HOUR)
        store.read('nobody')
        for (const id of ['new', 'newer']) create(id, 'eve')
      },
      ['nobody', 'ada', 'new', 'newer'],
    ],
    [
      'one of nobody that was just made stays',
      ({ create }) => {
        for (const id of ['new', 'newer']) create(id, 'eve')
        create('anonymous')
      },
      ['bob', 'new', 'newer', 'anonymous'],
    ],
    [
      'what has expired goes before all of them',
      ({ create, store, clock }) => {
        store.touch('ada', {}, 1)
        clock.advance(1)
        for (const id of ['new', 'newer']) create(id, 'eve')
      },
      ['nobody', 'bob', 'new', 'newer'],
    ],
  ]
  for (const [claim, act, left] of rows) {
    await t.test(claim, () => {
      const opened = crowd(0, { max: 4 })
      opened.create('ada', 'ada')
      opened.create('bob', 'bob')
      opened.create('retired', 'eve')
      opened.create('nobody')
      opened.store.retire('retired', {}, HOUR)
      act(opened)
      assert.equal(opened.store.size, 4)
      const ids = ['retired', 'nobody', 'ada', 'bob', 'ada 2', 'ada 3', 'ada 4', 'new', 'newer', 'anonymous']
      assert.deepEqual(opened.held(...ids), left)
    })
  }
})

test('who signs in when all others have signed in does not push out the session that gets the new id', () => {
  const { create, renew, store } = crowd(10, { max: 10 })
  for (let time = 0; time < 5; time++) {
    create(`before ${time}`)
    assert.equal(renew(`before ${time}`, `after ${time}`, 'ada'), 'saved')
    assert.equal(store.size, 10)
    assert.equal(store.read(`before ${time}`), undefined, 'a tombstone goes first')
    assert.equal(store.read(`after ${time}`)?.subject, 'ada')
  }
})

test('sessions that have expired leave the room to others, though nobody asks for them', () => {
  const { create, store, clock } = crowd(0, { max: 100 })
  for (let n = 0; n < 100; n++) create(`user ${n}`, `user ${n}`)
  clock.advance(HOUR / 2)
  for (let n = 50; n < 100; n++) store.touch(`user ${n}`, {}, HOUR)
  clock.advance(HOUR / 2)
  for (let n = 0; n < 50; n++) create(`visit ${n}`)
  for (let n = 0; n < 50; n++) {
    assert.equal(store.read(`user ${n}`), undefined)
    assert.ok(store.read(`user ${n + 50}`))
    assert.ok(store.read(`visit ${n}`), `visit ${n}`)
  }
})

test('sessions that have expired are found wherever they are', () => {
  const { create, store, clock } = crowd(0, { max: 100 })
  for (let n = 0; n < 100; n++) create(`user ${n}`, `user ${n}`, n < 50 ? 2 * HOUR : HOUR)
  clock.advance(HOUR)
  for (let n = 0; n < 50; n++) create(`visit ${n}`)
  const visits = Array.from({ length: 50 }, (_, n) => store.read(`visit ${n}`)).filter(Boolean)
  assert.ok(visits.length >= 40, `${visits.length} of 50 have found room`)
})

test('a tombstone is kept for as long as the session would be, and for ten minutes at most', async t => {
  const MINUTE = 60_000
  for (const [ttl, kept] of [
    [MINUTE, MINUTE],
    [10 * MINUTE, 10 * MINUTE],
    [HOUR, 10 * MINUTE],
  ] as const) {
    await t.test(`of ${ttl} ms, ${kept}`, () => {
      const { store, clock } = open()
      store.create('old', RECORD, HOUR)
      store.create('new', RECORD, HOUR)
      store.retire('old', { successor: 'new' }, ttl)
      clock.advance(kept - 1)
      assert.equal(store.read('old')?.retiredFor, kept - 1)
      clock.advance(1)
      assert.equal(store.read('old'), undefined)
      assert.ok(store.read('new'))
    })
  }
})

test('an extension is no new version, so that it is no conflict for who read the session before', () => {
  const store = memoryStore()
  store.create('a', { members: { n: '1' }, lifetime: {} }, 1000)
  const version = store.read('a')?.version
  assert.equal(store.touch('a', { _maxAge: 5 }, 1000), true)
  assert.deepEqual([store.read('a')?.version, store.retire('a', { version }, 1000)], [version, 'saved'])
})
