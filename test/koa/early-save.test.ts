/** Headers that leave while a save is under way: what was changed since it began is saved as well. */

import assert from 'node:assert/strict'
import test from 'node:test'
import type { TestContext } from '../support/koa.ts'
import { later, scriptedStore } from '../support/stores.ts'
import { serve } from '../support/story.ts'

const WORK: Readonly<Record<string, (session: TestContext['session']) => Promise<void>>> = {
  save: session => session.save(),
  regenerate: session => session.regenerate(),
  update: session =>
    session.update((draft: Record<string, unknown>) => {
      draft.n = 2
    }),
}

for (const [name, work] of Object.entries(WORK)) {
  test(`what is changed during ${name}() is saved though the headers leave meanwhile`, async t => {
    const pages = {
      '/begin': ({ session }: TestContext) => {
        Object.assign(session, { user: 'ada', old: 1 })
      },
      '/early': async (ctx: TestContext) => {
        ctx.session.n = 2
        const working = work(ctx.session)
        ctx.session.late = 3
        delete ctx.session.old
        ctx.res.flushHeaders()
        // A new id can't be sent any more: the session stays under its old one.
        if (name === 'regenerate') await assert.rejects(working, { code: 'ERR_SESSION_HEADERS_SENT' })
        else await working
      },
    }
    const { store, take } = scriptedStore()
    take(later, ['create', 'patch'])
    const { visitor, errors } = await serve(t, () => ({ store }), pages)
    await visitor.get('/begin')
    await visitor.get('/early')
    assert.deepEqual(JSON.parse((await visitor.get('/all')).text), { user: 'ada', n: 2, late: 3 })
    assert.deepEqual(errors, [])
  })
}
