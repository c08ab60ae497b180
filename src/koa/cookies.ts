import { createHash, createHmac, createSecretKey, KeyObject, timingSafeEqual } from 'node:crypto'
import { types } from 'node:util'
import type { Context } from 'koa'
import { SessionError } from '../errors.ts'

/**
 * What `ctx.cookies` does, in fewer steps: they need not even be made. It is done so only where they would be Koa's own
 * and what they would do is known to the byte; they do all else, and write the attributes that are used here.
 */

/** What is used of `ctx.cookies`, whoever brought them. */
export interface Cookies {
  get(name: string, options: object): string | null | undefined
  set(name: string, value: string, options: object): unknown
}

/** What Koa's cookies are made of. */
export interface KoaCookies {
  /** A list of secrets, a Keygrip, or what takes the place of one. */
  readonly keys: unknown
  /** Whether the connection is encrypted. */
  readonly secure: unknown
}

/**
 * The source of Koa's getter `ctx.cookies`, of `get` and `set` in the package `cookies` 0.9, and of `sign` and `index` of
 * a Keygrip, hashed without what formatting changes. Nothing else tells that nobody has replaced or wrapped them.
 */
const ORIGINALS = {
  cookies: 'lemXjUGNLjUR1oEMcY2rrh2c1Vhn3d6ViYUaKOS9KaE',
  get: 'nOS7mY8y9ORfVtWyU7NnKEVVPE2JkrI8tGdYlCMEhTE',
  set: '3-B6G5I3MOf6VG5kQgxP6iKDWJfXt9naEQDhOus0zwE',
  sign: 'e-4H8X1ac9SXGwe0V-0BsFJ1MMjdPVcltrbQw_LaAGc',
  index: 'NxEoPShSztIwZIRYt9U3uQdSgGHn9P90d1fhy1f-bSU',
}
type Name = keyof typeof ORIGINALS
const accepted: Partial<Record<Name, unknown>> = {}
const names = new Map<string, Name | undefined>()

function isOriginal(name: Name, method: unknown): boolean {
  if (method === accepted[name]) return method !== undefined
  if (typeof method !== 'function') return false
  const source = Function.prototype.toString.call(method)
  if (!names.has(source)) names.set(source, nameOf(source))
  if (names.get(source) !== name) return false
  accepted[name] = method
  return true
}

