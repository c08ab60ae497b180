import type { Context } from 'koa'
import type { Config } from '../config.ts'
import { SessionError, warnOnce } from '../errors.ts'
import { lifetimeFrom, type MaxAge } from '../session/payload.ts'
import { type Plan, planCommit, SKIP } from '../session/plan.ts'
import { type CommitOptions, Session, type SessionHost, type Snapshot, snapshot } from '../session/session.ts'
import { Queue } from './await.ts'
import type { AtRest, Backend } from './backend.ts'
import { emitError } from './events.ts'
import { isPublic } from './headers.ts'
import type { Beginning, Parts } from './kind.ts'
import { Known } from './known.ts'
import { Presented } from './presented.ts'
import { Reply } from './reply.ts'
import { Settings } from './settings.ts'

const AS_IT_IS: CommitOptions = {}

/** One request's session: handed out, and committed. What changes while a request runs is here. */
export class Scope implements SessionHost {
  readonly ctx: Context
  readonly presented: Presented
  readonly reply: Reply
  readonly settings: Settings
  readonly known = new Known()
  readonly backend: Backend
  readonly #queue = new Queue<CommitOptions>(this)
  #phase: Exclude<Beginning, 'thrown'> | 'skipped' | 'finishing' | 'failed'
  /** What the handler has; `undefined`: it did not ask, `null`: it removed the session. */
  #session: Session | null | undefined
  #planned: Snapshot | undefined
  #isForced = false
  #isUsedSinceCommit = false

  constructor(ctx: Context, { config, carrier, backendFor }: Parts, beginning: Beginning) {
    this.#phase = beginning === 'thrown' ? 'done' : beginning
    this.ctx = ctx
    this.settings = new Settings(config)
    this.backend = backendFor(ctx)
    this.presented = new Presented(this, carrier)
    this.reply = new Reply(ctx, carrier, this.settings)
    this.reply.hasThrown = beginning === 'thrown'
  }

  get config(): Config {
    return this.settings.config
  }

  /** Begins the request, or leaves it without a session. A promise, where it has to be loaded; it never rejects. */
  start(isSkipped: boolean): Promise<void> | undefined {
    this.#phase = isSkipped ? 'skipped' : 'running'
    if (isSkipped) return undefined
    if (this.config.rolling || this.config.renew) this.reply.attend(this)
    return this.load()
  }

  /** Loads what takes a round trip. What is read at once is read when it is asked for. */
  load(): Promise<void> | undefined {
    return this.backend.waits ? this.presented.load() : undefined
  }

  /** Ends the request: waits for every commit, and commits. Throws what one of them threw that nobody waited for. */
  finish(): void | Promise<void> {
    if (this.#phase === 'skipped') return
    this.#phase = 'finishing'
    const { autoCommit, rolling, renew } = this.config
    const isInvolved = autoCommit && (this.#session !== undefined || rolling || renew)
    try {
      const committing = isInvolved ? this.#queue.turn(AS_IT_IS) : undefined
      if (committing || this.#queue.isUsed) return this.#finishAfter(committing)
    } catch (error) {
      throw this.#failed(error)
    }
    this.#phase = 'done'
  }

  async #finishAfter(committing: void | Promise<void>): Promise<void> {
    try {
      await committing
      await this.#queue.settle()
    } catch (error) {
      throw this.#failed(error)
    }
    this.#phase = 'done'
  }

  /** Ends a request whose handler threw: its error is what the request ends with. */
  async finishThrown(): Promise<void> {
    this.reply.hasThrown = true
    try {
      await this.finish()
    } catch (failure) {
      emitError(this.ctx, failure)
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
    return this.#queue.add(options)
  }

  /** `session` as it is to be put to rest now. */
  atRest(session: Session): AtRest {
    this.#isForced = false
    const { data, text } = (!this.config.beforeSave && this.#planned) || snapshot(session)
    const lifetime = lifetimeFrom(this.maxAge, this.config.now())
    return { data, text, lifetime }
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

  /** One commit, see `commit()`. */
  work(options: CommitOptions): void | Promise<void> {
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
    const { rolling, renew, now } = this.config
    if (this.#session === undefined && (rolling || renew)) this.#wake()
    const { known } = this
    const session = this.#session
    if (session === undefined || (session === null && known.isForgotten)) return SKIP
    const forced = save || this.#isForced
    const keepAlive = known.isKeptAlive ? 'no' : rolling ? 'rolling' : renew ? 'renew' : 'no'
    if (session && !forced && !regenerate && keepAlive === 'no' && known.hasAll(session)) return SKIP
    this.#planned = session ? snapshot(session) : undefined
    const after = this.#planned?.text ?? null
    const isChanged = after !== null && !known.hasText(after)
    const { isKnown, expiresAt } = known
    const { maxAge } = this
    return planCommit({ after, isKnown, isChanged, forced, regenerate, keepAlive, maxAge, expiresAt }, now())
  }

  /** Opens a session that the handler did not ask for, where it is to be kept alive all the same. */
  #wake(): void {
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
      const { action } = this.#plan(AS_IT_IS)
      if (action === 'skip' && !this.known.isNewIdUnderWay) return
      this.backend.announce(this, action === 'destroy' ? null : (this.#session ?? null))
      // Changed after the final commit began.
      if (isOver) this.commit(AS_IT_IS).catch(error => emitError(this.ctx, error))
    } catch (error) {
      emitError(this.ctx, this.#failed(error))
    }
  }

  #failed(error: unknown): unknown {
    this.#phase = 'failed'
    this.reply.hasThrown = true
    return error
  }
}
