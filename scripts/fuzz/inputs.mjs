/*
 * What the run makes up: headers and values near to what is genuine, since what is far from it is refused at the
 * door; payloads and records that nobody would save; options of the wrong kind.
 */
import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { memoryStore } from 'koa-session/memory'
import { KEY, NOW } from './application.mjs'
import { everyCookie, everyPair } from './genuine.mjs'

const base64 = text => Buffer.from(text).toString('base64')
const base64url = text => Buffer.from(text).toString('base64url')

/** Names that mean something to the language, to Koa or to a session. */
const oddNames = [
  '__proto__ constructor prototype toString hasOwnProperty __defineGetter__ then toJSON length isNew populated',
  'maxAge externalKey save manuallyCommit regenerate createdAt isFresh inspect _sessCtx _expire _maxAge _session',
  '_meta _requireSave _retired _ctx 0',
].flatMap(line => line.split(' '))
const name = fc.oneof(fc.constantFrom(...oddNames), fc.string({ maxLength: 8 }))
const instant = fc.oneof(
  fc.constantFrom(NOW, NOW + 1, NOW - 1, 0, -1, 1e308, -1e308, 8e15, 8.64e15, 5e-324, '1', null, true),
  fc.double(),
  fc.jsonValue({ maxDepth: 1 }),
)
const meta = fc.oneof(fc.record({ created: instant, fresh: instant }, { requiredKeys: [] }), instant)
const lifetime = fc.record({ _expire: instant, _maxAge: instant, _session: instant, _meta: meta }, { requiredKeys: [] })
const members = fc.array(fc.tuple(name, fc.jsonValue({ maxDepth: 2 })), { maxLength: 5 })

