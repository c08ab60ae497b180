import { memberName, quoted, SessionError } from '../errors.ts'
import { warnOnce } from '../warnings.ts'
import type { Data } from './model.ts'

/** What JSON loses of a value. */
interface Loss {
  readonly kind: string
  /** What to do instead, where it is an error; otherwise it is told in a warning. */
  readonly advice?: string
}

const PLAIN = 'keep plain data in the session: an array, an object, a string'
const PROMISE: Loss = { kind: 'a promise', advice: 'await it first, and keep its value' }

/** Whether `text`, the JSON text of some data, has a trace of what JSON loses. Most texts have none. */
export function mayHaveLosses(text: string): boolean {
  // What has no members; a number that is not finite, or a function in a list; a typed array.
  return (text.length > 2 && text.includes('{}')) || text.includes('null') || text.includes('{"0":')
}

/**
 * Looks at each value of `data`, which has a JSON text, for what JSON loses. Throws `ERR_SESSION_DATA`, naming the key,
 * for a Map, a Set and a promise. Raises the process warning `KOA_SESSION_LOSSY`, once for each key, for other things.
 */
export function checkLosses(data: Data): void {
  for (const key in data) {
    const value = data[key]
    const loss = typeof value === 'object' ? value && lossWithin(value) : lossOfNumber(value)
    if (loss?.advice) throw dataError(key, `${loss.kind}, which JSON turns into {}`, loss)
    if (loss) warnOfLoss(key, loss.kind)
  }
}

/** The first loss in `root` that is an error, or else any other. */
function lossWithin(root: object): Loss | undefined {
  // A list of what is still to be looked at instead of recursion: data nests deeper than the stack.
  const pending = [root]
  let found: Loss | undefined
  for (let object = pending.pop(); object; object = pending.pop()) {
    const loss = Array.isArray(object) ? lossInList(object, pending) : lossInObject(object, pending)
    if (loss?.advice) return loss
    found ??= loss
  }
  return found
}

function lossInList(list: unknown[] & { readonly toJSON?: unknown }, pending: object[]): Loss | undefined {
  if (typeof list.toJSON === 'function') return undefined
  let found: Loss | undefined
  for (const member of list) {
    if (typeof member !== 'object') found ??= lossOf(member)
    else if (member) pending.push(member)
  }
  return found
}

function lossInObject(object: object, pending: object[]): Loss | undefined {
  // To ask plain objects for these methods takes longer than to come upon them below.
  const isPlain = Object.getPrototypeOf(object) === Object.prototype
  if (!isPlain && hasMethod(object, 'toJSON')) return undefined
  if (!isPlain && hasMethod(object, 'then')) return PROMISE
  let found = isPlain ? undefined : lossOfKind(object)
  const before = pending.length
  for (const name in object) {
    if (!isPlain && !Object.hasOwn(object, name)) continue
    const member = (object as Data)[name]
    if (typeof member === 'object') {
      if (member) pending.push(member)
    } else if (typeof member === 'function' && name === 'toJSON') {
      pending.length = before
      return undefined
    } else if (typeof member === 'function' && name === 'then') found = PROMISE
    else found ??= lossOf(member)
  }
  return found
}

function hasMethod(object: object, name: string): boolean {
  return typeof (object as Data)[name] === 'function'
}

/** What JSON saves as the value that it holds. */
const UNBOXED: ReadonlySet<string> = new Set(['Number', 'String', 'Boolean'])

/** What is lost of an object that is not plain, beside its members. */
function lossOfKind(object: object): Loss | undefined {
  // The tag is the same in every realm.
  const tag = Object.prototype.toString.call(object).slice('[object '.length, -1)
  if (tag === 'Map' || tag === 'Set') return { kind: `a ${tag}`, advice: PLAIN }
  if (tag === 'Object' || UNBOXED.has(tag)) return undefined
  // An object of the application's own class is saved with its members, whatever its tag.
  const isLost = tag === 'Error' || ArrayBuffer.isView(object) || Object.keys(object).length === 0
  return isLost ? { kind: `${/^[AEIO]/.test(tag) ? 'an' : 'a'} ${tag}` } : undefined
}

function lossOf(member: unknown): Loss | undefined {
  const isLost = typeof member === 'function' || typeof member === 'symbol'
  return isLost ? { kind: `a ${typeof member}` } : lossOfNumber(member)
}

function lossOfNumber(value: unknown): Loss | undefined {
  return typeof value === 'number' && !Number.isFinite(value) ? { kind: String(value) } : undefined
}

/** Raises the warning that the session holds under `key` what JSON does not keep. */
export function warnOfLoss(key: string, kind: string): void {
  // The names of some keys come from a client: no line breaks in a log, and no long lines.
  const name = /^[\w$]{1,60}$/.test(key) ? `.${key}` : `[${quoted(key.slice(0, 60))}]`
  warnOnce('KOA_SESSION_LOSSY', `session${name} holds ${kind}, which JSON does not keep; ${PLAIN}`, 'Warning', name)
}

/** The error for what the session holds under `key`. */
function dataError(key: string, what: string, { advice = PLAIN }: Partial<Loss> = {}): SessionError {
  return new SessionError('ERR_SESSION_DATA', `${memberName(key)} holds ${what}; ${advice}`)
}

/** The error for what is under `key`, which JSON.stringify answered with `cause`. */
export function unjson(key: string, cause: unknown): SessionError {
  const isNodes = cause instanceof TypeError || cause instanceof RangeError
  const known = isNodes && UNHELD.find(([said]) => said.test(cause.message))
  if (known) return dataError(key, `${known[1]}, which JSON can not hold`)
  // What a toJSON throws may quote the data.
  const reason = { cause, isPrivate: () => true }
  return new SessionError(
    'ERR_SESSION_DATA',
    `${memberName(key)} can not be saved: its toJSON() or a getter threw`,
    reason,
  )
}

const UNHELD: readonly (readonly [said: RegExp, what: string])[] = [
  [/BigInt/, 'a BigInt'],
  [/circular|cyclic/, 'a cycle'],
  [/call stack/, 'too many levels'],
]
