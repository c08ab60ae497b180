/** A session that is in the cookie, without HTTP: what is sent, and what comes too late. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { decodeText, encode, encodeText } from '../../src/codec/json.ts'
import type { Remembered } from '../../src/codec/memory.ts'
import { Kept } from '../../src/session/template.ts'
import { codeOf, site } from './site.ts'

const COOKIE = { store: null, encode: JSON.stringify, decode: JSON.parse, genid: undefined }
/** With the codec of koa-session, whose text is compared as it is. */
const OURS = { encode: undefined, decode: undefined }

/** What an earlier request verified. Of a sealed value the text is known. */
const remember = (made?: unknown, text?: string): Remembered => ({ body: '', tag: '', hash: 0, text, made })

/** Whose cookie the session is in: of another codec, of koa-session's, and one that was verified before. */
const KINDS = {
  'own codec': { codec: COOKIE },
  ours: { codec: OURS },
  remembered: { codec: OURS, isRemembered: true },
  'remembered, of a sealed value': { codec: OURS, isRemembered: true, isSealed: true },
}

function open(
  options: Record<string, unknown> = {},
  data: Record<string, unknown> | string = { a: 1 },
  isRemembered = false,
  isSealed = false,
) {
  const made = site({ ...COOKIE, ...options })
  const { clock, begin } = made
  const write = 'encode' in options && options.encode === undefined ? encode : JSON.stringify
  const payload = typeof data === 'string' ? data : write({ ...data, _expire: clock.now() + 1000, _maxAge: 1000 })
  const request = begin(isSealed ? 'sealed' : payload)
  // Not a copy of the request, which would read the session.
  const { scope, exchange, settings, told } = request
  if (isRemembered) settings.remembered = remember(undefined, isSealed ? decodeText(payload) : undefined)
  return {
    ...made,
    scope,
    exchange,
    settings,
    told,
    payload: isSealed ? 'sealed' : payload,
    sessionOf: () => request.session,
    start: () => request.scope.start(false),
  }
}

const dataOf = (value: string | undefined) => {
  if (value === undefined) return undefined
  const { _expire: _, _maxAge: __, ...data } = JSON.parse(value.startsWith('{') ? value : decodeText(value))
  return data
}

/** What the handler does; what the client has then, what is told, and the code of the error. */
const STORIES: Readonly<
  Record<
    string,
    readonly [
      options: Record<string, unknown>,
      handle: (request: ReturnType<typeof open>) => unknown,
      client: unknown,
      told?: readonly string[],
      code?: unknown,
    ]
  >
