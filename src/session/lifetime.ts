import type { Lifetime, MaxAge, Meta } from './model.ts'

/** The lifetime of a session that is put to rest at the instant `now`, and that lives until `end` at most. */
export function lifetimeFrom(maxAge: MaxAge, now: number, meta?: Meta, end = Number.POSITIVE_INFINITY): Lifetime {
  // No member more than 7.x has where there is nothing to say in it. To spread them takes longer than to encrypt.
  if (maxAge === 'session') return meta ? { _session: true, _meta: meta } : { _session: true }
  const _expire = Math.min(now + maxAge, end)
  return meta ? { _expire, _maxAge: maxAge, _meta: meta } : { _expire, _maxAge: maxAge }
}

/** What is said beside the names of 7.x. */
export function metaOf(
  created: number | undefined,
  fresh: number | undefined,
  since: number | undefined,
  dataVersion?: number | undefined,
): Meta {
  if (since === undefined && dataVersion === undefined && created !== undefined)
    return fresh === undefined ? { created } : { created, fresh }
  return {
    ...(created !== undefined && { created }),
    ...(fresh !== undefined && { fresh }),
    ...(since !== undefined && { since }),
    ...(dataVersion !== undefined && { dataVersion }),
  }
}

/** When a session was made, as far as its lifetime says; without `_meta`, as 7.x saves it: when it was saved last. */
export function createdAt(lifetime: Lifetime): number | undefined {
  const created = lifetime._meta?.created
  return Number.isFinite(created) ? created : savedAt(lifetime)
}

/** When a session was saved last. With an absolute timeout it may be earlier than that. */
function savedAt({ _expire, _maxAge }: Lifetime): number | undefined {
  return typeof _expire === 'number' && isLifetime(_maxAge) ? _expire - _maxAge : undefined
}

/**
 * Since when somebody has been who they are in a session; one that does not say counts from its last save, which was not
 * before it was made. `undefined`: its age is unknown.
 */
export function sinceIn(lifetime: Lifetime): number | undefined {
  const { since, created } = lifetime._meta ?? {}
  if (Number.isFinite(since)) return since
  const known = [savedAt(lifetime), created].filter(instant => Number.isFinite(instant)) as number[]
  return known.length === 0 ? undefined : Math.max(...known)
}

/** Whether a session began before `instant`. One of unknown age did; there is none before `undefined`. */
export function isBefore(lifetime: Lifetime, instant: number | undefined): boolean {
  if (instant === undefined) return false
  const since = sinceIn(lifetime)
  return since === undefined || since < instant
}

/** The last instant of a Date (ECMA-262, 21.4.1.1), in milliseconds. */
const LAST = 8.64e15

/** The instant that a number or a Date stands for, in milliseconds since the epoch; `undefined`: it is neither. */
export function instantOf(value: unknown): number | undefined {
  const isDate = Object.prototype.toString.call(value) === '[object Date]'
  const instant = typeof value === 'number' || isDate ? Number(value) : Number.NaN
  return Math.abs(instant) <= LAST ? instant : undefined
}

/**
 * Why a session's lifetime is over, if it is. `absoluteTimeout`: how long it may live since it was made (ms). A session that
 * does not say when it was made is as old as it can be.
 */
export function endOf(
  lifetime: Lifetime,
  now: number,
  absoluteTimeout: number | undefined,
): 'absolute' | 'expired' | undefined {
  if (absoluteTimeout !== undefined) {
    const created = createdAt(lifetime)
    if (created === undefined || now - created >= absoluteTimeout) return 'absolute'
  }
  return isExpired(lifetime, now) ? 'expired' : undefined
}

/** The lifetime that a payload was saved with, if it says so. */
export function maxAgeOf({ _session, _maxAge }: Lifetime): MaxAge | undefined {
  if (_session) return 'session'
  return isLifetime(_maxAge) ? _maxAge : undefined
}

/** Whether a session's own lifetime has ended. One without a lifetime has not (as in 7.x). */
export function isExpired({ _expire }: Lifetime, now: number): boolean {
  return typeof _expire === 'number' && _expire < now
}

/** Beyond this the instant of expiry would be no Date (ECMA-262, 21.4.1.1: 8.64e15 from the epoch). */
const LONGEST = 8e15

/** Whether `value` is a number of milliseconds that a session can live. */
export function isLifetime(value: unknown): value is number {
  return typeof value === 'number' && value > 0 && value <= LONGEST
}
