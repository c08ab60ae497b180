import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import test from 'node:test'
import { decode, decodeText, encode, encodeText } from '../src/codec/json.ts'
import { type Config, checkMaxAge, isMaxAge, resolveConfig } from '../src/config.ts'
import { optionError } from '../src/errors.ts'
import type { CookieOptions, CreateSessionOptions } from '../src/options.ts'
import { aFunction, FLAG, NOT_MILLISECONDS, type OptionRow, testOption } from './support/options.ts'
import { newSecret } from './support/secrets.ts'

const ONE_DAY = 86_400_000
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

const store = { get: aFunction, set: aFunction, destroy: aFunction }
const standard = { version: 1, vendor: 'test', validate: aFunction }

class ContextStore {
  get() {}
  set() {}
  destroy() {}
}

class WithoutDestroy {
  get() {}
  set() {}
}

const SYNC: OptionRow = {
  expected: 'a function that is not async',
  good: [aFunction, () => ({})],
  bad: { 'a function': async () => {}, true: true, 'an object': { call: aFunction }, 1: 1 },
}
const FUNCTION: OptionRow = {
  expected: 'a function',
  good: [aFunction, async () => undefined, class {}],
  bad: { '"f"': 'f', true: true, 'an object': { call: aFunction }, 'an array': [aFunction], 1: 1 },
}

