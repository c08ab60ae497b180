import type { StoredLifetime } from '../store.ts'

/** `lifetime` as JSON: a usual one as the list of its numbers, which is half as long, another one as it is. */
export function lifetimeText(lifetime: StoredLifetime): string {
  const { _expire, _maxAge, _session, _meta } = lifetime
  if (!isUsual(lifetime)) return JSON.stringify(lifetime)
  return JSON.stringify([_expire, _maxAge, _session, _meta?.created, _meta?.fresh])
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

function lifetimeOf([_expire, _maxAge, _session, created, fresh]: unknown[]): StoredLifetime {
  return {
    ...(_expire !== null && { _expire }),
    ...(_maxAge !== null && { _maxAge }),
    ...(_session !== null && { _session }),
    ...((created !== null || fresh !== null) && { _meta: metaOf(created, fresh) }),
  } as StoredLifetime
}

function metaOf(created: unknown, fresh: unknown): object {
  return { ...(created !== null && { created }), ...(fresh !== null && { fresh }) }
}

/** Three-method calls are given what the application made of it. */
function isUsual({ _expire, _maxAge, _session, _meta }: StoredLifetime): boolean {
  const isTrue = _session === undefined || _session === true
  return isTrue && [_expire, _maxAge].every(isNumber) && (_meta === undefined || isUsualMeta(_meta))
}

function isUsualMeta(meta: unknown): boolean {
  const entries = Object.entries(Object(meta))
  const isKnown = ([name, value]: [string, unknown]) =>
    (name === 'created' || name === 'fresh') && Number.isFinite(value)
  return entries.length > 0 && entries.every(isKnown)
}

function isNumber(value: unknown): boolean {
  return value === undefined || Number.isFinite(value)
}
