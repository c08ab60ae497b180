import type { StoredLifetime } from '../store.ts'

/** `lifetime` as JSON: a usual one as the list of its numbers, which is half as long, another one as it is. */
export function lifetimeText(lifetime: StoredLifetime): string {
  const { _expire, _maxAge, _session, _meta } = lifetime
  if (!isUsual(lifetime)) return JSON.stringify(lifetime)
  const list = [_expire, _maxAge, _session, _meta?.created, _meta?.fresh]
  return JSON.stringify(_meta?.since === undefined ? list : [...list, _meta.since])
}

/** What `lifetimeText` wrote, or nothing where it did not. */
export function lifetimeIn(text: string): StoredLifetime | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (Array.isArray(value)) return lifetimeOf(value)
  return typeof value === 'object' && value !== null ? value : undefined
}

/** Each request does this: to spread what is there takes ten times as long. */
function lifetimeOf([_expire, _maxAge, _session, created, fresh, since]: unknown[]): StoredLifetime {
  const lifetime: Record<string, unknown> = {}
  if (_expire !== null) lifetime._expire = _expire
  if (_maxAge !== null) lifetime._maxAge = _maxAge
  if (_session !== null) lifetime._session = _session
  if (created === null && fresh === null && since === undefined) return lifetime
  const meta: Record<string, unknown> = {}
  if (created !== null) meta.created = created
  if (fresh !== null) meta.fresh = fresh
  if (since !== undefined) meta.since = since
  lifetime._meta = meta
  return lifetime
}

/** Three-method calls are given what the application made of it. */
function isUsual({ _expire, _maxAge, _session, _meta }: StoredLifetime): boolean {
  const isTrue = _session === undefined || _session === true
  return isTrue && [_expire, _maxAge].every(isNumber) && (_meta === undefined || isUsualMeta(_meta))
}

function isUsualMeta(meta: unknown): boolean {
  const entries = Object.entries(Object(meta))
  const isKnown = ([name, value]: [string, unknown]) =>
    (name === 'created' || name === 'fresh' || name === 'since') && Number.isFinite(value)
  return entries.length > 0 && entries.every(isKnown)
}

function isNumber(value: unknown): boolean {
  return value === undefined || Number.isFinite(value)
}
