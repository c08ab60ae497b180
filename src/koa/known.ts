import type { Payload } from '../session/payload.ts'

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
  /** The text of the data that they have; `undefined`: they have none. */
  text: string | undefined
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

  /** They had this when the request began. */
  resumed(text: string, payload: Payload, id: string | undefined): void {
    this.text = text
    this.expiresAt = typeof payload._expire === 'number' ? payload._expire : undefined
    this.id = id
    this.storedId = id
  }

  /** They have this from now on. */
  committed(text: string, payload: Payload): void {
    this.text = text
    this.expiresAt = payload._expire
    this.isKeptAlive = true
    this.isForgotten = false
    this.storedId = this.storingId
  }

  /** They have nothing any more. */
  forgotten(): void {
    this.text = undefined
    this.id = undefined
    this.storedId = undefined
    this.storingId = undefined
    this.replacedId = undefined
    this.isForgotten = true
  }
}
