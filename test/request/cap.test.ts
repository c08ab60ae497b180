/** The option `maxSessions` without HTTP: how many sessions a user has, whichever way somebody signs in. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { digest } from '../../src/codec/digest.ts'
import { resolveConfig } from '../../src/config.ts'
import { checkStore } from '../../src/request/cap.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { after, type Course, fails, failsThoughDone, slowly } from '../support/stores.ts'
import { codeOf, site } from './site.ts'

type Options = Record<string, unknown>
type Site = ReturnType<typeof site>
type Request = ReturnType<Site['begin']>
type Handler = (request: Request) => unknown
type Beyond = 'end-oldest' | 'refuse'

const HOUR = 3_600_000
const BOTH: readonly Beyond[] = ['end-oldest', 'refuse']
const subject = ({ user }: { user?: string }) => user
const LIMIT = 'ERR_SESSION_LIMIT'
/** The ids that there may be. A visitor has A, with a cart. */
const IDS = ['A', 'X', 'Y', 'Z', '1', '2', '3', '4', '5', '6']

const capped = (beyond: Beyond, count = 2, options: Options = {}, shared?: Site) =>
  site({ subject, maxSessions: { count, beyond }, maxAge: HOUR, ...options }, [], shared)

/** Ann signs in elsewhere, and gets the session `id`, a second after the one before. */
function signInElsewhere({ memory, clock }: Site, ...ids: readonly string[]): void {
  for (const id of ids) {
    clock.advance(1000)
    const lifetime = { _expire: clock.now() + HOUR, _maxAge: HOUR }
    memory.create(id, { members: { user: '"ann"' }, lifetime, version: 0, subject: digest('ann') }, HOUR)
  }
}

/** Whose sessions there are, the newest first. */
const idsOf = ({ memory }: Site, user = 'ann') =>
  memory.list(user).map(({ handle }) => IDS.find(id => digest(id) === handle))

/** A whole request of who has `client`; `code`: of the error that it ends with. */
async function respond({ begin }: Site, client: string | undefined, handle: Handler, isHeard = true) {
  const request = begin(client)
  const { scope, exchange } = request
  exchange.isHeard = isHeard
  await scope.start(false)
  let thrown: unknown
  const code = await codeOf(async () => {
    try {
      await handle(request)
    } catch (error) {
      thrown = error
    }
    await (thrown ? scope.finishThrown() : scope.finish())
    if (thrown) throw thrown
  })
  const ended = exchange.events.flatMap(event => (event.type === 'ended' ? [event] : []))
  return { client: exchange.client, code, ended, told: request.told() }
}

/** What is told of the sessions that a cap has ended. */
const endedBy = (...ids: readonly string[]) =>
  ids.map(id => ({ type: 'ended', id: undefined, handle: digest(id), subject: digest('ann'), reason: 'cap' }))

const signIn: Handler = ({ session }) => Object.assign(session, { user: 'ann' })
const save: Handler = async request => {
  signIn(request)
  await request.session.save()
}
const regenerate: Handler = async request => {
  signIn(request)
  await request.session.regenerate({ fresh: true })
}
const update: Handler = ({ session }) => session.update(draft => Object.assign(draft, { user: 'ann' }))

interface Way {
  readonly client?: 'A'
  readonly handle: Handler
  /** The id that Ann has then. */
  readonly id: string
  /** Why A ended, with its cart, where the sign-in fails. Absent: it has not. */
  readonly losesCart?: 'cap' | 'sign-out'
}

const WAYS: Readonly<Record<string, Way>> = {
  'in a new session': { handle: signIn, id: '1' },
  'in a new session, by save()': { handle: save, id: '1' },
  'in a session that was there': { client: 'A', handle: signIn, id: 'A' },
  'in a session that was there, by save()': { client: 'A', handle: save, id: 'A' },
  'by regenerate()': { client: 'A', handle: regenerate, id: '1' },
  'by update()': { client: 'A', handle: update, id: 'A', losesCart: 'cap' },
  'before an update()': {
    client: 'A',
    handle: async request => {
      signIn(request)
      await request.session.update(draft => Object.assign(draft, { n: 1 }))
    },
    id: 'A',
    losesCart: 'cap',
  },
  'by other data': {
    client: 'A',
    handle: ({ scope }) => Object.assign(scope, { session: { user: 'ann' } }),
    id: 'A',
  },
  'after a sign-out': {
    client: 'A',
    handle: ({ scope }) => {
      scope.session = null
      scope.session = { user: 'ann' }
    },
    id: '1',
    losesCart: 'sign-out',
  },
}

