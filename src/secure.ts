/** Cookies that browsers drop unless they are secure. */

import { optionError } from './errors.ts'
import type { Given } from './sealing.ts'

const PREFIXED = /^__(Host|Secure)-/i

/** The option with which a cookie has to be secure: `key`, `partitioned`, `sameSite 'none'`. */
export function reasonForSecure(key: string, attributes: Given): string | undefined {
  // Each response asks: most keys and most cookies are told without a RegExp and another string.
  return key.startsWith('__') && PREFIXED.test(key) ? 'key' : attributeForSecure(attributes)
}

/** RFC 6265bis, 5.7, and CHIPS. */
function attributeForSecure({ sameSite, partitioned }: Given): string | undefined {
  if (sameSite !== undefined && String(sameSite).toLowerCase() === 'none') return "sameSite 'none'"
  return partitioned === true ? 'partitioned' : undefined
}

/** RFC 6265bis, 4.1.3: what a cookie with one of these names must have. Throws `ERR_SESSION_OPTION`. */
export function secureAttributes(given: Given): { secure?: true } {
  const { key = '', secure, path, domain } = given
  const reason = attributeForSecure(given)
  if (secure === false && reason) throw optionError('secure', secure, `true or 'auto', as ${reason} asks for`)
  if (!PREFIXED.test(String(key))) return {}
  if (secure === false || secure === 'auto') {
    throw optionError('secure', secure, `true, as the key ${key} asks for; ${otherKey(String(key))}`)
  }
  if (/^__Host-/i.test(String(key))) {
    if (domain !== undefined) throw optionError('domain', domain, `nothing, as the key ${key} asks for`)
    if (path !== undefined && path !== '/') throw optionError('path', path, `'/', as the key ${key} asks for`)
  }
  return { secure: true }
}

/** The way out in development, where there is no TLS. */
export function otherKey(key: string): string {
  return `for plain HTTP in development choose the key: production ? '${key}' : 'session'`
}
