import { type Config, checkMaxAge, resolveConfig } from '../config.ts'
import { createdAt, lifetimeFrom, maxAgeOf } from '../session/lifetime.ts'
import type { Lifetime, MaxAge } from '../session/model.ts'

/** The options of one response: those of the middleware, and what this request made of them. */
export class Settings {
  /** The options as they were when the request began, or when `refresh()` was called last. */
  config: Config
  /** Whether the presented value was signed or sealed as it would not be now, so that it is sent anew. */
  isStale = false
  /** Whether the handler has set a lifetime that is not saved yet. */
  isForced = false
  #maxAge: MaxAge | undefined
  /** Instants, see `Meta`. */
  #created: number | undefined
  #fresh: number | undefined
  #view: Record<string, unknown> | undefined
  /** The lifetime in the view, as far as it is not the handler's. */
  #shown: MaxAge | undefined

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
    if (this.#view) this.#view.maxAge = this.#shown = this.#maxAge
  }

  /** The lifetime that the handler has written to the view, if it has. */
  get chosenMaxAge(): MaxAge | undefined {
    return this.#view && this.#view.maxAge !== this.#shown ? this.maxAge : undefined
  }

  get createdAt(): number {
    this.#created ??= this.config.now()
    return this.#created
  }

  isFresh(milliseconds: number): boolean {
    return this.#fresh !== undefined && Math.abs(this.config.now() - this.#fresh) <= milliseconds
  }

  freshen(): void {
    this.#fresh = this.config.now()
  }

  /** The lifetime of a session that is saved now. */
  newLifetime(): Lifetime {
    const { now: clock, absoluteTimeout, sealing } = this.config
    const now = clock()
    const saysMore = absoluteTimeout !== undefined || sealing !== undefined || this.#fresh !== undefined
    if (!saysMore) return lifetimeFrom(this.maxAge, now)
    // Where the clock was ahead when it was made, it is as if it were made now.
    const created = Math.min(this.createdAt, now)
    const meta = this.#fresh === undefined ? { created } : { created, fresh: this.#fresh }
    return lifetimeFrom(this.maxAge, now, meta, created + (absoluteTimeout ?? Number.POSITIVE_INFINITY))
  }

  /** The session was saved with `lifetime`. A lifetime that the handler has set since is still to be saved. */
  saved(lifetime: Lifetime): void {
    if (this.isForced && this.maxAge === maxAgeOf(lifetime)) this.isForced = false
  }

  /** Has the lifetime of a session that was found. */
  resume(lifetime: Lifetime): void {
    const fresh = lifetime._meta?.fresh
    this.maxAge = maxAgeOf(lifetime) ?? this.maxAge
    this.#created = createdAt(lifetime)
    this.#fresh = Number.isFinite(fresh) ? fresh : undefined
  }

  /** The same, of a session that has gone on meanwhile. */
  catchUp(lifetime: Lifetime): void {
    const fresh = lifetime._meta?.fresh
    if (!this.isForced) this.maxAge = maxAgeOf(lifetime) ?? this.maxAge
    if (Number.isFinite(fresh)) this.#fresh = Math.max(this.#fresh ?? 0, Number(fresh))
  }

  /** What is saved from now on is another session, with the lifetime that is configured. */
  forget(): void {
    const { config } = this
    if (this.#view && this.#view.maxAge === this.#maxAge) this.#view.maxAge = config.maxAge
    this.#maxAge = this.#created = this.#fresh = undefined
    this.isForced = false
  }

  /** What `ctx.sessionOptions` gives: an object that can be written to, for this response. It does not show the secrets. */
  get view(): Record<string, unknown> {
    if (!this.#view) {
      const { cookie, codec: _, sealing: __, keys: ___, ...options }: Config & { readonly keys?: unknown } = this.config
      this.#shown = this.maxAge
      this.#view = { ...options, ...cookie, maxAge: this.#shown }
    }
    return this.#view
  }

  /** Resolves what was written to the view. Throws `ERR_SESSION_OPTION`. */
  refresh(): void {
    if (this.#view) this.config = resolveConfig({ keys: this.config.sealing?.keys, ...this.#view })
  }
}
