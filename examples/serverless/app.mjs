// An application without a server of its own: its sessions are in sealed cookies, so that it needs no database. It runs in
// Cloudflare Workers by worker.mjs, and in Node as any application of Koa.
import Koa from 'koa'
import session from 'koa-session'
import { button, html, page } from '../shared/html.mjs'
import { readForm, redirect, refuseOtherSites, routeOf, showErrors } from '../shared/requests.mjs'

const HOUR = 60 * 60_000

export function createApp({ keys, now }) {
  const app = new Koa()
  app.keys = keys
  // Whatever calls the application says in X-Forwarded-Proto whether the visitor has come over HTTPS.
  app.proxy = true
  app.use(showErrors)
  app.use(refuseOtherSites)
  const options = {
    key: '__Host-session',
    sameSite: 'lax',
    // Encrypted: the visitor can neither read nor change it.
    seal: true,
    // Nobody can end a copy of the cookie before that, so it is short. Whoever goes on using it stays signed in for a day.
    maxAge: HOUR,
    renew: true,
    absoluteTimeout: 24 * HOUR,
    now,
  }
  app.use(session(options, app))
  const routes = { 'GET /': showPage, 'POST /sign-in': signIn, 'POST /count': count, 'POST /sign-out': signOut }
  app.use(ctx => routes[routeOf(ctx)]?.(ctx))
  return app
}

function showPage(ctx) {
  const { user, count = 0 } = ctx.session
  ctx.body = page({ title: 'Serverless', content: user === undefined ? signInForm : account(user, count) })
}

const signInForm = html`<p>Nobody is signed in.</p>
<form method="post" action="/sign-in">
  <label>Your name <input name="name" required maxlength="50" autocomplete="off"></label>
  <button>Sign in</button>
</form>`

const account = (user, count) => html`<p>Signed in as <strong id="user">${user}</strong>, counted to
  <strong id="count">${count}</strong>.</p>
<div class="actions">${button('/count', 'Count')} ${button('/sign-out', 'Sign out')}</div>`

// To be somebody here, a name is enough: ../password asks for a proof.
async function signIn(ctx) {
  const { name = '' } = await readForm(ctx)
  if (name === '' || name.length > 50) ctx.throw(400, 'A name of 1 to 50 characters, please')
  ctx.session.user = name
  await ctx.session.regenerate({ keep: ['user'], fresh: true })
  redirect(ctx, '/')
}

function count(ctx) {
  if (ctx.session.user !== undefined) ctx.session.count = (ctx.session.count ?? 0) + 1
  redirect(ctx, '/')
}

function signOut(ctx) {
  ctx.session = null
  redirect(ctx, '/')
}
