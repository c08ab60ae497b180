import type { Carrier } from '../request/carrier.ts'
import type { Exchange, SessionEvent } from '../request/exchange.ts'
import type { JarAccess } from '../request/jar.ts'
import type { Settings } from '../request/settings.ts'
import type { Reason, Refused } from '../session/model.ts'

/** A request without a response: nothing is sent, and nobody is told. */
export class ReadExchange implements Exchange, JarAccess {
  readonly ctx: unknown
  readonly settings: Settings
  readonly #carrier: Carrier
  readonly sent = undefined
  readonly sentBytes = 0
  readonly hasLeft = true
  readonly isShared = false
  jarState: unknown
  /** Why what was presented was not accepted. */
  reason: Reason | undefined

  constructor(ctx: unknown, settings: Settings, carrier: Carrier) {
    this.ctx = ctx
    this.settings = settings
    this.#carrier = carrier
  }

  receive(nth: number): string | Refused | undefined {
    return this.#carrier.read(this, nth)
  }

  hears(): boolean {
    return false
  }

  emit(event: SessionEvent): void {
    if (event.type === 'refused') this.reason = event.refused.reason
  }

  send(): void {}
  clear(): void {}
  withdraw(): void {}
  checkSend(): void {}
  use(): void {}
  watchHeaders(): void {}
  fail(): void {}
}
