import { SessionError } from '../../src/errors.ts'
import type { Exchange, SessionEvent, Told } from '../../src/request/exchange.ts'

/** A request and its response without HTTP: what the client has, and what the application was told. */
export class FakeExchange implements Exchange {
  readonly ctx = {}
  readonly events: SessionEvent[] = []
  readonly #presented: string | undefined
  /** What the client has once it has the response. */
  client: string | undefined
  sent: string | undefined
  hasLeft = false
  isShared = false
  hasFailed = false
  isUsed = false
  /** Whether what is sent yields to caches. */
  isUnasked = false
  /** Whether nothing can be sent, as over a connection that is not encrypted. */
  isInsecure = false
  /** Whether the application listens to what became of a session. */
  isHeard = false
  #listener: { leave(): void } | undefined

  constructor(presented?: string) {
    this.#presented = this.client = presented
  }

  receive = (nth: number) => (nth === 0 ? this.#presented : undefined)
  send = (value: string, isUnasked = false) => {
    this.isUnasked = isUnasked
    this.#put(value, value)
  }
  clear = () => this.#put(undefined, undefined)
  withdraw = () => this.#put(undefined, this.#presented)

  #put(sent: string | undefined, client: string | undefined): void {
    if (!this.hasLeft) [this.sent, this.client] = [sent, client]
  }

  checkSend(): void {
    if (this.isInsecure) throw new SessionError('ERR_SESSION_INSECURE', 'not encrypted')
  }

  get sentBytes() {
    return this.sent?.length ?? 0
  }

  use(): void {
    this.isUsed = true
  }

  watchHeaders(listener: { leave(): void }): void {
    this.#listener = listener
  }

  /** The headers leave. */
  leave(): void {
    this.#listener?.leave()
    this.hasLeft = true
  }

  fail(): void {
    this.hasFailed = true
  }

  hears(type: Told['type']): boolean {
    return this.isHeard && ['created', 'regenerated', 'ended'].includes(type)
  }

  emit(event: SessionEvent): void {
    this.events.push(event)
  }
}
