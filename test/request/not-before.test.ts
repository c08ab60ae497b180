/** `notBefore`: a session that began before an instant is refused, in each mode. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { after, fails, failsAtOnce } from '../support/stores.ts'
import { codeOf, type Data, site } from './site.ts'

type Options = Record<string, unknown>
type Site = ReturnType<typeof site>
type Request = ReturnType<Site['begin']>
type Handler = (request: Request) => unknown
type Make = (options: Options, shared?: Site) => Site

const HOUR = 3_600_000
const THREE_METHODS = ['read', 'create', 'patch', 'touch', 'retire'] as const
const COOKIE = { store: null, encode: JSON.stringify, decode: JSON.parse, genid: undefined }
const MODES: Readonly<Record<string, Make>> = {
  cookie: (options, shared) => site({ ...COOKIE, maxAge: HOUR, ...options }, [], shared),
  store: (options, shared) => site({ maxAge: HOUR, genid, ...options }, [], shared),
  'a store of three methods': (options, shared) => site({ maxAge: HOUR, genid, ...options }, THREE_METHODS, shared),
}
let ids = 0
const genid = () => `id-${++ids}`
const BEGAN = site().clock.now()
const subject = ({ user }: { user?: string }) => user

/** A whole request that brings `client`. */
async function respond({ begin }: Site, client?: string, handle: Handler = () => {}): Promise<Request> {
  const request = begin(client)
  await request.scope.start(false)
  await handle(request)
  await request.scope.finish()
  return request
}

const signIn: Handler = ({ session }) => Object.assign(session, { user: 'ann' })
const userOf = (request: Request) => (request.session as Data).user ?? 'nobody'
/** Why a session was refused, and what else was told. */
const toldIn = ({ exchange }: Request) =>
  exchange.events.map(event => (event.type === 'refused' ? event.refused.reason : event.type))
const metaIn = ({ memory }: Site, client = '') =>
  (client.startsWith('{') ? JSON.parse(client) : { ...memory.read(client)?.lifetime })._meta

const ACCEPTED = 'ann'
const REVOKED = 'nobody'

/** The option for a session that began at `BEGAN`, and whose it is a second later. */
const INSTANTS: Readonly<Record<string, readonly [notBefore: unknown, seen: string]>> = {
  'an earlier number': [BEGAN - 1, ACCEPTED],
  'an equal number': [BEGAN, ACCEPTED],
  'a later number': [BEGAN + 1, REVOKED],
  'an earlier Date': [new Date(BEGAN - 1), ACCEPTED],
  'an equal Date': [new Date(BEGAN), ACCEPTED],
  'a later Date': [new Date(BEGAN + 1), REVOKED],
  null: [null, ACCEPTED],
  'a function of a later number': [() => BEGAN + 1, REVOKED],
  'a function of a later Date': [() => new Date(BEGAN + 1), REVOKED],
  'a function of an equal number': [() => BEGAN, ACCEPTED],
  'a function of nothing': [() => undefined, ACCEPTED],
  'a function of null': [() => null, ACCEPTED],
  'a function that looks at the data': [(_: unknown, { user }: Options) => BEGAN + (user === 'ann' ? 1 : 0), REVOKED],
  'an async function of a later Date': [async () => new Date(BEGAN + 1), REVOKED],
  'an async function of an equal number': [async () => BEGAN, ACCEPTED],
  'an async function of nothing': [async () => undefined, ACCEPTED],
}

/** What an option must not give: neither an instant nor nothing. */
const NO_INSTANTS: Readonly<Record<string, unknown>> = {
  'a string': new Date(BEGAN).toISOString(),
  'a Date': new Date(Number.NaN),
  'a number': Number.NaN,
  'a bigint': BigInt(BEGAN),
  'a boolean': false,
}

