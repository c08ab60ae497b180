import type { Context } from 'koa'
import { isAsyncFunction, refusePromise } from '../async.ts'
import { type Config, KNOWN, resolveConfig } from '../config.ts'
import { optionError } from '../errors.ts'
import { NodeExchange } from '../node/exchange.ts'
import { unknownOptions } from '../option-names.ts'
import { AskedStore } from '../request/asked-store.ts'
import type { Backend } from '../request/backend.ts'
import { type Carrier, cookieCarrier, externalCarrier } from '../request/carrier.ts'
import { CookieBackend } from '../request/cookie-backend.ts'
import type { Beginning, Exchange, SessionEvent } from '../request/exchange.ts'
import type { CookieJar } from '../request/jar.ts'
import { Scope } from '../request/scope.ts'
import { sealedCarrier } from '../request/sealed-carrier.ts'
import { Settings } from '../request/settings.ts'
import { StoreBackend } from '../request/store-backend.ts'
import type { Given } from '../sealing.ts'
import type { Store } from '../stores/store.ts'
import { warnOnce } from '../warnings.ts'
import { koaCookiesOf } from './cookies.ts'
import { emitEvent } from './events.ts'
import { koaCookie } from './jar.ts'
import { refuseDifference, refuseMounted, refuseSameCookie, warnOfDifference } from './sharing.ts'

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

/** One kind of session of an application: its options, and where its scopes are found. */
export interface Kind {
  readonly options: Given
  readonly property: string
  /** What the contexts of its application inherit from. */
  readonly context: object
  /** The key under which the entry of a context is. */
  readonly slot: symbol
  /** The parts for the options as they are now. */
  parts(): Parts
}

/** What a context has of one kind. The scope is made when the session is asked for. */
export interface Entry {
  /** The context that the middleware was given: what is derived from it, or stands before it, has this entry too. */
  readonly ctx: Context
  readonly parts: Parts
  phase: Beginning
  scope: Scope | undefined
}

/** Opaque, so that nothing of an entry shows where somebody prints what has it. */
type Slots = Record<symbol, (() => Entry) | undefined>

/** In the registry of symbols, so that two copies of this package (ESM and CommonJS) on one application agree. */
const KINDS = Symbol.for('koa-session.kinds')

/** The kind for `options` on the application that `context` belongs to; one that is there already is shared. */
export function register(context: object, options: Given): Kind {
  const parts = watch(options)
  const { config } = parts()
  const { property } = config
  const kinds = kindsOf(context)
  const known = kinds.get(property)
  if (known) {
    warnOfDifference(known, options)
    return known
  }
  refuseSameCookie(config, kinds.values())
  const names = [property, `${property}Options`]
  const isTaken = (name: string) =>
    kinds.has(name) || (property !== 'session' && (name in context || OF_EACH_CONTEXT.includes(name)))
  if (names.some(isTaken)) throw optionError('property', property, 'a name that ctx does not have')
  const kind = { options, property, context, slot: Symbol.for(`koa-session.entry.${property}`), parts }
  kinds.set(property, kind)
  extend(context, kind)
  return kind
}

/** What Koa gives to each context when it makes it, and not to the prototype of them all. */
const OF_EACH_CONTEXT = ['app', 'req', 'res', 'request', 'response', 'state', 'originalUrl', 'respond', 'then']

function kindsOf(context: object): Map<string, Kind> {
  if (!Object.hasOwn(context, KINDS)) Object.defineProperty(context, KINDS, { value: new Map() })
  return Reflect.get(context, KINDS)
}

/** What `ctx` has of `kind`, the same throughout its request. */
function entryOf(ctx: Context, kind: Kind): Entry {
  const slots = slotsOf(ctx)
  const known = slots?.[kind.slot]
  if (known) return known()
  // In a mounted application the contexts are those of the application around it.
  if (!(kind.property in ctx)) extend(ctx, kind)
  const entry: Entry = { ctx, parts: kind.parts(), phase: 'early', scope: undefined }
  if (slots) slots[kind.slot] = () => entry
  return entry
}

/**
 * Where the entries of a context are: on its `request`, of which Koa shows method, address and headers alone, so that they
 * do not show in `{ ...ctx }`. The prototype of all contexts has no request: an entry on it would be everybody's.
 */