> = {
  'nothing is sent for a session that is only read': [{}, one => one.sessionOf(), 'the same'],
  'a change is sent': [{}, one => Object.assign(one.sessionOf(), { b: 2 }), { a: 1, b: 2 }],
  'a session that is removed takes the cookie with it': [
    {},
    ({ scope }) => {
      scope.session = null
    },
    undefined,
  ],
  'a session without data takes the cookie with it': [
    {},
    ({ scope }) => {
      scope.session = {}
    },
    undefined,
  ],
  'regenerate() sends it again': [{}, one => one.sessionOf().regenerate(), { a: 1 }],
  'update() changes it where it is': [
    {},
    one => one.sessionOf().update(draft => Object.assign(draft, { b: 2 })),
    { a: 1, b: 2 },
  ],
  'an update that throws changes nothing': [
    {},
    one =>
      codeOf(() =>
        one.sessionOf().update(draft => {
          Object.assign(draft, { b: 2 })
          throw new Error('of the handler')
        }),
      ),
    'the same',
  ],
  'it is extended with every response where that is asked for': [{ rolling: true }, () => {}, { a: 1 }],
  'it is not extended on a response that a shared cache may keep': [
    { rolling: true },
    ({ exchange }) => {
      exchange.isShared = true
    },
    'the same',
  ],
  'a change that comes too late is told, and not an error': [
    {},
    async one => {
      one.exchange.leave()
      Object.assign(one.sessionOf(), { b: 2 })
    },
    'the same',
    ['late'],
  ],
  'changes that come too late are told once': [
    {},
    async one => {
      one.exchange.leave()
      Object.assign(one.sessionOf(), { b: 2 })
      await one.sessionOf().save()
      one.scope.session = null
    },
    'the same',
    ['late'],
  ],
  'an extension leaves with the headers': [{ rolling: true }, one => one.exchange.leave(), { a: 1 }],
  'a change before the headers leave is sent with them': [
    {},
    one => {
      Object.assign(one.sessionOf(), { b: 2 })
      one.exchange.leave()
    },
    { a: 1, b: 2 },
  ],
  'a promise of beforeSave is an error': [
    { beforeSave: async () => {} },
    one => Object.assign(one.sessionOf(), { b: 2 }),
    'the same',
    [],
    'ERR_SESSION_ASYNC',
  ],
  'what beforeSave changes is sent': [
    { beforeSave: (_: unknown, session: object) => Object.assign(session, { c: 3 }) },
    one => Object.assign(one.sessionOf(), { b: 2 }),
    { a: 1, b: 2, c: 3 },
  ],
  'it is renewed where half of its lifetime is over': [{ renew: true }, ({ clock }) => clock.advance(600), { a: 1 }],
  'it is not renewed before that': [{ renew: true }, ({ clock }) => clock.advance(400), 'the same'],
  'it is not renewed once it was sent': [
    { renew: true },
    async one => {
      one.clock.advance(600)
      await one.sessionOf().save()
      one.exchange.send('sent')
    },
    'sent',
  ],
  'an end that comes too late is told': [
    {},
    one => {
      one.exchange.leave()
      one.scope.session = null
    },
    'the same',
    ['late'],
  ],
  'what is changed back is not sent': [
    {},
    one => {
      const { a } = one.sessionOf()
      one.sessionOf().a = 2
      one.sessionOf().a = a
    },
    'the same',
  ],
  'a value of the same length is a change': [{}, one => Object.assign(one.sessionOf(), { a: 3 }), { a: 3 }],
  'a change after a commit is sent': [
    {},
    async one => {
      await one.sessionOf().save()
      one.sessionOf().b = 2
    },
    { a: 1, b: 2 },
  ],
  'a session that was ended begins anew': [
    {},
    async one => {
      one.scope.session = null
      await one.scope.commit({})
      one.scope.session = { b: 2 }
    },
    { b: 2 },
  ],
  'data that do not pass the schema are an error': [
    {
      schema: {
        '~standard': { version: 1, vendor: 'test', validate: (data: object) => ('b' in data ? { issues: [{}] } : {}) },
      },
    },
    one => Object.assign(one.sessionOf(), { b: 2 }),
    'the same',
    [],
    'ERR_SESSION_SCHEMA',
  ],
  'what `valid` writes is saved': [
    {
      valid: (_: unknown, payload: object) => {
        Object.assign(payload, { b: 2 })
        return true
      },
    },
    one => one.sessionOf().save(),
    { a: 1, b: 2 },
  ],
  'what `valid` writes is no change': [
    {
      valid: (_: unknown, payload: object) => {
        Object.assign(payload, { b: 2 })
        return true
      },
    },
    one => one.sessionOf().b,
    'the same',
  ],
  'nor is what an instant of `notBefore` looks at': [
    {
      notBefore: (_: unknown, payload: object) => {
        Object.assign(payload, { b: 2 })
      },
    },
    one => one.sessionOf().b,
    'the same',
  ],
  'the same data in another order is a change': [
    {},
    async one => {
      Object.assign(one.sessionOf(), { b: 2 })
      await one.sessionOf().save()
      one.exchange.send('sent')
      one.scope.session = { b: 2, a: one.sessionOf().a }
    },
    { b: 2, a: 1 },
  ],
  'a value with the same JSON is no change': [
    {},
    one => {
      const { a } = one.sessionOf()
      one.sessionOf().a = { toJSON: () => a }
    },
    'the same',
  ],
  'the same data, assigned, is no change': [
    {},
    one => {
      one.scope.session = { a: one.sessionOf().a }
    },
    'the same',
  ],
  'the same data is sent after a sign-out': [
    {},
    one => {
      const { a } = one.sessionOf()
      one.scope.session = null
      one.scope.session = { a }
    },
    { a: 1 },
  ],
  'what is changed back after a commit is sent': [
    {},
    async one => {
      const { a } = one.sessionOf()
      one.sessionOf().a = 2
      await one.sessionOf().save()
      one.sessionOf().a = a
    },
    { a: 1 },
  ],
  'an extension that comes too late is not told': [
    { rolling: true },
    one => {
      one.exchange.hasLeft = true
    },
    'the same',
  ],
  'without autoCommit nothing is sent': [
    { autoCommit: false },
    one => Object.assign(one.sessionOf(), { b: 2 }),
    'the same',
  ],
  'without autoCommit what is committed is sent': [
    { autoCommit: false },
    async one => {
      Object.assign(one.sessionOf(), { b: 2 })
      await one.sessionOf().manuallyCommit()
    },
    { a: 1, b: 2 },
  ],
}

