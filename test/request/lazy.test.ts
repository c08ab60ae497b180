/** `lazy`: nothing is loaded before somebody asks, and what is replaced unread is loaded when that is committed. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { fails, failsAtOnce, Gate } from '../support/stores.ts'
import { codeOf, type Data, site } from './site.ts'

type Options = Record<string, unknown>
type Site = ReturnType<typeof site>
type Request = ReturnType<Site['begin']>
type Handler = (request: Request, of: Site) => unknown

const NOT_LOADED = {
  code: 'ERR_SESSION_NOT_LOADED',
  message:
    'ctx.session was read before it was loaded (option lazy): call `await sessions.load(ctx)` before, where sessions is what session() returned',
}
const lazy = (options: Options = {}, without?: Parameters<typeof site>[1], shared?: Site) =>
  site({ lazy: true, ...options }, without, shared)
/** A store that answers at once, and says so. */
const atOnce = (options: Options = {}) => {
  const made = lazy(options)
  made.store.answersAtOnce = true
  return made
}
const COOKIE = { store: null, encode: JSON.stringify, decode: JSON.parse, genid: undefined }
const HOUR = 3_600_000
const subject = ({ user }: { user?: string }) => user

/** A whole request that brings `client`; what it ends with, too. */
async function respond(of: Site, client?: string, handle: Handler = () => {}) {
  const request = of.begin(client)
  assert.equal(request.scope.start(false), undefined, 'nothing is waited for')
  await handle(request, of)
  const code = await codeOf(() => request.scope.finish())
  return { code, exchange: request.exchange, told: request.told() }
}

const assign =
  (data: unknown): Handler =>
  ({ scope }) => {
    scope.session = data
  }
const loaded = async ({ scope }: Request) => {
  await scope.load()
  return scope.session as Data
}
const assigned =
  (data: unknown, then: (session: Data, request: Request, of: Site) => unknown): Handler =>
  (request, of) => {
    request.scope.session = data
    return then(request.scope.session as Data, request, of)
  }
/** An id that was retired `ago` ms before, in favour of `N`. */
const retiredFor =
  (ago: number): Handler =>
  (_, { memory, clock, put }) => {
    put('N', { a: 1 })
    memory.retire('A', { successor: 'N' }, 1_000_000)
    clock.advance(ago)
  }

test('the store is read when somebody asks, and once', async () => {
  const made = lazy()
  const { calls } = await respond(made, 'A', async request => {
    assert.deepEqual(made.calls, [])
    const [one, other] = await Promise.all([loaded(request), loaded(request)])
    assert.equal(one, other)
    assert.deepEqual([one.a, one.isNew, (await loaded(request)).a], [1, false, 1])
  }).then(() => made)
  assert.deepEqual(calls, ['read A'])
})

for (const client of ['A', 'unknown', undefined]) {
  test(`what reads it before is an error, with ${client ?? 'no cookie'}`, async () => {
    const { begin, calls, courses } = lazy()
    const gated = new Gate()
    courses.read = [gated.course]
    const request = begin(client)
    // Before the middleware, too.
    assert.throws(() => request.session, NOT_LOADED)
    request.scope.start(false)
    assert.throws(() => request.session, NOT_LOADED)
    assert.deepEqual([calls, request.scope.id, request.scope.handle], [[], undefined, undefined])
    const loading = request.scope.load()
    if (client) assert.throws(() => request.session, NOT_LOADED)
    gated.open()
    await loading
    assert.equal(request.session.isNew, client !== 'A')
    assert.equal(request.scope.id, client === 'A' ? 'A' : '1')
    await request.scope.finish()
    assert.deepEqual(calls, client ? [`read ${client}`] : [])
  })

  test(`a store that answers at once is read where the session is, with ${client ?? 'no cookie'}`, async () => {
    for (const isEarly of [true, false]) {
      const { begin, calls } = atOnce()
      const request = begin(client)
      if (!isEarly) request.scope.start(false)
      assert.equal(request.session.a, client === 'A' ? 1 : undefined)
      if (isEarly) request.scope.start(false)
      request.session.b = 2
      await request.scope.finish()
      const saved = client === 'A' ? 'patch A' : 'create 1'
      assert.deepEqual(calls, [...(client ? [`read ${client}`] : []), saved])
    }
  })
}

