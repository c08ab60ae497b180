import assert from 'node:assert/strict'
import test from 'node:test'
import session from 'koa-session'
import { visit } from './support/agent.ts'
import { createApp } from './support/koa.ts'

test('a session survives from one request to the next', async t => {
  const app = createApp()
  app.use(session(app))
  app.use(ctx => {
    ctx.session.views = (ctx.session.views ?? 0) + 1
    ctx.body = String(ctx.session.views)
  })
  const visitor = await visit(t, app)
  assert.equal((await visitor.get()).text, '1')
  assert.equal((await visitor.get()).text, '2')
  assert.equal((await visitor.stranger().get()).text, '1')
})
