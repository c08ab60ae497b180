// The application behind the proxy. All processes are the same; `name` tells which one has answered.
import Koa from 'koa'
import session from 'koa-session'
import { deviceOf } from '../counter/device.mjs'
import { button, html, page } from '../shared/html.mjs'
import { readForm, redirect, refuseOtherSites, routeOf, showErrors } from '../shared/requests.mjs'

const DAY = 24 * 60 * 60_000

// `store`: one that all processes share, and that lists the sessions of a user. `keys`: the same in all of them.
export function createApp({ store, keys, name }) {
  const app = new Koa()
  app.keys = keys
  // TLS ends at the proxy. It says in X-Forwarded-Proto that the visitor has come over HTTPS, and who it is in X-Forwarded-For.
  app.proxy = true
  app.use(showErrors)
  app.use(refuseOtherSites)
  const options = {
    // Browsers accept this name only with `secure`, over HTTPS, and from this host. koa-session sets `secure` by itself.
    key: '__Host-session',
    sameSite: 'lax',
    store,
    subject: ({ user }) => user,
    maxAge: DAY,
    renew: true,
    absoluteTimeout: 30 * DAY,
  }
  app.use(session(options, app))
  const routes = {
    'GET /': showPage,
    'POST /sign-in': signIn,
    'POST /sign-out': signOut,
    'POST /sign-out-everywhere': signOutEverywhere,
  }
  app.use(ctx => routes[routeOf(ctx)]?.(ctx))
  return app

  async function showPage(ctx) {
    const { user } = ctx.session
    const count = user === undefined ? 0 : (await store.list(user)).length
    ctx.body = page({
      title: 'Behind a proxy',
      content: html`<p>Answered by process <strong id="process">${name}</strong>, for <span id="address">${ctx.ip}</span>,
  at <span id="origin">${ctx.protocol}://${ctx.host}</span>.</p>
${user === undefined ? signInForm : account(user, count)}`,
    })
  }

  async function signOutEverywhere(ctx) {
    const { user } = ctx.session
    if (user !== undefined) await store.destroyAll(user)
    signOut(ctx)
  }
}

const signInForm = html`<form method="post" action="/sign-in">
  <label>Your name <input name="name" required maxlength="50" autocomplete="off"></label>
  <button>Sign in</button>
</form>`

const account = (user, count) => html`<p>Signed in as <strong id="user">${user}</strong>,
  in <span id="count">${count}</span> ${count === 1 ? 'browser' : 'browsers'}.</p>
<div class="actions">${button('/sign-out', 'Sign out')} ${button('/sign-out-everywhere', 'Sign out everywhere')}</div>`

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
