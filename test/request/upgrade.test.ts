/** `version` and `upgrade`: data that other versions of the application have saved, in each mode. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { digest } from '../../src/codec/digest.ts'
import type { StoredPayload } from '../../src/stores/store.ts'
import { after } from '../support/stores.ts'
import { codeOf, type Data, site } from './site.ts'

type Options = Record<string, unknown>
type Site = ReturnType<typeof site>
type Request = ReturnType<Site['begin']>
type Handler = (request: Request) => unknown

const HOUR = 3_600_000
const THREE_METHODS = ['read', 'create', 'patch', 'touch', 'retire'] as const
const COOKIE = { store: null, encode: JSON.stringify, decode: JSON.parse, genid: undefined }
let ids = 0
const genid = () => `id-${++ids}`
const MODES: Readonly<Record<string, (options: Options, shared?: Site) => Site>> = {
  cookie: (options, shared) => site({ ...COOKIE, maxAge: HOUR, ...options }, [], shared),
  store: (options, shared) => site({ maxAge: HOUR, genid, ...options }, [], shared),
  'a store of three methods': (options, shared) => site({ maxAge: HOUR, genid, ...options }, THREE_METHODS, shared),
}

/** Version 1 has the names apart, 2 has one name, and 3 has it in an object. */
const OLD = { first: 'Ada', last: 'Byron', tags: [{ n: 1 }], gone: true }
const NEW = { tags: [{ n: 1, isNew: true }], name: 'Ada Byron' }
function upgrade(data: Options, from: number): void {
  if (from >= 2) return
  data.name ??= `${data.first} ${data.last}`
  for (const tag of data.tags as Options[]) tag.isNew = true
  for (const key of ['first', 'last', 'gone']) Reflect.deleteProperty(data, key)
}
const V1 = { version: 1, upgrade: () => {} }
const V2 = { version: 2, upgrade }
const AS_1 = { _meta: { dataVersion: 1 } }
const ANN = { version: 0, subject: digest('ann') }

/** A whole request that brings `client`. */
async function respond({ begin }: Site, client?: string, handle: Handler = () => {}): Promise<Request> {
  const request = begin(client)
  await request.scope.start(false)
  await handle(request)
  await request.scope.finish()
  return request
}

const fill =
  (data: object): Handler =>
  ({ session }) =>
    Object.assign(session, structuredClone(data))
const read: Handler = ({ session }) => void session.toJSON()
const seenIn = ({ session }: Request) => session.toJSON()
const toldIn = ({ exchange }: Request) =>
  exchange.events.map(event => {
    if (event.type === 'refused') return event.refused.reason
    return event.type === 'gone' ? `gone ${event.keys}` : event.type
  })

/** What client or store have, as it is at rest: without the instants. */
function atRest({ memory }: Site, client: string | undefined) {
  const payload = client?.startsWith('{') ? JSON.parse(client) : memory.get(client ?? '')
  if (!payload) return undefined
  const { _expire, _maxAge, _meta, ...data } = payload as StoredPayload & { _meta?: { dataVersion?: number } }
  return { data, version: _meta?.dataVersion }
}
const OLD_AT_REST = { data: OLD, version: undefined }
const NEW_AT_REST = { data: NEW, version: 2 }

/** What `upgrade` may give, and what the session is then. */
const GOOD: Readonly<Record<string, readonly [upgrade: (data: Options) => unknown, seen: object]>> = {
  nothing: [data => void Object.assign(data, { n: 1 }), { ...OLD, n: 1 }],
  'the same object': [data => Object.assign(data, { n: 1 }), { ...OLD, n: 1 }],
  'another object': [({ first }) => ({ first }), { first: 'Ada' }],
  'a frozen object': [() => Object.freeze({ a: Object.freeze([1]) }), { a: [1] }],
  'an object without a prototype': [() => Object.assign(Object.create(null), { a: 1 }), { a: 1 }],
  'an object of a class': [
    () =>
      new (class User {
        name = 'Ada'
      })(),
    { name: 'Ada' },
  ],
  'no data': [() => ({}), {}],
  'what JSON changes': [() => ({ at: new Date(0), none: undefined, call() {} }), { at: '1970-01-01T00:00:00.000Z' }],
  'names that are no data': [() => JSON.parse('{"a":1,"save":2,"_expire":3,"_meta":{},"__proto__":{"b":1}}'), { a: 1 }],
}

