import assert from 'node:assert/strict'
import test from 'node:test'
import mount from 'koa-mount'
import session, { type CreateSessionOptions } from 'koa-session'
import { memoryStore } from 'koa-session/memory'
import { visit } from '../support/agent.ts'
import { createApp, type TestApp, type TestContext } from '../support/koa.ts'
import { plainOf, scriptedStore } from '../support/stores.ts'
import { rejectionsOf } from '../support/warnings.ts'

const isAsset = (ctx: TestContext) => ctx.path.startsWith('/asset')

/** An application that leaves out `/asset…`, and counts visits elsewhere; errors are in `errors` by their codes. */
function appOf(options: CreateSessionOptions, onAsset: (ctx: TestContext) => unknown = () => {}) {
  const app: TestApp = createApp()
  const errors: unknown[] = []
  app.on('error', error => errors.push(error.code))
  app.use(session({ skip: isAsset, ...options }, app))
  app.use(async ctx => {
    ctx.body = 'ok'
    if (isAsset(ctx)) return onAsset(ctx)
    ctx.session.views = (ctx.session.views ?? 0) + 1
    ctx.body = String(ctx.session.views)
  })
  return { app, errors }
}

const MODES: Record<string, () => CreateSessionOptions> = {
  'in the cookie': () => ({}),
  'in a store': () => ({ store: memoryStore() }),
}

for (const [mode, options] of Object.entries(MODES)) {
  test(`a skipped request sends no cookie and no header, rolling or not (${mode})`, async t => {
    const { app } = appOf({ ...options(), rolling: true, renew: true })
    const visitor = await visit(t, app)
    await visitor.get('/')
    const { status, text, cookies, headers } = await visitor.get('/asset')
    assert.deepEqual({ status, text, cookies }, { status: 200, text: 'ok', cookies: [] })
    assert.equal(headers.get('vary'), null)
    assert.equal(headers.get('cache-control'), null)
  })

  test(`requests that are not skipped have their session (${mode})`, async t => {
    const visitor = await visit(t, appOf(options()).app)
    const texts = []
    for (const path of ['/', '/asset', '/', '/asset/deep', '/']) texts.push((await visitor.get(path)).text)
    assert.deepEqual(texts, ['1', 'ok', '2', 'ok', '3'])
  })

  const uses: Record<string, (ctx: TestContext) => unknown> = {
    'reading the session': ctx => ctx.session,
    'reading a key of it': ctx => ctx.session?.views,
    'setting a key of it': ctx => {
      ctx.session.views = 100
    },
    'assigning an object': ctx => {
      ctx.session = { views: 100 }
    },
    'assigning null': ctx => {
      ctx.session = null
    },
  }
  for (const [use, onAsset] of Object.entries(uses)) {
    test(`${use} on a skipped request is an error, and leaves the session as it was (${mode})`, async t => {
      const { app, errors } = appOf(options(), onAsset)
      const visitor = await visit(t, app)
      await visitor.get('/')
      const { status, cookies } = await visitor.get('/asset')
      assert.equal(status, 500)
      assert.deepEqual(errors, ['ERR_SESSION_SKIPPED'])
      assert.deepEqual(cookies, [])
      assert.equal((await visitor.get('/')).text, '2')
    })
  }

  test(`a session that was read before the middleware is not kept when it skips (${mode})`, async t => {
    const app = createApp()
    app.use((ctx, next) => {
      if (isAsset(ctx)) ctx.session.views = 100
      ctx.body = 'ok'
      return next()
    })
    app.use(session({ ...options(), skip: isAsset, rolling: true }, app))
    const visitor = await visit(t, app)
    const { status, cookies } = await visitor.get('/asset')
    assert.deepEqual({ status, cookies }, { status: 200, cookies: [] })
  })

  test(`an async skip is an error, whatever it says and even when it fails (${mode})`, async t => {
    const unhandled = rejectionsOf(t)
    for (const skip of [async () => true, async () => false, () => Promise.reject(new Error('down'))]) {
      const { app, errors } = appOf({ ...options(), skip: skip as never })
      assert.equal((await (await visit(t, app)).get('/')).status, 500)
      assert.deepEqual(errors, ['ERR_SESSION_ASYNC'])
    }
    assert.deepEqual(unhandled, [])
  })
}

test('a skipped request makes no call to the store', async t => {
  const { store, called } = scriptedStore(plainOf(memoryStore()))
  const visitor = await visit(t, appOf({ store, rolling: true }).app)
  await visitor.get('/')
  assert.deepEqual(called(), ['set'])
  await visitor.get('/asset')
  assert.deepEqual(called(), [])
  await visitor.get('/')
  assert.deepEqual(called(), ['get', 'set'])
})

test('a skipped request makes no ContextStore', async t => {
  let made = 0
  const memory = memoryStore()
  class ContextStore {
    constructor() {
      made++
    }
    get = memory.get
    set = memory.set
    destroy = memory.destroy
  }
  Object.assign(ContextStore.prototype, { ...memory })
  const visitor = await visit(t, appOf({ ContextStore: ContextStore as never }).app)
  await visitor.get('/')
  assert.equal(made, 1)
  await visitor.get('/asset')
  assert.equal(made, 1)
})

test('a skipped request asks externalKey for nothing', async t => {
  let asked = 0
  const externalKey = { get: () => String(++asked), set: () => {}, clear: () => {} }
  const visitor = await visit(t, appOf({ store: memoryStore(), externalKey }).app)
  await visitor.get('/asset')
  assert.equal(asked, 0)
  await visitor.get('/')
  assert.equal(asked, 1)
})

test('skip is asked once for each request, with its ctx', async t => {
  const paths: string[] = []
  const skip = (ctx: TestContext) => {
    paths.push(ctx.path)
    return isAsset(ctx)
  }
  const visitor = await visit(t, appOf({ skip }).app)
  for (const path of ['/', '/asset']) await visitor.get(path)
  assert.deepEqual(paths, ['/', '/asset'])
})

test('skip is asked once for each request, where a mounted application shares the session too', async t => {
  const [app, child] = [createApp(), createApp()]
  const paths: string[] = []
  const skip = (ctx: TestContext) => {
    paths.push(ctx.path)
    return isAsset(ctx)
  }
  app.use(session({ skip }, app))
  child.use(session({ skip }, child))
  child.use(ctx => {
    ctx.body = 'ok'
  })
  app.use(mount('/asset', child as never) as never)
  assert.equal((await (await visit(t, app)).get('/asset')).text, 'ok')
  assert.deepEqual(paths, ['/asset'])
})

test('an error that skip throws is answered as an error, not as a request without a session', async t => {
  const skip = () => {
    throw new Error('not ready')
  }
  const { app } = appOf({ skip })
  const messages: string[] = []
  app.on('error', error => messages.push(error.message))
  const { status, text } = await (await visit(t, app)).get('/')
  assert.equal(status, 500)
  assert.equal(text, 'Internal Server Error')
  assert.deepEqual(messages, ['not ready'])
})

test('a skipped request is left without one session and keeps another', async t => {
  const app = createApp()
  app.use(session({ skip: isAsset }, app))
  app.use(session({ property: 'otherSession', key: 'other' }, app))
  app.use(ctx => {
    ctx.otherSession.views = (ctx.otherSession.views ?? 0) + 1
    ctx.body = String(ctx.otherSession.views)
  })
  const visitor = await visit(t, app)
  assert.equal((await visitor.get('/asset')).text, '1')
  assert.equal((await visitor.get('/asset')).text, '2')
})
