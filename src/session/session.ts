import { checkFunction, checkMilliseconds, optionsFor } from './arguments.ts'
import { valueIn } from './members.ts'
import type { CommitCallback, CommitOptions, Data, MaxAge, Members, Payload, RegenerateOptions } from './model.ts'
import { METADATA } from './payload.ts'

/** What a commit may be asked for from inside. */
export interface CommitWork extends CommitOptions, RegenerateOptions {
  /** Saves what this changes in a draft of the session, see `Session.update`. */
  readonly update?: (draft: Session) => unknown
}

/** What a session needs of the request that it belongs to. */
export interface SessionHost {
  readonly id: string | undefined
  readonly handle: string | undefined
  readonly isDegraded: boolean
  maxAge: MaxAge
  readonly settings: {
    readonly createdAt: number
    /** Whether who has `session` proved who they are within the last `milliseconds`. */
    isFresh(milliseconds: number, session: Session): boolean
  }
  commit(work: CommitWork): Promise<void>
}

/**
 * The object behind `ctx.session`: the application's data are its own properties, the rest comes from here.
 * A method can be shadowed by a function of the same name, which is not saved; assigning anything else to one
 * of these names throws a `TypeError`, because it could neither be saved nor read back.
 */
export class Session {
  readonly #host: SessionHost
  readonly #isNew: boolean

  /** @internal */ constructor(host: SessionHost, isNew: boolean) {
    this.#host = host
    this.#isNew = isNew
  }