/** A row for every option that is not about the cookie and means something alone: the compiler finds what is missing. */
const rows: Record<Exclude<keyof CreateSessionOptions, keyof CookieOptions | 'keys' | 'chunks'>, OptionRow> = {
  key: {
    expected: 'a cookie name: visible ASCII without ; =',
    good: ['koa.sess', 'koa:sess', '!', '~', '{}', '"', '1', 'a/b,c', ':', '<', '>'],
    bad: {
      '"a b"': 'a b',
      '"a;"': 'a;',
      '"a=b"': 'a=b',
      '"a\\n"': 'a\n',
      '"ä"': 'ä',
      '"\x7f"': '\x7f',
      1: 1,
    },
  },
  property: {
    expected: 'the name of a property of ctx',
    good: ['session', 'adminSession', ' '],
    bad: { 1: 1, 'Symbol(p)': Symbol('p'), 'an array': ['p'], 'an object': {}, true: true },
  },
  maxAge: {
    expected: "a positive number of milliseconds or 'session'",
    good: [1, 0.5, ONE_DAY, 8e15, 'session'],
    bad: { ...NOT_MILLISECONDS, '"Session"': 'Session' },
  },
  ttl: {
    expected: 'a positive number of milliseconds',
    good: [1, 0.5, ONE_DAY, 8e15],
    bad: { ...NOT_MILLISECONDS, 0: 0, '"session"': 'session' },
  },
  autoCommit: FLAG,
  rolling: FLAG,
  renew: {
    expected: 'true, false or a positive number of milliseconds',
    good: [true, false, 1, 0.5, ONE_DAY],
    bad: { '-1': -1, NaN: Number.NaN, '1e+308': 1e308, 0: 0, '"1000"': '1000', 'an object': {} },
  },
  absoluteTimeout: {
    expected: 'a positive number of milliseconds',
    good: [1, ONE_DAY, 8e15],
    bad: { ...NOT_MILLISECONDS, 0: 0, '"session"': 'session' },
  },
  notBefore: {
    expected: 'a Date, milliseconds since the epoch, or a function that gives one of them',
    good: [0, -1, 0.5, 8.64e15, new Date(0), aFunction, async () => undefined],
    bad: {
      NaN: Number.NaN,
      Infinity: Number.POSITIVE_INFINITY,
      '8640000000000001': 8.64e15 + 1,
      '"2026-11-29T00:00:00.000Z"': '2026-11-29T00:00:00.000Z',
      '"0"': '0',
      '""': '',
      true: true,
      1: 1n,
      'an object': new Date(Number.NaN),
      'an object #2': { getTime: aFunction },
      'an array': [0],
    },
  },
  seal: {
    expected: 'true, false or { acceptSigned: true }',
    good: [true, false, {}, { acceptSigned: true }, { acceptSigned: false }],
    bad: { 'an object': { acceptSigned: 1 }, 'an object #2': { acceptUnsigned: true }, 1: 1, 'a string': 'yes' },
  },
  cacheHeaders: FLAG,
  remember: {
    expected: 'a whole number of cookies, 0 or more',
    good: [0, 1, 1000, 2 ** 53 - 1],
    bad: {
      '-1': -1,
      0.5: 0.5,
      NaN: Number.NaN,
      Infinity: Number.POSITIVE_INFINITY,
      '"1000"': '1000',
      true: true,
      '1': 1n,
    },
  },
  encode: FUNCTION,
  decode: FUNCTION,
  valid: FUNCTION,
  beforeSave: FUNCTION,
  lazy: FLAG,
  skip: FUNCTION,
  genid: FUNCTION,
  now: {
    expected: 'a function that gives milliseconds since the epoch',
    good: [Date.now, () => -0.5],
    bad: {
      ...FUNCTION.bad,
      // With an instant that is no number no session would ever end.
      'a function': () => new Date(),
      'a function #2': Date,
      'a function #3': async () => 1,
      'a function #4': () => Number.NaN,
      'a function #5': aFunction,
    },
  },
  schema: {
    expected: 'a validator that implements Standard Schema version 1',
    good: [{ '~standard': standard }, Object.assign(() => 1, { '~standard': standard })],
    bad: {
      'an object': {},
      'an object #2': { '~standard': { version: 1 } },
      'an object #3': { '~standard': { ...standard, version: 2 } },
      'an object #4': { '~standard': { ...standard, version: '1' } },
      'an object #5': { '~standard': null },
      'an object #6': { '~standard': 'validate' },
      'a function': aFunction,
      'a string': 'string',
    },
  },
  store: {
    expected:
      'a store, with the methods get, set and destroy: give a client of Redis to redisStore(), and a store for express-session to connectStore()',
    good: [store, new ContextStore(), Object.assign(() => 1, store), Object.create(store)],
    bad: {
      'an object': {},
      'an object #2': new Map(),
      'an object #3': { ...store, get: undefined },
      'an object #4': { ...store, set: 1 },
      'an object #5': { ...store, destroy: {} },
      'an object #6': { ...store, hGetAll: aFunction },
      'an object #7': { ...store, createSession: aFunction },
      'a function': ContextStore,
      'an array': [],
      'a string': 'redis',
      true: true,
      false: false,
    },
  },
  ContextStore: {
    expected: 'a class whose instances have the methods get, set and destroy',
    good: [ContextStore, class extends ContextStore {}],
    bad: {
      'a function': WithoutDestroy,
      'a function #2': aFunction,
      'an object': new ContextStore(),
      'an object #2': { prototype: store },
      'a string': 'ContextStore',
    },
  },
  subject: SYNC,
  onReuse: {
    expected: "'end', or leave it out",
    good: ['end'],
    bad: { '"End"': 'End', true: true, 1: 1 },
  },
  version: {
    expected: 'a whole number, 1 or more',
    good: [1, 2, 2026_11_29, Number.MAX_SAFE_INTEGER],
    bad: { 0: 0, '-1': -1, 1.5: 1.5, NaN: Number.NaN, Infinity: Number.POSITIVE_INFINITY, '"1"': '1', true: true },
  },
  upgrade: SYNC,
  maxSessions: {
    expected: "{ count, beyond }: a positive integer, and 'end-oldest' or 'refuse'",
    good: [{ count: 1 }, { count: 5, beyond: 'refuse' }, { count: 5, beyond: 'end-oldest' }],
    bad: {
      1: 1,
      true: true,
      'an object': { count: 0, beyond: ['refuse'] },
      'an object #2': { count: 0 },
      'an object #3': { count: 5, most: 1 },
      'an object #4': { count: 1.5 },
    },
  },
  onStoreError: {
    expected: "'throw' or 'anonymous'",
    good: ['throw', 'anonymous'],
    bad: { '"ignore"': 'ignore', true: true, 'a function': aFunction },
  },
  storeTimeout: {
    expected: 'a positive number of milliseconds, 2147483647 at most',
    good: [1, 0.5, 5000, 2 ** 31 - 1],
    bad: { 0: 0, '-1': -1, NaN: Number.NaN, Infinity: Number.POSITIVE_INFINITY, 2147483648: 2 ** 31, '"5s"': '5s' },
  },
  externalKey: {
    expected: 'an object with the methods get and set, and clear where it has one',
    good: [{ get: aFunction, set: aFunction }, store, { get: aFunction, set: aFunction, clear: aFunction }],
    bad: {
      'an object': {},
      'an object #2': { get: aFunction },
      'an object #3': { set: aFunction },
      'an object #4': { get: aFunction, set: aFunction, clear: true },
      'an object #5': { get: 'a', set: 'b' },
      'a string': 'id',
    },
  },
  prefix: {
    expected: 'a string',
    good: ['app:', ' '],
    bad: { 1: 1, 'an object': {}, 'an array': ['app:'], 'a function': aFunction, false: false },
  },
}

