// What a browser makes of sealed cookies: whether it keeps one in several pieces, drops a piece that is not needed any
// more, and keeps the name __Host-. Run by run.mjs.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import Koa from 'koa'
import session from 'koa-session'
import { makeCertificate, open, openAt, read, serveApp, signIn, signOutWithoutFollowing } from './support.mjs'

const KEY = 'koa.sess'

test('a sealed session of more than 4096 bytes is kept in two cookies, and in one when it shrinks', async t => {
  const { context, visit } = await openNotes(t, { seal: true, chunks: true })
  assert.equal(await visit('write?size=10'), '10')
  assert.deepEqual(await namesIn(context), [KEY])
  assert.equal(await visit('write?size=4500'), '4500')
  const pieces = await context.cookies()
  assert.deepEqual(await namesIn(context), [KEY, `${KEY}.1`])
  const sizes = pieces.map(({ name, value }) => name.length + value.length)
  assert.ok(Math.max(...sizes) <= 4096 && sizes[0] + sizes[1] > 4096, `pieces of ${sizes} bytes`)
  assert.equal(await visit('read'), '4500')
  const { cookie } = await sentAt(context, visit)
  assert.match(cookie, /^koa\.sess=2~[\w-]+; koa\.sess\.1=[\w-]+$/)

  assert.equal(await visit('write?size=20'), '20')
  assert.deepEqual(await namesIn(context), [KEY])
  assert.equal(await visit('read'), '20')
  assert.match((await sentAt(context, visit)).cookie, /^koa\.sess=A[\w-]+$/)
  await visit('write?size=4500')
  await visit('end')
  assert.deepEqual(await namesIn(context), [])
})

test('without chunks what is too large is an error page, and the session before it stays', async t => {
  const { context, page, visit } = await openNotes(t, { seal: true })
  assert.equal(await visit('write?size=1000'), '1000')
  const before = await context.cookies()
  assert.equal(await visit('write?size=4500'), 'Internal Server Error')
  assert.equal(await page.evaluate(() => performance.getEntriesByType('navigation')[0].responseStatus), 500)
  assert.deepEqual(await context.cookies(), before)
  assert.equal(await visit('read'), '1000')
})

test('a sealed __Host- cookie is kept, sent and removed over HTTPS', async t => {
  const { context, page, url } = await open(t, { key: '__Host-koa.sess', seal: true }, makeCertificate(t))
  await page.goto(url)
  const [cookie, ...others] = await context.cookies()
  assert.deepEqual(others, [])
  const { name, value, path, secure, httpOnly, sameSite } = cookie
  assert.deepEqual([name, path, secure, httpOnly, sameSite], ['__Host-koa.sess', '/', true, true, 'Lax'])
  assert.doesNotMatch(Buffer.from(value, 'base64url').toString('latin1'), /views|_expire/)
  await page.reload()
  assert.equal((await read(page)).views, '2')
  await signIn(page, 'Ada')
  assert.deepEqual(await read(page), { views: '3', user: 'Ada', age: 'known from before' })
  await signOutWithoutFollowing(page)
  assert.deepEqual(await context.cookies(), [])
})

// An application that keeps a note of any size, and shows how long it is.
async function openNotes(t, options) {
  const app = new Koa({ keys: [randomBytes(32).toString('base64url')] })
  app.silent = true
  app.use(session(options, app))
  app.use(ctx => {
    if (ctx.path === '/write') ctx.session.note = 'x'.repeat(Number(ctx.query.size))
    if (ctx.path === '/end') ctx.session = null
    ctx.body = String(ctx.session?.note?.length)
  })
  const url = await serveApp(t, app)
  const { context, page } = await openAt(t, url)
  const visit = async path => {
    await page.goto(url + path)
    return page.locator('body').textContent()
  }
  return { context, page, visit }
}

const namesIn = async context => (await context.cookies()).map(({ name }) => name).sort()

// The headers that the browser sends with the next visit.
async function sentAt(context, visit) {
  const sent = context.waitForEvent('request')
  await visit('read')
  return (await sent).allHeaders()
}
