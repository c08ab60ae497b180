// What a person sees of sessions in a store: those on other devices, signed out from here, and that all of them go on
// when the server is started anew. Run by run.mjs, on the example as a process. PICTURES names a folder for pictures.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { tsImport } from 'tsx/esm/api'
import { measure, openAt, PHONE, read, signIn, takePictures } from './support.mjs'

const { startExample } = await tsImport('../examples/process.ts', import.meta.url)
const { available } = await tsImport('../servers/available.ts', import.meta.url)
const { startRedis } = await tsImport('../servers/redis.ts', import.meta.url)

const SQLITE = ['--store', 'sqlite:./sessions.db']
const SESSION_KEYS = 'a key for tests, long enough'

test('a person signs out one of her devices, and all others, and stays signed in over a restart', async t => {
  const example = await startExample(t, SQLITE, { SESSION_KEYS })
  const { page: desktop } = await signedIn(t, example.url, 'Ada')
  const { page: phone } = await signedIn(t, example.url, 'Ada', PHONE)
  await signedIn(t, example.url, 'Grace')
  await visitDevices(desktop)
  assert.deepEqual(await devicesOn(desktop), ['Safari on iPhone', 'Chrome on Linux this one'])
  await visitDevices(phone)
  assert.deepEqual(await devicesOn(phone), ['Safari on iPhone this one', 'Chrome on Linux'])
  await takePictures({ desktop, phone })

  await desktop.getByRole('row', { name: 'Safari on iPhone' }).getByRole('button', { name: 'Sign out' }).click()
  await desktop.waitForFunction(() => document.querySelectorAll('tbody tr').length === 1)
  assert.equal(await desktop.getByRole('button', { name: 'Sign out everywhere else' }).count(), 0)
  await follow(phone, 'Back to the session')
  assert.deepEqual(await read(phone), { views: '1', user: 'nobody', age: 'new' })

  await signIn(phone, 'Ada')
  const { page: tablet } = await signedIn(t, example.url, 'Ada')
  await desktop.reload()
  assert.equal((await devicesOn(desktop)).length, 3)
  await desktop.getByRole('button', { name: 'Sign out everywhere else' }).click()
  await desktop.waitForFunction(() => document.querySelectorAll('tbody tr').length === 1)
  for (const page of [phone, tablet]) {
    await page.reload()
    assert.equal((await read(page)).user, 'nobody')
  }
  await seeItGoOn(desktop, example)
  await visitDevices(desktop)
  assert.deepEqual(await devicesOn(desktop), ['Chrome on Linux this one'])
})

test('she signs out the device that she is at', async t => {
  const { url } = await startExample(t, SQLITE, { SESSION_KEYS })
  const { page, context } = await signedIn(t, url, 'Ada')
  await visitDevices(page)
  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.getByRole('button', { name: 'Sign in' }).waitFor()
  assert.deepEqual(await read(page), { views: '1', user: 'nobody', age: 'new' })
  await page.goto(`${url}/devices`)
  assert.equal(page.url(), `${url}/`)
  assert.equal((await context.cookies()).length, 2)
})

test('on a phone at night the pages are dark, fit, have buttons for thumbs, and times of the place', async t => {
  const { url } = await startExample(t, SQLITE, { SESSION_KEYS })
  await signedIn(t, url, 'Ada')
  const night = { ...PHONE, viewport: { width: 360, height: 780 }, colorScheme: 'dark', timezoneId: 'Asia/Kolkata' }
  const { page } = await signedIn(t, url, 'Ada', { ...night, locale: 'en-GB' })
  for (const path of ['/', '/devices', '/nothing']) {
    await page.goto(`${url}${path}`)
    const { ground, width, small } = await page.evaluate(measure)
    assert.deepEqual([path, ground, width, small], [path, 'rgb(24, 24, 24)', 360, []])
    await takePictures({ [`night${path.replace('/', '-')}`]: page })
  }
  await page.goto(`${url}/devices`)
  const time = page.locator('time').first()
  const [shown, sent] = [await time.innerText(), await time.getAttribute('datetime')]
  const local = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short', timeZone: 'Asia/Kolkata' })
  assert.equal(shown, local.format(new Date(sent)))
})

const { missing } = available('redis')
const isLeftOut = missing !== undefined && process.env.CI !== 'true' && missing

test('a session in Redis goes on over a restart of the server, and pages say when Redis is away', {
  skip: isLeftOut,
}, async t => {
  const redis = await startRedis({ persistent: true })
  t.after(() => redis.stop())
  const example = await startExample(t, ['--store', redis.url], { SESSION_KEYS })
  const { page } = await signedIn(t, example.url, 'Ada')
  await seeItGoOn(page, example)

  const { views } = await read(page)
  await redis.kill()
  assert.equal((await page.reload()).status(), 503)
  await page.getByText('does not answer').waitFor()
  await takePictures({ outage: page })
  await redis.restart()
  await tryAgain(page)
  assert.deepEqual(await read(page), { views: String(Number(views) + 1), user: 'Ada', age: 'known from before' })
})

// As a person does, until the application has found Redis again: it looks for it at most two seconds later.
async function tryAgain(page) {
  for (let tries = 0; tries < 100; tries += 1) {
    const loaded = page.waitForResponse(page.url())
    await page.getByRole('link', { name: 'Try again' }).click()
    if ((await loaded).ok()) return page.locator('#views').waitFor()
    await wait(100)
  }
  throw new Error('the application has not found Redis again')
}

// Another browser, as far as cookies go: another device.
async function signedIn(t, url, name, device) {
  const { context, page } = await openAt(t, url, device)
  await page.goto(url)
  await signIn(page, name)
  return { context, page }
}

async function visitDevices(page) {
  await page.goto(new URL('/', page.url()).href)
  await page.getByRole('link', { name: 'Your devices' }).click()
  await page.getByRole('heading', { name: 'Your devices' }).waitFor()
}

// To the page with the session, from one without.
async function follow(page, link) {
  await page.getByRole('link', { name: link }).click()
  await page.locator('#views').waitFor()
}

const devicesOn = page => page.locator('tbody td:first-child').allInnerTexts()

// The server is started anew, on another port; a cookie is for all ports of its host.
async function seeItGoOn(page, example) {
  await page.goto(example.url)
  const { views, user } = await read(page)
  await example.restart()
  await page.goto(example.url)
  assert.deepEqual(await read(page), { views: String(Number(views) + 1), user, age: 'known from before' })
  assert.equal(user, 'Ada')
}
