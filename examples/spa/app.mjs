// The single-page app: one page and its script, which talks to the API. It knows nothing of sessions.
import { readFileSync } from 'node:fs'
import Koa from 'koa'
import { html, page } from '../shared/html.mjs'
import { showErrors } from '../shared/requests.mjs'

const SCRIPT = readFileSync(new URL('client.js', import.meta.url))

// `api`: the origin of the API.
export function createApp({ api }) {
  const app = new Koa()
  app.use(showErrors)
  app.use(ctx => {
    if (ctx.path === '/client.js') {
      ctx.type = 'text/javascript'
      ctx.body = SCRIPT
    }
    if (ctx.path !== '/') return
    // The script may ask the API, and nobody else.
    const policy = ctx.response.get('Content-Security-Policy')
    ctx.set('Content-Security-Policy', `${policy}; script-src 'self'; connect-src ${api}`)
    ctx.body = page({ title: 'Single-page app', content: contentFor(api) })
  })
  return app
}

const contentFor = api => html`<p id="state" role="status">Loading …</p>
<form id="sign-in" hidden>
  <label>Your name <input name="name" required maxlength="50" autocomplete="off"></label>
  <button>Sign in</button>
</form>
<div id="account" class="actions" hidden><button id="count">Count</button> <button id="sign-out">Sign out</button></div>
<script src="/client.js" data-api="${api}"></script>`