for (const [option, row] of Object.entries(rows)) testOption(option, row, config => Reflect.get(config, option))

test('every option has the default that the documentation names', () => {
  const { genid, ...config } = resolveConfig({})
  assert.deepEqual(config, {
    key: 'koa.sess',
    property: 'session',
    maxAge: ONE_DAY,
    ttl: ONE_DAY,
    autoCommit: true,
    rolling: false,
    renew: false,
    lazy: false,
    cacheHeaders: true,
    remember: 1000,
    onStoreError: 'throw',
    storeTimeout: 5000,
    encode,
    decode,
    now: Date.now,
    sealing: undefined,
    codec: { read: decodeText, write: encodeText },
    cookie: { httpOnly: true, overwrite: true, signed: true },
  })
})

test('a lifetime of 0 is as good as none: one day, as in 7.x', () => {
  assert.equal(resolveConfig({ maxAge: 0 }).maxAge, ONE_DAY)
  assert.equal(resolveConfig({ maxAge: -0 }).maxAge, ONE_DAY)
  assert.equal(resolveConfig({ maxage: 0 }).maxAge, ONE_DAY)
})

test('maxage is another spelling of maxAge, which goes first', () => {
  assert.equal(resolveConfig({ maxage: 1000 }).maxAge, 1000)
  assert.equal(resolveConfig({ maxage: 'session' }).maxAge, 'session')
  assert.equal(resolveConfig({ maxage: 1000, maxAge: 2000 }).maxAge, 2000)
  assert.equal(resolveConfig({ maxage: null }).maxAge, ONE_DAY)
  assert.equal('maxage' in resolveConfig({ maxage: 1000 }).cookie, false)
  assert.throws(() => resolveConfig({ maxage: -1 }), { code: 'ERR_SESSION_OPTION', message: /^option maxAge was -1,/ })
})

test('options may be inherited, as of an instance of a class; what every object inherits is none', t => {
  class Options {
    readonly key = 'own'
    get signed() {
      return false
    }
    valid() {
      return false
    }
  }
  t.after(() => Reflect.deleteProperty(Object.prototype, 'rolling'))
  Object.assign(Object.prototype, { rolling: true })
  const given = Object.create(new Options(), { path: { value: '/a', enumerable: true }, maxage: { value: 5 } })
  const { key, cookie, valid, maxAge, rolling } = resolveConfig(given)
  assert.deepEqual([key, cookie.signed, cookie.path, valid, maxAge], ['own', false, '/a', given.valid, 5])
  assert.equal(rolling, false)
  // What throws for a name that it does not have, as a strict configuration does.
  const strict = new Proxy({ key: 'own' }, { get: (at, name) => (name in at ? Reflect.get(at, name) : assert.fail()) })
  assert.equal(resolveConfig(strict).key, 'own')
})

