import type { Context } from 'koa'
import { isSecret } from '../codec/keyring.ts'
import { weaknessOf } from '../codec/weakness.ts'
import type { Config } from '../config.ts'
import { SessionError } from '../errors.ts'
import type { ExternalKey } from '../options.ts'
import type { MaxAge, Refused } from '../session/model.ts'
import { FORGED, UNDECODABLE } from '../session/payload.ts'
import { warnOnce } from '../warnings.ts'
import { refusePromise } from './await.ts'
import {
  type Attributes,
  attributesOf,
  type Cookies,
  find,
  type KoaCookies,
  koaCookiesOf,
  linesFor,
  presentedIn,
} from './cookies.ts'
import { cookieLines, setCookieLines, without } from './headers.ts'
import type { Settings } from './settings.ts'

/** Moves one value between client and server. */
export interface Carrier {
  /** Whether responses depend on the request's `Cookie` header. */
  readonly usesCookies: boolean
  /** The value that the request brings, or why what it brings is none. */
  read(ctx: Context, settings: Settings): string | Refused | undefined
  /** Sends `value` along, in place of what `earlier` lines of Set-Cookie sent; gives the lines that do so. */
  write(ctx: Context, settings: Settings, value: string, earlier: readonly string[]): readonly string[]
  /** Takes the value back from the client; gives the lines of Set-Cookie that do so. */
  clear(ctx: Context, settings: Settings, earlier: readonly string[]): readonly string[]
}

/** Name and value together, in bytes: RFC 6265bis, 5.6. A browser drops a larger cookie without a word. */
export const LARGEST_COOKIE = 4096

export interface CookieKind {
  /** Whether no value needs to be checked for what a cookie can't hold. */
  readonly isPlain: boolean
  /** What follows the option `key` in the cookie's name. */
  readonly suffix?: string
  /** In place of the option. */
  readonly signed?: unknown
}

/**
 * The value in a cookie, and its signature beside it. All is as `ctx.cookies` would have it, which a framework may have
 * brought (as Egg does).
 */
export function cookieCarrier(own: Config, { isPlain, suffix = '', ...instead }: CookieKind): Carrier {
  const { signed } = { ...own.cookie, ...instead }
  const start = `${own.key}${suffix}=`
  const startOfSignature = `${own.key}${suffix}.sig=`
  const { overwrite } = own.cookie
  /** What Koa's cookies wrote: over HTTP and HTTPS, until the browser closes and until an instant. */
  const known: (Attributes | undefined)[] = []
  let isWarned = false

  function koaCookiesFor(ctx: Context, settings: Settings): KoaCookies | undefined {
    if (settings.config !== own) return undefined
    settings.koaCookies = koaCookiesOf(ctx, settings.koaCookies)
    return settings.koaCookies
  }

  /** Lines as Koa's cookies would write them; `undefined`: they have to be asked. */
  function ownLines(ctx: Context, settings: Settings, value: string, maxAge: MaxAge): readonly string[] | undefined {
    const koaCookies = isPlain || COOKIE_VALUE.test(value) ? koaCookiesFor(ctx, settings) : undefined
    if (!koaCookies || typeof koaCookies.secure !== 'boolean' || (signed && !koaCookies.keys)) return undefined
    const kind = (koaCookies.secure ? 2 : 0) + (maxAge === 'session' ? 0 : 1)
    const attributes = known[kind] ?? attributesOf(ctx.cookies as Cookies, own.key + suffix, withLifetime(own, maxAge))
    known[kind] = attributes
    return (
      attributes && linesFor(start + value, startOfSignature, signed && koaCookies.keys, attributes(Number(maxAge)))
    )
  }

  function read(ctx: Context, settings: Settings): string | Refused | undefined {
    const { key, cookie } = settings.config
    const koaCookies = koaCookiesFor(ctx, settings)
    const header = ctx.req?.headers?.cookie
    const found = koaCookies
      ? presentedIn(header, koaCookies, start, signed ? startOfSignature : '', LARGEST_COOKIE)
      : null
    const value = found === null ? cookiesOf(ctx).get(key + suffix, { ...cookie, ...instead }) : found
    // What is larger than we send was not sent by us; it is not worth the work.
    if (value) return key.length + value.length <= LARGEST_COOKIE ? value : UNDECODABLE
    const isThere = header !== undefined && find(header, start) !== undefined
    return isThere ? (signed ? FORGED : UNDECODABLE) : undefined
  }

  function write(ctx: Context, settings: Settings, value: string, earlier: readonly string[]): readonly string[] {
    const { config, maxAge } = settings
    const name = config.key + suffix
    const size = name.length + value.length
    if (size > LARGEST_COOKIE) throw tooLarge(name, size)
    if (signed && !isWarned) warnOfWeak(ctx.app.keys)
    isWarned = true
    const lines = ownLines(ctx, settings, value, maxAge)
    if (!lines) return setCookie(ctx, name, value, withLifetime(config, maxAge), earlier)
    const present = without(cookieLines(ctx.res), earlier)
    if (present.length === 0) setCookieLines(ctx.res, [...lines])
    else setCookieLines(ctx.res, [...(overwrite ? present.filter(line => !isOurs(line)) : present), ...lines])
    return lines
  }

  const isOurs = (line: string) => line.startsWith(start) || (signed && line.startsWith(startOfSignature))

  return {
    usesCookies: true,

    read(ctx, settings) {
      try {
        return read(ctx, settings)
      } catch (cause) {
        throw explained(cause)
      }
    },

    write(ctx, settings, value, earlier) {
      try {
        return write(ctx, settings, value, earlier)
      } catch (cause) {
        throw explained(cause)
      }
    },

    clear(ctx, { config: { key, cookie } }, earlier) {
      try {
        return setCookie(ctx, key + suffix, '', { ...cookie, ...instead, expires: new Date(0), maxAge: false }, earlier)
      } catch (cause) {
        throw explained(cause)
      }
    },
  }
}

