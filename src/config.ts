import { isAsyncFunction } from './async.ts'
import { decode, encode } from './codec/json.ts'
import { uuid } from './codec/random.ts'
import { optionError } from './errors.ts'
import type { StandardSchema } from './options.ts'
import { codecOf, type Given, isSealing, PLAIN, type Sealing, sealingOf, type TextCodec } from './sealing.ts'
import { secureAttributes } from './secure.ts'
import { instantOf, isLifetime } from './session/lifetime.ts'
import type { MaxAge } from './session/model.ts'
import type { Store } from './stores/store.ts'

const ONE_DAY = 24 * 60 * 60 * 1000

/** The options with every default and every check applied. Frozen. */
export interface Config {
  readonly key: string
  readonly property: string
  readonly maxAge: MaxAge
  readonly ttl: number
  readonly autoCommit: boolean
  readonly rolling: boolean
  /** Extend the lifetime when less than this is left (ms); `true`: half of it. */
  readonly renew: boolean | number
  readonly absoluteTimeout: number | undefined
  /** How the cookie is sealed, by the options `seal`, `keys` and `chunks`; `undefined`: it is not. */
  readonly sealing: Sealing | undefined
  readonly cacheHeaders: boolean
  /** How many cookies that were verified are remembered. */
  readonly remember: number
  readonly encode: (payload: Record<string, unknown>) => unknown
  readonly decode: (text: string) => unknown
  /** The text of a payload as the cookie has it, and back, where nobody brought an `encode` or a `decode`. */
  readonly codec: TextCodec
  readonly notBefore: number | Date | ((ctx: unknown, payload: Record<string, unknown>) => unknown) | undefined
  readonly valid: ((ctx: unknown, payload: Record<string, unknown>) => unknown) | undefined
  readonly beforeSave: ((ctx: unknown, session: unknown) => unknown) | undefined
  readonly schema: StandardSchema | undefined
  /** Which version of the application it is that reads and saves the data; `undefined`: it is 0, and not saved. */
  readonly version: number | undefined
  readonly upgrade: ((data: Record<string, unknown>, from: number) => unknown) | undefined
  readonly skip: ((ctx: unknown) => unknown) | undefined
  /** Whether nothing is loaded before somebody asks for it. */
  readonly lazy: boolean
  readonly store: Store | undefined
  readonly ContextStore: (new (ctx: unknown) => Store) | undefined
  readonly subject: ((session: unknown) => unknown) | undefined
  readonly maxSessions: { readonly count: number; readonly beyond?: 'end-oldest' | 'refuse' } | undefined
  readonly onReuse: 'end' | undefined
  readonly onStoreError: 'throw' | 'anonymous'
  /** How long (ms) a request waits for the store. */
  readonly storeTimeout: number
  readonly externalKey:
    | { get(ctx: unknown): unknown; set(ctx: unknown, id: string): unknown; clear?(ctx: unknown): unknown }
    | undefined
  readonly genid: (ctx: unknown) => unknown
  readonly now: () => number
  /** What `ctx.cookies` is given, but for `maxAge`: the cookie's attributes and every option that is not ours. */
  readonly cookie: Readonly<Record<string, unknown>>
}

type WithoutDefault = { [Name in keyof Config]: undefined extends Config[Name] ? Name : never }[keyof Config]

/** What Node's timers take. */
const LONGEST_TIMER = 2 ** 31 - 1

type Rule = readonly [isGood: (value: unknown) => boolean, expected: string]

const isFunction = (value: unknown): value is (...parameters: never[]) => unknown => typeof value === 'function'
const has = (value: unknown, methods: readonly string[]) =>
  Object(value) === value && methods.every(method => isFunction(Reflect.get(Object(value), method)))
const isOneOf = (value: unknown, words: readonly string[]) =>
  typeof value === 'string' && words.includes(value.toLowerCase())

const STORE_METHODS = ['get', 'set', 'destroy']
/** Those have methods of these names, too: of a client of Redis, and of a store for express-session. */
const isOther = (value: unknown) => has(value, ['hGetAll']) || has(value, ['createSession'])
const FLAG: Rule = [value => typeof value === 'boolean', 'true or false']
const FUNCTION: Rule = [isFunction, 'a function']
const SYNC: Rule = [value => isFunction(value) && !isAsyncFunction(value), 'a function that is not async']

