import { type Found, type Loaded, maxAgeOf } from '../session/payload.ts'
import { fill, Session } from '../session/session.ts'
import { type Carrier, setsCookie } from './carrier.ts'
import { emitFault } from './events.ts'
import type { Scope } from './scope.ts'

/** What the client presented, and what was found behind it. Loaded once; an error is kept for who reads the session. */
export class Presented {
  /** The value that the request brings. */
  value: string | undefined
  /** Whether it was tried to load it. */
  isLoaded = false
  readonly #scope: Scope
  readonly #carrier: Carrier
  #loading: Promise<void> | undefined
  #found: Loaded | { readonly error: unknown } | undefined

  constructor(scope: Scope, carrier: Carrier) {
    this.#scope = scope
    this.#carrier = carrier
  }

  /** Loads it. A promise where that takes a round trip; it never rejects. */
  load(): Promise<void> | undefined {
    if (!this.#found) this.#loading ??= this.#load()
    return this.#loading
  }

  /** The session that it stands for, or a new one. Throws the error that kept it from being loaded. */
  open(): Session {
    if (!this.#scope.backend.waits) this.load()
    const found = this.#found
    if (found && 'error' in found) throw found.error
    const session = found?.payload && this.#resume(found)
    if (session) return session
    this.#scope.nameIt()
    return new Session(this.#scope, true)
  }

  #resume(found: Found): Session | undefined {
    const { ctx, known } = this.#scope
    const { payload, id } = found
    const session = new Session(this.#scope, false)
    if (known.resumed(found, fill(session, payload), session)) return session
    emitFault(ctx, { fault: 'invalid', id, value: payload })
    return undefined
  }

  #load(): Promise<void> | undefined {
    try {
      this.#scope.settings.refresh()
      const { ctx, config, settings, reply, backend } = this.#scope
      this.value = this.#carrier.read(ctx, settings)
      // Koa renews or clears a signature when it reads one: that response sets the cookie, too.
      if (ctx.res && setsCookie(ctx, config.key)) reply.attend(this.#scope)
      const loading = backend.load(this.#scope, this.value)
      if (loading instanceof Promise) return this.#wait(loading)
      this.#take(loading)
    } catch (error) {
      this.#settle({ error })
    }
    return undefined
  }

  async #wait(loading: Promise<Loaded>): Promise<void> {
    try {
      this.#take(await loading)
    } catch (error) {
      this.#settle({ error })
    }
  }

  #settle(found: Loaded | { readonly error: unknown }): void {
    if (this.#scope.backend.waits) this.#scope.discardEarly()
    this.#found = found
    this.isLoaded = true
  }

  #take(loaded: Loaded): void {
    this.#settle(loaded)
    if (loaded.payload) this.#scope.settings.maxAge = maxAgeOf(loaded.payload) ?? this.#scope.settings.maxAge
    if (loaded.fault && loaded.fault !== 'none') emitFault(this.#scope.ctx, loaded)
  }
}
