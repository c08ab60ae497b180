// An application that lets a person watch a session live: it counts views, signs people in and out, shows what the
// session cookie holds and, where a store keeps the sessions, on which devices somebody is signed in. It is made apart
// from the listening in server.mjs, so that tests can start it with options of their own.
import { parse } from 'node:querystring'
import { text } from 'node:stream/consumers'
import Koa from 'koa'
import session from 'koa-session'
import { routeOf } from '../shared/requests.mjs'
import { deviceOf } from './device.mjs'
import { renderDevices, renderError, renderPage } from './page.mjs'

// `storeName` is what the page calls the store: "Redis".
export function createApp({ session: overrides, keys, storeName = 'a store' }) {
  const options = {
    key: 'koa.sess',
    maxAge: 24 * 60 * 60_000,
    httpOnly: true,
    sameSite: 'lax',
    subject: data => data.user,
    ...overrides,
  }
  const { store, key, seal = false } = options
  const mode = store ? { store: storeName } : { seal }
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
  app.use(showErrors)
  app.use(refuseOtherSites)
  app.use(renderLast)
  app.use(session(options, app))
  // Anything else, /favicon.ico among it, is not found and does not touch the session.
  app.use(ctx => routes[routeOf(ctx)]?.(ctx))
  return app

  function showPage(ctx) {
    const notice = takeNotice(ctx)
    ctx.session.views = (ctx.session.views ?? 0) + 1
    const { views, user, isNew, maxAge } = ctx.session
    const before = legible(ctx.cookies.get(key, { signed: false }))
    ctx.state.render = after =>
      renderPage({ views, user, isNew, maxAge, notice, cookies: { key, before, after }, mode, hasDevices })
  }

  // Outside of the session middleware: only when that is done, the response has its cookie.
  async function renderLast(ctx, next) {
    await next()
    const { render } = ctx.state
    if (render) ctx.body = render(legible(cookieIn(ctx.response.headers['set-cookie'])))
  }

  function cookieIn(lines) {
    const line = [lines ?? []].flat().find(text => text.startsWith(`${key}=`))
    return line?.slice(key.length + 1).split(';')[0]
  }

  // An id where a store keeps the session. Else the session itself, which is signed, so nobody can change it, but not
  // encrypted (unless it is sealed), so its owner can read it.
  function legible(value) {
    if (!value || store || seal) return value
    const text = Buffer.from(value, 'base64').toString()
    try {
      return JSON.stringify(JSON.parse(text), null, 2)
    } catch {
      return value
    }
  }

  // What the last request has left to say, once; or why the session that the browser sent is not there any more.
  function takeNotice(ctx) {
    const { notice, isNew } = ctx.session
    if (notice !== undefined) delete ctx.session.notice
    return notice ?? (isNew && ctx.cookies.get(key, { signed: false }) ? whyEnded(ctx) : undefined)
  }

  function whyEnded(ctx) {
    const isGenuine = seal || ctx.cookies.get(key, { signed: options.signed }) !== undefined
    if (!isGenuine) return 'The cookie of your browser was not accepted: it was changed, or signed with another secret.'
    if (store) return 'Your session has ended: it was signed out on another device, or was not used for too long.'
    return `Your session has ended: it was not used for too long${seal ? ', or its cookie was changed' : ''}.`
  }

  async function showDevices(ctx) {
    const { user, handle: ownHandle } = ctx.session
    if (user === undefined) return sendHome(ctx)
    const notice = takeNotice(ctx)
    const devices = await store.list(user)
    ctx.body = renderDevices({ user, devices, ownHandle, notice })
  }

  // Only a session of this user's own can be ended so, whatever handle the form brings.
  async function signOutDevice(ctx) {
    const { handle } = await readForm(ctx)
    const { user } = ctx.session
    if (user === undefined) return sendHome(ctx)
    const count = await store.destroyAll(user, { only: String(handle) })
    ctx.session.notice = count === 0 ? 'That device was not signed in any more.' : 'That device is signed out.'
    redirect(ctx, '/devices')
  }

  async function signOutOthers(ctx) {
    const { user, externalKey } = ctx.session
    if (user === undefined) return sendHome(ctx)
    const count = await store.destroyAll(user, { except: externalKey })
    ctx.session.notice = `Signed out on ${count} other ${count === 1 ? 'device' : 'devices'}.`
    redirect(ctx, '/devices')
  }

  // The first page says why, although the response to this request may have replaced the cookie.
  function sendHome(ctx) {
    const notice = takeNotice(ctx)
    if (notice !== undefined) ctx.session.notice = notice
    redirect(ctx, '/')
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

// 303 makes the browser follow with a GET, so that a reload does not post the form again.
function redirect(ctx, path) {
  ctx.status = 303
  ctx.redirect(path)
}

// Every page is one person's own: without `no-store`, going back after signing out would show it again. While the store is
// down there is nothing that these pages could do without it. An application with pages that make sense to anybody would
// show them: `onStoreError: 'anonymous'`.
async function showErrors(ctx, next) {
  ctx.set('Cache-Control', 'no-store')
  try {
    await next()
    if (ctx.status === 404) ctx.throw(404, 'There is no such page')
  } catch (error) {
    const isOutage = error.code === 'ERR_SESSION_STORE' || error.code === 'ERR_SESSION_TIMEOUT'
    const status = isOutage ? 503 : error.expose ? error.status : 500
    if (status === 500) ctx.app.emit('error', error, ctx)
    ctx.remove('Location')
    ctx.status = status
    ctx.body = renderError({ status, message: error.expose ? error.message : undefined })
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
  if (length === '' || Number(length) > 1000) ctx.throw(413, 'The form is too long')
  return text(ctx.req).then(parse)
}
