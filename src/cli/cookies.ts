import { join } from '../codec/chunks.ts'
import { isValueAlone } from '../codec/cookie-header.ts'

/** Name and value together, in bytes: RFC 6265bis, 5.6. Browsers drop a larger cookie, and the middleware ignores it. */
export const LARGEST_COOKIE = 4096
/** The digit that a first piece begins with says how many there are. */
const FIRST_PIECE = /^[2-9]~/
const MOST_PIECES = 9

/** A cookie and its size in bytes, as browsers count: name and value, without the `=`. */
export interface Size {
  readonly name: string
  readonly bytes: number
}

/** What a text says of the session cookie `key`. */
export interface Presented {
  /** The value, joined where it came in pieces; `undefined` where a piece or all of it is missing. */
  readonly value: string | undefined
  readonly signature: string | undefined
  /** The cookies that carry the value. */
  readonly cookies: readonly Size[]
  /** The number of cookies that carry the value, or should. */
  readonly pieces: number
  /** The number of further cookies of the same name, which nobody reads. */
  readonly ignored: number
}

type Pair = readonly [name: string, value: string]

/** What `text`, a Cookie header, lines of Set-Cookie or a value alone, says of the session cookie `key`. */
export function presentedIn(text: string, key: string): Presented {
  const pairs = pairsIn(text, key)
  const find = (name: string) => pairs.find(pair => pair[0] === name)?.[1]
  const first = find(key)
  const pieces = first && FIRST_PIECE.test(first) ? Number(first[0]) : 1
  const names = Array.from({ length: pieces }, (_, at) => (at === 0 ? key : `${key}.${at}`))
  return {
    value: pieces > 1 ? join(String(first), number => find(`${key}.${number}`), MOST_PIECES) : first || undefined,
    signature: find(`${key}.sig`) || undefined,
    cookies: names.flatMap(name => sizeOf(name, find(name))),
    pieces,
    ignored: Math.max(pairs.filter(([name]) => name === key).length - 1, 0),
  }
}

function sizeOf(name: string, value: string | undefined): Size[] {
  return value ? [{ name, bytes: Buffer.byteLength(name + value) }] : []
}

/** As browsers' tools copy a line, and as `curl -v` prints it. */
const HEADER = /^(?:[<>] ?)?(set-)?cookie: */i

function pairsIn(text: string, key: string): Pair[] {
  const trimmed = text.trim()
  if (isValueAlone(trimmed, key)) return [[key, unquoted(trimmed)]]
  return trimmed.split(/[\r\n]+/).flatMap(line => {
    const [header = '', isSet] = HEADER.exec(line) ?? []
    const parts = line.slice(header.length).split(';').flatMap(pairOf)
    // What follows are attributes, and not cookies of the name `path`.
    return isSet ? parts.slice(0, 1) : parts
  })
}

function pairOf(part: string): Pair[] {
  const at = part.indexOf('=')
  return at < 0 ? [] : [[part.slice(0, at).trimStart(), unquoted(part.slice(at + 1))]]
}

/** As Koa's cookies take a value out of its quotes. */
function unquoted(value: string): string {
  return value[0] === '"' ? value.slice(1, -1) : value
}
