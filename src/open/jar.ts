import { find, isValueAlone } from '../codec/cookie-header.ts'
import { type SigningSecret, signerIn } from '../codec/signature.ts'
import { LARGEST_COOKIE } from '../codec/size.ts'
import { type CookieJar, NO_LINES } from '../request/jar.ts'
import { FORGED, UNDECODABLE } from '../session/payload.ts'

/** `cookie` as a header: one value is that of the cookie `key`. */
export function headerFor(cookie: string | readonly string[] | null | undefined, key: string): string {
  const text = typeof cookie === 'string' ? cookie.trim() : (cookie ?? []).join('; ')
  return isValueAlone(text, key) ? `${key}=${text}` : text
}

/** The cookies of `header`, which are read and not sent. `secrets` verify what is signed. */
export function jarOf(header: string, secrets: readonly SigningSecret[]): CookieJar {
  return ({ suffix = '', signed }) => ({
    get({ settings }, nth) {
      const { key, cookie } = settings.config
      const start = `${key}${suffix}=`
      const isSigned = signed ?? cookie.signed === true
      let left = nth
      let pair = find(header, start)
      for (let at = 1; pair !== undefined; pair = find(header, start, at++)) {
        // What is larger than we send was not sent by us; without the `=`, as browsers count.
        const isOurs = pair.length > start.length && pair.length - 1 <= LARGEST_COOKIE
        if (isOurs && (!isSigned || isVerified(header, secrets, pair, `${key}${suffix}.sig=`)) && left-- === 0) {
          return pair.slice(start.length)
        }
      }
      if (nth > 0 || find(header, start) === undefined) return undefined
      return isSigned ? FORGED : UNDECODABLE
    },
    isPresent: () => false,
    set: () => NO_LINES,
    clear: () => NO_LINES,
    check() {},
  })
}

/** Whether one of the secrets made one of the signatures, which begin with `start`, for `pair`. */
function isVerified(header: string, secrets: readonly SigningSecret[], pair: string, start: string): boolean {
  for (let at = 0; ; at++) {
    const signature = find(header, start, at)?.slice(start.length)
    if (signature === undefined) return false
    if (signerIn(secrets, pair, signature) >= 0) return true
  }
}
