/** Headers that leave while something of the session is still to come, and what must not go wrong then. */

import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import test from 'node:test'
import type { Store } from 'koa-session'
import { memoryStore } from 'koa-session/memory'
import { visit } from '../support/agent.ts'
import { later, scriptedStore } from '../support/stores.ts'
import { appOf, KEY, type Pages, serve } from '../support/story.ts'

/** A memory store that creates, changes and destroys a turn of the event loop later. */
function laterStore() {
  const memory = memoryStore()
  const { store, take } = scriptedStore(memory)
  take(later, ['create', 'patch', 'destroy'])
  return { memory, store }
}

test('a bad signature is no error where the cookie may not be deleted over this connection', async t => {
  const { app, errors } = appOf({ secure: true })
  const visitor = await visit(t, app)
  for (const cookie of [`${KEY}=e30=; ${KEY}.sig=abc`, `${KEY}=e30=`]) {
    const { status, text } = await visitor.get('/', { cookie })
    assert.deepEqual([status, text, errors], [200, 'nobody', []])
  }
})

test('an error while the headers leave goes to the application, and the response is served', async t => {
  const { store } = laterStore()
  const pages: Pages = {
    '/pipe': ctx => {
      ctx.session.n = 1
      ctx.session.save().catch(() => {})
      ctx.session = null
      ctx.respond = false
      Readable.from(['hello']).pipe(ctx.res)
    },
  }
  const { app, errors } = appOf({ store, secure: true, signed: false }, pages)
  store.set('an-id', { user: 'ada' }, 60_000, { ctx: undefined, rolling: false, changed: true })
  const visitor = await visit(t, app)
  const { text } = await visitor.get('/pipe', { cookie: `${KEY}=an-id` })
  assert.equal(text, 'hello')
  assert.equal(errors[0]?.code, 'ERR_SESSION_INSECURE')
})

test('a dead cookie beside one whose session has another id does not make the request a stranger', async t => {
  const memory = memoryStore()
  const { visitor } = await serve(t, () => ({ store: memory as unknown as Store, signed: false }))
  await visitor.get('/cart')
  const old = visitor.jar.get(KEY)
  await visitor.get('/in')
  const { cookies } = await visitor.get('/cart', { cookie: `${KEY}=dead; ${KEY}=${old}` })
  assert.deepEqual(cookies, [])
})
