// What the tests in a browser share: the browser, the example behind an address, and what a person does there.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before } from 'node:test'
import { chromium } from 'playwright-core'
import { createApp } from '../../examples/counter/app.mjs'

const executablePath = process.env.CHROMIUM || '/usr/bin/chromium'
const quiet = '--disable-background-networking --disable-component-update --disable-sync --no-first-run'
const args = `--no-sandbox --disable-gpu --disable-quic ${quiet}`.split(' ')
const launchOptions = { executablePath, headless: true, args }

let browser

before(async () => {
  const advice = 'install it (Debian: apt-get install chromium) or set CHROMIUM to its path'
  assert.ok(existsSync(executablePath), `no Chromium at ${executablePath}: ${advice}`)
  browser = await chromium.launch(launchOptions)
})

after(() => browser?.close())

export async function serve(t, session, certificate) {
  return serveApp(t, createApp({ session, keys: [randomBytes(32).toString('base64url')] }), certificate)
}

export async function serveApp(t, app, certificate) {
  const handler = app.callback()
  const server = certificate ? https.createServer(certificate, handler) : http.createServer(handler)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  // The browser keeps its connections open, so closing alone would wait for them.
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  return `${certificate ? 'https' : 'http'}://127.0.0.1:${server.address().port}/`
}

export async function open(t, session, certificate) {
  return openAt(t, await serve(t, session, certificate))
}

export async function openAt(t, url, device) {
  const context = await browser.newContext({ ignoreHTTPSErrors: url.startsWith('https:'), ...device })
  t.after(() => context.close())
  return { url, context, page: await context.newPage() }
}

// A page where no script runs. `errors`: what the browser has found wrong with it, and said to its console.
export async function openWithoutScripts(t, url, device) {
  const { context, page } = await openAt(t, url, { javaScriptEnabled: false, ...device })
  const errors = []
  page.on('console', message => message.type() === 'error' && errors.push(message.text()))
  page.on('pageerror', error => errors.push(error.message))
  return { context, page, errors }
}

// A browser of its own, started on a profile and closed again; starting it anew is a restart.
export async function withProfile(profile, use) {
  const context = await chromium.launchPersistentContext(profile, launchOptions)
  try {
    await use(await context.newPage(), context)
  } finally {
    await context.close()
  }
}

export function temporaryDirectory(t) {
  const directory = mkdtempSync(join(tmpdir(), 'koa-session-browser-'))
  t.after(() => rmSync(directory, { recursive: true, force: true, maxRetries: 5 }))
  return directory
}

export function makeCertificate(t) {
  const directory = temporaryDirectory(t)
  const [key, cert] = [join(directory, 'key.pem'), join(directory, 'cert.pem')]
  const request = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=localhost'
  execFileSync('openssl', [...request.split(' '), '-keyout', key, '-out', cert], { stdio: 'pipe' })
  return { key: readFileSync(key), cert: readFileSync(cert) }
}

export async function read(page) {
  const [views, user, age] = await page.locator('#views, #user, #age').allTextContents()
  return { views, user, age }
}

export async function submit(page, name) {
  await page.locator('[name=name]').fill(name)
  await page.getByRole('button', { name: 'Sign in' }).click()
}

export async function signIn(page, name) {
  await submit(page, name)
  await page.getByRole('button', { name: 'Sign out' }).waitFor()
}

export async function signOut(page) {
  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.getByRole('button', { name: 'Sign in' }).waitFor()
}

export const signOutWithoutFollowing = page =>
  page.evaluate(() => fetch('/sign-out', { method: 'POST', redirect: 'manual' }).then(() => undefined))

export async function assertAttributes(response, cookies, { names, secure }) {
  assert.deepEqual(cookies.map(({ name }) => name).sort(), names)
  for (const { path, httpOnly, sameSite, ...cookie } of cookies) {
    assert.deepEqual([path, httpOnly, sameSite, cookie.secure], ['/', true, 'Lax', secure])
  }
  // The jar shows the same for sameSite left out and, at an address, for a domain: the headers tell.
  const headers = await response.headerValues('set-cookie')
  assert.equal(headers.length, 2)
  for (const header of headers) assert.match(header, /^(?!.*; domain=).*; samesite=lax/i)
}

export const idIn = cookies => cookies.find(({ name }) => name === 'koa.sess').value

export const PHONE = {
  viewport: { width: 390, height: 844 },
  userAgent: 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Version/18.5 Safari/604.1',
}

// Runs in the page.
export function measure() {
  const touched = [...document.querySelectorAll('button, a, input:not([type=hidden])')]
  const isSmall = element => element.getBoundingClientRect().height < 44
  return {
    ground: getComputedStyle(document.body).backgroundColor,
    width: document.documentElement.scrollWidth,
    small: touched.filter(isSmall).map(({ outerHTML }) => outerHTML),
  }
}

// PICTURES names a folder for them.
export async function takePictures(pages) {
  const folder = process.env.PICTURES
  if (!folder) return
  for (const [name, page] of Object.entries(pages))
    await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true })
}