const VARIANTS = Object.entries(KINDS).flatMap(([kind, { codec, ...how }]) =>
  [1, { deep: 1 }].map(a => ({ kind, codec, how: { isRemembered: false, isSealed: false, ...how }, a })),
)

for (const [title, [options, handle, client, told = [], code]] of Object.entries(STORIES)) {
  for (const { kind, codec, how, a } of VARIANTS)
    test(`${title} (${kind}, ${JSON.stringify(a)})`, async () => {
      const one = open({ ...codec, ...options }, { a }, how.isRemembered, how.isSealed)
      await one.start()
      // What is sent again has another lifetime.
      one.clock.advance(1)
      await handle(one)
      assert.equal(await codeOf(() => one.scope.finish()), code)
      const { client: value } = one.exchange
      const has = value === 'sent' ? value : value === one.payload ? 'the same' : dataOf(value)
      const expected = Object(client).a === 1 ? { ...Object(client), a } : client
      assert.deepEqual([has, one.told()], [expected, told])
    })
}

/** What the cookie holds, and why it is refused. */
const REFUSED: Readonly<
  Record<
    string,
    readonly [data: Record<string, unknown> | string, fault: string, reason: string, options?: Record<string, unknown>]
  >
> = {
  'no JSON': ['{', 'none', 'undecodable'],
  'a list': ['[]', 'none', 'undecodable'],
  nothing: ['null', 'missed', 'missing'],
  'a session that has expired': [{ a: 1, _expire: 1 }, 'expired', 'expired'],
  'a session that is too old': [
    { a: 1, _expire: 1e15, _meta: { created: 1 } },
    'expired',
    'absolute',
    { absoluteTimeout: 5 },
  ],
  'a session that began before `notBefore`': [
    { a: 1, _expire: 1e15, _maxAge: 1000, _meta: { created: 1000, since: 1000 } },
    'invalid',
    'revoked',
    { notBefore: 2000 },
  ],
  'a session that `notBefore` refuses': [{ a: 1, _expire: 1e15 }, 'invalid', 'revoked', { notBefore: () => 2000 }],
  'a session that `valid` refuses': [{ a: 1 }, 'invalid', 'valid', { valid: () => false }],
  'a session that `valid` refuses by nothing': [{ a: 1 }, 'invalid', 'valid', { valid: () => undefined }],
  'a session that `valid` refuses later': [{ a: 1 }, 'invalid', 'valid', { valid: async () => false }],
  'a session that the schema refuses': [
    { a: 1 },
    'invalid',
    'schema',
    { schema: { '~standard': { version: 1, vendor: 'test', validate: () => ({ issues: [{}] }) } } },
  ],
}

const REFUSALS = Object.entries(REFUSED).flatMap(row =>
  [false, true].map(isRemembered => [isRemembered, ...row] as const),
)
for (const [isRemembered, what, [data, fault, reason, options]] of REFUSALS) {
  const title = `a ${isRemembered ? 'remembered ' : ''}cookie with ${what}`
  test(`${title} is a new session, and is told as ${reason}`, async () => {
    const text = typeof data === 'string' ? data : JSON.stringify(data)
    const one = isRemembered ? open({ ...OURS, ...options }, encodeText(text), true) : open(options, text)
    await one.start()
    assert.deepEqual([one.sessionOf().isNew, one.sessionOf().toJSON()], [true, {}])
    const [event] = one.exchange.events
    assert.equal(event?.type, 'refused')
    assert.deepEqual(event?.type === 'refused' && [event.refused.fault, event.refused.reason], [fault, reason])
    const value = fault === 'none' ? undefined : typeof data === 'string' ? JSON.parse(data) : data
    assert.deepEqual(event?.type === 'refused' && event.refused.value, value)
  })
}

