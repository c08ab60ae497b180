import { orElse } from '../async.ts'
import type { Remembered } from '../codec/memory.ts'
import { type Config, checkMaxAge, resolveConfig } from '../config.ts'
import { optionError } from '../errors.ts'
import { createdAt, lifetimeFrom, maxAgeOf, metaOf } from '../session/lifetime.ts'
import type { Lifetime, MaxAge } from '../session/model.ts'
import type { Session } from '../session/session.ts'
import { heldBy, instantIn, type Mark, markIn } from './mark.ts'
import { hasSince, type Since, sinceFound, sinceOf } from './since.ts'

/** The options of one response: those of the middleware, and what this request made of them. */
export class Settings {
  /** The options as they were when the request began, or when `refresh()` was called last. */
  config: Config
  /** Whether the presented value was signed or sealed as it would not be now, so that it is sent anew. */
  isStale = false
  /** What is remembered of the presented value, where it was verified before. */
  remembered: Remembered | undefined
  /** What is to be remembered with the value that is sent next. */
  made: unknown
  /** Whether the handler has set a lifetime that is not saved yet. */
  isForced = false
  /** The lifetime that the handler has set for this session. It stays where other data are assigned. */
  own: MaxAge | undefined
  /** Whether the mark of `isFresh()` was ended, which is not saved yet. */
  isUnmarked = false
  #maxAge: MaxAge | undefined
  /** An instant, see `Meta`. */
  #created: number | undefined
  #mark: Mark | undefined
  /** The mark, and since when it counts, as client or store have them; and as the commit under way saves it. */
  #savedMark: Mark | undefined
  #since: Since | undefined
  #next: Since | undefined
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

  /** Has the lifetime that the handler sets. */
  choose(value: MaxAge): void {
    this.maxAge = value
    this.own = this.maxAge
    this.isForced = true
  }

  /** The lifetime that the handler has written to the view since it was shown, or saved, if it has. */
  get chosenMaxAge(): MaxAge | undefined {
    return this.#view && this.maxAge !== this.#shown ? this.maxAge : undefined
  }

  get createdAt(): number {
    this.#created ??= this.config.now()
    return this.#created
  }

  /** Whether who has `session` proved who they are within the last `milliseconds`. */
  isFresh(milliseconds: number, session: Session): boolean {
    const mark = this.#mark && heldBy(this.#mark, this.config, session)
    return mark !== undefined && Math.abs(this.config.now() - mark.at) <= milliseconds
  }

  /** Does `work`, which gives the session a new id; `isFresh`: for who has just proved who they are, unless that fails. */
  regenerating(isFresh: boolean, work: () => void | Promise<void>): void | Promise<void> {
    if (isFresh) this.#mark = { at: this.config.now(), holder: undefined, isOwn: true }
    else this.#unmark()
    return orElse<void>(work, error => {
      if (this.#mark?.isOwn) this.#mark = this.#savedMark
      throw error
    })
  }

  /** Other data were assigned. The lifetime stays, but for what the handler has set. */
  replaced(): void {
    this.isForced = false
    this.#unmark()
  }

  /** Ends the mark, where nobody says whose it is. */
  #unmark(): void {
    if (this.config.subject || !this.#mark) return
    this.#mark = undefined
    this.isUnmarked = true
  }

  /** The lifetime of `session`, which is saved now. `isAnew`: under a new id. */
  newLifetime(session: Session, isAnew = false): Lifetime {
    const { now: clock, absoluteTimeout, sealing, version } = this.config
    const now = clock()
    if (this.#mark) this.#mark = heldBy(this.#mark, this.config, session)
    const fresh = this.#mark?.at
    const saysMore = absoluteTimeout !== undefined || sealing !== undefined || fresh !== undefined
    this.#next = sinceOf(this.#since, this.config, session, now, isAnew)
    const since = this.#next?.at
    if (!saysMore && since === undefined && version === undefined) return lifetimeFrom(this.maxAge, now)
    // Where the clock was ahead when it was made, it is as if it were made now.
    const created = saysMore ? Math.min(this.createdAt, now) : undefined
    const meta = metaOf(created, fresh, since === undefined ? undefined : Math.min(since, now), version)
    const end = absoluteTimeout === undefined ? undefined : Number(created) + absoluteTimeout
    return lifetimeFrom(this.maxAge, now, meta, end)
  }

  /** The session was saved with `lifetime`. A lifetime that the handler has set since is still to be saved. */
  saved(lifetime: Lifetime): void {
    this.#shown = maxAgeOf(lifetime)
    if (this.isForced && this.maxAge === this.#shown) this.isForced = false
    this.isUnmarked = false
    this.#savedMark = this.#mark
    this.#since = this.#next
  }

  /** Has the lifetime of a session that was found. */
  resume(lifetime: Lifetime): void {
    // With `lazy` the handler may have set it before.
    const isKept = this.config.lazy && (this.own !== undefined || this.chosenMaxAge !== undefined)
    this.maxAge = isKept ? this.maxAge : (maxAgeOf(lifetime) ?? this.maxAge)
    this.#created = createdAt(lifetime)
  }

  /** Has what depends on who has `session`, which was found with `lifetime`. */
  resumeMark(lifetime: Lifetime, session: Session): void {
    const at = instantIn(lifetime)
    this.#mark = this.#savedMark = at === undefined ? undefined : markIn(session, at, this.config)
    this.#since = hasSince(lifetime, this.config) ? sinceFound(lifetime, this.config, session) : undefined
  }

  /** Has the lifetime of a session that has gone on meanwhile; `open` gives it as it was found. */
  catchUp(lifetime: Lifetime, open: () => Session): void {
    if (!this.isForced) this.maxAge = maxAgeOf(lifetime) ?? this.maxAge
    this.#since = hasSince(lifetime, this.config) ? sinceFound(lifetime, this.config, open()) : undefined
    if (this.#mark?.isOwn || this.isUnmarked) return
    const at = instantIn(lifetime)
    this.#mark = this.#savedMark = at === undefined ? undefined : markIn(open(), at, this.config)
  }

  /** What is saved from now on is another session, with the lifetime that is configured. */
  forget(): void {
    this.#mark = undefined
    this.begin()
  }

  /** The same, for whoever this request signs in after they proved who they are. */
  begin(): void {
    const { config } = this
    if (this.#view && this.#view.maxAge === this.#maxAge) this.#view.maxAge = config.maxAge
    this.#maxAge = this.own = this.#created = this.#since = this.#savedMark = undefined
    if (this.#mark?.holder !== undefined) this.#mark = undefined
    this.isForced = this.isUnmarked = false
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
    if (!this.#view) return
    const { sealing } = this.config
    const config = resolveConfig({ keys: sealing?.keys, ...this.#view })
    // What carries the cookie was made with the middleware: it would send what is to be sealed as plain text.
    if (Boolean(config.sealing) !== Boolean(sealing))
      throw optionError('seal', this.#view.seal, 'what the middleware was given, as it can not change for one response')
    this.config = config
  }
}
