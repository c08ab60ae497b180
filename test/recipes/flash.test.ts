/** The flash messages of docs/recipes.md. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { memoryStore } from 'koa-session/memory'
import type { TestContext } from '../support/koa.ts'
import { later, scriptedStore } from '../support/stores.ts'
import { COOKIE_MODES, KEYED_MODES, type Pages, serve, simpleStore, told } from '../support/story.ts'
import { recipe } from './page.ts'

interface Flash {
  setFlash(ctx: TestContext, message: string): void
  takeFlash(ctx: TestContext): Promise<string | undefined>
}

const { setFlash, takeFlash } = await recipe<Flash>('recipes.md', 'flash')

/** Pages of which `count` have all read their session before the first of them goes on. */
function pagesOf(count: number): Pages {
  let waiting: (() => void)[] = []
  return {
    '/save': ctx => setFlash(ctx, 'saved'),
    '/page': async ctx => (await takeFlash(ctx)) ?? 'nothing',
    '/tab': async ctx => {
      void ctx.session.flash
      await new Promise<void>(resolve => {
        waiting.push(resolve)
        if (waiting.length < count) return
        for (const goOn of waiting) goOn()
        waiting = []
      })
      return (await takeFlash(ctx)) ?? 'nothing'
    },
  }
}

/** A store that takes a turn of the event loop to answer. */
const slow: (typeof KEYED_MODES)[string] = ({ now }) => {
  const { store, take } = scriptedStore(memoryStore({ now }))
  take(later)
  return { store }
}

for (const [name, mode] of Object.entries({ ...KEYED_MODES, 'slow store': slow })) {
  for (const first of ['/in', '/']) {
    test(`${name}: of three tabs that load at the same time one shows the message, after ${first}`, async t => {
      const { visitor, events, codes } = await serve(t, mode, pagesOf(3))
      await visitor.get(first)
      await visitor.get('/save')
      const tabs = [visitor, visitor.copy(), visitor.copy()]
      const shown = await Promise.all(tabs.map(async tab => (await tab.get('/tab')).text))
      assert.deepEqual(shown.sort(), ['nothing', 'nothing', 'saved'])
      assert.equal((await visitor.get('/page')).text, 'nothing')
      await told()
      assert.deepEqual(codes(), [])
      assert.ok(events.every(([event]) => event !== 'session:error'))
    })
  }
}

for (const [name, mode] of Object.entries({
  ...COOKIE_MODES,
  'store of three methods': () => ({ store: simpleStore() }),
})) {
  test(`${name}: a message is shown once, and by two tabs that load at the same time twice`, async t => {
    const { visitor } = await serve(t, mode, pagesOf(2))
    await visitor.get('/save')
    const second = visitor.copy()
    const shown = await Promise.all([visitor, second].map(async tab => (await tab.get('/tab')).text))
    assert.deepEqual(shown, ['saved', 'saved'])
    assert.equal((await visitor.get('/page')).text, 'nothing')
  })
}