for (const [way, { client, handle, id, losesCart }] of Object.entries(WAYS)) {
  test(`a sign-in ${way} ends nothing as long as there is room`, async () => {
    for (const beyond of BOTH) {
      const made = capped(beyond)
      signInElsewhere(made, 'X')
      made.clock.advance(1000)
      const { code, ended } = await respond(made, client, handle)
      assert.deepEqual(
        [code, idsOf(made).sort(), ended.filter(({ reason }) => reason === 'cap')],
        [undefined, [id, 'X'].sort(), []],
      )
    }
  })

  test(`end-oldest: beyond the cap, a sign-in ${way} ends the oldest session of the user, and tells of it`, async () => {
    for (const isHeard of [true, false]) {
      const made = capped('end-oldest')
      made.put('Z', { user: 'bob' })
      signInElsewhere(made, 'X', 'Y')
      made.clock.advance(1000)
      const { code, ended, client: has } = await respond(made, client, handle, isHeard)
      assert.deepEqual([code, has, idsOf(made).sort()], [undefined, id, [id, 'Y'].sort()])
      const byCap = ended.filter(({ reason }) => reason === 'cap')
      assert.deepEqual(byCap, isHeard ? endedBy('X') : [])
      assert.deepEqual(made.memory.get('Z')?.user, 'bob')
    }
  })

  test(`refuse: beyond the cap, a sign-in ${way} is an error, and nobody is signed in`, async () => {
    const made = capped('refuse')
    signInElsewhere(made, 'X', 'Y')
    const { code, ended } = await respond(made, client, handle)
    assert.deepEqual([code, idsOf(made)], [LIMIT, ['Y', 'X']])
    assert.deepEqual(
      ended.map(({ reason }) => reason),
      losesCart ? [losesCart] : [],
    )
    if (losesCart === 'cap') assert.deepEqual(ended, endedBy('A'))
    assert.deepEqual(made.held().A, losesCart ? undefined : { a: 1 })
    assert.equal(made.held()[1], undefined, 'what was made is taken back')
  })

  test(`where nobody can count, a sign-in ${way} fails, and nobody is signed in`, async () => {
    for (const beyond of BOTH) {
      const made = capped(beyond)
      made.courses.list = [fails, fails]
      const { code, told, ended } = await respond(made, client, handle)
      assert.deepEqual([code, idsOf(made), ended.length], ['ERR_SESSION_STORE', [], losesCart ? 1 : 0])
      assert.ok(told.includes('store list ERR_SESSION_STORE'))
      assert.deepEqual(made.held().A, losesCart ? undefined : { a: 1 })
    }
  })

  test(`end-oldest: where the oldest session can not be ended, a sign-in ${way} fails`, async () => {
    const made = capped('end-oldest')
    signInElsewhere(made, 'X', 'Y')
    made.courses.destroyAll = [fails, fails]
    const { code, ended } = await respond(made, client, handle)
    assert.deepEqual([code, idsOf(made)], ['ERR_SESSION_STORE', ['Y', 'X']])
    assert.deepEqual(
      ended.map(({ reason }) => reason),
      losesCart ? [losesCart] : [],
    )
    assert.deepEqual(made.held().A, losesCart ? undefined : { a: 1 })
  })
}

test('the error says how many sessions there may be, and what to do', async () => {
  const made = capped('refuse', 1)
  signInElsewhere(made, 'X')
  const request = await made.visit()
  await assert.rejects(async () => save(request), {
    code: LIMIT,
    message:
      'the user has 1 sessions, as many as the option maxSessions allows: ' +
      'end one of them first, by store.destroyAll(subject, { only })',
  })
})

test('without `beyond` the oldest ends', async () => {
  const made = site({ subject, maxSessions: { count: 1 } })
  signInElsewhere(made, 'X')
  made.clock.advance(1000)
  const { code, ended } = await respond(made, undefined, signIn)
  assert.deepEqual([code, idsOf(made), ended], [undefined, ['1'], endedBy('X')])
})

