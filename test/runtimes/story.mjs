/* The story that each runtime is told, by a visitor who keeps cookies. */
import assert from 'node:assert/strict'
import { keepIn } from '../support/set-cookie.mjs'

/** Rejects where the application at `fetch` (as a browser's, with a path) does not keep the session as it has to. */
export async function tell(fetch, { isSealed }) {
  const jar = new Map()
  const visit = async (method, path) => {
    const cookie = [...jar].map(pair => pair.join('=')).join('; ')
    const response = await fetch(path, { method, headers: cookie === '' ? {} : { cookie } })
    keepIn(jar, response.headers.getSetCookie())
    return response.text()
  }

  assert.equal(await visit('GET', '/count'), 'nobody 1')
  assert.equal(await visit('POST', '/sign-in'), 'signed in')
  assert.equal(await visit('GET', '/count'), 'ann 1')
  assert.equal(await visit('GET', '/count'), 'ann 2')
  assert.equal(await visit('GET', '/count'), 'ann 3')

  const [name, value] = [...jar].find(([name]) => !name.endsWith('.sig'))
  const text = Buffer.from(value, 'base64url').toString('latin1')
  assert.equal(
    text.includes('"user":"ann"'),
    !isSealed,
    isSealed ? 'the sealed cookie can be read' : 'not the cookie of 7',
  )
  const middle = value.length >> 1
  const forged = value.slice(0, middle) + (value[middle] === 'A' ? 'B' : 'A') + value.slice(middle + 1)
  const honest = new Map(jar)
  jar.set(name, forged)
  assert.equal(await visit('GET', '/count'), 'nobody 1', 'a forged cookie was accepted')
  jar.clear()
  for (const [name, value] of honest) jar.set(name, value)

  assert.equal(await visit('GET', '/count'), 'ann 4')
  assert.equal(await visit('POST', '/sign-out'), 'signed out')
  assert.equal(jar.size, 0, 'signing out left a cookie')
  assert.equal(await visit('GET', '/count'), 'nobody 1')
}
