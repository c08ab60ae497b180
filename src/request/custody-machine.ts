/**
 * What each commit of a request, and each answer of the store, makes of the relation to its stored session. There is no
 * I/O here. The machine names a step, is given the answer, and names the next step. ARCHITECTURE.md has the table;
 * `test/request/custody.check.test.ts` walks through every sequence.
 */

import type { Custody, Former, Step, StepAnswer, Surroundings, Wish } from './custody.ts'

/** How many ids are tried for a new record. */
const ATTEMPTS = 3

const NONE = { at: 'none' } as const
export const PRESENTED = { at: 'presented' } as const
const NO_IDS: readonly string[] = []

export class CustodyMachine<F extends Former = Former> {
  custody: Custody<F> = NONE
  /** Ids under which there may be a record that no client is to have: they are destroyed by the end of the request. */
  leftovers: readonly string[] = NO_IDS
  readonly #around: Surroundings<F>
  #wish: Wish = 'save'
  #attempt = 1
  /** Whether the id was created by this commit. */
  isMade = false

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

  /** The id that is still to be retired. */
  get former(): F | undefined {
    return 'former' in this.custody ? this.custody.former : undefined
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
    this.isMade = false
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
        if (custody.former) return wish === 'empty' ? 'reportGone' : 'alone'
        return wish === 'regenerate' ? this.#begun() : 'reportGone'
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
        if (answer === 'superseded') return 'alone'
        return answer === 'gone' ? this.#withdrawn() : this.#retired()
      case 'alone':
        if (this.custody.at === 'superseded') return answer === true ? this.#begun() : 'reportGone'
        return answer === true ? this.#retired() : this.#withdrawn('superseded')
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
    if (step === 'create' || (step === 'send' && this.isMade)) this.abandon(true)
    // What the store refuses to destroy was reported, and ends by its ttl.
    return step === 'destroy' ? this.#destroyed() : undefined
  }

  /**
   * The session is another one from now on, with another id: it was replaced after it had been ended, by another request
   * or by this one, which is still to destroy it (`isToEnd`). `id`: the one that the new session gets, if that was sent.
   */
  renew(isToEnd: boolean, id?: string): void {
    if (isToEnd && this.custody.at !== 'none') this.#leave(this.custody.id, this.former?.id)
    this.custody = id === undefined ? NONE : { at: 'none', id }
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
    const former = this.#around.formerOf(id)
    const step = this.#create(undefined, former)
    return step === 'refuse' && this.#wish !== 'regenerate' && !former.isProof ? 'patch' : step
  }

  #created(): Step {
    const { custody } = this
    if (custody.at !== 'creating') return 'refuse'
    if (!this.#around.reaches(custody.id)) {
      this.abandon(true)
      return 'refuse'
    }
    this.custody = { at: 'stored', id: custody.id, former: custody.former }
    this.isMade = true
    return 'send'
  }

  /** What is under a taken id is another session's: it is neither sent nor destroyed. */
  #taken(): Step {
    const { former } = this
    this.abandon(false)
    if (this.#attempt === ATTEMPTS) return 'noId'
    this.#attempt++
    const step = this.#create(undefined, former)
    return step === 'refuse' ? 'noId' : step
  }

  /** The session is not under the new id. `isOurs`: there may be a record of this request there. */
  abandon(isOurs: boolean): void {
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
  #withdrawn(at: 'gone' | 'superseded' = 'gone'): Step {
    const { custody } = this
    if (custody.at !== 'stored' || !custody.former) return 'withdraw'
    const { former } = custody
    this.#leave(custody.id)
    this.custody = at === 'gone' ? { at, id: former.id } : { at, id: former.id, former }
    return 'withdraw'
  }

  /** What this request has set is a new session. */
  #begun(): Step {
    this.custody = NONE
    return this.#create(undefined, undefined)
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

  #leave(...ids: readonly (string | undefined)[]): void {
    const known = [...this.leftovers, ...ids].filter(id => id !== undefined)
    this.leftovers = [...new Set(known)]
  }
}
