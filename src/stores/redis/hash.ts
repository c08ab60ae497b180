/** A session as the fields of a hash, as `scripts.ts` describes them. */

import type { Row } from '../rows.ts'
import type { StoredLifetime } from '../store.ts'
import { nameIn, textOf } from './names.ts'

export function fieldOf(member: string): string {
  return `.${textOf(member)}`
}

/** Members as fields and their values. */
export function fieldsOf(members: Readonly<Record<string, string>>): string[] {
  return Object.entries(members).flatMap(([name, text]) => [fieldOf(name), text])
}

/** What the fields and values of a hash say, or nothing where they say no session. */
export function rowIn(name: string, parts: readonly string[]): Row | undefined {
  const own: Record<string, string | undefined> = {}
  const members: Array<[name: string, text: string]> = []
  for (let at = 0; at + 1 < parts.length; at += 2) {
    const [field = '', value = ''] = [parts[at], parts[at + 1]]
    if (field.startsWith('.')) members.push([nameIn(field.slice(1)), value])
    else own[field] = value
  }
  const times = { createdAt: Number(own.c), seenAt: Number(own.a), expiresAt: Number(own.e) }
  if (own.r !== undefined) return { name, record: { members: {}, lifetime: {}, retiredAt: Number(own.r) }, ...times }
  const lifetime = lifetimeIn(own.l)
  if (!lifetime) return undefined
  const record = { members: Object.fromEntries(members), lifetime, version: integerIn(own.v), subject: own.s }
  return { name, record, ...times }
}

function lifetimeIn(text = ''): StoredLifetime | undefined {
  try {
    const lifetime: unknown = JSON.parse(text)
    const isObject = typeof lifetime === 'object' && lifetime !== null && !Array.isArray(lifetime)
    return isObject ? lifetime : undefined
  } catch {
    return undefined
  }
}

function integerIn(text: string | undefined): number | undefined {
  const value = text ? Number(text) : undefined
  return Number.isSafeInteger(value) ? value : undefined
}
