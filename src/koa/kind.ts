import type { Context } from 'koa'
import { refusePromise } from '../async.ts'
import type { Config } from '../config.ts'
import { optionError } from '../errors.ts'
import { NodeExchange } from '../node/exchange.ts'
import { warnOfUnknown } from '../option-names.ts'
import type { Beginning, SessionEvent, Told } from '../request/exchange.ts'
import { type Parts, watch } from '../request/parts.ts'
import { called } from '../request/property-error.ts'
import { Scope } from '../request/scope.ts'
import type { SealedSurroundings } from '../request/sealed-carrier.ts'
import { Settings } from '../request/settings.ts'
import type { Given } from '../sealing.ts'
import { refuseDifference, refuseMounted, refuseSameCookie, warnOfDifference } from '../sharing.ts'
import { koaCookiesOf } from './cookies.ts'
import { emitEvent, isHeard } from './events.ts'
import { koaCookie } from './jar.ts'

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

/** What a context has of one kind. Its fields are private, so that nothing shows where somebody prints what has it. */
export class Entry {
  /** The context that the middleware was given: what is derived from it, or stands before it, has this entry too. */
  readonly #ctx: Context
  readonly #parts: Parts
  #scope: Scope | undefined
  #phase: Beginning = 'early'

  constructor(ctx: Context, parts: Parts) {
    this.#ctx = ctx
    this.#parts = parts
  }

  get options(): Given {
    return this.#parts.options
  }

  get hasBegun(): boolean {
    return this.#phase !== 'early'
  }

  /** The scope, if the session was asked for. */
  get known(): Scope | undefined {
    return this.#scope
  }

  /** The scope, which is made now if the session was not asked for before. */
  get scope(): Scope {
    this.#scope ??= scopeFor(this.#ctx, this.#parts, this.#phase)
    return this.#scope
  }

  /** Begins. A promise where the session has to be loaded before the handler runs; it never rejects. */
  begin(): void | Promise<void> {
    const { config, isLazy } = this.#parts
    const { skip } = config
    const isSkipped = Boolean(skip && refusePromise(called(skip, this.#ctx), 'skip'))
    this.#phase = 'running'
    return isLazy && !isSkipped && !this.#scope ? undefined : this.scope.start(isSkipped)
  }

  /** What the middleware has awaited is done, or has thrown. */
  end(phase: 'done' | 'thrown'): void {
    this.#phase = phase
  }
}

type Slots = Record<symbol, Entry | undefined>

/** In the registry of symbols, so that two copies of this package (ESM and CommonJS) on one application agree. */
const KINDS = Symbol.for('koa-session.kinds')

/** The kind for `options` on the application that `context` belongs to; one that is there already is shared. */
export function register(context: object, options: Given): Kind {
  const parts = watch(options, koaSurroundings)
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
  if (known) return known
  // In a mounted application the contexts are those of the application around it.
  if (!(kind.property in ctx)) extend(ctx, kind)
  const entry = new Entry(ctx, kind.parts())
  if (slots) slots[kind.slot] = entry
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
  const { options } = entry
  const { context } = ctx.app
  if (options !== kind.options) {
    refuseDifference(options, kind)
    warnOfDifference({ ...kind, options }, kind.options)
  } else if (context !== kind.context) refuseMounted(kind, context, kindsOf(context).values())
  return entry.hasBegun ? undefined : entry
}

/** The scope of `ctx`, the same throughout its request. */
export function scopeOf(ctx: Context, kind: Kind): Scope {
  return entryOf(ctx, kind).scope
}

function koaSurroundings(config: Config): SealedSurroundings {
  return { jar: kind => koaCookie(config, kind), appKeys: ctx => (ctx as Context).app.keys }
}

class KoaExchange extends NodeExchange {
  hears(type: Told['type']): boolean {
    return isHeard(this.ctx, type)
  }

  emit(event: SessionEvent): void {
    emitEvent(this.ctx, event)
  }
}

function scopeFor(ctx: Context, parts: Parts, phase: Beginning): Scope {
  if (parts.unknown.length > 0 && koaCookiesOf(ctx)) for (const name of parts.unknown) warnOfUnknown(name)
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