for (const [what, options] of Object.entries<Options>({
  'an async valid': { valid: async () => true },
  'an async notBefore': { notBefore: async () => undefined },
  'an async schema': { schema: { '~standard': { version: 1, vendor: 'test', validate: async () => ({ value: 1 }) } } },
})) {
  test(`a store that answers at once has to be loaded for ${what}`, async () => {
    for (const client of ['A', undefined]) {
      const { begin } = atOnce(options)
      const request = begin(client)
      assert.throws(() => request.session, NOT_LOADED)
      assert.equal((await loaded(request)).a, client && 1)
    }
  })
}

test('a store that says that it answers at once, and gives a promise, has to be loaded', async () => {
  const { begin, courses, calls } = atOnce()
  courses.read = [async ask => ask()]
  const request = begin('A')
  assert.throws(() => request.session, NOT_LOADED)
  assert.deepEqual([(await loaded(request)).a, calls], [1, ['read A']])
})

for (const options of [{}, { rolling: true }, { renew: true }]) {
  const name = JSON.stringify(options)
  for (const [kind, make] of Object.entries({ 'a store': lazy, 'a store that answers at once': atOnce })) {
    test(`${kind}, ${name}: a page that does not ask costs nothing, and extends nothing`, async () => {
      const made = make({ maxAge: HOUR, ...options })
      made.clock.advance(600_000)
      const { exchange } = await respond(made, 'A')
      assert.deepEqual([made.calls, exchange.isUsed, exchange.sent], [[], false, undefined])
    })
    test(`${kind}, ${name}: a page that asks extends it`, async () => {
      const made = make({ maxAge: HOUR, ...options })
      made.clock.advance(600_000)
      const { exchange } = await respond(made, 'A', loaded)
      assert.equal(exchange.isUsed, true)
      assert.deepEqual(made.calls, ['read A', ...(name === '{}' ? [] : ['touch A'])])
    })
  }
}

test('an error of the store is thrown where the session is read, once it was loaded', async () => {
  const made = lazy()
  made.courses.read = [fails]
  const { code } = await respond(made, 'A', async request => {
    assert.equal(await codeOf(() => loaded(request)), 'ERR_SESSION_STORE')
    assert.equal(await codeOf(() => request.session), 'ERR_SESSION_STORE')
  })
  assert.deepEqual([code, made.calls], [undefined, ['read A']])
})

test('a request that is skipped reads nothing', async () => {
  const { begin, calls } = lazy()
  const { scope } = begin('A')
  scope.start(true)
  assert.equal(await codeOf(() => scope.load()), 'ERR_SESSION_SKIPPED')
  assert.deepEqual(calls, [])
})

interface Expected {
  readonly calls: readonly string[]
  readonly held: unknown
  readonly client: unknown
  readonly told?: readonly string[]
  readonly code?: string
}

/** What a request that brings `client` does unread, what the store is asked, and what is there then. */
const UNREAD: Readonly<
  Record<string, readonly [client: string | undefined, handle: Handler, Expected, options?: Options]>