const EXPECTED = 'expected an object, or nothing where it has changed the data that it was given'
const FAILURE = new Error('of the application', { cause: 'a bug' })
/** What it must not give or do, and the error. */
const BAD: Readonly<Record<string, readonly [upgrade: (data: Options) => unknown, error: object]>> = {
  'gives null': [() => null, { code: 'ERR_SESSION_OPTION', message: `option upgrade gave null, ${EXPECTED}` }],
  'gives a list': [() => [], { code: 'ERR_SESSION_OPTION', message: `option upgrade gave an array, ${EXPECTED}` }],
  'gives a text': [
    () => 'secret',
    { code: 'ERR_SESSION_OPTION', message: `option upgrade gave a string, ${EXPECTED}` },
  ],
  'gives false': [() => false, { code: 'ERR_SESSION_OPTION', message: `option upgrade gave a boolean, ${EXPECTED}` }],
  'gives a Map': [() => new Map(), { code: 'ERR_SESSION_OPTION', message: `option upgrade gave a Map, ${EXPECTED}` }],
  'gives a promise': [() => Promise.resolve({}), { code: 'ERR_SESSION_ASYNC', message: /^upgrade returned a promise/ }],
  'gives a promise that rejects': [() => Promise.reject(FAILURE), { code: 'ERR_SESSION_ASYNC' }],
  'puts a Map into the data': [
    data => void Object.assign(data, { map: new Map() }),
    { code: 'ERR_SESSION_DATA', message: /session\.map/ },
  ],
  throws: [
    () => {
      throw FAILURE
    },
    { message: 'of the application', cause: 'a bug' },
  ],
}

/** The `dataVersion` at rest, and what `upgrade` is told; `undefined`: it is not called. */
const VERSIONS: Readonly<Record<string, readonly [version: unknown, from: number | undefined]>> = {
  none: [undefined, 0],
  null: [null, 0],
  '0': [0, 0],
  '-1': [-1, 0],
  '1.5': [1.5, 0],
  'a text': ['2', 0],
  'a list': [[2], 0],
  'an object': [{}, 0],
  'a number beyond what is safe': [1e300, 0],
  '1': [1, 1],
  '2': [2, 2],
  '3, the same': [3, undefined],
}

/** What a handler does in a session of a newer version: nothing of it is kept. */
const REFUSED: Readonly<Record<string, readonly [handle: Handler, keys?: readonly string[]]>> = {
  'does not read it': [() => {}],
  'reads it': [read],
  'sets a key': [({ session }) => Object.assign(session, { n: 1 }), ['n']],
  'saves it': [({ session }) => session.save()],
  'sets its lifetime': [({ session }) => Object.assign(session, { maxAge: 1000 })],
  'replaces it': [({ scope }) => Object.assign(scope, { session: { n: 1 } }), ['n']],
  'replaces it by nothing': [({ scope }) => Object.assign(scope, { session: {} })],
  'gives it a new id': [({ session }) => Object.assign(session, { n: 1 }).regenerate(), ['n']],
  'updates it': [({ session }) => session.update(draft => Object.assign(draft, { n: 1 })), ['n']],
  'sets a key, saves it and removes the key': [
    async ({ session }) => {
      session.n = 1
      await session.save()
      Reflect.deleteProperty(session, 'n')
    },
    ['n'],
  ],
}

