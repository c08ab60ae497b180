import type { Context } from 'koa'
import type { Config } from '../config.ts'
import { SessionError, warnOnce } from '../errors.ts'
import { type MaxAge, type Payload, pack } from '../session/payload.ts'
import { type Plan, planCommit, SKIP } from '../session/plan.ts'
import { type CommitOptions, Session, type SessionHost, type Snapshot, snapshot } from '../session/session.ts'
import { Queue } from './await.ts'
import type { Backend } from './backend.ts'
import { isPublic } from './headers.ts'
import type { Kind } from './kind.ts'
import { Known } from './known.ts'
import { Presented } from './presented.ts'
import { Reply } from './reply.ts'
import { Settings } from './settings.ts'

/** One request's session: handed out, and committed. What changes while a request runs is here. */
export class Scope implements SessionHost {
  readonly ctx: Context
  readonly kind: Kind
  readonly presented: Presented
  readonly reply: Reply
  readonly settings: Settings
  readonly known = new Known()
  readonly backend: Backend
  readonly #queue = new Queue()
  #phase: 'early' | 'skipped' | 'running' | 'finishing' | 'done' | 'failed' = 'early'
  /** What the handler has; `undefined`: it did not ask, `null`: it removed the session. */
  #session: Session | null | undefined
  #planned: Snapshot | undefined
  #isForced = false
  #isUsedSinceCommit = false

  constructor(ctx: Context, kind: Kind) {
    const { config, carrier, backendFor } = kind.parts()
    this.ctx = ctx
    this.kind = kind
    this.settings = new Settings(config)
    this.backend = backendFor(ctx)
    this.presented = new Presented(this, carrier)
    this.reply = new Reply(ctx, carrier, this.settings)
  }

  get config(): Config {
    return this.settings.config
  }

  /** Whether a middleware has begun with this request, or left it out. */
  get isRunning(): boolean {
    return this.#phase !== 'early'
  }

  /** Begins the request. A promise where the session has to be loaded first; it never rejects. */
  start(): Promise<void> | undefined {
    this.#phase = 'running'
    if (this.config.rolling || this.config.renew) this.reply.attend(this)
    return this.load()
  }

  /** Loads what takes a round trip. What is read at once is read when it is asked for. */
  load(): Promise<void> | undefined {
    return this.backend.waits ? this.presented.load() : undefined
  }

  /** Leaves this request without a session. */
  skip(): void {
    this.#phase = 'skipped'
  }