test('where the cap is lower by now, all beyond it end with the next sign-in', async () => {
  const made = capped('end-oldest')
  signInElsewhere(made, 'X', 'Y', 'Z')
  made.clock.advance(1000)
  const { ended } = await respond(made, undefined, signIn)
  assert.deepEqual([idsOf(made), ended], [['1', 'Z'], endedBy('Y', 'X')])
})

test('who is signed in already may do anything, whatever the cap is by now', async () => {
  const handlers: readonly Handler[] = [
    ({ session }) => Object.assign(session, { n: 1 }),
    ({ session }) => session.save(),
    ({ session }) => session.update(draft => Object.assign(draft, { n: 1 })),
  ]
  for (const beyond of BOTH)
    for (const handle of handlers) {
      const made = capped(beyond)
      signInElsewhere(made, 'X', 'Y', 'Z')
      assert.equal((await respond(made, 'X', handle)).code, undefined)
      assert.deepEqual(idsOf(made), ['Z', 'Y', 'X'])
    }
})

test('what is nobody’s is not counted', async () => {
  const made = capped('refuse', 1)
  for (const _ of [1, 2]) {
    const { code } = await respond(made, undefined, ({ session }) => Object.assign(session, { cart: 1 }))
    assert.equal(code, undefined)
  }
  assert.equal((await respond(made, 'A', ({ session }) => Object.assign(session, { cart: 1 }))).code, undefined)
  assert.equal(made.calls.filter(call => call.startsWith('list')).length, 0, 'nor is anything asked for it')
})

test('a session that was there keeps its place, however old it is', async () => {
  const made = capped('end-oldest')
  signInElsewhere(made, 'X', 'Y')
  made.clock.advance(1000)
  const { code, ended } = await respond(made, 'A', signIn)
  assert.deepEqual([code, idsOf(made), ended], [undefined, ['Y', 'A'], endedBy('X')])
})

const anew: Handler = ({ scope }) => {
  scope.session = null
  scope.session = { user: 'ann' }
}
for (const [what, handle] of Object.entries({ 'gets a new id': regenerate, 'is replaced': anew })) {
  test(`a session that ${what} counts once`, async () => {
    for (const beyond of BOTH) {
      const made = capped(beyond)
      signInElsewhere(made, 'X', 'Y')
      made.clock.advance(1000)
      const { code, ended, client } = await respond(made, 'X', handle)
      assert.deepEqual([code, client, idsOf(made).sort()], [undefined, '1', ['1', 'Y']])
      assert.deepEqual(
        ended.filter(({ reason }) => reason === 'cap'),
        [],
      )
    }
  })
}

test('refuse: a sign-in that is sent twice counts once', async () => {
  const made = capped('refuse', 1)
  const requests = [await made.visit('A'), await made.visit('A')]
  for (const request of requests) await save(request)
  assert.deepEqual(idsOf(made), ['A'])
})

test('an id that is taken is not what a cap is asked of: the session of another visitor stays', async () => {
  const ids = ['A', 'Z']
  const made = capped('refuse', 1, { genid: () => ids.shift() })
  signInElsewhere(made, 'X', 'Y')
  const { code } = await respond(made, undefined, signIn)
  assert.deepEqual([code, made.held().A], [LIMIT, { a: 1 }])
})

const caught =
  (handle: Handler): Handler =>
  async request => {
    assert.equal(await codeOf(() => handle(request)), LIMIT)
  }

test('refuse: what had no room is not tried again at the end of the request, which is not an error then', async () => {
  for (const handle of [save, regenerate]) {
    const made = capped('refuse', 1)
    signInElsewhere(made, 'X')
    const { code } = await respond(made, 'A', caught(handle))
    assert.deepEqual([code, idsOf(made), made.held().A], [undefined, ['X'], { a: 1 }])
    assert.equal(made.calls.filter(call => call.startsWith('list')).length, 1)
  }
})

test('refuse: after that somebody else may sign in, and so may the user once there is room', async () => {
  const made = capped('refuse', 1)
  signInElsewhere(made, 'X')
  const bob: Handler = ({ session }) => Object.assign(session, { user: 'bob' })
  await respond(made, 'A', async request => {
    await caught(save)(request)
    bob(request)
  })
  assert.deepEqual([idsOf(made), idsOf(made, 'bob')], [['X'], ['A']])

  await respond(made, undefined, async request => {
    await caught(save)(request)
    made.memory.destroy('X')
    await save(request)
    Object.assign(request.session, { n: 1 })
  })
  assert.deepEqual([idsOf(made), made.held()[2] ?? made.held()[1]], [['2'], { user: 'ann', n: 1 }])
})

