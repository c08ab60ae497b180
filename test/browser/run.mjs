// Only a browser shows what becomes of a session cookie: whether it is stored, sent, kept from scripts,
// kept over a restart and removed at last. This drives the example in Chromium to see that it is so.
// Run it as `node test/browser/run.mjs`, after a build; CHROMIUM is the path of another browser, and a
// screenshot of the signed-in page is saved to the path in SCREENSHOT.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { memoryStore } from 'koa-session/memory'
import './admin.mjs'
import './chat.mjs'
import './devices.mjs'
import './password.mjs'
import './sealed.mjs'
import './spa.mjs'
import {
  assertAttributes,
  idIn,
  makeCertificate,
  open,
  read,
  serve,
  signIn,
  signOut,
  signOutWithoutFollowing,
  submit,
  temporaryDirectory,
  withProfile,
} from './support.mjs'

test('the cookie and its signature have the right attributes and a day to live', async t => {
  const { context, page, url } = await open(t)
  const response = await page.goto(url)
  const tomorrow = Date.now() / 1000 + 24 * 60 * 60
  const cookies = await context.cookies()
  await assertAttributes(response, cookies, { names: ['koa.sess', 'koa.sess.sig'], secure: false })
  for (const { expires } of cookies) {
    assert.ok(Math.abs(expires - tomorrow) < 60, `expires at ${expires}, a day ahead is ${tomorrow}`)
  }
})

test('the session survives a reload and a restart of the browser', async t => {
  const url = await serve(t)
  const profile = temporaryDirectory(t)
  await withProfile(profile, async page => {
    await page.goto(url)
    assert.deepEqual(await read(page), { views: '1', user: 'nobody', age: 'new' })
    await page.reload()
    assert.deepEqual(await read(page), { views: '2', user: 'nobody', age: 'known from before' })
    await signIn(page, 'Ada Lovelace')
  })
  await withProfile(profile, async page => {
    await page.goto(url)
    assert.deepEqual(await read(page), { views: '4', user: 'Ada Lovelace', age: 'known from before' })
    if (process.env.SCREENSHOT) await page.screenshot({ path: process.env.SCREENSHOT })
  })
})

test("with maxAge 'session' the session ends with the browser", async t => {
  const url = await serve(t, { maxAge: 'session' })
  const profile = temporaryDirectory(t)
  await withProfile(profile, async (page, context) => {
    await page.goto(url)
    await page.reload()
    assert.equal((await read(page)).views, '2')
    const lifetimes = (await context.cookies()).map(({ expires }) => expires)
    assert.deepEqual(lifetimes, [-1, -1])
  })
  await withProfile(profile, async (page, context) => {
    assert.deepEqual(await context.cookies(), [])
    await page.goto(url)
    assert.deepEqual(await read(page), { views: '1', user: 'nobody', age: 'new' })
  })
})

for (const [place, options] of [
  ['the cookie', () => ({})],
  ['a store', () => ({ store: memoryStore() })],
]) {
  test(`signing in and out, with the session in ${place}`, async t => {
    const { context, page, url } = await open(t, options())
    await page.goto(url)
    await signIn(page, 'Ada Lovelace')
    assert.deepEqual(await read(page), { views: '2', user: 'Ada Lovelace', age: 'known from before' })

    await signOut(page)
    assert.deepEqual(await read(page), { views: '1', user: 'nobody', age: 'new' })
    assert.ok(await page.goBack(), 'there is a signed-in page to go back to')
    assert.deepEqual(await read(page), { views: '2', user: 'nobody', age: 'known from before' })
    await page.reload()
    assert.deepEqual(await read(page), { views: '3', user: 'nobody', age: 'known from before' })

    // The page after signing out starts a session of its own; without it the jar is seen to be empty.
    await signOutWithoutFollowing(page)
    assert.deepEqual(await context.cookies(), [])
  })
}

test('signing in changes the id in the cookie, and no id outlives its session', async t => {
  let elapsed = 0
  const now = () => Date.now() + elapsed
  const { context, page, url } = await open(t, { store: memoryStore({ now }), now })
  await page.goto(url)
  const anonymous = await context.cookies()
  await signIn(page, 'Ada')
  const signedIn = await context.cookies()
  assert.notEqual(idIn(anonymous), idIn(signedIn))
  await signOutWithoutFollowing(page)

  // For so long a request that was under way may bring an id that was given up, and its cookie is left alone.
  elapsed = 10_001
  for (const stolen of [anonymous, signedIn]) {
    await context.clearCookies()
    await context.addCookies(stolen)
    await page.goto(url)
    assert.deepEqual(await read(page), { views: '1', user: 'nobody', age: 'new' })
    assert.notEqual(idIn(await context.cookies()), idIn(stolen))
  }
})

test('scripts in the page cannot read the cookie', async t => {
  const { context, page, url } = await open(t)
  await page.goto(url)
  assert.equal((await context.cookies()).length, 2)
  assert.equal(await page.evaluate(() => document.cookie), '')
  assert.deepEqual(await page.evaluate(() => cookieStore.getAll()), [])
})

test('a __Host- cookie is accepted and removed over HTTPS', async t => {
  const options = { key: '__Host-koa.sess', secure: true }
  const { context, page, url } = await open(t, options, makeCertificate(t))
  const response = await page.goto(url)
  const names = ['__Host-koa.sess', '__Host-koa.sess.sig']
  await assertAttributes(response, await context.cookies(), { names, secure: true })
  await signIn(page, 'Ada')
  assert.deepEqual(await read(page), { views: '2', user: 'Ada', age: 'known from before' })
  await signOutWithoutFollowing(page)
  assert.deepEqual(await context.cookies(), [])
})

test('two tabs share the session', async t => {
  const { context, page, url } = await open(t)
  const other = await context.newPage()
  await page.goto(url)
  await other.goto(url)
  assert.equal((await read(other)).views, '2')
  await signIn(page, 'Ada')
  await other.reload()
  assert.deepEqual(await read(other), { views: '4', user: 'Ada', age: 'known from before' })
  await signOut(other)
  await page.reload()
  assert.deepEqual(await read(page), { views: '2', user: 'nobody', age: 'known from before' })
})

test('a form on another site is refused', async t => {
  const { page, url } = await open(t)
  // The same server by another name: to the browser that is another site.
  await page.goto(url.replace('127.0.0.1', 'localhost'))
  await page.setContent(`<form method="post" action="${url}sign-in"><input name="name"><button>Sign in`)
  const refused = page.waitForResponse(`${url}sign-in`)
  await submit(page, 'Mallory')
  assert.equal((await refused).status(), 403)
  await page.waitForURL(`${url}sign-in`)
  await page.goto(url)
  assert.deepEqual(await read(page), { views: '1', user: 'nobody', age: 'new' })
})

test('a name is shown as text, in the page and in the cookie', async t => {
  const { page, url } = await open(t)
  await page.goto(url)
  await signIn(page, '<i>Zoë</i>')
  assert.equal(await page.locator('i').count(), 0)
  assert.equal(JSON.parse(await page.locator('#cookie').textContent()).user, '<i>Zoë</i>')
})
