import type { ServerResponse } from 'node:http'
import type { Carrier } from '../request/carrier.ts'
import type { Exchange, SessionEvent, Told } from '../request/exchange.ts'
import { type JarAccess, type Lines, NO_LINES } from '../request/jar.ts'
import type { Settings } from '../request/settings.ts'
import type { Refused } from '../session/model.ts'
import { forbidCaching, forbidSharing, isShared, variesByCookie, varyByCookie } from './cache.ts'
import { type HeadersListener, listen } from './headers.ts'
import { cookieLines, isOf, setCookieLines, without } from './set-cookie.ts'

/** The lines of a response that sends nothing, and deletes nothing. */
const UNSENT: Lines = []

/** One request and its `ServerResponse`: at most one value that it sends, and headers that keep it out of caches. */
export abstract class NodeExchange implements Exchange, JarAccess, HeadersListener {
  readonly ctx: unknown
  readonly settings: Settings
  jarState: unknown
  /** The value that this response sends. */
  sent: string | undefined
  readonly #res: ServerResponse | undefined
  readonly #carrier: Carrier
  #listener: { leave(): void } | undefined
  #lines: Lines = UNSENT
  /** Lines that the handler did not ask for: a shared cache that keeps the response is not to have them. */
  #unasked: Lines = NO_LINES
  /** The lines of others that were there when ours were written. */
  #others: Lines = NO_LINES
  /** Whether what was sent was lost with other headers. */
  #isLost = false
  #isUsed = false
  #isWatching = false
  /** Whether the request ended in an error, on which Koa deletes every header of the response. */
  #hasFailed = false

  /** `res`: a context that was made outside of a request may have none. */
  constructor(ctx: unknown, res: ServerResponse | undefined, carrier: Carrier, settings: Settings) {
    this.ctx = ctx
    this.settings = settings
    this.#res = res
    this.#carrier = carrier
  }

  receive(nth: number): string | Refused | undefined {
    // Not the list itself, to which a framework may add what it sets.
    const count = this.#res ? cookieLines(this.#res).length : 0
    const read = this.#carrier.read(this, nth)
    if (this.#res && this.#setsCookie(this.#res)) this.#noteUnasked(cookieLines(this.#res).slice(count))
    return read
  }

  /** To read a cookie may renew or delete its signature: that response sets the cookie, too. */
  #noteUnasked(lines: Lines): void {
    if (this.#carrier.usesCookies) this.#unasked = [...this.#unasked, ...lines]
    this.watchHeaders(this.#listener)
  }

  get hasLeft(): boolean {
    return this.#res?.headersSent ?? true
  }

  get sentBytes(): number {
    return this.sent === undefined ? 0 : Buffer.byteLength(this.#lines.map(line => line.split(';', 1)).join(''))
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

  abstract hears(type: Told['type']): boolean

  abstract emit(event: SessionEvent): void

  send(value: string, isUnasked = false): void {
    if (this.hasLeft) return
    this.#wrote(this.#carrier.write(this, value, this.#lines), value, isUnasked)
    // The response that was made for an upgrade: nobody sends it.
    if (this.#res?.socket === null && this.#res.req?.headers.upgrade !== undefined) this.emit({ type: 'late' })
  }

  clear(): void {
    if (this.hasLeft) return
    this.#wrote(this.#carrier.clear(this, this.#lines), undefined)
  }

  withdraw(): void {
    if (this.hasLeft || !this.#res) return
    setCookieLines(this.#res, [...without(cookieLines(this.#res), this.#lines)])
    this.#lines = UNSENT
    this.sent = undefined
  }

  checkSend(value: string): void {
    if (!this.hasLeft) this.#carrier.check(this, value)
  }

  #wrote(lines: Lines, value: string | undefined, isUnasked = false): void {
    this.#lines = lines
    this.#unasked = isUnasked ? lines : NO_LINES
    const present = this.#res ? cookieLines(this.#res) : NO_LINES
    this.#others = present.length === lines.length ? NO_LINES : without(present, lines)
    this.sent = value
    if (isUnasked) this.watchHeaders(this.#listener)
    this.#protect(lines.length > 0, lines.length > 0 && !isUnasked)
  }

  assess(cookiesReplaced: boolean): void {
    if (this.#lines === UNSENT || !this.#res) return
    const present = cookieLines(this.#res)
    const isReplaced = this.#carrier.usesCookies && (cookiesReplaced || !this.#isRemoved(present))
    this.#isLost = !this.#isThere(present) && (isReplaced || this.#isWiped(this.#res))
  }

  #isThere(present: Lines): boolean {
    return this.#lines.length > 0 && hasAll(present, this.#lines)
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
    this.#yieldToCaches(this.#res)
    // The signature alone may have been renewed, when it was read.
    const isSet = this.#isThere(cookieLines(this.#res)) || this.#setsCookie(this.#res)
    this.#protect(isSet, isSet)
    if (isSet && this.#isProtected) forbidSharing(this.#res)
  }

  /** Takes back what the handler did not ask for, where a shared cache may keep the response. */
  #yieldToCaches(res: ServerResponse): void {
    if (this.#unasked.length > 0 && isShared(res)) setCookieLines(res, without(cookieLines(res), this.#unasked))
  }

  #restore(res: ServerResponse): void {
    const present = cookieLines(res)
    if (this.#carrier.usesCookies) setCookieLines(res, [...present, ...without(this.#lines, present)])
    else if (this.sent === undefined) this.#carrier.clear(this, NO_LINES)
    else this.#carrier.write(this, this.sent, NO_LINES)
  }

  get #isProtected(): boolean {
    return this.settings.config.cacheHeaders && this.#carrier.usesCookies
  }

  #protect(varies: boolean, isSecret: boolean): void {
    if (!this.#res || !this.#isProtected) return
    if (this.#isUsed || varies) varyByCookie(this.#res)
    if (isSecret) forbidCaching(this.#res)
  }

  #setsCookie(res: ServerResponse): boolean {
    const lines = cookieLines(res)
    return lines.length > 0 && lines.some(line => isOf(this.settings.config.key, line))
  }

  /**
   * Whether the headers were deleted as a whole, as Koa does on an error, its own or one of a middleware further out. A
   * Set-Cookie alone that is gone was removed on purpose, for a response that is to be cached for example. Our Vary is
   * the mark that tells them apart; without it, an error status that nobody gave a Cache-Control has to do.
   */
  #isWiped(res: ServerResponse): boolean {
    const hasCacheControl = res.hasHeader('cache-control')
    if (this.#isProtected) return !variesByCookie(res) && (this.#hasFailed || !hasCacheControl)
    return this.#hasFailed || (res.statusCode >= 400 && !hasCacheControl)
  }
}

function hasAll(lines: Lines, others: Lines): boolean {
  for (let at = 0; at < others.length; at++) if (!lines.includes(others[at] as string)) return false
  return true
}
