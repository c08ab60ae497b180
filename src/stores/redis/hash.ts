/** A session as the fields of a hash, as `scripts.ts` describes them. */

import { checkAnswer } from '../after.ts'
import type { Row } from '../rows.ts'
import { lifetimeIn } from './lifetime.ts'
import { isMarkOf } from './mark.ts'
import { nameIn, textOf } from './names.ts'

export function fieldOf(member: string): string {
  return `.${textOf(member)}`
}

/** Members as fields and their values. */
export function fieldsOf(members: Readonly<Record<string, string>>): string[] {
  return Object.entries(members).flatMap(([name, text]) => [fieldOf(name), text])
}

/** The field `m`, as the scripts take it apart. */
const OWN = /^(\d+) (\S+) (\S+) (\S+) \d+$/

/**
 * What the fields and values say that were asked for under `key`, or nothing where they say no session. Throws
 * `ERR_SESSION_STORE` where they are those of another key.
 */
export function rowIn(name: string, key: string, parts: readonly string[]): Row | undefined {
  const own: Partial<Record<string, string>> = {}
  const members: Record<string, string> = {}
  for (let at = 0; at + 1 < parts.length; at += 2) {
    const field = parts[at] ?? ''
    const value = parts[at + 1] ?? ''
    if (field.startsWith('.')) put(members, nameIn(field.slice(1)), value)
    else own[field] = value
  }
  const { l = '', m = '', s: subject, r, k } = own
  checkAnswer(k === undefined || isMarkOf(k, key))
  const found = OWN.exec(m)
  const [, version = 0, createdAt = 0, seenAt = 0, expiresAt = 0] = found?.map(Number) ?? []
  const times = { createdAt, seenAt, expiresAt }
  if (r !== undefined) {
    const successor = l === '' ? undefined : nameIn(l)
    const retiredAt = Number(r.split(' ', 1)[0])
    return { name, record: { members: {}, lifetime: {}, retiredAt, successor, subject }, ...times }
  }
  const lifetime = found ? lifetimeIn(l) : undefined
  return lifetime && { name, record: { members, lifetime, version, subject }, ...times }
}

const PLAIN = { writable: true, enumerable: true, configurable: true }

/** Each request does this for each key: to make the object of a list of entries takes three times as long. */
function put(members: Record<string, string>, name: string, text: string): void {
  if (name === '__proto__') Object.defineProperty(members, name, { ...PLAIN, value: text })
  else members[name] = text
}
