/* The story of the example examples/serverless, which Node and workerd are told, by a visitor who keeps cookies. */
import assert from 'node:assert/strict'
import { keepIn } from '../support/set-cookie.mjs'

const FROM_ITS_OWN_PAGE = { 'sec-fetch-site': 'same-origin' }

/** Rejects where the application at `fetch` (as a browser's, with a URL) does not do what its readme says. */
export async function tellServerless(fetch) {
  const jar = new Map()
  let lines = []
  const visit = async (path, { form, headers, scheme = 'https' } = {}) => {
    const cookie = [...jar].map(pair => pair.join('=')).join('; ')
    const posted = form && { method: 'POST', body: new URLSearchParams(form).toString() }
    const type = form && { 'content-type': 'application/x-www-form-urlencoded', ...FROM_ITS_OWN_PAGE }
    const response = await fetch(`${scheme}://shop.example${path}`, {
      ...posted,
      headers: { ...(cookie && { cookie }), ...type, ...headers },
      redirect: 'manual',
    })
    lines = response.headers.getSetCookie()
    keepIn(jar, lines)
    const text = await response.text()
    const [user = 'nobody', count] = ['user', 'count'].map(id => new RegExp(`id="${id}">([^<]*)<`).exec(text)?.[1])
    return { status: response.status, user, count }
  }
  const post = async (path, form = {}, more = {}) => (await visit(path, { form, ...more })).status

  assert.deepEqual(await visit('/'), { status: 200, user: 'nobody', count: undefined })
  assert.deepEqual(lines, [], 'a cookie without a session')
  assert.equal(await post('/sign-in', { name: 'Zoë' }), 303)
  assert.deepEqual([...jar.keys()], ['__Host-session'])
  assert.match(lines[0], /(?=.*; path=\/;)(?=.*; samesite=lax)(?=.*; secure)(?=.*; httponly)(?!.*; domain)/)
  const text = Buffer.from(jar.get('__Host-session'), 'base64url').toString('latin1')
  assert.doesNotMatch(text, /user|count|_expire/, 'the cookie can be read')
  for (const path of ['/count', '/count']) assert.equal(await post(path), 303)
  assert.deepEqual(await visit('/'), { status: 200, user: 'Zoë', count: '2' })

  const fromElsewhere = { headers: { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' } }
  assert.equal(await post('/sign-out', {}, fromElsewhere), 403)
  const honest = jar.get('__Host-session')
  jar.set('__Host-session', `${honest.slice(0, 20)}${honest[20] === 'A' ? 'B' : 'A'}${honest.slice(21)}`)
  assert.equal((await visit('/')).user, 'nobody', 'a forged cookie was accepted')
  jar.set('__Host-session', honest)
  assert.equal((await visit('/')).user, 'Zoë')

  assert.equal(await post('/sign-out'), 303)
  assert.deepEqual([jar.size, (await visit('/')).user], [0, 'nobody'])

  const claims = { headers: { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'evil.example' }, scheme: 'http' }
  assert.equal(await post('/sign-in', { name: 'ada' }, claims), 500, 'a secure cookie over plain HTTP')
  assert.equal(jar.size, 0)
}
