import { textOrNothing } from '../session/changes.ts'
import { type Loaded, maxAgeOf, type Payload } from '../session/payload.ts'
import { dataOf, fill, Session } from '../session/session.ts'
import type { Backend } from './backend.ts'
import type { Carrier } from './carrier.ts'
import { emitFault } from './events.ts'
import type { Scope } from './scope.ts'

/** What the client presented, and what was found behind it. Loaded once; an error is kept for who reads the session. */
export class Presented {
  /** The value that the request brings. */
  value: string | undefined
  readonly #scope: Scope
  readonly #carrier: Carrier
  readonly #backend: Backend
  #loading: Promise<void> | undefined
  #found: Loaded | { readonly error: unknown } | undefined

  constructor(scope: Scope, carrier: Carrier, backend: Backend) {
    this.#scope = scope
    this.#carrier = carrier
    this.#backend = backend
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
    if (!this.#backend.waits) this.load()
    const found = this.#found
    if (found && 'error' in found) throw found.error
    const session = found?.payload && this.#resume(found.payload, found.id)
    if (session) return session
    this.#scope.nameIt()
    return new Session(this.#scope, true)
  }

  #resume(payload: Payload, id: string | undefined): Session | undefined {
    const { ctx, known, settings } = this.#scope
    const session = new Session(this.#scope, false)
    fill(session, payload)
    const text = textOrNothing(dataOf(session))
    if (text === undefined) {
      emitFault(ctx, { fault: 'invalid', id, value: payload })
      return undefined
    }
    known.resumed(text, payload, id)
    settings.maxAge = maxAgeOf(payload) ?? settings.maxAge
    return session
  }

  #load(): Promise<void> | undefined {
    try {
      this.value = this.#carrier.read(this.#scope.ctx, this.#scope.config)
      const loading = this.#backend.load(this.#scope, this.value)
      if (loading instanceof Promise) return this.#wait(loading)
      this.#take(loading)
    } catch (error) {
      this.#found = { error }
    }
    return undefined
  }

  async #wait(loading: Promise<Loaded>): Promise<void> {
    try {
      this.#take(await loading)
    } catch (error) {
      this.#found = { error }
    }
  }

  #take(loaded: Loaded): void {
    this.#found = loaded
    if (loaded.fault && loaded.fault !== 'none') emitFault(this.#scope.ctx, loaded)
  }
}