/** JSON text of an object, which may have a member twice, or one called __proto__. */
const objectText = fc
  .tuple(members, lifetime)
  .map(([list, end]) => [...list, ...Object.entries(end)])
  .map(list => `{${list.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value) ?? 'null'}`).join()}}`)
const deepText = fc
  .tuple(fc.constantFrom(1, 30, 700, 12_000), fc.constantFrom(['[', ']'], ['{"a":', '}'], ['{"__proto__":', '}']))
  .map(([levels, [open, close]]) => `${open.repeat(levels)}${open === '[' ? '' : '1'}${close.repeat(levels)}`)
const jsonText = fc.oneof(
  { arbitrary: objectText, weight: 6 },
  { arbitrary: deepText, weight: 1 },
  { arbitrary: fc.json({ maxDepth: 3 }), weight: 1 },
)

/** Whatever node:http lets through: RFC 9110, 5.5. */
const latin1 = fc
  .array(fc.oneof(fc.integer({ min: 0x20, max: 0x7e }), fc.integer({ min: 0x80, max: 0xff }), fc.constant(9)), {
    maxLength: 24,
  })
  .map(codes => String.fromCharCode(...codes))

const ALPHABET = 'ABab01-_+/=~"; \u00e4'
const changes = {
  none: text => text,
  truncate: (text, at) => text.slice(0, at),
  behead: (text, at) => text.slice(at),
  replace: (text, at, code) => text.slice(0, at) + ALPHABET[code] + text.slice(at + 1),
  insert: (text, at, code) => text.slice(0, at) + ALPHABET[code] + text.slice(at),
  swap: (text, at) => text.slice(0, at) + (text[at + 1] ?? '') + (text[at] ?? '') + text.slice(at + 2),
  fold: text => text.toLowerCase(),
  quote: text => `"${text}"`,
  pad: text => `${text} `,
  double: text => text + text,
  respell: text => text.replaceAll('-', '+').replaceAll('_', '/'),
}
const genuineValue = fc.constantFrom(...everyPair.map(([, value]) => value))
const mutated = fc
  .tuple(genuineValue, fc.constantFrom(...Object.keys(changes)), fc.nat(6000), fc.nat(ALPHABET.length - 1))
  .map(([value, change, at, code]) => changes[change](value, at % (value.length + 1), code))
const splice = fc
  .tuple(genuineValue, genuineValue, fc.nat(4096))
  .map(([one, other, at]) => one.slice(0, at) + other.slice(at))
const announced = fc.tuple(fc.constantFrom(...'0123456789'), mutated).map(([count, value]) => `${count}~${value}`)

/** The value of a cookie. */
const value = fc.oneof(
  { arbitrary: genuineValue, weight: 3 },
  { arbitrary: mutated, weight: 3 },
  { arbitrary: splice, weight: 1 },
  { arbitrary: announced, weight: 1 },
  { arbitrary: objectText.map(base64), weight: 1 },
  { arbitrary: fc.uint8Array({ maxLength: 200 }).map(base64url), weight: 1 },
  { arbitrary: latin1, weight: 1 },
)

const cookieName = fc.constantFrom(
  KEY,
  `${KEY}.sig`,
  `${KEY}.1`,
  `${KEY}.2`,
  `${KEY}.1.sig`,
  `x${KEY}`,
  'koa',
  KEY.toUpperCase(),
)
const part = fc.oneof(
  { arbitrary: fc.constantFrom(...everyCookie), weight: 3 },
  { arbitrary: fc.tuple(cookieName, value).map(pair => pair.join('=')), weight: 4 },
  { arbitrary: fc.constantFrom(...everyPair.map(pair => pair.join('='))), weight: 2 },
  { arbitrary: latin1, weight: 1 },
  { arbitrary: cookieName, weight: 1 },
)
const separator = fc.constantFrom('; ', '; ', '; ', ';', ' ;  ', ' ', '\t; ', ';;', ', ', '=')

/** A whole Cookie header. */
export const header = fc.array(fc.tuple(part, separator), { maxLength: 6 }).map(parts => parts.flat().join(''))

const whole = fc.constantFrom(...everyCookie).map(cookie => cookie.split('; ').map(pair => pair.split(/=(.*)/s, 2)))
const named = fc.tuple(fc.constantFrom(KEY, `${KEY}.sig`, `${KEY}.1`, `${KEY}.2`), value)

/** A header of well-formed cookies: a genuine one of which some values were replaced, and others put before it. */
export const values = fc
  .tuple(fc.array(named, { maxLength: 2 }), whole, fc.array(named, { maxLength: 2 }))
  .map(([earlier, cookie, later]) => [...earlier, ...cookie, ...later].map(pair => pair.join('=')).join('; '))

/** Unsigned: anybody may write the whole of it. */
export const unsigned = fc
  .oneof(
    jsonText.map(base64),
    latin1,
    fc.tuple(jsonText, fc.nat(99)).map(([text, end]) => base64(text).slice(0, -end)),
  )
  .map(text => `${KEY}=${text}`)

const odd = fc.constantFrom(
  undefined,
  null,
  1n,
  Symbol('x'),
  new Date(NOW),
  new Map([['user', 1]]),
  () => 1,
  Object.create(null),
  Object.create({ user: 'inherited' }),
  Object.freeze({ user: 'frozen' }),
)
/** What a store may give that somebody else writes to, or that is broken. */
export const payload = fc.oneof(
  { arbitrary: jsonText.map(text => JSON.parse(text)), weight: 8 },
  { arbitrary: odd, weight: 1 },
)

const memberText = fc.oneof(jsonText, fc.json({ maxDepth: 1 }), fc.string({ maxLength: 6 }))
const textMembers = fc
  .array(fc.tuple(name, memberText), { maxLength: 5 })
  .map(list => JSON.parse(`{${list.map(([key, text]) => `${JSON.stringify(key)}:${JSON.stringify(text)}`).join()}}`))
export const record = fc.oneof(
  { arbitrary: fc.record({ members: textMembers, lifetime }), weight: 6 },
  { arbitrary: fc.record({ members: textMembers, lifetime, retiredAt: instant }), weight: 1 },
  {
    arbitrary: fc.record({ members: payload, lifetime: payload, retiredAt: instant }, { requiredKeys: [] }),
    weight: 2,
  },
  { arbitrary: payload, weight: 1 },
)

export const id = fc.oneof(
  { arbitrary: fc.string({ unit: 'binary' }), weight: 4 },
  { arbitrary: name, weight: 2 },
  { arbitrary: fc.anything(), weight: 1 },
)

/** Good values of the options, each beside what may stand in its place. */
const good = {
  key: [KEY, 'koa:sess', '__Host-sess', '__Secure-sess'],
  property: ['session', 'admin', 'state', 'then', '__proto__'],
  maxAge: [1, 1000.5, 86_400_000, 8e15, 'session', 0],
  maxage: [1],
  ttl: [1, 8e15],
  autoCommit: [true, false],
  rolling: [true, false],
  renew: [true, false, 1000],
  absoluteTimeout: [1, 1e9],
  seal: [true, false, { acceptSigned: true }, {}],
  keys: [[randomBytes(32).toString('hex')], [randomBytes(32)], ['weak']],
  chunks: [true, false, 2, 3],
  cacheHeaders: [true, false],
  remember: [0, 1, 1000],
  encode: [JSON.stringify, () => 5, () => 'a;b', async () => 'later'],
  decode: [JSON.parse, () => 5, () => ({}), async () => ({})],
  valid: [() => true, () => 0],
  beforeSave: [() => {}, async () => {}],
  skip: [() => false, () => true, async () => true],
  store: [memoryStore(), { get() {}, set() {}, destroy() {} }],
  externalKey: [
    { get: () => 'id', set() {} },
    { get: () => 5, set() {} },
    { get: async () => 'id', async set() {} },
  ],
  genid: [() => 'an-id', () => '', () => 5, () => 'a;b', () => 'a\nb', async () => 'id'],
  prefix: ['', 'app:', 'ä', 'a;b'],
  now: [() => NOW, () => Number.NaN, () => 'now'],
  httpOnly: [true, false],
  signed: [true, false],
  overwrite: [true, false],
  secure: [true, false, 'auto'],
  partitioned: [true, false],
  sameSite: ['lax', 'None', true],
  priority: ['low', 'HIGH'],
  domain: ['a.b', '.a.b'],
  path: ['/', '/a b'],
  unknown: ['as it is'],
  ['__proto__']: [{ store: 5 }, { maxAge: -1 }],
}
const wrong = fc.oneof(
  fc.anything({ maxDepth: 1, withBigInt: true, withDate: true, withNullPrototype: true }),
  fc.constantFrom('', 'a;b', 'a\r\nb', 'ä', -1, Number.NaN, 1e308, '1', [], {}, () => 1, Symbol('x')),
)
const option = fc.constantFrom(...Object.keys(good)).chain(key => {
  const isGood = fc.constantFrom(...good[key])
  return fc.tuple(fc.constant(key), fc.oneof({ arbitrary: isGood, weight: 5 }, { arbitrary: wrong, weight: 1 }))
})

const anyOptions = fc.oneof(
  { arbitrary: fc.array(option, { maxLength: 6 }).map(list => Object.fromEntries(list)), weight: 12 },
  { arbitrary: fc.anything({ maxDepth: 1 }), weight: 1 },
)

/** What is not ours goes on to ctx.cookies (as in 7.x), of which it may replace a method: their error, not ours. */
export const options = anyOptions.filter(
  given => !['toString', 'toHeader'].some(name => Object.hasOwn(Object(given), name)),
)
const SECRET = randomBytes(32).toString('hex')
/** What stands in app.keys: as Koa knows it, and for `seal`, which looks at it itself, whatever else. */
export const appKeys = fc.constantFrom([SECRET], ['a secret'], undefined, null, [])
export const anyKeys = fc.oneof(
  { arbitrary: fc.constant([SECRET]), weight: 4 },
  { arbitrary: appKeys, weight: 1 },
  { arbitrary: fc.constantFrom([5], 'text', {}, 5, { sign() {} }, [new Uint8Array(20).fill(7)]), weight: 1 },
)

/** Secrets that sign, as text and as bytes: of less than a block of SHA-1 (64 bytes), a block, and more; not all ASCII. */
export const signingSecret = fc.oneof(
  fc.string({ minLength: 1, maxLength: 200 }).filter(text => text.trim() !== ''),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 80 }).filter(text => text.trim() !== ''),
  fc.constantFrom(63, 64, 65).map(length => 'k'.repeat(length)),
  fc.uint8Array({ minLength: 1, maxLength: 100 }),
)
/** What a cookie may hold as it is. */
export const cookieText = fc
  .array(
    fc.oneof(
      fc.integer({ min: 0x20, max: 0x3a }),
      fc.integer({ min: 0x3c, max: 0x7e }),
      fc.integer({ min: 0x80, max: 0xff }),
    ),
    {
      minLength: 1,
      maxLength: 300,
    },
  )
  .map(codes => String.fromCharCode(...codes))
