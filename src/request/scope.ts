import { andThen, promised } from '../async.ts'
import type { Plan } from '../session/model.ts'
import { SKIP } from '../session/plan.ts'
import { type CommitWork, Session } from '../session/session.ts'
import { isSessionValue } from '../session/value.ts'
import type { Backend } from './backend.ts'
import { changeHere } from './draft.ts'
import type { Beginning } from './exchange.ts'
import { Host } from './host.ts'
import { holdsChange, operationOf, perform, planFor } from './keep-alive.ts'
import { Presented } from './presented.ts'
import { badValue, orError, skipped, warnOfEarly, warnOfLost } from './property-error.ts'
import { Queue } from './queue.ts'
import { type About, COMMIT, isHeard, traceCommit } from './tracing.ts'

/** The commit that nobody asked for, and one that somebody did. */
const [FINAL, ASKED]: readonly [CommitWork, CommitWork] = [{}, {}]

/** One request's session: handed out, and committed. */
export class Scope extends Host {
  protected readonly backend: Backend
  readonly #presented: Presented
  #queue: Queue<CommitWork> | undefined
  #phase: Exclude<Beginning, 'thrown'> | 'skipped' | 'finishing' | 'failed'
  /** What the handler has; `undefined`: it did not ask, `null`: it removed the session. */
  #session: Session | null | undefined
  #isUsedSinceCommit = false

  constructor(backend: Backend, beginning: Beginning) {
    super()
    this.#phase = beginning === 'thrown' ? 'done' : beginning
    this.backend = backend
    this.#presented = new Presented(backend)
    if (beginning === 'thrown') backend.exchange.fail()
  }

  /** Begins the request, or leaves it without a session. A promise where it has to be loaded, which never rejects. */
  start(isSkipped: boolean): void | Promise<void> {
    this.#phase = isSkipped ? 'skipped' : 'running'
    if (isSkipped) return undefined
    if (this.settings.config.rolling || this.settings.config.renew) this.backend.exchange.watchHeaders(this)
    // What is read at once is read when it is asked for.
    return this.backend.waits && !this.settings.config.lazy ? this.load() : undefined
  }

  /** Loads what the client presented. A promise where that takes a round trip. Only with `lazy` it may reject. */
  load(): void | Promise<void> {
    if (this.settings.config.lazy) {
      this.#use()
      return this.#look()
    }
    if (this.#presented.isLoaded) return undefined
    if (this.backend.waits) this.#discardEarly()
    return this.#presented.load()?.then(() => this.#discardEarly())
  }

  /** Loads it, and looks at it where a session was assigned before that. One that can't take its place is dropped. */
  #look(): void | Promise<void> {
    const isRemoved = () => this.#session === null || this.renewal !== undefined
    return this.#presented.loadAndLook(this, isRemoved, () => (this.#session = undefined))
  }