/** When the session counts from, in minutes after it was made: what a request at minute 10 does, with and without `subject`. */
const BEGINNINGS: Readonly<Record<string, readonly [handle: Handler, withSubject: number, without: number]>> = {
  'another key': [({ session }) => Object.assign(session, { n: 1 }), 0, 0],
  'an update': [({ session }) => session.update(draft => Object.assign(draft, { n: 1 })), 0, 0],
  'save()': [({ session }) => session.save(), 0, 0],
  'a lifetime of its own': [({ session }) => Object.assign(session, { maxAge: HOUR - 1 }), 0, 0],
  'regenerate()': [({ session }) => session.regenerate(), 10, 10],
  'commit({ regenerate })': [({ session }) => session.commit({ regenerate: true }), 10, 10],
  'another user': [({ session }) => Object.assign(session, { user: 'bob' }), 10, 0],
  'an update to another user': [({ session }) => session.update(draft => Object.assign(draft, { user: 'bob' })), 10, 0],
  'nobody any more': [
    ({ session }) => [Object.assign(session, { n: 1 }), Reflect.deleteProperty(session, 'user')],
    10,
    0,
  ],
  'other data of the same user': [({ scope }) => Object.assign(scope, { session: { user: 'ann', n: 1 } }), 0, 0],
  'null, and then new data': [
    ({ scope }) => [Object.assign(scope, { session: null }), Object.assign(scope, { session: { user: 'ann' } })],
    10,
    10,
  ],
}

const FAILED: Readonly<Record<string, Handler>> = {
  'regenerate()': ({ session }) => session.regenerate(),
  'regenerate({ fresh })': ({ session }) => session.regenerate({ fresh: true }),
}

