// An application whose visitors sign in with a password, by Passport. It is made apart from the listening in server.mjs, so
// that tests can start it.
import { scrypt, timingSafeEqual } from 'node:crypto'
import { parse } from 'node:querystring'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'
import Koa from 'koa'
import passport from 'koa-passport'
import session from 'koa-session'
import { memoryStore } from 'koa-session/memory'
import { Strategy } from 'passport-local'
import { routeOf } from '../shared/requests.mjs'

const derive = promisify(scrypt)
// The parameters that OWASP's Password Storage Cheat Sheet names for scrypt: 128 MiB for each hash.
const hashOf = (password, salt) => derive(password, salt, 32, { N: 2 ** 17, r: 8, p: 1, maxmem: 2 ** 28 })

// In place of a table of users. Yours has a salt for each user, as here, and no password in clear, unlike here.
const users = new Map()
for (const [id, password] of [['ada', 'analytical engine']]) {
  users.set(id, { id, salt: id, hash: await hashOf(password, id) })
}

passport.use(
  new Strategy((name, password, done) => {
    verify(name, password).then(user => done(null, user ?? false), done)
  }),
)
passport.serializeUser((user, done) => done(null, user.id))
passport.deserializeUser((id, done) => done(null, users.get(id) ?? false))

// The hash is made for a name that nobody has, too: otherwise the time would tell which names there are.
async function verify(name, password) {
  const user = users.get(name)
  const hash = await hashOf(password, user?.salt ?? '')
  return user && timingSafeEqual(hash, user.hash) ? user : undefined
}

// `origin`: that of this application, as browsers see it.
export function createApp({ keys, origin, store = memoryStore() }) {
  const routes = { 'GET /': showPage, 'POST /sign-in': signIn, 'POST /sign-out': signOut }
  const app = new Koa()
  app.keys = keys
  app.use(refuseOtherSites(origin))
  app.use(session({ store, sameSite: 'lax', subject: data => data.passport?.user }, app))
  app.use(passport.initialize())
  app.use(passport.session())
  app.use((ctx, next) => routes[routeOf(ctx)]?.(ctx, next))
  return app
}

function refuseOtherSites(origin) {
  return (ctx, next) => {
    const site = ctx.get('Sec-Fetch-Site')
    const isOurs = site ? site === 'same-origin' || site === 'none' : ctx.get('Origin') === origin
    if (!isOurs && ctx.method !== 'GET' && ctx.method !== 'HEAD') ctx.throw(403, 'Forms of other sites are refused')
    return next()
  }
}

async function signIn(ctx, next) {
  if (!(Number(ctx.get('Content-Length')) <= 1000)) ctx.throw(413, 'The form is too long')
  // What passport-local reads.
  ctx.request.body = parse(await text(ctx.req))
  const authenticate = passport.authenticate('local', async (error, user) => {
    if (error) throw error
    if (!user) ctx.throw(401, 'The name or the password is wrong')
    // Passport has a sign-in of its own, which keeps what was in the session before.
    ctx.session.passport = { user: user.id }
    await ctx.session.regenerate({ keep: ['passport'], fresh: true })
    redirectHome(ctx)
  })
  return authenticate(ctx, next)
}

// Passport has a sign-out of its own, after which the session goes on.
function signOut(ctx) {
  ctx.session = null
  redirectHome(ctx)
}

function redirectHome(ctx) {
  ctx.status = 303
  ctx.redirect('/')
}

function showPage(ctx) {
  const { user } = ctx.state
  ctx.set('Cache-Control', 'no-store')
  ctx.body = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Passport</title>
<h1>Passport</h1>
${user ? signedIn(user) : FORM}`
}

// The id is one of the table, which needs no escaping. Escape what visitors choose.
const signedIn = ({ id }) => `<p>You are signed in as <b id="user">${id}</b>.</p>
<form method="post" action="/sign-out"><button>Sign out</button></form>`

const FORM = `<form method="post" action="/sign-in">
  <p><label>Name <input name="username" autocomplete="username" required></label>
  <p><label>Password <input name="password" type="password" autocomplete="current-password" required></label>
  <p><button>Sign in</button>
</form>`
