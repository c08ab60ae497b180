// The single-page app of the examples, whose API has another origin: what the browser sends there, and lets pages read. Run by
// run.mjs.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { memoryStore } from 'koa-session/memory'
import { createApi } from '../../examples/spa/api.mjs'
import { createApp } from '../../examples/spa/app.mjs'
import { openAt, serveApp } from './support.mjs'

// Chromium knows that names that end with "localhost" are this machine.
async function serve(t) {
  const handlers = {}
  const listen = async name => {
    const url = await serveApp(t, { callback: () => (req, res) => handlers[name](req, res) })
    return `http://${name}.shop.localhost:${new URL(url).port}`
  }
  const [app, api] = [await listen('app'), await listen('api')]
  const asked = []
  const server = createApi({ origin: app, store: memoryStore(), keys: [randomBytes(32).toString('base64url')] })
  const answer = server.callback()
  handlers.app = createApp({ api }).callback()
  handlers.api = (req, res) => {
    const { cookie, 'sec-fetch-site': site } = req.headers
    // A browser asks for an icon by itself, at any time.
    if (req.url !== '/favicon.ico')
      asked.push(`${req.method} ${req.url} ${site} ${cookie === undefined ? 'without' : 'with'} a cookie`)
    return answer(req, res)
  }
  return { app, api, asked }
}

async function signIn(page) {
  await page.getByLabel('Your name').fill('ada')
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByText('Signed in as ada, counted to 0.').waitFor()
}

test('the app signs in at the API of another origin, and stays signed in', async t => {
  const { app, api, asked } = await serve(t)
  const { context, page } = await openAt(t, app)
  const errors = []
  page.on('pageerror', error => errors.push(error.message))
  await page.goto(app)
  await page.getByText('Nobody is signed in.').waitFor()
  await signIn(page)
  await page.getByRole('button', { name: 'Count' }).click()
  await page.getByText('counted to 1').waitFor()
  await page.reload()
  await page.getByText('Signed in as ada, counted to 1.').waitFor()
  assert.deepEqual(asked.slice(-2), ['POST /count same-site with a cookie', 'GET /me same-site with a cookie'])
  assert.ok(asked.includes('OPTIONS /sign-in same-site without a cookie'))

  const cookies = await context.cookies()
  assert.deepEqual(cookies.map(({ name, domain, httpOnly, sameSite }) => [name, domain, httpOnly, sameSite]).sort(), [
    ['session', new URL(api).hostname, true, 'Lax'],
    ['session.sig', new URL(api).hostname, true, 'Lax'],
  ])
  assert.equal(await page.evaluate(() => document.cookie), '')
  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.getByText('Nobody is signed in.').waitFor()
  assert.deepEqual([await context.cookies(), errors], [[], []])
})

test('pages of another subdomain and of another site neither read nor change anything', async t => {
  const { app, api, asked } = await serve(t)
  const other = await serveApp(t, {
    callback: () => (_req, res) => res.setHeader('Content-Type', 'text/html').end('<p>hello'),
  })
  const { page } = await openAt(t, app)
  await page.goto(app)
  await signIn(page)
  for (const [host, site, cookie] of [
    ['other.shop.localhost', 'same-site', 'with'],
    ['evil.localhost', 'cross-site', 'without'],
  ]) {
    await page.goto(other.replace('127.0.0.1', host))
    const read = await page.evaluate(
      url =>
        fetch(url, { credentials: 'include' }).then(
          () => 'read',
          () => 'refused',
        ),
      `${api}/me`,
    )
    assert.deepEqual([read, asked.at(-1)], ['refused', `GET /me ${site} ${cookie} a cookie`])
    const answer = page.waitForResponse(`${api}/sign-out`)
    await page.evaluate(url => {
      const form = Object.assign(document.createElement('form'), { method: 'post', action: url })
      document.body.append(form)
      form.submit()
    }, `${api}/sign-out`)
    const status = (await answer).status()
    await page.waitForURL(`${api}/sign-out`)
    assert.deepEqual([status, asked.at(-1)], [403, `POST /sign-out ${site} ${cookie} a cookie`])
  }
  await page.goto(app)
  await page.getByText('Signed in as ada, counted to 0.').waitFor()
})
