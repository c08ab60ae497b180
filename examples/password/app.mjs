// Sign-in with a password: a new id for who signs in, the password again before what matters, the devices of the user, and
// what ends their sessions. It is made apart from the listening in server.mjs, so that tests can start it with a clock of their own.
import Koa from 'koa'
import session from 'koa-session'
import { deviceOf } from '../counter/device.mjs'
import { readForm, redirect, refuseOtherSites, routeOf, showErrors, takeNotice } from '../shared/requests.mjs'
import { renderAccount, renderConfirmation, renderNewPassword, renderSignIn } from './page.mjs'

const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE
const SHORTEST_PASSWORD = 15

// `users` as users.mjs makes them; `store`: one that lists the sessions of a user. `secure`: TLS ends here, or at a proxy.
export function createApp({ users, store, keys, secure = false, now }) {
  const routes = {
    'GET /': ctx => (ctx.session.user === undefined ? showSignIn(ctx) : showAccount(ctx)),
    'POST /sign-in': signIn,
    'POST /sign-out': signOut,
    'POST /sign-out-device': signedIn(signOutDevice),
    'POST /sign-out-everywhere': signedIn(signOutEverywhere),
    'GET /confirm': signedIn(showConfirmation),
    'POST /confirm': signedIn(confirm),
    'GET /password': sensitive(showNewPassword),
    'POST /password': sensitive(changePassword),
  }
  const app = new Koa()
  app.keys = keys
  app.proxy = secure
  app.use(showErrors)
  app.use(refuseOtherSites)
  const options = {
    // A browser accepts this name only over TLS and from this host alone, so that no other host can plant the cookie.
    key: secure ? '__Host-session' : 'session',
    sameSite: 'lax',
    store,
    subject: ({ user }) => user,
    maxAge: 14 * DAY,
    renew: true,
    absoluteTimeout: 90 * DAY,
    now,
  }
  app.use(session(options, app))
  app.use(ctx => routes[routeOf(ctx)]?.(ctx))
  return app

  // A stranger who fails gets the form again, and no session: nobody fills the store with attempts.
  async function signIn(ctx) {
    const { name = '', password = '' } = await readForm(ctx)
    const user = await users.verify(name, password)
    if (!user) return showSignIn(ctx, 'The name or the password is wrong.')
    ctx.session.user = user.name
    ctx.session.device = deviceOf(ctx.get('User-Agent'))
    // A new id: whoever knew the one from before, or planted it, has no use for it. Nothing else of that session is kept.
    await ctx.session.regenerate({ keep: ['user', 'device'], fresh: true })
    // Comparing takes a while. If the password was changed meanwhile, all sessions were ended, perhaps before this one began.
    if (!users.hasHash(user.name, user.hash)) {
      ctx.session = null
      return showSignIn(ctx, 'The name or the password is wrong.')
    }
    redirect(ctx, '/')
  }

  async function showAccount(ctx) {
    const { user, handle } = ctx.session
    ctx.body = renderAccount({ user, ownHandle: handle, notice: takeNotice(ctx), devices: await store.list(user) })
  }

  // Only a session of this user's own ends, whatever handle the form has.
  async function signOutDevice(ctx) {
    const { handle } = await readForm(ctx)
    const count = await store.destroyAll(ctx.session.user, { only: String(handle) })
    ctx.session.notice = count === 0 ? 'That device was not signed in any more.' : 'That device is signed out.'
    redirect(ctx, '/')
  }

  async function signOutEverywhere(ctx) {
    await store.destroyAll(ctx.session.user)
    signOut(ctx)
  }

  // The password again: from now on the session is fresh for some minutes.
  async function confirm(ctx) {
    const { password = '' } = await readForm(ctx)
    const user = await users.verify(ctx.session.user, password)
    if (!user) return showConfirmation(ctx, 'That is not your password.')
    await ctx.session.regenerate({ fresh: true })
    redirect(ctx, '/password')
  }

  async function changePassword(ctx) {
    const { password = '' } = await readForm(ctx)
    const { user } = ctx.session
    if (password.length < SHORTEST_PASSWORD) return showNewPassword(ctx, 'That password is too short.')
    // In this order: once the sessions have ended, nobody begins another one with the old password.
    await users.setPassword(user, password)
    await ctx.session.regenerate({ fresh: true })
    const count = await store.destroyAll(user, { except: ctx.session.externalKey })
    ctx.session.notice = `Your password is changed, and ${count} other ${count === 1 ? 'device is' : 'devices are'} signed out.`
    redirect(ctx, '/')
  }
}

function signedIn(handler) {
  return ctx => (ctx.session.user === undefined ? redirect(ctx, '/') : handler(ctx))
}

// Only if the password was given within the last five minutes, in this session, as koa-session keeps the instant of it.
function sensitive(handler) {
  return signedIn(ctx => (ctx.session.isFresh(5 * MINUTE) ? handler(ctx) : redirect(ctx, '/confirm')))
}

function signOut(ctx) {
  ctx.session = null
  redirect(ctx, '/')
}

const showSignIn = (ctx, notice) => show(ctx, renderSignIn, { notice })
const showConfirmation = (ctx, notice) => show(ctx, renderConfirmation, { notice })
const showNewPassword = (ctx, notice) => show(ctx, renderNewPassword, { notice, shortest: SHORTEST_PASSWORD })

// With a notice, what was sent was refused.
function show(ctx, render, values) {
  if (values.notice) ctx.status = 403
  ctx.body = render({ ...values, user: ctx.session?.user })
}
