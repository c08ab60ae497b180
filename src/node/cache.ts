/** What a response says to caches. */

import type { ServerResponse } from 'node:http'

/** Whether the response says that it depends on the request's cookies. */
export function variesByCookie(res: ServerResponse): boolean {
  return saysCookie(res.getHeader('vary'))
}

function saysCookie(vary: string | number | readonly string[] | undefined): boolean {
  return vary === 'Cookie' || (vary !== undefined && /(^|,)\s*(cookie|\*)\s*(,|$)/i.test(String(vary)))
}

/** Says so, beside whatever else the response varies by (RFC 9110, 12.5.5). */
export function varyByCookie(res: ServerResponse): void {
  const others = res.getHeader('vary')
  if (saysCookie(others)) return
  res.setHeader('Vary', others === undefined ? 'Cookie' : `${[others].flat().join(', ')}, Cookie`)
}

/** A response that hands out a session is for one visitor (ASVS 14.3.2), unless the handler decided otherwise. */
export function forbidCaching(res: ServerResponse): void {
  if (!res.hasHeader('cache-control')) res.setHeader('Cache-Control', 'no-store')
}

/** What lets a shared cache keep a response for everybody (RFC 9111, 3; RFC 9213), and what forbids it. */
const KEEPS = /(^|,)\s*(public\b|immutable\b|(s-maxage|max-age)\s*=\s*"?0*[1-9])/i
const FORBIDS = /(^|,)\s*(private|no-store)\s*(,|$)/i

/** Whether a shared cache may keep the response: then it is not this visitor's alone. */
export function isShared(res: ServerResponse): boolean {
  const control = textOf(res, 'cache-control')
  if (FORBIDS.test(control)) return false
  return KEEPS.test(control) || CDN.some(name => KEEPS.test(textOf(res, name)))
}

const CDN = ['cdn-cache-control', 'surrogate-control']

function textOf(res: ServerResponse, name: string): string {
  return String(res.getHeader(name) ?? '')
}
