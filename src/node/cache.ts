/** What a response says to caches. */

import type { ServerResponse } from 'node:http'
import { warnOnce } from '../warnings.ts'

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

const NO_STORE = 'no-store'

/** A response that hands out a session is for one visitor (ASVS 14.3.2), unless the handler decided otherwise. */
export function forbidCaching(res: ServerResponse): void {
  if (!res.hasHeader('cache-control')) res.setHeader('Cache-Control', NO_STORE)
}

/** The headers that say it; each goes for the caches that know it, whatever the others say (RFC 9213, 2.2). */
const FIELDS = ['cache-control', 'cdn-cache-control', 'surrogate-control'] as const
/** What lets a shared cache keep a response for everybody (RFC 9111, 3), and what forbids it. */
const ALLOWS = /(^|,)\s*(public\b|immutable\b|(s-maxage|max-age)\s*=\s*"?0*[1-9])/i
const FORBIDS = /(^|,)\s*(private|no-store)\s*(,|$)/i
const PUBLIC = /(^|,)\s*public\b/i

/** Whether a shared cache may keep the response: then it is not this visitor's alone. */
export function isShared(res: ServerResponse): boolean {
  for (let at = 0; at < FIELDS.length; at++) if (allowsSharing(textOf(res, FIELDS[at] as string))) return true
  return false
}

/**
 * Keeps a response that hands out a session from shared caches, which its handler has allowed to keep it. Where the handler
 * said `public` it stays so: the process warning `KOA_SESSION_PUBLIC`, once.
 */
export function forbidSharing(res: ServerResponse): void {
  if (!isShared(res)) return
  for (const field of FIELDS) {
    const text = textOf(res, field)
    if (!allowsSharing(text)) continue
    if (PUBLIC.test(text)) warnOnce('KOA_SESSION_PUBLIC', PUBLIC_ADVICE)
    else res.setHeader(field, field === 'cache-control' ? `${text}, private` : NO_STORE)
  }
}

const PUBLIC_ADVICE =
  'a response that sends the cookie of a session says that it is public, so that a cache may give the session to others; ' +
  'say `private`, or do not change the session there'

function allowsSharing(text: string): boolean {
  // What this module sets itself, mostly.
  return text !== '' && text !== NO_STORE && ALLOWS.test(text) && !FORBIDS.test(text)
}

function textOf(res: ServerResponse, name: string): string {
  return String(res.getHeader(name) ?? '')
}
