import type { Context } from 'koa'
import type { Config } from '../config.ts'
import { SessionError } from '../errors.ts'
import type { MaxAge, Plan } from '../session/model.ts'
import { planCommit, SKIP } from '../session/plan.ts'
import { type CommitWork, Session, type SessionHost } from '../session/session.ts'
import { warnOnce } from '../warnings.ts'
import { Queue } from './await.ts'
import type { Backend } from './backend.ts'
import type { Carrier } from './carrier.ts'
import { changeHere } from './draft.ts'
import { emitError } from './events.ts'
import { isPublic } from './headers.ts'
import { extend, reasonToExtend } from './keep-alive.ts'
import type { Beginning, Parts } from './kind.ts'
import { Presented } from './presented.ts'
import { Reply } from './reply.ts'
import { Settings } from './settings.ts'

const AS_IT_IS: CommitWork = {}

/** One request's session: handed out, and committed. */
export class Scope implements SessionHost {
  readonly ctx: Context
  readonly presented: Presented
  readonly reply: Reply
  readonly settings: Settings
  readonly carrier: Carrier
  readonly backend: Backend
  /** Made when a commit has to be waited for, or was asked for before the last one. */
  #queue: Queue<CommitWork> | undefined
  #phase: Exclude<Beginning, 'thrown'> | 'skipped' | 'finishing' | 'failed'
  /** What the handler has; `undefined`: it did not ask, `null`: it removed the session. */
  #session: Session | null | undefined
  /** Whether the handler has set a lifetime, which is not saved yet. */
  isForced = false
  #isUsedSinceCommit = false

  constructor(ctx: Context, { config, carrier, backendFor }: Parts, beginning: Beginning) {
    this.#phase = beginning === 'thrown' ? 'done' : beginning
    this.ctx = ctx
    this.carrier = carrier
    this.settings = new Settings(config)
    this.backend = backendFor(this)
    this.presented = new Presented(this)
    this.reply = new Reply(this)
    this.reply.hasThrown = beginning === 'thrown'
  }

  get config(): Config {
    return this.settings.config
  }

  /** Begins the request, or leaves it without a session. A promise where it has to be loaded, which never rejects. */
  start(isSkipped: boolean): Promise<void> | undefined {
    this.#phase = isSkipped ? 'skipped' : 'running'
    if (isSkipped) return undefined
    if (this.config.rolling || this.config.renew) this.reply.attend()
    // What is read at once is read when it is asked for.
    return this.backend.waits ? this.presented.load() : undefined
  }

  /** Ends the request: waits for every commit, and commits. Throws what one of them threw that nobody waited for. */
  finish(): void | Promise<void> {
    if (this.#phase === 'skipped') return
    this.#phase = 'finishing'
    const { autoCommit, rolling, renew } = this.config
    const isInvolved = autoCommit && (this.#session !== undefined || rolling || renew)
    try {
      if (this.#queue) return this.#finishAfter(this.#queue, isInvolved ? this.#queue.turn(AS_IT_IS) : undefined)
      const committing = isInvolved ? this.work(AS_IT_IS) : undefined
      if (committing) return this.#finishAfter(this.#begin(committing), committing)
    } catch (error) {
      throw this.#failed(error)
    }
    this.#phase = 'done'
  }

  /** The queue of commits, in which `first` is under way. */
  #begin(first?: Promise<void>): Queue<CommitWork> {
    this.#queue ??= new Queue(this, first)
    return this.#queue
  }

  async #finishAfter(queue: Queue<CommitWork>, committing: void | Promise<void>): Promise<void> {
    try {
      await committing
      await queue.settle()
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
    return this.backend.id
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
    this.isForced = false
    if (value === null) this.settings.forget()
    this.#session = value && Object.assign(new Session(this, false), value)
    if (value) this.backend.nameIt()
  }

  get isDegraded(): boolean {
    return this.presented.isDegraded
  }

  get maxAge(): MaxAge {
    return this.settings.maxAge
  }

  set maxAge(value: MaxAge) {
    this.settings.maxAge = value
    this.isForced = true
  }

  /** Commits now, after the commits that are under way. */
  commit(work: CommitWork): Promise<void> {
    this.backend.waited = 0
    return this.#begin().add(work)
  }

  /** Looks at what is to be replaced, so that it is known whether that is a change. */
  #learn(isRemoved: boolean): void {
    const { maxAge } = this
    try {
      this.presented.open()
      this.settings.maxAge = maxAge
    } catch (cause) {
      // It can still be destroyed, whatever takes its place.
      this.backend.giveUp(this.presented.value)
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
    this.isForced = false
    this.backend.unname()
  }

  #use(): void {
    if (this.#phase === 'skipped') {
      throw this.#error('ERR_SESSION_SKIPPED', 'was used on a request that the option skip leaves out')
    }
    this.#isUsedSinceCommit = true
    this.reply.use()
    this.reply.attend()
  }

  #error(code: SessionError['code'], what: string, cause?: unknown): SessionError {
    return new SessionError(code, `ctx.${this.config.property} ${what}`, { cause })
  }

  /** One commit, see `commit()`. */
  work(work: CommitWork): void | Promise<void> {
    const [plan, session] = [this.#plan(work), this.#session]
    if (work.update && session) return this.#update(session, work.update)
    if (plan.action === 'destroy') return this.backend.destroy(session ?? undefined)
    if (plan.action === 'skip' || !session) return
    if (plan.action === 'replace') return this.backend.replace(session, work.keep)
    const isChanged = plan.reason === 'changed' || plan.reason === 'forced'
    return isChanged ? this.backend.save(session) : extend(this, session)
  }

  #update(session: Session, change: (draft: Session) => unknown): void | Promise<void> {
    if (this.backend.canUpdate) return this.backend.update(session, change)
    changeHere(this, session, change)
    return this.work(AS_IT_IS)
  }

  #plan({ save = false, regenerate = false }: CommitWork, isAhead = false): Plan {
    this.settings.refresh()
    this.#isUsedSinceCommit = false
    if (this.backend.waits && !this.presented.isLoaded) return SKIP
    const { rolling, renew } = this.config
    if (this.#session === undefined && (rolling || renew)) this.#wake()
    const [backend, session] = [this.backend, this.#session]
    if (session === undefined || (session === null && backend.done === 'ended')) return SKIP
    const difference = session ? backend.compare(session, isAhead) : 'removed'
    const forced = save || this.isForced
    return planCommit({ difference, isKnown: backend.isKnown, forced, regenerate, keepAlive: reasonToExtend(this) })
  }

  /** Opens a session that the handler did not ask for, where it is to be kept alive all the same. */
  #wake(): void {
    if (isPublic(this.ctx.res)) return
    try {
      this.#session = this.presented.open()
      // An error is thrown where the session is read; a page that does not read it is served.
    } catch {}
  }

  /** Called when the headers are about to leave: what the final commit would do to them is done now. */
  leave(): void {
    const isOver = this.#phase === 'finishing' || (this.#phase === 'done' && this.#isUsedSinceCommit)
    if ((this.#phase !== 'running' && !isOver) || !this.config.autoCommit) return
    try {
      const { action } = this.#plan(AS_IT_IS, true)
      if (action === 'skip' && !this.backend.isNewIdUnderWay) return
      this.backend.announce(action === 'destroy' ? null : (this.#session ?? null))
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
