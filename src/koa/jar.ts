import type { Context } from 'koa'
import { find } from '../codec/cookie-header.ts'
import { Memory } from '../codec/memory.ts'
import type { SigningSecret } from '../codec/signature.ts'
import { canVerify, createKeysCheck, presentedIn, sign } from '../codec/signed.ts'
import { LARGEST_COOKIE, tooLarge } from '../codec/size.ts'
import type { Config } from '../config.ts'
import { cookieLines, setCookieLines, without } from '../node/set-cookie.ts'
import type { Cookie, CookieKind, JarAccess, Lines } from '../request/jar.ts'
import type { MaxAge, Refused } from '../session/model.ts'
import { FORGED, UNDECODABLE } from '../session/payload.ts'
import { type Attributes, attributesOf, type Cookies, type KoaCookies, koaCookiesOf } from './cookies.ts'
import { explained, NO_KEYS, NOT_ENCRYPTED, warnOfInsecure } from './insecure.ts'

/**
 * The value in a cookie, and its signature beside it. All is as `ctx.cookies` would have it, which a framework may have
 * brought (as Egg does).
 */
export function koaCookie(own: Config, { isPlain, suffix = '', ...instead }: CookieKind): Cookie {
  const { signed, secure }: { signed?: unknown; secure?: unknown } = { ...own.cookie, ...instead }
  const start = `${own.key}${suffix}=`
  /** Nothing where it has none. */
  const startOfSignature = signed ? `${own.key}${suffix}.sig=` : ''
  const { overwrite } = own.cookie
  /** What Koa's cookies wrote: over HTTP and HTTPS, until the browser closes and until an instant. */
  const known: (Attributes | undefined)[] = []
  const checkKeys = createKeysCheck()
  const { read: reads, write: writes } = own.codec
  const isRemembered = signed && instead.signed === undefined && reads && writes && own.remember > 0
  const memory = isRemembered ? new Memory(own.remember) : undefined

  /** What is remembered of a list of secrets. Those of a Keygrip may change unseen. */
  const memoryFor = (keys: unknown) => (Array.isArray(keys) ? memory?.for(keys[0] as SigningSecret) : undefined)

  /** The options as they are for this response; Koa's cookies are known only for those of the middleware. */
  function koaCookiesFor(at: JarAccess): KoaCookies | undefined {
    if (at.settings.config !== own) return undefined
    at.jarState = koaCookiesOf(contextOf(at), at.jarState as KoaCookies | undefined)
    return at.jarState as KoaCookies | undefined
  }

  /** Remembers what was signed, and what it was made of in place of what it was read from. */
  function note({ settings }: JarAccess, keys: unknown, body: string, tag: string): void {
    memoryFor(keys)?.add({ body, tag, text: undefined }, settings.made, settings.remembered)
  }

  /** Lines as Koa's cookies would write them; `undefined`: they have to be asked. */
  function ownLines(at: JarAccess, value: string, maxAge: MaxAge): Lines | undefined {
    const koaCookies = isPlain || COOKIE_VALUE.test(value) ? koaCookiesFor(at) : undefined
    if (!koaCookies || typeof koaCookies.secure !== 'boolean' || (signed && !koaCookies.keys)) return undefined
    const kind = (koaCookies.secure ? 2 : 0) + (maxAge === 'session' ? 0 : 1)
    const attributes = known[kind] ?? attributesFor(contextOf(at), maxAge)
    known[kind] = attributes
    if (!attributes) return undefined
    const end = attributes(Number(maxAge))
    if (!signed) return [start + value + end]
    const signature = sign(koaCookies.keys, start + value)
    if (signature === undefined) return undefined
    note(at, koaCookies.keys, value, signature)
    return [start + value + end, startOfSignature + signature + end]
  }

  /** Of other cookies than Koa's, a list is what they sign with, too; what else they do with `app.keys` is theirs. */
  function checkSecrets(at: JarAccess): void {
    if (!(instead.signed ?? at.settings.config.cookie.signed)) return
    const { keys } = contextOf(at).app ?? {}
    if (Array.isArray(keys)) checkKeys(keys)
    else checkKeys(koaCookiesFor(at)?.keys)
  }

  function attributesFor(ctx: Context, maxAge: MaxAge): Attributes | undefined {
    return attributesOf(ctx.cookies as Cookies, own.key + suffix, withLifetime(own, maxAge))
  }

  /** A bad signature is deleted, with the attributes that it was sent with. */
  function dropSignature(at: JarAccess, header: string): void {
    const { res } = contextOf(at)
    const length = find(header, startOfSignature)?.length ?? 0
    if (length <= startOfSignature.length || !res || res.headersSent) return
    const attributes = { ...at.settings.config.cookie, signed: false, expires: new Date(0), maxAge: false }
    try {
      setCookie(contextOf(at), `${at.settings.config.key}${suffix}.sig`, '', attributes, [])
      // It may not be sent over this connection; a stranger who sends one is to cause no error.
    } catch {}
  }

  /** The cookie without a domain, which a change of the option leaves behind. */
  function clearTwin(at: JarAccess): Lines {
    const { key, cookie } = at.settings.config
    const attributes = { ...cookie, ...instead, domain: undefined, expires: new Date(0), maxAge: false }
    return setCookie(contextOf(at), key + suffix, '', attributes, [])
  }

  function hasTwin(at: JarAccess): boolean {
    const header = headerOf(at) ?? ''
    return header.indexOf(start) !== header.lastIndexOf(start) && find(header, start) !== undefined
  }

  const isOurs = (line: string) => line.startsWith(start) || (signed && line.startsWith(startOfSignature))

  function read(at: JarAccess, nth: number): string | Refused | undefined {
    const { key, cookie } = at.settings.config
    const koaCookies = koaCookiesFor(at)
    const header = headerOf(at)
    at.settings.remembered = undefined
    checkSecrets(at)
    const isAsked = koaCookies === undefined || (signed && !canVerify(koaCookies.keys))
    if (isAsked && nth > 0) return undefined
    const value = isAsked
      ? cookiesOf(contextOf(at)).get(key + suffix, { ...cookie, ...instead })
      : presentedIn(header, koaCookies.keys, start, startOfSignature, nth, at.settings, memoryFor(koaCookies.keys))
    // What is larger than we send was not sent by us; it is not worth the work.
    if (value) return key.length + value.length <= LARGEST_COOKIE ? value : UNDECODABLE
    if (nth > 0 || header === undefined || find(header, start) === undefined) return undefined
    if (signed && !isAsked) dropSignature(at, header)
    return signed ? FORGED : UNDECODABLE
  }

  function write(at: JarAccess, value: string, earlier: Lines): Lines {
    const { config, maxAge } = at.settings
    const { res } = contextOf(at)
    const name = config.key + suffix
    const size = name.length + value.length
    if (size > LARGEST_COOKIE) throw tooLarge(name, size)
    checkSecrets(at)
    if (config.cookie.domain !== undefined && hasTwin(at)) {
      const twin = clearTwin(at)
      const attributes = { ...withLifetime(config, maxAge), overwrite: false }
      return [...twin, ...setCookie(contextOf(at), name, value, attributes, earlier)]
    }
    const lines = ownLines(at, value, maxAge)
    if (!lines) return setCookie(contextOf(at), name, value, withLifetime(config, maxAge), earlier)
    const present = without(cookieLines(res), earlier)
    if (present.length === 0) setCookieLines(res, [...lines])
    else setCookieLines(res, [...(overwrite ? present.filter(line => !isOurs(line)) : present), ...lines])
    return lines
  }

  function clear(at: JarAccess, earlier: Lines): Lines {
    const { key, cookie } = at.settings.config
    const attributes = { ...cookie, ...instead, expires: new Date(0), maxAge: false }
    if (cookie.domain === undefined) return setCookie(contextOf(at), key + suffix, '', attributes, earlier)
    const twin = clearTwin(at)
    return [...twin, ...setCookie(contextOf(at), key + suffix, '', { ...attributes, overwrite: false }, earlier)]
  }

  return {
    get(at, nth) {
      try {
        return read(at, nth)
      } catch (cause) {
        throw explained(cause, at.settings.config)
      }
    },

    isPresent(at) {
      const begin = at.settings.config === own ? start : `${at.settings.config.key}${suffix}=`
      return find(headerOf(at) ?? '', begin) !== undefined
    },

    set(at, value, earlier) {
      try {
        const lines = write(at, value, earlier)
        warnOfInsecure(contextOf(at), at.settings.config, lines)
        return lines
      } catch (cause) {
        throw explained(cause, at.settings.config)
      }
    },

    clear(at, earlier) {
      try {
        return clear(at, earlier)
      } catch (cause) {
        throw explained(cause, at.settings.config)
      }
    },

    check(at, value) {
      const koaCookies = koaCookiesFor(at)
      if (!koaCookies) return
      const size = own.key.length + suffix.length + value.length
      if (size > LARGEST_COOKIE) throw tooLarge(own.key + suffix, size)
      if (!isPlain && !COOKIE_VALUE.test(value)) throw new TypeError('argument value is invalid')
      if (secure === true && koaCookies.secure === false) throw explained(new Error(NOT_ENCRYPTED), own)
      if (signed && !koaCookies.keys) throw explained(new Error(NO_KEYS), own)
      checkSecrets(at)
    },
  }
}

