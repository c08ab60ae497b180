import { createHash } from 'node:crypto'

/**
 * The source of Koa's getter `ctx.cookies`, of `get` and `set` in the package `cookies` 0.9, and of `sign` and `index` of
 * a Keygrip, hashed without what formatting changes. Nothing else tells that nobody has replaced or wrapped them.
 */
const ORIGINALS = {
  cookies: 'lemXjUGNLjUR1oEMcY2rrh2c1Vhn3d6ViYUaKOS9KaE',
  get: 'nOS7mY8y9ORfVtWyU7NnKEVVPE2JkrI8tGdYlCMEhTE',
  set: '3-B6G5I3MOf6VG5kQgxP6iKDWJfXt9naEQDhOus0zwE',
  sign: 'e-4H8X1ac9SXGwe0V-0BsFJ1MMjdPVcltrbQw_LaAGc',
  index: 'NxEoPShSztIwZIRYt9U3uQdSgGHn9P90d1fhy1f-bSU',
}
type Name = keyof typeof ORIGINALS
const accepted: Partial<Record<Name, unknown>> = {}
const names = new Map<string, Name | undefined>()

/** Whether `method` is Koa's own, or its packages'. */
export function isOriginal(name: Name, method: unknown): boolean {
  if (method === accepted[name]) return method !== undefined
  if (typeof method !== 'function') return false
  const source = Function.prototype.toString.call(method)
  if (!names.has(source)) names.set(source, nameOf(source))
  if (names.get(source) !== name) return false
  accepted[name] = method
  return true
}

function nameOf(source: string): Name | undefined {
  const hash = createHash('sha256')
    .update(source.replace(/[\s;'"]/g, ''))
    .digest('base64url')
  return (Object.keys(ORIGINALS) as Name[]).find(name => ORIGINALS[name] === hash)
}
