// The pages of the chat: who comes signs in with a name, and out. The sockets are in chat.mjs.
import { readFileSync } from 'node:fs'
import Koa from 'koa'
import session from 'koa-session'
import { readForm, redirect, refuseOtherSites, routeOf, showErrors } from '../shared/requests.mjs'
import { renderChat, renderSignIn } from './page.mjs'

const SCRIPT = readFileSync(new URL('client.js', import.meta.url))

// What the pages and the sockets have to have in common. `store`: one that lists the sessions of a user.
export const sessionOptions = ({ store, now }) => ({
  key: 'chat',
  sameSite: 'lax',
  store,
  subject: ({ user }) => user,
  maxAge: 24 * 60 * 60_000,
  now,
})

export function createApp({ store, keys, now }) {
  const app = new Koa()
  app.keys = keys
  app.use(showErrors)
  app.use(refuseOtherSites)
  app.use(session(sessionOptions({ store, now }), app))
  const routes = {
    'GET /': showPage,
    'GET /client.js': sendScript,
    'POST /sign-in': signIn,
    'POST /sign-out': signOut,
    'POST /sign-out-everywhere': signOutEverywhere,
  }
  app.use(ctx => routes[routeOf(ctx)]?.(ctx))
  return app

  async function signOutEverywhere(ctx) {
    const { user } = ctx.session
    if (user !== undefined) await store.destroyAll(user)
    signOut(ctx)
  }
}

function showPage(ctx) {
  const { user } = ctx.session
  if (user === undefined) {
    ctx.body = renderSignIn()
    return
  }
  // This page runs one script and opens a socket, both of this origin alone.
  const policy = ctx.response.get('Content-Security-Policy')
  ctx.set('Content-Security-Policy', `${policy}; script-src 'self'; connect-src 'self'`)
  ctx.body = renderChat({ user })
}

function sendScript(ctx) {
  ctx.type = 'text/javascript'
  ctx.body = SCRIPT
}

// To be somebody here, a name is enough: ../password asks for a proof. Whoever is signed in signs out first, which closes
// the sockets of the name from before.
async function signIn(ctx) {
  const { name = '' } = await readForm(ctx)
  if (name === '' || name.length > 50) ctx.throw(400, 'A name of 1 to 50 characters, please')
  if (ctx.session.user !== undefined) return redirect(ctx, '/')
  ctx.session.user = name
  await ctx.session.regenerate({ keep: ['user'], fresh: true })
  redirect(ctx, '/')
}

function signOut(ctx) {
  ctx.session = null
  redirect(ctx, '/')
}
