import type { Found, Loaded } from '../session/model.ts'
import { NOTHING } from '../session/payload.ts'
import { Session } from '../session/session.ts'
import { isStoreFailure } from './asked-store.ts'
import { setsCookie } from './carrier.ts'
import { emitRefused } from './events.ts'
import type { Scope } from './scope.ts'

/** What the client presented, and what was found behind it. Loaded once; an error is kept for who reads the session. */
export class Presented {
  /** The value that the request brings. */
  value: string | undefined
  readonly #scope: Scope
  #loading: Promise<void> | undefined
  #found: Loaded | { readonly error: unknown } | undefined
  /** Whether the store could not be read, and the option `onStoreError` has the request go on without. */
  isDegraded = false

  constructor(scope: Scope) {
    this.#scope = scope
  }

  /** Whether it was tried to load it. */
  get isLoaded(): boolean {
    return this.#found !== undefined
  }

  /** Loads it. A promise where that takes a round trip; it never rejects. */
  load(): Promise<void> | undefined {
    if (!this.#found) this.#loading ??= this.#load()
    return this.#loading
  }

  /** The session that it stands for, or a new one. Throws the error that kept it from being loaded. */
  open(): Session {
    const { backend } = this.#scope
    if (!backend.waits) this.load()
    const found = this.#found
    if (found && 'error' in found) throw found.error
    const session = found && !found.fault && this.#resume(found)
    if (session) return session
    backend.nameIt()
    return new Session(this.#scope, true)
  }

  #resume(found: Found): Session | undefined {
    const { ctx, backend } = this.#scope
    const session = new Session(this.#scope, false)
    if (backend.fill(session, found)) return session
    emitRefused(ctx, { fault: 'invalid', reason: 'undecodable', id: found.id, value: found.payload })
    return undefined
  }

  #load(): Promise<void> | undefined {
    try {
      this.#scope.settings.refresh()
      const { ctx, config, settings, reply, backend, carrier } = this.#scope
      const read = carrier.read(ctx, settings)
      // Koa renews or clears a signature when it reads one: that response sets the cookie, too.
      if (ctx.res && setsCookie(ctx, config.key)) reply.attend()
      if (typeof read === 'string') this.value = read
      const loading = typeof read === 'string' ? backend.load(read) : (read ?? NOTHING)
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
    const { backend, config } = this.#scope
    if (backend.waits) this.#scope.discardEarly()
    this.isDegraded = config.onStoreError === 'anonymous' && 'error' in found && isStoreFailure(found.error)
    this.#found = this.isDegraded ? NOTHING : found
    if (!this.isDegraded) return
    backend.giveWay()
    backend.giveUp(this.value)
  }

  #take(loaded: Loaded): void {
    this.#settle(loaded)
    if (!loaded.fault) this.#scope.settings.resume(loaded.lifetime)
    else if (loaded.reason) emitRefused(this.#scope.ctx, loaded)
    if (loaded.fault && loaded.isParallel) this.#scope.backend.giveWay()
  }
}
