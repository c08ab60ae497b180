/* What each runtime serves: an application that signs in and out and counts, with its session in the cookie. */
import Koa from 'koa'
import session from 'koa-session'

/** `options` of the session, beside those that all have. */
export function createApp(options, secret) {
  const app = new Koa()
  app.keys = [secret]
  app.use(session({ ...options, sameSite: 'lax', maxAge: 60_000 }, app))
  app.use(async ctx => {
    switch (`${ctx.method} ${ctx.path}`) {
      case 'POST /sign-in':
        await ctx.session.regenerate({ fresh: true })
        ctx.session.user = 'ann'
        ctx.session.count = 0
        ctx.body = 'signed in'
        return
      case 'POST /sign-out':
        ctx.session = null
        ctx.body = 'signed out'
        return
      case 'GET /count':
        ctx.session.count = (ctx.session.count ?? 0) + 1
        ctx.body = `${ctx.session.user ?? 'nobody'} ${ctx.session.count}`
        return
    }
  })
  return app
}

/** The session as it is signed, and sealed. */
export const KINDS = { signed: {}, sealed: { seal: true } }