> = {
  'null ends the session': ['A', assign(null), { calls: ['read A', 'destroy A'], held: {}, client: undefined }],
  'null without a cookie asks nothing': [
    undefined,
    assign(null),
    { calls: [], held: { A: { a: 1 } }, client: undefined },
  ],
  'null with an unknown id destroys nothing': [
    'X',
    assign(null),
    { calls: ['read X'], held: { A: { a: 1 } }, client: undefined, told: ['refused'] },
  ],
  'null with an id that was just retired ends its successor': [
    'A',
    async (one, of) => {
      await retiredFor(9_999)(one, of)
      one.scope.session = null
    },
    { calls: ['read A', 'destroy A'], held: {}, client: undefined, told: ['refused'] },
  ],
  'null with an id that was retired long ago ends nothing': [
    'A',
    async (one, of) => {
      await retiredFor(10_000)(one, of)
      one.scope.session = null
    },
    { calls: ['read A'], held: { N: { a: 1 } }, client: undefined, told: ['reuse', 'refused'] },
  ],
  'null where the store can not be read tries to end it': [
    'A',
    (one, { courses }) => {
      courses.read = [fails]
      one.scope.session = null
    },
    { calls: ['read A', 'destroy A'], held: {}, client: undefined, told: ['store read ERR_SESSION_STORE'] },
  ],
  'other data take the place of all that is there': [
    'A',
    assign({ b: 2 }),
    { calls: ['read A', 'patch A'], held: { A: { b: 2 } }, client: 'A' },
  ],
  'the same data ask for nothing more': [
    'A',
    assign({ a: 1 }),
    { calls: ['read A'], held: { A: { a: 1 } }, client: 'A' },
  ],
  'no data end it': ['A', assign({}), { calls: ['read A', 'patch A'], held: {}, client: undefined }],
  'no data, kept by save()': [
    'A',
    assigned({}, session => session.save()),
    { calls: ['read A', 'patch A'], held: { A: {} }, client: 'A' },
  ],
  'an unknown id is never adopted': [
    'X',
    assign({ b: 2 }),
    { calls: ['read X', 'create 1'], held: { A: { a: 1 }, 1: { b: 2 } }, client: '1', told: ['refused'] },
  ],
  'a new session is created without a read': [
    undefined,
    assign({ b: 2 }),
    { calls: ['create 1'], held: { A: { a: 1 }, 1: { b: 2 } }, client: '1' },
  ],
  'a session that another request has given a new id is told': [
    'A',
    async (one, of) => {
      await retiredFor(1)(one, of)
      one.scope.session = { b: 2 }
    },
    { calls: ['read A'], held: { N: { a: 1 } }, client: 'A', told: ['refused', 'gone'] },
  ],
  'a session that is not accepted is not gone on with': [
    'A',
    assign({ b: 2 }),
    { calls: ['read A', 'create 1'], held: { A: { a: 1 }, 1: { b: 2 } }, client: '1', told: ['refused'] },
    { valid: () => false },
  ],
  'null, and then other data': [
    'A',
    one => {
      one.scope.session = null
      one.scope.session = { b: 2 }
    },
    { calls: ['read A', 'create 1', 'destroy A'], held: { 1: { b: 2 } }, client: '1' },
  ],
  'other data, and then null': [
    'A',
    one => {
      one.scope.session = { b: 2 }
      one.scope.session = null
    },
    { calls: ['read A', 'destroy A'], held: {}, client: undefined },
  ],
  'a new id': [
    'A',
    assigned({ b: 2 }, session => session.regenerate()),
    { calls: ['read A', 'create 1', 'retire A'], held: { 1: { b: 2 } }, client: '1' },
  ],
  'an update': [
    'A',
    assigned({ b: 2 }, session => session.update(draft => Object.assign(draft, { c: 3 }))),
    { calls: ['read A', 'read A', 'patch A'], held: { A: { b: 2, c: 3 } }, client: 'A' },
  ],
  'two commits at once load it once': [
    'A',
    assigned({ b: 2 }, session => Promise.all([session.save(), session.save()])),
    { calls: ['read A', 'patch A', 'touch A'], held: { A: { b: 2 } }, client: 'A' },
  ],
  'other data, and then load()': [
    'A',
    assigned({ b: 2 }, async (session, request) => {
      assert.equal(request.scope.id, undefined)
      assert.equal(await loaded(request), session)
      assert.equal(request.scope.id, 'A')
    }),
    { calls: ['read A', 'patch A'], held: { A: { b: 2 } }, client: 'A' },
  ],
  'other data while it is being loaded': [
    'A',
    async one => {
      const loading = loaded(one)
      one.scope.session = { b: 2, maxAge: 5000 }
      assert.equal((await loading).b, 2)
    },
    { calls: ['read A', 'patch A'], held: { A: { b: 2 } }, client: 'A' },
  ],
  'what can not be read is not replaced': [
    'A',
    (one, { courses }) => {
      courses.read = [fails]
      one.scope.session = { b: 2 }
    },
    {
      ...{ calls: ['read A'], held: { A: { a: 1 } }, client: 'A', code: 'ERR_SESSION_STORE' },
      told: ['store read ERR_SESSION_STORE'],
    },
  ],
  'of what can not be read save() tells once': [
    'A',
    async (one, { courses }) => {
      courses.read = [failsAtOnce]
      one.scope.session = { b: 2 }
      const { session } = one
      assert.equal(await codeOf(() => session.save()), 'ERR_SESSION_STORE')
      assert.equal(await codeOf(() => one.session), 'ERR_SESSION_STORE')
    },
    { calls: ['read A'], held: { A: { a: 1 } }, client: 'A', told: ['store read ERR_SESSION_STORE'] },
  ],
  'what can not be read is gone, where that may be': [
    'A',
    (one, { courses }) => {
      courses.read = [fails]
      one.scope.session = { b: 2 }
    },
    { calls: ['read A'], held: { A: { a: 1 } }, client: 'A', told: ['store read ERR_SESSION_STORE', 'gone'] },
    { onStoreError: 'anonymous' },
  ],
}

const heldBy = ({ held, memory }: Site) => {
  const successor = memory.read('N')
  return { ...held(), ...(successor && { N: { a: Number(successor.members.a) } }) }
}

