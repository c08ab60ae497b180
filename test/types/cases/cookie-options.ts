// A framework with cookies of its own declares its options.

import Koa from 'koa'
import session, { type CookieOptions } from 'koa-session'

declare module 'koa-session' {
  interface CookieOptions {
    encrypt?: boolean
  }
}

const app = new Koa()
const cookie: CookieOptions = { encrypt: true }

session({ ...cookie, key: 'a' }, app)
session({ encrypt: true }, app)
// @ts-expect-error: true or false
session({ encrypt: 'yes' }, app)
// @ts-expect-error: not declared
session({ encode64: true }, app)