for (const [mode, make] of Object.entries(MODES)) {
  const isStored = mode !== 'cookie'
  /** An application without the options has saved `data`. */
  async function begin(data: object = OLD, meta?: object) {
    const first = make({})
    let client = (await respond(first, undefined, fill(data))).exchange.client as string
    if (meta && isStored) first.put(client, { ...data }, { _meta: meta } as object)
    else if (meta) client = JSON.stringify({ ...JSON.parse(client), _meta: meta })
    return { first, client }
  }

  test(`${mode}: a request that reads older data has it as it is now, and writes nothing`, async () => {
    const { first, client } = await begin()
    const made = make(V2, first)
    for (const handle of [() => {}, read]) {
      const request = await respond(made, client, handle)
      assert.deepEqual(seenIn(request), NEW)
      assert.deepEqual([request.exchange.sent, atRest(made, request.exchange.client)], [undefined, OLD_AT_REST])
      assert.deepEqual(toldIn(request), [])
    }
    assert.deepEqual(
      made.calls.filter(call => !/^(get|read) /.test(call)),
      [],
    )
  })

  for (const [what, [options, handle, data]] of Object.entries<readonly [Options, Handler, object]>({
    'a key is set': [{}, ({ session }) => Object.assign(session, { n: 1 }), { ...NEW, n: 1 }],
    'something nested is changed': [
      {},
      ({ session }) => Object.assign((session.tags as Data[])[0] as Data, { n: 2 }),
      { ...NEW, tags: [{ n: 2, isNew: true }] },
    ],
    'a key is removed': [{}, ({ session }) => Reflect.deleteProperty(session, 'tags'), { name: 'Ada Byron' }],
    'what was upgraded is set as it was': [
      {},
      ({ session }) => [fill(OLD), Object.assign(session, OLD), Reflect.deleteProperty(session, 'name')],
      OLD,
    ],
    'it is saved as it is': [{}, ({ session }) => session.save(), NEW],
    'it gets a lifetime': [{}, ({ session }) => Object.assign(session, { maxAge: 1000 }), NEW],
    'it gets a new id': [{}, ({ session }) => session.regenerate(), NEW],
    'it is updated': [{}, ({ session }) => session.update(draft => Object.assign(draft, { n: 1 })), { ...NEW, n: 1 }],
    'it is replaced': [{}, ({ scope }) => Object.assign(scope, { session: { n: 1 } }), { n: 1 }],
    'it is extended': [{ rolling: true }, read, NEW],
    'it is extended, and was not read': [{ rolling: true }, () => {}, NEW],
    'it is renewed': [{ renew: HOUR + 1 }, read, NEW],
    'it is saved twice': [
      {},
      async ({ session }) => {
        session.n = 1
        await session.save()
        session.n = 2
      },
      { ...NEW, n: 2 },
    ],
    'it is saved, and gets a new id': [
      {},
      async ({ session }) => {
        session.n = 1
        await session.save()
        await session.regenerate()
        session.n = 2
      },
      { ...NEW, n: 2 },
    ],
  })) {
    test(`${mode}: older data is saved as it is now, with its version, when ${what}`, async () => {
      const { first, client } = await begin()
      const made = make({ ...V2, ...options }, first)
      const request = await respond(made, client, handle)
      const version = 2
      assert.deepEqual(atRest(made, request.exchange.client), { data, version })
      assert.deepEqual(toldIn(request), [])
      const next = await respond(make(V2, made), request.exchange.client, read)
      assert.deepEqual([seenIn(next), toldIn(next)], [data, []])
    })
  }

  test(`${mode}: a new session has the version, and without the option none`, async () => {
    const { client } = (await respond(make(V2), undefined, fill(NEW))).exchange
    if (mode === 'cookie') assert.deepEqual(JSON.parse(client ?? '')._meta, { dataVersion: 2 })
    const made = make(V2)
    assert.deepEqual(atRest(made, (await respond(made, undefined, fill(NEW))).exchange.client), NEW_AT_REST)
    const other = make({ absoluteTimeout: HOUR, notBefore: 0, subject: ({ name }: Options) => name, ...V2 })
    const { exchange } = await respond(other, undefined, fill(NEW))
    const payload = isStored ? other.memory.get(exchange.client ?? '') : JSON.parse(exchange.client ?? '')
    const now = other.clock.now()
    assert.deepEqual(payload._meta, { created: now, since: now, dataVersion: 2 })
    const off = make({})
    const saved = (await respond(off, undefined, fill(NEW))).exchange.client
    assert.deepEqual(atRest(off, saved), { data: NEW, version: undefined })
  })

  for (const [what, [upgrade, seen]] of Object.entries(GOOD)) {
    test(`${mode}: upgrade may give ${what}`, async () => {
      const { first, client } = await begin()
      const made = make({ version: 1, upgrade }, first)
      const request = await respond(made, client, read)
      assert.deepEqual([seenIn(request), request.exchange.sent, toldIn(request)], [seen, undefined, []])
      const extended = await respond(make({ version: 1, upgrade, rolling: true }, made), client)
      assert.deepEqual(atRest(made, extended.exchange.client), { data: seen, version: 1 })
    })
  }

  for (const [what, [upgrade, error]] of Object.entries(BAD)) {
    test(`${mode}: an upgrade that ${what} is an error where the session is read, and nowhere else`, async () => {
      const { first, client } = await begin()
      const made = make({ version: 1, upgrade, rolling: true, onStoreError: 'anonymous' }, first)
      const untouched = await respond(made, client)
      for (const _ of ['first', 'again']) assert.throws(() => untouched.session, error)
      assert.deepEqual([untouched.exchange.client, toldIn(untouched)], [client, []])
      assert.deepEqual(atRest(made, client), OLD_AT_REST)
      const out = await respond(made, client, ({ scope }) => Object.assign(scope, { session: null }))
      assert.deepEqual(
        [out.exchange.client, isStored && atRest(made, client)],
        [undefined, isStored ? undefined : false],
      )
    })
  }

  for (const [what, [dataVersion, from]] of Object.entries(VERSIONS)) {
    test(`${mode}: data whose version is ${what} is upgraded from ${from ?? 'nothing'}`, async () => {
      const { first, client } = await begin(OLD, { dataVersion })
      const calls: unknown[] = []
      const made = make({ version: 3, upgrade: (_: unknown, version: number) => void calls.push(version) }, first)
      assert.deepEqual(seenIn(await respond(made, client, read)), OLD)
      assert.deepEqual(calls, from === undefined ? [] : [from])
    })
  }

  test(`${mode}: notBefore, valid, the schema and subject see what upgrade has made`, async () => {
    const { first, client } = await begin()
    const seen: unknown[] = []
    const look = (...given: unknown[]) => {
      const { _expire, _maxAge, _meta, ...data } = given.at(-1) as Options
      seen.push(JSON.parse(JSON.stringify(data)))
    }
    const validate = (value: unknown) => {
      look(value)
      return { value }
    }
    const options = {
      notBefore: look,
      valid: (...given: unknown[]) => [look(...given)],
      schema: { '~standard': { version: 1, vendor: 'test', validate } },
      subject: look,
    }
    await respond(make({ ...V2, ...options }, first), client, read)
    assert.ok(seen.length >= 4, String(seen.length))
    for (const data of seen) assert.deepEqual(data, NEW)
    const refused = await respond(make({ ...V2, valid: (_: unknown, { name }: Options) => !name }, first), client, read)
    assert.deepEqual(toldIn(refused), ['valid'])
  })

  for (const [what, [handle, keys = []]] of Object.entries(REFUSED)) {
    for (const [which, options] of Object.entries({ 'an older process': V1, 'a process without the option': {} })) {
      test(`${mode}: ${which} ${what}: data of a newer version stays as it is`, async () => {
        const made = make(V2)
        const { client } = (await respond(made, undefined, fill(NEW))).exchange
        const request = await respond(make({ rolling: true, ...options }, made), client, handle)
        assert.deepEqual([...new Set(toldIn(request))], ['newer', ...keys.map(key => `gone ${key}`)])
        assert.deepEqual([request.exchange.client, request.exchange.sent], [client, undefined])
        assert.equal(request.scope.session?.degraded, true)
        const next = await respond(made, client, read)
        assert.deepEqual([seenIn(next), atRest(made, client)], [NEW, NEW_AT_REST])
      })
    }
  }

  test(`${mode}: what an older process changes in data of a newer version is told once, however often it is saved`, async () => {
    const made = make(V2)
    const { client } = (await respond(made, undefined, fill(NEW))).exchange
    const request = await respond(make(V1, made), client, async ({ session }) => {
      await Object.assign(session, { n: 1 }).regenerate()
      await session.save()
    })
    assert.deepEqual(toldIn(request), ['newer', 'gone n'])
  })

  test(`${mode}: an older process signs out of a session of a newer version, and another one begins`, async () => {
    const made = make(V2)
    const { client } = (await respond(made, undefined, fill(NEW))).exchange
    const older = make(V1, made)
    const heard = older.begin(client)
    heard.exchange.isHeard = true
    await heard.scope.start(false)
    heard.scope.session = null
    await heard.scope.finish()
    assert.deepEqual([heard.exchange.client, toldIn(heard)], [undefined, ['newer', 'ended']])
    if (isStored) assert.equal(atRest(made, client), undefined)
    const again = (await respond(made, undefined, fill(NEW))).exchange.client
    const replaced = await respond(older, again, ({ scope }) => {
      scope.session = null
      scope.session = { first: 'Bob' }
    })
    assert.deepEqual(atRest(made, replaced.exchange.client), { data: { first: 'Bob' }, version: 1 })
    assert.notEqual(replaced.exchange.client, again)
    if (isStored) assert.equal(atRest(made, again), undefined)
  })

  test(`${mode}: data of a newer version that has expired is over, and notBefore does not end it`, async () => {
    const made = make(V2)
    const { client } = (await respond(made, undefined, fill(NEW))).exchange
    const notBefore = made.clock.now() + HOUR
    assert.deepEqual(toldIn(await respond(make({ ...V1, notBefore }, made), client, read)), ['newer'])
    assert.deepEqual(atRest(made, client), NEW_AT_REST)
    made.clock.advance(HOUR + 1)
    assert.deepEqual(toldIn(await respond(make(V1, made), client, read)), ['expired'])
  })

  test(`${mode}: a save that drops the version has the data upgraded again`, async () => {
    const made = make(V2)
    let client = (await respond(made, undefined, fill(OLD))).exchange.client as string
    client = (await respond(make(V2, made), client, ({ session }) => Object.assign(session, NEW))).exchange.client ?? ''
    // koa-session 7 writes its three names.
    if (isStored) made.put(client, { ...NEW, n: 7 })
    else {
      const { _meta, ...payload } = JSON.parse(client)
      client = JSON.stringify({ ...payload, ...NEW, n: 7 })
    }
    assert.deepEqual(seenIn(await respond(made, client, read)), { ...NEW, n: 7 })
  })
}