for (const [claim, [client, handle, { told = [], code, ...expected }, options]] of Object.entries(UNREAD)) {
  test(`unread: ${claim}`, async () => {
    const made = lazy(options)
    const response = await respond(made, client, handle)
    const seen = { calls: made.calls, held: heldBy(made), client: response.exchange.client }
    assert.deepEqual({ ...seen, told: response.told, code: response.code }, { ...expected, told, code })
  })
}

test('unread: in a store of three methods other data take the place of all', async () => {
  const made = lazy({}, ['read', 'create', 'patch', 'touch', 'retire'])
  await respond(made, 'A', assign({ b: 2 }))
  assert.deepEqual([made.calls, made.held()], [['get A', 'set A'], { A: { b: 2 } }])
})

/** Lifetimes (ms) of a session of ten minutes that is replaced in the handler: stored, and that of the option is an hour. */
const LIFETIMES: Readonly<Record<string, readonly [handle: Handler, maxAge: number]>> = {
  'other data keep the lifetime': [assign({ b: 2 }), 600_000],
  'other data with a lifetime have that': [assign({ b: 2, maxAge: 5000 }), 5000],
  'a lifetime that is set after them is kept': [
    assigned({ b: 2 }, session => {
      session.maxAge = 5000
    }),
    5000,
  ],
  'the lifetime of this response is kept': [
    assigned({ b: 2 }, (_, { settings }) => {
      settings.view.maxAge = 5000
    }),
    5000,
  ],
  'other data with a lifetime, and then others, have that': [
    ({ scope }) => {
      scope.session = { b: 2, maxAge: 5000 }
      scope.session = { b: 3 }
    },
    5000,
  ],
  'other data with a lifetime, and then that of this response, have the last one': [
    assigned({ b: 2, maxAge: 7000 }, (_, { settings }) => {
      settings.view.maxAge = 5000
    }),
    5000,
  ],
  'null, and then other data with a lifetime, and others': [
    ({ scope }) => {
      scope.session = null
      scope.session = { b: 2, maxAge: 5000 }
      scope.session = { b: 3 }
    },
    5000,
  ],
  'null, and then other data: that of the option': [
    ({ scope }) => {
      scope.session = null
      scope.session = { b: 2 }
    },
    HOUR,
  ],
  'null, and then other data with a lifetime': [
    ({ scope }) => {
      scope.session = null
      scope.session = { b: 2, maxAge: 5000 }
    },
    5000,
  ],
}

for (const [claim, [handle, maxAge]] of Object.entries(LIFETIMES)) {
  for (const isLazy of [true, false]) {
    test(`${isLazy ? 'unread' : 'read before'}: ${claim}`, async () => {
      const made = site({ lazy: isLazy, maxAge: HOUR })
      made.put('A', { a: 1 }, { _expire: made.clock.now() + 600_000, _maxAge: 600_000 })
      const request = made.begin('A')
      await request.scope.start(false)
      await handle(request, made)
      await request.scope.finish()
      assert.equal(made.memory.read(request.exchange.client ?? '')?.lifetime._maxAge, maxAge)
    })
  }
}

test('unread: other data do not begin the absolute timeout anew, end the mark, and a new id begins the session', async () => {
  for (const isLazy of [true, false]) {
    const made = site({ lazy: isLazy, absoluteTimeout: HOUR, notBefore: 1, subject: undefined })
    const began = made.clock.now()
    made.put('A', { a: 1 }, { _meta: { created: began, fresh: began, since: began } })
    made.clock.advance(1000)
    const metaAfter = async (handle: Handler) => {
      const request = made.begin('A')
      await request.scope.start(false)
      await handle(request, made)
      await request.scope.finish()
      return made.memory.read(request.exchange.client ?? '')?.lifetime._meta
    }
    assert.deepEqual(await metaAfter(assign({ b: 2 })), { created: began, since: began })
    const fresh = assigned({ b: 3 }, session => session.regenerate({ fresh: true }))
    assert.deepEqual(await metaAfter(fresh), { created: began, fresh: began + 1000, since: began + 1000 })
  }
})

/** Where the headers leave before the store has been asked. */
const LEAVING: Readonly<Record<string, readonly [client: string, value: unknown, Expected]>> = {
  'a session that is known is saved': [
    'A',
    { b: 2 },
    { calls: ['read A', 'patch A'], held: { A: { b: 2 } }, client: 'A' },
  ],
  'a new one is late': [
    'X',
    { b: 2 },
    { calls: ['read X'], held: { A: { a: 1 } }, client: 'X', told: ['refused', 'late'] },
  ],
  'null clears the cookie': ['A', null, { calls: ['read A', 'destroy A'], held: {}, client: undefined }],
}

