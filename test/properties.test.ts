import assert from 'node:assert/strict'
import test from 'node:test'
import { memoryStore } from 'koa-session/memory'
import { decode, decodeText, encode, encodeText } from '../src/codec/json.ts'
import { isFlatlySame, textOf, textOrNothing } from '../src/session/changes.ts'
import { isExpired, lifetimeFrom, maxAgeOf } from '../src/session/lifetime.ts'
import { changed, changesSince, NO_MEMBERS } from '../src/session/members.ts'
import type { Payload } from '../src/session/model.ts'
import { endOfData, isPayload, pack, packedEnd } from '../src/session/payload.ts'
import { dataIn, dataOf, fill, fillFrom, Session, type SessionHost } from '../src/session/session.ts'
import { visit } from './support/agent.ts'
import type { TestContext } from './support/koa.ts'
import fc from './support/properties.ts'
import { appOf, ask as askApp, cookiesFrom, headerOf } from './support/story.ts'

const NOW = 1_700_000_000_000
const KEY = 'koa.sess'
const OWNER: SessionHost = {
  id: undefined,
  isDegraded: false,
  handle: undefined,
  maxAge: 1000,
  settings: { createdAt: 0, isFresh: () => false },
  commit: async () => {},
}

/** Data may have a name that 7.x does not reserve. */
const FREE = ['constructor', 'handle', 'createdAt', 'isFresh', 'update', 'degraded']
const RESERVED = Object.getOwnPropertyNames(Session.prototype).filter(name => !FREE.includes(name))
const ODD = [...FREE, 'toString', 'hasOwnProperty', '__defineGetter__', 'then', '_csrf', '{}', '', '0']

const name = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.constantFrom(...ODD))
const freeName = name.filter(text => !RESERVED.includes(text))
/** Any data that a session may hold. */
const data = fc.dictionary(freeName, fc.jsonValue(), { maxKeys: 6, noNullPrototype: true })

const number = fc.oneof(fc.double(), fc.constantFrom(NOW, 0, -1, 1e308, 8e15, 5e-324, 8.64e15, -8.64e15))
const lifetime = fc.record(
  { _expire: fc.oneof(number, fc.jsonValue()), _maxAge: fc.oneof(number, fc.jsonValue()), _session: fc.jsonValue() },
  { requiredKeys: [] },
)
const hostileName = fc.oneof(name, fc.constantFrom(...RESERVED, 'constructor', 'prototype'))
/** So small that its cookie can be kept with a little more data in it. */
const isSmall = (text: string) => Buffer.byteLength(text) < 2500
const hostile = fc
  .tuple(fc.array(fc.tuple(hostileName, fc.jsonValue()), { maxLength: 8 }), lifetime)
  .map(([members, end]) => objectText([...members, ...Object.entries(end)]))
  .filter(isSmall)

const deep = fc
  .constantFrom(1, 100, 12_000)
  .chain(levels =>
    fc.constantFrom(
      '['.repeat(levels) + ']'.repeat(levels),
      `{"a":${'['.repeat(levels)}${']'.repeat(levels)}}`,
      `${'{"__proto__":'.repeat(levels)}1${'}'.repeat(levels)}`,
    ),
  )

const base64 = (text: string | Uint8Array) => Buffer.from(text as string).toString('base64')
const cookie = fc.oneof(
  fc.string({ maxLength: 300 }),
  fc.uint8Array({ maxLength: 300 }).map(base64),
  fc.json({ maxDepth: 4 }).filter(isSmall).map(base64),
  hostile.map(base64),
  deep.map(base64),
  fc.tuple(hostile, fc.nat(99)).map(([text, end]) => base64(text).slice(0, -end)),
)
/** The value of any header that node:http lets through: RFC 9110, 5.5. */
const header = fc
  .array(fc.oneof(fc.integer({ min: 0x20, max: 0x7e }), fc.integer({ min: 0x80, max: 0xff }), fc.constant(9)))
  .map(codes => String.fromCharCode(...codes))