/** A store of three methods that gives `payload`. */
function giving(payload: () => object, options: Options) {
  const made = site(options, THREE_METHODS)
  const changed: unknown[] = []
  Object.assign(made.store, {
    get: payload,
    set: (...given: readonly unknown[]) => changed.push((given[3] as { changed: boolean }).changed),
  })
  return { made, changed }
}

test('a store of three methods: upgrade does not write to the object of the store', async () => {
  const kept = { ...structuredClone(OLD), _session: true }
  const { made } = giving(() => kept, V2)
  assert.deepEqual(seenIn(await respond(made, 'A', read)), NEW)
  assert.deepEqual(kept, { ...OLD, _session: true })
})

test('a store of three methods is told that older data has changed when it is extended', async () => {
  const { made, changed } = giving(() => ({ ...structuredClone(OLD), _session: true }), { ...V2, rolling: true })
  await respond(made, 'A', read)
  assert.deepEqual(changed, [true])
})

test('a payload or a record that can not be read is undecodable, and upgrade is not called', async () => {
  const upgrade = () => assert.fail('it is called')
  const cyclic: Options = { _session: true }
  cyclic.self = cyclic
  const keyed = site({ version: 1, upgrade })
  keyed.store.read = () => ({ members: { a: '{' }, lifetime: { _session: true } })
  for (const made of [keyed, giving(() => cyclic, { version: 1, upgrade }).made]) {
    assert.deepEqual(toldIn(await respond(made, 'A', read)), ['undecodable'])
  }
})