for (const [mode, make] of Object.entries(MODES)) {
  for (const options of [{ subject }, {}])
    for (const [what, handle] of Object.entries(FAILED))
      test(`${mode}${'subject' in options ? ', with subject' : ''}: ${what} that fails makes a session neither younger nor fresh`, async () => {
        let fault: (() => never) | undefined
        const made = make({ notBefore: 0, beforeSave: () => fault?.(), ...options })
        const { client } = (await respond(made, undefined, signIn)).exchange
        made.clock.advance(1000)
        const failing: Handler = async request => {
          const { session } = request
          fault = () => assert.fail('of beforeSave')
          await assert.rejects(async () => handle(request), /of beforeSave/)
          fault = undefined
          assert.equal(session.isFresh(HOUR), false)
          Object.assign(session, { user: 'ann', n: 1 })
        }
        const { exchange } = await respond(made, client, failing)
        assert.deepEqual(metaIn(made, exchange.client), { since: BEGAN })
      })

  for (const [what, [notBefore, seen]] of Object.entries(INSTANTS)) {
    test(`${mode}: with ${what} a session is that of ${seen}`, async () => {
      const made = make({ notBefore })
      const { client } = (await respond(made, undefined, signIn)).exchange
      made.clock.advance(1000)
      const request = await respond(made, client, userOf)
      const isEnded = seen === REVOKED && mode !== 'cookie'
      assert.deepEqual([userOf(request), toldIn(request)[0]], [seen, seen === REVOKED ? 'revoked' : undefined])
      assert.equal(made.memory.read(client ?? '') === undefined, isEnded || mode === 'cookie', 'whether it is there')
      // The browser keeps what it has until there is another session.
      assert.equal(request.exchange.client, client)
    })
  }

  for (const [what, given] of Object.entries(NO_INSTANTS)) {
    for (const notBefore of [() => given, async () => given]) {
      test(`${mode}: ${what} that an ${notBefore.constructor.name} gives is an error where the session is read`, async () => {
        const made = make({ notBefore })
        const { client } = (await respond(made, undefined, signIn)).exchange
        const request = await respond(made, client)
        const expected = 'expected a valid Date, milliseconds since the epoch, or nothing'
        for (const _ of ['first', 'again']) {
          const message = `option notBefore gave ${what}, ${expected}`
          assert.throws(() => request.session, { code: 'ERR_SESSION_OPTION', message })
        }
        assert.equal(request.exchange.client, client)
        assert.deepEqual(toldIn(request), [])
      })
    }
  }

  test(`${mode}: a function that rejects with nothing is an error that Koa answers`, async () => {
    const made = make({ notBefore: async () => Promise.reject() })
    const { client } = (await respond(made, undefined, signIn)).exchange
    const message =
      'a function that koa-session was given threw, or rejected with, undefined, expected an Error: throw one'
    const request = await respond(made, client)
    assert.throws(() => request.session, { code: 'ERR_SESSION_OPTION', message })
  })

  for (const [how, notBefore] of Object.entries({
    throws: () => {
      throw new Error('of the database', { cause: 'down' })
    },
    rejects: async () => {
      throw new Error('of the database', { cause: 'down' })
    },
  })) {
    test(`${mode}: a function that ${how} is an error where the session is read, and nowhere else`, async () => {
      const made = make({ notBefore, rolling: true })
      const { client } = (await respond(made, undefined, signIn)).exchange
      const request = await respond(made, client)
      assert.throws(() => request.session, { message: 'of the database', cause: 'down' })
      assert.deepEqual([request.exchange.client, toldIn(request)], [client, []])
      const assigning = () => respond(made, client, ({ scope }) => Object.assign(scope, { session: { b: 2 } }))
      assert.equal(await codeOf(assigning), mode.includes('store') ? 'ERR_SESSION_STORE' : undefined)
      const out = await respond(made, client, ({ scope }) => Object.assign(scope, { session: null }))
      assert.equal(out.exchange.client, undefined)
    })
  }

  test(`${mode}: an async function is waited for where a session was presented, and is not called where none was`, async () => {
    let calls = 0
    const made = make({
      notBefore: async () => {
        calls++
      },
    })
    const first = made.begin()
    assert.equal(first.scope.start(false), undefined)
    signIn(first)
    await first.scope.finish()
    assert.equal(calls, 0)
    const second = made.begin(first.exchange.client)
    assert.ok(second.scope.start(false) instanceof Promise)
    assert.equal(calls, mode === 'store' ? 1 : calls)
  })

  for (const [which, options] of Object.entries({ 'with subject': { subject }, 'without subject': {} })) {
    for (const [what, [handle, withSubject, without]] of Object.entries(BEGINNINGS)) {
      const minutes = 'subject' in options ? withSubject : without
      test(`${mode}, ${which}: after ${what} a session counts from minute ${minutes}`, async () => {
        let notBefore = 0
        const made = make({ notBefore: () => notBefore, absoluteTimeout: HOUR, ...options })
        const { client } = (await respond(made, undefined, signIn)).exchange
        made.clock.advance(10 * 60_000)
        const changed = (await respond(made, client, handle)).exchange.client
        const since = BEGAN + minutes * 60_000
        const meta = metaIn(made, changed)
        const isNew = what.startsWith('null')
        assert.deepEqual(meta, { created: isNew ? since : BEGAN, since })
        const seen = async (instant: number) => {
          notBefore = instant
          return toldIn(await respond(made, changed, userOf))[0]
        }
        assert.deepEqual([await seen(since), await seen(since + 1)], [undefined, 'revoked'])
      })
    }
  }

  test(`${mode}: who signs in in an old session that is nobody's is not refused`, async () => {
    const notBefore = (_: unknown, { user }: Options) => (user ? BEGAN + 60_000 : undefined)
    const made = make({ notBefore, subject })
    const { client } = (await respond(made, undefined, ({ session }) => Object.assign(session, { cart: 1 }))).exchange
    made.clock.advance(60_000)
    const signedIn = (await respond(made, client, signIn)).exchange.client
    assert.equal(userOf(await respond(made, signedIn, userOf)), 'ann')
  })

  test(`${mode}: what was saved without the option counts from its last save, and keeps that age when it is saved`, async () => {
    const off = make({})
    const saved = (await respond(off, undefined, signIn)).exchange.client
    assert.equal(metaIn(off, saved), undefined, 'without the option it says nothing more')
    const on = (notBefore: number) => make({ notBefore }, off)
    off.clock.advance(1000)
    const request = await respond(on(BEGAN), saved, ({ session }) => Object.assign(session, { n: 1 }))
    const { client } = request.exchange
    assert.deepEqual(metaIn(off, client), { since: BEGAN })
    assert.equal(userOf(await respond(on(BEGAN), client, userOf)), 'ann')
    // A process without the option, as while it is deployed, does not make it younger.
    const kept = (await respond(off, client, ({ session }) => Object.assign(session, { n: 2 }))).exchange.client
    assert.deepEqual(metaIn(off, kept), { since: BEGAN })
    const renewed = (await respond(off, kept, ({ session }) => session.regenerate())).exchange.client
    assert.deepEqual(metaIn(off, renewed), { since: BEGAN + 1000 })
    assert.deepEqual(toldIn(await respond(on(BEGAN + 1001), renewed, userOf))[0], 'revoked')
  })

  test(`${mode}: a session of unknown age is refused, and saving it does not make it younger`, async () => {
    const off = make({ maxAge: 'session' })
    const saved = (await respond(off, undefined, signIn)).exchange.client
    assert.equal(metaIn(off, saved), undefined)
    const none = make({ maxAge: 'session', notBefore: () => undefined }, off)
    const { client } = (await respond(none, saved, ({ session }) => Object.assign(session, { n: 1 }))).exchange
    assert.equal(metaIn(off, client), undefined)
    const on = make({ maxAge: 'session', notBefore: 0 }, off)
    assert.deepEqual(toldIn(await respond(on, client, userOf))[0], 'revoked')
  })

  test(`${mode}: valid and the schema do not see a session that is revoked`, async () => {
    let calls = 0
    const valid = () => ++calls
    const made = make({ notBefore: BEGAN + 1, valid })
    const { client } = (await respond(made, undefined, signIn)).exchange
    await respond(made, client, userOf)
    assert.equal(calls, 0)
  })

  test(`${mode}: an async notBefore beside a valid that is not, and the other way round`, async () => {
    for (const [options, seen] of [
      [{ notBefore: async () => 0, valid: () => true }, 'ann'],
      [{ notBefore: async () => 0, valid: () => false }, 'nobody'],
      [{ notBefore: () => 0, valid: async () => false }, 'nobody'],
      [{ notBefore: () => BEGAN + 1, valid: async () => true }, 'nobody'],
    ] as const) {
      const made = make(options)
      const { client } = (await respond(made, undefined, signIn)).exchange
      assert.equal(userOf(await respond(made, client, userOf)), seen)
    }
  })
}