test('a decode that fails otherwise is an error where the session is read, and deletes the cookie', async () => {
  const failure = new Error('of the application')
  const one = open({
    decode: () => {
      throw failure
    },
  })
  await one.start()
  assert.equal(await codeOf(() => one.sessionOf()), failure)
  assert.equal(one.exchange.client, undefined)
})

const DECLARED = ['valid', 'notBefore']
for (const [option, options] of Object.entries({
  decode: { decode: async () => ({}) },
  valid: { valid: () => Promise.resolve(true) },
  notBefore: { notBefore: () => Promise.resolve(0) },
  schema: { schema: { '~standard': { version: 1, vendor: 'test', validate: async () => ({}) } } },
  encode: { encode: async () => '' },
  beforeSave: { beforeSave: async () => {} },
})) {
  test(`a promise of ${option} is an error that names it`, async () => {
    const one = open(options)
    await one.start()
    const advice = DECLARED.includes(option) ? 'declare it as an async function' : 'use a function that is not async'
    await assert.rejects(
      async () => {
        one.sessionOf().b = 2
        await one.sessionOf().save()
      },
      {
        code: 'ERR_SESSION_ASYNC',
        message: `${option} returned a promise where none can be awaited; ${advice}`,
      },
    )
  })
}

test('an encode that gives no text is named with what it gave', async () => {
  const one = open({ encode: () => 1 })
  await one.start()
  await assert.rejects(one.sessionOf().save(), {
    code: 'ERR_SESSION_ENCODE',
    message: 'the option encode returned a number, expected a string',
  })
  assert.equal(one.sessionOf().externalKey, undefined)
})

test('an encode that gives nothing at all is an error of a new session, too', async () => {
  const made = site({ ...COOKIE, encode: () => undefined })
  const { session } = await made.visit()
  Object.assign(session, { a: 1 })
  assert.equal(await codeOf(() => session.save()), 'ERR_SESSION_ENCODE')
})

for (const [option, options] of Object.entries({
  schema: { schema: { '~standard': { version: 1, vendor: 'test', validate: async () => ({}) } } },
  beforeSave: { beforeSave: async () => {} },
  encode: { encode: async () => '' },
})) {
  test(`in a new session, a promise of ${option} is an error that names it`, async () => {
    const { session } = await site({ ...COOKIE, ...options }).visit()
    Object.assign(session, { a: 1 })
    await assert.rejects(async () => session.save(), {
      code: 'ERR_SESSION_ASYNC',
      message: `${option} returned a promise where none can be awaited; use a function that is not async`,
    })
  })
}

/** What is sent though a shared cache may keep the response: what the handler asks for. */
const ASKED: Readonly<Record<string, (request: ReturnType<typeof open>) => unknown>> = {
  'a change': one => Object.assign(one.sessionOf(), { b: 2 }),
  'save()': one => one.sessionOf().save(),
  'regenerate()': one => one.sessionOf().regenerate(),
  'a lifetime': one => Object.assign(one.sessionOf(), { maxAge: 5000 }),
}
for (const [what, handle] of Object.entries(ASKED)) {
  test(`${what} is sent whatever a cache may keep; an extension is not`, async () => {
    for (const [works, isUnasked] of [
      [handle, false],
      [() => {}, true],
    ] as const) {
      const one = open({ rolling: true })
      await one.start()
      await works(one)
      await one.scope.finish()
      assert.equal(one.exchange.isUnasked, isUnasked)
    }
  })
}

test('an object that decode gives may be written to by the application afterwards', async () => {
  const shared = { a: 1 }
  const one = open({ decode: () => shared })
  await one.start()
  assert.deepEqual(one.sessionOf().toJSON(), { a: 1 })
  shared.a = 2
  await one.scope.finish()
  assert.equal(one.exchange.client, one.payload)
})

