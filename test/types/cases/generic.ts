// The data is given to one application, in the call.

import Koa from 'koa'
import session, { type Session, type SessionMiddleware } from 'koa-session'

interface Visitor {
  userId: string
  views?: number
}

const app = new Koa()

app
  .use(session<Visitor>({ rolling: true }, app))
  .use((ctx, next) => {
    const userId: string | undefined = ctx.session.userId
    ctx.session.views = (ctx.session.views ?? 0) + 1
    ctx.session = { userId: 'a' }
    ctx.session = null
    // @ts-expect-error: misspelled
    ctx.session.usrId
    // @ts-expect-error: a number
    ctx.session.views = '1'
    // @ts-expect-error: may be missing
    ctx.session.userId.length
    // @ts-expect-error: an object or null
    ctx.session = 5
    // @ts-expect-error: misspelled
    ctx.session = { usrId: 'a' }
    return next().then(() => userId)
  })
  .use(ctx => ctx.session.views?.toFixed())

app.use(session<Visitor>(app)).use(ctx => {
  // @ts-expect-error: misspelled
  ctx.session.usrId
})

const middleware: SessionMiddleware<Visitor> = session<Visitor>(app)
middleware.load({}).then((visit: Session<Visitor>) => visit.userId?.length)

// The types that the application has of its own stay as strict as they are.
const strict = new Koa<{ user: string }, { db: number }>()
strict.use(session<Visitor>(strict)).use(ctx => {
  const known: [string, number] = [ctx.state.user, ctx.db]
  // @ts-expect-error: not in the state
  ctx.state.usr
  // @ts-expect-error: not in the context
  ctx.bd
  return [known, ctx.session.userId]
})

// A type alias is as good as an interface.
app.use(session<{ step: 1 | 2 }>(app)).use(ctx => {
  ctx.session.step = 2
  // @ts-expect-error: 1 or 2
  ctx.session.step = 3
})

// @ts-expect-error: data is an object
session<string>(app)

session<Visitor>(
  {
    valid: (_ctx, data) => data.views !== 3,
    beforeSave(_ctx, visit) {
      visit.views = 1
      // @ts-expect-error: a number
      visit.views = 'one'
    },
  },
  app,
)

export const chained = app.use(session<Visitor>(app))
export default session<Visitor>(app)
