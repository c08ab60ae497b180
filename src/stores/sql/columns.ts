/** A record in columns: its members are one JSON object, in which each value is the JSON text of the session's value. All of it is ASCII. */

import type { Row } from '../rows.ts'
import type { StoredLifetime, StoredRecord } from '../store.ts'
import { asciiOf, textOf } from './ascii.ts'
import { decodeName, encodeName } from './names.ts'

/** A row as a client gives it: whether integers are numbers, BigInts or texts, and JSON is parsed, depends on it. */
export interface SqlRow {
  readonly name?: unknown
  readonly data?: unknown
  readonly lifetime?: unknown
  readonly version?: unknown
  readonly subject?: unknown
  readonly created_at?: unknown
  readonly seen_at?: unknown
  readonly expires_at?: unknown
  readonly retired_at?: unknown
  readonly retired_for?: unknown
  readonly is_empty?: unknown
}

/** The column `data` for `members`; `null`, as the databases' merges have it, for those that are `unset`. */
export function dataFor(members: StoredRecord['members'], unset: readonly string[] = []): string {
  const gone = unset.map((name): [string, string | null] => [encodeName(name), null])
  const kept = Object.entries(members).map(([name, text]): [string, string | null] => [encodeName(name), asciiOf(text)])
  // What is set is not unset; and the name `__proto__` is one like others here.
  return JSON.stringify(Object.fromEntries([...gone, ...kept]))
}

/** The column `lifetime` of a session. */
export function lifetimeFor(lifetime: StoredLifetime): string {
  return asciiOf(JSON.stringify(lifetime))
}

/** The column `lifetime` of a tombstone. */
export function successorFor(successor: string | undefined): string {
  return JSON.stringify(successor === undefined ? {} : { successor: encodeName(successor) })
}

/** What `successorFor` wrote. A tombstone of an older version has none. */
export function successorIn({ lifetime }: SqlRow): string | undefined {
  const text = textIn(objectIn(lifetime)?.successor)
  return text === undefined ? undefined : decodeName(text)
}

/** The record, or nothing where somebody has put something else into the columns. */
export function recordIn(row: SqlRow): StoredRecord | undefined {
  const { retired_at, version, subject } = row
  if (retired_at !== null) {
    const times = { retiredAt: Number(retired_at), retiredFor: Number(row.retired_for) }
    return { members: {}, lifetime: {}, ...times, successor: successorIn(row), subject: textIn(subject) }
  }
  const members = membersIn(objectIn(row.data))
  const lifetime: StoredLifetime | undefined = objectIn(row.lifetime)
  if (!members || !lifetime) return undefined
  return { members, lifetime, retiredAt: undefined, version: Number(version), subject: textIn(subject) }
}

/** One that can't be read is listed, too, so that it can be ended. */
export function rowIn(row: SqlRow): Row {
  return {
    name: decodeName(String(row.name)),
    record: recordIn(row) ?? { members: {}, lifetime: {}, subject: textIn(row.subject) },
    createdAt: Number(row.created_at),
    seenAt: Number(row.seen_at),
    expiresAt: Number(row.expires_at),
  }
}

function membersIn(data: Readonly<Record<string, unknown>> | undefined): Record<string, string> | undefined {
  if (!data) return undefined
  const members = Object.entries(data)
  if (!members.every((member): member is [string, string] => typeof member[1] === 'string')) return undefined
  return Object.fromEntries(members.map(([name, text]) => [decodeName(name), textOf(text)]))
}

function objectIn(json: unknown): Record<string, unknown> | undefined {
  const value = typeof json === 'string' ? parsed(json) : json
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function textIn(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}