/** What two requests that have both read older data do, one after the other, and what there is then. */
const set =
  (data: object): Handler =>
  ({ session }) =>
    Object.assign(session, data)
const drop =
  (...names: string[]): Handler =>
  ({ session }) => {
    for (const name of names) Reflect.deleteProperty(session, name)
  }
const BOTH: Readonly<Record<string, readonly [first: Handler, second: Handler, data: object | undefined]>> = {
  'change different keys': [set({ a: 1 }), set({ b: 2 }), { ...NEW, a: 1, b: 2 }],
  'change the same key': [set({ a: 1 }), set({ a: 2 }), { ...NEW, a: 2 }],
  'the first changes what was upgraded': [set({ name: 'Ada' }), set({ b: 2 }), { ...NEW, name: 'Ada', b: 2 }],
  'the first removes what was upgraded': [drop('name'), set({ b: 2 }), { tags: NEW.tags, b: 2 }],
  'the second removes what was upgraded': [set({ a: 1 }), drop('name'), { tags: NEW.tags, a: 1 }],
  'the first changes something nested that was upgraded': [
    ({ session }) => Object.assign((session.tags as Data[])[0] as Data, { n: 2 }),
    set({ b: 2 }),
    { ...NEW, tags: [{ n: 2, isNew: true }], b: 2 },
  ],
  'the second is saved as it is': [set({ name: 'Ada' }), ({ session }) => session.save(), { ...NEW, name: 'Ada' }],
  'both update a count': [count, count, { ...NEW, n: 2 }],
  'one updates a count, and one sets another key': [count, set({ n: 5 }), { ...NEW, n: 5 }],
  'the second gets a new id': [set({ a: 1 }), ({ session }) => session.regenerate(), { ...NEW, a: 1 }],
  'the second gets a new id for some keys': [
    set({ a: 1 }),
    ({ session }) => session.regenerate({ keep: ['name'] }),
    { name: 'Ada Byron' },
  ],
  'the first changes what was upgraded, and the second gets a new id': [
    set({ name: 'Ada' }),
    ({ session }) => session.regenerate(),
    { ...NEW, name: 'Ada' },
  ],
  'the second is emptied': [set({ a: 1 }), drop('name', 'tags'), { a: 1 }],
  'both are emptied': [drop('name', 'tags'), drop('name', 'tags'), undefined],
  'the second is emptied, and saved all the same': [
    drop('name', 'tags'),
    ({ session }) => [drop('name', 'tags')({ session } as Request), session.save()],
    undefined,
  ],
  'the second ends it': [set({ a: 1 }), ({ scope }) => Object.assign(scope, { session: null }), undefined],
}

function count({ session }: Request) {
  return session.update((draft: object) => Object.assign(draft, { n: Number((draft as Data).n ?? 0) + 1 }))
}

/** The requests that have read `client`, before one of them goes on. */
async function opened(client: string, ...sites: readonly Site[]): Promise<Request[]> {
  const requests = sites.map(({ begin }) => begin(client))
  for (const request of requests) {
    await request.scope.start(false)
    request.session.toJSON()
  }
  return requests
}

async function old(options: Options = {}) {
  const first = site({ maxAge: HOUR, genid, ...options })
  const client = (await respond(first, undefined, fill(OLD))).exchange.client as string
  return { first, client }
}

for (const [what, [one, other, data]] of Object.entries(BOTH)) {
  for (const options of [{}, { rolling: true }]) {
    test(`store: of two requests that upgrade a session at once (${JSON.stringify(options)}), ${what}`, async () => {
      const { first, client } = await old()
      const made = MODES.store?.({ ...V2, ...options }, first) as Site
      const requests = (await opened(client, made, made)) as [Request, Request]
      for (const [at, handle] of [one, other].entries()) {
        await handle(requests[at] as Request)
        await requests[at]?.scope.finish()
      }
      const last = requests[1].exchange.client
      assert.deepEqual(atRest(made, last), data && { data, version: 2 })
    })
  }
}