function contextOf({ ctx }: JarAccess): Context {
  return ctx as Context
}

/** Adapters of serverless platforms may give a list. */
function headerOf(at: JarAccess): string | undefined {
  const header: unknown = contextOf(at).req?.headers?.cookie
  return Array.isArray(header) ? header.join('; ') || undefined : (header as string | undefined)
}

/** What a cookie's value consists of as far as Koa's cookies check it. */
const COOKIE_VALUE = /^[\t\u0020-\u003a\u003c-\u007e\u0080-\u00ff]+$/

function withLifetime({ cookie }: Config, maxAge: MaxAge): Record<string, unknown> {
  return Object.assign({}, cookie, maxAge === 'session' ? undefined : { maxAge })
}

function setCookie(
  ctx: Context,
  key: string,
  value: string,
  attributes: Readonly<Record<string, unknown>>,
  earlier: readonly string[],
): readonly string[] {
  const before = cookieLines(ctx.res)
  // A list of its own: ctx.cookies adds to the one on the response, which the handler may share between requests.
  const others = without(before, earlier)
  if (before.length > 0) setCookieLines(ctx.res, [...others])
  try {
    cookiesOf(ctx).set(key, value, attributes)
    const present = cookieLines(ctx.res).filter(line => line.startsWith(`${key}=`) || line.startsWith(`${key}.sig=`))
    const lines = attributes.overwrite === false ? without(present, others) : present
    // A framework may encrypt the value.
    const size = Math.max(...lines.map(sizeOf), 0)
    if (size > LARGEST_COOKIE) throw tooLarge(key, size)
    return lines
  } catch (error) {
    setCookieLines(ctx.res, before)
    throw error
  }
}

/** A header is sent in Latin-1, a character a byte; the `=` does not count. */
function sizeOf(line: string): number {
  const end = line.indexOf(';')
  return (end < 0 ? line.length : end) - 1
}

const INERT_RESPONSE = { getHeader: () => undefined, setHeader: () => {} }

/** Koa's write when they read (a signature is renewed or cleared), which they can't once the headers left. */
function cookiesOf(ctx: Context): Cookies {
  const cookies = ctx.cookies as Cookies
  const isInert = ctx.res?.headersSent !== false && 'response' in cookies
  return isInert ? Object.create(cookies, { response: { value: INERT_RESPONSE } }) : cookies
}
