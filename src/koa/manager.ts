import type { Context } from 'koa'
import { type Config, type Given, optionError, resolveConfig } from '../config.ts'
import { warnOnce } from '../errors.ts'
import { type Backend, cookieBackend, storeBackend } from './backend.ts'
import { type Carrier, cookieCarrier, externalCarrier } from './carrier.ts'
import { Scope } from './scope.ts'

/** What serves the requests of one middleware, made from its options. */
export interface Parts {
  readonly config: Config
  readonly carrier: Carrier
  backendFor(ctx: Context): Backend
}

/** One kind of session of an application: its options, and where its scopes are found. */
export interface Manager {
  readonly options: Given
  readonly property: string
  /** The key in a context under which its scope is. */
  readonly slot: symbol
  /** The parts for the options as they are now. */
  parts(): Parts
}

type Slots = Context & Record<symbol, Scope | undefined>

/** In the registry of symbols, so that two copies of this package (ESM and CommonJS) on one application agree. */
const MANAGERS = Symbol.for('koa-session.managers')

/** The manager for `options` on the application that `context` belongs to; one that is there already is shared. */
export function register(context: object, options: Given): Manager {
  const parts = watch(options)
  const { property, key } = parts().config
  const managers = managersOf(context)
  const known = managers.get(property)
  if (known) {
    warnOfDifference(known, options)
    return known
  }
  for (const other of managers.values()) {
    const { key: taken } = other.parts().config
    const isTaken = [taken, `${taken}.sig`].includes(key) || `${key}.sig` === taken
    if (isTaken) throw optionError('key', key, `a cookie that is not that of ctx.${other.property}`)
  }
  const names = [property, `${property}Options`]
  const isTaken = (name: string) =>
    managers.has(name) || (property !== 'session' && (name in context || OF_EACH_CONTEXT.includes(name)))
  if (names.some(isTaken)) throw optionError('property', property, 'a name that ctx does not have')
  const manager = { options, property, slot: Symbol.for(`koa-session.scope.${property}`), parts }
  managers.set(property, manager)
  extend(context, manager)
  return manager
}

/** What Koa gives to each context when it makes it, and not to the prototype of them all. */
const OF_EACH_CONTEXT = ['app', 'req', 'res', 'request', 'response', 'state', 'originalUrl', 'respond', 'then']

function managersOf(context: object): Map<string, Manager> {
  if (!Object.hasOwn(context, MANAGERS)) Object.defineProperty(context, MANAGERS, { value: new Map() })
  return Reflect.get(context, MANAGERS)
}

/** Says that the options of a second middleware for the same session have no effect. */
export function warnOfDifference(known: Manager, options: Given): void {
  const names = Object.keys({ ...known.options, ...options })
  if (names.every(name => options[name] === known.options[name])) return
  const advice = 'its options have no effect; the option `property` names a session of its own'
  warnOnce(`KOA_SESSION_SHARED`, `a second session() shares ctx.${known.property} with the first one: ${advice}`)
}

/** The scope of `ctx`, the same throughout its request. */
export function scopeOf(ctx: Context, manager: Manager): Scope {
  const slots = ctx as Slots
  // In a mounted application the contexts are those of the application around it.
  if (!(manager.property in ctx)) extend(ctx, manager)
  const scope = slots[manager.slot] ?? new Scope(ctx, manager)
  // The prototype of all contexts has no request: a scope on it would be everybody's.
  if (ctx.req) slots[manager.slot] = scope
  return scope
}

/** Adds the two properties. They stay configurable: tests replace them. */
function extend(context: object, manager: Manager): void {
  const { property } = manager
  function get(this: Context) {
    return scopeOf(this, manager).session
  }
  function set(this: Context, value: unknown) {
    scopeOf(this, manager).session = value
  }
  function view(this: Context) {
    return scopeOf(this, manager).settings.view
  }
  Object.defineProperty(context, property, { get, set, configurable: true })
  Object.defineProperty(context, `${property}Options`, { get: view, configurable: true })
}

/** A change on the caller's object counts from the next request on. */
function watch(options: Given): () => Parts {
  let seen = listOf(options)
  let parts = partsOf(resolveConfig(options))
  return () => {
    if (!isSame(options, seen)) {
      parts = partsOf(resolveConfig(options))
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

function partsOf(config: Config): Parts {
  const { store, ContextStore, externalKey } = config
  const isStored = store !== undefined || ContextStore !== undefined
  const backend = store ? storeBackend(() => store) : cookieBackend
  return {
    config,
    carrier: isStored && externalKey ? externalCarrier(externalKey) : cookieCarrier,
    backendFor: ctx => (ContextStore ? storeBackend(() => new ContextStore(ctx)) : backend),
  }
}