const anyHeader = fc.oneof(
  cookie.map(text => `${KEY}=${text.replace(/[^\t\x20-\x7e\x80-\xff]/g, '')}`),
  header.map(text => `${KEY}=${text}`),
  header,
  fc.tuple(hostile, header).map(([text, signature]) => `${KEY}=${base64(text)}; ${KEY}.sig=${signature}`),
)

function objectText(members: ReadonlyArray<readonly [string, unknown]>): string {
  return `{${members.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value) ?? 'null'}`).join()}}`
}

const PROTOTYPES = [Object.prototype, Array.prototype, Function.prototype, Session.prototype]
const members = () => PROTOTYPES.map(prototype => Reflect.ownKeys(prototype).map(String))
const before = members()

function assertUnpolluted(): void {
  assert.deepEqual(members(), before)
  assert.equal(({} as Record<string, unknown>).polluted, undefined)
}

/** An application, and one request to it without a network. */
function serve(options: object, handle: (ctx: TestContext) => void) {
  const page = (ctx: TestContext) => handle(ctx) ?? 'ok'
  const { app, errors } = appOf({ now: () => NOW, ...options }, { '*': page })
  const ask = async (cookie: string) => {
    const { status, lines } = await askApp(app, '/page', cookie)
    return { status, cookies: headerOf(cookiesFrom(lines)) }
  }
  return { app, ask, errors }
}

for (const [mode, options] of [
  ['a signed cookie', () => ({})],
  ['a cookie until the browser closes', () => ({ maxAge: 'session' })],
  ['a memory store', () => ({ store: memoryStore({ now: () => NOW }) })],
] as const) {
  test(`any data is the same in the next request, by way of ${mode}`, async () => {
    let given: Record<string, unknown> | undefined
    let read = ''
    const { ask, errors } = serve(options(), ctx => {
      if (given) ctx.session = given
      else read = textOf(dataOf(ctx.session))
    })
    await fc.assert(
      fc.asyncProperty(data, async value => {
        fc.pre(encode(value).length < 3900)
        given = value
        const { status, cookies } = await ask('')
        given = undefined
        assert.deepEqual([status, (await ask(cookies)).status], [200, 200])
        assert.equal(read, JSON.stringify(value))
      }),
      { numRuns: 400 },
    )
    assert.deepEqual(errors, [])
    assertUnpolluted()
  })
}

test('any data is the same after it was packed, encoded, decoded and taken up', () => {
  fc.assert(
    fc.property(data, fc.constantFrom(1, 1000, 'session' as const), (value, maxAge) => {
      const payload = decode(encode(pack(value, lifetimeFrom(maxAge, NOW))))
      assert.equal(isPayload(payload) && !isExpired(payload, NOW) && maxAgeOf(payload), maxAge)
      const resumed = new Session(OWNER, false)
      fill(resumed, payload as Payload)
      assert.equal(textOf(dataOf(resumed)), JSON.stringify(value))
    }),
    { numRuns: 2000 },
  )
  assertUnpolluted()
})

test('the text of a payload is the same whether it is serialized or made from that of the data', () => {
  fc.assert(
    fc.property(data, fc.constantFrom(1, 0.5, 8e15, 'session' as const), number, (value, maxAge, now) => {
      const lifetime = lifetimeFrom(maxAge, now)
      const text = JSON.stringify(pack(value, lifetime))
      const before = JSON.stringify(value)
      assert.equal(before.slice(0, -1) + packedEnd(before, lifetime), text)
      assert.equal(encodeText(before.slice(0, -1), packedEnd(before, lifetime)), encode(pack(value, lifetime)))
      const end = endOfData(text, Object.keys(lifetime).length)
      const isPlain = maxAge === 'session' || /^"_expire":\d+,"_maxAge":\d+}$/.test(JSON.stringify(lifetime).slice(1))
      assert.equal(end && `${text.slice(0, end)}}`, isPlain ? JSON.stringify(value) : undefined)
    }),
    { numRuns: 2000 },
  )
})

/** Names and values that look like a lifetime, where none is to be found. */
const lookalike = fc.constantFrom(
  '_expire',
  '_maxAge',
  '_session',
  '"_expire":1,"_maxAge":2}',
  ',"_session":true}',
  '\\"',
)
const misleading = fc.dictionary(
  fc.oneof(freeName, lookalike, fc.constantFrom(...RESERVED)),
  fc.oneof({ depthSize: 'small' }, fc.integer(), lookalike, fc.constant(true), fc.dictionary(lookalike, fc.nat())),
  { noNullPrototype: true },
)

const flat = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null), fc.double({ noNaN: true }))
const value = fc.oneof(
  flat,
  fc.jsonValue(),
  fc.constantFrom(undefined, Number.NaN, new Date(NOW), () => 1),
)
/** What handlers do to a session. */
const steps = fc.array(fc.tuple(freeName, value, fc.boolean()), { maxLength: 3 })

function take(session: Session, taken: ReadonlyArray<readonly [string, unknown, boolean]>) {
  for (const [member, next, isSet] of taken) {
    if (isSet) (session as unknown as Record<string, unknown>)[member] = next
    else delete (session as unknown as Record<string, unknown>)[member]
  }
}

const sorted = (object: Record<string, unknown>) =>
  JSON.stringify(Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1)))

test('values tell whether a session holds what it was filled with, as the texts do', () => {
  fc.assert(
    fc.property(data, steps, (given, taken) => {
      const session = new Session(OWNER, false)
      const payload = decode(encode(given)) as Payload
      const reserved = fill(session, payload)
      assert.equal(JSON.stringify(dataIn(payload)), JSON.stringify(given))
      take(session, taken)
      // It may miss that the texts are the same, but never that the data differs.
      if (isFlatlySame(session, payload, reserved)) assert.equal(sorted(dataOf(session)), sorted(given))
      const isFlat = Object.values(given).every(member => typeof member !== 'object' || member === null)
      if (isFlat && taken.length === 0) assert.equal(isFlatlySame(session, payload, reserved), true)
    }),
    { numRuns: 3000 },
  )
})

test('changes of members are those between the texts of the data, however the values compare', () => {
  fc.assert(
    fc.property(data, steps, (given, taken) => {
      const first = new Session(OWNER, false)
      Object.assign(first, given)
      const before = changesSince(NO_MEMBERS, first)?.set ?? NO_MEMBERS
      const session = new Session(OWNER, false)
      fillFrom(session, before)
      assert.equal(changesSince(before, session), undefined)
      take(session, taken)
      const changes = changesSince(before, session)
      const [was, is] = [JSON.parse(textOf(dataOf(first))), JSON.parse(textOf(dataOf(session)))]
      assert.equal(changes === undefined, sorted(was) === sorted(is))
      const { set, unset } = changes ?? { set: NO_MEMBERS, unset: [] }
      const after = changed(before, set, unset)
      const read = Object.fromEntries(Object.entries(after).map(([member, text]) => [member, JSON.parse(text)]))
      assert.equal(sorted(read), sorted(is))
      for (const member of Object.keys(set)) assert.notEqual(set[member], before[member])
      for (const member of unset) assert.ok(Object.hasOwn(before, member) && !Object.hasOwn(is, member))
      if (changes) assert.equal(changes.isEmpty, Object.keys(is).length === 0)
    }),
    { numRuns: 4000 },
  )
})

test('the text of the data is never taken from a text that says something else', () => {
  fc.assert(
    fc.property(misleading, lifetime, (value, end) => {
      const text = JSON.stringify({ ...value, ...end })
      const payload = decode(encode({ ...value, ...end })) as Payload
      const resumed = new Session(OWNER, false)
      const at = endOfData(text, fill(resumed, payload))
      if (at !== undefined) assert.equal(`${text.slice(0, at)}}`, JSON.stringify(dataOf(resumed)))
    }),
    { numRuns: 5000 },
  )
})

test('text is encoded and decoded as a Buffer of its own would, whatever its size', () => {
  const text = fc.oneof(
    cookie,
    fc.string({ unit: 'binary' }),
    fc.nat(20_000).map(length => 'ä€'.repeat(length)),
  )
  fc.assert(
    fc.property(text, value => {
      assert.equal(encodeText(value), Buffer.from(value).toString('base64'))
      assert.equal(decodeText(value), Buffer.from(value, 'base64').toString())
      assert.equal(decodeText(encodeText(value)), Buffer.from(value).toString())
    }),
    { numRuns: 2000 },
  )
})

test('any text is decoded, or is a SyntaxError', () => {
  fc.assert(
    fc.property(fc.oneof(cookie, fc.string({ unit: 'binary' })), text => {
      try {
        decode(text)
      } catch (error) {
        assert.equal(error instanceof SyntaxError, true, String(error))
      }
    }),
    { numRuns: 1000 },
  )
})

test('any payload can be taken up: nothing throws, no reserved name is taken, no prototype is touched', () => {
  fc.assert(
    fc.property(fc.oneof(hostile, deep), text => {
      const payload: unknown = JSON.parse(text)
      fc.pre(isPayload(payload))
      const resumed = new Session(OWNER, false)
      fill(resumed, payload as Payload)
      assert.equal(Object.getPrototypeOf(resumed), Session.prototype)
      const names = Object.getOwnPropertyNames(resumed)
      const taken = names.filter(text => RESERVED.includes(text))
      assert.deepEqual(taken, [])
      assert.match(typeof textOrNothing(dataOf(resumed)), /^(string|undefined)$/)
      assert.equal(resumed.length, names.length)
    }),
    { numRuns: 500 },
  )
  assertUnpolluted()
})

const MODES: ReadonlyArray<readonly [mode: string, options: () => object]> = [
  ['an unsigned cookie', () => ({ signed: false })],
  ['an unsigned cookie that is rolling', () => ({ signed: false, rolling: true })],
  ['an unsigned cookie that is renewed', () => ({ signed: false, renew: true })],
  ['a signed cookie', () => ({})],
  ['the id of a store', () => ({ signed: false, store: memoryStore({ now: () => NOW }) })],
]

for (const [mode, options] of MODES) {
  test(`any bytes in place of ${mode} give a session or a new one, never an error`, async () => {
    const { ask, errors } = serve(options(), ctx => {
      if (ctx.session.populated) ctx.session.seen = ctx.session.length
      else ctx.session.isHere = true
    })
    await fc.assert(
      fc.asyncProperty(anyHeader, async text => {
        const { status, cookies } = await ask(text)
        assert.deepEqual([status, errors], [200, []])
        assert.equal((await ask(cookies)).status, 200)
      }),
      { numRuns: 1000 },
    )
    assertUnpolluted()
  })
}

test('any record of a store gives a session or a new one, never an error', async () => {
  let record: unknown
  const store = { get: () => record, set: () => {}, destroy: () => {} }
  const { ask, errors } = serve({ store, signed: false, renew: true }, ctx => {
    ctx.session.seen = ctx.session.length
  })
  const json = fc.oneof(hostile, deep, fc.json()).map(text => JSON.parse(text) as unknown)
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        json,
        fc.constantFrom(undefined, 1n, Symbol('x'), new Date(NOW), () => 1),
      ),
      async value => {
        record = value
        assert.deepEqual([(await ask(`${KEY}=id`)).status, errors], [200, []])
      },
    ),
    { numRuns: 1000 },
  )
  assertUnpolluted()
})

test('any bytes that a client sends over the network are answered', async t => {
  const { app } = serve({ signed: false }, ctx => {
    ctx.session.seen = true
  })
  const visitor = await visit(t, app)
  await fc.assert(
    fc.asyncProperty(anyHeader, async text => {
      fc.pre(text.length < 8000)
      assert.equal((await visitor.stranger().get('/', { cookie: text })).status, 200)
    }),
    { numRuns: 40 },
  )
  assertUnpolluted()
})

test('a cookie larger than any that browsers keep is nothing that was written here, and never an error', async () => {
  const { ask, errors } = serve({ signed: false, rolling: true }, () => undefined)
  for (const length of [4060, 4096, 5000, 50_000]) {
    const text = base64(JSON.stringify({ a: 'x'.repeat((length * 3) / 4 - 8) }))
    assert.deepEqual([(await ask(`${KEY}=${text}`)).status, errors], [200, []], `${text.length} characters`)
  }
})
