/* What the context of a request shows to whoever prints it: no secret, no id, and nothing of what koa-session keeps there. */

import assert from 'node:assert/strict'
import test from 'node:test'
import { inspect } from 'node:util'
import { memoryStore } from 'koa-session/memory'
import type { TestContext } from '../support/koa.ts'
import { newSecret } from '../support/secrets.ts'
import { MODES, type Pages, SECRETS, serve } from '../support/story.ts'

const DATA = 'the diagnosis of ada'
const KEYS = [newSecret(), newSecret()]

const shown = (value: unknown) =>
  `${inspect(value, { depth: 4 })} ${inspect(value, { depth: 4, customInspect: false })}`

const PAGES: Pages = {
  '/printed': ctx => {
    ctx.session.diagnosis = DATA
    const copy = { ...ctx }
    const depths = [2, 9].map(depth => inspect(copy, { depth }))
    return [...depths, inspect(ctx), inspect(ctx.res, { depth: 9, showHidden: true })].join('\n')
  },
  '/symbols': ctx =>
    Object.getOwnPropertySymbols({ ...ctx })
      .map(String)
      .join(),
  '/options': ctx =>
    `${shown(ctx.sessionOptions)} ${JSON.stringify(ctx.sessionOptions)} ${'keys' in ctx.sessionOptions}`,
  '/moved': ctx => {
    ctx.sessionOptions.path = '/moved'
    ctx.session.diagnosis = DATA
    return 'moved'
  },
}

for (const [mode, options] of Object.entries(MODES)) {
  test(`${mode}: a printed context shows no session, no secret and nothing of koa-session`, async t => {
    const { visitor } = await serve(t, options, PAGES)
    await visitor.get('/in')
    const { text } = await visitor.get('/printed')
    assert.match(text, /method: 'GET'/)
    for (const word of [DATA, 'autoCommit', 'Settings', ...SECRETS])
      assert.ok(!text.includes(word), `${word} is in ${text}`)
    assert.doesNotMatch((await visitor.get('/symbols')).text, /koa-session/)
  })
}

for (const store of [undefined, memoryStore()]) {
  const where = store ? 'in a store' : 'in the cookie'
  test(`ctx.sessionOptions shows no secret, and what is written to it is sealed with them: ${where}`, async t => {
    const { visitor } = await serve(t, () => ({ seal: true, keys: KEYS, store }), PAGES)
    const { text } = await visitor.get('/options')
    assert.match(text, /rolling: false/)
    assert.match(text, /false$/)
    for (const key of KEYS) assert.ok(!text.includes(key), text)
    const { cookies, status } = await visitor.get('/moved')
    assert.equal(status, 200)
    assert.match(String(cookies), /path=\/moved/)
  })
}

test('a copy of a context, and what is derived from its request, has the same session', async t => {
  const pages: Pages = {
    '/copied': ctx => {
      ctx.session.user = 'ada'
      const copy: TestContext = Object.assign(Object.create(Object.getPrototypeOf(ctx)), ctx)
      return `${copy.session === ctx.session} ${Object.create(ctx).session === ctx.session}`
    },
  }
  const { visitor } = await serve(t, () => ({}), pages)
  assert.equal((await visitor.get('/copied')).text, 'true true')
})