test('a sign-in that fails otherwise is tried again at the end of the request', async () => {
  const made = capped('refuse', 1)
  made.courses.list = [fails]
  const { code } = await respond(made, undefined, async request => {
    assert.equal(await codeOf(() => save(request)), 'ERR_SESSION_STORE')
  })
  assert.deepEqual([code, idsOf(made)], [undefined, ['2']])
})

test('refuse: what a sign-in was faster with is taken back, and the session is as it was', async () => {
  const made = capped('refuse')
  made.put('A', { a: 1, b: { deep: 1 }, c: 3 })
  signInElsewhere(made, 'X')
  const before = made.held().A
  made.courses.patch = [after(() => signInElsewhere(made, 'Y'))]
  const { code } = await respond(made, 'A', request => {
    Object.assign(request.session, { a: 2, b: { deep: 2 }, user: 'ann', d: 4 })
    Reflect.deleteProperty(request.session, 'c')
  })
  assert.deepEqual([code, idsOf(made), made.held().A], [LIMIT, ['Y', 'X'], before])
})

test('refuse: what was an empty session before is there still', async () => {
  const made = capped('refuse', 1)
  await respond(made, undefined, async ({ session }) => {
    Object.assign(session, { n: 1 })
    await session.save()
    Reflect.deleteProperty(session, 'n')
    await session.save()
    Object.assign(session, { user: 'ann' })
    made.courses.patch = [after(() => signInElsewhere(made, 'X'))]
    assert.equal(await codeOf(() => session.save()), LIMIT)
  })
  assert.deepEqual([idsOf(made), made.memory.read('1')?.members], [['X'], {}])
})

test('a session that another request has ended is not signed in, and ends no other', async () => {
  const made = capped('end-oldest')
  signInElsewhere(made, 'X', 'Y')
  made.courses.patch = [
    after(() => {
      made.memory.destroy('A')
      signInElsewhere(made, 'Z')
    }),
  ]
  const { code, told } = await respond(made, 'A', signIn)
  assert.deepEqual([code, told, idsOf(made)], [undefined, ['gone'], ['Z', 'Y', 'X']])
})

test('so it is with an update()', async () => {
  for (const at of ['read', 'patch'] as const) {
    const made = capped('end-oldest', 2)
    signInElsewhere(made, 'X', 'Y', 'Z')
    const request = await made.visit('A')
    made.courses[at] = [after(() => made.memory.destroy('A'))]
    assert.equal(await codeOf(() => update(request)), undefined)
    assert.deepEqual([request.told(), idsOf(made)], [['gone'], ['Z', 'Y', 'X']])
  }
})

test('an update() that signs somebody out asks nobody', async () => {
  const made = capped('refuse', 1)
  signInElsewhere(made, 'X')
  const signOut: Handler = ({ session }) =>
    session.update(draft => {
      Reflect.deleteProperty(draft, 'user')
      Object.assign(draft, { n: 1 })
    })
  assert.equal((await respond(made, 'X', signOut)).code, undefined)
  assert.deepEqual([idsOf(made), made.calls.filter(call => call.startsWith('list'))], [[], []])
})

test('end-oldest: who has signed in first of many at the same time is the one who has no room', async () => {
  const made = capped('end-oldest')
  made.courses.list = [after(() => signInElsewhere(made, 'X', 'Y'))]
  const { code, client } = await respond(made, undefined, signIn)
  assert.deepEqual([code, client, idsOf(made)], [LIMIT, undefined, ['Y', 'X']])
})

test('end-oldest: what another request has ended meanwhile is not told again', async () => {
  const made = capped('end-oldest')
  signInElsewhere(made, 'X', 'Y')
  made.clock.advance(1000)
  made.courses.destroyAll = [after(() => made.memory.destroy('X'))]
  const { code, ended } = await respond(made, undefined, signIn)
  assert.deepEqual([code, idsOf(made), ended], [undefined, ['1', 'Y'], []])
})

