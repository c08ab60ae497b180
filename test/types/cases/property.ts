// A session of another name is typed by the call that names it.

import Koa from 'koa'
import session from 'koa-session'
import { z } from 'zod'

interface Admin {
  name: string
}

const app = new Koa()

app.use(session<Admin, 'adminSession'>({ property: 'adminSession' }, app)).use(ctx => {
  const name: string | undefined = ctx.adminSession?.name
  // @ts-expect-error: misspelled
  ctx.adminSession?.nmae
  // @ts-expect-error: an object or null
  ctx.adminSession = 5
  ctx.adminSession = null
  ctx.adminSessionOptions.maxAge = 1000
  return name
})

app.use(session({ property: 'adminSession', schema: z.object({ name: z.string() }) }, app)).use(ctx => {
  const name: string | undefined = ctx.adminSession?.name
  // @ts-expect-error: misspelled
  ctx.adminSession?.nmae
  // @ts-expect-error: an object or null
  ctx.adminSession = 5
  return name
})

// Untyped, as the other one is.
app.use(session({ property: 'guest' }, app)).use(ctx => {
  ctx.guest.views++
  ctx.guest = null
})

// @ts-expect-error: the property that was named
session<Admin, 'adminSession'>({ property: 'admin' }, app)

// What load() gives is typed by its own middleware, so that several sessions need no helper.
const admins = session<Admin, 'adminSession'>({ property: 'adminSession', lazy: true }, app)
const visitors = session({ lazy: true, schema: z.object({ userId: z.string() }) }, app)
app.use(async ctx => {
  const name: string | undefined = (await admins.load(ctx)).name
  const userId: string | undefined = (await visitors.load(ctx)).userId
  // @ts-expect-error: that of the other session
  ;(await visitors.load(ctx)).name
  return [name, userId]
})
