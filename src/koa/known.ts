import { textOrNothing } from '../session/changes.ts'
import { endOfData, type Found, type Lifetime } from '../session/payload.ts'
import { dataIn, dataOf, type Filling, holds, type Session } from '../session/session.ts'

/** What the client and the backend are known to have of the session. */
export class Known {
  /** The session's id, where it has one; it is made with the session, not at its commit (as in 7.x). */
  id: string | undefined
  /** The id under which a store holds the session, or may. */
  storedId: string | undefined
  /** The id under which a store was last asked to hold it. */
  storingId: string | undefined
  /** The id that a new one took the place of, until the store has forgotten it. */
  replacedId: string | undefined
  #text: string | undefined
  /** What they had when the request began, where its text was not needed yet. */
  #filling: Filling | undefined
  /** The JSON that it was read from, and where the data ends in it. */
  #read = ''
  #end = 0
  /** The instant at which it expires; `undefined`: it does not say. */
  expiresAt: number | undefined
  /** Whether its lifetime has been extended by this response. */
  isKeptAlive = false
  /** Whether this request ended it. */
  isForgotten = false

  /** Whether a store is being asked to hold the session under an id that is new to it. */
  get isNewIdUnderWay(): boolean {
    return this.storingId !== undefined && this.storingId !== this.storedId
  }

  /** Whether they have any. */
  get isKnown(): boolean {
    return this.#text !== undefined || this.#filling !== undefined || this.#end > 0
  }

  /** Whether they have what `session` holds, where that can be told without its text. */
  hasAll(session: Session): boolean {
    return this.#filling !== undefined && holds(session, this.#filling)
  }

  /** Whether `text` is that of the data that they have. */
  hasText(text: string): boolean {
    const end = this.#end
    if (end > 0) return end === text.length - 1 && this.#read.slice(0, end) === text.slice(0, end)
    if (this.#filling) this.#text ??= JSON.stringify(dataIn(this.#filling))
    return text === this.#text
  }

  /**
   * They had this when the request began; a session was filled with it. Says whether it can be told if it changes: data
   * this deep or cyclic was not written by us.
   */
  resumed({ payload, id, text: read = '' }: Found, filling: Filling, session: Session): boolean {
    this.#read = read
    this.#end = (read && endOfData(read, filling.reserved)) || 0
    if (filling.isFlat) this.#filling = filling
    else if (this.#end === 0) this.#text = textOrNothing(dataOf(session))
    this.expiresAt = typeof payload._expire === 'number' ? payload._expire : undefined
    this.id = id
    this.storedId = id
    return filling.isFlat || this.#end > 0 || this.#text !== undefined
  }

  /** They have this from now on. */
  committed(text: string, lifetime: Lifetime): void {
    this.#set(text)
    this.expiresAt = lifetime._expire
    this.isKeptAlive = true
    this.isForgotten = false
    this.storedId = this.storingId
  }

  /** They have nothing any more. */
  forgotten(): void {
    this.#set(undefined)
    this.id = undefined
    this.storedId = undefined
    this.storingId = undefined
    this.replacedId = undefined
    this.isForgotten = true
  }

  #set(text: string | undefined): void {
    this.#text = text
    this.#filling = undefined
    this.#end = 0
  }
}
