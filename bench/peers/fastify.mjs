/*
 * @fastify/secure-session on Fastify, which encrypts the session into its cookie. It is given the key itself, as
 * its documentation recommends. It has no option for rolling; the documented way is to call `touch`.
 */

import Fastify from 'fastify'
import { lifetime, secret } from './settings.mjs'

export async function open({ peer, rolling }) {
  const session = peer && (await import('@fastify/secure-session')).default
  const seconds = lifetime / 1000

  return async handle => {
    const app = Fastify()
    if (session) {
      const cookie = { path: '/', httpOnly: true, maxAge: seconds }
      app.register(session, { key: Buffer.from(secret), expiry: seconds, cookie })
    }
    app.get('/', (request, reply) => {
      handle(request)
      if (session && rolling) request.session.touch()
      reply.send('ok')
    })
    await app.ready()
    return app.routing
  }
}
