/** A visitor who keeps cookies, so that a test can tell a story over HTTP. */
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, request } from 'node:http'
import type { AddressInfo, Server } from 'node:net'
import type { Readable } from 'node:stream'
import type { TestContext as Test } from 'node:test'
import type { TestApp } from './koa.ts'
import { keepIn, pairOf } from './set-cookie.mjs'

export interface Answer {
  readonly status: number
  readonly text: string
  readonly headers: Headers
  /** The lines of Set-Cookie. */
  readonly cookies: readonly string[]
}

export type Head = Readonly<Record<string, string>>
/** Sends one request, and takes its answer as it is. */
export type Send = (method: string, path: string, headers: Head) => Promise<Omit<Answer, 'cookies'>>

/** How many answers a test that fails shows, and how much of each body. */
const [SHOWN, SHOWN_OF_TEXT] = [5, 200]

export class Visitor {
  /** What the visitor holds: values by the cookies' names. */
  readonly jar = new Map<string, string>()
  readonly #send: Send
  readonly #said: string[]

  constructor(send: Send, said: string[] = []) {
    this.#send = send
    this.#said = said
  }

  get(path = '/', headers: Head = {}): Promise<Answer> {
    return this.send('GET', path, headers)
  }

  post(path = '/', headers: Head = {}): Promise<Answer> {
    return this.send('POST', path, headers)
  }

  async send(method: string, path: string, headers: Head = {}): Promise<Answer> {
    const cookie = [...this.jar].map(([name, value]) => `${name}=${value}`).join('; ')
    const answer = await this.#send(method, path, { ...(cookie && { cookie }), ...headers })
    const cookies = answer.headers.getSetCookie()
    keepIn(this.jar, cookies)
    const text = JSON.stringify(answer.text.slice(0, SHOWN_OF_TEXT))
    this.#said.push(`${method} ${path}: ${answer.status} ${text}, sets ${namesSet(cookies).join(' ') || 'no cookie'}`)
    return { ...answer, cookies }
  }

  /** Another visitor of the same application, who holds the same cookies, or none. */
  copy(): Visitor {
    const copy = this.stranger()
    for (const [name, value] of this.jar) copy.jar.set(name, value)
    return copy
  }

  stranger(): Visitor {
    return new Visitor(this.#send, this.#said)
  }
}

/** The names of the cookies that lines of Set-Cookie set, in order: one that is set twice is there twice. */
export function namesSet(cookies: readonly string[]): readonly string[] {
  return cookies.map(line => pairOf(line)[0]).sort()
}

/** Serves `app` on a free port of this machine until the test ends. `state`: what else is shown of it if the test fails. */
export async function visit(test: Test, app: TestApp, state?: () => string): Promise<Visitor> {
  return visitOrigin(test, await listen(test, createServer(app.callback())), state)
}

/** A server of the same process that says nothing for this long (ms) has forgotten to answer. */
export const TOO_LONG = 60_000
export const NO_ANSWER = new Error('there was no answer')

/** Visits what listens at `origin`, each time over a connection of its own: that takes a third of the time of fetch(). */
export function visitOrigin(test: Test, origin: string, state?: () => string): Visitor {
  const send: Send = (method, path, headers) =>
    new Promise((resolve, reject) => {
      const sent = request(origin + path, { method, headers, agent: false }, response => {
        answered(response.statusCode, response.headers, response).then(resolve, reject)
      })
      sent.on('error', reject).end()
      sent.setTimeout(TOO_LONG, () => sent.destroy(NO_ANSWER))
    })
  return new Visitor(send, shownBy(test, state))
}

export async function answered(status = 0, headers: IncomingHttpHeaders, body: Readable): ReturnType<Send> {
  let text = ''
  body.setEncoding('utf8').on('data', chunk => {
    text += chunk
  })
  await once(body, 'end')
  const lines = Object.entries(headers).flatMap(([name, values]) => [values ?? []].flat().map(value => [name, value]))
  return { status, text, headers: new Headers(lines as [string, string][]) }
}

/** Has `server` listen on a free port of this machine until the test ends; gives its origin. */
export async function listen(test: Test, server: Server & { closeAllConnections?(): void }): Promise<string> {
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  test.after(() => {
    server.closeAllConnections?.()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** A list, the end of which is added to the error of `test` when it fails: what was answered, without values of cookies. */
export function shownBy(test: Test, state = () => ''): string[] {
  const said: string[] = []
  test.after(() => {
    // What Node 18 does not say.
    const { cause } = Object((test as { error?: unknown }).error)
    if (!(cause instanceof Error)) return
    const lines = ['', 'The last answers:', ...said.slice(-SHOWN), state()]
    cause.stack += lines.filter((line, at) => at === 0 || line).join('\n  ')
  })
  return said
}