function nameOf(source: string): Name | undefined {
  const hash = createHash('sha256')
    .update(source.replace(/[\s;'"]/g, ''))
    .digest('base64url')
  return (Object.keys(ORIGINALS) as Name[]).find(name => ORIGINALS[name] === hash)
}

/** Where Koa keeps the cookies of a context once they are made, and what they inherit. */
interface Origin {
  readonly slot: symbol | undefined
  readonly methods: Cookies
}

const origins = new WeakMap<object, Origin | undefined>()
const { __lookupGetter__: getterOf } = Object.prototype as unknown as {
  __lookupGetter__(this: object, name: string): ((this: object) => Cookies & Made) | undefined
}

function originOf(ctx: Context): Origin | undefined {
  const getter = getterOf.call(ctx, 'cookies')
  if (!getter || !isOriginal('cookies', getter)) return undefined
  if (!origins.has(getter)) origins.set(getter, originBehind(getter))
  return origins.get(getter)
}

/** What is behind Koa's getter, if that makes of a list of secrets what we do: each package may have been replaced. */
function originBehind(getter: (this: object) => Cookies & Made): Origin | undefined {
  const keys = ['secret']
  const probe = { app: { keys }, req: { headers: {} }, res: {}, request: {} }
  try {
    const made = getter.call(probe)
    const [slot] = Object.getOwnPropertySymbols(probe)
    return sign(made.keys, 'text') === sign(keys, 'text') ? { slot, methods: Object.getPrototypeOf(made) } : undefined
  } catch {
    return undefined
  }
}

interface Made extends KoaCookies {
  readonly request: unknown
  readonly response: unknown
}

/**
 * What the cookies of `ctx` are made of, where they are Koa's own; `undefined` where they have to be asked. `first` is
 * what this said of the same context before: Koa makes them once.
 */
export function koaCookiesOf(ctx: Context, first?: KoaCookies): KoaCookies | undefined {
  if (types.isProxy(ctx) || !ctx.req) return undefined
  const origin = originOf(ctx)
  if (!origin?.slot) return undefined
  const made = (ctx as Context & Record<symbol, (Cookies & Made) | undefined>)[origin.slot]
  const { get, set } = made ?? origin.methods
  if (!isOriginal('get', get) || !isOriginal('set', set)) return undefined
  if (!made) return first ?? { keys: ctx.app.keys, secure: ctx.request.secure }
  return made.request === ctx.req && made.response === ctx.res ? made : undefined
}

/** A cookie that is as it was sent; `isStale`: an older secret signed it. */
export interface Verified {
  readonly value: string
  readonly isStale: boolean
}

/** How many values of one name, and signatures, are looked at (a browser sends several where domain or path changed). */
const MOST = 4

/**
 * The `nth` value in `header` of the cookie that begins with `start` (a name and `=`) which is signed by one of the
 * secrets, or any where it is not signed (an empty `startOfSignature`). `null`: Koa's cookies have to be asked. It costs
 * one HMAC where the newest secret signed it, and none for what is larger than `largest`.
 */
export function presentedIn(
  header: string | undefined,
  { keys }: KoaCookies,
  start: string,
  startOfSignature: string,
  { nth, largest }: { readonly nth: number; readonly largest: number },
): Verified | null | undefined {
  if (!header) return undefined
  const first = find(header, start)
  if (first === undefined) return undefined
  if (startOfSignature && !Array.isArray(keys) && !isKeygrip(keys)) return null
  let left = nth
  for (const pair of pairsNamed(header, start, first)) {
    // Without the `=`, as browsers count.
    if (pair.length === start.length || pair.length - 1 > largest) continue
    const position = startOfSignature ? signerOf(pair, header, startOfSignature, keys) : 0
    if (position >= 0 && left-- === 0) return { value: pair.slice(start.length), isStale: position > 0 }
  }
  return undefined
}

/** Which of the secrets signed `pair`, or -1. */
function signerOf(pair: string, header: string, startOfSignature: string, keys: unknown): number {
  const first = find(header, startOfSignature)
  if (first === undefined) return -1
  const signatures = pairsNamed(header, startOfSignature, first).map(one => one.slice(startOfSignature.length))
  if (!Array.isArray(keys)) {
    const positions = signatures.map(one => (keys as Keygrip).index(pair, one)).filter(position => position >= 0)
    return positions.length > 0 ? Math.min(...positions) : -1
  }
  return keys.findIndex((secret: Secret) => {
    const expected = signBy(secret, pair)
    return signatures.some(one => isEqual(expected, one))
  })
}

/** The cookies in `header` that begin with `start`, the `first` of which is known. */
function pairsNamed(header: string, start: string, first: string): readonly string[] {
  // Nearly always there is one.
  if (header.indexOf(start) === header.lastIndexOf(start)) return [first]
  return header
    .split(';')
    .map(pair => find(pair, start))
    .filter(pair => pair !== undefined)
    .slice(0, MOST)
}

/** The first cookie in `header` that begins with `start`, a name and `=`; with its name. */
export function find(header: string, start: string): string | undefined {
  for (let at = header.indexOf(start); at >= 0; at = header.indexOf(start, at + 1)) {
    let before = at - 1
    while (header[before] === ' ') before--
    if (before >= 0 && header[before] !== ';') continue
    const end = header.indexOf(';', at)
    const pair = header.slice(at, end < 0 ? header.length : end)
    return pair[start.length] === '"' ? start + pair.slice(start.length + 1, -1) : pair
  }
  return undefined
}

let ours = Buffer.alloc(0)
let theirs = Buffer.alloc(0)

/** Whether they are equal, in a time that says nothing about them but their lengths. */
function isEqual(text: string, other: string): boolean {
  const { length } = text
  if (other.length !== length) return false
  if (ours.length !== length) [ours, theirs] = [Buffer.alloc(length), Buffer.alloc(length)]
  return ours.write(text) === length && theirs.write(other) === length && timingSafeEqual(ours, theirs)
}

interface Keygrip {
  sign(text: string): string
  index(text: string, signature: string): number
}

/** The signature that Koa's cookies write; `undefined` where `keys` are neither a list of secrets nor a Keygrip. */
function sign(keys: unknown, text: string): string | undefined {
  if (Array.isArray(keys)) return isSecret(keys[0]) ? signBy(keys[0], text) : undefined
  return isKeygrip(keys) ? keys.sign(text) : undefined
}

function signBy(secret: Secret, text: string): string {
  const key = typeof secret === 'string' ? keyOf(secret) : secret
  return createHmac('sha1', key).update(text).digest('base64url')
}

/** Whether to sign with `keys` says what their `index` does. */
function isKeygrip(keys: unknown): keys is Keygrip {
  const { sign, index } = Object(keys)
  return isOriginal('sign', sign) && isOriginal('index', index)
}

type Secret = string | Uint8Array | KeyObject

function isSecret(value: unknown): value is Secret {
  return (value instanceof Uint8Array || typeof value === 'string') && value.length > 0
    ? true
    : value instanceof KeyObject
}

/**
 * Throws `ERR_SESSION_KEYS` where one of the secrets in a list is none: anybody can sign with an empty one. The message
 * has no secret.
 */
export function checkKeys(keys: unknown): void {
  if (!Array.isArray(keys)) return
  for (let at = 0; at < keys.length; at++) {
    if (isSecret(keys[at])) continue
    const advice =
      'an environment variable was probably not set; give a list of secrets, as `npx koa-session keygen` makes them'
    throw new SessionError('ERR_SESSION_KEYS', `app.keys[${at}] is ${shown(keys[at])}: ${advice}`)
  }
}

/** What is not a secret: its kind alone. */
function shown(value: unknown): string {
  if (value === '') return 'an empty string'
  if (value instanceof Uint8Array) return 'no bytes'
  return value === undefined || value === null ? String(value) : `of type ${typeof value}`
}

/** Secrets as node:crypto has them. Applications have a few; one that makes them as it goes does not fill the memory. */
const secrets = new Map<string, KeyObject>()

function keyOf(secret: string): KeyObject {
  const known = secrets.get(secret)
  if (known) return known
  if (secrets.size >= 100) secrets.clear()
  const made = createSecretKey(secret, 'utf8')
  secrets.set(secret, made)
  return made
}

/** The attributes of a line of Set-Cookie, for a cookie that lives so many milliseconds from now. */
export type Attributes = (maxAge: number) => string

/**
 * The attributes as Koa's cookies write them, by the clock that they use; `undefined` where they have to be asked each
 * time. Throws what they throw.
 */
export function attributesOf(cookies: Cookies, key: string, options: object): Attributes | undefined {
  let line = ''
  const response = {
    getHeader: () => undefined,
    setHeader: (_name: string, [first = '']: string[]) => {
      line = first
    },
  }
  Object.create(cookies, { response: { value: response } }).set(key, 'v', options)
  const attributes = line.slice(key.length + 2)
  const [before, after] = 'maxAge' in options ? attributes.split(/(?<=; expires=)[^;]*/) : [attributes, '']
  if (!line.startsWith(`${key}=v`) || after === undefined) return undefined
  if (!('maxAge' in options)) return () => attributes
  let second = Number.NaN
  let text = ''
  // A date has no fractions of a second.
  return maxAge => {
    const instant = Date.now() + maxAge
    if (Math.floor(instant / 1000) !== second) {
      second = Math.floor(instant / 1000)
      text = `${before}${new Date(instant).toUTCString()}${after}`
    }
    return text
  }
}

/**
 * The lines of Set-Cookie for `pair`, a name and its value, and for its signature where there are `keys`; `undefined`
 * where Koa's cookies have to be asked.
 */
export function linesFor(
  pair: string,
  startOfSignature: string,
  keys: unknown,
  attributes: string,
): readonly string[] | undefined {
  if (!keys) return [pair + attributes]
  const signature = sign(keys, pair)
  return signature === undefined ? undefined : [pair + attributes, startOfSignature + signature + attributes]
}