for (const [claim, [client, value, { told = [], ...expected }]] of Object.entries(LEAVING)) {
  test(`unread, and the headers leave: ${claim}`, async () => {
    const made = lazy()
    const gated = new Gate()
    made.courses.read = [gated.course]
    const response = await respond(made, client, async ({ scope, exchange }) => {
      scope.session = value
      exchange.leave()
      gated.open()
    })
    assert.deepEqual({ calls: made.calls, held: made.held(), client: response.exchange.client }, expected)
    assert.deepEqual([response.told, response.code], [told, undefined])
  })
}

test('unread, and the headers leave: a session that ended and began anew has its id sent', async () => {
  const made = lazy()
  const gated = new Gate()
  made.courses.read = [gated.course]
  const { exchange, told } = await respond(made, 'A', ({ scope, exchange }) => {
    scope.session = null
    scope.session = { b: 2 }
    exchange.leave()
    gated.open()
  })
  assert.deepEqual([made.held(), exchange.client, told], [{ 1: { b: 2 } }, '1', []])
})

test('unread, and the response has left: whatever is assigned is late', async () => {
  for (const value of [null, { b: 2 }]) {
    const made = lazy()
    const { scope, exchange, told } = made.begin('A')
    scope.start(false)
    await scope.finish()
    exchange.leave()
    scope.session = value
    assert.deepEqual([told()[0], made.calls, made.held()], ['late', [], { A: { a: 1 } }])
  }
})

const AWAITED: Readonly<Record<string, Options>> = {
  'an async valid': { valid: async () => true },
  'an async notBefore': { notBefore: async () => 0 },
}

test('in cookie mode it changes nothing', async () => {
  const made = lazy({ ...COOKIE, rolling: true, maxAge: HOUR })
  const { client } = (await respond(made, undefined, ({ session }) => Object.assign(session, { a: 1 }))).exchange
  made.clock.advance(1000)
  const { exchange } = await respond(made, client)
  assert.equal(JSON.parse(exchange.client ?? '')._expire, made.clock.now() + HOUR)
  await respond(made, client, ({ session }) => assert.equal(session.a, 1))
})

for (const [what, options] of Object.entries(AWAITED)) {
  test(`in cookie mode, with ${what}, a sign-out that nobody loaded is told where somebody listens`, async () => {
    const made = lazy({ ...COOKIE, ...options })
    const { client } = (await respond(made, undefined, async one => Object.assign(await loaded(one), { a: 1 })))
      .exchange
    for (const isHeard of [false, true]) {
      const { exchange, told } = await respond(made, client, ({ scope, exchange }) => {
        exchange.isHeard = isHeard
        scope.session = null
      })
      assert.deepEqual([told, exchange.client], [isHeard ? ['ended'] : [], undefined])
    }
  })

  test(`in cookie mode ${what} waits in load()`, async () => {
    const made = lazy({ ...COOKIE, maxAge: HOUR, ...options })
    const { client } = (
      await respond(made, undefined, async one => Object.assign(await loaded(one), { a: 1, maxAge: 600_000 }))
    ).exchange
    await respond(made, client, async request => {
      assert.throws(() => request.session, NOT_LOADED)
      assert.deepEqual([(await loaded(request)).a, request.session.maxAge], [1, 600_000])
    })
    assert.equal((await respond(made, client)).exchange.isUsed, false)
    const replaced = (await respond(made, client, assign({ b: 2 }))).exchange.client ?? ''
    assert.deepEqual([JSON.parse(replaced).b, JSON.parse(replaced)._maxAge], [2, 600_000])
    for (const isLeaving of [false, true]) {
      const ended = await respond(made, client, ({ scope, exchange }) => {
        scope.session = null
        if (isLeaving) exchange.leave()
      })
      assert.deepEqual([ended.exchange.client, ended.told], [undefined, []])
    }
    const late = await respond(made, client, ({ scope, exchange }) => {
      scope.session = { b: 2 }
      exchange.leave()
    })
    assert.deepEqual([late.exchange.client, late.told], [client, ['late']])
  })
}

test('a session of somebody else is saved as theirs', async () => {
  const made = lazy({ subject })
  await respond(made, 'A', assign({ user: 'ann' }))
  assert.equal(made.memory.list('ann').length, 1)
})
