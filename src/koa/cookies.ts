import { types } from 'node:util'
import type { Context } from 'koa'
import { isOriginal } from '../codec/originals.ts'
import { sign } from '../codec/signed.ts'

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
  // To ask of a proxy is a call into native code; what was none stays none.
  if (!ctx.req || (!first && types.isProxy(ctx))) return undefined
  const origin = originOf(ctx)
  if (!origin?.slot) return undefined
  const made = (ctx as Context & Record<symbol, (Cookies & Made) | undefined>)[origin.slot]
  const { get, set } = made ?? origin.methods
  if (!isOriginal('get', get) || !isOriginal('set', set)) return undefined
  if (!made) return first ?? { keys: ctx.app.keys, secure: ctx.request.secure }
  return made.request === ctx.req && made.response === ctx.res ? made : undefined
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
