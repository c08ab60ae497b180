import type { Config } from '../config.ts'
import { type Carrier, cookieCarrier, externalCarrier } from './carrier.ts'
import { type SealedSurroundings, sealedCarrier } from './sealed-carrier.ts'

/** Whether sessions live in a store. */
export function isStored({ store, ContextStore }: Config): boolean {
  return store !== undefined || ContextStore !== undefined
}

/** What carries the session, or its id, by the options. */
export function carrierFor(config: Config, around: SealedSurroundings): Carrier {
  const { sealing, externalKey, codec } = config
  const hasId = isStored(config)
  if (sealing) return sealedCarrier(config, sealing, hasId ? 'id' : 'session', around)
  if (hasId && externalKey) return externalCarrier(externalKey)
  return cookieCarrier(around.jar({ isPlain: !hasId && codec.write !== undefined }))
}
