// The admin page of the examples in a browser that runs no script: with a mouse, with the keyboard alone, on a phone at night,
// and what pages of others can do to it. Run by run.mjs. PICTURES names a folder for pictures.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import Koa from 'koa'
import { memoryStore } from 'koa-session/memory'
import { createAgent } from 'koa-session/testing'
import { createAdmin } from '../../examples/admin/admin.mjs'
import { createShop } from '../../examples/admin/shop.mjs'
import { measure, openWithoutScripts, PHONE, serveApp, takePictures } from './support.mjs'

const secret = () => randomBytes(32).toString('base64url')
const USER_AGENTS = ['X11; Linux) Firefox/140.0', 'iPhone) Safari/604.1', 'Windows NT 10.0) Chrome/140.0']

// Ada is signed in at the shop on three devices, and Grace on one.
async function serveShop(t) {
  const [store, password] = [memoryStore(), secret()]
  const shop = await serveApp(t, createShop({ store, keys: [secret()] }))
  const url = await serveApp(t, createAdmin({ store, password, keys: [secret()] }))
  const visitor = await createAgent(shop)
  for (const [name, userAgents] of Object.entries({ ada: USER_AGENTS, grace: USER_AGENTS.slice(0, 1) })) {
    for (const userAgent of userAgents) {
      const headers = { 'sec-fetch-site': 'same-origin', 'user-agent': `Mozilla/5.0 (${userAgent}` }
      const { status } = await visitor.stranger().post('/sign-in', new URLSearchParams({ name }), { headers })
      assert.equal(status, 303)
    }
  }
  return { url, store, password }
}

async function openAdmin(t, device) {
  const { url, store, password } = await serveShop(t)
  const { context, page, errors } = await openWithoutScripts(t, url, device)
  await page.goto(url)
  assert.equal(page.url(), `${url}sign-in`)
  return { url, store, password, context, page, errors }
}

async function signIn(page, password) {
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.waitForURL(url => url.pathname === '/')
}

async function lookUp(page, user) {
  await page.getByLabel('Name of a user').fill(user)
  await page.getByRole('button', { name: 'Show sessions' }).click()
  await page.getByRole('heading', { name: `Sessions of ${user}` }).waitFor()
}

const devicesOn = async page => (await page.locator('tbody td:first-child').allInnerTexts()).sort()
const isNotice = (page, text) => page.getByRole('status').getByText(text, { exact: true }).waitFor()

test('an administrator ends one session, all others and all, without a script and without an error', async t => {
  const { page, errors, password, store } = await openAdmin(t)
  await takePictures({ 'admin-sign-in': page })
  await signIn(page, password)
  assert.equal(await page.locator('#count').innerText(), '4')
  await takePictures({ 'admin-start': page })
  await lookUp(page, 'ada')
  assert.deepEqual(await devicesOn(page), ['Chrome on Windows', 'Firefox on Linux', 'Safari on iPhone'])
  await takePictures({ 'admin-user': page })

  const row = name => page.getByRole('row', { name })
  await row('Safari on iPhone').getByRole('button', { name: 'End', exact: true }).click()
  await isNotice(page, 'The session has ended.')
  assert.deepEqual(await devicesOn(page), ['Chrome on Windows', 'Firefox on Linux'])

  await row('Chrome on Windows').getByRole('link', { name: 'End all others …' }).click()
  await page.getByRole('heading', { name: 'End all other sessions of ada?' }).waitFor()
  assert.deepEqual(await devicesOn(page), ['Chrome on Windows'])
  await takePictures({ 'admin-confirmation': page })
  await page.getByRole('link', { name: 'Cancel' }).click()
  await page.getByRole('heading', { name: 'Sessions of ada' }).waitFor()
  assert.equal((await devicesOn(page)).length, 2)
  await row('Chrome on Windows').getByRole('link', { name: 'End all others …' }).click()
  await page.getByRole('button', { name: 'End all others' }).click()
  await isNotice(page, 'One session has ended.')
  assert.deepEqual(await devicesOn(page), ['Chrome on Windows'])
  // One line, in spite of the long handle beside it.
  assert.equal(await page.locator('tbody button').evaluate(({ offsetHeight }) => offsetHeight), 44)
  await takePictures({ 'admin-ended': page })

  await page.getByRole('link', { name: 'End all …' }).click()
  await page.getByRole('button', { name: 'End all' }).click()
  await isNotice(page, 'One session has ended.')
  assert.deepEqual([await devicesOn(page), await store.count()], [[], 1])
  await page.getByRole('link', { name: 'Another user' }).click()
  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.getByRole('button', { name: 'Sign in' }).waitFor()
  assert.deepEqual(errors, [])
})

