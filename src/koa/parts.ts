import type { Context } from 'koa'
import { type Config, KNOWN, resolveConfig } from '../config.ts'
import { unknownOptions } from '../option-names.ts'
import { AskedStore } from '../request/asked-store.ts'
import type { Backend } from '../request/backend.ts'
import type { Carrier } from '../request/carrier.ts'
import { carrierFor, isStored } from '../request/carriers.ts'
import { CookieBackend } from '../request/cookie-backend.ts'
import type { Exchange } from '../request/exchange.ts'
import { isAwaited } from '../request/looks.ts'
import type { Settings } from '../request/settings.ts'
import { StoreBackend } from '../request/store-backend.ts'
import type { Given } from '../sealing.ts'
import type { Store } from '../stores/store.ts'
import { warnOnce } from '../warnings.ts'
import { koaCookie } from './jar.ts'

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

/** The parts for `options` as they are now: a change on the caller's object counts from the next request on. */
export function watch(options: Given): () => Parts {
  let seen = listOf(options)
  let parts = partsOf(options)
  return () => {
    if (!isSame(options, seen)) {
      parts = partsOf(options)
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

function partsOf(options: Given): Parts {
  const config = resolveConfig(options)
  const unknown = unknownOptions(Object.keys(config.cookie), KNOWN)
  for (const { name, advice } of unknown) if (advice) warnOfOption(name, advice)
  const { store, ContextStore, rolling, renew, lazy } = config
  const hasStore = isStored(config)
  const storeFor = (exchange: Exchange, settings: Settings) =>
    ContextStore
      ? AskedStore.open(() => new ContextStore(exchange.ctx), exchange, settings)
      : new AskedStore(store as Store, exchange, settings)
  return {
    options,
    config,
    unknown: unknown.filter(({ advice }) => !advice).map(({ name }) => name),
    isLazy: hasStore || isAwaited(config) ? lazy : !rolling && !renew,
    carrier: carrierFor(config, {
      jar: kind => koaCookie(config, kind),
      appKeys: ctx => (ctx as Context).app.keys,
    }),
    backendFor: (exchange, settings) =>
      hasStore ? new StoreBackend(exchange, settings, storeFor) : new CookieBackend(exchange, settings),
  }
}

/** Says of options, once each, that nobody knows them. */
export function warnOfUnknown(names: readonly string[]): void {
  for (const name of names) warnOfOption(name, 'look for it in the list of options')
}

function warnOfOption(name: string, advice: string): void {
  const message = `session() has no option ${name}, and passes it on to ctx.cookies: ${advice}`
  warnOnce('KOA_SESSION_OPTION', message, 'Warning', name)
}
