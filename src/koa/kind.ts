import { types } from 'node:util'
import type { Context } from 'koa'
import { encode } from '../codec/json.ts'
import { type Config, type Given, optionError, resolveConfig } from '../config.ts'
import { warnOnce } from '../errors.ts'
import { refusePromise } from './await.ts'
import { type Backend, cookieBackend, storeBackend } from './backend.ts'
import { type Carrier, cookieCarrier, externalCarrier } from './carrier.ts'
import { Scope } from './scope.ts'

/** What serves the requests of one middleware, made from its options. */
export interface Parts {
  readonly options: Given
  readonly config: Config
  /** Whether a request that does not ask for its session has nothing to do for it. */
  readonly isLazy: boolean
  readonly carrier: Carrier
  backendFor(ctx: Context): Backend
}

/** One kind of session of an application: its options, and where its scopes are found. */
export interface Kind {
  readonly options: Given
  readonly property: string
  /** The keys in a context under which its scope is, and the parts that its middleware has begun with. */
  readonly slot: symbol
  readonly begun: symbol
  /** The parts for the options as they are now. */
  parts(): Parts
}

type Slots = Context & Record<symbol, Scope | Parts | undefined>

/** In the registry of symbols, so that two copies of this package (ESM and CommonJS) on one application agree. */
const KINDS = Symbol.for('koa-session.kinds')

/** The kind for `options` on the application that `context` belongs to; one that is there already is shared. */
export function register(context: object, options: Given): Kind {
  const parts = watch(options)
  const { property, key } = parts().config
  const kinds = kindsOf(context)
  const known = kinds.get(property)
  if (known) {
    warnOfDifference(known, options)
    return known
  }
  for (const other of kinds.values()) {
    const { key: taken } = other.parts().config
    const isTaken = [taken, `${taken}.sig`].includes(key) || `${key}.sig` === taken
    if (isTaken) throw optionError('key', key, `a cookie that is not that of ctx.${other.property}`)
  }
  const names = [property, `${property}Options`]
  const isTaken = (name: string) =>
    kinds.has(name) || (property !== 'session' && (name in context || OF_EACH_CONTEXT.includes(name)))
  if (names.some(isTaken)) throw optionError('property', property, 'a name that ctx does not have')
  const slotFor = (use: string) => Symbol.for(`koa-session.${use}.${property}`)
  const kind = { options, property, slot: slotFor('scope'), begun: slotFor('begun'), parts }
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

/** Says that the options of a second middleware for the same session have no effect. */
function warnOfDifference(known: Pick<Kind, 'options' | 'property'>, options: Given): void {
  const names = Object.keys({ ...known.options, ...options })
  if (names.every(name => options[name] === known.options[name])) return
  const advice = 'its options have no effect; the option `property` names a session of its own'
  warnOnce(`KOA_SESSION_SHARED`, `a second session() shares ctx.${known.property} with the first one: ${advice}`)
}

/** Whether a middleware has begun with `ctx` already: further in, the first one's session is shared. */
export function hasBegun(ctx: Context, kind: Kind): boolean {
  const parts = (ctx as Slots)[kind.begun] as Parts | undefined
  if (!parts) return false
  if (parts.options !== kind.options) warnOfDifference({ ...kind, options: parts.options }, kind.options)
  return true
}

/** Begins with `ctx`. A promise where the session has to be loaded before the handler runs; it never rejects. */
export function begin(ctx: Context, kind: Kind): Promise<void> | undefined {
  const parts = kind.parts()
  const { skip } = parts.config
  const isSkipped = skip && refusePromise(skip(ctx), 'skip')
  if (!(kind.property in ctx)) extend(ctx, kind)
  ;(ctx as Slots)[kind.begun] = parts
  // One may have been made for who asked for the session before; and what this is a proxy of is not what was given.
  if (!isSkipped && parts.isLazy && !begunScope(ctx, kind) && !types.isProxy(ctx)) return undefined
  return scopeOf(ctx, kind).start(Boolean(isSkipped))
}

/** The scope of `ctx`, if there is one yet. */
export function begunScope(ctx: Context, { slot }: Kind): Scope | undefined {
  return (ctx as Slots)[slot] as Scope | undefined
}

/** The scope of `ctx`, the same throughout its request. */
export function scopeOf(ctx: Context, kind: Kind): Scope {
  const known = begunScope(ctx, kind)
  if (known) return known
  // In a mounted application the contexts are those of the application around it.
  if (!(kind.property in ctx)) extend(ctx, kind)
  const slots = ctx as Slots
  const begun = slots[kind.begun] as Parts | undefined
  const scope = new Scope(ctx, begun ?? kind.parts(), begun !== undefined)
  // The prototype of all contexts has no request: a scope on it would be everybody's.
  if (ctx.req) slots[kind.slot] = scope
  return scope
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
  const { store, ContextStore, externalKey, rolling, renew } = config
  const isStored = store !== undefined || ContextStore !== undefined
  const backend = store ? storeBackend(() => store) : cookieBackend
  const isPlain = !isStored && config.encode === encode
  return {
    options,
    config,
    isLazy: !isStored && !rolling && !renew,
    carrier: isStored && externalKey ? externalCarrier(externalKey) : cookieCarrier(config, isPlain),
    backendFor: ctx => (ContextStore ? storeBackend(() => new ContextStore(ctx)) : backend),
  }
}
