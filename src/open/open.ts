import { listOfSecrets, weakSigning } from '../codec/secrets.ts'
import { isSigningSecret, type SigningSecret } from '../codec/signature.ts'
import { type Config, resolveConfig } from '../config.ts'
import { SessionError } from '../errors.ts'
import type { CreateSessionOptions } from '../options.ts'
import { AskedStore } from '../request/asked-store.ts'
import type { Backend } from '../request/backend.ts'
import { carrierFor, isStored } from '../request/carriers.ts'
import { CookieBackend } from '../request/cookie-backend.ts'
import { Host } from '../request/host.ts'
import { Presented } from '../request/presented.ts'
import { Settings } from '../request/settings.ts'
import { StoreBackend } from '../request/store-backend.ts'
import { checkUpgrade } from '../request/upgrade.ts'
import type { Reason } from '../session/model.ts'
import type { Session, SessionData, SessionDataOf } from '../types.ts'
import { warnOnce } from '../warnings.ts'
import { headerFor, jarOf } from './jar.ts'
import { ReadExchange } from './read-exchange.ts'

/** The options of `openSession()`: those that `session()` was given, with its secrets. */
export interface OpenOptions<Data extends object = SessionData> extends Omit<CreateSessionOptions<Data>, 'keys'> {
  /** The secrets, the newest first: those of `app.keys`, or of the option `keys`. They verify signed cookies as well. */
  keys?: readonly SigningSecret[] | null | undefined
  /** What your functions are given as `ctx`. Default: `undefined`. */
  ctx?: unknown
}

/** What `openSession()` gives: a session that can be read and not saved, or why there is none. */
export type OpenedSession<Data = SessionData> =
  | { readonly session: ReadSession<Data>; readonly reason?: undefined }
  | { readonly session?: undefined; readonly reason: Reason }

/** A session that is frozen. */
export type ReadSession<Data = SessionData> = Readonly<SessionDataOf<Data>> &
  Readonly<
    Pick<Session<Data>, Extract<keyof Session<Data>, 'maxAge' | 'externalKey' | 'handle' | 'createdAt' | 'isFresh'>>
  >

/**
 * The session behind `cookie`, a `Cookie` header or the value of one cookie, without Koa: for a socket server, another
 * process, a test. Nothing is saved, extended or deleted. `reason` is that of `session:refused`; `missing` without a cookie, too.
 *
 * Rejects with `ERR_SESSION_OPTION`, `ERR_SESSION_KEYS`, `ERR_SESSION_STORE` and `ERR_SESSION_TIMEOUT`, and with what your
 * functions throw.
 */
export async function openSession<Data extends object = SessionData>(
  cookie: string | readonly string[] | null | undefined,
  options: OpenOptions<Data> = {},
): Promise<OpenedSession<Data>> {
  const { keys, ctx, seal } = options
  const config = configOf(options, seal ? keys : undefined)
  checkUpgrade(config)
  const settings = new Settings(config)
  const secrets = secretsOf(keys, config)
  const jar = jarOf(headerFor(cookie, config.key), secrets)
  const carrier = carrierFor(config, { jar, appKeys: () => secrets })
  const exchange = new ReadExchange(ctx, settings, carrier)
  const backend = backendOf(config, exchange, settings)
  const presented = new Presented(backend)
  await presented.load()
  const session = presented.open(new Reader(backend))
  if (session.isNew) return { reason: exchange.reason ?? 'missing' }
  return { session: Object.freeze(session) as unknown as ReadSession<Data> }
}

/** What has no meaning where nothing is saved is as by default; an outage is never a session that is empty. */
function configOf(options: object, keys: unknown): Config {
  const instead = { keys, lazy: false, remember: 0, onStoreError: 'throw', onReuse: undefined, genid: undefined }
  // What `options` have inherited counts, as for the middleware.
  return resolveConfig(Object.create(options, Object.getOwnPropertyDescriptors(instead)))
}

function secretsOf(keys: unknown, config: Config): readonly SigningSecret[] {
  const { cookie, sealing, externalKey } = config
  const isSigned = cookie.signed && !(externalKey && isStored(config))
  if (keys === undefined && !isSigned && !sealing) return []
  const secrets = listOfSecrets(keys, 'openSession(): keys', isSigningSecret)
  const weak = sealing ? undefined : weakSigning(secrets, 'openSession(): keys')
  if (weak) warnOnce('KOA_SESSION_WEAK_SECRET', weak)
  return secrets
}

function backendOf(config: Config, exchange: ReadExchange, settings: Settings): Backend {
  if (!isStored(config)) return new CookieBackend(exchange, settings)
  const { store, ContextStore } = config
  const make = () => (ContextStore ? new ContextStore(exchange.ctx) : (store as NonNullable<typeof store>))
  return new StoreBackend(exchange, settings, () => ReadStore.open(make, exchange, settings))
}

/** A store that is read. What is refused stays there: it is the middleware that ends it. */
class ReadStore extends AskedStore {
  override destroy(): undefined {
    return undefined
  }

  override patch() {
    return 'gone' as const
  }
}

/** The request of a session that is read alone. */
class Reader extends Host {
  readonly isDegraded = false
  protected readonly backend: Backend

  constructor(backend: Backend) {
    super()
    this.backend = backend
  }

  commit(): Promise<void> {
    const advice = 'save it in a request, by the middleware'
    return Promise.reject(
      new SessionError('ERR_SESSION_HEADERS_SENT', `a session of openSession() is read only: ${advice}`),
    )
  }
}
