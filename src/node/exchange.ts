import type { ServerResponse } from 'node:http'
import type { Carrier } from '../request/carrier.ts'
import type { Exchange, SessionEvent } from '../request/exchange.ts'
import { type JarAccess, type Lines, NO_LINES } from '../request/jar.ts'
import type { Settings } from '../request/settings.ts'
import type { Refused } from '../session/model.ts'
import { forbidCaching, isShared, variesByCookie, varyByCookie } from './cache.ts'
import { type HeadersListener, listen } from './headers.ts'
import { cookieLines, isOf, setCookieLines, without } from './set-cookie.ts'

/** What an exchange needs of the framework around a `ServerResponse`. */
export interface NodeHost {
  /** Gives an event to the application that `ctx` belongs to. Never throws. */
  emit(ctx: unknown, event: SessionEvent): void
}

/** One request and its `ServerResponse`: at most one value that it sends, and headers that keep it out of caches. */
export class NodeExchange implements Exchange, JarAccess, HeadersListener {
  readonly ctx: unknown
  readonly settings: Settings
  jarState: unknown
  /** The value that this response sends. */
  sent: string | undefined
  readonly #res: ServerResponse | undefined
  readonly #carrier: Carrier
  readonly #host: NodeHost
  #listener: { leave(): void } | undefined
  #lines: Lines = NO_LINES
  /** The lines of others that were there when ours were written. */
  #others: Lines = NO_LINES
  /** Whether the value was sent, or deleted. */
  #isSent = false
  /** Whether what was sent was lost with other headers. */
  #isLost = false
  #isUsed = false
  #isWatching = false
  /** Whether the request ended in an error, on which Koa deletes every header of the response. */
  #hasFailed = false

  /** `host`: of the framework; `res`: a context that was made outside of a request may have none. */
  constructor(ctx: unknown, res: ServerResponse | undefined, host: NodeHost, carrier: Carrier, settings: Settings) {
    this.ctx = ctx
    this.settings = settings
    this.#res = res
    this.#carrier = carrier
    this.#host = host
  }

  receive(nth: number): string | Refused | undefined {
    const read = this.#carrier.read(this, nth)
    // A framework's cookies may renew or clear a signature when they read one: that response sets the cookie, too.
    if (this.#res && this.#setsCookie(this.#res)) this.watchHeaders(this.#listener)
    return read
  }

  get hasLeft(): boolean {
    return this.#res?.headersSent ?? true
  }

  get isShared(): boolean {
    return this.#res !== undefined && isShared(this.#res)
  }

  use(): void {
    this.#isUsed = true
  }

  watchHeaders(listener: { leave(): void } | undefined): void {
    const isWatching = this.#isWatching
    this.#isWatching = true
    this.#listener = listener ?? this.#listener
    if (!isWatching && this.#res) listen(this.#res, this)
  }

  fail(): void {
    this.#hasFailed = true
  }

  emit(event: SessionEvent): void {
    this.#host.emit(this.ctx, event)
  }

  send(value: string): void {
    if (this.hasLeft) return
    this.#wrote(this.#carrier.write(this, value, this.#lines), value)
  }

  clear(): void {
    if (this.hasLeft) return
    this.#wrote(this.#carrier.clear(this, this.#lines), undefined)
  }

  withdraw(): void {
    if (this.hasLeft || !this.#res) return
    setCookieLines(this.#res, [...without(cookieLines(this.#res), this.#lines)])
    this.#lines = NO_LINES
    this.#isSent = false
    this.sent = undefined
  }

  checkSend(value: string): void {
    if (!this.hasLeft) this.#carrier.check(this, value)
  }

  #wrote(lines: Lines, value: string | undefined): void {
    this.#lines = lines
    const present = this.#res ? cookieLines(this.#res) : NO_LINES
    this.#others = present.length === lines.length ? NO_LINES : without(present, lines)
    this.sent = value
    this.#isSent = true
    this.#protect(lines.length > 0)
  }

  assess(cookiesReplaced: boolean): void {
    if (!this.#isSent || !this.#res) return
    const present = cookieLines(this.#res)
    const isThere = this.#lines.length > 0 && hasAll(present, this.#lines)
    const isReplaced = this.#carrier.usesCookies && (cookiesReplaced || !this.#isRemoved(present))
    this.#isLost = !isThere && (isReplaced || this.#isWiped(this.#res))
  }

  /** Whether our lines were removed on purpose: nothing is left, or just what was there when ours were written. */
  #isRemoved(present: Lines): boolean {
    const { length } = present
    return length === 0 || (length === this.#others.length && present.every((line, at) => line === this.#others[at]))
  }

  complete(): void {
    const lines = this.#lines
    if (!this.#res) return
    try {
      this.#listener?.leave()
      if (this.#isLost && lines === this.#lines) this.#restore(this.#res)
    } catch (error) {
      // The response is on its way: it goes on, and the application is told.
      this.emit({ type: 'error', error })
    }
    // The signature alone may have been renewed, when it was read.
    this.#protect(this.#setsCookie(this.#res))
  }

  #restore(res: ServerResponse): void {
    const present = cookieLines(res)
    if (this.#carrier.usesCookies) setCookieLines(res, [...present, ...without(this.#lines, present)])
    else if (this.sent === undefined) this.#carrier.clear(this, NO_LINES)
    else this.#carrier.write(this, this.sent, NO_LINES)
  }

  #protect(isSet: boolean): void {
    if (!this.#res || !this.settings.config.cacheHeaders || !this.#carrier.usesCookies) return
    if (this.#isUsed || isSet) varyByCookie(this.#res)
    if (isSet) forbidCaching(this.#res)
  }

  #setsCookie(res: ServerResponse): boolean {
    const { key } = this.settings.config
    const lines = cookieLines(res)
    return lines.length > 0 && lines.some(line => isOf(key, line))
  }

  /**
   * Whether the headers were deleted as a whole, as Koa does on an error, its own or one of a middleware further out. A
   * Set-Cookie alone that is gone was removed on purpose, for a response that is to be cached for example. Our Vary is
   * the mark that tells them apart; without it, an error status that nobody gave a Cache-Control has to do.
   */
  #isWiped(res: ServerResponse): boolean {
    const hasCacheControl = res.hasHeader('cache-control')
    const hasMark = this.settings.config.cacheHeaders && this.#carrier.usesCookies
    if (hasMark) return !variesByCookie(res) && (this.#hasFailed || !hasCacheControl)
    return this.#hasFailed || (res.statusCode >= 400 && !hasCacheControl)
  }
}

function hasAll(lines: Lines, others: Lines): boolean {
  for (let at = 0; at < others.length; at++) if (!lines.includes(others[at] as string)) return false
  return true
}