  /** Ends the request: waits for every commit, and commits. Throws what one of them threw that nobody waited for. */
  async finish(): Promise<void> {
    try {
      this.#phase = 'finishing'
      const { autoCommit, rolling, renew } = this.config
      const isInvolved = autoCommit && (this.#session !== undefined || rolling || renew)
      if (isInvolved) await this.#queue.turn(() => this.#commit({}))
      await this.#queue.settle()
      this.#phase = 'done'
    } catch (error) {
      this.#fail()
      throw error
    }
  }

  get id(): string | undefined {
    return this.known.id
  }

  get session(): Session | null {
    this.#use()
    if (this.#session === undefined) this.#session = this.presented.open()
    return this.#session
  }

  set session(value: unknown) {
    if (typeof value !== 'object') {
      throw this.#error('ERR_SESSION_VALUE', `was set to a ${typeof value}, expected null or an object`)
    }
    this.#use()
    if (this.#session === undefined) this.#learn(value === null)
    this.#isForced = false
    this.#session = value && Object.assign(new Session(this, false), value)
    if (value) this.nameIt()
  }

  /** Gives the session an id, where it needs one and has none. */
  nameIt(): string {
    this.known.id ??= this.backend.newId(this)
    return this.known.id ?? ''
  }

  get maxAge(): MaxAge {
    return this.settings.maxAge
  }

  set maxAge(value: MaxAge) {
    this.settings.maxAge = value
    this.#isForced = true
  }

  /** Commits now, after the commits that are under way. */
  commit(options: CommitOptions): Promise<void> {
    return this.#queue.add(() => this.#commit(options))
  }

  /** `session` as it is to be put to rest now. */
  atRest(session: Session): { readonly text: string; readonly changed: boolean; readonly payload: Payload } {
    this.#isForced = false
    const { data, text } = (!this.config.beforeSave && this.#planned) || snapshot(session)
    return { text, changed: text !== this.known.text, payload: pack(data, this.maxAge, this.config.now()) }
  }

  /** Looks at what is to be replaced, so that it is known whether that is a change. */
  #learn(isRemoved: boolean): void {
    const { maxAge } = this
    try {
      this.presented.open()
      this.settings.maxAge = maxAge
    } catch (cause) {
      // What could not be read can still be destroyed, whatever takes its place.
      this.known.replacedId = this.presented.value
      // A cookie that can't be read is replaced; what a store could not give may be somebody's data.
      if (isRemoved || !this.backend.waits) return
      throw this.#error('ERR_SESSION_STORE', 'could not be read, so it can not be replaced', cause)
    }
  }

  /** Throws away what was made of the session before it was loaded. */
  discardEarly(): void {
    if (this.#session?.populated) {
      warnOnce('KOA_SESSION_EARLY', `what ctx.${this.config.property} got before its middleware is not saved`)
    }
    this.#session = undefined
    this.#isForced = false
    this.known.id = undefined
  }

  #use(): void {
    if (this.#phase === 'skipped') {
      throw this.#error('ERR_SESSION_SKIPPED', 'was used on a request that the option skip leaves out')
    }
    this.#isUsedSinceCommit = true
    this.reply.use()
    this.reply.attend(this)
  }

  #error(code: SessionError['code'], what: string, cause?: unknown): SessionError {
    return new SessionError(code, `ctx.${this.config.property} ${what}`, { cause })
  }

  #commit(options: CommitOptions): void | Promise<void> {
    const plan = this.#plan(options)
    const session = this.#session
    if (plan.action === 'destroy') return this.backend.destroy(this)
    if (plan.action === 'skip' || !session) return
    if (plan.action === 'replace') return this.backend.replace(this, session)
    try {
      return this.backend.save(this, session)
    } catch (error) {
      // What is only to live longer stays as it is: where cookies are not signed, a stranger chose its size.
      const isTooLarge = error instanceof SessionError && error.code === 'ERR_SESSION_TOO_LARGE'
      if (!isTooLarge || plan.reason === 'changed' || plan.reason === 'forced') throw error
    }
  }

  #plan({ save = false, regenerate = false }: CommitOptions): Plan {
    this.settings.refresh()
    this.#isUsedSinceCommit = false
    if (this.backend.waits && !this.presented.isLoaded) return SKIP
    if (this.#session === undefined) this.#wake()
    const session = this.#session
    const { known } = this
    if (session === undefined || (session === null && known.isForgotten)) return SKIP
    this.#planned = session ? snapshot(session) : undefined
    const { rolling, renew, now } = this.config
    return planCommit(
      {
        before: known.text,
        after: this.#planned?.text ?? null,
        forced: save || this.#isForced,
        regenerate,
        keepAlive: known.isKeptAlive ? 'no' : rolling ? 'rolling' : renew ? 'renew' : 'no',
        maxAge: this.maxAge,
        expiresAt: known.expiresAt,
      },
      now(),
    )
  }

  /** Opens a session that the handler did not ask for, where it is to be kept alive all the same. */
  #wake(): void {
    if (!this.config.rolling && !this.config.renew) return
    if (isPublic(this.ctx.res)) return
    try {
      this.#session = this.presented.open()
    } catch {
      // It is thrown where the session is read; a page that does not read it is served.
    }
  }

  /** Called when the headers are about to leave: what the final commit would do to them is done now. */
  leave(): void {
    const isOver = this.#phase === 'finishing' || (this.#phase === 'done' && this.#isUsedSinceCommit)
    if ((this.#phase !== 'running' && !isOver) || !this.config.autoCommit) return
    try {
      const { action } = this.#plan({})
      if (action === 'skip' && !this.known.isNewIdUnderWay) return
      this.backend.announce(this, action === 'destroy' ? null : (this.#session ?? null))
      // Changed after the final commit began.
      if (isOver) this.commit({}).catch(error => this.report(error))
    } catch (error) {
      this.#fail()
      this.report(error)
    }
  }

  #fail(): void {
    this.#phase = 'failed'
    this.reply.hasThrown = true
  }

  /** Tells the application of an error that nobody can be given. Koa takes nothing but an `Error`. */
  report(error: unknown): void {
    const cause = error instanceof Error ? error : new Error('non-error thrown by a commit', { cause: error })
    this.ctx.app.emit('error', cause, this.ctx)
  }
}
