/*
 * iron-session on node:http, which encrypts the session into its cookie. It is no middleware: a handler that
 * wants a session asks for it and saves it, so one that leaves it alone costs nothing, and rolling means to save
 * in every request. It asks for Node 22.13, but passes all that is proved here on Node 20 as well.
 */

import { lifetime, secret } from './settings.mjs'

export async function open({ peer }) {
  const getSession = peer && (await import('iron-session')).getIronSession
  // Its cookies are `Secure` unless told otherwise; those of the others are not.
  const options = { password: secret, cookieName: 'session', ttl: lifetime / 1000, cookieOptions: { secure: false } }

  return (handle, { touches, saves }) => {
    if (!getSession || !touches) {
      return (_request, response) => {
        handle()
        response.end('ok')
      }
    }
    return async (request, response) => {
      const session = await getSession(request, response, options)
      handle({ session })
      if (saves) await session.save()
      response.end('ok')
    }
  }
}
