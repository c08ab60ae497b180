/** A session that somebody else may know is not the one that a visitor signs in to, whatever others write there meanwhile. */
import assert from 'node:assert/strict'
import test from 'node:test'
import type { Store } from 'koa-session'
import { memoryStore } from 'koa-session/memory'
import { Gate } from '../support/stores.ts'
import { type Page, type Pages, serve } from '../support/story.ts'

const WAYS: Readonly<Record<string, Page>> = {
  'regenerate({ keep: [] })': ctx => ctx.session.regenerate({ keep: [], fresh: true }),
  "regenerate({ keep: ['user'] }) before there is a user": ctx => ctx.session.regenerate({ keep: ['user'] }),
  'regenerate() of a session without data': ctx => {
    delete ctx.session.cart
    return ctx.session.regenerate()
  },
  'regenerate() of an empty session that was assigned': ctx => {
    ctx.session = {}
    return ctx.session.regenerate()
  },
}

for (const [way, regenerate] of Object.entries(WAYS)) {
  test(`a new id is a new one though another request writes under the old one: ${way}`, async t => {
    const gate = new Gate()
    const pages: Pages = {
      '/begin': ctx => {
        ctx.session.cart = [1]
      },
      '/theme': ctx => {
        ctx.session.theme = Math.random()
      },
      '/in': async ctx => {
        void ctx.session.cart
        await gate.pass()
        await regenerate(ctx)
        ctx.session.user = 'ada'
      },
      '/me': ctx => String(ctx.session.user ?? 'nobody'),
    }
    const { visitor } = await serve(t, () => ({ store: memoryStore() as unknown as Store }), pages)
    await visitor.get('/begin')
    const planted = visitor.copy()
    const answering = visitor.get('/in')
    await gate.arrived
    await planted.get('/theme')
    gate.open()
    await answering
    assert.deepEqual([(await visitor.get('/me')).text, (await planted.get('/me')).text], ['ada', 'nobody'])
  })
}
