/*
 * koa-session on Koa, this release and the one before, set up as in ../child.mjs: both keep their sessions in
 * the same store where they have one.
 */

import Koa from 'koa'
import { lifetime, secret } from './settings.mjs'

const built = name => import(new URL(`../../dist/${name}.mjs`, import.meta.url))
const packages = { 'koa-session 7': () => import('koa-session-7'), 'koa-session 8': () => built('index') }

export async function open({ peer, mode, rolling }) {
  const session = (await packages[peer]?.())?.default
  const options = { maxAge: lifetime, rolling, seal: mode === 'sealed' }
  if (session && mode === 'store') options.store = (await built('memory')).memoryStore({ max: 1000 })

  return handle => {
    const app = new Koa({ keys: [secret] })
    if (session) app.use(session({ ...options }, app))
    app.use(ctx => {
      handle(ctx)
      ctx.body = 'ok'
    })
    return app.callback()
  }
}
