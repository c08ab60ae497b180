/**
 * How one request is related to the stored session that it works on: one value, and what each commit and each answer of
 * the store makes of it. There is no I/O here. The machine names a step, is given the answer, and names the next step.
 * ARCHITECTURE.md has the table; `test/request/custody.check.test.ts` walks through every sequence.
 */

/** An id that another one is to take the place of. */
export interface Former {
  readonly id: string
}

export type Custody<F extends Former = Former> =
  /** The store has no record of this session: it is new, or was ended. `id`: the one that it will get. */
  | { readonly at: 'none'; readonly id?: string | undefined }
  /** The store was asked to create it, and has not answered. */
  | { readonly at: 'creating'; readonly id: string; readonly former: F | undefined }
  /** The store has it. `former`: its old id, which is still to be retired. */
  | { readonly at: 'stored'; readonly id: string; readonly former: F | undefined }
  /** It was to get a new id, and none could be made: it is under its old one. */
  | { readonly at: 'staying'; readonly id: string; readonly former: F }
  /** Another request has ended it. */
  | { readonly at: 'gone'; readonly id: string }
  /** The presented id is retired: another request has given the client another one. */
  | { readonly at: 'superseded'; readonly id: string }
  /** The store could not be read. */
  | { readonly at: 'unread'; readonly id: string }

/** What a commit is to do. `empty`: the session holds no data any more; `sweep`: what is left to be done of earlier commits. */
export type Wish = 'save' | 'update' | 'empty' | 'regenerate' | 'end' | 'sweep'

/**
 * | step | what is to be done | answers |
 * |---|---|---|
 * | `create` | make a record under `id`, if nothing is there | whether it was made |
 * | `patch` | write what has changed to the record under `id` | `saved`, `gone` |
 * | `update` | change the record under `id` as it is by now | `saved`, `emptied`, `gone` |
 * | `empty` | drop the record under `id`, unless others have put data there | `saved`, `emptied`, `gone` |
 * | `retire` | put a tombstone under the former id | `saved`, `conflict`, `gone` |
 * | `merge` | write what others have written under the former id to `id` | whether both were there |
 * | `destroy` | destroy the record under the first of `leftovers` | |
 * | `send`, `clear`, `withdraw` | send `id` to the client; delete what it has; do not send what was to be sent | |
 * | `reportGone` | tell the application that another request has ended the session | |
 * | `refuse` | a new id can't reach the client, because the headers have left | |
 * | `noId` | three new ids were taken | |
 */
export type Step =
  | ('create' | 'patch' | 'update' | 'empty' | 'retire' | 'merge' | 'destroy')
  | ('send' | 'clear' | 'withdraw' | 'reportGone' | 'refuse' | 'noId')

export type StepAnswer = boolean | 'saved' | 'emptied' | 'gone' | 'conflict' | undefined

/** What the machine asks of its request. */
export interface Surroundings<F extends Former> {
  /** An id that was never used. Throws `ERR_SESSION_ID`. */
  newId(): string
  /** Whether the client has `id`, or this response can still send it. */
  reaches(id: string): boolean
  /** What is known by now of the record under an id that is to be retired. */
  formerOf(id: string): F
}

/** How many ids are tried for a new record. */
const ATTEMPTS = 3

const NONE = { at: 'none' } as const
const NO_IDS: readonly string[] = []

export class CustodyMachine<F extends Former = Former> {
  custody: Custody<F> = NONE
  /** Ids under which there may be a record that no client is to have: they are destroyed by the end of the request. */
  leftovers: readonly string[] = NO_IDS
  readonly #around: Surroundings<F>
  #wish: Wish = 'save'
  #attempt = 1
  /** Whether the id was created by this commit. */
  #isMade = false

  constructor(around: Surroundings<F>) {
    this.#around = around
  }

