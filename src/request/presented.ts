import { andThen } from '../async.ts'
import type { Found, Loaded, Refused } from '../session/model.ts'
import { NOTHING } from '../session/payload.ts'
import { Session, type SessionHost } from '../session/session.ts'
import type { Backend } from './backend.ts'
import { isStored } from './carriers.ts'
import { notLoaded, orError, propertyError } from './property-error.ts'
import { isStoreFailure } from './store-failure.ts'

type Known = Loaded | { readonly error: unknown }

/** What the client presented, and what was found behind it. Loaded once; an error is kept for who reads the session. */
export class Presented {
  readonly #backend: Backend
  /** A promise while it is being loaded. */
  #found: Known | Promise<void> | undefined
  /** Whether the request goes on without: the store could not be read (`onStoreError`), or the data is of a newer version. */
  isDegraded = false
  /** Whether a session was assigned in its place that could not be looked at, because it was not loaded. */
  isPending = false

  constructor(backend: Backend) {
    this.#backend = backend
  }

  /** Whether it was tried to load it. */
  get isLoaded(): boolean {
    return this.#known !== undefined
  }

  get #known(): Known | undefined {
    return this.#found instanceof Promise ? undefined : this.#found
  }

  /** What was found, now that somebody asks: what takes no round trip is loaded by that. */
  #ask(): Known | undefined {
    const { waits, settings } = this.#backend
    if (!waits || (settings.config.lazy && this.#backend.answersAtOnce)) this.load()
    return this.#known
  }

  /** Loads it. A promise where that takes a round trip; it never rejects. */
  load(): Promise<void> | undefined {
    if (!this.#found) this.#found = this.#load() ?? this.#found
    return this.#found instanceof Promise ? this.#found : undefined
  }

  /** The session that it stands for, or a new one. Throws what kept it from being loaded, and `ERR_SESSION_NOT_LOADED`. */
  open(host: SessionHost): Session {
    const { config } = this.#backend.settings
    const found = this.#ask()
    if (!found && config.lazy) throw notLoaded(config)
    if (found && 'error' in found) throw found.error
    const session = found && !found.fault && this.#resume(found, host)
    if (session) return session
    // It is made with the session, not at its commit (as in 7.x).
    void this.#backend.id
    return new Session(host, true)
  }

  /** The same for a session that the handler did not ask for; nothing where it can't be had, or is not to be sent. */
  openUnasked(host: SessionHost): Session | undefined {
    if (this.#backend.exchange.isShared) return undefined
    try {
      return this.open(host)
    } catch {
      // The error is thrown where the session is read; a page that does not read it is served.
      return undefined
    }
  }

  /**
   * Looks at what is to be replaced, so that it is known whether that is a change. What has to be loaded first, by the option
   * `lazy`, is looked at later. Throws `ERR_SESSION_STORE`.
   */
  look(host: SessionHost, isRemoved: boolean): void {
    const { settings } = this.#backend
    const { chosenMaxAge, config } = settings
    if (config.lazy && !this.#ask()) {
      this.isPending = true
      return
    }
    try {
      this.open(host)
      // What was chosen for the response holds for a session that begins in its place, too.
      if (chosenMaxAge !== undefined) Object.assign(isRemoved ? settings.view : settings, { maxAge: chosenMaxAge })
    } catch (cause) {
      // A cookie that can't be read is replaced; what a store could not give may be somebody's data.
      if (isRemoved || !isStored(config)) return
      const what = 'can not be replaced, because what the store has could not be read'
      throw propertyError(config, 'ERR_SESSION_STORE', what, cause)
    }
  }

  /** Loads it, and looks at it where that is pending. What the handler has set meanwhile stays. */
  loadAndLook(host: SessionHost, isRemoved: () => boolean, drop: () => unknown): void | Promise<void> {
    return andThen(this.load(), () => {
      if (!this.isPending) return
      const { settings } = this.#backend
      const { isForced, maxAge, own } = settings
      this.isPending = false
      try {
        this.look(host, isRemoved())
      } catch (error) {
        drop()
        throw error
      }
      if (isRemoved()) settings.forget()
      else settings.replaced()
      if (own !== undefined) settings.choose(maxAge)
      settings.isForced = isForced
    })
  }

  #resume(found: Found, host: SessionHost): Session | undefined {
    const session = new Session(host, false)
    if (this.#backend.fill(session, found)) {
      this.#backend.settings.resumeMark(found.lifetime, session)
      return session
    }
    this.#backend.settings.forget()
    const refused = { fault: 'invalid', reason: 'undecodable', id: found.id, value: found.payload } as const
    this.#backend.exchange.emit({ type: 'refused', refused })
    return undefined
  }

  #load(): Promise<void> | undefined {
    try {
      this.#backend.settings.refresh()
      const loading = this.#find(0, undefined)
      if (loading instanceof Promise)
        return loading.then(found => this.#settle(found)).catch(error => this.#fail(error))
      this.#settle(loading)
    } catch (error) {
      this.#fail(error)
    }
    return undefined
  }

  /** What is behind the first good value that is alive; of the others none is told, where there is one. */
  #find(nth: number, first: Refused | undefined): Loaded | Promise<Loaded> {
    const read = this.#backend.exchange.receive(nth)
    if (typeof read !== 'string') return first ?? read ?? NOTHING
    const loading = this.#backend.load(read)
    if (loading instanceof Promise) return loading.then(found => this.#judged(found, nth, first))
    return this.#judged(loading, nth, first)
  }

  #judged(loaded: Loaded, nth: number, first: Refused | undefined): Loaded | Promise<Loaded> {
    const isDead = loaded.fault === 'missed' || loaded.fault === 'expired'
    // Of several that are dead, one whose session has another id by now says most.
    const telling = loaded.fault && loaded.isParallel && !first?.isParallel ? loaded : (first ?? loaded)
    return isDead ? this.#find(nth + 1, telling as Refused) : loaded
  }

  #settle(loaded: Loaded): void {
    this.#has(loaded)
    if (!loaded.fault) this.#backend.settings.resume(loaded.lifetime)
    else if (loaded.reason) this.#backend.exchange.emit({ type: 'refused', refused: loaded })
    if (loaded.fault && loaded.isEnded && this.#backend.exchange.hears('ended')) {
      const { id, subject } = loaded
      this.#backend.exchange.emit({ type: 'ended', id, subject, reason: 'revoked' })
    }
    if (loaded.fault && loaded.reason === 'newer') {
      this.isDegraded = true
      this.#backend.setAside('newer')
    }
    if (loaded.fault && loaded.isParallel) this.#backend.setAside('superseded', loaded.id)
  }

  #fail(error: unknown): void {
    this.isDegraded = this.#backend.settings.config.onStoreError === 'anonymous' && isStoreFailure(error)
    this.#has(this.isDegraded ? NOTHING : { error: orError(error) })
    this.#backend.setAside('unread')
  }

  #has(found: Known): void {
    this.#found = found
    if (this.#backend.settings.config.lazy) this.#backend.discardEarly()
  }
}
