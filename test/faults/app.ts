/* The application: a process of its own, as it would be in production. It says by IPC what its parent asks for. */
import { createServer } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import session from 'koa-session'
import { createApp, type TestContext } from '../support/koa.ts'
import type { Orders, Told } from './application.ts'
import { OPEN } from './clients.ts'

const orders: Orders = JSON.parse(process.argv[2] ?? '{}')
let rejections = 0
process.on('unhandledRejection', () => {
  rejections++
})

const PAGES: Readonly<Record<string, (ctx: TestContext) => unknown>> = {
  '/public': () => 'public',
  '/me': ctx => ctx.session.user ?? 'nobody',
  async '/in'(ctx) {
    ctx.session.user = ctx.query.user
    await ctx.session.regenerate({ fresh: true })
  },
  '/again': signedIn(ctx => ctx.session.regenerate()),
  '/set': signedIn(ctx => {
    ctx.session[ctx.query.key] = ctx.query.value
  }),
  '/count': signedIn(ctx =>
    ctx.session.update((draft: { n?: number; marks?: string[] }) => {
      draft.n = (draft.n ?? 0) + 1
      draft.marks = [...(draft.marks ?? []), ctx.query.mark]
    }),
  ),
  '/out': signedIn(ctx => {
    ctx.session = null
  }),
  '/all': signedIn(ctx => JSON.stringify(ctx.session)),
}

/** Whoever is not signed in, as far as the store says, must not get a new session in the place of theirs. */
function signedIn(page: (ctx: TestContext) => unknown) {
  return (ctx: TestContext) => {
    if (ctx.session.degraded) ctx.throw(503, { code: 'DEGRADED' })
    if (!ctx.session.user) ctx.throw(401, { code: 'NOBODY' })
    return page(ctx)
  }
}

async function answerErrors(ctx: TestContext, next: () => Promise<void>): Promise<void> {
  try {
    await next()
  } catch (error) {
    const { status = 503, code, name, cause } = Object(error)
    ctx.status = status
    ctx.set('x-error', String(code ?? name))
    ctx.body = String(cause?.code ?? cause?.message ?? '')
  }
}

const store = await OPEN[orders.store](orders.place)
const app = createApp()
app.keys = ['a secret of the tests, long enough']
app.use(answerErrors)
const subject = ({ user }: { user?: string }) => user
app.use(session({ store, subject, storeTimeout: orders.storeTimeout, onStoreError: orders.onStoreError }, app))
app.use(async ctx => {
  ctx.body = String((await PAGES[ctx.path]?.(ctx)) ?? 'done')
})

createServer(app.callback()).listen(orders.port, '127.0.0.1', () => tell({ ready: true }))

process.on('message', async () => {
  // What was collected once can let go of more.
  for (const _ of [1, 2]) {
    globalThis.gc?.()
    await sleep(20)
  }
  const { rss, heapUsed } = process.memoryUsage()
  tell({ rss, heapUsed, rejections })
})
process.on('disconnect', () => process.exit())

function tell(told: Told): void {
  process.send?.(told)
}
