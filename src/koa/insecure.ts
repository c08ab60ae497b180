/** Cookies on a connection that is not encrypted, or without secrets: what is wrong, and the way out. */

import type { Context } from 'koa'
import type { Config } from '../config.ts'
import { SessionError } from '../errors.ts'
import type { Lines } from '../request/jar.ts'
import { otherKey, reasonForSecure } from '../secure.ts'
import { warnOnce } from '../warnings.ts'

/** What Koa's cookies say, so that an error is the same whoever raised it. */
export const NOT_ENCRYPTED = 'Cannot send secure cookie over unencrypted connection'
export const NO_KEYS = '.keys required for signed cookies'

const PROXY = 'behind a proxy that ends TLS set app.proxy = true'
const KEYS = 'set app.keys to a list of secrets, or the option signed to false'

/** An error of `ctx.cookies` with what it means, and the way out. */
export function explained(cause: unknown, config: Config): unknown {
  const message = cause instanceof Error ? cause.message : ''
  if (/unencrypted/i.test(message)) {
    return new SessionError('ERR_SESSION_INSECURE', `${message}: ${PROXY}, ${withoutTls(config)}`, { cause })
  }
  if (/keys (required|must)/i.test(message))
    return new SessionError('ERR_SESSION_KEYS', `${message}: ${KEYS}`, { cause })
  // Node's message would show the entry.
  if (/^The "key" argument|\bkeys\.\w+ is not a function/.test(message))
    return new SessionError('ERR_SESSION_KEYS', `app.keys has an entry that is no secret, or lacks a method: ${KEYS}`)
  return cause
}

/** What to do where there is no TLS, as in development: nothing that is refused then. */
function withoutTls({ key, cookie }: Config): string {
  const reason = reasonForSecure(key, cookie)
  if (reason === 'key') return otherKey(key)
  if (reason) return `for plain HTTP in development leave out the options ${reason} and secure there`
  return 'for plain HTTP set the option secure to false'
}

/** Says, once per process, of a cookie that was written without `secure` what comes of it, where that was not meant. */
export function warnOfInsecure({ app, req }: Context, config: Config, lines: Lines): void {
  if (config.cookie.secure !== undefined || lines.length === 0) return
  const reason = reasonForSecure(config.key, config.cookie)
  // Most requests do not have it, and a RegExp allocates.
  const protocol = app.proxy ? undefined : req?.headers['x-forwarded-proto']
  const isBehindTls = protocol && /^\s*https\b/i.test(String(protocol))
  if (!(reason || isBehindTls) || /; *secure(;|$)/i.test(lines[0] ?? '')) return
  if (reason) {
    const what = `browsers drop a cookie with the option ${reason} that is not secure, and the connection is not encrypted`
    warnOnce('KOA_SESSION_INSECURE', `${what}: ${PROXY}, ${withoutTls(config)}`)
  }
  if (isBehindTls) {
    const what = 'a request came with X-Forwarded-Proto: https and app.proxy is off, so that its cookie is not secure'
    warnOnce('KOA_SESSION_PROXY', `${what}: ${PROXY}, and let the proxy set that header`)
  }
}
