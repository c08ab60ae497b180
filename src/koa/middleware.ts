import type Koa from 'koa'
import type { Context, Next } from 'koa'
import { isPromise, promised } from '../async.ts'
import { sealingSecrets } from '../codec/secrets.ts'
import { areSet, checkKeys } from '../codec/signed.ts'
import { SessionError } from '../errors.ts'
import type { CreateSessionOptions } from '../options.ts'
import { orError } from '../request/property-error.ts'
import type { Given } from '../sealing.ts'
import type { ContextFor, Session, SessionData } from '../types.ts'
import { kindOf } from '../value-kind.ts'
import { warnOnce } from '../warnings.ts'
import { type Entry, type Kind, register, scopeOf, toBegin } from './kind.ts'

/** What `session()` asks of a Koa application. */
export interface SessionApp {
  /** As of Koa's `Application`. */
  use(...parameters: never[]): unknown
  /** What its contexts inherit from: `app.context`. */
  readonly context: object
}

/** The middleware. `load` is for the option `lazy`, and for what is no request of Koa's, such as the upgrade to a WebSocket. */
export interface SessionMiddleware<Data = SessionData, Property extends string = 'session'> {
  (ctx: Koa.ParameterizedContext<unknown, ContextFor<Data, Property>>, next: Next): Promise<void>
  /**
   * The session of `ctx`, which is read once for a request. The context may have been made outside of a request:
   * `app.createContext(req, new ServerResponse(req))`. What is changed in it is saved by `save()`, in a store.
   * Rejects when the store does.
   */
  load(ctx: object): Promise<Session<Data>>
  /**
   * Commits now what the end of the request would commit: what was changed, and also a session that was ended by
   * `ctx.session = null`, which has no object to commit. For the option `autoCommit: false`. Rejects as `save()` does.
   */
  commit(ctx: object): Promise<void>
}

/**
 * The session middleware for `app`. Adds `ctx.session` and `ctx.sessionOptions` to the contexts of `app`.
 *
 * Throws a `TypeError` without an app, `ERR_SESSION_OPTION` for an option that is not what it has to be, and
 * `ERR_SESSION_KEYS` for secrets that are none, or that can be guessed where they seal.
 */
export function createSession<Data extends object = SessionData, const Property extends string = 'session'>(
  app: SessionApp,
  options?: CreateSessionOptions<Data, Property> | null,
): SessionMiddleware<Data, Property>
export function createSession<Data extends object = SessionData, const Property extends string = 'session'>(
  options: CreateSessionOptions<Data, Property> | null | undefined,
  app: SessionApp,
): SessionMiddleware<Data, Property>
export function createSession(first: unknown, second: unknown): SessionMiddleware {
  const [app, given] = isApp(first) ? [first, second] : [second, first]
  if (!isApp(app)) throw new TypeError('app instance required: `session(opts, app)`')
  const options = optionsIn(given)
  if ('maxage' in options) {
    warnOnce('KOA_SESSION_MAXAGE', 'the option `maxage` has been renamed to `maxAge`', 'DeprecationWarning')
  }
  const kind = register(app.context, options)
  const { config, carrier } = kind.parts()
  const { sealing, cookie } = config
  const keys = keysOf(app)
  // Those that are set later are looked at when they are used first.
  if (sealing && !sealing.keys && areSet(keys)) sealingSecrets(keys, 'app.keys')
  if (carrier.usesCookies && (cookie.signed || sealing?.acceptSigned)) checkKeys(keys)
  return Object.assign(middlewareOf(kind), {
    load: async (ctx: object) => {
      const scope = scopeOf(ctx as Context, kind)
      await scope.load()
      return scope.session as Session
    },
    commit: async (ctx: object) => scopeOf(ctx as Context, kind).commit({}),
  }) as SessionMiddleware
}

/** Throws `ERR_SESSION_OPTION` for what is no object with options: a promise of one, a list, a number. */
function optionsIn(given: unknown): Given {
  if (given === undefined || given === null) return {}
  const isOther = given instanceof Map || given instanceof Set || isPromise(given) || Array.isArray(given)
  if (typeof given === 'object' && !isOther) return given as Given
  const what = isPromise(given) ? 'a promise' : kindOf(given)
  throw new SessionError('ERR_SESSION_OPTION', `session(): the options were ${what}, expected an object`)
}

/** A framework's getter may throw where they are not set, which is no error before they are used. */
function keysOf(app: object): unknown {
  try {
    return Reflect.get(app, 'keys')
  } catch {
    return undefined
  }
}

function middlewareOf(kind: Kind) {
  return function session(ctx: Context, next: Next): Promise<void> {
    try {
      const entry = toBegin(ctx, kind)
      if (!entry) return promised(next)
      const starting = entry.begin()
      return starting ? starting.then(() => run(entry, next)) : run(entry, next)
    } catch (error) {
      return Promise.reject(orError(error))
    }
  }
}

// Callbacks, because to await twice would cost more than all else that a request without a session does here.
function run(entry: Entry, next: Next): Promise<void> {
  return promised(next).then(
    () => {
      if (entry.known) return entry.known.finish()
      entry.end('done')
    },
    async error => {
      entry.end('thrown')
      await entry.known?.finishThrown()
      throw error
    },
  )
}

function isApp(value: unknown): value is SessionApp {
  return typeof value === 'object' && value !== null && 'use' in value && typeof value.use === 'function'
}
