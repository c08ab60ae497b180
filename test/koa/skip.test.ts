import assert from 'node:assert/strict'
import test, { type TestContext as Test } from 'node:test'
import mount from 'koa-mount'
import session, { type CreateSessionOptions } from 'koa-session'
import { memoryStore } from 'koa-session/memory'
import { visit } from '../support/agent.ts'
import { createApp, type TestContext } from '../support/koa.ts'
import { type Page, type Setting, serve } from '../support/story.ts'
import { rejectionsOf } from '../support/warnings.ts'

const skip = (ctx: TestContext) => ctx.path === '/asset'

/** Leaves out `/asset`, which counts in another session, where there is one. */
const begin = (t: Test, options: CreateSessionOptions, setting?: Setting) => {
  const asset: Page = ({ otherSession: other }) => {
    if (!other) return 'ok'
    other.views = (other.views ?? 0) + 1
    return other.views
  }
  return serve(t, { skip, ...options }, { '/asset': asset }, setting)
}

for (const [mode, options] of Object.entries({ 'in the cookie': {}, 'in a store': { store: memoryStore() } })) {
  test(`a skipped request sends no cookie and no header, rolling or not (${mode})`, async t => {
    const { visitor, textOf } = await begin(t, { ...options, rolling: true, renew: true })
    await visitor.get('/in')
    const { status, text, cookies, headers } = await visitor.get('/asset')
    assert.deepEqual({ status, text, cookies }, { status: 200, text: 'ok', cookies: [] })
    assert.deepEqual([headers.get('vary'), headers.get('cache-control')], [null, null])
    assert.equal(await textOf('/'), 'ada')
  })

  test(`a session that was read before the middleware is not kept when it skips (${mode})`, async t => {
    const write = (ctx: TestContext, next: () => unknown) => {
      ctx.session.views = 100
      return next()
    }
    const { visitor } = await begin(t, { ...options, rolling: true }, { before: app => app.use(write) })
    const { status, cookies } = await visitor.get('/asset')
    assert.deepEqual({ status, cookies }, { status: 200, cookies: [] })
  })

  test(`an async skip is an error, whatever it says and even when it fails (${mode})`, async t => {
    const unhandled = rejectionsOf(t)
    for (const skip of [async () => true, async () => false, () => Promise.reject(new Error('down'))]) {
      const { visitor, codes } = await begin(t, { ...options, skip: skip as never })
      assert.deepEqual([(await visitor.get('/')).status, codes()], [500, ['ERR_SESSION_ASYNC']])
    }
    assert.deepEqual(unhandled, [])
  })
}

test('skip is asked once where the middleware is run again for the same request', async t => {
  const app = createApp()
  let asked = 0
  const begin = session({ skip: () => ++asked < 0 }, app)
  app.use(async (ctx, next) => {
    await begin(ctx, async () => {})
    await begin(ctx, next)
  })
  app.use(ctx => {
    ctx.body = 'ok'
  })
  await (await visit(t, app)).get('/')
  assert.equal(asked, 1)
})

test('skip is asked once for each request, where a mounted application shares the session too', async t => {
  const [app, child] = [createApp(), createApp()]
  const paths: string[] = []
  const noting = (ctx: TestContext) => {
    paths.push(ctx.path)
    return skip(ctx)
  }
  app.use(session({ skip: noting }, app))
  child.use(session({ skip: noting }, child))
  child.use(ctx => {
    ctx.body = 'ok'
  })
  app.use(mount('/asset', child as never) as never)
  assert.equal((await (await visit(t, app)).get('/asset')).text, 'ok')
  assert.deepEqual(paths, ['/asset'])
})

test('an error that skip throws is answered as an error, not as a request without a session', async t => {
  for (const [error, code] of [
    [new Error('not ready'), 'not ready'] as const,
    [undefined, 'ERR_SESSION_OPTION'] as const,
  ]) {
    const skip = () => {
      throw error
    }
    const { visitor, codes } = await begin(t, { skip })
    const { status, text } = await visitor.get('/')
    assert.deepEqual([status, text, codes()], [500, 'Internal Server Error', [code]])
  }
})

test('a skipped request is left without one session and keeps another', async t => {
  const other = { property: 'otherSession', key: 'other' }
  const { textOf } = await begin(t, {}, { before: app => app.use(session(other, app)) })
  assert.deepEqual([await textOf('/asset'), await textOf('/asset')], ['1', '2'])
})