/** What another process makes of the session that this one, of version 2, has read, and what is there once it was saved. */
const MEANWHILE: Readonly<Record<string, readonly [options: Options, handle: Handler, data: object]>> = {
  'an older process writes a key': [V1, set({ b: 2 }), { ...NEW, a: 1, b: 2 }],
  'an older process writes what is upgraded': [V1, set({ last: 'King' }), { ...NEW, name: 'Ada King', a: 1 }],
  'a process without the option writes a key': [{}, set({ b: 2 }), { ...NEW, a: 1, b: 2 }],
  'a process without the option extends it': [{ rolling: true }, read, { ...NEW, a: 1 }],
  'another process has upgraded it': [V2, set({ b: 2 }), { ...NEW, a: 1, b: 2 }],
}
const SAVES: Readonly<Record<string, Handler>> = {
  'saved at the end': set({ a: 1 }),
  'saved at once': ({ session }) => Object.assign(session, { a: 1 }).save(),
  'saved twice': async ({ session }) => {
    session.a = 0
    await session.save()
    session.a = 1
  },
  updated: ({ session }) => session.update((draft: object) => Object.assign(draft, { a: 1 })),
  'given a new id': ({ session }) => Object.assign(session, { a: 1 }).regenerate(),
}

for (const [what, [options, handle, data]] of Object.entries(MEANWHILE)) {
  for (const [how, save] of Object.entries(SAVES)) {
    test(`store: ${what} while older data is upgraded, which is ${how}`, async () => {
      const { first, client } = await old()
      const [made, other] = [MODES.store?.(V2, first), MODES.store?.(options, first)] as [Site, Site]
      const [request, theirs] = (await opened(client, made, other)) as [Request, Request]
      await handle(theirs)
      await theirs.scope.finish()
      await save(request)
      await request.scope.finish()
      assert.deepEqual([atRest(made, request.exchange.client), toldIn(request)], [{ data, version: 2 }, []])
    })
  }
}

/** What an older request, which has read the session before it was upgraded, does once it was: it is refused. */
const LATE: Readonly<Record<string, readonly [options: Options, handle: Handler, told: readonly string[]]>> = {
  'sets a key': [{}, set({ last: 'King' }), ['gone last']],
  'removes a key': [{}, drop('first'), ['gone first']],
  'sets and removes keys, and saves them': [
    {},
    ({ session }) => [set({ a: 1 })({ session } as Request), drop('tags')({ session } as Request), session.save()],
    ['gone a,tags'],
  ],
  'removes all keys': [{}, drop(...Object.keys(OLD)), [`gone ${Object.keys(OLD)}`]],
  'extends it': [{ rolling: true }, read, []],
  'saves it as it is': [{}, ({ session }) => session.save(), []],
  'sets its lifetime': [{}, set({ maxAge: 1000 }), []],
  'updates it': [{}, ({ session }) => session.update((draft: object) => Object.assign(draft, { n: 1 })), ['gone ']],
  'gives it a new id': [{}, ({ session }) => session.regenerate(), ['gone ']],
  'sets a key, and gives it a new id': [{}, ({ session }) => Object.assign(session, { a: 1 }).regenerate(), ['gone a']],
}

for (const [what, [options, handle, told]] of Object.entries(LATE)) {
  test(`store: an older request that ${what} late, in a session that was upgraded meanwhile, is refused`, async () => {
    const { first, client } = await old(V1)
    const [newer, older] = [MODES.store?.(V2, first), MODES.store?.({ ...V1, ...options }, first)] as [Site, Site]
    const [request, theirs] = (await opened(client, older, newer)) as [Request, Request]
    await set({ b: 2 })(theirs)
    await theirs.scope.finish()
    await handle(request)
    await request.scope.finish()
    const kept = { data: { ...NEW, b: 2 }, version: 2 }
    assert.deepEqual([atRest(newer, client), request.exchange.client], [kept, client])
    assert.deepEqual(toldIn(request), told)
  })
}

test('store: an older request that signs out late ends the session that was upgraded meanwhile', async () => {
  const { first, client } = await old(V1)
  const [newer, older] = [MODES.store?.(V2, first), MODES.store?.(V1, first)] as [Site, Site]
  const [request, theirs] = (await opened(client, older, newer)) as [Request, Request]
  await set({ b: 2 })(theirs)
  await theirs.scope.finish()
  request.scope.session = null
  await request.scope.finish()
  assert.deepEqual([atRest(newer, client), request.exchange.client], [undefined, undefined])
})