/** A session that is revoked is ended as it was read, and not what others have made of it since. */
const MEANWHILE: Readonly<
  Record<string, readonly [happens: (made: Site) => unknown, held: readonly unknown[], told: readonly string[]]>
> = {
  nothing: [() => {}, [undefined, undefined], ['revoked']],
  'another request signs in in it': [
    ({ write }) => write('A', { user: '"bob"' }),
    [{ a: '1', user: '"bob"' }, undefined],
    ['revoked'],
  ],
  'another request gives it a new id': [
    ({ memory }) => {
      memory.create('1', { members: { a: '2' }, lifetime: { _session: true } }, HOUR)
      memory.retire('A', { successor: '1' }, HOUR)
    },
    [{}, { a: '2' }],
    ['revoked'],
  ],
  'another request ends it': [({ memory }) => memory.destroy('A'), [undefined, undefined], ['revoked']],
}

for (const [what, [happens, held, told]] of Object.entries(MEANWHILE)) {
  test(`store: a session is revoked, and ${what} meanwhile`, async () => {
    const made = site({ notBefore: BEGAN + HOUR })
    made.courses.patch = [after(() => happens(made))]
    const { exchange, scope } = await made.visit('A')
    await scope.finish()
    const dataIn = (id: string) => made.memory.read(id)?.members
    assert.deepEqual([dataIn('A'), dataIn('1'), toldIn({ exchange } as Request)], [...held, told])
  })
}

test('store: a session without data that is revoked is ended', async () => {
  const made = site({ notBefore: BEGAN + HOUR })
  made.put('A', {})
  await made.visit('A')
  assert.equal(made.memory.read('A'), undefined)
})

const anew: Handler = ({ session }) => session.regenerate({ fresh: true })
const asBob: Handler = ({ session }) => Object.assign(session, { user: 'bob' }).save()
for (const [mode, without, method, handle, held] of [
  ['store', [], 'create', anew, '2'],
  ['store', [], 'patch', asBob, 'A'],
  ['a store of three methods', THREE_METHODS, 'set', anew, '2'],
  ['a store of three methods', THREE_METHODS, 'set', asBob, 'A'],
] as const) {
  test(`${mode}: where ${method} failed, the next save leaves the session as old as it was, under ${held}`, async () => {
    const made = site({ notBefore: 0, maxAge: HOUR, subject }, without)
    made.put('A', { user: 'ann' }, { _meta: { since: BEGAN } })
    made.clock.advance(1000)
    made.courses[method] = [fails]
    const { exchange } = await respond(made, 'A', async request => {
      await assert.rejects(async () => handle(request), { code: 'ERR_SESSION_STORE' })
      await Object.assign(request.session, { user: 'ann', n: 1 }).save()
    })
    assert.deepEqual([exchange.client, metaIn(made, held)], [held, { since: BEGAN }])
  })
}

for (const [mode, without, method] of [
  ['store', [], 'patch'],
  ['a store of three methods', THREE_METHODS, 'destroy'],
] as const) {
  for (const course of [fails, failsAtOnce]) {
    test(`${mode}: where it can not be ended (${course.name}), it is refused all the same, and that is told`, async () => {
      const made = site({ notBefore: BEGAN + HOUR }, without)
      made.courses[method] = [course]
      const request = await made.visit('A')
      assert.equal(userOf(request), 'nobody')
      assert.deepEqual(request.told(), [`store ${method} ERR_SESSION_STORE`, 'refused'])
    })
  }
}
