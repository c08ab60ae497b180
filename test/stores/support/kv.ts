/** What holds of a store with get, put and delete alone, whatever the client. */
import assert from 'node:assert/strict'
import type { KvStore } from 'koa-session/kv'
import { manualClock } from 'koa-session/testing'
import { visit } from '../../support/agent.ts'
import { appOf, type Pages } from '../../support/story.ts'
import { type Limited, proveContract, type Register } from './contract.ts'

const HOUR = 3_600_000

const PAGES: Pages = {
  '/in': async ctx => {
    ctx.session.user = 'ada'
    await ctx.session.regenerate()
    return 'in'
  },
  '/count': ctx => {
    ctx.session.n = (ctx.session.n ?? 0) + 1
    return ctx.session.n
  },
}

/** `open` gives a store on the same client each time. */
export function proveKv(
  register: Register,
  open: (options: { now: () => number }) => KvStore,
  limited: Limited = {},
): void {
  const clock = manualClock()
  proveContract(register, { ...limited, clock, open: () => open({ now: clock.now }) })

  register('a visitor signs in, counts, signs out and expires', async t => {
    const clock = manualClock(Date.now())
    const { app, errors } = appOf({ store: open({ now: clock.now }), maxAge: HOUR, now: clock.now }, PAGES)
    const visitor = await visit(t, app)
    const other = visitor.stranger()
    for (const one of [visitor, other]) await one.get('/in')
    for (const count of ['1', '2', '3']) assert.equal((await visitor.get('/count')).text, count)
    const stolen = visitor.copy()
    await visitor.get('/out')
    assert.equal((await stolen.get('/')).text, 'nobody')
    assert.equal((await other.get('/')).text, 'ada')
    clock.advance(HOUR + 1)
    assert.equal((await other.get('/')).text, 'nobody')
    assert.deepEqual(errors, [])
  })
}