test('store: with versions, a session is saved in one call where nobody else has saved it, and without a touch', async () => {
  const { first, client } = await old(V2)
  const made = MODES.store?.({ ...V2, rolling: true }, first) as Site
  for (const handle of [read, set({ a: 1 })]) {
    made.calls.length = 0
    await respond(made, client, handle)
    assert.deepEqual(made.calls, [`read ${client}`, `patch ${client}`])
  }
})

test('store: an upgrade that fails while it is saved is the error of the save, and nothing is written', async () => {
  const { first, client } = await old()
  let isBroken = false
  const upgrade = () => {
    if (isBroken) throw FAILURE
  }
  const made = MODES.store?.({ version: 1, upgrade }, first) as Site
  const [request] = (await opened(client, made)) as [Request]
  made.write(client, { b: '2' })
  isBroken = true
  request.session.a = 1
  assert.equal(await codeOf(() => request.scope.finish()), FAILURE)
  assert.deepEqual(atRest(made, client), { data: { ...OLD, b: 2 }, version: undefined })
})

const SCHEMA = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: (value: unknown) => ((value as Options).first ? { value } : { issues: [{ message: 'who?' }] }),
  },
}
const seen = (_: unknown, session: Data) => void Object.assign(session, { saves: Number(session.saves ?? 0) + 1 })

for (const [what, options] of Object.entries({ 'the schema': { schema: SCHEMA }, beforeSave: { beforeSave: seen } })) {
  test(`store: a session that others have saved meanwhile, and that is emptied then, ends without ${what}`, async () => {
    const { first, client } = await old(V1)
    const made = MODES.store?.({ ...V1, ...options }, first) as Site
    const [request] = (await opened(client, made)) as [Request]
    await respond(MODES.store?.(V1, first) as Site, client, set({ last: 'King' }))
    await drop(...Object.keys(OLD))(request)
    await request.scope.finish()
    assert.deepEqual([atRest(made, client), request.exchange.client, toldIn(request)], [undefined, undefined, []])
  })
}

test('store: beforeSave is called once for a save, whether others have saved the session meanwhile or not', async () => {
  const { first, client } = await old(V1)
  const made = MODES.store?.({ ...V1, beforeSave: seen }, first) as Site
  const [request] = (await opened(client, made)) as [Request]
  await respond(MODES.store?.(V1, first) as Site, client, set({ b: 2 }))
  for (const saves of [1, 2]) {
    request.session.a = saves
    await request.session.save()
    assert.deepEqual(atRest(made, client), { data: { ...OLD, b: 2, a: saves, saves }, version: 1 })
  }
})

test('store: where there is no room for a user, older data stays upgraded, and nobody is signed in', async () => {
  const options = { subject: ({ user }: Options) => user, maxSessions: { count: 1, beyond: 'refuse' } }
  const { first, client } = await old()
  const made = MODES.store?.({ ...V2, ...options }, first) as Site
  const signIn = set({ user: 'ann' })
  // Another one signs in after there was room.
  made.courses.patch = [
    after(() => first.memory.create('B', { members: { user: '"ann"' }, lifetime: {}, ...ANN }, HOUR)),
  ]
  const request = made.begin(client)
  await request.scope.start(false)
  await signIn(request)
  assert.equal(await codeOf(() => request.scope.finish()), 'ERR_SESSION_LIMIT')
  assert.deepEqual(atRest(made, client), NEW_AT_REST)
})

for (const beyond of ['refuse', 'end-oldest'] as const) {
  test(`store: ${beyond}: a session that is saved again to sign in is there still where there is no room`, async () => {
    const { first, client } = await old()
    const options = { subject: ({ user }: Options) => user, maxSessions: { count: 1, beyond } }
    const made = MODES.store?.({ ...V2, ...options }, first) as Site
    first.memory.create('B', { members: { user: '"ann"' }, lifetime: {}, ...ANN }, HOUR)
    const request = await respond(made, client, async ({ session }) => {
      session.n = 1
      await session.save()
      Object.assign(session, { n: 2, user: 'ann' })
      assert.equal(await codeOf(() => session.save()), beyond === 'refuse' ? 'ERR_SESSION_LIMIT' : undefined)
    })
    const [data, user] = beyond === 'refuse' ? [{ ...NEW, n: 1 }, 'ann'] : [{ ...NEW, n: 2, user: 'ann' }, undefined]
    assert.deepEqual([atRest(made, client), request.exchange.client], [{ data, version: 2 }, client])
    assert.deepEqual([atRest(made, 'B')?.data.user, made.memory.list('ann').length], [user, 1])
    // Who has not signed in can go on.
    await respond(made, client, set({ m: 1 }))
    assert.equal(atRest(made, client)?.data.m, 1)
  })
}

