// The site of the documents, as a reader meets it: in a browser, on a phone, by the keyboard, without the network.
// Run it as `npm run docs:test`, which builds the site first. Pictures of some pages are in reports/site/ after it.
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import { test } from 'node:test'
import { openAt, serveApp } from '../browser/support.mjs'

const root = join(import.meta.dirname, '../..')
const site = join(root, 'docs/.vitepress/dist')
const pictures = join(root, 'reports/site')
const { repository } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const source = `${repository.url.replace(/^git\+|\.git$/g, '')}/blob/main/`

const PHONE = { viewport: { width: 360, height: 780 }, hasTouch: true, isMobile: true }
const DESK = { viewport: { width: 1280, height: 800 } }
const TYPES = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
}

const files = readdirSync(site, { recursive: true, encoding: 'utf8' })
const paths = files.filter(file => /(?<!404)\.html$/.test(file)).map(file => `/${file.replace(/(index)?\.html$/, '')}`)

test('each page loads without an error or another host, is linked, and has no link that leads nowhere', async t => {
  const { page, url, visit } = await openSite(t, PHONE)
  const troubles = []
  page.on('console', message => {
    if (message.type() === 'error') troubles.push(`${page.url()}: ${message.text()}`)
  })
  page.on('pageerror', error => troubles.push(`${page.url()}: ${error.message}`))
  page.on('requestfailed', request => {
    // What the page fetches ahead is aborted when the next page is opened.
    const { errorText } = request.failure()
    if (errorText !== 'net::ERR_ABORTED') troubles.push(`${request.url()}: ${errorText}`)
  })
  page.on('request', request => {
    if (!/^(data|blob):/.test(request.url()) && !request.url().startsWith(url))
      troubles.push(`${request.url()} is elsewhere`)
  })
  const read = new Map()
  for (const path of paths) {
    await visit(path)
    read.set(path, await page.evaluate(contentOf, PHONE.viewport.width))
    const { width, wide } = read.get(path)
    if (width > PHONE.viewport.width) troubles.push(`${path} is ${width} wide: ${wide}`)
  }
  const links = [...read].flatMap(([path, { hrefs }]) => hrefs.map(href => ({ path, href })))
  assert.deepEqual([...troubles, ...links.flatMap(link => faultsOf(link, { read, url }))], [])
  const linked = new Set(links.map(({ href }) => new URL(href).pathname))
  assert.deepEqual(
    paths.filter(path => !linked.has(path)),
    [],
  )
  assert.ok(paths.length > 40 && links.length > 1000, `${paths.length} pages, ${links.length} links`)
})

for (const keys of ['/', 'Control+k']) {
  test(`${keys} opens the search, which finds sameSite, and Enter leads to the option`, async t => {
    const { page, visit } = await openSite(t, DESK)
    await visit('/')
    await page.keyboard.press(keys)
    await page.locator('.VPLocalSearchBox input').waitFor()
    await page.keyboard.type('sameSite')
    await page.locator('.VPLocalSearchBox .result.selected[href="/docs/options#samesite"]').waitFor()
    await page.keyboard.press('Enter')
    await page.waitForURL('**/docs/options#samesite')
    await page.locator('h1', { hasText: 'Options' }).waitFor()
  })
}

test('Tab reaches the navigation, and shows where it is', async t => {
  const { page, visit } = await openSite(t, DESK)
  await visit('/')
  const reached = []
  for (let presses = 0; presses < 10; presses += 1) {
    await page.keyboard.press('Tab')
    const focused = page.locator(':focus')
    reached.push((await focused.innerText()).trim())
    assert.equal(await focused.evaluate(element => getComputedStyle(element).outlineStyle), 'auto')
    if (reached.at(-1) === 'Options') break
  }
  assert.equal(reached[0], 'Skip to content')
  await page.keyboard.press('Enter')
  await page.waitForURL('**/docs/options')
})

test('the site is dark when the system is, until the reader says otherwise', async t => {
  const { page, visit } = await openSite(t, { ...DESK, colorScheme: 'dark' })
  await visit('/')
  assert.ok((await lightnessOf(page)) < 40)
  await page.getByRole('switch').first().click()
  assert.ok((await lightnessOf(page)) > 240)
  await page.reload()
  assert.ok((await lightnessOf(page)) > 240)
})

