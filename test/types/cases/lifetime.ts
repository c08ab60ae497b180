// What 8 has beside 7.x, and data of the same names.

import Koa from 'koa'
import session, { type RegenerateOptions, type Session } from 'koa-session'

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

const app = new Koa()

app.use(session({ seal: true, keys: ['a', new Uint8Array(32)], chunks: true, absoluteTimeout: 1, renew: 1000 }, app))
app.use(session({ seal: { acceptSigned: true }, chunks: 3, secure: 'auto' }, app))
// @ts-expect-error: no number of cookies
session({ seal: true, chunks: 5 }, app)
// @ts-expect-error: misspelled
session({ seal: { acceptSign: true } }, app)

app.use(async ctx => {
  const made: number = ctx.session.createdAt
  const isFresh: boolean = ctx.session.isFresh(60_000)
  const options: RegenerateOptions = { fresh: true, keep: ['cart'] }
  await ctx.session.regenerate(options)
  await ctx.session.regenerate({ keep: [] })
  return { made, isFresh }
})

declare const typed: Session<{ user: string }>
typed.regenerate(error => error)
// @ts-expect-error: names
typed.regenerate({ keep: 'cart' })
// @ts-expect-error: only read
typed.createdAt = 5
typed.maxAge = undefined

declare const own: Session<{ createdAt: string; user: string }>
const isTheirs: Same<typeof own.createdAt, string | undefined> = true
const isOurs: Same<typeof own.isFresh, (milliseconds: number) => boolean> = true
own.createdAt = 'monday'
own.maxAge = 5

export { isOurs, isTheirs }
