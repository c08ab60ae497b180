// from TypeScript 5.8: what arktype needs to be imported by CommonJS. The data has the type of what the schema takes.

import { type } from 'arktype'
import Koa from 'koa'
import session from 'koa-session'

const app = new Koa()

app.use(session({ schema: type({ userId: 'string', 'views?': 'number' }) }, app)).use(ctx => {
  const userId: string | undefined = ctx.session.userId
  ctx.session.views = 1
  // @ts-expect-error: misspelled
  ctx.session.usrId
  // @ts-expect-error: a number
  ctx.session.views = '1'
  return userId
})
