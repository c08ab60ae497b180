// An application that lets a person watch a session live: it counts views, signs people in and out
// and shows what the session cookie holds. It is made apart from the listening in server.mjs, so that
// tests can start it with options of their own.
import { parse } from 'node:querystring'
import { text } from 'node:stream/consumers'
import Koa from 'koa'
import session from 'koa-session'
import { renderPage } from './page.mjs'

export function createApp({ session: overrides, keys }) {
  const options = { key: 'koa.sess', maxAge: 24 * 60 * 60_000, httpOnly: true, sameSite: 'lax', ...overrides }
  const routes = { 'GET /': showPage, 'POST /sign-in': signIn, 'POST /sign-out': signOut }
  const app = new Koa()
  app.keys = keys
  app.use(refuseOtherSites)
  app.use(session(options, app))
  // Anything else, /favicon.ico among it, is not found and does not touch the session.
  app.use(ctx => routes[`${ctx.method} ${ctx.path}`]?.(ctx))
  return app

  function showPage(ctx) {
    ctx.session.views = (ctx.session.views ?? 0) + 1
    // The page is one person's own: without this, going back after signing out would show it again.
    ctx.set('Cache-Control', 'no-store')
    const { views, user, isNew } = ctx.session
    ctx.body = renderPage({ views, user, isNew, cookie: readCookie(ctx) })
  }

  // The cookie as the browser sent it: an id where a store keeps the session, else the session itself,
  // which is signed, so nobody can change it, but not encrypted, so its owner can read it.
  function readCookie(ctx) {
    const value = ctx.cookies.get(options.key, { signed: options.signed })
    return value && !options.store ? Buffer.from(value, 'base64').toString() : value
  }
}

async function signIn(ctx) {
  const form = await readForm(ctx)
  const name = String(form.name ?? '').trim()
  if (name === '' || name.length > 50) ctx.throw(400, 'A name of 1 to 50 characters, please')
  ctx.session.user = name
  // A new id: whoever knew (or planted) the one from before signing in has no use for it now.
  await ctx.session.regenerate()
  redirect(ctx)
}

function signOut(ctx) {
  ctx.session = null
  redirect(ctx)
}

// 303 makes the browser follow with a GET, so that a reload does not post the form again.
function redirect(ctx) {
  ctx.status = 303
  ctx.redirect('/')
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