for (const [how, options, handle, owner] of [
  ['only read', {}, read, 'Ada'],
  ['extended', { rolling: true }, read, 'Ada Byron'],
  ['given a new id', {}, ({ session }) => session.regenerate(), 'Ada Byron'],
  ['changed', {}, set({ n: 1 }), 'Ada Byron'],
] as readonly [string, Options, Handler, string][]) {
  test(`store: a session that upgrade says is of another subject, and that is ${how}, is in the list of ${owner}`, async () => {
    const { first, client } = await old({ subject: ({ first }: Options) => first })
    const made = MODES.store?.({ ...V2, subject: ({ name }: Options) => name, ...options }, first) as Site
    const request = await respond(made, client, handle)
    const counts = ['Ada', 'Ada Byron'].map(subject => made.memory.list(subject).length)
    assert.deepEqual(counts, owner === 'Ada' ? [1, 0] : [0, 1])
    assert.deepEqual(toldIn(request), [])
    const next = await respond(made, request.exchange.client, read)
    assert.deepEqual([seenIn(next).name, toldIn(next)], ['Ada Byron', []])
  })
}

/** What an older request has done, before a newer one upgrades the session and this one saves it once more. */
const TWICE: Readonly<Record<string, Handler>> = {
  'was saved': ({ session }) => Object.assign(session, { a: 1 }).save(),
  'got a new id': ({ session }) => session.regenerate(),
}

for (const [what, handle] of Object.entries(TWICE)) {
  test(`store: a session that ${what} and was upgraded by another request since is not saved again`, async () => {
    const { first } = await old(V1)
    const [newer, older] = [MODES.store?.(V2, first), MODES.store?.(V1, first)] as [Site, Site]
    // Its record has the version that a new one has after one patch.
    first.memory.create('B', { members: { first: '"Ada"', tags: '[]' }, lifetime: { _session: true, ...AS_1 } }, HOUR)
    first.memory.patch('B', { set: {}, unset: [], lifetime: { _session: true, ...AS_1 }, keepsEmpty: true }, HOUR)
    const [request] = (await opened('B', older)) as [Request]
    await handle(request)
    const client = request.exchange.client
    const upgraded = await respond(newer, client, set({ b: 2 }))
    assert.deepEqual(toldIn(upgraded), [])
    request.session.late = true
    await request.scope.finish()
    assert.equal(atRest(newer, client)?.data.late, undefined)
    assert.deepEqual([atRest(newer, client)?.version, toldIn(request)], [2, ['gone late']])
  })
}

test('store: what others write again and again goes over to the new id, upgraded', async () => {
  const { first, client } = await old()
  const made = MODES.store?.(V2, first) as Site
  made.courses.retire = ['"King"', '"Kay"'].map(last => after(() => made.write(client, { last })))
  const request = await respond(made, client, ({ session }) => session.regenerate())
  assert.deepEqual(atRest(made, request.exchange.client), { data: { ...NEW, name: 'Ada Kay' }, version: 2 })
})

test('store: a session that is saved again after others have saved it is as old as it was', async () => {
  const options = { notBefore: 0, subject: ({ name }: Options) => name }
  const { first, client } = await old({ notBefore: 0 })
  const began = first.clock.now()
  const made = MODES.store?.({ ...V2, ...options }, first) as Site
  const [request] = (await opened(client, made)) as [Request]
  made.write(client, { b: '2' })
  first.clock.advance(1000)
  await set({ a: 1 })(request)
  await request.scope.finish()
  assert.deepEqual(made.memory.get(client)?._meta, { since: began, dataVersion: 2 })
})

test('store: a session without data that is saved all the same is kept, also after others have saved it', async () => {
  const { first, client } = await old()
  const made = MODES.store?.(V2, first) as Site
  const [request] = (await opened(client, made)) as [Request]
  made.write(client, {})
  await drop('name', 'tags')(request)
  await request.session.save()
  await request.scope.finish()
  assert.deepEqual([atRest(made, client), request.exchange.client], [{ data: {}, version: 2 }, client])
})

test('a store of three methods: whose an older session was is told by what upgrade has made of it', async () => {
  const subject = ({ name }: Options) => name
  const first = site({ genid }, THREE_METHODS)
  const { client } = (await respond(first, undefined, fill(OLD))).exchange
  const request = site({ ...V2, subject }, THREE_METHODS, first).begin(client)
  request.exchange.isHeard = true
  await request.scope.start(false)
  request.scope.session = null
  await request.scope.finish()
  const whose = request.exchange.events.map(event => event.type === 'ended' && event.subject)
  assert.deepEqual(whose, [digest('Ada Byron')])
})

test('what update() reads again is nothing, where upgrade leaves nothing', async () => {
  const { visit, held } = site({ version: 1, upgrade: () => ({}) })
  const { session } = await visit('A')
  const drafts: object[] = []
  await session.update((draft: object) => {
    drafts.push({ ...draft })
    Object.assign(draft, { b: 2 })
  })
  assert.deepEqual([drafts, held()], [[{}], { A: { b: 2 } }])
})
