/**
 * A client over a real connection of HTTP/1 or HTTP/2 (without TLS), who keeps cookies and sees the headers as they
 * were sent: for what has to hold on both, whatever the response does.
 */
import assert from 'node:assert/strict'
import { createServer, type IncomingHttpHeaders, request } from 'node:http'
import { type ClientHttp2Session, connect, createServer as createHttp2Server } from 'node:http2'
import type { AddressInfo, Server } from 'node:net'
import type { Readable } from 'node:stream'
import type { TestContext as Test } from 'node:test'
import type { TestApp } from './koa.ts'

export const PROTOCOLS = ['HTTP/1', 'HTTP/2'] as const
export type Protocol = (typeof PROTOCOLS)[number]

export interface Answered {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** The lines of Set-Cookie. */
  readonly cookies: readonly string[]
  readonly text: string
}

/** A server of the same process that says nothing for this long (ms) has forgotten to answer. */
const TOO_LONG = 10_000
const NO_ANSWER = new Error('there was no answer')

type Head = Record<string, string>
type Send = (method: string, path: string, headers: Head) => Promise<Answered>

export class Client {
  /** What it holds: values by the cookies' names. */
  readonly jar = new Map<string, string>()
  readonly #send: Send

  constructor(send: Send) {
    this.#send = send
  }

  get(path = '/', headers: Head = {}): Promise<Answered> {
    return this.send('GET', path, headers)
  }

  async send(method: string, path: string, headers: Head = {}): Promise<Answered> {
    const cookie = [...this.jar].map(([name, value]) => `${name}=${value}`).join('; ')
    const answer = await this.#send(method, path, { ...(cookie && { cookie }), ...headers })
    for (const line of answer.cookies) {
      const [name, value] = pairOf(line)
      if (/expires=Thu, 01 Jan 1970/i.test(line)) this.jar.delete(name)
      else this.jar.set(name, value)
    }
    return answer
  }

  /** Another client of the same server, who holds the same cookies. */
  copy(): Client {
    const copy = new Client(this.#send)
    for (const [name, value] of this.jar) copy.jar.set(name, value)
    return copy
  }
}

/** The names of the cookies that lines of Set-Cookie set, in order: one that is set twice is there twice. */
export function namesSet(cookies: readonly string[]): readonly string[] {
  return cookies.map(line => pairOf(line)[0]).sort()
}

function pairOf(line: string): readonly [name: string, value: string] {
  const [pair = ''] = line.split(';')
  const at = pair.indexOf('=')
  return [pair.slice(0, at), pair.slice(at + 1)]
}

/** Serves `app` over `protocol` on a free port of this machine until the test ends. */
export async function serve(test: Test, app: TestApp, protocol: Protocol): Promise<Client> {
  return protocol === 'HTTP/1' ? overHttp1(test, app) : overHttp2(test, app)
}

async function overHttp1(test: Test, app: TestApp): Promise<Client> {
  const server = createServer(app.callback())
  const port = await listen(server)
  test.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return new Client(
    (method, path, headers) =>
      new Promise((resolve, reject) => {
        const sent = request({ host: '127.0.0.1', port, method, path, headers, agent: false }, response => {
          assert.equal(response.httpVersionMajor, 1, 'this is not HTTP/1')
          answered(response.statusCode, response.headers, response).then(resolve, reject)
        })
        sent.on('error', reject).end()
        sent.setTimeout(TOO_LONG, () => sent.destroy(NO_ANSWER))
      }),
  )
}

async function overHttp2(test: Test, app: TestApp): Promise<Client> {
  // HTTP/2 has no messages beside its statuses, and Node ignores one that is set: it only takes another parameter.
  const callback = app.callback() as unknown as Parameters<typeof createHttp2Server>[1]
  const server = createHttp2Server({}, callback)
  const session = connect(`http://127.0.0.1:${await listen(server)}`)
  test.after(() => {
    session.destroy()
    server.close()
  })
  return new Client((method, path, headers) => exchange(session, { ...headers, ':method': method, ':path': path }))
}

function exchange(session: ClientHttp2Session, head: Head): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const stream = session.request(head)
    stream.on('error', reject)
    stream.setTimeout(TOO_LONG, () => stream.destroy(NO_ANSWER))
    stream.on('close', () => reject(new Error('the stream was closed without a response')))
    stream.on('response', ({ ':status': status, ...headers }) => {
      stream.removeAllListeners('close')
      answered(status, headers, stream).then(resolve, reject)
    })
  })
}

async function answered(status = 0, headers: IncomingHttpHeaders, body: Readable): Promise<Answered> {
  let text = ''
  for await (const chunk of body.setEncoding('utf8')) text += chunk
  return { status, headers, cookies: headers['set-cookie'] ?? [], text }
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}
