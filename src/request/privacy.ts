/** What an error of a store may not repeat: ids, and the data that the store was given. */

import { digest } from '../codec/digest.ts'
import { parsedOrNothing, textOrNothing } from '../session/changes.ts'

/** What a store was asked. */
export interface Question {
  readonly operation: string
  readonly id?: string | undefined
  /** A payload, a record, a patch or a retirement. */
  readonly what?: object | undefined
}

/** A driver may cut off what it quotes: of longer texts, so many characters count. */
const TELLING = 16

/**
 * Whether `text` contains an id, the hash of one, or a value of more than three characters that the store was given. In
 * what is nested, the names count as values.
 */
export function repeats(text: string, { operation, id, what }: Question): boolean {
  const { members, set, successor, subject }: Record<string, unknown> = { ...what }
  const names = [id, successor].filter(name => typeof name === 'string').flatMap(name => [name, ...hashesOf(name)])
  const values = operation === 'set' ? valuesIn(what) : [members, set, { subject }].flatMap(valuesIn)
  const plain = bare(text)
  return names.some(name => plain.includes(bare(name))) || values.some(value => holds(plain, value))
}

function hashesOf(id: string): readonly string[] {
  const hash = digest(id)
  const bytes = Buffer.from(hash, 'base64url')
  return [hash, bytes.toString('hex'), bytes.toString('base64')]
}

function holds(plain: string, value: string): boolean {
  const start = bare(value).slice(0, TELLING)
  return value.length > 3 && start !== '' && plain.includes(start)
}

/** `text` without what quoting adds to it, in JSON and in SQL, and without what a database changes of an id. */
function bare(text: string): string {
  return text
    .replace(/\\u([\da-f]{4})/gi, (_, code) => String.fromCharCode(Number.parseInt(code, 16)))
    .replace(/\\[nrtbf]|[\\'"\s-]/g, '')
    .toLowerCase()
}

/** Texts that stand for something else in JSON. */
const JSON_TEXT = /^(["[{]|(true|false|null)$)/

/** The texts and numbers among the values of an object, also in those that are JSON. */
function valuesIn(values: unknown): readonly string[] {
  // As JSON has it: what has a toJSON may lead back to itself.
  const pending: unknown[] = Object.values(Object(parsedOrNothing(textOrNothing({ ...Object(values) }) ?? '')))
  const found: string[] = []
  while (pending.length > 0) {
    const value = pending.pop()
    const inner = typeof value === 'string' && JSON_TEXT.test(value) ? parsedOrNothing(value) : undefined
    if (inner !== undefined) pending.push(inner)
    else if (typeof value === 'string' || typeof value === 'number') found.push(String(value))
    else if (typeof value === 'object' && value !== null) {
      if (!Array.isArray(value)) found.push(...Object.keys(value))
      for (const member of Object.values(value)) pending.push(member)
    }
  }
  return found
}
