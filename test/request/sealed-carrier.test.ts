/** The sealed value, in one cookie or in several, over a jar of plain lists. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { encode } from '../../src/codec/json.ts'
import { createKeyrings } from '../../src/codec/keyring.ts'
import { seal, sealContext } from '../../src/codec/sealed.ts'
import { resolveConfig } from '../../src/config.ts'
import type { CookieJar, JarAccess } from '../../src/request/jar.ts'
import { sealedCarrier } from '../../src/request/sealed-carrier.ts'
import { Settings } from '../../src/request/settings.ts'
import type { Refused } from '../../src/session/model.ts'
import { FORGED, UNDECODABLE } from '../../src/session/payload.ts'
import { newSecret } from '../support/secrets.ts'

const SECRETS = [newSecret(), newSecret()]
const STRANGERS = [newSecret()]
const DROPPED: Refused = { fault: 'none', reason: 'signature', value: 'of the jar' }

const sealed = (text: string, secrets = SECRETS, key = 's', purpose = 'session') =>
  seal(text, createKeyrings()(secrets), sealContext(purpose, key))

interface Given {
  /** What the browser sends, by the cookie's name; `signed`: those whose signature is good. */
  cookies?: Readonly<Record<string, readonly (string | Refused)[]>>
  options?: Readonly<Record<string, unknown>>
  purpose?: 'session' | 'id'
  appKeys?: unknown
  /** The option `key` of this response, where it is another one. */
  key?: string
}

function open(given: Given) {
  const { cookies = {}, options = {}, purpose = 'session', key = 's' } = given
  const appKeys = 'appKeys' in given ? given.appKeys : SECRETS
  const told: string[] = []
  const jar: CookieJar = ({ isPlain, suffix = '', signed }) => {
    assert.ok(isPlain)
    const name = signed ? 'signed' : `s${suffix}`
    const line = (text: string, earlier: readonly string[]) => [
      `${name}${text}${earlier.length > 0 ? ` for ${earlier}` : ''}`,
    ]
    return {
      get: (_, nth) => cookies[name]?.[nth],
      isPresent: () => cookies[name] !== undefined,
      set: (_, value, earlier) => line(`=${value}`, earlier),
      clear: (_, earlier) => line(' cleared', earlier),
      check: (_, value) => told.push(`${name} checked for "${value}"`),
    }
  }
  const own = resolveConfig({ seal: true, key: 's', ...options })
  const settings = new Settings(key === 's' ? own : resolveConfig({ seal: true, ...options, key }))
  const at = { ctx: { appKeys }, settings, jarState: undefined }
  const surroundings = { jar, appKeys: (ctx: unknown) => (ctx as typeof at.ctx).appKeys }
  const carrier = sealedCarrier(own, own.sealing as NonNullable<typeof own.sealing>, purpose, surroundings)
  return { at, carrier, settings, told, own }
}

const LARGE = 'x'.repeat(5000)
const PIECES = (() => {
  const value = sealed(LARGE)
  return { s: [`2~${value.slice(0, 4000)}`], 's.1': [value.slice(4000)] }
})()
const BOTH = { seal: { acceptSigned: true } }
const SIGNED = encode({ a: 1 })

