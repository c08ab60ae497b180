// Code as it was written for 7.x: no data is declared, and anything goes.

import Koa from 'koa'
import session, { createSession } from 'koa-session'
import type { CreateSessionOptions as Options7 } from 'koa-session-7'

const app = new Koa()

app.use(session(app))
app.use(session({ key: 'other', maxAge: 1000 }, app))
app.use(session(app, { rolling: true }))
app.use(createSession(null, app))
app.use(session(undefined, app))

declare const options: Options7
app.use(session(options, app))

app.use(ctx => {
  const views = ctx.session.views || 0
  ctx.session.views = views + 1
  ctx.session.views++
  delete ctx.session.views
  ctx.session.maxAge = 'session'
  ctx.sessionOptions.maxAge = 1000
  ctx.session = { a: 1 }
  ctx.session = null
})

app.use(async (ctx, next) => {
  if (ctx.session?.isNew) await ctx.session.save()
  return next()
})

new Koa().use(session(app)).use(ctx => {
  ctx.body = ctx.session.views
})

function handle(ctx: Koa.Context): void {
  ctx.session.views = 1
}
app.use(handle)

// @ts-expect-error: an app is needed
session()
// @ts-expect-error: an app is needed
session({})
// @ts-expect-error: a number is no app
session({}, 1)
