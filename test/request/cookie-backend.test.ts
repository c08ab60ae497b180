/** A session that is in the cookie, without HTTP: what is sent, and what comes too late. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { codeOf, site } from './site.ts'

const COOKIE = { store: null, encode: JSON.stringify, decode: JSON.parse, genid: undefined }

function open(options: Record<string, unknown> = {}, data: Record<string, unknown> | string = { a: 1 }) {
  const made = site({ ...COOKIE, ...options })
  const { clock, begin } = made
  const payload =
    typeof data === 'string' ? data : JSON.stringify({ ...data, _expire: clock.now() + 1000, _maxAge: 1000 })
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
  const { _expire: _, _maxAge: __, ...data } = JSON.parse(value)
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
  'an encode that gives no text is an error': [
    { encode: () => 1 },
    one => Object.assign(one.sessionOf(), { b: 2 }),
    'the same',
    [],
    'ERR_SESSION_ENCODE',
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

for (const [title, [options, handle, client, told = [], code]] of Object.entries(STORIES)) {
  test(title, async () => {
    const one = open(options)
    await one.start()
    // What is sent again has another lifetime.
    one.clock.advance(1)
    await handle(one)
    assert.equal(await codeOf(() => one.scope.finish()), code)
    const has = one.exchange.client === one.payload ? 'the same' : dataOf(one.exchange.client)
    assert.deepEqual([has, one.told()], [client, told])
  })
}

/** What the cookie holds, and why it is refused. */
const REFUSED: Readonly<
  Record<string, readonly [data: Record<string, unknown> | string, fault: string, reason: string]>
> = {
  'no JSON': ['{', 'none', 'undecodable'],
  'a list': ['[]', 'none', 'undecodable'],
  nothing: ['null', 'missed', 'missing'],
  'a session that has expired': [{ a: 1, _expire: 1 }, 'expired', 'expired'],
}

for (const [what, [data, fault, reason]] of Object.entries(REFUSED)) {
  test(`a cookie with ${what} is a new session, and is told as ${reason}`, async () => {
    const one = open({}, typeof data === 'string' ? data : JSON.stringify(data))
    await one.start()
    assert.deepEqual([one.sessionOf().isNew, one.sessionOf().toJSON()], [true, {}])
    const [event] = one.exchange.events
    assert.equal(event?.type, 'refused')
    assert.deepEqual(event?.type === 'refused' && [event.refused.fault, event.refused.reason], [fault, reason])
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
