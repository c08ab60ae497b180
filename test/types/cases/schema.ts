// The data has the type of what the schema takes.

import type { StandardSchemaV1 } from '@standard-schema/spec'
import Koa from 'koa'
import session, { type StandardSchema } from 'koa-session'
import * as v from 'valibot'
import { z } from 'zod'

const app = new Koa()

app.use(session({ schema: z.object({ userId: z.string(), views: z.number().optional() }) }, app)).use(ctx => {
  const userId: string | undefined = ctx.session.userId
  const views: number | undefined = ctx.session.views
  ctx.session.views = 1
  ctx.session = { userId: 'a' }
  ctx.session = null
  // @ts-expect-error: misspelled
  ctx.session.usrId
  // @ts-expect-error: a number
  ctx.session.views = '1'
  // @ts-expect-error: may be missing
  ctx.session.userId.length
  return [userId, views]
})

app.use(session({ schema: v.object({ userId: v.string(), views: v.optional(v.number()) }) }, app)).use(ctx => {
  const userId: string | undefined = ctx.session.userId
  ctx.session.views = 1
  // @ts-expect-error: misspelled
  ctx.session.usrId
  // @ts-expect-error: a number
  ctx.session.views = '1'
  return userId
})

// What it gives is not used, so the type is that of what it takes.
app.use(session(app, { schema: z.object({ views: z.string().transform(Number) }) })).use(ctx => {
  const views: string | undefined = ctx.session.views
  // @ts-expect-error: a string
  ctx.session.views = 1
  return views
})

// Beside other options, hooks included.
session(
  {
    schema: z.object({ userId: z.string() }),
    valid: (_ctx, data) => data.userId !== '',
    beforeSave(_ctx, visit) {
      visit.userId = 'a'
      // @ts-expect-error: misspelled
      visit.usrId = 'a'
    },
  },
  app,
)

declare const standard: StandardSchemaV1<{ userId: string }, { userId: number }>
const schema: StandardSchema<{ userId: string }> = standard
app.use(session({ schema: standard }, app)).use(ctx => {
  ctx.session.userId = 'a'
  // @ts-expect-error: misspelled
  ctx.session.usrId = 'a'
  return schema
})

// @ts-expect-error: not a schema
session({ schema: { parse: (value: unknown) => value } }, app)
// @ts-expect-error: data is an object
session({ schema: z.string() }, app)
