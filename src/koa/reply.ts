import type { Context } from 'koa'
import { type Carrier, setsCookie } from './carrier.ts'
import { emitLate } from './events.ts'
import {
  cookieLines,
  forbidCaching,
  type HeadersListener,
  listen,
  NO_LINES,
  setCookieLines,
  variesByCookie,
  varyByCookie,
} from './headers.ts'
import type { Settings } from './settings.ts'

/** What a response owes to the session: at most one value to carry, and headers that keep it out of caches. */
export class Reply implements HeadersListener {
  /** The value that this response sends to the client. */
  carried: string | undefined
  /** Whether the request ended in an error, on which Koa takes every header from the response. */
  hasThrown = false
  readonly #ctx: Context
  readonly #carrier: Carrier
  readonly #settings: Settings
  #lines: readonly string[] = NO_LINES
  /** Whether the value was sent, or taken back. */
  #isSent = false
  /** How the headers were left: whether what was sent is among them, and whether it was lost with others. */
  #isThere = false
  #isLost = false
  #isUsed = false
  /** Who is told that the headers are about to leave. */
  #scope: { leave(): void } | undefined
  #isLate = false

  constructor(ctx: Context, carrier: Carrier, settings: Settings) {
    this.#ctx = ctx
    this.#carrier = carrier
    this.#settings = settings
  }

  /** Lets `scope` know before the headers leave, and then sees to them. A context without a response has none. */
  attend(scope: { leave(): void }): void {
    if (this.#scope || !this.#ctx.res) return
    this.#scope = scope
    listen(this.#ctx.res, this)
  }

  /** Whether the headers have left, or there is no response that they could leave with. */
  get hasLeft(): boolean {
    return this.#ctx.res?.headersSent ?? true
  }

  /** Says that the response depends on the session. */
  use(): void {
    this.#isUsed = true
  }

  /** Sends `value`, in place of what this response sent before. Does nothing once the headers have left. */
  carry(value: string): void {
    this.#send(value)
  }

  /** Takes back what the client carries. Does nothing once the headers have left. */
  drop(): void {
    this.#send(undefined)
  }

  /** Says that what was changed can't be sent any more. */
  late(): void {
    if (!this.#isLate) emitLate(this.#ctx)
    this.#isLate = true
  }

  #send(value: string | undefined): void {
    if (this.hasLeft) return
    const { res } = this.#ctx
    const before = cookieLines(res)
    // A list of its own: ctx.cookies adds to the one on the response, which the handler may share between requests.
    if (before.length > 0) setCookieLines(res, [...without(before, this.#lines)])
    try {
      this.#lines = this.#write(value)
    } catch (error) {
      setCookieLines(res, before)
      throw error
    }
    this.carried = value
    this.#isSent = true
    this.#protect(this.#lines.length > 0)
  }

  #write(value: string | undefined): readonly string[] {
    if (value === undefined) return this.#carrier.clear(this.#ctx, this.#settings)
    return this.#carrier.write(this.#ctx, this.#settings, value)
  }

  assess(cookiesReplaced: boolean): void {
    if (!this.#isSent) return
    const { usesCookies } = this.#carrier
    const present = cookieLines(this.#ctx.res)
    this.#isThere = this.#lines.length > 0 && this.#lines.every(line => present.includes(line))
    this.#isLost = !this.#isThere && ((cookiesReplaced && usesCookies) || this.#isWiped())
  }

  complete(): void {
    const lines = this.#lines
    this.#scope?.leave()
    const isNew = lines !== this.#lines
    if (this.#isLost && !isNew) this.#restore()
    // The signature alone may have been renewed, when it was read.
    this.#protect(isNew || this.#isThere || this.#isLost || setsCookie(this.#ctx, this.#settings.config.key))
  }

  #restore(): void {
    const { res } = this.#ctx
    const present = cookieLines(res)
    if (this.#carrier.usesCookies) setCookieLines(res, [...present, ...without(this.#lines, present)])
    else this.#write(this.carried)
  }

  #protect(isSet: boolean): void {
    if (!this.#settings.config.cacheHeaders || !this.#carrier.usesCookies) return
    if (this.#isUsed || isSet) varyByCookie(this.#ctx.res)
    if (isSet) forbidCaching(this.#ctx.res)
  }

  /**
   * Whether the headers were taken away as a whole, as Koa does on an error, its own or one of a middleware further
   * out. A Set-Cookie alone that is gone was removed on purpose, for a response that is to be cached for example. Our
   * Vary is the mark that tells them apart; without it, an error status that nobody gave a Cache-Control has to do.
   */
  #isWiped(): boolean {
    const { res } = this.#ctx
    const hasCacheControl = res.hasHeader('cache-control')
    const hasMark = this.#settings.config.cacheHeaders && this.#carrier.usesCookies
    if (hasMark) return !variesByCookie(res) && (this.hasThrown || !hasCacheControl)
    return this.hasThrown || (res.statusCode >= 400 && !hasCacheControl)
  }
}

function without(lines: readonly string[], others: readonly string[]): readonly string[] {
  return lines.every(line => others.includes(line)) ? NO_LINES : lines.filter(line => !others.includes(line))
}
