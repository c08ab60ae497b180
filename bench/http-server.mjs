/*
 * One server of bench/http.mjs, in a process of its own, so that its processor time is nobody else's. Every
 * variant answers the same paths with bodies of the same length; the path decides what is done with the session.
 */

import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import Koa from 'koa'
import { large, read, small, user, write } from './cases.mjs'

const built = name => import(new URL(`../dist/${name}.mjs`, import.meta.url))
const variants = { '7.0.2': () => import('koa-session-7'), 8: () => built('index') }
const [name, mode] = process.argv.slice(2)
const session = (await variants[name]?.())?.default
const stored = mode === 'store' && { store: (await built('memory')).memoryStore({ max: 1000 }) }

const plant = seed => ctx => {
  Object.assign(ctx.session, seed)
  return user
}
const look = ctx => JSON.stringify({ user: ctx.session.user, n: ctx.session.n })
const counted = ctx => String(write(ctx)).padStart(user.length, '0')
const handlers = {
  '/plant/small': plant(small),
  '/plant/large': plant(large),
  '/look': look,
  '/read': read,
  '/write': counted,
}
const bareHandlers = { '/read': () => user, '/write': () => user }

const app = new Koa({ keys: [randomBytes(32).toString('base64url')] })
const answers = session ? handlers : bareHandlers
// By default 7.0.2 sends cookies without an expiry, and would have less to do than 8.
if (session) app.use(session({ maxAge: 86400000, ...stored }, app))
app.use(ctx => {
  ctx.body = answers[ctx.path](ctx)
})

const server = createServer(app.callback())
server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }))
process.on('message', () => process.send({ used: process.cpuUsage() }))
process.on('disconnect', () => process.exit())
