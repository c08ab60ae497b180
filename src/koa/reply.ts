import type { Context } from 'koa'
import { type Carrier, linesOf } from './carrier.ts'
import { emitLate } from './events.ts'
import { beforeHeaders, cookieLines, forbidCaching, type Leaving, setCookieLines, varyByCookie } from './headers.ts'
import type { Settings } from './settings.ts'

/** What a response owes to the session: at most one value to carry, and headers that keep it out of caches. */
export class Reply {
  /** The value that this response sends to the client. */
  carried: string | undefined
  /** Whether the request ended in an error, on which Koa takes every header from the response. */
  hasThrown = false
  readonly #ctx: Context
  readonly #carrier: Carrier
  readonly #settings: Settings
  #lines: readonly string[] = []
  /** Sends the value once more. */
  #write: (() => unknown) | undefined
  #isUsed = false
  #isHooked = false
  #isLate = false

  constructor(ctx: Context, carrier: Carrier, settings: Settings) {
    this.#ctx = ctx
    this.#carrier = carrier
    this.#settings = settings
  }

  /** Lets `scope` know before the headers leave, and then sees to them. A context without a response has none. */
  attend(scope: { leave(): void }): void {
    if (this.#isHooked || !this.#ctx.res) return
    this.#isHooked = true
    beforeHeaders(this.#ctx.res, leaving => {
      scope.leave()
      this.#complete(leaving)
    })
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
    const { config, maxAge } = this.#settings
    if (this.#send(() => this.#carrier.write(this.#ctx, config, value, maxAge))) this.carried = value
  }

  /** Takes back what the client carries. Does nothing once the headers have left. */
  drop(): void {
    if (this.#send(() => this.#carrier.clear(this.#ctx, this.#settings.config))) this.carried = undefined
  }

  /** Says that what was changed can't be sent any more. */
  late(): void {
    if (!this.#isLate) emitLate(this.#ctx)
    this.#isLate = true
  }

  #send(write: () => readonly string[]): boolean {
    if (this.hasLeft) return false
    const { res } = this.#ctx
    const before = cookieLines(res)
    // A list of its own: ctx.cookies adds to the one on the response, which the handler may share between requests.
    if (before.length > 0) setCookieLines(res, [...without(before, this.#lines)])
    try {
      this.#lines = write()
      this.#write = write
    } catch (error) {
      setCookieLines(res, before)
      throw error
    }
    this.#protect(this.#lines.length > 0)
    return true
  }

  #complete(leaving: Leaving): void {
    const { res } = this.#ctx
    const present = cookieLines(res)
    const missing = without(this.#lines, present)
    const isWiped = this.#isWiped(leaving)
    const isRestored = missing.length > 0 && (leaving.cookiesReplaced || isWiped)
    if (isRestored) setCookieLines(res, [...present, ...missing])
    if (isWiped && !this.#carrier.usesCookies) this.#write?.()
    // The signature alone may have been renewed, when it was read.
    this.#protect(isRestored || (present.length > 0 && linesOf(this.#ctx, this.#settings.config.key).length > 0))
  }

  #protect(setsCookie: boolean): void {
    if (!this.#settings.config.cacheHeaders || !this.#carrier.usesCookies) return
    if (this.#isUsed || setsCookie) varyByCookie(this.#ctx.res)
    if (setsCookie) forbidCaching(this.#ctx.res)
  }

  /**
   * Whether the headers were taken away as a whole, as Koa does on an error, its own or one of a middleware further
   * out. A Set-Cookie alone that is gone was removed on purpose, for a response that is to be cached for example. Our
   * Vary is the mark that tells them apart; without it, an error status that nobody gave a Cache-Control has to do.
   */
  #isWiped({ variesByCookie, hasCacheControl }: Leaving): boolean {
    const hasMark = this.#settings.config.cacheHeaders && this.#carrier.usesCookies
    if (hasMark) return !variesByCookie && (this.hasThrown || !hasCacheControl)
    return this.hasThrown || (this.#ctx.res.statusCode >= 400 && !hasCacheControl)
  }
}

function without(lines: readonly string[], others: readonly string[]): readonly string[] {
  return lines.length === 0 ? lines : lines.filter(line => !others.includes(line))
}
