/** `session.update()`: what it reads and what it saves are one step, whoever else writes. */

import assert from 'node:assert/strict'
import test from 'node:test'
import { memoryStore } from 'koa-session/memory'
import { Gate, later, scriptedStore } from '../support/stores.ts'
import { KEY, MODES, type Pages, STORE_MODES, serve } from '../support/story.ts'

type Draft = Record<string, number | string | undefined>

const count = (draft: Draft) => {
  draft.n = Number(draft.n ?? 0) + 1
}

const PAGES: Pages = {
  '/count': async ctx => {
    await ctx.session.update(count)
    return ctx.session.n
  },
  '/begin': ctx => {
    ctx.session.user = 'ada'
  },
}

/** A memory store that answers later, and does `before` it is patched. */
function slowStore(before: (store: ReturnType<typeof memoryStore>, id: string) => void = () => {}) {
  const memory = memoryStore()
  const { store, courses } = scriptedStore(memory)
  courses.read = later
  courses.patch = (ask, id) => later(() => before(memory, String(id)) ?? ask())
  return { memory, store }
}

for (const [mode, options] of Object.entries(MODES)) {
  test(`${mode}: an update is seen by the handler and by the next request`, async t => {
    const { visitor, dataOf, errors } = await serve(t, options, PAGES)
    assert.equal((await visitor.get('/count')).text, '1')
    assert.equal((await visitor.get('/count')).text, '2')
    assert.deepEqual(await dataOf(), { n: 2 })
    assert.deepEqual(errors, [])
  })
}

for (const [mode, options] of Object.entries(MODES)) {
  test(`${mode}: an update that leaves no data keeps a session with a lifetime that was just set`, async t => {
    const { visitor, textOf } = await serve(t, options, {
      ...PAGES,
      '/empty': async ctx => {
        if (ctx.query.maxAge) ctx.session.maxAge = 5000
        await ctx.session.update((draft: Draft) => Reflect.deleteProperty(draft, 'user'))
      },
      '/': ctx => `${ctx.session.isNew} ${ctx.session.maxAge}`,
    })
    await visitor.get('/begin')
    await visitor.get('/empty?maxAge=1')
    assert.equal(await textOf(), 'false 5000')
    await visitor.get('/begin')
    await visitor.get('/empty')
    assert.equal(await textOf(), 'true 3600000')
  })
}

test('of 200 parallel updates none is lost', async t => {
  const { store } = slowStore()
  const { visitor, dataOf, errors } = await serve(t, () => ({ store }), PAGES)
  await visitor.get('/begin')
  const answers = await Promise.all(Array.from({ length: 200 }, () => visitor.get('/count')))
  assert.equal(new Set(answers.map(({ text }) => text)).size, 200, 'each has a number of its own')
  assert.deepEqual(await dataOf(), { user: 'ada', n: 200 })
  assert.deepEqual(errors, [])
})

test('what a parallel request wrote is in the draft, and in the session after it', async t => {
  const gate = new Gate()
  const { visitor, dataOf } = await serve(t, () => ({ store: memoryStore() }), {
    ...PAGES,
    '/slow': async ctx => {
      const { user } = ctx.session
      await gate.pass()
      await ctx.session.update((draft: Draft) => {
        draft.sum = `${draft.user}, ${draft.theme}`
      })
      return `${user}: ${ctx.session.theme}, ${ctx.session.sum}`
    },
    '/theme': ctx => {
      ctx.session.theme = 'dark'
      delete ctx.session.user
    },
  })
  await visitor.get('/begin')
  const slow = visitor.get('/slow')
  await gate.arrived
  await visitor.get('/theme')
  gate.open()
  assert.equal((await slow).text, 'ada: dark, undefined, dark')
  assert.deepEqual(await dataOf(), { theme: 'dark', sum: 'undefined, dark' })
})

for (const [mode, options] of Object.entries(MODES)) {
  test(`${mode}: an async change is refused, and nothing of it is saved`, async t => {
    const { visitor, dataOf } = await serve(t, options, {
      ...PAGES,
      '/async': async ctx => {
        const change = async (draft: Draft) => {
          draft.n = 1
          await ctx.session.save()
          throw new Error('that nobody hears of')
        }
        await assert.rejects(ctx.session.update(change), { code: 'ERR_SESSION_ASYNC' })
        return ctx.session.n
      },
    })
    await visitor.get('/begin')
    assert.equal((await visitor.get('/async')).text, 'undefined')
    assert.deepEqual(await dataOf(), { user: 'ada' })
  })
}

for (const [mode, options] of Object.entries(MODES)) {
  test(`${mode}: an update that leaves nothing ends the session`, async t => {
    const { visitor } = await serve(t, options, {
      ...PAGES,
      '/leave': async ctx => {
        await ctx.session.update((draft: Draft) => {
          delete draft.user
        })
        return JSON.stringify(ctx.session)
      },
      '/new': ctx => ctx.session.isNew,
    })
    await visitor.get('/begin')
    const copy = visitor.copy()
    assert.equal((await visitor.get('/leave')).text, '{}')
    assert.equal(visitor.jar.get(KEY), undefined)
    assert.equal((await visitor.get('/new')).text, 'true')
    if (mode in STORE_MODES) assert.equal((await copy.get('/new')).text, 'true')
  })

  test(`${mode}: an update that throws half-way leaves the session as it was, a new one, too`, async t => {
    const { visitor, dataOf } = await serve(t, options, {
      ...PAGES,
      '/fail': async ctx => {
        ctx.session.list = [1]
        const half = (draft: Draft) => {
          Object(draft.list).push(2)
          draft.n = 1
          delete draft.user
          throw new Error('no')
        }
        await assert.rejects(ctx.session.update(half), /^Error: no$/)
        return 'failed'
      },
    })
    assert.equal((await visitor.get('/fail')).text, 'failed')
    assert.deepEqual(await dataOf(), { list: [1] })
    await visitor.get('/begin')
    assert.equal((await visitor.get('/fail')).text, 'failed')
    assert.deepEqual(await dataOf(), { user: 'ada', list: [1] })
  })
}

test('updates of one session wait for each other, too, where each request has a store of its own', async t => {
  const { store } = slowStore(() => {
    patches++
  })
  let patches = 0
  let missing = 10
  class OfRequest {
    constructor() {
      Object.assign(this, store)
    }
    get() {}
    set() {}
    destroy() {}
  }
  const gate = new Gate()
  const together: Pages = {
    ...PAGES,
    '/together': async ctx => {
      if (--missing === 0) gate.open()
      await gate.pass()
      await ctx.session.update(count)
    },
  }
  const { visitor, dataOf } = await serve(t, () => ({ ContextStore: OfRequest as never }), together)
  await visitor.get('/begin')
  await Promise.all(Array.from({ length: missing }, () => visitor.get('/together')))
  assert.deepEqual(await dataOf(), { user: 'ada', n: 10 })
  assert.equal(patches, 10)
})