/** RFC 6265bis, 4.1.1, as far as a wrong character would break the header; `koa:sess` stays allowed. */
const COOKIE_NAME = /^[\u0021-\u003a\u003c\u003e-\u007e]+$/
const DOMAIN = /^\.?[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/i
const PATH = /^\/[\u0020-\u003a\u003c-\u007e]*$/

const OURS: Readonly<Record<string, Rule>> = {
  key: [value => typeof value === 'string' && COOKIE_NAME.test(value), 'a cookie name: visible ASCII without ; ='],
  property: [value => typeof value === 'string' && value !== '', 'the name of a property of ctx'],
  maxAge: [value => isMaxAge(value), "a positive number of milliseconds or 'session'"],
  ttl: [isLifetime, 'a positive number of milliseconds'],
  autoCommit: FLAG,
  rolling: FLAG,
  renew: [value => typeof value === 'boolean' || isLifetime(value), 'true, false or a positive number of milliseconds'],
  absoluteTimeout: [isLifetime, 'a positive number of milliseconds'],
  seal: [value => typeof value === 'boolean' || isSealing(value), 'true, false or { acceptSigned: true }'],
  // `sealingOf` checks them.
  keys: [() => true, ''],
  chunks: [value => typeof value === 'boolean' || value === 2 || value === 3, 'true, false, 2 or 3'],
  cacheHeaders: FLAG,
  remember: [value => Number.isSafeInteger(value) && Number(value) >= 0, 'a whole number of cookies, 0 or more'],
  encode: FUNCTION,
  decode: FUNCTION,
  notBefore: [
    value => isFunction(value) || instantOf(value) !== undefined,
    'a Date, milliseconds since the epoch, or a function that gives one of them',
  ],
  valid: FUNCTION,
  beforeSave: FUNCTION,
  schema: [isSchema, 'a validator that implements Standard Schema version 1'],
  version: [value => Number.isSafeInteger(value) && Number(value) > 0, 'a whole number, 1 or more'],
  upgrade: SYNC,
  skip: FUNCTION,
  lazy: FLAG,
  store: [
    value => has(value, STORE_METHODS) && !isOther(value),
    'a store, with the methods get, set and destroy: give a client of Redis to redisStore(), and a store for express-session to connectStore()',
  ],
  ContextStore: [
    value => isFunction(value) && has(Reflect.get(value, 'prototype'), STORE_METHODS),
    'a class whose instances have the methods get, set and destroy',
  ],
  subject: SYNC,
  onReuse: [value => value === 'end', "'end', or leave it out"],
  maxSessions: [isCap, "{ count, beyond }: a positive integer, and 'end-oldest' or 'refuse'"],
  onStoreError: [value => value === 'throw' || value === 'anonymous', "'throw' or 'anonymous'"],
  storeTimeout: [
    value => isLifetime(value) && value <= LONGEST_TIMER,
    `a positive number of milliseconds, ${LONGEST_TIMER} at most`,
  ],
  externalKey: [isExternalKey, 'an object with the methods get and set, and clear where it has one'],
  genid: FUNCTION,
  prefix: [value => typeof value === 'string', 'a string'],
  now: [value => isFunction(value) && Number.isFinite(value()), 'a function that gives milliseconds since the epoch'],
}

const ATTRIBUTES: Readonly<Record<string, Rule>> = {
  httpOnly: FLAG,
  signed: FLAG,
  overwrite: FLAG,
  secure: [value => typeof value === 'boolean' || value === 'auto', "true, false or 'auto'"],
  partitioned: FLAG,
  sameSite: [
    value => typeof value === 'boolean' || isOneOf(value, ['strict', 'lax', 'none']),
    "'strict', 'lax', 'none' or a boolean",
  ],
  priority: [value => isOneOf(value, ['low', 'medium', 'high']), "'low', 'medium' or 'high'"],
  domain: [value => typeof value === 'string' && DOMAIN.test(value), 'a host name'],
  path: [value => typeof value === 'string' && PATH.test(value), "a path that begins with '/' and holds no ;"],
}

/** They would take the place of the cookie's own name and value, which `ctx.cookies` knows under these names. */
const REFUSED: Readonly<Record<string, Rule>> = {
  name: [() => false, 'nothing: the name of the cookie is the option key'],
  value: [() => false, 'nothing: the value of the cookie is the session'],
}

const RULES = { ...OURS, ...ATTRIBUTES, ...REFUSED }

/** The options that this package knows. The others go along with the cookie. */
export const KNOWN: readonly string[] = Object.keys({ ...OURS, ...ATTRIBUTES })

/** Resolves what the user gave. Throws `ERR_SESSION_OPTION` or `ERR_SESSION_KEYS`, and never writes to `options`. */
export function resolveConfig(options: Given): Config {
  const given = unaliased(options)
  for (const [option, [isGood, expected]] of Object.entries(RULES)) {
    const value = given[option]
    if (value !== undefined && !isGood(value)) throw optionError(option, value, expected)
  }
  const { prefix = '' } = given
  const sealing = sealingOf(given)
  return Object.freeze({
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
    genid: prefix === '' ? uuid : () => `${prefix}${uuid()}`,
    now: Date.now,
    // Checked above, name by name: the one place where what the user gave gets its types.
    ...(pick(given, name => Object.hasOwn(OURS, name)) as unknown as Pick<Config, WithoutDefault>),
    sealing,
    codec: sealing ? PLAIN : codecOf(given),
    cookie: cookieOptions(given, sealing !== undefined),
  })
}

/** Whether `value` can be given as `maxAge`. 0 is as good as nothing, as in 7.x. */
export function isMaxAge(value: unknown): value is MaxAge | 0 {
  return value === 'session' || value === 0 || isLifetime(value)
}

/** The lifetime that `value` stands for, or `ERR_SESSION_OPTION`. For what is set while a request runs. */
export function checkMaxAge(value: unknown): MaxAge {
  if (!isMaxAge(value ?? 0)) throw optionError('maxAge', value, OURS.maxAge?.[1] ?? '')
  return (value as MaxAge) || ONE_DAY
}

/** `null` and `undefined` mean "not set", and so does a `maxAge` of 0; `maxage` is the spelling of 1.x. */
function unaliased(options: Given): Given {
  // Those of a class's instance may be inherited. What every object inherits is no option: others may have put it there.
  const names = [...KNOWN, 'maxage'].filter(name => name in options && !(name in Object.prototype))
  const inherited = Object.fromEntries(names.map(name => [name, options[name]]))
  const { maxage, ...given }: Record<string, unknown> = { ...inherited, ...options }
  given.maxAge ??= maxage
  const isSet = (name: string) => !MAY_BE_EMPTY.has(name) || given[name] !== (name === 'maxAge' ? 0 : '')
  return pick(given, name => given[name] !== undefined && given[name] !== null && isSet(name))
}

/** An empty text, as of an environment variable that is not set, means "not set" here; of `maxAge` 0 does. */
const MAY_BE_EMPTY = new Set(['key', 'property', 'domain', 'path', 'sameSite', 'priority', 'prefix', 'maxAge'])

function cookieOptions(given: Given, isSealed: boolean): Config['cookie'] {
  const { secure, ...others } = pick(given, name => !Object.hasOwn(OURS, name))
  const attributes = { httpOnly: true, overwrite: true, signed: true, ...others }
  return Object.freeze({
    ...attributes,
    ...(typeof secure === 'boolean' && { secure }),
    ...(isSealed && { signed: false }),
    ...secureAttributes(given),
  })
}

const pick = (given: Given, isWanted: (name: string) => boolean): Given =>
  Object.fromEntries(Object.entries(given).filter(([name]) => isWanted(name)))

function isCap(value: unknown): boolean {
  const { count, beyond = 'end-oldest', ...others } = Object(value)
  const isKnown = ['end-oldest', 'refuse'].includes(beyond) && Object.keys(others).length === 0
  return isKnown && Number.isSafeInteger(count) && count > 0
}

function isExternalKey(value: unknown): boolean {
  const { clear } = Object(value)
  return has(value, ['get', 'set']) && (clear === undefined || clear === null || isFunction(clear))
}

function isSchema(value: unknown): boolean {
  return has(Object(value)['~standard'], ['validate']) && Object(value)['~standard'].version === 1
}
