/** A visitor's story, with a store that was made for express-session. */
import assert from 'node:assert/strict'
import type { TestContext as Test } from 'node:test'
import { connectStore, type ExpressStore } from 'koa-session/connect'
import { visit } from '../../support/agent.ts'
import { appOf, type Pages } from '../../support/story.ts'

const HOUR = 3_600_000

const PAGES: Pages = {
  '/in': async ctx => {
    ctx.session.user = 'ada'
    ctx.session.cookie = { consent: true }
    await ctx.session.regenerate()
    return 'in'
  },
  '/count': ctx => {
    ctx.session.n = (ctx.session.n ?? 0) + 1
    return ctx.session.n
  },
  '/short': ctx => {
    ctx.session.maxAge = 1_000
    return 'short'
  },
}

/** Signs in, counts, signs out. Gives a second visitor, who is signed in. */
export async function tellVisitor(t: Test, store: ExpressStore, now: () => number) {
  const connected = connectStore(store)
  const { app, errors } = appOf({ store: connected, maxAge: HOUR, now, rolling: true }, PAGES)
  const visitor = await visit(t, app)
  const other = visitor.stranger()
  await visitor.get('/in')
  await other.get('/in')
  for (const count of ['1', '2', '3']) assert.equal((await visitor.get('/count')).text, count)
  assert.deepEqual(JSON.parse((await visitor.get('/all')).text), { user: 'ada', cookie: { consent: true }, n: 3 })
  const stolen = visitor.copy()
  await visitor.get('/out')
  assert.equal((await stolen.get('/')).text, 'nobody')
  assert.equal((await other.get('/')).text, 'ada')
  assert.deepEqual(errors, [])
  return { other, connected, id: String(other.jar.get('koa.sess')), errors }
}