/** What is read: the first value, the second and so on, and whether it is to be sent anew. */
const READ: Readonly<Record<string, readonly [given: Given, values: readonly unknown[], isStale?: boolean]>> = {
  nothing: [{}, [undefined]],
  'a sealed value': [{ cookies: { s: [sealed('one')] } }, ['one', undefined]],
  'one that an older secret has sealed': [{ cookies: { s: [sealed('one', SECRETS.slice(1))] } }, ['one'], true],
  'two of them': [{ cookies: { s: [sealed('one'), sealed('two')] } }, ['one', 'two', undefined]],
  noise: [{ cookies: { s: ['noise'] } }, [UNDECODABLE, undefined]],
  'a value of a stranger': [{ cookies: { s: [sealed('one', STRANGERS)] } }, [FORGED, undefined]],
  'noise, and a good one': [{ cookies: { s: ['noise', sealed('one')] } }, ['one', undefined]],
  'noise, and a value of a stranger': [{ cookies: { s: ['noise', sealed('one', STRANGERS)] } }, [UNDECODABLE]],
  'a value of a stranger, and noise': [{ cookies: { s: [sealed('one', STRANGERS), 'noise'] } }, [FORGED]],
  'what the jar refuses': [{ cookies: { s: [DROPPED] } }, [UNDECODABLE]],
  'a value for another purpose': [{ cookies: { s: [sealed('one', SECRETS, 's', 'id')] } }, [FORGED]],
  'an id': [{ cookies: { s: [sealed('one', SECRETS, 's', 'id')] }, purpose: 'id' }, ['one']],
  'a value of another key': [{ cookies: { s: [sealed('one', SECRETS, 't')] } }, [FORGED]],
  'a value of the key of this response': [{ cookies: { s: [sealed('one', SECRETS, 't')] }, key: 't' }, ['one']],
  'a value by the option keys': [{ cookies: { s: [sealed('one', STRANGERS)] }, options: { keys: STRANGERS } }, ['one']],
  'a value in two cookies': [{ cookies: PIECES, options: { chunks: 2 } }, [LARGE, undefined]],
  'two cookies where one is allowed': [{ cookies: PIECES }, [UNDECODABLE]],
  'the first of two cookies': [{ cookies: { s: PIECES.s }, options: { chunks: 2 } }, [UNDECODABLE]],
  'two cookies, of which the jar refuses one': [
    { cookies: { ...PIECES, 's.1': [DROPPED] }, options: { chunks: 2 } },
    [UNDECODABLE],
  ],
  'a signed cookie': [{ cookies: { s: [SIGNED], signed: [SIGNED] } }, [UNDECODABLE]],
  'a signed cookie, and those are accepted': [
    { cookies: { s: [SIGNED], signed: [SIGNED] }, options: BOTH },
    ['{"a":1}', undefined],
    true,
  ],
  'a signed id, and those are accepted': [
    { cookies: { s: ['id'], signed: ['id'] }, options: BOTH, purpose: 'id' },
    ['id'],
    true,
  ],
  'a sealed and a signed value': [
    { cookies: { s: [sealed('one'), SIGNED], signed: [SIGNED] }, options: BOTH },
    ['one', '{"a":1}', undefined],
    true,
  ],
  'a signed cookie without a good signature': [
    { cookies: { s: [SIGNED], signed: [DROPPED] }, options: BOTH },
    [DROPPED],
  ],
  'a signed cookie without a signature': [{ cookies: { s: [SIGNED] }, options: BOTH }, [UNDECODABLE]],
  'a value of a stranger with a good signature': [
    { cookies: { s: [sealed('one', STRANGERS)], signed: [SIGNED] }, options: BOTH },
    [FORGED],
  ],
  'a value of a stranger with a good signature, and noise': [
    { cookies: { s: ['noise'], signed: [sealed('one', STRANGERS)] }, options: BOTH },
    [FORGED],
  ],
}

for (const [what, [given, values, isStale = false]] of Object.entries(READ)) {
  test(`read: ${what}`, () => {
    const { carrier, at, settings } = open(given)
    assert.deepEqual(
      values.map((_, nth) => carrier.read(at, nth)),
      values,
    )
    assert.equal(settings.isStale, isStale)
  })
}

/** What is sent, by the names of the cookies: of a text that is so long. */
const WRITTEN: Readonly<Record<string, readonly [given: Given, length: number, names: readonly string[] | RegExp]>> = {
  'a short one': [{}, 10, ['s']],
  'the largest that fits one cookie': [{}, 3038, ['s']],
  'one byte more': [
    {},
    3039,
    /^ERR_SESSION_TOO_LARGE: the cookie s has 4097 bytes, and browsers drop one of more than 4096: .*, or in several cookies \(option chunks\)$/,
  ],
  'a short one, where two cookies are allowed': [{ options: { chunks: 2 } }, 3036, ['s']],
  'one byte more, in two': [{ options: { chunks: 2 } }, 3037, ['s', 's.1']],
  'the largest in two': [{ options: { chunks: 2 } }, 5208, ['s', 's.1']],
  'one byte more than two hold': [
    { options: { chunks: 2 } },
    5209,
    /^ERR_SESSION_TOO_LARGE: the cookie s has 6991 bytes, and servers may refuse more than 7000: .*\(option store\)$/,
  ],
  'the largest in three': [{ options: { chunks: 3 } }, 8953, ['s', 's.1', 's.2']],
  'one byte more than three hold': [{ options: { chunks: 3 } }, 8954, /more than 12000/],
  'a short one in place of three': [
    { cookies: { s: ['x'], 's.1': ['x'], 's.2': ['x'] } },
    10,
    ['s', 's.1 cleared', 's.2 cleared'],
  ],
  'one in two in place of three': [
    { cookies: { s: ['x'], 's.1': ['x'], 's.2': ['x'] }, options: { chunks: 3 } },
    4000,
    ['s', 's.1', 's.2 cleared'],
  ],
  'one beside a signature': [{ cookies: { s: ['x'], 's.sig': ['x'] } }, 10, ['s']],
  'one in place of a signed one': [
    { cookies: { s: ['x'], 's.sig': ['x'] }, options: BOTH },
    10,
    ['s', 's.sig cleared'],
  ],
}

