// The admin page: how many sessions there are, those of one user, and what ends them. It is an application of its own, on an
// origin of its own: a script that somebody has got into a page of the shop can neither read it nor send its forms.
import { createHash, timingSafeEqual } from 'node:crypto'
import Koa from 'koa'
import session from 'koa-session'
import { memoryStore } from 'koa-session/memory'
import { readForm, redirect, refuseOtherSites, routeOf, showErrors, takeNotice } from '../shared/requests.mjs'
import { renderConfirmation, renderSignIn, renderStart, renderUser } from './page.mjs'

const MINUTE = 60_000

// `store` has the sessions of the shop. `password` is that of the administrator.
export function createAdmin({ store, password, keys, secure = false, now }) {
  const unguarded = { 'GET /sign-in': showSignIn, 'POST /sign-in': signIn }
  const guarded = {
    'GET /': showStart,
    'GET /user': showUser,
    'POST /end': endOne,
    'GET /end-all': confirmAll,
    'POST /end-all': endAll,
    'GET /end-others': confirmOthers,
    'POST /end-others': endOthers,
    'POST /sign-out': signOut,
  }
  const app = new Koa()
  app.keys = keys
  app.proxy = secure
  app.use(showErrors)
  app.use(refuseOtherSites)
  // The administrator's own session, in a store of its own: what ends here ends nobody's session of the shop.
  const options = {
    key: secure ? '__Host-admin' : 'admin',
    sameSite: 'strict',
    store: memoryStore({ now }),
    subject: ({ admin }) => admin,
    maxAge: 15 * MINUTE,
    renew: true,
    absoluteTimeout: 8 * 60 * MINUTE,
    now,
  }
  app.use(session(options, app))
  app.use((ctx, next) => (unguarded[routeOf(ctx)] ?? next)(ctx))
  app.use(guard)
  app.use(ctx => guarded[routeOf(ctx)]?.(ctx))
  return app

  async function signIn(ctx) {
    const form = await readForm(ctx)
    if (!isSame(form.password, password)) return showSignIn(ctx, 'That is not the password.')
    ctx.session.admin = 'admin'
    await ctx.session.regenerate({ keep: ['admin'], fresh: true })
    redirect(ctx, '/')
  }

  async function showStart(ctx) {
    ctx.body = renderStart({ notice: takeNotice(ctx), count: await store.count() })
  }

  async function showUser(ctx) {
    const { user } = queryOf(ctx)
    ctx.body = renderUser({ notice: takeNotice(ctx), user, sessions: await sessionsOf(user) })
  }

  // Only the session of this user, whatever handle the form has.
  async function endOne(ctx) {
    const { user, handle } = await formOf(ctx)
    const count = await store.destroyAll(user, { only: String(handle) })
    goTo(ctx, user, count === 0 ? 'That session had ended before.' : 'The session has ended.')
  }

  async function confirmAll(ctx) {
    const { user } = queryOf(ctx)
    ctx.body = renderConfirmation({ user, ending: await sessionsOf(user) })
  }

  async function endAll(ctx) {
    const { user } = await formOf(ctx)
    goTo(ctx, user, ended(await store.destroyAll(user)))
  }

  async function confirmOthers(ctx) {
    const { user, handle } = queryOf(ctx)
    const sessions = await sessionsOf(user)
    const kept = sessions.find(one => one.handle === handle)
    if (!kept) return goTo(ctx, user, 'The session that was to go on has ended.')
    ctx.body = renderConfirmation({ user, kept, ending: sessions.filter(one => one !== kept) })
  }

  // The one that goes on is known by its handle alone: `destroyAll(user, { except })` takes an id, which nobody has here.
  async function endOthers(ctx) {
    const { user, handle } = await formOf(ctx)
    const handles = (await store.list(user)).map(one => one.handle)
    if (!handles.includes(handle))
      return goTo(ctx, user, 'Nothing has ended: the session that was to go on was not there.')
    let count = 0
    for (const only of handles) if (only !== handle) count += await store.destroyAll(user, { only })
    goTo(ctx, user, ended(count))
  }

  // All that a page is given of a session: the description of the device, and nothing else of its data.
  async function sessionsOf(user) {
    const sessions = await store.list(user)
    return sessions.map(({ handle, createdAt, seenAt, data }) => ({ handle, createdAt, seenAt, device: data.device }))
  }
}

// Whoever is not signed in here gets to the sign-in, and nothing further. All pages but that are behind it.
function guard(ctx, next) {
  if (ctx.session.admin) return next()
  if (!routeOf(ctx).startsWith('GET ')) ctx.throw(403, 'Sign in first')
  redirect(ctx, '/sign-in')
}

const queryOf = ctx => withUser(ctx, Object.fromEntries(new URLSearchParams(ctx.querystring)))
const formOf = async ctx => withUser(ctx, await readForm(ctx))

function withUser(ctx, given) {
  if (!given.user) ctx.throw(400, 'The name of a user is missing')
  return given
}

function showSignIn(ctx, notice) {
  if (notice) ctx.status = 403
  ctx.body = renderSignIn({ notice })
}

function signOut(ctx) {
  ctx.session = null
  redirect(ctx, '/sign-in')
}

function goTo(ctx, user, notice) {
  ctx.session.notice = notice
  redirect(ctx, `/user?${new URLSearchParams({ user })}`)
}

const ended = count => `${count === 1 ? 'One session has' : `${count} sessions have`} ended.`

// In constant time. A password that a person has chosen is kept as a slow hash: see ../password.
const isSame = (given = '', expected) => timingSafeEqual(digest(given), digest(expected))
const digest = text => createHash('sha256').update(text).digest()
