/** A visitor who keeps cookies, so that a test can tell a story over HTTP. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext as Test } from 'node:test'
import type { TestApp } from './koa.ts'

export interface Answer {
  readonly status: number
  readonly text: string
  readonly headers: Headers
  /** The lines of Set-Cookie. */
  readonly cookies: readonly string[]
}

export class Visitor {
  /** What the visitor holds: values by the cookies' names. */
  readonly jar = new Map<string, string>()
  readonly #origin: string

  constructor(origin: string) {
    this.#origin = origin
  }

  get(path = '/', headers: Record<string, string> = {}): Promise<Answer> {
    return this.send('GET', path, headers)
  }

  post(path = '/', headers: Record<string, string> = {}): Promise<Answer> {
    return this.send('POST', path, headers)
  }

  async send(method: string, path: string, headers: Record<string, string> = {}): Promise<Answer> {
    const cookie = [...this.jar].map(([name, value]) => `${name}=${value}`).join('; ')
    const all = { ...(cookie && { cookie }), ...headers }
    const response = await fetch(this.#origin + path, { method, headers: all, redirect: 'manual' })
    const cookies = response.headers.getSetCookie()
    for (const line of cookies) this.#keep(line)
    return { status: response.status, text: await response.text(), headers: response.headers, cookies }
  }

  /** Another visitor of the same application, who holds the same cookies, or none. */
  copy(): Visitor {
    const copy = this.stranger()
    for (const [name, value] of this.jar) copy.jar.set(name, value)
    return copy
  }

  stranger(): Visitor {
    return new Visitor(this.#origin)
  }

  #keep(line: string): void {
    const [pair = ''] = line.split(';')
    const name = pair.slice(0, pair.indexOf('='))
    if (/expires=Thu, 01 Jan 1970/i.test(line)) this.jar.delete(name)
    else this.jar.set(name, pair.slice(name.length + 1))
  }
}

/** Serves `app` on a free port of this machine until the test ends. */
export async function visit(test: Test, app: TestApp): Promise<Visitor> {
  const server = createServer(app.callback())
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  test.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return new Visitor(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
}

/** A clock that stands still until it is told to go on. */
export class Clock {
  #now: number

  constructor(now = Date.now()) {
    this.#now = now
  }

  readonly now = (): number => this.#now

  elapse(milliseconds: number): void {
    this.#now += milliseconds
  }
}
