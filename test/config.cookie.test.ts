import assert from 'node:assert/strict'
import test from 'node:test'
import { resolveConfig } from '../src/config.ts'
import type { CookieOptions } from '../src/options.ts'
import { FLAG, type OptionRow, testOption } from './support/options.ts'

/** A row for every attribute of the cookie: the compiler finds the one that is missing. */
const rows: Record<Exclude<keyof CookieOptions, 'secure'>, OptionRow> = {
  httpOnly: FLAG,
  signed: FLAG,
  overwrite: FLAG,
  partitioned: FLAG,
  sameSite: {
    expected: "'strict', 'lax', 'none' or a boolean",
    good: ['strict', 'lax', 'none', 'Strict', 'LAX', 'None', true, false],
    bad: { '"strict "': 'strict ', '"default"': 'default', 1: 1, 'an array': ['lax'], 'an object': {} },
  },
  priority: {
    expected: "'low', 'medium' or 'high'",
    good: ['low', 'medium', 'high', 'High'],
    bad: { '"highest"': 'highest', true: true, 1: 1, 'an object': {} },
  },
  domain: {
    expected: 'a host name',
    good: [
      'example.com',
      '.example.com',
      'localhost',
      'a-b.example.co',
      'xn--bcher-kva.example',
      '127.0.0.1',
      'A.b',
      'a',
    ],
    bad: {
      '"a b"': 'a b',
      '"a;b"': 'a;b',
      '"a..b"': 'a..b',
      '"."': '.',
      '"..a"': '..a',
      '"a."': 'a.',
      '"-a"': '-a',
      '"a-"': 'a-',
      '"a.-b"': 'a.-b',
      '"a\\n"': 'a\n',
      '"https://a"': 'https://a',
      '"a:80"': 'a:80',
      '"bücher.example"': 'bücher.example',
      true: true,
      1: 1,
      'an array': ['a.b'],
    },
  },
  path: {
    expected: "a path that begins with '/' and holds no ;",
    good: ['/', '/app', '/a b', '/:!~<', '/a/b=c,d'],
    bad: {
      '"app"': 'app',
      '" /"': ' /',
      '"/;"': '/;',
      '"/a;Domain=b"': '/a;Domain=b',
      '"/\\n"': '/\n',
      '"/\\ta"': '/\ta',
      '"/ä"': '/ä',
      '"/\x7f"': '/\x7f',
      true: true,
      1: 1,
      'an array': ['/'],
    },
  },
}

for (const [option, row] of Object.entries(rows)) testOption(option, row, ({ cookie }) => cookie[option])

test('options that are not ours go along with the cookie, whatever they are', () => {
  const others = { encrypt: true, maxAgeInSeconds: 5, Secure: 'yes', pieces: ['a'], expires: new Date(0), f: () => 1 }
  const { cookie, ...ours } = resolveConfig(others)
  assert.deepEqual(cookie, { httpOnly: true, overwrite: true, signed: true, ...others })
  for (const option of Object.keys(others)) assert.equal(option in ours, false, option)
})

test('what would take the place of the name and the value of the cookie is refused', () => {
  for (const [option, advice] of [
    ['name', 'the name of the cookie is the option key'],
    ['value', 'the value of the cookie is the session'],
  ] as const) {
    const message = `option ${option} was "sid", expected nothing: ${advice}`
    assert.throws(() => resolveConfig({ [option]: 'sid' }), { code: 'ERR_SESSION_OPTION', message })
    for (const unset of [null, undefined]) assert.equal(option in resolveConfig({ [option]: unset }).cookie, false)
  }
})

test('options that are not ours and not set do not go along', () => {
  assert.deepEqual(Object.keys(resolveConfig({ encrypt: null, other: undefined, zero: 0 }).cookie), [
    'httpOnly',
    'overwrite',
    'signed',
    'zero',
  ])
})

test('options that are ours do not go along', () => {
  const { cookie } = resolveConfig({ key: 'a', maxAge: 5, rolling: true, prefix: 'p', property: 'p', now: () => 1 })
  assert.deepEqual(cookie, { httpOnly: true, overwrite: true, signed: true })
})

test('options that are called like a member of every object go along, too', () => {
  const { cookie, ...ours } = resolveConfig({ constructor: 1, toString: 2 })
  assert.deepEqual([cookie.constructor, cookie.toString], [1, 2])
  assert.deepEqual([Object.hasOwn(ours, 'constructor'), Object.hasOwn(ours, 'toString')], [false, false])
})

test('an option named __proto__ gives nothing a prototype', () => {
  const config = resolveConfig(JSON.parse('{"__proto__":{"store":1,"secure":true,"polluted":true}}'))
  assert.equal(config.store, undefined)
  assert.equal(config.cookie.secure, undefined)
  assert.equal(config.cookie.polluted, undefined)
  assert.equal(({} as Record<string, unknown>).polluted, undefined)
})

