import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import test from 'node:test'
import { decode, decodeText, encode, encodeText } from '../../src/codec/json.ts'

const require = createRequire(import.meta.url)

/** The codec of koa-session 7.0.2 itself, which it does not export by name. */
const seven: { encode(payload: unknown): string; decode(text: string): unknown } = require(
  join(dirname(require.resolve('koa-session-7')), 'util.js'),
).default

const base64 = (text: string) => Buffer.from(text).toString('base64')

const payloads: ReadonlyArray<readonly [claim: string, payload: unknown, text: string]> = [
  ['an empty payload', {}, 'e30='],
  [
    'a user',
    { user: 'ada', _expire: 1700000000000, _maxAge: 86400000 },
    base64('{"user":"ada","_expire":1700000000000,"_maxAge":86400000}'),
  ],
  [
    'one that lives until the browser closes',
    { user: 'ada', _session: true },
    base64('{"user":"ada","_session":true}'),
  ],
  ['keys in the order that they were set in', { b: 1, a: 2, 10: 3, 9: 4 }, base64('{"9":4,"10":3,"b":1,"a":2}')],
  ['letters beyond ASCII', { name: 'Grüße, 世界 🌍' }, base64('{"name":"Grüße, 世界 🌍"}')],
  ['a text that needs both characters that a URL has not', { a: '~~?>~~?>' }, 'eyJhIjoifn4/Pn5+Pz4ifQ=='],
  ['line ends, quotes and NUL', { a: '"\\\r\n\0;,=' }, base64('{"a":"\\"\\\\\\r\\n\\u0000;,="}')],
  ['a lone surrogate', { a: '\ud800' }, base64('{"a":"\\ud800"}')],
  [
    'numbers at their limits',
    { a: 1e308, b: -0, c: 5e-324, d: 2 ** 53 },
    base64('{"a":1e+308,"b":0,"c":5e-324,"d":9007199254740992}'),
  ],
  ['numbers that JSON has not', { a: Number.NaN, b: -1 / 0 }, base64('{"a":null,"b":null}')],
  ['what JSON leaves out', { a: undefined, b: () => 1, c: Symbol('c'), d: [undefined] }, base64('{"d":[null]}')],
  ['a Date', { at: new Date(0) }, base64('{"at":"1970-01-01T00:00:00.000Z"}')],
  ['an object with toJSON', { toJSON: () => ({ a: 1 }) }, base64('{"a":1}')],
  ['nested data', { a: [{ b: [[]] }, null, true] }, base64('{"a":[{"b":[[]]},null,true]}')],
  ['a member named __proto__', JSON.parse('{"__proto__":{"a":1}}'), base64('{"__proto__":{"a":1}}')],
  ['null', null, 'bnVsbA=='],
  ['a list', [1], 'WzFd'],
  ['a string', 'x', 'Ingi'],
]

for (const [claim, payload, text] of payloads) {
  test(`${claim} is written as 7.0.2 writes it, and 7.0.2 and this read the same`, () => {
    assert.equal(encode(payload), text)
    assert.equal(encode(payload), seven.encode(payload))
    assert.deepEqual(decode(text), seven.decode(text))
    assert.deepEqual(decode(text), JSON.parse(JSON.stringify(payload)))
  })
}

test('what is written is good as the value of a cookie, whatever the data', () => {
  for (let code = 0; code < 0x3000; code += 7) {
    assert.match(encode({ a: String.fromCharCode(code, code + 1, code + 2) }), /^[A-Za-z0-9+/]+={0,2}$/)
  }
})

const cycle: Record<string, unknown> = {}
cycle.self = cycle

const refused: ReadonlyArray<readonly [claim: string, payload: unknown]> = [
  ['a BigInt', { a: 1n }],
  ['a cycle', cycle],
  ['nothing', undefined],
  ['a function', () => 1],
]

for (const [claim, payload] of refused) {
  test(`${claim} can not be written: a TypeError, as in 7.0.2`, () => {
    assert.throws(() => encode(payload), TypeError)
    assert.throws(() => seven.encode(payload), TypeError)
  })
}

test('what a toJSON throws is thrown', () => {
  const error = new Error('out of order')
  const toJSON = () => {
    throw error
  }
  assert.throws(
    () => encode({ toJSON }),
    thrown => thrown === error,
  )
})