test('options are never written to, and may be frozen all the way down', () => {
  const refuse = () => {
    throw new Error('the options were written to')
  }
  const options = { key: 'a', maxage: 5, prefix: 'p', store: Object.freeze({ ...store }), domain: null, other: {} }
  const before = { ...options }
  const handler = { set: refuse, defineProperty: refuse, deleteProperty: refuse, setPrototypeOf: refuse }
  resolveConfig(new Proxy(options, handler))
  resolveConfig(Object.freeze(options))
  assert.deepEqual(options, before)
})

test('what comes out is frozen, and does not follow what is changed on the options', () => {
  const options: Record<string, unknown> = { key: 'a', path: '/a' }
  const config = resolveConfig(options)
  options.key = 'b'
  options.path = '/b'
  assert.equal(config.key, 'a')
  assert.equal(config.cookie.path, '/a')
  assert.equal(Object.isFrozen(config), true)
  assert.equal(Object.isFrozen(config.cookie), true)
})

test('what comes out gives the same again when it is resolved, as ctx.sessionOptions needs it', () => {
  for (const given of [
    {},
    { prefix: 'p', maxAge: 'session', store, rolling: true, secure: true, domain: 'a.b', x: 1 },
    { seal: { acceptSigned: true }, keys: [newSecret(), randomBytes(32)], chunks: true, renew: 5, secure: 'auto' },
    { encode: () => '', absoluteTimeout: 1 },
  ]) {
    const config = resolveConfig(given)
    const { cookie, codec, sealing, ...ours } = config
    assert.deepEqual(resolveConfig({ ...ours, ...cookie }), config)
  }
})

const idOf = (config: Config) => config.genid({} as never)

test('an id is a random UUID of version 4, after the prefix', () => {
  const config = resolveConfig({ prefix: 'app:' })
  assert.match(String(idOf(resolveConfig({}))), UUID)
  assert.match(String(idOf(resolveConfig({ genid: null, prefix: null }))), UUID)
  assert.equal(String(idOf(config)).startsWith('app:'), true)
  assert.match(String(idOf(config)).slice(4), UUID)
  assert.notEqual(idOf(config), idOf(config))
})

test('a prefix has no effect on ids of your own', () => {
  const genid = () => 'mine'
  assert.equal(idOf(resolveConfig({ genid, prefix: 'app:' })), 'mine')
})

test('a lifetime that is set while a request runs is checked like the option', () => {
  for (const value of [1, 0.5, 8e15, 'session']) assert.equal(checkMaxAge(value), value)
  for (const value of [0, -0, null, undefined]) assert.equal(checkMaxAge(value), ONE_DAY)
  for (const [row, value] of Object.entries(NOT_MILLISECONDS)) {
    const [shown] = row.split(' #')
    const message = `option maxAge was ${shown}, expected a positive number of milliseconds or 'session'`
    assert.throws(() => checkMaxAge(value), { code: 'ERR_SESSION_OPTION', message })
  }
})

test('what can be given as maxAge is a lifetime, the word session, or 0', () => {
  for (const value of [1, 0, 8e15, 'session']) assert.equal(isMaxAge(value), true, String(value))
  for (const value of Object.values(NOT_MILLISECONDS)) assert.equal(isMaxAge(value), false, String(value))
})

test('the error for an option shows no more of a value than its kind, unless it is a word or a number', () => {
  const secret = { toString: () => 'secret' }
  for (const [value, shown] of [
    [secret, 'an object'],
    [[secret], 'an array'],
    [() => secret, 'a function'],
    ['a"', '"a\\""'],
    [null, 'null'],
    [undefined, 'undefined'],
  ] as const) {
    assert.equal(optionError('x', value, 'y').message, `option x was ${shown}, expected y`)
  }
})

