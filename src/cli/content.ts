import { decodeText } from '../codec/json.ts'
import { createdAt, maxAgeOf } from '../session/lifetime.ts'
import type { MaxAge, Payload } from '../session/model.ts'
import { isPayload, METADATA } from '../session/payload.ts'
import type { Proof } from './proof.ts'

/** What a value stands for: the id of a stored session, or a whole one; no `payload` where it can't be decoded. */
export type Content =
  | { readonly mode: 'stored'; readonly id: string }
  | { readonly mode: 'cookie'; readonly payload?: Payload }

/** One of the data's keys. `bytes` is the size of its name and its value in JSON. */
export interface Entry {
  readonly name: string
  readonly bytes: number
  /** Only where the values are to be shown. */
  readonly value?: unknown
}

/** What a session says of itself; instants in milliseconds since the epoch. What it does not say is not there. */
export interface Description {
  readonly created?: number
  readonly expires?: number
  /** The idle lifetime in milliseconds, or until the browser closes. */
  readonly maxAge?: MaxAge
  /** When the visitor proved last who they are. */
  readonly fresh?: number
  /** The option `version` of the application that saved it. */
  readonly dataVersion?: number
  /** The largest first. */
  readonly data: readonly Entry[]
}

/** What is in `value`, or in what it was opened to; `undefined` where it is sealed. */
export function contentOf(value: string, { protection, opened }: Proof): Content | undefined {
  if (opened) return opened.isId ? { mode: 'stored', id: opened.text } : sessionIn(opened.text)
  if (protection === 'sealed') return undefined
  const text = decodeText(value)
  const session = sessionIn(text)
  // What begins as the JSON of a session does, and is none, has been cut off; no id looks like that.
  return session.payload || isJson(text) || /^\{"/.test(text) ? session : { mode: 'stored', id: value }
}

function sessionIn(text: string): Content & { readonly mode: 'cookie' } {
  const payload = parsed(text)
  return isPayload(payload) && depthOf(text) <= DEEPEST ? { mode: 'cookie', payload } : { mode: 'cookie' }
}

function isJson(text: string): boolean {
  return parsed(text) !== undefined
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** `JSON.stringify` throws somewhere above 5,000, for want of a stack; then the middleware refuses the session, too. */
const DEEPEST = 3000

/** How deep the JSON in `text` is nested. */
function depthOf(text: string): number {
  let depth = 0
  let deepest = 0
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[[\]{}]/g)) {
    if (token === '[' || token === '{') deepest = Math.max(deepest, ++depth)
    else if (token === ']' || token === '}') depth--
  }
  return deepest
}

/** What `payload` says; no value of its data, unless they are to be shown. */
export function describe(payload: Payload, show: boolean): Description {
  return defined({
    created: finite(createdAt(payload)),
    expires: finite(payload._expire),
    maxAge: maxAgeOf(payload),
    fresh: finite(payload._meta?.fresh),
    dataVersion: finite(payload._meta?.dataVersion),
    data: entriesOf(payload, show),
  })
}

function entriesOf(payload: Payload, show: boolean): Entry[] {
  return Object.entries(payload)
    .filter(([name]) => !METADATA.has(name))
    .map(([name, value]) => ({
      name,
      bytes: Buffer.byteLength(`${JSON.stringify(name)}:${JSON.stringify(value)}`),
      ...(show && { value }),
    }))
    .sort((one, other) => other.bytes - one.bytes)
}

function finite(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}

/** Without the members that are `undefined`, which JSON would leave out, too. */
function defined<Value extends object>(value: Value): Value {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as Value
}
