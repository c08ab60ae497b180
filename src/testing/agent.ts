/** A browser in little, for tests of an application: it keeps cookies. */

import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What an application answered. */
export interface AgentAnswer {
  /** Such as 200. */
  readonly status: number
  /** Of the answer. */
  readonly headers: Headers
  /** The body. */
  readonly text: string
  /** The lines of `Set-Cookie`, each as it was sent. */
  readonly setCookie: readonly string[]
}

/** What a request has beside its path and its body. */
export interface AgentRequest {
  /** Headers, by their names. */
  readonly headers?: Readonly<Record<string, string>> | undefined
}

/** A browser in little: `createAgent()` makes it. */
export interface Agent {
  /** The cookies that it holds, values by names. It may be read, copied to another agent, and written to. */
  readonly cookies: Map<string, string>
  /** Where the application listens: `http://127.0.0.1:…`. */
  readonly origin: string
  /** Sends a GET with the cookies that it holds, and keeps those of the answer. */
  get(path: string, request?: AgentRequest): Promise<AgentAnswer>
  /** Sends a POST. A `body` that is a string or a `URLSearchParams` is sent as it is, another one as JSON. */
  post(path: string, body?: unknown, request?: AgentRequest): Promise<AgentAnswer>
  /** Sends a request of any method. `body` as of `post()`. */
  send(method: string, path: string, body?: unknown, request?: AgentRequest): Promise<AgentAnswer>
  /** Another agent of the same application, which holds no cookies. It needs no `close()` of its own. */
  stranger(): Agent
  /** Stops the server that was made for it. A server that was given by its address goes on. */
  close(): Promise<void>
}

/**
 * An agent of an application: of a request listener, as `app.callback()` is one, which it serves on a free port of this
 * machine until `close()`; or of a server that runs already, by its address.
 *
 * It takes each cookie for every path, secure or not, and drops it when the application lets it expire. It follows no
 * redirects.
 */
export async function createAgent(application: RequestListener | string | URL): Promise<Agent> {
  if (typeof application !== 'function') return agentOf(new URL(application).origin, async () => {})
  const server = createServer(application)
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve))
  return agentOf(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, () => closed(server))
}

function agentOf(origin: string, close: () => Promise<void>): Agent {
  const cookies = new Map<string, string>()

  async function send(method: string, path: string, body?: unknown, { headers }: AgentRequest = {}) {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const isPlain = body === undefined || typeof body === 'string' || body instanceof URLSearchParams
    const response = await fetch(new URL(path, origin), {
      method,
      headers: { ...(cookie && { cookie }), ...(!isPlain && { 'content-type': 'application/json' }), ...headers },
      ...(body !== undefined && { body: isPlain ? body : JSON.stringify(body) }),
      redirect: 'manual',
    })
    const setCookie = response.headers.getSetCookie()
    for (const line of setCookie) keep(cookies, line)
    return { status: response.status, headers: response.headers, text: await response.text(), setCookie }
  }

  return {
    cookies,
    origin,
    send,
    get: (path, request) => send('GET', path, undefined, request),
    post: (path, body, request) => send('POST', path, body, request),
    stranger: () => agentOf(origin, async () => {}),
    close,
  }
}

/** As browsers do (RFC 6265, 5.3): `Max-Age` goes before `Expires`, and what has expired is dropped. */
function keep(cookies: Map<string, string>, line: string): void {
  const [pair = '', ...attributes] = line.split(';')
  const name = pair.slice(0, pair.indexOf('=')).trim()
  const attributeOf = (wanted: string) => {
    const found = attributes.find(one => one.trim().toLowerCase().startsWith(`${wanted}=`))
    return found?.slice(found.indexOf('=') + 1).trim()
  }
  const maxAge = attributeOf('max-age')
  const ends = maxAge === undefined ? Date.parse(attributeOf('expires') ?? '') <= Date.now() : Number(maxAge) <= 0
  if (ends) cookies.delete(name)
  else cookies.set(name, pair.slice(pair.indexOf('=') + 1).trim())
}

function closed(server: Server): Promise<void> {
  server.closeAllConnections()
  return new Promise(resolve => server.close(() => resolve()))
}
