/** What happens before the first request. */
import assert from 'node:assert/strict'
import crypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'
import test from 'node:test'
import session from 'koa-session'
import { visit } from '../support/agent.ts'
import { createApp } from '../support/koa.ts'
import { newSecret } from '../support/secrets.ts'

// Cloudflare's Workers refuse random values and timers while a module is loaded, which is where an application is made.
test('session() draws no random bytes and sets no timer, in a signed and in a sealed cookie', async t => {
  const secret = newSecret()
  const drawn: string[] = []
  for (const name of ['randomBytes', 'randomFillSync', 'randomUUID'] as const) {
    t.mock.method(crypto, name, () => {
      drawn.push(name)
      throw new Error('not at start')
    })
  }
  for (const name of ['setTimeout', 'setInterval', 'setImmediate'] as const)
    t.mock.method(globalThis, name, () => drawn.push(name))
  syncBuiltinESMExports()
  const apps = [{}, { seal: true }].map(options => {
    const app = createApp()
    app.keys = [secret]
    app.use(session({ ...options, sameSite: 'lax' }, app))
    app.use(ctx => {
      ctx.session.views = Number(ctx.session.views ?? 0) + 1
      ctx.body = String(ctx.session.views)
    })
    return app
  })
  t.mock.restoreAll()
  syncBuiltinESMExports()
  assert.deepEqual(drawn, [])
  for (const app of apps) {
    const visitor = await visit(t, app)
    assert.deepEqual([(await visitor.get()).text, (await visitor.get()).text], ['1', '2'])
  }
})
