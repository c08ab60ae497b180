// The chat of the examples in a browser: what its script shows, and what becomes of a tab whose session ends. Run by run.mjs.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { test } from 'node:test'
import { memoryStore } from 'koa-session/memory'
import { createApp, sessionOptions } from '../../examples/chat/app.mjs'
import { createChat } from '../../examples/chat/chat.mjs'
import { openAt } from './support.mjs'

test('two people chat, and a tab shows the sign-in when its session ends in another tab', async t => {
  const store = memoryStore()
  const keys = [randomBytes(32).toString('base64url')]
  const app = createApp({ store, keys })
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const origin = `http://127.0.0.1:${server.address().port}`
  const chat = createChat({ options: { ...sessionOptions({ store }), keys }, origin })
  server.on('upgrade', chat.upgrade)
  app.on('session:ended', ({ subjectHash }) => chat.check(subjectHash))
  t.after(() => {
    chat.close()
    server.close()
    server.closeAllConnections()
  })

  const errors = []
  const join = async name => {
    const { context, page } = await openAt(t, origin)
    page.on('console', message => message.type() === 'error' && errors.push(message.text()))
    page.on('pageerror', error => errors.push(error.message))
    await page.goto(origin)
    await page.getByLabel('Your name').fill(name)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByText('Connected.').waitFor()
    return { context, page }
  }
  const [ada, grace] = [await join('ada'), await join('<i>grace</i>')]
  await grace.page.getByLabel('Message').fill('<b>hello</b>')
  await grace.page.getByRole('button', { name: 'Send' }).click()
  for (const { page } of [ada, grace]) {
    await page.getByText('<i>grace</i>: <b>hello</b>').waitFor()
    assert.equal(await page.locator('li b, li i').count(), 0)
  }

  const tab = await ada.context.newPage()
  await tab.goto(origin)
  await tab.getByText('Connected.').waitFor()
  await tab.getByRole('button', { name: 'Sign out', exact: true }).click()
  for (const page of [tab, ada.page]) await page.getByRole('button', { name: 'Sign in' }).waitFor()
  await grace.page.getByText('Connected.').waitFor()
  assert.deepEqual(errors, [])
})
