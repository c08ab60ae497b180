/** A session that somebody else may know is not the one that a visitor signs in to, whatever others write there meanwhile. */
import assert from 'node:assert/strict'
import test from 'node:test'
import type { Store } from 'koa-session'
import { memoryStore } from 'koa-session/memory'
import type { TestContext } from '../support/koa.ts'
import { Gate } from '../support/stores.ts'
import { type Page, type Pages, STORE_MODES, serve } from '../support/story.ts'

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

const subject = ({ user }: { user?: string }) => user
const signIn = { user: 'ada' }

/** What signs somebody in, or says that they have proved who they are, and how a new id can't be had for it. */
const REFUSED: Readonly<Record<string, readonly [page: Page, options: object]>> = {
  'says what is kept': [ctx => Object.assign(ctx.session, signIn).regenerate({ keep: ['user'], fresh: true }), {}],
  'has a subject': [ctx => Object.assign(ctx.session, signIn).regenerate(), { subject }],
  'has a subject only after that, as Passport': [
    ctx => ctx.session.regenerate().finally(() => Object.assign(ctx.session, signIn)),
    { subject },
  ],
  'says it anew': [ctx => ctx.session.regenerate({ fresh: true }), {}],
}
/** The headers have left, or what is called for it fails once. */
const SPOILS: readonly Page[] = [
  ctx => ctx.flushHeaders(),
  ctx => ctx.state.ids.splice(0),
  ctx => {
    ctx.state.isDown = true
  },
]

for (const [mode, options] of Object.entries(STORE_MODES)) {
  for (const [way, [regenerate, more]] of Object.entries(REFUSED)) {
    test(`a sign-in that gets no new id is not saved under the old one, if it ${way}: ${mode}`, async t => {
      for (const spoil of SPOILS) {
        const ids = ['id 1', 'id 2', 'id 3']
        const genid = () => ids.shift()
        const beforeSave = ({ state }: TestContext) => {
          if (state.isDown) throw new Error(`down ${delete state.isDown}`)
        }
        const pages: Pages = {
          '/begin': ctx => {
            ctx.session.cart = [1]
          },
          '/in': async ctx => {
            ctx.state.ids = ids
            spoil(ctx)
            await Promise.resolve(regenerate(ctx)).catch(() => {})
            return 'in'
          },
          '/me': ctx => [ctx.session.user, ctx.session.isFresh(1000), ctx.session.cart].join(),
        }
        const { visitor } = await serve(t, clock => ({ ...options(clock), ...more, genid, beforeSave }) as never, pages)
        await visitor.get('/begin')
        const planted = visitor.copy()
        await visitor.get('/in')
        assert.match((await planted.get('/me')).text, /^,false,/)
      }
    })
  }
}