for (const [what, [given, length, names]] of Object.entries(WRITTEN)) {
  test(`write: ${what}`, () => {
    const { carrier, at } = open(given)
    const text = 'x'.repeat(length)
    if (names instanceof RegExp) {
      assert.throws(
        () => carrier.write(at, text, []),
        ({ code, message }) => names.test(`${code}: ${message}`),
      )
      return
    }
    const lines = carrier.write(at, text, [])
    assert.deepEqual(
      lines.map(line => line.replace(/=.*/, '')),
      names,
    )
    const cookies = Object.fromEntries(
      lines.filter(line => line.includes('=')).map(line => [line.replace(/=.*/, ''), [line.replace(/.*?=/, '')]]),
    )
    assert.equal(open({ ...given, cookies }).carrier.read(at, 0), text)
  })
}

test('what was sent earlier goes, in the first cookie', () => {
  const { carrier, at } = open({ options: { chunks: 2 } })
  const lines = carrier.write(at, LARGE, ['early'])
  assert.deepEqual([lines[0]?.endsWith(' for early'), lines[1]?.includes(' for ')], [true, false])
})

test('it is sealed for the key of this response', () => {
  const { carrier, at } = open({ key: 't' })
  const [line = ''] = carrier.write(at, 'one', [])
  assert.equal(carrier.read({ ...at }, 0), undefined)
  assert.equal(open({ key: 't', cookies: { s: [line.slice(2)] } }).carrier.read(at, 0), 'one')
})

test('a value is deleted with its pieces and its signature', () => {
  const cookies = { s: ['x'], 's.1': ['x'], 's.sig': ['x'] }
  assert.deepEqual(open({}).carrier.clear(open({}).at, []), ['s cleared'])
  const { carrier, at } = open({ cookies, options: BOTH })
  assert.deepEqual(carrier.clear(at, ['early']), ['s cleared for early', 's.1 cleared', 's.sig cleared'])
})

/** Secrets that will not do, and how the error begins. */
const REFUSED: ReadonlyArray<readonly [what: string, appKeys: unknown, message: string]> = [
  ['no secrets', undefined, 'app.keys is undefined, expected a list'],
  ['a list with a number', [SECRETS[0], 1], 'app.keys[1] is a number'],
  [
    'a short one',
    [SECRETS[0], newSecret().slice(0, 31)],
    'app.keys[1] is shorter than 32 bytes, which sealing refuses',
  ],
]

for (const [what, appKeys, message] of REFUSED) {
  test(`secrets that will not do: ${what}`, () => {
    const { carrier, at } = open({ appKeys })
    const works = [() => carrier.check(at, 'one'), () => carrier.write(at, 'one', []), () => carrier.check(at, 'again')]
    for (const work of works) {
      assert.throws(work, ({ code, message: said }) => code === 'ERR_SESSION_KEYS' && said.startsWith(message))
    }
  })
}

test('the secrets of the option keys are those that count', () => {
  const { carrier, at, told } = open({ options: { keys: SECRETS }, appKeys: ['short'] })
  carrier.check(at, 'one')
  assert.deepEqual(told, ['s checked for ""'])
})

test('secrets that are put into the list of the option keys later have to be good, too', () => {
  const keys = [newSecret()]
  const { carrier, at } = open({ options: { keys } })
  carrier.check(at, 'one')
  keys.unshift(newSecret().slice(0, 31))
  assert.throws(() => carrier.write(at, 'one', []), {
    code: 'ERR_SESSION_KEYS',
    message: /^option keys\[0\] is shorter/,
  })
})

