import { createHash, createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto'
import { types } from 'node:util'
import type { Context } from 'koa'

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
export interface Koas {
  /** A list of secrets, a Keygrip, or what takes the place of one. */
  readonly keys: unknown
  /** Whether the connection is encrypted. */
  readonly secure: unknown
}

/**
 * The source of Koa's getter `ctx.cookies`, and of `get` and `set` in the package `cookies` 0.9, hashed without what
 * formatting changes. Nothing else tells that nobody has replaced or wrapped them.
 */
const ORIGINALS = {
  cookies: 'lemXjUGNLjUR1oEMcY2rrh2c1Vhn3d6ViYUaKOS9KaE',
  get: 'nOS7mY8y9ORfVtWyU7NnKEVVPE2JkrI8tGdYlCMEhTE',
  set: '3-B6G5I3MOf6VG5kQgxP6iKDWJfXt9naEQDhOus0zwE',
}
type Name = keyof typeof ORIGINALS
const accepted: Partial<Record<Name, unknown>> = {}
const judged = new WeakMap<object, Name | 'other'>()

function isOriginal(name: Name, method: unknown): boolean {
  if (method === accepted[name]) return method !== undefined
  if (typeof method !== 'function') return false
  if (!judged.has(method)) judged.set(method, judge(method))
  if (judged.get(method) !== name) return false
  accepted[name] = method
  return true
}

function judge(method: object): Name | 'other' {
  const source = Function.prototype.toString.call(method).replace(/[\s;'"]/g, '')
  const hash = createHash('sha256').update(source).digest('base64url')
  return (Object.keys(ORIGINALS) as Name[]).find(name => ORIGINALS[name] === hash) ?? 'other'
}

/** Where Koa keeps the cookies of a context once they are made, and what they inherit. */
interface Origin {
  readonly slot: symbol
  readonly methods: Cookies
}

const origins = new WeakMap<object, Origin>()
const { __lookupGetter__: getterOf } = Object.prototype as unknown as {
  __lookupGetter__(this: object, name: string): ((this: object) => object) | undefined
}

function originOf(ctx: Context): Origin | undefined {
  const getter = getterOf.call(ctx, 'cookies')
  if (!getter || !isOriginal('cookies', getter)) return undefined
  const known = origins.get(getter)
  if (known) return known
  const probe = { app: {}, req: {}, res: {}, request: {} }
  const methods = Object.getPrototypeOf(getter.call(probe))
  const [slot] = Object.getOwnPropertySymbols(probe)
  if (!slot) return undefined
  origins.set(getter, { slot, methods })
  return { slot, methods }
}

/** What the cookies of `ctx` are made of, where they are Koa's own; `undefined` where they have to be asked. */
export function koasOf(ctx: Context): Koas | undefined {
  if (types.isProxy(ctx) || !ctx.req) return undefined
  const origin = originOf(ctx)
  if (!origin) return undefined
  const made = (ctx as Context & Record<symbol, (Cookies & Koas & Pick<Context, 'request' | 'response'>) | undefined>)[
    origin.slot
  ]
  const { get, set } = made ?? origin.methods
  if (!isOriginal('get', get) || !isOriginal('set', set)) return undefined
  if (!made) return { keys: ctx.app.keys, secure: ctx.request.secure }
  return made.request === ctx.req && made.response === ctx.res ? made : undefined
}

/**
 * What `get` of Koa's cookies gives for a cookie that begins with `start` (a name and `=`), where the newest secret
 * signed it or it is not signed (no `startOfSignature`); `null` where they have to be asked. It costs one HMAC,
 * whatever the number of secrets, and none for what is larger than `largest`.
 */
export function presentedIn(
  header: unknown,
  { keys }: Koas,
  start: string,
  startOfSignature: string | undefined,
  largest: number,
): string | null | undefined {
  if (!header) return undefined
  if (typeof header !== 'string') return null
  const pair = find(header, start)
  // Without the `=`, as browsers count.
  if (!pair || pair.length - 1 > largest) return undefined
  if (pair.length === start.length) return null
  const value = pair.slice(start.length)
  if (!startOfSignature) return value
  const signature = find(header, startOfSignature)?.slice(startOfSignature.length)
  if (!signature) return undefined
  const expected = sign(keys, pair)
  return expected !== undefined && isEqual(expected, signature) ? value : null
}

/** The first cookie that begins with `start`, with its name. */
function find(header: string, start: string): string | undefined {
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

/** The signature that Koa's cookies write; `undefined` where `keys` are neither a list of secrets nor a Keygrip. */
function sign(keys: unknown, text: string): string | undefined {
  if (!Array.isArray(keys)) return isKeygrip(keys) ? keys.sign(text) : undefined
  const secret: unknown = keys[0]
  return typeof secret === 'string' && secret !== ''
    ? createHmac('sha1', keyOf(secret)).update(text).digest('base64url')
    : undefined
}

function isKeygrip(keys: unknown): keys is { sign(text: string): string } {
  return Object(keys).constructor?.name === 'Keygrip'
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

/** The attributes as Koa's cookies write them, by the clock that they use. Throws what they throw. */
export function attributesOf(cookies: Cookies, key: string, options: object): Attributes {
  let line = ''
  const response = {
    getHeader: () => undefined,
    setHeader: (_name: string, [first = '']: string[]) => {
      line = first
    },
  }
  Object.create(cookies, { response: { value: response } }).set(key, 'v', options)
  const attributes = line.slice(key.length + 2)
  if (!('maxAge' in options)) return () => attributes
  const [before, after] = attributes.split(/(?<=; expires=)[^;]*/)
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
