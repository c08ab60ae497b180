import type { Context } from 'koa'
import type { Config } from '../config.ts'
import { SessionError } from '../errors.ts'
import type { ExternalKey } from '../options.ts'
import type { MaxAge } from '../session/payload.ts'
import { refusePromise } from './await.ts'
import { cookieLines } from './headers.ts'

/** Moves one value between client and server. */
export interface Carrier {
  /** Whether responses depend on the request's `Cookie` header. */
  readonly usesCookies: boolean
  /** The value that the request brings. */
  read(ctx: Context, config: Config): string | undefined
  /** Sends `value` along; gives the lines of Set-Cookie that do so. */
  write(ctx: Context, config: Config, value: string, maxAge: MaxAge): readonly string[]
  /** Takes the value back from the client; gives the lines of Set-Cookie that do so. */
  clear(ctx: Context, config: Config): readonly string[]
}

/** Name and value together, in bytes: RFC 6265bis, 5.6. A browser drops a larger cookie without a word. */
const LARGEST_COOKIE = 4096

/**
 * The value in a cookie, and its signature beside it. All goes through `ctx.cookies`, so that a framework that
 * brings its own (as Egg does) decides how a cookie is written.
 */
export const cookieCarrier: Carrier = {
  usesCookies: true,

  read(ctx, config) {
    const value = withCookies(ctx, cookies => cookies.get(config.key, config.cookie))
    // What is larger than we send was not sent by us; it is not worth the work.
    return value && config.key.length + value.length <= LARGEST_COOKIE ? value : undefined
  },

  write(ctx, config, value, maxAge) {
    const lifetime = maxAge === 'session' ? undefined : { maxAge }
    return setCookie(ctx, config, value, Object.assign({}, config.cookie, lifetime))
  },

  clear(ctx, config) {
    return setCookie(ctx, config, '', { ...config.cookie, expires: new Date(0), maxAge: false })
  },
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

    write(ctx, _config, id) {
      refusePromise(externalKey.set(ctx, id), 'externalKey.set')
      return []
    },

    clear(ctx) {
      refusePromise(externalKey.clear?.(ctx), 'externalKey.clear')
      return []
    },
  }
}

function setCookie(ctx: Context, config: Config, value: string, attributes: object): readonly string[] {
  withCookies(ctx, cookies => cookies.set(config.key, value, attributes))
  const lines = linesOf(ctx, config.key)
  const size = Math.max(config.key.length + value.length, ...lines.map(sizeOf))
  if (size <= LARGEST_COOKIE) return lines
  throw new SessionError(
    'ERR_SESSION_TOO_LARGE',
    `the cookie ${config.key} has ${size} bytes, and browsers drop one of more than ${LARGEST_COOKIE}: ` +
      'keep less in the session, or keep it in a store (option store)',
  )
}

/** The lines of Set-Cookie on the response for the cookie `key` and for its signature. */
export function linesOf(ctx: Context, key: string): readonly string[] {
  return cookieLines(ctx.res).filter(
    line => line.startsWith(key) && (line[key.length] === '=' || line.startsWith('.sig=', key.length)),
  )
}

/** A header is sent in Latin-1, a character a byte; the `=` does not count. */
function sizeOf(line: string): number {
  const end = line.indexOf(';')
  return (end < 0 ? line.length : end) - 1
}

type Cookies = {
  get(name: string, options: object): string | null | undefined
  set(name: string, value: string, options: object): unknown
}

const INERT_RESPONSE = { getHeader: () => undefined, setHeader: () => {} }

function withCookies<Result>(ctx: Context, use: (cookies: Cookies) => Result): Result {
  try {
    const cookies = ctx.cookies as Cookies
    // Koa's writes when it reads (a signature is renewed or cleared), which it can't once the headers left.
    const isInert = ctx.res?.headersSent !== false && 'response' in cookies
    return use(isInert ? Object.create(cookies, { response: { value: INERT_RESPONSE } }) : cookies)
  } catch (cause) {
    throw explained(cause)
  }
}

const INSECURE = 'behind a proxy that ends TLS set app.proxy = true, for plain HTTP set the option secure to false'
const KEYS = 'set app.keys to a list of secrets, or the option signed to false'

/** What an error of `ctx.cookies` means, and the way out. */
function explained(cause: unknown): unknown {
  const message = cause instanceof Error ? cause.message : ''
  if (/unencrypted/i.test(message))
    return new SessionError('ERR_SESSION_INSECURE', `${message}: ${INSECURE}`, { cause })
  if (/keys (required|must)/i.test(message))
    return new SessionError('ERR_SESSION_KEYS', `${message}: ${KEYS}`, { cause })
  return cause
}