test('how the cookie is sealed is told by three options together', () => {
  const keys = [newSecret(), randomBytes(32)]
  for (const [given, sealing] of [
    [{}, undefined],
    [{ seal: false, chunks: false }, undefined],
    [{ seal: true }, { keys: undefined, acceptSigned: false, chunks: 1 }],
    [{ seal: {} }, { keys: undefined, acceptSigned: false, chunks: 1 }],
    [
      { seal: { acceptSigned: true }, keys },
      { keys, acceptSigned: true, chunks: 1 },
    ],
    [
      { seal: true, chunks: true },
      { keys: undefined, acceptSigned: false, chunks: 2 },
    ],
    [
      { seal: true, chunks: 3, keys },
      { keys, acceptSigned: false, chunks: 3 },
    ],
  ] as const) {
    assert.deepEqual(resolveConfig(given).sealing, sealing)
  }
  assert.equal(resolveConfig({ seal: true, signed: true }).cookie.signed, false)
})

test('secrets that will not do are ERR_SESSION_KEYS, which says which, and what kind of thing it is', () => {
  const secret = newSecret()
  const rows: ReadonlyArray<readonly [keys: unknown, message: RegExp]> = [
    [[], /^option keys is an empty list, expected a list of secrets such as \[secret\]: `npx koa-session keygen`/],
    [secret, /^option keys is a string, expected a list of secrets/],
    ['', /^option keys is an empty string, expected a list of secrets/],
    [
      [''],
      /^option keys\[0\] is an empty string, expected text or bytes\. An environment variable was probably not set/,
    ],
    [[secret, ' \n'], /^option keys\[1\] is a blank string, expected text or bytes\. An environment variable/],
    [[secret, undefined], /^option keys\[1\] is undefined, expected text or bytes\. An environment variable/],
    [[secret, 1], /^option keys\[1\] is a number, expected text or bytes: `npx koa-session keygen` makes a secret$/],
    [[Promise.resolve(secret)], /^option keys\[0\] is a promise, expected text or bytes/],
    [[[secret]], /^option keys\[0\] is a list, expected text or bytes/],
    [[new Uint8Array()], /^option keys\[0\] is an empty Buffer, expected text or bytes/],
    [[secret, randomBytes(31)], /^option keys\[1\] is shorter than 32 bytes, which sealing refuses/],
  ]
  for (const [keys, message] of rows) {
    assert.throws(() => resolveConfig({ seal: true, keys }), {
      name: 'SessionError',
      code: 'ERR_SESSION_KEYS',
      message,
    })
    assert.throws(
      () => resolveConfig({ seal: true, keys }),
      (error: Error) => !error.message.includes(secret),
    )
  }
})

test('what can not go together is refused, and the secrets are not shown', () => {
  const rows: ReadonlyArray<readonly [given: Record<string, unknown>, message: RegExp]> = [
    [{ keys: ['secret'] }, /^option keys was an array, expected nothing without the option seal$/],
    [{ seal: false, keys: ['secret'] }, /^option keys was an array, expected nothing without/],
    [{ chunks: true }, /^option chunks was true, expected nothing without the option seal$/],
    [{ seal: true, chunks: 1 }, /^option chunks was 1, expected true, false, 2 or 3$/],
    [{ seal: true, chunks: 4 }, /^option chunks was 4/],
    [{ keys: '' }, /^option keys was a string, expected nothing without the option seal$/],
    [{ seal: true, encode: () => '' }, /^option encode was a function, expected nothing, as seal asks for$/],
    [{ seal: true, decode: () => ({}) }, /^option decode was a function, expected nothing, as seal asks for$/],
    [{ seal: true, store, externalKey: { get() {}, set() {} } }, /^option externalKey was an object, expected nothing/],
  ]
  for (const [given, message] of rows) {
    assert.throws(() => resolveConfig(given), { code: 'ERR_SESSION_OPTION', message })
  }
})
