/**
 * A session as an item. Its key: `pk`, the prefix and the name, and `sk`, `s`. The others:
 *
 * | | |
 * |---|---|
 * | `m`, `l` | the members, each a text under its name; the lifetime |
 * | `v`, `t`, `k` | the version; tokens of the last patches that asked for a version; the token of the call that made it, or retired it |
 * | `c`, `z`, `e` | when it was created, seen last and expires (ms) |
 * | `s`, `i`, `x` | whose it is; the token of its entry in the index, and until when that is there (ms) |
 * | `r`, `n` | of a tombstone: when the id was retired (ms), and the name of its successor |
 * | `expires` | when DynamoDB may delete it (s) |
 */

import { lifetimeIn } from '../redis/lifetime.ts'
import type { Row } from '../rows.ts'
import { decodeName, encodeName } from '../sql/names.ts'
import type { StoredRecord } from '../store.ts'
import type { Attribute, Found, Item } from './client.ts'

export const text = (value: string): Attribute => ({ S: value })
export const number = (value: number): Attribute => ({ N: String(value) })

export function textIn(found: Found | undefined, name: string): string | undefined {
  const { S } = Object(found?.[name])
  return typeof S === 'string' ? S : undefined
}

export function numberIn(found: Found | undefined, name: string): number {
  return Number(Object(found?.[name]).N)
}

export function mapIn(found: Found | undefined, name: string): Found | undefined {
  const { M } = Object(found?.[name])
  return typeof M === 'object' && M !== null ? M : undefined
}

/** A key of `m`. None is `__proto__`, which not every client passes on. */
export function keyOf(member: string): string {
  return `.${encodeName(member)}`
}

export function membersFor(members: StoredRecord['members']): Attribute {
  return { M: Object.fromEntries(Object.entries(members).map(([name, value]) => [keyOf(name), text(value)])) as Item }
}

export function isRetired(found: Found): boolean {
  return found.r !== undefined
}

/** The record, or nothing where it can't be read. */
export function recordIn(found: Found): StoredRecord | undefined {
  const subject = textIn(found, 's')
  if (isRetired(found)) {
    const successor = textIn(found, 'n')
    const named = successor === undefined ? undefined : decodeName(successor)
    return { members: {}, lifetime: {}, retiredAt: numberIn(found, 'r'), successor: named, subject }
  }
  const map = mapIn(found, 'm')
  const lifetime = lifetimeIn(textIn(found, 'l') ?? '')
  const members = Object.keys(map ?? {}).map(key => [decodeName(key.slice(1)), textIn(map, key)])
  if (!map || !lifetime || members.some(([, value]) => value === undefined)) return undefined
  return { members: Object.fromEntries(members), lifetime, version: numberIn(found, 'v'), subject }
}

/** One that can't be read is listed, too, so that it can be ended. */
export function rowIn(name: string, found: Found): Row {
  return {
    name,
    record: recordIn(found) ?? { members: {}, lifetime: {}, subject: textIn(found, 's') },
    createdAt: numberIn(found, 'c'),
    seenAt: numberIn(found, 'z'),
    expiresAt: numberIn(found, 'e'),
  }
}
