/** Headers that leave while something of the session is still to come, and what must not go wrong then. */

import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import test from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import type { Store } from 'koa-session'
import { memoryStore } from 'koa-session/memory'
import { visit } from '../support/agent.ts'
import type { TestContext } from '../support/koa.ts'
import { later, scriptedStore } from '../support/stores.ts'
import { appOf, KEY, MODES, type Pages, serve, told } from '../support/story.ts'

/** A memory store that creates, changes and destroys a turn of the event loop later. */
function laterStore() {
  const memory = memoryStore()
  const { store, take } = scriptedStore(memory as unknown as Store)
  take(later, ['create', 'patch', 'destroy'])
  return { memory, store }
}

const flush = (ctx: TestContext) => {
  ctx.status = 200
  ctx.flushHeaders()
}

test('a new session is sent and stored though an async beforeSave is running when the headers leave', async t => {
  const { memory, store } = laterStore()
  const beforeSave = async () => {
    await turn()
  }
  const pages: Pages = {
    '/early': ctx => {
      ctx.session.user = 'ada'
      flush(ctx)
    },
  }
  const { visitor } = await serve(t, () => ({ store, beforeSave }), pages)
  await visitor.get('/early')
  assert.deepEqual({ ...memory.read(String(visitor.jar.get(KEY)))?.members }, { user: '"ada"' })
})

for (const [what, end] of Object.entries<(ctx: TestContext) => void>({
  'is ended': ctx => {
    ctx.session = null
  },
  'is ended twice': ctx => {
    ctx.session = null
    ctx.session = { user: 'nobody yet' }
    ctx.session = null
  },
})) {
  test(`the id of the session that takes the place of one which ${what} during a save leaves with the headers`, async t => {
    const { memory, store } = laterStore()
    const pages: Pages = {
      '/early': ctx => {
        ctx.session.n = 1
        ctx.session.save()
        end(ctx)
        ctx.session = { user: 'eve' }
        flush(ctx)
      },
    }
    const { visitor } = await serve(t, () => ({ store }), pages)
    await visitor.get('/in')
    const before = visitor.jar.get(KEY)
    await visitor.get('/early')
    assert.notEqual(visitor.jar.get(KEY), before)
    assert.deepEqual({ ...memory.read(String(visitor.jar.get(KEY)))?.members }, { user: '"eve"' })
    assert.equal(memory.size, 1, 'the one before is destroyed')
  })
}

test('the cookie of a session that is ended and replaced by an empty one during a save is deleted', async t => {
  const { memory, store } = laterStore()
  const pages: Pages = {
    '/early': ctx => {
      ctx.session.n = 1
      ctx.session.save()
      ctx.session = null
      ctx.session = {}
      flush(ctx)
    },
  }
  const { visitor } = await serve(t, () => ({ store }), pages)
  await visitor.get('/in')
  await visitor.get('/early')
  assert.deepEqual([visitor.jar.size, memory.size], [0, 0])
})

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

for (const [mode, make] of Object.entries(MODES)) {
  test(`${mode}: a lifetime that was chosen for this response is that of the data that is assigned`, async t => {
    const pages: Pages = {
      '/remember': ctx => {
        ctx.sessionOptions.maxAge = 30_000
        ctx.session = { user: 'eve' }
      },
      '/left': ctx => ctx.session.maxAge,
    }
    const { visitor } = await serve(t, make, pages)
    await visitor.get('/in')
    await visitor.get('/remember')
    assert.equal((await visitor.get('/left')).text, '30000')
  })
}

test('save() rejects, and calls back, where a ContextStore can not be made', async t => {
  class Broken {
    constructor() {
      throw new Error('no connection')
    }
    get() {}
    set() {}
    destroy() {}
  }
  const pages: Pages = {
    '/save': async ctx => {
      await assert.rejects(ctx.session.save(), { code: 'ERR_SESSION_STORE' })
      const error = await new Promise<{ code?: string }>(resolve => ctx.session.save(resolve))
      return error.code
    },
  }
  const { visitor } = await serve(t, () => ({ ContextStore: Broken as never }), pages)
  assert.equal((await visitor.get('/save')).text, 'ERR_SESSION_STORE')
})

// Another request may have ended it just as well, and an ended session does not come back.
test('a store without retire() has no session whose old id was destroyed without an answer, and tells', async t => {
  const memory = memoryStore()
  let failures = 0
  const destroy = (id: string) => {
    memory.destroy(id)
    if (failures-- > 0) throw new Error('down')
  }
  const { get, set } = memory
  const store = { ...memory, retire: undefined, destroy, plain: { get, set, destroy } } as unknown as Store
  const pages: Pages = {
    '/renew': async ctx => {
      failures = 1
      await ctx.session.regenerate().catch(() => {})
    },
  }
  const { visitor, events } = await serve(t, () => ({ store }), pages)
  await visitor.get('/in')
  await visitor.get('/renew')
  assert.equal(memory.size, 0)
  assert.equal((await visitor.get('/')).text, 'nobody')
  await told()
  const names = events.map(([event]) => event)
  assert.ok(names.includes('session:error') && names.includes('session:gone'), names.join())
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