for (const [kind, { codec, ...how }] of Object.entries(KINDS)) {
  test(`what is not nested is the same in any order (${kind})`, async () => {
    const { isRemembered, isSealed } = { isRemembered: false, isSealed: false, ...how }
    const one = open(codec, { a: 1, b: 2 }, isRemembered, isSealed)
    await one.start()
    one.scope.session = { b: 2, a: 1 }
    await one.scope.finish()
    assert.equal(one.exchange.client, one.payload)
  })
}

/** A request with a cookie that was verified before, after `settings` has said what of it is remembered. */
async function visit({ begin }: ReturnType<typeof open>, client: string | undefined, remembered: Remembered) {
  const request = begin(client)
  request.settings.remembered = remembered
  await request.scope.start(false)
  return request
}

const DATA: Readonly<Record<string, unknown>> = {
  'a number': 1,
  'an object': { deep: { er: 1 } },
  'a list': [1, [2]],
  'a long text': 'x'.repeat(100),
  'what is nested too deep to be copied': Array.from({ length: 200 }).reduce(inner => [inner], 1),
}

for (const [what, a] of Object.entries(DATA)) {
  test(`two requests with one remembered cookie see nothing of each other: ${what}`, async () => {
    const made = open(OURS, { a })
    const remembered = remember()
    const [one, other] = [await visit(made, made.payload, remembered), await visit(made, made.payload, remembered)]
    if (Array.isArray(one.session.a)) one.session.a.push(3)
    else Object.assign(Object(one.session.a), { deep: 2 })
    Object.assign(one.session, { b: 2 })
    assert.deepEqual([other.session.a, other.session.b], [a, undefined])
    assert.deepEqual((await visit(made, made.payload, remembered)).session.toJSON(), { a })
  })

  test(`a remembered cookie is read once: ${what}`, async () => {
    const one = open(OURS, { a })
    for (const text of [undefined, decodeText(one.payload)]) {
      const remembered = remember(undefined, text)
      assert.deepEqual((await visit(one, one.payload, remembered)).session.toJSON(), { a })
      const { made } = remembered
      assert.ok(made === 'nothing' || made instanceof Kept)
      const again = await visit(one, made instanceof Kept ? 'not read' : one.payload, remembered)
      assert.deepEqual([again.session.toJSON(), remembered.made], [{ a }, made])
      assert.equal(made instanceof Kept, !what.includes('too deep'))
    }
  })

  test(`what is sent is remembered with its data: ${what}`, async () => {
    const one = open(OURS, { a: 0 })
    const first = await visit(one, one.payload, remember())
    Object.assign(first.session, { a })
    await first.scope.finish()
    const { client } = first.exchange
    const again = await visit(one, client, remember(first.settings.made))
    assert.deepEqual(again.session.toJSON(), { a })
    await again.scope.finish()
    assert.equal(again.exchange.client, client, 'it did not change')

    one.clock.advance(2_000_000_000)
    const late = await visit(one, client, remember(first.settings.made))
    assert.equal(late.session.isNew, true, 'and it expires')
  })
}

test('of a cookie that was not verified before, nothing is remembered with what is sent', async () => {
  const one = open(OURS)
  await one.start()
  Object.assign(one.sessionOf(), { b: 2 })
  await one.scope.finish()
  assert.equal(one.settings.made, undefined)
})

test('a remembered cookie that is not written as koa-session writes it is read as it is, and found out to be changed', async () => {
  const one = open(OURS)
  const client = encodeText(`{ "a": {"deep": 1}, "_expire": ${one.clock.now() + 1000}, "_maxAge": 1000 }`)
  for (const change of [false, true]) {
    const request = await visit(one, client, remember())
    assert.deepEqual(request.session.toJSON(), { a: { deep: 1 } })
    if (change) Object.assign(request.session.a as object, { deep: 2 })
    await request.scope.finish()
    if (change) assert.deepEqual(dataOf(request.exchange.client), { a: { deep: 2 } })
  }
})

test('a remembered cookie of an older version is upgraded', async () => {
  const upgrade = (data: Record<string, unknown>) => void Object.assign(data, { b: 2 })
  const one = open({ ...OURS, version: 1, upgrade }, { a: 1 }, true)
  await one.start()
  assert.deepEqual(one.sessionOf().toJSON(), { a: 1, b: 2 })
})