  /** The id that the session is under; where there is none, the one that it will get. Throws `ERR_SESSION_ID`. */
  get id(): string {
    const { custody } = this
    if (custody.at === 'creating') return custody.former?.id ?? custody.id
    if (custody.id !== undefined) return custody.id
    this.custody = { at: 'none', id: this.#around.newId() }
    return this.custody.id as string
  }

  /** The id that has to leave with the headers while a commit is under way: never one that may be withdrawn. */
  get idToSend(): string | undefined {
    const { custody } = this
    if (custody.at === 'creating') return custody.former ? undefined : custody.id
    return custody.at === 'stored' || custody.at === 'staying' ? custody.id : undefined
  }

  /** The first step of a commit; nothing where there is nothing to do. Commits follow each other, one at a time. */
  begin(wish: Wish): Step | undefined {
    const { custody } = this
    this.#wish = wish
    this.#attempt = 1
    this.#isMade = false
    if (wish === 'sweep') return custody.at === 'stored' && custody.former ? 'retire' : this.#sweep()
    if (wish === 'end') return this.#end()
    switch (custody.at) {
      case 'none':
        return wish === 'empty' ? this.#end() : this.#create(wish === 'regenerate' ? undefined : custody.id, undefined)
      case 'stored':
        return this.#keep(custody)
      case 'staying':
        return this.#stay(custody)
      case 'superseded':
        if (wish !== 'regenerate') return 'reportGone'
        this.custody = NONE
        return this.#create(undefined, undefined)
      case 'gone':
      case 'unread':
        return 'reportGone'
      default:
        return undefined
    }
  }

  /** The next step, after `step` was answered. */
  answered(step: Step, answer: StepAnswer): Step | undefined {
    switch (step) {
      case 'create':
        return answer === true ? this.#created() : this.#taken()
      case 'patch':
      case 'update':
      case 'empty':
        if (answer === 'gone') return this.#lost()
        return answer === 'emptied' ? this.#emptied() : 'send'
      case 'send':
        return this.custody.at === 'stored' && this.custody.former ? 'retire' : this.#sweep()
      case 'retire':
        if (answer === 'conflict') return 'merge'
        return answer === 'gone' ? this.#withdrawn() : this.#retired()
      case 'merge':
        return answer === true ? 'retire' : this.#withdrawn()
      case 'withdraw':
        return 'reportGone'
      case 'destroy':
        return this.#destroyed()
      case 'clear':
      case 'reportGone':
        return this.#sweep()
      default:
        return undefined
    }
  }

  /** The next step, after `step` has failed: what was asked may have been done all the same. */
  failed(step: Step): Step | undefined {
    if (step === 'create' || (step === 'send' && this.#isMade)) this.#abandon(true)
    // What the store refuses to destroy was reported, and ends by its ttl.
    return step === 'destroy' ? this.#destroyed() : undefined
  }

  /** The store was not asked to create the record: its id can't be sent. */
  unasked(): void {
    this.#abandon(false)
  }

  /**
   * The session is another one from now on, with another id: it was replaced after it had been ended, by another request
   * or by this one, which is still to destroy it (`isToEnd`).
   */
  renew(isToEnd: boolean): void {
    if (isToEnd) this.#leaveAll()
    this.custody = NONE
  }

  #create(id: string | undefined, former: F | undefined): Step {
    const to = id ?? this.#around.newId()
    if (!this.#around.reaches(to)) return 'refuse'
    this.custody = { at: 'creating', id: to, former }
    return 'create'
  }

  #keep({ id, former }: Custody<F> & { at: 'stored' }): Step {
    if (former) {
      // What others have written under the old id decides whether the session is empty.
      return this.#wish === 'empty' ? 'retire' : 'patch'
    }
    if (this.#wish === 'regenerate') return this.#create(undefined, this.#around.formerOf(id))
    return this.#wish === 'empty' || this.#wish === 'update' ? this.#wish : 'patch'
  }

  #stay({ id }: Custody<F> & { at: 'staying' }): Step {
    if (this.#wish === 'empty') return 'empty'
    const step = this.#create(undefined, this.#around.formerOf(id))
    return step === 'refuse' && this.#wish !== 'regenerate' ? 'patch' : step
  }

  #created(): Step {
    const { custody } = this
    if (custody.at !== 'creating') return 'refuse'
    if (!this.#around.reaches(custody.id)) {
      this.#abandon(true)
      return 'refuse'
    }
    this.custody = { at: 'stored', id: custody.id, former: custody.former }
    this.#isMade = true
    return 'send'
  }

  /** What is under a taken id is another session's: it is neither sent nor destroyed. */
  #taken(): Step {
    const { custody } = this
    const former = custody.at === 'creating' ? custody.former : undefined
    this.#abandon(false)
    if (this.#attempt === ATTEMPTS) return 'noId'
    this.#attempt++
    const step = this.#create(undefined, former)
    return step === 'refuse' ? 'noId' : step
  }

  /** The session is not under the new id. `isOurs`: there may be a record of this request there. */
  #abandon(isOurs: boolean): void {
    const { custody } = this
    if (custody.at !== 'creating' && custody.at !== 'stored') return
    const { id, former } = custody
    if (isOurs) this.#leave(id)
    this.custody = former ? { at: 'staying', id: former.id, former } : NONE
  }

  /** Another request has ended the session. */
  #lost(): Step {
    const { custody } = this
    // The old id was to be retired: nothing of the session is left under any id.
    if (custody.at === 'stored') this.#leave(custody.former?.id)
    this.custody = { at: 'gone', id: custody.id as string }
    return 'reportGone'
  }

  /** Another request has ended the session, or given it another id, before this one gave it a new one. */
  #withdrawn(): Step {
    const { custody } = this
    if (custody.at !== 'stored' || !custody.former) return 'withdraw'
    this.#leave(custody.id)
    this.custody = { at: 'gone', id: custody.former.id }
    return 'withdraw'
  }

  #retired(): Step | undefined {
    this.custody = { at: 'stored', id: this.id, former: undefined }
    return this.#wish === 'empty' ? 'empty' : this.#sweep()
  }

  #emptied(): Step {
    this.custody = NONE
    return 'clear'
  }

  /** What is gone is destroyed all the same: a parallel request may have given it another id. */
  #end(): Step {
    this.renew(true)
    return 'clear'
  }

  #sweep(): Step | undefined {
    return this.leftovers.length > 0 ? 'destroy' : undefined
  }

  #destroyed(): Step | undefined {
    this.leftovers = this.leftovers.slice(1)
    return this.#sweep()
  }

  /** The id that `destroy` is about. */
  get leftover(): string {
    return this.leftovers[0] ?? ''
  }

  #leaveAll(): void {
    const { custody } = this
    if (custody.at !== 'none') this.#leave(custody.id, 'former' in custody ? custody.former?.id : undefined)
  }

  #leave(...ids: readonly (string | undefined)[]): void {
    const known = [...this.leftovers, ...ids].filter(id => id !== undefined)
    this.leftovers = [...new Set(known)]
  }
}
