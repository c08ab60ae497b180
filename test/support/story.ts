/** One small application, told in every mode: visitors who sign in and out, and somebody who wants in. */

import { IncomingMessage, type OutgoingHttpHeaders, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import type { TestContext as Test } from 'node:test'
import session, { type CreateSessionOptions, type Store } from 'koa-session'
import { memoryStore } from 'koa-session/memory'
import { type ManualClock, manualClock } from 'koa-session/testing'
import { type Visitor, visit } from './agent.ts'
import { createApp, type TestApp, type TestContext } from './koa.ts'
import { newSecret } from './secrets.ts'

export { cookiesFrom } from './set-cookie.mjs'

export const KEY = 'koa.sess'
export const HOUR = 3_600_000
export const SECRETS = [newSecret(), newSecret()]

export type Page = (ctx: TestContext) => unknown
export type Pages = Readonly<Record<string, Page>>
type Options = CreateSessionOptions

/** A store of three methods, as people have written them for koa-session 7. */
export function simpleStore(records = new Map<string, string>()): Store {
  return {
    get: id => JSON.parse(records.get(id) ?? 'null'),
    set: (id, payload) => records.set(id, JSON.stringify(payload)),
    destroy: id => records.delete(id),
  }
}

/** The modes, by how a title says them. */
export const COOKIE_MODES: Readonly<Record<string, (clock: ManualClock) => Options>> = {
  'signed cookie': () => ({}),
  'sealed cookie': () => ({ seal: true }),
  'sealed cookie that takes signed ones': () => ({ seal: { acceptSigned: true } }),
}
export const KEYED_MODES: Readonly<Record<string, (clock: ManualClock) => Options>> = {
  store: ({ now }) => ({ store: memoryStore({ now }) }),
  'store with a sealed id': ({ now }) => ({ store: memoryStore({ now }), seal: true }),
}
export const STORE_MODES: typeof COOKIE_MODES = {
  ...KEYED_MODES,
  'store of three methods': () => ({ store: simpleStore() }),
}
export const MODES: typeof COOKIE_MODES = { ...COOKIE_MODES, ...STORE_MODES }

const PAGES: Pages = {
  '/': ctx => ctx.session.user ?? 'nobody',
  '/cart': ctx => {
    ctx.session.cart = ['a book']
    return 'cart'
  },
  '/in': async ctx => {
    ctx.session.user = 'ada'
    await ctx.session.regenerate({ fresh: true })
    return 'in'
  },
  '/out': ctx => {
    ctx.session = null
    return 'out'
  },
  '/all': ctx => JSON.stringify(ctx.session),
  '/untouched': () => 'untouched',
}

export type Told = readonly [event: string, argument: Record<string, unknown>]
const EVENTS = ['missed', 'expired', 'invalid', 'refused', 'reuse', 'gone', 'late', 'error'].map(
  event => `session:${event}`,
)

/** What else an application has: its secrets, and what is done to it before the session is used. */
export interface Setting {
  readonly options?: Options
  readonly keys?: unknown
  readonly before?: (app: TestApp) => void
  readonly make?: typeof session
}

/** An application with a page for each path, `*` for the others; what a page gives is the body, unless it sets one. */
export function appOf(options: Options, pages: Pages = {}, keys: unknown = [...SECRETS], setting: Setting = {}) {
  const app: TestApp = createApp()
  app.keys = 'keys' in setting ? setting.keys : keys
  const errors: (Error & { code?: string })[] = []
  const events: Told[] = []
  app.on('error', error => errors.push(error))
  for (const event of EVENTS) app.on(event, argument => events.push([event, argument]))
  setting.before?.(app)
  const sessions = (setting.make ?? session)(options, app)
  app.use(sessions)
  app.use(async ctx => {
    const body = await (pages[ctx.path] ?? pages['*'] ?? PAGES[ctx.path])?.(ctx)
    if (body !== undefined || ctx.body === undefined) ctx.body = String(body)
  })
  const reasons = () => events.filter(([event]) => event === 'session:refused').map(([, { reason }]) => reason)
  return {
    app,
    sessions,
    errors,
    events,
    reasons,
    /** The codes of the errors, or their messages. */
    codes: () => errors.map(({ code, message }) => code ?? message),
    /** What listeners of `event` were given, by its name without `session:`. */
    said: (event: string) => events.filter(([name]) => name === `session:${event}`).map(([, argument]) => argument),
  }
}

/** Options, or what makes them with the story's clock. */
export type Mode = Options | ((clock: ManualClock) => Options)

/**
 * The application of `mode`, served. A mode that takes the clock has it in its options, and a lifetime of an hour; options
 * are used as they are.
 */
export async function serve(t: Test, mode: Mode, pages?: Pages, setting: Setting = {}) {
  const clock = manualClock()
  const options = typeof mode === 'function' ? { now: clock.now, maxAge: HOUR, ...mode(clock) } : mode
  const all = setting.options ? { ...options, ...setting.options } : options
  const made = appOf(all, pages, undefined, setting)
  const state = () =>
    `Errors: ${made.codes().join(', ') || 'none'}. Events: ${made.events.map(([name]) => name).join(', ')}`
  const visitor = await visit(t, made.app, state)
  const textOf = async (path = '/') => (await visitor.get(path)).text
  return {
    ...made,
    clock,
    options: all,
    visitor,
    textOf,
    dataOf: async (path = '/all') => JSON.parse(await textOf(path)),
  }
}

/** Somebody with the same cookies, at another application. */
export async function moved(t: Test, { jar }: Visitor, app: TestApp): Promise<Visitor> {
  const other = await visit(t, app)
  for (const [name, value] of jar) other.jar.set(name, value)
  return other
}

export const bytesOf = (value: string | undefined) => Buffer.from(String(value), 'base64url')

/** Events are told once the request has gone on. */
export async function told(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise(resolve => setImmediate(resolve))
}

export interface Asked {
  readonly status: number
  readonly text: string
  /** The lines of Set-Cookie. */
  readonly lines: readonly string[]
  readonly headers: OutgoingHttpHeaders
}

/** Asks `app` without a socket between: for thousands of requests, and for headers that no client would send. */
export async function ask(app: TestApp, path: string, cookie: string, given: object = {}): Promise<Asked> {
  const { encrypted = false, ...headers } = given as { encrypted?: boolean }
  const req = new IncomingMessage(Object.assign(new Socket(), { encrypted }))
  Object.assign(req, { method: 'GET', url: path, headers: { host: 'a.b', ...(cookie && { cookie }), ...headers } })
  const res = new ServerResponse(req)
  let text = ''
  const end = (body: unknown) => {
    text = String(body ?? '')
    if (!res.headersSent) res.writeHead(res.statusCode)
    return res
  }
  Object.assign(res, { end })
  await (app.callback()(req, res) as unknown)
  const lines = [res.getHeader('set-cookie') ?? []].flat().map(String)
  return { status: res.statusCode, text, lines, headers: res.getHeaders() }
}

export const headerOf = (jar: ReadonlyMap<string, string>) =>
  [...jar].map(([name, value]) => `${name}=${value}`).join('; ')

/** Nobody answers before all have come: the first of them must not be done when the last one begins. */
export class Meeting {
  readonly #count: number
  #waiting: Array<() => void> = []

  constructor(count: number) {
    this.#count = count
  }

  async pass(): Promise<void> {
    await new Promise<void>(resolve => {
      this.#waiting.push(resolve)
      if (this.#waiting.length < this.#count) return
      for (const goOn of this.#waiting) goOn()
      this.#waiting = []
    })
  }
}
