/** Cookies of one request and its response. An adapter implements this; a test does, too, without HTTP. */

import type { Refused } from '../session/model.ts'
import type { Settings } from './settings.ts'

/** The request and the response that a cookie is read from and sent with. */
export interface JarAccess {
  readonly ctx: unknown
  readonly settings: Settings
  /** What the jar remembers of this request. */
  jarState: unknown
}

/** What was sent, as the jar knows it again: lines of Set-Cookie. */
export type Lines = readonly string[]
export const NO_LINES: Lines = []

/** One cookie. */
export interface Cookie {
  /** Its `nth` good value in the request, or why there is none: a browser may send several of one name. */
  get(at: JarAccess, nth: number): string | Refused | undefined
  /** Whether the request has it, whatever is in it. */
  isPresent(at: JarAccess): boolean
  /** Sends it, in place of what was sent `earlier`. Throws `ERR_SESSION_TOO_LARGE`, and what `check` throws. */
  set(at: JarAccess, value: string, earlier: Lines): Lines
  /** Deletes it. */
  clear(at: JarAccess, earlier: Lines): Lines
  /** Throws what `set` would throw for `value`, as far as that is known before: `ERR_SESSION_INSECURE`, `ERR_SESSION_KEYS`. */
  check(at: JarAccess, value: string): void
}

export interface CookieKind {
  /** Whether no value needs to be checked for what a cookie can't hold. */
  readonly isPlain: boolean
  /** What follows the option `key` in the cookie's name. */
  readonly suffix?: string
  /** In place of the option. */
  readonly signed?: boolean
}

/** Makes the cookies of one configuration. */
export type CookieJar = (kind: CookieKind) => Cookie