function slotsOf(ctx: Context): Slots | undefined {
  return (ctx.request ?? (ctx.req && ctx)) as unknown as Slots | undefined
}

/** The entry of `ctx`, for the middleware to begin with; nothing where one further out has: its session is shared. */
export function toBegin(ctx: Context, kind: Kind): Entry | undefined {
  const entry = entryOf(ctx, kind)
  const { options } = entry.parts
  const { context } = ctx.app
  if (options !== kind.options) {
    refuseDifference(options, kind)
    warnOfDifference({ ...kind, options }, kind.options)
  } else if (context !== kind.context) refuseMounted(kind, context, kindsOf(context).values())
  return entry.phase === 'early' ? entry : undefined
}

/** Begins. A promise where the session has to be loaded before the handler runs; it never rejects. */
export function begin(entry: Entry): Promise<void> | undefined {
  const { ctx, parts } = entry
  const { skip } = parts.config
  const isSkipped = Boolean(skip && refusePromise(skip(ctx), 'skip'))
  entry.phase = 'running'
  return parts.isLazy && !isSkipped && !entry.scope ? undefined : scopeIn(entry).start(isSkipped)
}

/** The scope of `ctx`, the same throughout its request. */
export function scopeOf(ctx: Context, kind: Kind): Scope {
  return scopeIn(entryOf(ctx, kind))
}

function scopeIn(entry: Entry): Scope {
  entry.scope ??= scopeFor(entry)
  return entry.scope
}

class KoaExchange extends NodeExchange {
  emit(event: SessionEvent): void {
    emitEvent(this.ctx, event)
  }
}

function scopeFor({ ctx, parts, phase }: Entry): Scope {
  if (parts.unknown.length > 0 && koaCookiesOf(ctx)) warnOfUnknown(parts.unknown)
  const settings = new Settings(parts.config)
  const exchange = new KoaExchange(ctx, ctx.res, parts.carrier, settings)
  return new Scope(parts.backendFor(exchange, settings), phase)
}

/** Adds the two properties. They stay configurable: tests replace them. */
function extend(context: object, kind: Kind): void {
  const { property } = kind
  function get(this: Context) {
    return scopeOf(this, kind).session
  }
  function set(this: Context, value: unknown) {
    scopeOf(this, kind).session = value
  }
  function view(this: Context) {
    return scopeOf(this, kind).settings.view
  }
  Object.defineProperty(context, property, { get, set, configurable: true })
  Object.defineProperty(context, `${property}Options`, { get: view, configurable: true })
}

/** A change on the caller's object counts from the next request on. */
function watch(options: Given): () => Parts {
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
  const { store, ContextStore, rolling, renew } = config
  const isStored = store !== undefined || ContextStore !== undefined
  const storeFor = (exchange: Exchange, settings: Settings) =>
    ContextStore
      ? AskedStore.open(() => new ContextStore(exchange.ctx), exchange, settings)
      : new AskedStore(store as Store, exchange, settings)
  return {
    options,
    config,
    unknown: unknown.filter(({ advice }) => !advice).map(({ name }) => name),
    isLazy: !isStored && !rolling && !renew && !isAsyncFunction(config.valid),
    carrier: carrierOf(config, isStored),
    backendFor: (exchange, settings) =>
      isStored ? new StoreBackend(exchange, settings, storeFor) : new CookieBackend(exchange, settings),
  }
}

function warnOfUnknown(names: readonly string[]): void {
  for (const name of names) warnOfOption(name, 'look for it in the list of options')
}

function warnOfOption(name: string, advice: string): void {
  const message = `session() has no option ${name}, and passes it on to ctx.cookies: ${advice}`
  warnOnce('KOA_SESSION_OPTION', message, 'Warning', name)
}

function carrierOf(config: Config, isStored: boolean): Carrier {
  const { sealing, externalKey, codec } = config
  const jar: CookieJar = kind => koaCookie(config, kind)
  const appKeys = (ctx: unknown) => (ctx as Context).app.keys
  if (sealing) return sealedCarrier(config, sealing, isStored ? 'id' : 'session', { jar, appKeys })
  if (isStored && externalKey) return externalCarrier(externalKey)
  return cookieCarrier(jar({ isPlain: !isStored && codec.write !== undefined }))
}
