import type { ServerResponse } from 'node:http'

/** Who is told that the headers are about to leave. */
export interface HeadersListener {
  /** First, while they are as they were left; `cookiesReplaced`: an argument of `writeHead` replaced every Set-Cookie. */
  assess(cookiesReplaced: boolean): void
  /** Then, for what is to be done to them. */
  complete(): void
}

type WriteHead = (...line: unknown[]) => ServerResponse
type Hooked = ServerResponse & { [HOOK]?: Hook }

/** What `writeHead` was before, and who is told. It is opaque: who prints the response sees nothing of the session. */
class Hook {
  readonly #original: WriteHead
  readonly #listener: HeadersListener
  /** The other ones: an application has one kind of session, mostly, and a list for it would be most of this. */
  #others: HeadersListener[] | undefined

  constructor(original: WriteHead, listener: HeadersListener) {
    this.#original = original
    this.#listener = listener
  }

  get original(): WriteHead {
    return this.#original
  }

  add(listener: HeadersListener): void {
    this.#others ??= []
    this.#others.push(listener)
  }

  tell(cookiesReplaced: boolean): void {
    const others = this.#others ?? NOBODY
    this.#listener.assess(cookiesReplaced)
    // An iterator for each would be as much as the rest of this.
    for (let at = 0; at < others.length; at++) others[at]?.assess(cookiesReplaced)
    this.#listener.complete()
    for (let at = 0; at < others.length; at++) others[at]?.complete()
  }
}

const NOBODY: readonly HeadersListener[] = []
const HOOK = Symbol('koa-session.hook')

/**
 * Tells `listener` before the headers leave, however they do: every way out of a response, of node:http and of
 * node:http2, goes through `res.writeHead`. That is the one method that is wrapped, once per response, and it is put
 * back after.
 */
export function listen(res: ServerResponse, listener: HeadersListener): void {
  const known = (res as Hooked)[HOOK]
  if (known) {
    known.add(listener)
    return
  }
  ;(res as Hooked)[HOOK] = new Hook(res.writeHead as WriteHead, listener)
  res.writeHead = hooked as typeof res.writeHead
}

/** One function for all responses: a closure for each would be most of what a request takes here. */
function hooked(this: Hooked, ...line: unknown[]): ServerResponse {
  const hook = this[HOOK] as Hook
  const { original } = hook
  if (!this.headersSent) hook.tell(line.length > 1 && takeHeaders(this, line))
  const result = original.apply(this, line)
  // Not before it succeeded: after an error the response can still leave with other headers.
  if (this.writeHead === hooked) this.writeHead = original as typeof this.writeHead
  return result
}

/**
 * Moves the headers among the arguments of `writeHead` to the response, so that what is added to them is added to all.
 * Says whether there was a Set-Cookie among them.
 */
function takeHeaders(res: ServerResponse, line: unknown[]): boolean {
  const at = typeof line[1] === 'string' ? 2 : line[1] ? 1 : 2
  const headers = line[at]
  if (typeof headers !== 'object' || headers === null) return false
  const grouped = group(headers)
  // A list that is no list of headers: Node says so.
  if (!grouped) return false
  for (const [name, values] of grouped.values()) res.setHeader(name, values)
  line.length = at
  return grouped.has('set-cookie')
}

/** The headers by their lower-case name; a list of them may be flat or of pairs, and may name one twice. */
function group(headers: object): Map<string, [name: string, values: string | string[]]> | undefined {
  const pairs: unknown[] = Array.isArray(headers) ? headers : Object.entries(headers)
  const list = pairs.every(Array.isArray) ? pairs.flat() : pairs
  if (list.length % 2 === 1) return undefined
  const grouped = new Map<string, [string, string | string[]]>()
  for (let at = 0; at < list.length; at += 2) {
    const name = String(list[at])
    const known = grouped.get(name.toLowerCase())?.[1]
    // The types are Node's to check, in setHeader.
    const value = list[at + 1] as string
    grouped.set(name.toLowerCase(), [name, known === undefined ? value : [known, value].flat()])
  }
  return grouped
}
