/** A session that is in the cookie, without HTTP: what is sent, and what comes too late. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { decodeText, encode } from '../../src/codec/json.ts'
import { codeOf, site } from './site.ts'

const COOKIE = { store: null, encode: JSON.stringify, decode: JSON.parse, genid: undefined }
/** With the codec of koa-session, whose text is compared as it is. */
const OURS = { encode: undefined, decode: undefined }

function open(options: Record<string, unknown> = {}, data: Record<string, unknown> | string = { a: 1 }) {
  const made = site({ ...COOKIE, ...options })
  const { clock, begin } = made
  const write = 'encode' in options && options.encode === undefined ? encode : JSON.stringify
  const payload = typeof data === 'string' ? data : write({ ...data, _expire: clock.now() + 1000, _maxAge: 1000 })
  const request = begin(payload)
  // Not a copy of the request, which would read the session.
  const { scope, exchange, told } = request
  return {
    ...made,
    scope,
    exchange,
    told,
    payload,
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

const VARIANTS = [COOKIE, OURS].flatMap(codec => [1, { deep: 1 }].map(a => ({ codec, a })))

for (const [title, [options, handle, client, told = [], code]] of Object.entries(STORIES)) {
  for (const { codec, a } of VARIANTS)
    test(`${title} (${codec === OURS ? 'ours' : 'own'}, ${JSON.stringify(a)})`, async () => {
      const one = open({ ...codec, ...options }, { a })
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

for (const [what, [data, fault, reason, options]] of Object.entries(REFUSED)) {
  test(`a cookie with ${what} is a new session, and is told as ${reason}`, async () => {
    const one = open(options, typeof data === 'string' ? data : JSON.stringify(data))
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
