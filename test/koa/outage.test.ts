import assert from 'node:assert/strict'
import test, { type TestContext as Test } from 'node:test'
import type { CreateSessionOptions } from 'koa-session'
import { memoryStore } from 'koa-session/memory'
import { origin } from '../support/koa.ts'
import { DOWN, fails, METHODS, type Method, plainOf, scriptedStore } from '../support/stores.ts'
import { type Pages, serve } from '../support/story.ts'

const PAGES: Pages = {
  '/': () => 'ok',
  '/read': ctx => ctx.session.user ?? 'ok',
  '/write'(ctx) {
    ctx.session.user = 'hunter2'
  },
  '/assign'(ctx) {
    ctx.session = { user: 'hunter2' }
  },
  '/remove'(ctx) {
    ctx.session = null
  },
  async '/regenerate'(ctx) {
    await ctx.session.regenerate()
  },
  async '/regenerate-and-go-on'(ctx) {
    await ctx.session.regenerate().catch(() => {})
  },
  async '/retry'(ctx) {
    ctx.state.attempts = 0
    await ctx.session.regenerate().catch(() => {})
    ctx.session.user = 'root'
  },
  async '/persist'(ctx) {
    ctx.session.user = 'hunter2'
    await ctx.session.save().catch(() => {})
  },
}

/** A visitor who is signed in, and a store whose `methods` are down then. */
async function signedIn(test: Test, methods: readonly Method[], options: CreateSessionOptions = {}) {
  const memory = memoryStore()
  const { store, take, called } = scriptedStore(plainOf(memory))
  const made = await serve(test, { store, ...options }, PAGES)
  await made.visitor.get('/write')
  called()
  take(fails, methods)
  return { ...made, memory, called, mend: () => take(fails, []) }
}

test('a session that could not be stored is a 500, and its cookie is not sent', async t => {
  const { visitor: signed, errors } = await signedIn(t, ['set'])
  const visitor = signed.stranger()
  for (const path of ['/write', '/assign', '/persist']) {
    const { status, cookies } = await visitor.get(path)
    assert.deepEqual({ path, status, cookies }, { path, status: 500, cookies: [] })
  }
  assert.deepEqual(
    errors.map(error => error.cause),
    [DOWN, DOWN, DOWN],
  )
})

for (const path of ['/regenerate', '/regenerate-and-go-on']) {
  test(`${path} that could not be stored leaves the session under its old id`, async t => {
    const { visitor, memory, mend } = await signedIn(t, ['set'])
    const jar = new Map(visitor.jar)
    await visitor.get(path)
    assert.deepEqual(visitor.jar, jar)
    mend()
    assert.equal((await visitor.get('/read')).text, 'hunter2')
    assert.equal(memory.size, 1)
  })
}

test('a new id that could be stored at the second attempt only leaves nothing under the old one', async t => {
  const { visitor, memory, mend } = await signedIn(t, ['set'], {
    beforeSave: ctx => {
      if (ctx.state.attempts++) mend()
    },
  })
  const copy = visitor.copy()
  assert.equal((await visitor.get('/retry')).status, 200)
  assert.equal((await visitor.get('/read')).text, 'root')
  assert.equal((await copy.get('/read')).text, 'ok')
  assert.equal(memory.size, 1)
})

test('a ContextStore that can not be made is as a store that is down', async t => {
  const fault = new Error('no pool')
  let isDown = false
  const shared = plainOf(memoryStore())
  class ContextStore {
    constructor() {
      if (isDown) throw fault
    }
  }
  Object.assign(ContextStore.prototype, shared)
  const { visitor, errors } = await serve(t, { ContextStore: ContextStore as never }, PAGES)
  await visitor.get('/write')
  assert.equal((await visitor.get('/read')).text, 'hunter2')
  isDown = true
  assert.equal((await visitor.get('/read')).status, 500)
  assert.equal((await visitor.get('/assign')).status, 500)
  assert.deepEqual(errors.map(origin), [fault, fault])
  assert.equal((await visitor.get('/')).status, 200, 'a page that never touches the session')
})

test('a store that is down does not keep a stranger from pages without a session', async t => {
  const { visitor, called } = await signedIn(t, METHODS)
  const stranger = visitor.stranger()
  assert.equal((await stranger.get('/read')).text, 'ok')
  assert.equal((await stranger.get('/remove')).status, 200)
  assert.deepEqual(called(), [])
})