/** A session that had no room was made, and is destroyed; what becomes of that does not hide why. */
const DESTROYED: Readonly<Record<string, readonly [course: Course, left: number]>> = {
  'fails, and is done later': [fails, 2],
  'fails though it was done': [failsThoughDone, 2],
}
for (const [what, [course, calls]] of Object.entries(DESTROYED)) {
  test(`refuse: where its destroy() ${what}, the error is the one of the cap`, async () => {
    const made = capped('refuse', 1)
    signInElsewhere(made, 'X')
    made.courses.destroy = [course]
    const { code, client } = await respond(made, undefined, signIn)
    assert.deepEqual([code, client, idsOf(made)], [LIMIT, undefined, ['X']])
    assert.equal(made.calls.filter(call => call === 'destroy 1').length, calls)
  })
}

for (const beyond of BOTH)
  for (const [way, handle] of Object.entries({
    'a final commit': signIn,
    'save()': save,
    'regenerate()': regenerate,
  })) {
    test(`${beyond}: after many sign-ins at the same time by ${way} a user has no more sessions than the cap`, async () => {
      const made = capped(beyond, 3, { storeTimeout: HOUR })
      for (const method of ['create', 'patch', 'list', 'destroyAll'] as const)
        made.courses[method] = Array.from({ length: 40 }, () => slowly)
      const answers = await Promise.all(Array.from({ length: 6 }, () => respond(made, undefined, handle)))
      const count = idsOf(made).length
      assert.ok(count <= 3, `there are ${count}`)
      const codes = new Set(answers.map(({ code }) => code))
      assert.deepEqual(
        [...codes].filter(code => code !== undefined && code !== LIMIT),
        [],
      )
    })
  }

const store = memoryStore()
const { list: _, ...cannotList } = store
const { destroyAll: __, ...cannotEnd } = store
const { retire: ___, ...cannotRetire } = store
const threeMethods = { get() {}, set() {}, destroy() {} }
class ContextStore {
  get() {}
  set() {}
  destroy() {}
}

/** Options beside the cap, and whether it can be held. */
const COUNTED: ReadonlyArray<readonly [what: string, options: Options, isGood: boolean]> = [
  ['a store, and whose sessions they are', { store, subject }, true],
  ['a ContextStore, which is not known yet', { ContextStore, subject }, true],
  ['nobody’s sessions', { store }, false],
  ['nobody’s sessions in a ContextStore', { ContextStore }, false],
  ['sessions in cookies', { subject }, false],
  ['a store that can not list', { store: cannotList, subject }, false],
  ['a store that can not end a session by its handle', { store: cannotEnd, subject }, false],
  ['a store of three methods', { store: threeMethods, subject }, false],
]
for (const [what, options, isGood] of COUNTED) {
  test(`maxSessions is ${isGood ? 'accepted' : 'refused'} with ${what}; without it nothing is asked`, () => {
    const maxSessions = { count: 2 }
    const check = () => checkStore(resolveConfig({ ...options, maxSessions }))
    if (isGood) check()
    else
      assert.throws(check, {
        code: 'ERR_SESSION_OPTION',
        message:
          'option maxSessions was an object, expected the option subject beside it, ' +
          'and a store that has list and destroyAll',
      })
    checkStore(resolveConfig(options))
  })
}

/** Options beside `onReuse`, and whether a replaced id is known again. */
const KNOWN_AGAIN: ReadonlyArray<readonly [what: string, options: Options, isGood: boolean]> = [
  ['a store that has retire', { store }, true],
  ['a ContextStore, which is not known yet', { ContextStore }, true],
  ['sessions in cookies', {}, false],
  ['a store without retire', { store: cannotRetire }, false],
  ['a store of three methods', { store: threeMethods }, false],
]
for (const [what, options, isGood] of KNOWN_AGAIN) {
  test(`onReuse is ${isGood ? 'accepted' : 'refused'} with ${what}; without it nothing is asked`, () => {
    const check = () => checkStore(resolveConfig({ ...options, onReuse: 'end' }))
    if (isGood) check()
    else
      assert.throws(check, {
        code: 'ERR_SESSION_OPTION',
        message: 'option onReuse was "end", expected a store that has retire',
      })
    checkStore(resolveConfig(options))
  })
}
