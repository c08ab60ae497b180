// What people use, in little: it makes the sessions that the admin page shows.
import Koa from 'koa'
import session from 'koa-session'
import { deviceOf } from '../counter/device.mjs'
import { button, html, page } from '../shared/html.mjs'
import { readForm, redirect, refuseOtherSites, routeOf, showErrors } from '../shared/requests.mjs'

export function createShop({ store, keys, now }) {
  const app = new Koa()
  app.keys = keys
  app.use(showErrors)
  app.use(refuseOtherSites)
  app.use(session({ key: 'shop', sameSite: 'lax', store, subject: ({ user }) => user, now }, app))
  const routes = { 'GET /': showShop, 'POST /sign-in': signIn, 'POST /sign-out': signOut }
  app.use(ctx => routes[routeOf(ctx)]?.(ctx))
  return app
}

function showShop(ctx) {
  const { user } = ctx.session
  const content = user ? html`<p>Signed in as ${user}.</p>${button('/sign-out', 'Sign out')}` : signInForm
  ctx.body = page({ title: 'Shop', content })
}

const signInForm = html`<form method="post" action="/sign-in">
  <label>Your name <input name="name" required maxlength="50" autocomplete="off"></label>
  <button>Sign in</button>
</form>`

// To be somebody here, a name is enough: ../password asks for a proof.
async function signIn(ctx) {
  const { name = '' } = await readForm(ctx)
  if (name === '' || name.length > 50) ctx.throw(400, 'A name of 1 to 50 characters, please')
  Object.assign(ctx.session, { user: name, device: deviceOf(ctx.get('User-Agent')) })
  await ctx.session.regenerate({ keep: ['user', 'device'], fresh: true })
  redirect(ctx, '/')
}

function signOut(ctx) {
  ctx.session = null
  redirect(ctx, '/')
}
