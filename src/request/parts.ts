import { type Config, KNOWN, resolveConfig } from '../config.ts'
import { unknownOptions, warnOfUnknown } from '../option-names.ts'
import type { Given } from '../sealing.ts'
import type { Store } from '../stores/store.ts'
import { AskedStore } from './asked-store.ts'
import type { Backend } from './backend.ts'
import { checkStore } from './cap.ts'
import type { Carrier } from './carrier.ts'
import { carrierFor, isStored } from './carriers.ts'
import { CookieBackend } from './cookie-backend.ts'
import type { Exchange } from './exchange.ts'
import { isAwaited } from './looks.ts'
import type { SealedSurroundings } from './sealed-carrier.ts'
import type { Settings } from './settings.ts'
import { StoreBackend } from './store-backend.ts'
import { checkUpgrade } from './upgrade.ts'

/** What serves the requests of one middleware, made from its options. */
export interface Parts {
  readonly options: Given
  readonly config: Config
  /** Whether a request that does not ask for its session has nothing to do for it. */
  readonly isLazy: boolean
  /** Options that nobody knows, unless cookies of a framework do. */
  readonly unknown: readonly string[]
  readonly carrier: Carrier
  backendFor(exchange: Exchange, settings: Settings): Backend
}

/** What a framework has for the sessions of `config`. */
export type SurroundingsOf = (config: Config) => SealedSurroundings

/** The parts for `options` as they are now: a change on the caller's object counts from the next request on. */
export function watch(options: Given, around: SurroundingsOf): () => Parts {
  let seen = listOf(options)
  let parts = partsOf(options, around)
  return () => {
    if (!isSame(options, seen)) {
      parts = partsOf(options, around)
      seen = listOf(options)
    }
    return parts
  }
}

/** Names and values, one after the other: to compare them so costs a quarter of comparing two objects. */
function listOf(options: Given): unknown[] {
  const list: unknown[] = []
  for (const name in options) list.push(name, options[name])
  return list
}

function isSame(options: Given, seen: readonly unknown[]): boolean {
  let at = 0
  for (const name in options) if (seen[at++] !== name || options[name] !== seen[at++]) return false
  return at === seen.length
}

function partsOf(options: Given, around: SurroundingsOf): Parts {
  const config = resolveConfig(options)
  const unknown = unknownOptions(Object.keys(config.cookie), KNOWN)
  for (const { name, advice } of unknown) if (advice) warnOfUnknown(name, advice)
  checkStore(config)
  checkUpgrade(config)
  const { store, ContextStore, rolling, renew, lazy, onReuse, maxSessions } = config
  const hasStore = isStored(config)
  const storeFor = (exchange: Exchange, settings: Settings) => {
    const asked = ContextStore
      ? AskedStore.open(() => new ContextStore(exchange.ctx), exchange, settings)
      : new AskedStore(store as Store, exchange, settings)
    // Who has wrapped one of its methods since has made it one of three methods.
    if (onReuse || maxSessions) checkStore(config, asked.store)
    return asked
  }
  return {
    options,
    config,
    unknown: unknown.filter(({ advice }) => !advice).map(({ name }) => name),
    isLazy: hasStore || isAwaited(config) ? lazy : !rolling && !renew,
    carrier: carrierFor(config, around(config)),
    backendFor: (exchange, settings) =>
      hasStore ? new StoreBackend(exchange, settings, storeFor) : new CookieBackend(exchange, settings),
  }
}