  /** An empty session of the same request. @internal */
  static beside(session: Session): Session {
    return new Session(session.#host, false)
  }

  /** Whether this session began with this request. `false` after `ctx.session = {…}`, as in 7.x. */
  get isNew(): boolean {
    return this.#isNew
  }

  /**
   * The idle lifetime in milliseconds, or `'session'`: until the browser closes. Setting it saves the session,
   * even an empty one, with that lifetime from now on; 0 and `undefined` stand for one day, as in 7.x.
   * Throws `ERR_SESSION_OPTION` for what is not a lifetime.
   */
  get maxAge(): MaxAge {
    return this.#host.maxAge
  }

  set maxAge(value: MaxAge | undefined) {
    this.#host.maxAge = value as MaxAge
  }

  /** The id under which the store keeps this session; `undefined` when it lives in the cookie. */
  get externalKey(): string | undefined {
    return this.#host.id
  }

  /** The handle of this session, as `store.list()` gives it; `undefined` when it lives in the cookie. */
  get handle(): string | undefined {
    return this.#host.handle
  }

  /** The number of properties that the session holds. */
  get length(): number {
    return Object.keys(dataOf(this)).length
  }

  /** Whether the session holds anything. */
  get populated(): boolean {
    return this.length > 0
  }

  save(callback: CommitCallback): void
  /** Saves this session now, even when it is empty or has not changed. Rejects as the commit fails, see `SessionErrorCode`. */
  save(): Promise<void>
  save(callback?: CommitCallback): Promise<void> | void {
    checkFunction('save', 'callback', callback)
    return settle(this.#host.commit({ save: true }), callback)
  }

  regenerate(callback: CommitCallback): void
  /**
   * Gives this session a new id, now, and forgets the old one; the data stays, or what of it `keep` names. Call it at
   * sign-in (ASVS 7.2.4), with `fresh` there and where somebody proves anew who they are. Throws `ERR_SESSION_OPTION`, rejects as `save()`.
   */
  regenerate(options?: RegenerateOptions): Promise<void>
  regenerate(given?: RegenerateOptions | CommitCallback | null): Promise<void> | void {
    const [options, callback] = typeof given === 'function' ? [undefined, given] : [given]
    const { fresh, keep } = optionsFor('regenerate', options)
    if (keep) for (const name of Object.keys(dataOf(this))) if (!keep.includes(name)) Reflect.deleteProperty(this, name)
    return settle(this.#host.commit({ regenerate: true, fresh, keep }), callback)
  }

  /**
   * The instant at which this session was made, in milliseconds since the epoch. It is exact with the options
   * `absoluteTimeout` or `seal`, and once the session was marked as fresh; otherwise it is that of the last save, which
   * is all that the names of 7.x tell.
   */
  get createdAt(): number {
    return this.#host.settings.createdAt
  }

  /**
   * Whether the visitor proved who they are within the last `milliseconds`, as `regenerate({ fresh: true })` marked it:
   * for asking again before what matters (ASVS 7.5.1, 7.5.3). The mark ends when the session is another `subject`'s.
   * Without that option it ends with `ctx.session = null` or `= {…}`, without data, and by `regenerate()` without `fresh`.
   */
  isFresh(milliseconds: number): boolean {
    checkMilliseconds('isFresh', milliseconds)
    return this.#host.settings.isFresh(milliseconds, this)
  }

  /**
   * Changes the session as it is by now, in one atomic step with saving it. `change` is given a draft of it, in which is
   * what this request has changed, and again a newer one if another request has saved in between: so it changes its draft
   * and nothing else, and is not async. The session is as the draft then. In a store that is written to key by key and has
   * versions; elsewhere the last save wins. A session that another request has ended stays so (`session:gone`).
   * Rejects with what `change` throws, `ERR_SESSION_ASYNC`, and `ERR_SESSION_CONFLICT` after a hundred attempts.
   */
  update(change: (draft: Session) => unknown): Promise<void> {
    checkFunction('update', 'change', change)
    return this.#host.commit({ update: change })
  }

  /** Whether it is empty and never saved: the store could not be read, or a newer `version` has saved the data. */
  get degraded(): boolean {
    return this.#host.isDegraded
  }

  /** Commits now what the end of the request would commit: for the option `autoCommit: false`. Rejects as `save()` does. */
  manuallyCommit(): Promise<void> {
    return this.#host.commit({})
  }

  /** Commits now, with `save` as `save()`, and with `regenerate` as `regenerate()`: for code that was written for 7.x. */
  commit(options?: CommitOptions | CommitCallback, callback?: CommitCallback): Promise<void> | void {
    if (typeof options === 'function') return settle(this.#host.commit({}), options)
    checkFunction('commit', 'callback', callback)
    return settle(this.#host.commit(optionsFor('commit', options)), callback)
  }

  /** The data alone, as a new object: what is saved. */
  toJSON(): Data {
    return dataOf(this)
  }
}

/** What 7.x does not have. Sessions that it stored may have data of these names, which takes their place. */
const NEWER = ['handle', 'createdAt', 'isFresh', 'update', 'degraded']
const API = Object.getOwnPropertyNames(Session.prototype).filter(name => ![...NEWER, 'constructor'].includes(name))

for (const name of [...API, ...METADATA]) protect(name)
for (const name of NEWER) protect(name, shadow(name, true))

/** What node:util calls `inspect.custom`: `util.inspect` and `console.log` show the data. */
const INSPECT = Symbol.for('nodejs.util.inspect.custom')

function inspect(this: Session): Data {
  return dataOf(this)
}

// Data that came from outside must not reach a prototype, whether it is assigned (`Object.assign`) or merged in: the
// class and its prototype are frozen, and its members are accessors, because nobody can assign over a frozen value.
Object.defineProperties(Session.prototype, {
  ['__proto__']: { get: () => Session.prototype, set: () => {} },
  constructor: { get: () => Session, set: shadow('constructor', true) },
  [INSPECT]: { get: () => inspect, set: shadow(INSPECT, false) },
})
for (const shared of [Session, Session.prototype]) Object.freeze(shared)

function shadow(name: PropertyKey, enumerable: boolean) {
  return function set(this: Session, value: unknown): void {
    Object.defineProperty(this, name, { value, writable: true, configurable: true, enumerable })
  }
}

/** An accessor with a setter, where a plain member would let sloppy-mode code assign in silence. */
function protect(name: string, instead?: (this: Session, value: unknown) => void): void {
  const member = Object.getOwnPropertyDescriptor(Session.prototype, name)
  Object.defineProperty(Session.prototype, name, {
    get: member?.get ?? (() => member?.value),
    set: member?.set ?? instead ?? refuse,
  })

  function refuse(this: Session, value: unknown): void {
    if (typeof value !== 'function') {
      throw new TypeError(`session.${name} is reserved: it can not hold data, choose another name`)
    }
    Object.defineProperty(this, name, { get: () => value, set: refuse, configurable: true })
  }
}

/** Another session of the same request, with the data that are in `members`. */
export function draftOf(session: Session, members: Members): Session {
  const draft = Session.beside(session)
  fillFrom(draft, members)
  return draft
}

/** The data of a session: every property of its own that is not a function. */
export function dataOf(session: Session): Data {
  const data: Data = {}
  // Object.keys would make a list of them.
  for (const name in session) {
    const value = (session as unknown as Data)[name]
    if (typeof value !== 'function' && Object.hasOwn(session, name)) data[name] = value
  }
  return data
}

/** Takes the data of a payload into `session`. Says how many members of the payload are not data. */
export function fill(session: Session, payload: Payload): number {
  let reserved = 0
  for (const name in payload) {
    if (!Object.hasOwn(payload, name)) continue
    if (RESERVED.has(name)) reserved++
    else (session as unknown as Data)[name] = payload[name]
  }
  return reserved
}

/** The data among the members of a payload. */
export function dataIn(payload: Payload): Data {
  return Object.fromEntries(Object.entries(payload).filter(([name]) => !RESERVED.has(name)))
}

/** Takes data into `session` from its members. Throws `ERR_SESSION_DATA` where one is no JSON. */
export function fillFrom(session: Session, members: Members): void {
  for (const name of Object.keys(members)) {
    if (!RESERVED.has(name)) (session as unknown as Data)[name] = valueIn(name, members[name] ?? '')
  }
}

/** Names that are left out of a payload when it is read. */
export const RESERVED: ReadonlySet<string> = new Set([...API, ...METADATA, '__proto__'])

function settle(outcome: Promise<void>, callback: CommitCallback | undefined): Promise<void> | void {
  if (!callback) return outcome
  outcome.then(() => callback(), callback)
}
