// The sign-in with a password of the examples, in a browser that runs no script: over TLS, with the cookie that only that
// allows, and on a phone at night. Run by run.mjs. PICTURES names a folder for pictures.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { memoryStore } from 'koa-session/memory'
import { createApp } from '../../examples/password/app.mjs'
import { createUsers } from '../../examples/password/users.mjs'
import { makeCertificate, measure, openWithoutScripts, PHONE, serveApp, takePictures } from './support.mjs'

const MINUTE = 60_000
const secret = () => randomBytes(32).toString('base64url')

async function serve(t, { now, certificate } = {}) {
  const users = await createUsers({ N: 16, r: 1, p: 1 })
  const password = secret()
  await users.setPassword('ada', password)
  const secure = certificate !== undefined
  const app = createApp({ users, store: memoryStore({ now }), keys: [secret()], secure, now })
  return { password, url: await serveApp(t, app, certificate) }
}

async function signIn(page, password) {
  await page.getByLabel('Name').fill('ada')
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await hasHeading(page, 'Your account')
}

const hasHeading = (page, name) => page.getByRole('heading', { name }).waitFor()

test('she signs in over TLS, gives her password again, changes it, and her phone is signed out', async t => {
  let elapsed = 0
  const now = () => Date.now() + elapsed
  const { url, password } = await serve(t, { now, certificate: makeCertificate(t) })
  const { page, context, errors } = await openWithoutScripts(t, url)
  const { page: phone, errors: errorsOfPhone } = await openWithoutScripts(t, url, PHONE)
  for (const one of [page, phone]) {
    await one.goto(url)
    await signIn(one, password)
  }
  const cookies = await context.cookies()
  assert.deepEqual(cookies.map(({ name }) => name).sort(), ['__Host-session', '__Host-session.sig'])
  for (const { secure, httpOnly, sameSite, path } of cookies) {
    assert.deepEqual([secure, httpOnly, sameSite, path], [true, true, 'Lax', '/'])
  }

  elapsed = 6 * MINUTE
  await page.getByRole('link', { name: 'Change the password' }).click()
  await hasHeading(page, 'Your password again')
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Go on' }).click()
  await hasHeading(page, 'Change the password')
  await page.getByLabel('New password').fill(secret())
  await page.getByRole('button', { name: 'Change it' }).click()
  await page.getByText('Your password is changed, and 1 other device is signed out.').waitFor()
  await phone.reload()
  await hasHeading(phone, 'Sign in')
  await page.getByRole('button', { name: 'Sign out everywhere' }).click()
  await hasHeading(page, 'Sign in')
  assert.deepEqual([await context.cookies(), errors, errorsOfPhone], [[], [], []])
})

test('on a phone at night the pages of a sign-in are dark, fit, and have buttons for thumbs', async t => {
  let elapsed = 0
  const now = () => Date.now() + elapsed
  const { url, password } = await serve(t, { now })
  const night = { ...PHONE, viewport: { width: 360, height: 780 }, colorScheme: 'dark' }
  const { page, errors } = await openWithoutScripts(t, url, night)
  const see = async (path, heading) => {
    await page.goto(url + path)
    await hasHeading(page, heading)
    const { ground, width, small } = await page.evaluate(measure)
    assert.deepEqual([heading, ground, width, small], [heading, 'rgb(24, 24, 24)', 360, []])
    await takePictures({ [`password-night-${heading.toLowerCase().replaceAll(' ', '-')}`]: page })
  }
  await see('', 'Sign in')
  await signIn(page, password)
  await see('', 'Your account')
  await see('password', 'Change the password')
  elapsed = 6 * MINUTE
  await see('password', 'Your password again')
  assert.deepEqual(errors, [])
})
