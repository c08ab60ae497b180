// Every option, and what is none.

import Koa, { type Context } from 'koa'
import session, { type CreateSessionOptions, type ExternalKey, type MaxAge, type SessionOptions } from 'koa-session'

const app = new Koa()

const options: CreateSessionOptions = {
  key: 'koa.sess',
  maxAge: 86_400_000,
  ttl: 1000,
  autoCommit: true,
  rolling: false,
  renew: false,
  cacheHeaders: true,
  remember: 1000,
  encode: payload => JSON.stringify(payload),
  decode: text => JSON.parse(text),
  valid: (ctx, data) => ctx.ip !== '' && data.userId === 1,
  beforeSave: (ctx, visit) => {
    visit.ip = ctx.ip
  },
  skip: ctx => ctx.path === '/health',
  genid: ctx => ctx.ip,
  prefix: 'a:',
  now: Date.now,
  path: '/',
  domain: 'example.com',
  secure: true,
  httpOnly: true,
  sameSite: 'lax',
  partitioned: true,
  priority: 'high',
  signed: true,
  overwrite: true,
}
const named: SessionOptions = options

session(options, app)
session(named, app)
session({ maxAge: 'session' }, app)
session({ maxAge: null, store: undefined, sameSite: null }, app)
session({ sameSite: true }, app)
session({ valid: async () => true, beforeSave: async () => {} }, app)

// What is read from a configuration is a string, not one of three.
declare const config: { sameSite: string; maxAge: MaxAge }
session(config, app)

const externalKey: ExternalKey = {
  get: ctx => ctx.get('token'),
  set: (ctx, id) => ctx.set('token', id),
}
session({ externalKey }, app)
session({ externalKey: { ...externalKey, clear: (ctx: Context) => ctx.remove('token') } }, app)

// @ts-expect-error: a number or 'session'
session({ maxAge: '1d' }, app)
// @ts-expect-error: a string or a boolean
session({ sameSite: 5 }, app)
// @ts-expect-error: low, medium or high
session({ priority: 'highest' }, app)
// @ts-expect-error: true or false
session({ partitioned: 1 }, app)
// @ts-expect-error: a string
session({ domain: ['example.com'] }, app)
// @ts-expect-error: true or false
session({ rolling: 'yes' }, app)
// @ts-expect-error: a string
session({ key: 1 }, app)
// @ts-expect-error: no such option
session({ expires: new Date() }, app)
// @ts-expect-error: no such option
session({ rollng: true }, app)
// @ts-expect-error: text
session({ encode: () => 5 }, app)
// @ts-expect-error: can not be awaited
session({ skip: async () => true }, app)
// @ts-expect-error: can not be awaited
session({ genid: async () => 'a' }, app)
// @ts-expect-error: without `set`
session({ externalKey: { get: () => 'a' } }, app)
