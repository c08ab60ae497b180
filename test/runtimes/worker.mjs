/* Serves each kind of session as a Worker of Cloudflare: the Worker that is asked for a kind hands on to its port. */

import { httpServerHandler } from 'cloudflare:node'
import { env } from 'cloudflare:workers'
import { createApp, KINDS } from './app.mjs'

const handlers = Object.fromEntries(
  Object.entries(KINDS).map(([kind, options], index) => [kind, handlerOf(options, 8080 + index)]),
)

export default {
  fetch: (request, ...rest) => handlers[request.headers.get('x-kind')].fetch(request, ...rest),
}

function handlerOf(options, port) {
  createApp(options, env.SECRET).listen(port)
  return httpServerHandler({ port })
}
