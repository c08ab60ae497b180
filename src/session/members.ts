import { memberName, SessionError } from '../errors.ts'
import { EMPTY, textOf } from './changes.ts'
import { warnOfLoss } from './losses.ts'
import type { Changes, Data, Members } from './model.ts'

export const NO_MEMBERS: Members = Object.freeze({})
const NO_NAMES: readonly string[] = Object.freeze([])
export const NO_CHANGES: Changes = Object.freeze({ set: NO_MEMBERS, unset: NO_NAMES, isEmpty: false })

/**
 * What has changed in `session`, an object with data among its own properties, since it had the members `before`;
 * `undefined` when nothing has. Each value is compared as text. Throws `ERR_SESSION_DATA`, see `textOf`.
 */
export function changesSince(before: Members, session: object): Changes | undefined {
  let set: Record<string, string> | undefined
  let count = 0
  let kept = 0
  for (const name in session) {
    if (!Object.hasOwn(session, name)) continue
    const value = (session as Data)[name]
    const known = before[name]
    // A string and nothing that an object inherits.
    const isKnown = typeof known === 'string'
    const text = isKnown && isTextOf(known, value) ? known : textOfMember(name, value)
    if (text === undefined || name === '__proto__') continue
    count++
    if (isKnown) kept++
    if (text === known) continue
    set ??= {}
    set[name] = text
  }
  let size = 0
  for (const _ in before) size++
  const unset = kept < size ? Object.keys(before).filter(name => isLeftOut(name, session)) : NO_NAMES
  return set || unset.length > 0 ? { set: set ?? NO_MEMBERS, unset, isEmpty: count === 0 } : undefined
}

/** `members` after some of them were set and others removed. */
export function changed(members: Members, set: Members, unset: readonly string[]): Members {
  if (unset.length === 0) return Object.assign({}, members, set)
  const gone = new Set(unset)
  const kept = Object.entries(members).filter(([name]) => !gone.has(name))
  return Object.assign(Object.fromEntries(kept), set)
}

/** What makes `after` of `before`, as far as it is meant. */
export function changesBetween(before: Members, after: Members, isMeant = (_: string) => true) {
  // What can't be read is no text, and no session is to get it.
  const isNew = ([name, text]: [string, string]) => text && !isSameMember(before, after, name) && isMeant(name)
  const unset = Object.keys(before).filter(name => !Object.hasOwn(after, name) && isMeant(name))
  return { set: Object.fromEntries(Object.entries(after).filter(isNew)), unset }
}

/** Whether both have the same under `name`, or both nothing: what an object inherits is none of it. */
export function isSameMember(one: Members, other: Members, name: string): boolean {
  return Object.hasOwn(one, name) === Object.hasOwn(other, name) && one[name] === other[name]
}

/** Whether that is so can be told of most values without making a text of them. */
function isTextOf(text: string, value: unknown): boolean {
  if (typeof value === 'string') {
    // Where nothing is escaped, the text is the value between quotes.
    return text.length === value.length + 2 && text[0] === '"' && !text.includes('\\') && text.startsWith(value, 1)
  }
  if (typeof value === 'number') return Number.isFinite(value) && text === String(value)
  return typeof value === 'boolean' && text === (value ? 'true' : 'false')
}

/** The value of a member. Throws `ERR_SESSION_DATA`, which says nothing of `text`, where that is no JSON. */
export function valueIn(name: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new SessionError(
      'ERR_SESSION_DATA',
      `${memberName(name)} can not be read, because the value in the store is not JSON; destroy this session`,
    )
  }
}

/** The values of `members`. Throws the same. */
export function dataFrom(members: Members): Data {
  return Object.fromEntries(Object.entries(members).map(([name, text]) => [name, valueIn(name, text)]))
}

/** The text of `value` as a member; `undefined` where JSON leaves it out. */
function textOfMember(name: string, value: unknown): string | undefined {
  if (typeof value === 'function') return undefined
  if (typeof value === 'number' && !Number.isFinite(value)) warnOfLoss(name, String(value))
  if ((typeof value !== 'object' && typeof value !== 'bigint') || value === null) return JSON.stringify(value)
  // Under its name, which a toJSON is given and an error says.
  const text = textOf({ [name]: value })
  return text === EMPTY ? undefined : text.slice(JSON.stringify(name).length + 2, -1)
}

function isLeftOut(name: string, session: object): boolean {
  return !Object.hasOwn(session, name) || textOfMember(name, (session as Data)[name]) === undefined
}