type Opened = ReturnType<typeof open>
/** Another request of the same application, whose cookies are Koa's own. */
const another = ({ at, own }: Opened, config = own): JarAccess => ({
  ...at,
  settings: new Settings(config),
  jarState: {},
})

/** Whether a sealed value that was read once is known when it comes again. */
const KNOWN_AGAIN: Readonly<Record<string, readonly [isKnown: boolean, given: Given, change?: object]>> = {
  'one that the newest secret has sealed': [true, {}],
  'an id': [true, { purpose: 'id', cookies: { s: [sealed('one', SECRETS, 's', 'id')] } }],
  'one by the option keys': [true, { options: { keys: SECRETS } }],
  'one in two cookies': [true, { cookies: PIECES, options: { chunks: 2 } }],
  'one without `remember`': [false, { options: { remember: 0 } }],
  'one that an older secret has sealed': [false, { cookies: { s: [sealed('one', SECRETS.slice(1))] } }],
  'one of a stranger': [false, { cookies: { s: [sealed('one', STRANGERS)] } }],
  noise: [false, { cookies: { s: ['x'.repeat(50)] } }],
  'one of the cookies of a framework': [false, {}, { jarState: undefined }],
}
for (const [what, [isKnown, given, change]] of Object.entries(KNOWN_AGAIN)) {
  test(`a value that comes again is ${isKnown ? 'known' : 'opened again'}: ${what}`, () => {
    const one = open({ cookies: { s: [sealed('one')] }, ...given })
    const read = () => {
      const at = { ...another(one), ...change }
      const text = one.carrier.read(at, 0)
      return { text, isStale: at.settings.isStale, remembered: at.settings.remembered?.text }
    }
    const first = read()
    assert.equal(first.remembered, undefined)
    assert.deepEqual(read(), { ...first, remembered: isKnown ? first.text : undefined })
  })
}

test('a value is not known to a response with other options', () => {
  const one = open({ cookies: { s: [sealed('one')] } })
  for (const config of [resolveConfig({ seal: true, key: 's', maxAge: 1000 }), one.own]) {
    const at = another(one, config)
    assert.deepEqual([one.carrier.read(at, 0), at.settings.remembered], ['one', undefined])
  }
  const at = another(one, resolveConfig({ seal: true, key: 's', maxAge: 1000 }))
  assert.deepEqual([one.carrier.read(at, 0), at.settings.remembered], ['one', undefined])
})

test('what is sent is known when it comes back, with what it was made of', () => {
  for (const text of ['one', LARGE]) {
    const cookies: Record<string, string[]> = {}
    const one = open({ cookies, options: { chunks: 2 } })
    const made = { of: text }
    const sending = another(one)
    sending.settings.made = made
    for (const line of one.carrier.write(sending, text, [])) {
      const [name = '', value = ''] = line.split('=')
      cookies[name] = [value]
    }
    const at = another(one)
    assert.equal(one.carrier.read(at, 0), text)
    assert.deepEqual([at.settings.remembered?.text, at.settings.remembered?.made], [text, made])
  }
})

test('nothing but the whole value is known: one whose end was changed is refused', () => {
  const value = sealed('one')
  const cookies: Record<string, string[]> = { s: [value] }
  const one = open({ cookies })
  assert.equal(one.carrier.read(another(one), 0), 'one')
  for (const at of [0, 5, value.length - 27, value.length - 2]) {
    const other = value[at] === 'A' ? 'B' : 'A'
    cookies.s = [value.slice(0, at) + other + value.slice(at + 1)]
    const request = another(one)
    assert.notEqual(one.carrier.read(request, 0), 'one')
    assert.equal(request.settings.remembered, undefined)
  }
})

test('what was known is not known any more once its secret was replaced', () => {
  const keys = SECRETS.slice(1)
  const one = open({ cookies: { s: [sealed('one', SECRETS.slice(1))] }, options: { keys } })
  for (const _ of [1, 2]) assert.equal(one.carrier.read(another(one), 0), 'one')
  keys.unshift(newSecret())
  const rotated = another(one)
  assert.deepEqual([one.carrier.read(rotated, 0), rotated.settings.isStale], ['one', true])
  keys.pop()
  assert.deepEqual(one.carrier.read(another(one), 0), FORGED)
})

test('responses depend on the cookies', () => {
  assert.equal(open({}).carrier.usesCookies, true)
})
