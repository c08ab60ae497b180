import { setsCookie } from '../koa/carrier.ts'
import { emitLate } from '../koa/events.ts'
import type { Scope } from '../request/scope.ts'
import {
  cookieLines,
  forbidCaching,
  type HeadersListener,
  listen,
  NO_LINES,
  setCookieLines,
  variesByCookie,
  varyByCookie,
  without,
} from './headers.ts'

/** What a response owes to the session: at most one value to carry, and headers that keep it out of caches. */
export class Reply implements HeadersListener {
  /** The value that this response sends to the client. */
  carried: string | undefined
  /** Whether the request ended in an error, on which Koa takes every header from the response. */
  hasThrown = false
  readonly #scope: Scope
  #lines: readonly string[] = NO_LINES
  /** Whether the value was sent, or taken back. */
  #isSent = false
  /** How the headers were left: whether what was sent is among them, was lost with others, or neither. */
  #fate: 'there' | 'lost' | 'none' = 'none'
  #isUsed = false
  #isAttending = false
  #isLate = false

  constructor(scope: Scope) {
    this.#scope = scope
  }

  /** Lets the scope know before the headers leave, and then sees to them. A context without a response has none. */
  attend(): void {
    const { res } = this.#scope.ctx
    if (this.#isAttending || !res) return
    this.#isAttending = true
    listen(res, this)
  }

  /** Whether the headers have left, or there is no response that they could leave with. */
  get hasLeft(): boolean {
    return this.#scope.ctx.res?.headersSent ?? true
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

  /** Does not send what was to be sent, where it is not too late. */
  withdraw(): void {
    if (this.hasLeft) return
    const { res } = this.#scope.ctx
    setCookieLines(res, [...without(cookieLines(res), this.#lines)])
    this.#lines = NO_LINES
    this.#isSent = false
  }

  /** Says that what was changed can't be sent any more. */
  late(): void {
    if (!this.#isLate) emitLate(this.#scope.ctx)
    this.#isLate = true
  }

  #send(value: string | undefined): void {
    if (this.hasLeft) return
    this.#lines = this.#write(value)
    this.carried = value
    this.#isSent = true
    this.#protect(this.#lines.length > 0)
  }

  #write(value: string | undefined): readonly string[] {
    const { carrier, ctx, settings } = this.#scope
    if (value === undefined) return carrier.clear(ctx, settings, this.#lines)
    return carrier.write(ctx, settings, value, this.#lines)
  }

  assess(cookiesReplaced: boolean): void {
    if (!this.#isSent) return
    const { usesCookies } = this.#scope.carrier
    const present = cookieLines(this.#scope.ctx.res)
    const isThere = this.#lines.length > 0 && hasAll(present, this.#lines)
    const isLost = !isThere && ((cookiesReplaced && usesCookies) || this.#isWiped())
    this.#fate = isThere ? 'there' : isLost ? 'lost' : 'none'
  }

  complete(): void {
    const lines = this.#lines
    this.#scope.leave()
    const isNew = lines !== this.#lines
    if (this.#fate === 'lost' && !isNew) this.#restore()
    // The signature alone may have been renewed, when it was read.
    this.#protect(isNew || this.#fate !== 'none' || setsCookie(this.#scope.ctx, this.#scope.config.key))
  }

  #restore(): void {
    const { res } = this.#scope.ctx
    const present = cookieLines(res)
    if (this.#scope.carrier.usesCookies) setCookieLines(res, [...present, ...without(this.#lines, present)])
    else this.#write(this.carried)
  }

  #protect(isSet: boolean): void {
    if (!this.#scope.config.cacheHeaders || !this.#scope.carrier.usesCookies) return
    if (this.#isUsed || isSet) varyByCookie(this.#scope.ctx.res)
    if (isSet) forbidCaching(this.#scope.ctx.res)
  }

  /**
   * Whether the headers were taken away as a whole, as Koa does on an error, its own or one of a middleware further
   * out. A Set-Cookie alone that is gone was removed on purpose, for a response that is to be cached for example. Our
   * Vary is the mark that tells them apart; without it, an error status that nobody gave a Cache-Control has to do.
   */
  #isWiped(): boolean {
    const { res } = this.#scope.ctx
    const hasCacheControl = res.hasHeader('cache-control')
    const hasMark = this.#scope.config.cacheHeaders && this.#scope.carrier.usesCookies
    if (hasMark) return !variesByCookie(res) && (this.hasThrown || !hasCacheControl)
    return this.hasThrown || (res.statusCode >= 400 && !hasCacheControl)
  }
}

function hasAll(lines: readonly string[], others: readonly string[]): boolean {
  for (let at = 0; at < others.length; at++) if (!lines.includes(others[at] as string)) return false
  return true
}
