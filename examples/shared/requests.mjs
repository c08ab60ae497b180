// What the examples do with every request, whatever its page: headers, errors, and forms of other sites.
import { text } from 'node:stream/consumers'
import { CONTENT_POLICY, html, page } from './html.mjs'

const HEADERS = {
  // Every page is one person's own: without `no-store`, going back after signing out would show it again.
  'Cache-Control': 'no-store',
  'Content-Security-Policy': CONTENT_POLICY,
  // As `frame-ancestors` of the policy, for browsers that do not know that.
  'X-Frame-Options': 'DENY',
  'X-Content-Type-Options': 'nosniff',
  // Not `no-referrer`: with that, browsers do not say from where a form comes (`Origin: null`).
  'Referrer-Policy': 'same-origin',
}

// An error has the headers, too. What is wrong in the server is told to its log, and not to the visitor.
export async function showErrors(ctx, next) {
  ctx.set(HEADERS)
  try {
    await next()
    if (ctx.status === 404) ctx.throw(404, 'There is no such page')
  } catch (error) {
    if (!error.expose) ctx.app.emit('error', error, ctx)
    ctx.remove('Location')
    ctx.status = error.expose ? error.status : 500
    const why = error.expose ? error.message : 'The server’s log says more'
    ctx.body = page({ title: 'That can’t be done', content: html`<p>${why}.</p><p><a href="/">Go on</a></p>` })
  }
}

// A cookie does not tell which page has sent a form: another site could post one in a visitor's name. Browsers say in
// Sec-Fetch-Site whether it was a page of the same origin. Older ones say the page's origin, and what says neither is refused.
// (Not `ctx.origin`: in Koa 3 that is the header itself.)
export function refuseOtherSites(ctx, next) {
  const site = ctx.get('Sec-Fetch-Site')
  const isOwn = site ? site === 'same-origin' : ctx.get('Origin') === `${ctx.protocol}://${ctx.host}`
  if (!['GET', 'HEAD', 'OPTIONS'].includes(ctx.method) && !isOwn) ctx.throw(403, 'Forms of other sites are refused')
  return next()
}

// What a table of routes has: "GET /". A HEAD is answered as a GET is, and Koa leaves out the body.
export const routeOf = ctx => `${ctx.method === 'HEAD' ? 'GET' : ctx.method} ${ctx.path}`

// Browsers always state the length of a form, so a body of unknown length is refused like a long one.
export async function readForm(ctx) {
  const length = ctx.get('Content-Length')
  if (length === '' || Number(length) > 2000) ctx.throw(413, 'The form is too long')
  return Object.fromEntries(new URLSearchParams(await text(ctx.req)))
}

// 303 makes the browser follow with a GET, so that a reload does not post the form again.
export function redirect(ctx, path) {
  ctx.status = 303
  ctx.redirect(path)
}

// What the last request has left to say, once.
export function takeNotice(ctx) {
  const { notice } = ctx.session
  delete ctx.session.notice
  return notice
}
