import { type Config, checkMaxAge, resolveConfig } from '../config.ts'
import type { MaxAge } from '../session/payload.ts'
import type { KoaCookies } from './cookies.ts'

/** The options of one response: those of the middleware, and what this request made of them. */
export class Settings {
  /** The options as they were when the request began, or when `refresh()` was called last. */
  config: Config
  /** What Koa's cookies are made of, as it was when they were used first. */
  koaCookies: KoaCookies | undefined
  #maxAge: MaxAge | undefined
  #view: Record<string, unknown> | undefined

  constructor(config: Config) {
    this.config = config
  }

  /** The idle lifetime of this session: set by the handler, stored with the session, or configured. */
  get maxAge(): MaxAge {
    return this.#view ? checkMaxAge(this.#view.maxAge) : (this.#maxAge ?? this.config.maxAge)
  }

  /** Throws `ERR_SESSION_OPTION` for what is not a lifetime. */
  set maxAge(value: MaxAge) {
    this.#maxAge = checkMaxAge(value)
    if (this.#view) this.#view.maxAge = this.#maxAge
  }

  /** What `ctx.sessionOptions` gives: an object that can be written to, for this response. */
  get view(): Record<string, unknown> {
    if (!this.#view) {
      const { cookie, ...options } = this.config
      this.#view = { ...options, ...cookie, maxAge: this.maxAge }
    }
    return this.#view
  }

  /** Takes up what was written to the view. Throws `ERR_SESSION_OPTION`. */
  refresh(): void {
    if (this.#view) this.config = resolveConfig(this.#view)
  }
}