  /** Ends the request: waits for every commit, and commits. Throws what one of them threw that nobody waited for. */
  finish(): void | Promise<void> {
    if (this.#phase === 'skipped') return
    this.#phase = 'finishing'
    try {
      this.settings.refresh()
      const { autoCommit, rolling, renew } = this.settings.config
      const isInvolved = autoCommit && (this.#session !== undefined || rolling || Boolean(renew))
      const committing = isInvolved && (this.#queue ? this.#queue.turn(FINAL) : this.work(FINAL))
      if (this.#queue || committing) return this.#finishAfter(this.#begin(committing), committing)
    } catch (error) {
      return this.#finishFailed(error)
    }
    return this.#finished()
  }

  /** The queue of commits, in which `first` is under way. */
  #begin(first?: false | void | Promise<void>): Queue<CommitWork> {
    this.#queue ??= new Queue(this, first || undefined)
    return this.#queue
  }

  async #finishAfter(queue: Queue<CommitWork>, committing: false | void | Promise<void>): Promise<void> {
    try {
      await committing
      await queue.settle()
    } catch (error) {
      return this.#finishFailed(error)
    }
    return this.#finished()
  }

  #finished(): void | Promise<void> {
    const { config } = this.settings
    if (!config.autoCommit && this.backend.exchange.hasLeft && this.#isUncommitted) warnOfLost(config, false)
    const finishing = this.backend.finish(this.#session ?? undefined)
    if (finishing) return finishing.then(() => this.#end())
    this.#phase = 'done'
  }

  #finishFailed(error: unknown): void | Promise<void> {
    this.#phase = 'failed'
    this.backend.exchange.fail()
    return andThen(this.backend.finish(this.#session ?? undefined), () => this.#end(orError(error)))
  }

  /** Koa answers nothing once the headers have left, so that an error that it is given leaves the client waiting. */
  #end(error?: unknown): void {
    if (error === undefined) this.#phase = 'done'
    else if (!this.backend.exchange.hasLeft) throw error
    else this.backend.exchange.emit({ type: 'error', error })
  }

  /** Ends a request whose handler threw: its error is what the request ends with. */
  async finishThrown(): Promise<void> {
    this.backend.exchange.fail()
    await promised(() => this.finish()).catch(error => this.backend.exchange.emit({ type: 'error', error }))
  }

  get session(): Session | null {
    this.#use()
    if (this.#session === undefined) this.#session = this.#presented.open(this)
    if (this.#phase === 'done' && this.backend.exchange.hasLeft) this.#tellLater()
    return this.#session
  }

  set session(value: unknown) {
    if (value !== null && !isSessionValue(value)) throw badValue(this.settings.config, value)
    // Nobody commits it any more, and nothing could be sent.
    if (this.#phase === 'done' && this.backend.exchange.hasLeft) this.backend.exchange.emit({ type: 'late' })
    this.#use()
    if (this.#session === undefined) this.#presented.look(this, value === null)
    const isToEnd = this.#session === null
    const isRenewed = value !== null && (isToEnd || (this.backend.isGone && !this.renewal))
    if (value === null || isRenewed) this.settings.forget()
    else this.settings.replaced()
    const session = value && Object.assign(new Session(this, false), value)
    // Not where that threw: the data that is still there would begin a session, though another request has ended theirs.
    if (isRenewed) this.renewal = { isToEnd, isAsked: false }
    this.#session = session
    if (value) void this.id
  }

  get isDegraded(): boolean {
    return this.#presented.isDegraded
  }

  /** Commits now, after the commits that are under way. */
  commit(work: CommitWork): Promise<void> {
    this.backend.beginPatience()
    if (this.renewal) this.renewal.isAsked = true
    return this.#begin().add(work)
  }

  /** Throws away what was made of the session before it was loaded. */
  #discardEarly(): void {
    if (this.#session === undefined) return
    if (this.#session?.populated) warnOfEarly(this.settings.config)
    this.#session = this.renewal = undefined
    if (this.#presented.isLoaded) this.settings.isForced = false
    else this.settings.forget()
    this.backend.discardEarly()
  }

  #use(): void {
    if (this.#phase === 'skipped') throw skipped(this.settings.config)
    this.#isUsedSinceCommit = true
    this.backend.exchange.use()
    this.backend.exchange.watchHeaders(this)
  }

  /** One commit, see `commit()`. */
  work(work: CommitWork): void | Promise<void> {
    return isHeard(COMMIT) ? traceCommit(this.backend, about => this.#work(work, about)) : this.#work(work)
  }

  #work(work: CommitWork, about?: About): void | Promise<void> {
    if (this.#presented.isPending && (this.#session || this.backend.isPresented))
      return andThen(this.#look(), () => this.#work(work, about))
    if (this.renewal) this.backend.renew(this.renewal.isToEnd, this.renewal.id)
    this.renewal = undefined
    const [plan, session, backend] = [this.#plan(work), this.#session, this.backend]
    about?.(operationOf(plan, work, backend))
    if (work.update && session) {
      if (backend.canUpdate) return backend.update(session, work.update)
      changeHere(session, work.update)
      return this.#work(ASKED, about)
    }
    if (!work.regenerate) return perform(plan, session, work, work === FINAL, backend)
    return this.settings.regenerating(work.fresh === true, () => perform(plan, session, work, false, backend))
  }

  #plan({ save = false, regenerate = false }: CommitWork): Plan {
    this.settings.refresh()
    this.#isUsedSinceCommit = false
    if (this.backend.waits && !this.#presented.isLoaded && !this.#presented.isPending) return SKIP
    const { rolling, renew } = this.settings.config
    if (this.#session === undefined && (rolling || renew)) this.#session = this.#presented.openUnasked(this)
    const session = this.#session
    if (session === undefined || (session === null && this.backend.done === 'ended')) return SKIP
    return planFor(session, save, regenerate, this.backend)
  }

  /** Whether there are changes that no commit has taken. */
  get #isUncommitted(): boolean {
    if (this.#session === undefined || !this.#isUsedSinceCommit || this.#queue?.isBusy) return false
    const isUnknown = (this.#phase === 'early' && this.backend.waits) || this.#presented.isPending
    return isUnknown || this.renewal !== undefined || holdsChange(() => this.#plan(FINAL))
  }

  /** After a next() that nobody awaits: what is changed in this tick is seen in the next. */
  #tellLater(): void {
    setImmediate(() => this.#isUncommitted && this.backend.exchange.emit({ type: 'late' }))
  }

  /** Called when the headers are about to leave: what has to leave with them is sent, and what the handler changed is saved. */
  leave(): void {
    const isRunning = this.#phase === 'running'
    if (isRunning) this.settings.refresh()
    const isOver = this.#phase === 'finishing' || (this.#phase === 'done' && this.#isUsedSinceCommit)
    const { autoCommit } = this.settings.config
    const isLost = this.#phase === 'early' || (this.#phase === 'done' && !autoCommit)
    if (isLost && this.#isUncommitted) warnOfLost(this.settings.config, this.#phase === 'early')
    if (autoCommit && (isRunning || isOver)) {
      // The headers are on their way: the response goes on, whatever becomes of the session.
      this.#begin()
        .add(FINAL)
        .catch(error => this.backend.exchange.emit({ type: 'error', error }))
    }
    if (!this.#queue?.isBusy) return
    // The commit that ends it, or begins another one, is still to come.
    const isEnding = this.#session === null || this.renewal?.isToEnd
    if (this.#session?.populated && (autoCommit || this.renewal?.isAsked)) this.backend.leave(this.renewal?.id)
    else if (isEnding && autoCommit && this.backend.done !== 'ended') this.backend.exchange.clear()
    else this.backend.leave()
  }
}
