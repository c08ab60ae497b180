// An application that lets a person watch a session live: it counts views, signs people in and out, shows what the
// session cookie holds and, where a store keeps the sessions, on which devices somebody is signed in. It is made apart
// from the listening in server.mjs, so that tests can start it with options of their own.
import { parse } from 'node:querystring'
import { text } from 'node:stream/consumers'
import Koa from 'koa'
import session from 'koa-session'
import { deviceOf } from './device.mjs'
import { renderDevices, renderOutage, renderPage } from './page.mjs'

export function createApp({ session: overrides, keys }) {
  const options = {
    key: 'koa.sess',
    maxAge: 24 * 60 * 60_000,
    httpOnly: true,
    sameSite: 'lax',
    subject: data => data.user,
    ...overrides,
  }
  const { store } = options
  const hasDevices = store?.list !== undefined
  const routes = {
    'GET /': showPage,
    'POST /sign-in': signIn,
    'POST /sign-out': signOut,
    // A session that lives in its cookie is known to nobody else, so there is nothing to list.
    ...(hasDevices && {
      'GET /devices': showDevices,
      'POST /devices/sign-out': signOutDevice,
      'POST /devices/sign-out-others': signOutOthers,
    }),
  }
  const app = new Koa()
  app.keys = keys
  app.use(refuseOtherSites)
  app.use(showOutage)
  app.use(session(options, app))
  // Anything else, /favicon.ico among it, is not found and does not touch the session.
  app.use(ctx => routes[`${ctx.method} ${ctx.path}`]?.(ctx))
  return app

  function showPage(ctx) {
    ctx.session.views = (ctx.session.views ?? 0) + 1
    const { views, user, isNew } = ctx.session
    show(ctx, renderPage({ views, user, isNew, cookie: readCookie(ctx), isStored: store !== undefined, hasDevices }))
  }

  // The cookie as the browser sent it: an id where a store keeps the session, else the session itself,
  // which is signed, so nobody can change it, but not encrypted, so its owner can read it.
  function readCookie(ctx) {
    const value = ctx.cookies.get(options.key, { signed: options.signed })
    return value && !store ? Buffer.from(value, 'base64').toString() : value
  }

  async function showDevices(ctx) {
    const { user, handle: ownHandle } = ctx.session
    if (user === undefined) return redirect(ctx, '/')
    const devices = await store.list(user)
    show(ctx, renderDevices({ user, devices, ownHandle }))
  }

  // Only a session of this user's own can be ended so, whatever handle the form brings.
  async function signOutDevice(ctx) {
    const { handle } = await readForm(ctx)
    const { user } = ctx.session
    if (user !== undefined) await store.destroyAll(user, { only: String(handle) })
    redirect(ctx, '/devices')
  }

  async function signOutOthers(ctx) {
    const { user, externalKey } = ctx.session
    if (user !== undefined) await store.destroyAll(user, { except: externalKey })
    redirect(ctx, '/devices')
  }
}

// To be somebody here, his name is enough. A real application asks for a proof before this.
async function signIn(ctx) {
  const form = await readForm(ctx)
  const name = String(form.name ?? '').trim()
  if (name === '' || name.length > 50) ctx.throw(400, 'A name of 1 to 50 characters, please')
  // A new id, and only then the user: whoever knew (or planted) the one from before has no use for it now.
  await ctx.session.regenerate({ fresh: true })
  ctx.session.user = name
  ctx.session.device = deviceOf(ctx.get('User-Agent'))
  redirect(ctx, '/')
}

function signOut(ctx) {
  ctx.session = null
  redirect(ctx, '/')
}

// The page is one person's own: without this, going back after signing out would show it again.
function show(ctx, page) {
  ctx.set('Cache-Control', 'no-store')
  ctx.body = page
}

// 303 makes the browser follow with a GET, so that a reload does not post the form again.
function redirect(ctx, path) {
  ctx.status = 303
  ctx.redirect(path)
}

// While the store is down there is nothing that these pages could do without it. An application with pages that make
// sense to anybody would show them: `onStoreError: 'anonymous'`.
async function showOutage(ctx, next) {
  try {
    await next()
  } catch (error) {
    if (error.code !== 'ERR_SESSION_STORE' && error.code !== 'ERR_SESSION_TIMEOUT') throw error
    ctx.status = 503
    ctx.remove('Location')
    show(ctx, renderOutage())
  }
}

// A cookie does not tell which page sent a form: another site could post one in a visitor's name.
// Browsers say it in this header; where it is missing (curl, old browsers), sameSite has to do.
function refuseOtherSites(ctx, next) {
  const site = ctx.get('Sec-Fetch-Site')
  if (ctx.method === 'POST' && !['', 'same-origin', 'none'].includes(site)) {
    ctx.throw(403, 'Forms of other sites are refused')
  }
  return next()
}

// Browsers always state the length of a form, so a body of unknown length is refused like a long one.
function readForm(ctx) {
  const length = ctx.get('Content-Length')
  if (length === '' || Number(length) > 1000) ctx.throw(413)
  return text(ctx.req).then(parse)
}