const lenient: ReadonlyArray<readonly [claim: string, text: string, payload: unknown]> = [
  ['without padding', 'eyJhIjoxfQ', { a: 1 }],
  ['in the alphabet of URLs', 'eyJhIjoifn4_Pn5-Pz4ifQ', { a: '~~?>~~?>' }],
  ['with white space in it', ' eyJh IjoxfQ==\n', { a: 1 }],
  ['with what stands after the padding', 'eyJhIjoxfQ==eyJh', { a: 1 }],
  ['a number', base64('12'), 12],
  ['null', base64('null'), null],
  ['a list', base64('[]'), []],
  ['JSON with white space around it', base64(' {"a":1} '), { a: 1 }],
  ['a key that is there twice, the last of which counts', base64('{"a":1,"a":2}'), { a: 2 }],
]

for (const [claim, text, payload] of lenient) {
  test(`read as in 7.0.2: ${claim}`, () => {
    assert.deepEqual(decode(text), payload)
    assert.deepEqual(seven.decode(text), payload)
  })
}

const noise: ReadonlyArray<readonly [claim: string, text: string]> = [
  ['an empty text', ''],
  ['a text without a character of base64', '!!!!'],
  ['JSON that is not in base64', '{"a":1}'],
  ['an id of a store', '2f1c7a0e-7d2b-4d3e-9a51-3c9c3d0f6a11'],
  ['a cookie that was cut off', 'eyJhIjox'],
  ['base64 of an empty text', base64('')],
  ['base64 of half an object', base64('{"a":')],
  ['base64 of undefined', base64('undefined')],
  ['base64 of NaN', base64('NaN')],
  ['base64 of JSON and something else', base64('{"a":1}x')],
  ['base64 of single quotes', base64("{'a':1}")],
  ['base64 of a trailing comma', base64('{"a":1,}')],
  ['base64 of bytes that are no UTF-8', Buffer.from([0xff, 0xfe, 0x00]).toString('base64')],
  ['base64 of UTF-8 with a byte order mark', base64('\ufeff{"a":1}')],
  ['base64 of UTF-16', Buffer.from('{"a":1}', 'utf16le').toString('base64')],
  ['letters beyond ASCII', 'Grüße'],
  ['NUL', '\0\0\0\0'],
  ['thousands of open brackets', base64('['.repeat(12_000))],
]

for (const [claim, text] of noise) {
  test(`${claim} is a SyntaxError, as in 7.0.2`, () => {
    assert.throws(() => decode(text), SyntaxError)
    assert.throws(() => seven.decode(text), SyntaxError)
  })
}

test('bytes that are no UTF-8 within a string are read as replacement characters, as in 7.0.2', () => {
  const text = Buffer.from([0x22, 0xff, 0x22]).toString('base64')
  assert.equal(decode(text), '\ufffd')
  assert.equal(seven.decode(text), '\ufffd')
})

test('data that nests deeper than the stack is read', () => {
  let level = decode(base64('['.repeat(12_000) + ']'.repeat(12_000)))
  let depth = 0
  for (; Array.isArray(level); depth++) level = level[0]
  assert.equal(depth, 12_000)
})

test('reading a member named __proto__ touches no prototype', () => {
  const payload = decode(base64('{"__proto__":{"polluted":true}}'))
  assert.equal(Object.getPrototypeOf(payload), Object.prototype)
  assert.equal(({} as Record<string, unknown>).polluted, undefined)
})

test('text of any size is encoded and decoded as a Buffer of its own would', async t => {
  for (const length of [0, 1, 2730, 2731, 4096, 8192, 8193, 20_000]) {
    for (const character of ['a', 'ä', '€', '😀']) {
      await t.test(`${length} of ${character}`, () => {
        const text = character.repeat(length)
        assert.equal(encodeText(text), base64(text))
        assert.equal(decodeText(base64(text)), text)
        assert.equal(encodeText(text, ',end'), base64(`${text},end`))
        assert.equal(encodeText('begin', text), base64(`begin${text}`))
      })
    }
  }
})

test('nothing of a longer text is left in a shorter one', () => {
  encodeText('a'.repeat(1000))
  assert.equal(encodeText('b', 'c'), base64('bc'))
  decodeText(base64('a'.repeat(1000)))
  assert.equal(decodeText(base64('b')), 'b')
})
