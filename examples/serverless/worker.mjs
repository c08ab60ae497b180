// The Worker: it hands each request to the application.
import { httpServerHandler } from 'cloudflare:node'
import { env } from 'cloudflare:workers'
import { createApp } from './app.mjs'

// The name of a place where the application is found within this Worker. Nothing listens outside.
const PORT = 8080

if (!env.SESSION_KEYS) {
  throw new Error(
    'SESSION_KEYS is not set. Make secrets with "npx koa-session keygen", and keep them with "wrangler secret put".',
  )
}
createApp({ keys: env.SESSION_KEYS.split(',') }).listen(PORT)
const application = httpServerHandler({ port: PORT })

export default {
  fetch(request, ...rest) {
    // What Koa believes of a request is said by the request itself and by Cloudflare, and not by the client.
    const headers = new Headers(request.headers)
    headers.set('X-Forwarded-Proto', new URL(request.url).protocol.slice(0, -1))
    headers.set('X-Forwarded-For', request.headers.get('CF-Connecting-IP') ?? '')
    headers.delete('X-Forwarded-Host')
    return application.fetch(new Request(request, { headers }), ...rest)
  },
}
