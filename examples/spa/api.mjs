// The API of a single-page app that has another origin. A browser lets only the app read the answers (CORS), and this refuses
// what the app has not sent, so that no other page does anything in a visitor's name (CSRF).
import { json } from 'node:stream/consumers'
import Koa from 'koa'
import session from 'koa-session'
import { routeOf } from '../shared/requests.mjs'

const DAY = 24 * 60 * 60_000

// `origin`: that of the app. `secure`: TLS ends here, or at a proxy.
export function createApi({ origin, store, keys, secure = false, now }) {
  const app = new Koa()
  app.keys = keys
  app.proxy = secure
  app.use(allow(origin))
  app.use(answerErrors)
  app.use(refuseOthers(origin))
  const options = {
    // No `domain`: the cookie is for the API alone, and the app can't read it.
    key: secure ? '__Host-session' : 'session',
    // Enough while app and API are of one site. The readme says what other sites need.
    sameSite: 'lax',
    store,
    subject: ({ user }) => user,
    maxAge: DAY,
    renew: true,
    now,
  }
  app.use(session(options, app))
  const routes = {
    'GET /me': signedIn(showUser),
    'POST /sign-in': signIn,
    'POST /count': signedIn(count),
    'POST /sign-out': signOut,
  }
  app.use(ctx => routes[routeOf(ctx)]?.(ctx))
  return app
}

// Before everything else, so that errors have the headers, too: without them a browser does not show the app that it is a 401.
// With cookies a browser accepts no `*`, and the origin of each request is that of the app or none. `Vary` tells caches so.
function allow(origin) {
  return (ctx, next) => {
    ctx.vary('Origin')
    ctx.set('Cache-Control', 'no-store')
    if (ctx.get('Origin') === origin) {
      ctx.set('Access-Control-Allow-Origin', origin)
      ctx.set('Access-Control-Allow-Credentials', 'true')
    }
    if (ctx.method !== 'OPTIONS') return next()
    // Browsers ask first whether they may send JSON. This question comes without a cookie.
    if (ctx.get('Origin') === origin) {
      ctx.set('Access-Control-Allow-Methods', 'GET, POST')
      ctx.set('Access-Control-Allow-Headers', 'Content-Type')
      ctx.set('Access-Control-Max-Age', '600')
    }
    ctx.status = 204
  }
}

// What is wrong in the server is told to its log, and not to the visitor.
async function answerErrors(ctx, next) {
  try {
    await next()
    if (ctx.status === 404) ctx.throw(404, 'There is no such thing')
  } catch (error) {
    if (!error.expose) ctx.app.emit('error', error, ctx)
    ctx.status = error.expose ? error.status : 500
    ctx.body = { error: error.expose ? error.message : 'The server’s log says more' }
  }
}

// CORS keeps other pages from reading an answer, and not from sending a request. Browsers say in Origin, and newer ones in
// Sec-Fetch-Site too, which page has sent it. `SameSite` alone does not do: it lets through the pages of all other subdomains.
function refuseOthers(origin) {
  return (ctx, next) => {
    const isOther = !routeOf(ctx).startsWith('GET ') && ctx.get('Origin') !== origin
    if (isOther || ctx.get('Sec-Fetch-Site') === 'cross-site') ctx.throw(403, 'Only the app may ask for this')
    return next()
  }
}

// Not a redirect: a script would follow it, and get the HTML of a page.
function signedIn(handler) {
  return ctx => (ctx.session.user === undefined ? ctx.throw(401, 'Sign in first') : handler(ctx))
}

// To be somebody here, a name is enough: ../password asks for a proof.
async function signIn(ctx) {
  const { name } = await readJson(ctx)
  if (typeof name !== 'string' || name === '' || name.length > 50)
    ctx.throw(400, 'A name of 1 to 50 characters, please')
  ctx.session.user = name
  await ctx.session.regenerate({ keep: ['user'], fresh: true })
  showUser(ctx)
}

function count(ctx) {
  ctx.session.count = (ctx.session.count ?? 0) + 1
  showUser(ctx)
}

function signOut(ctx) {
  ctx.session = null
  ctx.status = 204
}

function showUser(ctx) {
  const { user, count = 0 } = ctx.session
  ctx.body = { user, count }
}

async function readJson(ctx) {
  const length = ctx.get('Content-Length')
  if (length === '' || Number(length) > 2000) ctx.throw(413, 'The body is too long')
  if (!ctx.is('application/json')) ctx.throw(415, 'The body has to be JSON')
  const body = await json(ctx.req).catch(() => undefined)
  return Object(body)
}
