/* The application: a process of its own, that shares its store with another one. */
import { createServer } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import session, { type CreateSessionOptions } from 'koa-session'
import { OPEN, type Place, type StoreName } from '../faults/clients.ts'
import { createApp, type TestContext } from '../support/koa.ts'
import type { Asked, Page } from './history.ts'

/** What the process is told when it starts. */
export interface Orders {
  readonly store: StoreName
  readonly place: Place
  readonly port: number
  /** The clock of the sessions runs so many times as fast as the machine's, since `since` (ms since the epoch). */
  readonly speed: number
  readonly since: number
  readonly maxSessions?: CreateSessionOptions['maxSessions']
}

export interface Answer {
  readonly loaded: unknown
  readonly listed?: unknown
}

/** What was emitted for a request. */
export interface Emitted {
  readonly request: string
  readonly event: string
}

const EVENTS = ['session:gone', 'session:late', 'session:error', 'session:reuse', 'session:refused']

/** In ms. No server fails here, but the machine may be busy. */
const STORE_TIMEOUT = 60_000

const orders: Orders = JSON.parse(process.argv[2] ?? '{}')
const now = () => orders.since + (Date.now() - orders.since) * orders.speed
const store = await OPEN[orders.store](orders.place, { now })
let emitted: Emitted[] = []

const PAGES: Readonly<Record<Page, (ctx: TestContext, asked: Asked) => unknown>> = {
  async in(ctx, { user, mark }) {
    Object.assign(ctx.session, { user, mark })
    await ctx.session.regenerate({ fresh: true, keep: ['user', 'mark'] })
  },
  out(ctx) {
    ctx.session = null
  },
  read() {},
  list: signedIn(ctx => listOf(ctx.session.user)),
  audit: (_, { user }) => listOf(user),
  all: signedIn(async ctx => void (await store.destroyAll?.(ctx.session.user))),
  others: signedIn(async ctx => {
    await store.destroyAll?.(ctx.session.user, { except: ctx.session.externalKey })
  }),
  set: signedIn((ctx, { writes = {} }) => write(ctx, Object.entries(writes))),
  twice: signedIn(async (ctx, { writes = {}, after }) => {
    const [first, ...others] = Object.entries(writes)
    if (first) write(ctx, [first])
    await ctx.session.save()
    await sleep(after)
    write(ctx, others)
  }),
  count: signedIn((ctx, { request }) =>
    ctx.session.update((draft: { n?: number; marks?: string[] }) => {
      draft.n = (draft.n ?? 0) + 1
      draft.marks = [...(draft.marks ?? []), request]
    }),
  ),
  again: signedIn(async (ctx, { writes = {} }) => {
    write(ctx, Object.entries(writes))
    await ctx.session.regenerate()
  }),
}

/** Whoever is not signed in gets no new session. */
function signedIn(page: (ctx: TestContext, asked: Asked) => unknown) {
  return (ctx: TestContext, asked: Asked) => (ctx.session.user ? page(ctx, asked) : ctx.throw(401, { code: 'NOBODY' }))
}

async function listOf(user: string): Promise<unknown> {
  const sessions = await store.list?.(user)
  return sessions?.map(({ data }) => data)
}

function write(ctx: TestContext, writes: readonly (readonly [string, string | null])[]): void {
  for (const [key, value] of writes) {
    if (value === null) delete ctx.session[key]
    else ctx.session[key] = value
  }
}

async function answer(ctx: TestContext): Promise<void> {
  const asked: Asked = JSON.parse(ctx.query.asked)
  ctx.state.request = asked.request
  // What the audit of the store asks for needs no session.
  const loaded = asked.page === 'audit' ? undefined : ctx.session.toJSON()
  try {
    await sleep(asked.before)
    const listed = await PAGES[asked.page](ctx, asked)
    await sleep(asked.after)
    ctx.body = { loaded, listed } satisfies Answer
  } catch (error) {
    const { status = 503, code, name } = Object(error)
    ctx.status = status
    ctx.body = { loaded } satisfies Answer
    ctx.set('x-error', String(code ?? name))
    if (status !== 401) throw error
  }
}

/** An error of a commit too is answered with its code. */
async function answerErrors(ctx: TestContext, next: () => Promise<void>): Promise<void> {
  try {
    await next()
  } catch (error) {
    const { status = 503, code, name } = Object(error)
    ctx.status = status
    ctx.body ??= {}
    ctx.set('x-error', String(code ?? name))
  }
}

const app = createApp()
app.keys = ['a secret of the races, long enough']
for (const event of EVENTS) {
  app.on(event, ({ ctx }: { ctx: TestContext }) => emitted.push({ request: ctx.state.request, event }))
}
app.use(async (ctx, next) => {
  if (ctx.path !== '/events') return next()
  ctx.body = emitted
  emitted = []
})
app.use(answerErrors)
const subject = ({ user }: { user?: string }) => user
app.use(session({ store, now, subject, storeTimeout: STORE_TIMEOUT, maxSessions: orders.maxSessions }, app))
app.use(answer)

const server = createServer(app.callback())
// A connection that is closed just as it is used again would be a request that fails.
server.keepAliveTimeout = 0
server.listen(orders.port, '127.0.0.1', () => process.send?.({ ready: true }))
process.on('disconnect', () => process.exit())
