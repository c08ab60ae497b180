/** Both packages, and what it takes to tell one story with each of them. */
import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import type { TestContext as Test } from 'node:test'
import session from 'koa-session'
import old from 'koa-session-7'
import { type Visitor, visit } from '../support/agent.ts'
import { createApp, type TestApp, type TestContext } from '../support/koa.ts'
import { attributeOf, isCleared, pairOf } from '../support/set-cookie.mjs'

export type Data = Record<string, unknown>
export type Handler = (ctx: TestContext, next: () => Promise<void>) => unknown
export type Routes = Record<string, (ctx: TestContext) => unknown>
// biome-ignore lint/suspicious/noExplicitAny: called as in 7.x, with what both take and with what they refuse
export type CreateSession = (...parameters: any[]) => Handler

export type Version = '7.0.2' | '8'
export const packages: Record<Version, CreateSession> = { '7.0.2': old, '8': session }

export const ONE_DAY = 86_400_000

/** What a story comes to with each package. */
export async function withBoth<Result>(
  story: (session: CreateSession) => Result | Promise<Result>,
): Promise<Record<Version, Result>> {
  return { '7.0.2': await story(packages['7.0.2']), '8': await story(packages['8']) }
}

/** What is kept: both come to `result`. */
export function same<Result>(result: Result): Record<Version, Result> {
  return { '7.0.2': result, '8': result }
}

export interface Served {
  readonly app: TestApp
  readonly visitor: Visitor
  /** What `app.on('error')` heard. */
  readonly errors: Array<Error & { code?: string }>
}

/** Serves `routes` behind the session that `make` makes. */
export async function serve(t: Test, make: (app: TestApp) => Handler, routes: Routes): Promise<Served> {
  const app = createApp()
  const errors = errorsOf(app)
  app.use(make(app))
  app.use(router(routes))
  return { app, errors, visitor: await visit(t, app) }
}

export function errorsOf(app: TestApp): Array<Error & { code?: string }> {
  const errors: Error[] = []
  app.on('error', error => errors.push(error))
  return errors
}

/** Answers with what the route returns, as JSON. */
export function router(routes: Routes): Handler {
  return async ctx => {
    const route = routes[ctx.path]
    if (!route) throw new Error(`no route ${ctx.path}`)
    const value = await route(ctx)
    if (ctx.respond !== false && ctx.body === undefined) ctx.body = JSON.stringify(value ?? null)
  }
}

/** What the route at `path` returned, or the status of an answer that is not 200. */
export async function ask(visitor: Visitor, path: string): Promise<unknown> {
  const { status, text } = await visitor.get(path)
  return status === 200 ? JSON.parse(text) : status
}

/** The first `event` of `app` while `visitor` gets `path`. */
export async function heard(app: TestApp, event: string, visitor: Visitor, path = '/'): Promise<TestContext> {
  const [[detail]] = await Promise.all([once(app, event, { signal: AbortSignal.timeout(10_000) }), visitor.get(path)])
  return detail
}

export interface Call {
  readonly method: 'get' | 'set' | 'destroy'
  readonly id: string
  readonly ttl?: unknown
  readonly details: { ctx: TestContext; signed?: boolean; rolling?: boolean; changed?: boolean }
}

/** A store in a Map, as applications write it, that remembers how it was called. */
export class MapStore {
  readonly records = new Map<string, string>()
  readonly calls: Call[] = []
  /** What every call rejects with. */
  outage: Error | undefined

  async get(id: string, ttl: unknown, details: Call['details']): Promise<Data | undefined> {
    this.#called({ method: 'get', id, ttl, details })
    const record = this.records.get(id)
    return record === undefined ? undefined : JSON.parse(record)
  }

  async set(id: string, payload: Data, ttl: unknown, details: Call['details']): Promise<void> {
    this.#called({ method: 'set', id, ttl, details })
    this.records.set(id, JSON.stringify(payload))
  }

  async destroy(id: string, details: Call['details']): Promise<void> {
    this.#called({ method: 'destroy', id, details })
    this.records.delete(id)
  }

  /** Keeps `payload` under `id`, as if an earlier request had. */
  put(id: string, payload: Data): void {
    this.records.set(id, JSON.stringify(payload))
  }

  get ids(): string[] {
    return [...this.records.keys()]
  }

  get payloads(): Data[] {
    return [...this.records.values()].map(record => JSON.parse(record))
  }

  get methods(): string[] {
    return this.calls.map(({ method }) => method)
  }

  #called(call: Call): void {
    this.calls.push(call)
    if (this.outage) throw this.outage
  }
}

/** The value of a session cookie of either package. */
export function encoded(payload: unknown): string {
  return Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload)).toString('base64')
}

export function decoded(value: string | undefined): Data {
  return JSON.parse(Buffer.from(value ?? '', 'base64').toString())
}

/** The signature of a cookie, as Keygrip makes it with `secret`. */
export function signature(name: string, value: string, secret: string): string {
  return createHmac('sha1', secret).update(`${name}=${value}`).digest('base64url')
}

/** The names of the cookies that `lines` of Set-Cookie set, and of those that they take away. */
export function cookieNames(lines: readonly string[]): string[] {
  return lines.map(line => `${isCleared(line) ? 'no ' : ''}${pairOf(line)[0]}`)
}

/** The value of `attribute` in a line of Set-Cookie, `true` where it has none. */
export const attribute = (line = '', name: string) => attributeOf(line, name)

/** What `work` throws: its name, code and message. */
export function thrownBy(work: () => unknown): { name: string; code?: string; message: string } | undefined {
  try {
    work()
    return undefined
  } catch (error) {
    return error as Error
  }
}

/** Pages that count visits. */
export const COUNTER = {
  '/': (ctx: { session: { views?: number } }) => {
    ctx.session.views = (ctx.session.views ?? 0) + 1
    return ctx.session.views
  },
}
