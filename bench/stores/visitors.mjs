/*
 * Visitors of a server: their cookies, and the proof, before anything is counted or timed, that its sessions are found
 * and that what is written is found by the next request.
 */

import { cookieOf } from '../load.mjs'
import { last, sessions, user } from './session.mjs'

export async function get({ origin }, path, cookie = '') {
  const response = await fetch(origin + path, { headers: { cookie }, signal: AbortSignal.timeout(60_000) })
  const body = await response.text()
  if (!response.ok) throw new Error(`${path} answered ${response.status}: ${body}`)
  return { body, cookie: cookieOf(response) }
}

export async function signIn(server, path = '/plant') {
  return (await get(server, path)).cookie
}

/** What the session holds by now. */
export async function look(server, cookie) {
  return JSON.parse((await get(server, '/look', cookie)).body)
}

/** How often these sessions were written to. */
export async function writesTo(server, cookies) {
  const found = await Promise.all(cookies.map(cookie => look(server, cookie)))
  return found.reduce((sum, { n }) => sum + n - 1, 0)
}

export async function prove(server, name) {
  const must = (truth, what) => {
    if (!truth) throw new Error(`${name}: ${what}`)
  }
  for (const path of Object.keys(sessions)) {
    const cookie = await signIn(server, path)
    must(cookie, 'the session that is made gets no cookie')
    for (let count = 1; count < 4; count++) {
      const found = await look(server, cookie)
      must(found.user === user && found.last === last, 'the next request does not find the session')
      must(found.n === count, `the next request finds ${found.n} where ${count} was written`)
      must((await get(server, '/read', cookie)).body === user, 'the handler does not read the session')
      await get(server, '/write', cookie)
    }
  }
  must((await look(server, '')).user === undefined, 'a request without the cookie finds the session')
  const { cookie: visitor } = await get(server, '/visit')
  must((await look(server, visitor)).user === user, 'the request after a first visit does not find the session')
}