for (const [name, device] of Object.entries({ phone: PHONE, desk: DESK })) {
  for (const colorScheme of ['light', 'dark']) {
    test(`on a ${name}, ${colorScheme}, text stands out from the page`, async t => {
      const { page, visit } = await openSite(t, { ...device, colorScheme })
      mkdirSync(pictures, { recursive: true })
      for (const [title, path] of Object.entries({
        home: '/',
        options: '/docs/options',
        api: '/docs/api/koa-session',
      })) {
        await visit(path)
        await page.screenshot({ path: join(pictures, `${title}-${name}-${colorScheme}.png`) })
        const [text, ground] = [await lightnessOf(page, '.vp-doc p', 'color'), await lightnessOf(page)]
        assert.ok(Math.abs(text - ground) > 150, `${path}: ${text} on ${ground}`)
      }
    })
  }
}

test('the reference names units, errors and sources', async t => {
  const { page, visit } = await openSite(t, DESK)
  await visit('/docs/api/koa-session')
  const text = await page.locator('.vp-doc').innerText()
  for (const word of [/\bms\b/, /ERR_SESSION_OPTION/, /Defined in: src\/koa\/middleware\.ts:\d+/])
    assert.match(text, word)
})

test('llms.txt names files that are there, and llms-full.txt has the options', () => {
  const text = readFileSync(join(site, 'llms.txt'), 'utf8')
  const named = [...text.matchAll(/\]\((\/[^)]+)\)/g)].map(([, path]) => path)
  assert.ok(named.includes('/docs/options.md') && named.length > 35)
  assert.deepEqual(
    named.filter(path => !existsSync(join(site, path))),
    [],
  )
  assert.match(readFileSync(join(site, 'llms-full.txt'), 'utf8'), /^#+ `sameSite`$/m)
})

async function openSite(t, device) {
  const opened = await openAt(t, await serveApp(t, { callback: () => serveFile }), device)
  const visit = async path => {
    const response = await opened.page.goto(new URL(path, opened.url).href, { waitUntil: 'networkidle' })
    assert.equal(response.status(), 200, path)
    // Until then nobody listens to keys.
    await opened.page.waitForFunction(() => document.querySelector('#app').__vue_app__)
  }
  return { ...opened, visit }
}

// As a host of static files does it: /docs/options is docs/options.html, and /docs/ is docs/index.html.
function serveFile({ url }, response) {
  const path = decodeURIComponent(new URL(url, 'http://site').pathname).slice(1)
  const file = [path, `${path}.html`, `${path}index.html`].find(name => files.includes(name) && extname(name))
  response.writeHead(file ? 200 : 404, { 'Content-Type': TYPES[extname(file ?? '')] ?? 'application/octet-stream' })
  response.end(file && readFileSync(join(site, file)))
}

// Runs in the page. `innerWidth` is of no use: a phone zooms out from a page that is too wide.
function contentOf(viewport) {
  const isWide = element =>
    element.getBoundingClientRect().right > viewport && !element.closest('table, pre, .VPSidebar')
  return {
    hrefs: [...document.querySelectorAll('a[href]')].map(({ href }) => href),
    ids: [...document.querySelectorAll('[id]')].map(({ id }) => id),
    width: document.documentElement.scrollWidth,
    wide: [...document.querySelectorAll('body *')].filter(isWide).map(({ outerHTML }) => outerHTML.slice(0, 80))[0],
  }
}

function faultsOf({ path, href }, { read, url }) {
  if (href.startsWith(source)) {
    const file = href.slice(source.length).replace(/#.*/, '')
    return existsSync(join(root, file)) ? [] : [`${path}: ${file} is not in the repository`]
  }
  if (!href.startsWith(url)) return []
  const { pathname, hash } = new URL(href)
  const target = read.get(pathname)
  if (!target) return [`${path}: ${href} leads nowhere`]
  const id = decodeURIComponent(hash.slice(1))
  return id === '' || target.ids.includes(id) ? [] : [`${path}: ${href} is no heading`]
}

// Of a colour, 0 to 255.
function lightnessOf(page, selector = 'body', property = 'background-color') {
  return page
    .locator(selector)
    .first()
    .evaluate((element, name) => {
      const [red, green, blue] = getComputedStyle(element)
        .getPropertyValue(name)
        .match(/[\d.]+/g)
        .map(Number)
      return 0.2126 * red + 0.7152 * green + 0.0722 * blue
    }, property)
}