/** Says that a secret can be guessed. Only once: it is the same secret for every request. */
function warnOfWeak(keys: unknown): void {
  const weaknesses = Array.isArray(keys) ? keys.filter(isSecret).map(weaknessOf) : []
  if (weaknesses.some(Boolean)) {
    warnOnce(
      'KOA_SESSION_WEAK_SECRET',
      'a secret in app.keys can be guessed; make a good one by `npx koa-session keygen`',
    )
  }
}

/** What a cookie's value consists of as far as Koa's cookies check it. */
const COOKIE_VALUE = /^[\t\u0020-\u003a\u003c-\u007e\u0080-\u00ff]+$/

function withLifetime({ cookie }: Config, maxAge: MaxAge): object {
  return Object.assign({}, cookie, maxAge === 'session' ? undefined : { maxAge })
}

/** The value where `externalKey` puts it. */
export function externalCarrier(externalKey: ExternalKey): Carrier {
  return {
    usesCookies: false,

    read(ctx) {
      const id: unknown = refusePromise(externalKey.get(ctx), 'externalKey.get')
      if (id === undefined || id === null || id === '') return undefined
      if (typeof id === 'string') return id
      throw new SessionError('ERR_SESSION_ID', `externalKey.get gave a ${typeof id}, expected a string or nothing`)
    },

    write(ctx, _settings, id) {
      refusePromise(externalKey.set(ctx, id), 'externalKey.set')
      return []
    },

    clear(ctx) {
      refusePromise(externalKey.clear?.(ctx), 'externalKey.clear')
      return []
    },
  }
}

function setCookie(
  ctx: Context,
  key: string,
  value: string,
  attributes: object,
  earlier: readonly string[],
): readonly string[] {
  const before = cookieLines(ctx.res)
  // A list of its own: ctx.cookies adds to the one on the response, which the handler may share between requests.
  if (before.length > 0) setCookieLines(ctx.res, [...without(before, earlier)])
  try {
    cookiesOf(ctx).set(key, value, attributes)
    const lines = cookieLines(ctx.res).filter(line => isOf(key, line))
    // A framework may encrypt the value.
    const size = Math.max(...lines.map(sizeOf), 0)
    if (size > LARGEST_COOKIE) throw tooLarge(key, size)
    return lines
  } catch (error) {
    setCookieLines(ctx.res, before)
    throw error
  }
}

/** `limit`: what there is room for, in bytes, and `advice` how there is more. */
export function tooLarge(key: string, size: number, limit = LARGEST_COOKIE, advice = ''): SessionError {
  const reason =
    limit === LARGEST_COOKIE ? `browsers drop one of more than ${limit}` : `servers may refuse more than ${limit}`
  const out = `keep less in the session, or keep it in a store (option store)${advice}`
  return new SessionError('ERR_SESSION_TOO_LARGE', `the cookie ${key} has ${size} bytes, and ${reason}: ${out}`)
}

/** Whether the response sets the cookie `key`, or its signature. */
export function setsCookie(ctx: Context, key: string): boolean {
  const lines = cookieLines(ctx.res)
  return lines.length > 0 && lines.some(line => isOf(key, line))
}

function isOf(key: string, line: string): boolean {
  return line.startsWith(key) && /^(\.sig|\.\d)?=/.test(line.slice(key.length, key.length + 5))
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

const INSECURE = 'behind a proxy that ends TLS set app.proxy = true, for plain HTTP set the option secure to false'
const KEYS = 'set app.keys to a list of secrets, or the option signed to false'

/** An error of `ctx.cookies` with what it means, and the way out. */
function explained(cause: unknown): unknown {
  const message = cause instanceof Error ? cause.message : ''
  if (/unencrypted/i.test(message))
    return new SessionError('ERR_SESSION_INSECURE', `${message}: ${INSECURE}`, { cause })
  if (/keys (required|must)/i.test(message))
    return new SessionError('ERR_SESSION_KEYS', `${message}: ${KEYS}`, { cause })
  return cause
}