test('a key with a prefix of RFC 6265bis has the attributes without which a browser drops the cookie', async t => {
  const rows: ReadonlyArray<readonly [claim: string, options: Record<string, unknown>, secure: true | undefined]> = [
    ['__Host- is secure', { key: '__Host-id' }, true],
    ['__Secure- is secure', { key: '__Secure-id' }, true],
    ['in small letters as well', { key: '__host-id' }, true],
    ['in large letters as well', { key: '__SECURE-id' }, true],
    ['secure may be said', { key: '__Host-id', secure: true }, true],
    ['secure may be not set', { key: '__Host-id', secure: null }, true],
    ['__Host- may have the path that it has to have', { key: '__Host-id', path: '/' }, true],
    ['__Host- may have a domain and a path that are not set', { key: '__Host-id', domain: null, path: null }, true],
    ['__Secure- may have a path', { key: '__Secure-id', path: '/app' }, true],
    ['__Secure- may have a domain', { key: '__Secure-id', domain: 'example.com' }, true],
    ['another key is as it is', { key: 'id' }, undefined],
    ['a prefix without its hyphen is none', { key: '__Host' }, undefined],
    ['a prefix with one underscore is none', { key: '_Host-id' }, undefined],
    ['a prefix further in is none', { key: 'a__Host-id' }, undefined],
    ['the option prefix is another thing', { key: 'id', prefix: '__Host-' }, undefined],
  ]
  for (const [claim, options, secure] of rows) {
    await t.test(claim, () => {
      assert.equal(resolveConfig(options).cookie.secure, secure)
    })
  }
})

const HOST = "for plain HTTP in development choose the key: production ? '__Host-id' : 'session'"

test('attributes with which a browser would drop a cookie of that key are refused', async t => {
  const rows: ReadonlyArray<readonly [options: Record<string, unknown>, message: string]> = [
    [
      { key: '__Host-id', secure: false },
      `option secure was false, expected true, as the key __Host-id asks for; ${HOST}`,
    ],
    [
      { key: '__Host-id', secure: 'auto' },
      `option secure was "auto", expected true, as the key __Host-id asks for; ${HOST}`,
    ],
    [
      { key: '__Secure-id', secure: false },
      "option secure was false, expected true, as the key __Secure-id asks for; for plain HTTP in development choose the key: production ? '__Secure-id' : 'session'",
    ],
    [{ key: '__Host-id', domain: 'a.b' }, 'option domain was "a.b", expected nothing, as the key __Host-id asks for'],
    [{ key: '__host-id', domain: 'a.b' }, 'option domain was "a.b", expected nothing, as the key __host-id asks for'],
    [{ key: '__Host-id', path: '/app' }, 'option path was "/app", expected \'/\', as the key __Host-id asks for'],
  ]
  for (const [options, message] of rows) {
    await t.test(message, () => {
      assert.throws(() => resolveConfig(Object.freeze(options)), { code: 'ERR_SESSION_OPTION', message })
    })
  }
})

test('secure is true or false, or as the request came', () => {
  for (const secure of [true, false]) assert.equal(resolveConfig({ secure }).cookie.secure, secure)
  for (const secure of ['auto', null, undefined]) assert.equal('secure' in resolveConfig({ secure }).cookie, false)
  for (const [secure, shown] of [
    ['yes', '"yes"'],
    [1, '1'],
  ] as const) {
    const message = `option secure was ${shown}, expected true, false or 'auto'`
    assert.throws(() => resolveConfig({ secure }), { code: 'ERR_SESSION_OPTION', message })
  }
})

test("sameSite 'none' is refused with secure: false, and with nothing else", () => {
  const message = "option secure was false, expected true or 'auto', as sameSite 'none' asks for"
  for (const sameSite of ['none', 'None']) {
    assert.throws(() => resolveConfig({ sameSite, secure: false }), { code: 'ERR_SESSION_OPTION', message })
    for (const secure of [true, 'auto', undefined])
      assert.equal(resolveConfig({ sameSite, secure }).cookie.sameSite, sameSite)
  }
  assert.equal(resolveConfig({ sameSite: 'lax', secure: false }).cookie.secure, false)
})

test('partitioned is refused with secure: false, and with nothing else', () => {
  const message = "option secure was false, expected true or 'auto', as partitioned asks for"
  assert.throws(() => resolveConfig({ partitioned: true, secure: false }), { code: 'ERR_SESSION_OPTION', message })
  for (const secure of [true, 'auto', undefined]) {
    assert.equal(resolveConfig({ partitioned: true, secure }).cookie.partitioned, true)
  }
  assert.equal(resolveConfig({ partitioned: false, secure: false }).cookie.secure, false)
})
