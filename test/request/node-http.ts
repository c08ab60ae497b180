/** Sessions for plain node:http. It is not published: it shows that nothing in `src/request` and `src/node` needs Koa. */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { find } from '../../src/codec/cookie-header.ts'
import { isEqual, signBy } from '../../src/codec/signature.ts'
import { type Config, resolveConfig } from '../../src/config.ts'
import { NodeExchange } from '../../src/node/exchange.ts'
import { cookieLines, setCookieLines, without } from '../../src/node/set-cookie.ts'
import { AskedStore } from '../../src/request/asked-store.ts'
import { cookieCarrier } from '../../src/request/carrier.ts'
import { CookieBackend } from '../../src/request/cookie-backend.ts'
import type { SessionEvent } from '../../src/request/exchange.ts'
import type { Cookie, JarAccess, Lines } from '../../src/request/jar.ts'
import { Scope } from '../../src/request/scope.ts'
import { Settings } from '../../src/request/settings.ts'
import { StoreBackend } from '../../src/request/store-backend.ts'
import { FORGED } from '../../src/session/payload.ts'

interface Web {
  readonly req: IncomingMessage
  readonly res: ServerResponse
  readonly scope: Scope
}

export interface Site {
  readonly options: Record<string, unknown>
  /** The newest first. */
  readonly secrets: readonly string[]
  /** Answers the request itself, or gives the text of the response. */
  handle(web: Web): unknown
  emit(event: SessionEvent): void
}

class PlainExchange extends NodeExchange {
  hears(): boolean {
    return false
  }

  emit(_: SessionEvent): void {}
}

/** A listener for `createServer` whose requests have a session at `scope.session`. */
export function withSessions({ options, secrets, handle, emit }: Site): RequestListener {
  const config = resolveConfig(options)
  const carrier = cookieCarrier(signedCookie(config, secrets))
  const { store } = config
  return async (req, res) => {
    const settings = new Settings(config)
    const exchange = new PlainExchange({ req, res }, res, carrier, settings)
    exchange.emit = emit
    const backend = store
      ? new StoreBackend(exchange, settings, () => new AskedStore(store, exchange, settings))
      : new CookieBackend(exchange, settings)
    const scope = new Scope(backend, 'early')
    await scope.start(false)
    try {
      const text = await Promise.resolve(handle({ req, res, scope })).catch(async error => {
        await scope.finishThrown()
        throw error
      })
      await scope.finish()
      res.end(text)
    } catch {
      if (!res.headersSent) res.statusCode = 500
      res.end('error')
    }
  }
}

/** A cookie, and its signature in another one. */
function signedCookie({ key }: Config, secrets: readonly string[]): Cookie {
  const webOf = (at: JarAccess) => at.ctx as Omit<Web, 'scope'>
  const header = (at: JarAccess) => webOf(at).req.headers.cookie ?? ''
  const pairIn = (at: JarAccess) => find(header(at), `${key}=`)

  function write(at: JarAccess, pair: string, attributes: string, earlier: Lines): Lines {
    const pairs = [pair, `${key}.sig=${signBy(secrets[0] ?? '', pair)}`]
    const lines = pairs.map(one => `${one}; path=/; httponly${attributes}`)
    setCookieLines(webOf(at).res, [...without(cookieLines(webOf(at).res), earlier), ...lines])
    return lines
  }

  return {
    get(at, nth) {
      const first = pairIn(at)
      if (first === undefined) return undefined
      const signature = find(header(at), `${key}.sig=`) ?? ''
      const signer = (pair: string) => secrets.findIndex(one => isEqual(signature, `${key}.sig=${signBy(one, pair)}`))
      const pair = [0, 1, 2, 3].map(n => find(header(at), `${key}=`, n)).filter(one => one && signer(one) >= 0)[nth]
      if (pair === undefined) return nth === 0 ? FORGED : undefined
      if (signer(pair) > 0) at.settings.isStale = true
      return pair.slice(key.length + 1)
    },
    isPresent: at => pairIn(at) !== undefined,
    set(at, value, earlier) {
      const { maxAge } = at.settings
      return write(at, `${key}=${value}`, maxAge === 'session' ? '' : `; max-age=${maxAge / 1000}`, earlier)
    },
    clear: (at, earlier) => write(at, `${key}=`, `; expires=${new Date(0).toUTCString()}`, earlier),
    check() {},
  }
}
