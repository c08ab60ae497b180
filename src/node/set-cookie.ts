/** The lines of Set-Cookie on a response. */

import type { ServerResponse } from 'node:http'
import { type Lines, NO_LINES } from '../request/jar.ts'

/** The lines of Set-Cookie that are on the response. */
export function cookieLines(res: ServerResponse): Lines {
  const lines = res.getHeader('set-cookie')
  return lines === undefined ? NO_LINES : Array.isArray(lines) ? lines : [String(lines)]
}

/** Puts `lines` in place of every line of Set-Cookie on the response. */
export function setCookieLines(res: ServerResponse, lines: Lines): void {
  if (lines.length > 0) res.setHeader('Set-Cookie', lines)
  else res.removeHeader('Set-Cookie')
}

/** `lines` but for those that are among `others`. */
export function without(lines: Lines, others: Lines): Lines {
  return others.length === 0 ? lines : lines.filter(line => !others.includes(line))
}

/** Whether `line` sets the cookie `key`, one of its chunks or its signature. */
export function isOf(key: string, line: string): boolean {
  return line.startsWith(key) && /^(\.sig|\.\d)?=/.test(line.slice(key.length, key.length + 5))
}
