import { refusePromise } from '../async.ts'
import type { Config } from '../config.ts'
import { SessionError } from '../errors.ts'
import type { Refused } from '../session/model.ts'
import { kindOf } from '../value-kind.ts'
import { type Cookie, type JarAccess, type Lines, NO_LINES } from './jar.ts'

/** Moves one value between client and server. */
export interface Carrier {
  /** Whether responses depend on the request's `Cookie` header. */
  readonly usesCookies: boolean
  /** The `nth` good value that the request brings, or why there is none. */
  read(at: JarAccess, nth: number): string | Refused | undefined
  /** Sends `value` along, in place of what `earlier` lines sent; gives the lines that do so. */
  write(at: JarAccess, value: string, earlier: Lines): Lines
  /** Deletes the value that the client has; gives the lines that do so. */
  clear(at: JarAccess, earlier: Lines): Lines
  /** Throws what `write` would throw for `value`, as far as that is known before. */
  check(at: JarAccess, value: string): void
}

/** The value in one cookie. */
export function cookieCarrier(cookie: Cookie): Carrier {
  return {
    usesCookies: true,
    read: (at, nth) => cookie.get(at, nth),
    write: (at, value, earlier) => cookie.set(at, value, earlier),
    clear: (at, earlier) => cookie.clear(at, earlier),
    check: (at, value) => cookie.check(at, value),
  }
}

/** The value where the option `externalKey` puts it. */
export function externalCarrier(externalKey: NonNullable<Config['externalKey']>): Carrier {
  return {
    usesCookies: false,

    read({ ctx }, nth) {
      if (nth > 0) return undefined
      const id = refusePromise(externalKey.get(ctx), 'externalKey.get')
      if (id === undefined || id === null || id === '') return undefined
      if (typeof id === 'string') return id
      throw new SessionError('ERR_SESSION_ID', `externalKey.get returned ${kindOf(id)}, expected a string or nothing`)
    },

    write({ ctx }, id) {
      refusePromise(externalKey.set(ctx, id), 'externalKey.set')
      return NO_LINES
    },

    clear({ ctx }) {
      refusePromise(externalKey.clear?.(ctx), 'externalKey.clear')
      return NO_LINES
    },

    check() {},
  }
}
