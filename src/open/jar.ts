import { find, isValueAlone } from '../codec/cookie-header.ts'
import type { SigningSecret } from '../codec/signature.ts'
import { presentedIn } from '../codec/signed.ts'
import { type CookieJar, NO_LINES } from '../request/jar.ts'
import { FORGED, UNDECODABLE } from '../session/payload.ts'

/**
 * `cookie` as a header: a text that is one value is that of the cookie `key`. A list has cookies with their names. Nothing is
 * removed in front of a name: a browser lets everybody set a cookie whose name is `__Host-` behind a no-break space.
 */
export function headerFor(cookie: string | readonly string[] | null | undefined, key: string): string {
  if (typeof cookie !== 'string') return (cookie ?? []).join('; ')
  const value = cookie.trim()
  return isValueAlone(value, key) ? `${key}=${value}` : cookie.trimEnd()
}

/** The cookies of `header`, which are read and not sent. `secrets` verify what is signed. */
export function jarOf(header: string, secrets: readonly SigningSecret[]): CookieJar {
  return ({ suffix = '', signed }) => ({
    get({ settings }, nth) {
      const { key, cookie } = settings.config
      const start = `${key}${suffix}=`
      const startOfSignature = (signed ?? cookie.signed) ? `${key}${suffix}.sig=` : ''
      const value = presentedIn(header, secrets, start, startOfSignature, nth, settings)
      if (value !== undefined) return value
      if (nth > 0 || find(header, start) === undefined) return undefined
      return startOfSignature ? FORGED : UNDECODABLE
    },
    isPresent: () => false,
    set: () => NO_LINES,
    clear: () => NO_LINES,
    check() {},
  })
}