test('the keyboard alone is enough for an administrator', async t => {
  const { page, errors, password, store } = await openAdmin(t)
  const { keyboard } = page
  // To the next thing that is called so, as somebody does who sees what has the focus.
  async function tabTo(name) {
    for (let steps = 0; steps < 20; steps++) {
      await keyboard.press('Tab')
      const { label, outline } = await page.evaluate(focused)
      if (label === name) return assert.notEqual(outline, 'none')
    }
    throw new Error(`the focus does not get to ${name}`)
  }
  await tabTo('Password')
  await keyboard.type(password)
  await keyboard.press('Enter')
  await page.waitForURL(url => url.pathname === '/')
  await tabTo('Name of a user')
  await keyboard.type('ada')
  await keyboard.press('Enter')
  await page.getByRole('heading', { name: 'Sessions of ada' }).waitFor()
  await tabTo('End')
  await keyboard.press('Enter')
  await isNotice(page, 'The session has ended.')
  await tabTo('End all …')
  await keyboard.press('Enter')
  await page.getByRole('heading', { name: 'End all sessions of ada?' }).waitFor()
  await tabTo('End all')
  await keyboard.press('Space')
  await isNotice(page, '2 sessions have ended.')
  assert.deepEqual([await store.count(), errors], [1, []])
})

// Runs in the page.
function focused() {
  const { activeElement: element } = document
  const label = element.labels?.[0] ?? element
  return { label: label.textContent.trim(), outline: getComputedStyle(element).outlineStyle }
}

test('on a phone at night the admin page is dark, fits, and has buttons for thumbs', async t => {
  const night = { ...PHONE, viewport: { width: 360, height: 780 }, colorScheme: 'dark' }
  const { page, url, errors, password, store } = await openAdmin(t, night)
  const [{ handle }] = await store.list('ada')
  const paths = ['sign-in', '', 'user?user=ada', `end-others?user=ada&handle=${handle}`, 'end-all?user=ada']
  for (const [at, path] of paths.entries()) {
    if (at === 1) await signIn(page, password)
    await page.goto(url + path)
    const { ground, width, small } = await page.evaluate(measure)
    assert.deepEqual([path, ground, width, small], [path, 'rgb(24, 24, 24)', 360, []])
    await takePictures({ [`admin-night-${at}`]: page })
  }
  await page.goto(`${url}user?user=ada`)
  // Two lines, of which the first has the label as well.
  const heights = await page.locator('[data-label=Handle]').evaluateAll(cells => cells.map(one => one.offsetHeight))
  assert.ok(heights.length === 3 && Math.max(...heights) < 50, `the handles are ${heights} high`)
  assert.deepEqual(errors, [])
})

test('a form of another site or another port ends nothing, and no page is shown in a frame', async t => {
  const { page, context, url, password, store } = await openAdmin(t)
  await signIn(page, password)
  const form = `<form method="post" action="${url}end-all"><input name="user" value="ada"><button>You have won`
  const app = new Koa().use(ctx => {
    ctx.type = 'html'
    ctx.body = ctx.path === '/frame' ? `<iframe src="${url}"></iframe>` : form
  })
  // To a browser another port is another origin of the same site, and another name is another site.
  const neighbour = await serveApp(t, app)
  const stranger = neighbour.replace('127.0.0.1', 'localhost')
  for (const from of [neighbour, stranger]) {
    await page.goto(from)
    const refused = page.waitForResponse(`${url}end-all`)
    await page.getByRole('button').click()
    const response = await refused
    // The neighbour's form has the cookie, in spite of SameSite.
    assert.equal('cookie' in (await response.request().allHeaders()), from === neighbour)
    assert.equal(response.status(), 403)
    await page.getByText('Forms of other sites are refused.').waitFor()
  }
  assert.equal((await store.list('ada')).length, 3)

  const framed = await context.newPage()
  await framed.goto(`${neighbour}frame`)
  const [, frame] = framed.frames()
  assert.equal(frame.url(), 'chrome-error://chromewebdata/')
  await page.goto(url)
  assert.equal(await page.locator('#count').innerText(), '4')
})
