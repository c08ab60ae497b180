// The data is declared once, for the whole program.

import Koa, { type Context } from 'koa'
import session, { type Session, type SessionContext, type SessionData } from 'koa-session'

declare module 'koa-session' {
  interface SessionData {
    userId?: string
    cart: string[]
  }
}

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

const app = new Koa()

app.use(session({ maxAge: 1000 }, app))

app.use(ctx => {
  const isTyped: Same<typeof ctx.session.userId, string | undefined> = true
  const isOptional: Same<typeof ctx.session.cart, string[] | undefined> = true
  const isNew: boolean = ctx.session.isNew

  ctx.session.userId = 'a'
  delete ctx.session.userId
  ctx.session.cart?.push('book')
  ctx.session = { userId: 'a' }
  ctx.session = {}
  ctx.session = null
  ctx.sessionOptions.maxAge = 1000

  // @ts-expect-error: misspelled
  ctx.session.usrId
  // @ts-expect-error: a string
  ctx.session.userId = 5
  // @ts-expect-error: may be missing
  ctx.session.userId.length
  // @ts-expect-error: may be missing
  ctx.session.cart.length
  // @ts-expect-error: an object or null
  ctx.session = 5
  // @ts-expect-error: misspelled
  ctx.session = { usrId: 'a' }
  // @ts-expect-error: a lifetime is a number or 'session'
  ctx.session.maxAge = 'never'
  // @ts-expect-error: for reading
  ctx.session.isNew = false
  // @ts-expect-error: for reading
  ctx.sessionOptions = {}
  return [isTyped, isOptional, isNew]
})

app.use(async ctx => {
  await ctx.session.save()
  ctx.session.save(error => error)
  await ctx.session.regenerate()
  await ctx.session.manuallyCommit()
  ctx.session.maxAge = 'session'
  const session: Session = ctx.session
  const data: Partial<SessionData> = ctx.session
  return [session.userId, data.userId]
})

function handle(ctx: Context): string | undefined {
  // @ts-expect-error: misspelled
  ctx.session.usrId
  return ctx.session.userId
}
app.use(handle)

app.use(function withContext({ session }: SessionContext) {
  return session.userId
})

session(
  {
    valid: (_ctx, data) => data.userId !== undefined,
    beforeSave(ctx, session) {
      session.userId = ctx.ip
      // @ts-expect-error: misspelled
      session.usrId = ctx.ip
    },
  },
  app,
)
session(
  {
    // @ts-expect-error: misspelled
    valid: (_ctx, data) => data.usrId,
  },
  app,
)

const middleware = session(app)
middleware.load({}).then(({ userId }) => userId?.length)

// What an application exports has a name in its own declarations.
export const read = (ctx: Context) => ({ session: ctx.session, commit: ctx.session.commit })
