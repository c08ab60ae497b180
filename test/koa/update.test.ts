/** `session.update()`: what it reads and what it saves are one step, whoever else writes. */

import assert from 'node:assert/strict'
import test from 'node:test'
import type { Store } from 'koa-session'
import { memoryStore } from 'koa-session/memory'
import { codesOf } from '../support/errors.ts'
import type { TestContext } from '../support/koa.ts'
import { later, scriptedStore } from '../support/stores.ts'
import { Gate, HOUR, KEY, MODES, type Pages, STORE_MODES, serve, told } from '../support/story.ts'

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
  const { store, courses } = scriptedStore(memory as unknown as Store)
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

for (const [mode, options] of Object.entries(STORE_MODES)) {
  test(`${mode}: an update keeps what the request has changed before and changes after it`, async t => {
    const { visitor, dataOf } = await serve(t, options, {
      ...PAGES,
      '/more': async ctx => {
        ctx.session.before = 1
        delete ctx.session.user
        await ctx.session.update((draft: Draft) => {
          assert.deepEqual({ ...draft }, { before: 1 })
          draft.during = 2
        })
        ctx.session.after = 3
      },
    })
    await visitor.get('/begin')
    await visitor.get('/more')
    assert.deepEqual(await dataOf(), { before: 1, during: 2, after: 3 })
  })

  test(`${mode}: an update that throws changes nothing and rejects`, async t => {
    const { visitor, dataOf } = await serve(t, options, {
      ...PAGES,
      '/fail': async ctx => {
        const fail = () => {
          throw new Error('no')
        }
        await assert.rejects(ctx.session.update(fail), /^Error: no$/)
        return 'failed'
      },
    })
    await visitor.get('/begin')
    assert.equal((await visitor.get('/fail')).text, 'failed')
    assert.deepEqual(await dataOf(), { user: 'ada' })
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

test('an update begins again when another process has saved in between', async t => {
  let others = 3
  const { store } = slowStore((memory, id) => {
    if (others-- <= 0) return
    const n = JSON.stringify(Number(JSON.parse(memory.read(id)?.members.n ?? '0')) + 10)
    memory.patch(id, { set: { n }, unset: [], lifetime: {}, keepsEmpty: true }, HOUR)
  })
  let calls = 0
  const { visitor } = await serve(t, () => ({ store }), {
    ...PAGES,
    '/count': async ctx => {
      await ctx.session.update((draft: Draft) => {
        calls++
        count(draft)
      })
      return ctx.session.n
    },
  })
  await visitor.get('/begin')
  others = 3
  assert.equal((await visitor.get('/count')).text, '31')
  assert.equal(calls, 4)
})

test('an update that others keep from its turn is given up with a code, and so are its changes', async t => {
  let isBusy = false
  const { store } = slowStore((memory, id) => {
    if (isBusy) memory.patch(id, { set: {}, unset: [], lifetime: {}, keepsEmpty: true }, HOUR)
  })
  const { visitor, dataOf, errors } = await serve(t, () => ({ store }), PAGES)
  await visitor.get('/begin')
  isBusy = true
  assert.equal((await visitor.get('/count')).status, 500)
  isBusy = false
  assert.deepEqual(codesOf(errors), ['ERR_SESSION_CONFLICT'])
  assert.deepEqual(await dataOf(), { user: 'ada' })
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

test('an update does not bring a session back, and says what it could not save', async t => {
  const gate = new Gate()
  const { visitor, events, clock } = await serve(t, ({ now }) => ({ store: memoryStore({ now }) }), {
    ...PAGES,
    '/slow': async ctx => {
      ctx.session.pending = 1
      await gate.pass()
      await ctx.session.update(count)
      return ctx.session.n
    },
  })
  await visitor.get('/begin')
  const copy = visitor.copy()
  const slow = copy.get('/slow')
  await gate.arrived
  await visitor.get('/out')
  gate.open()
  const answer = await slow
  assert.deepEqual([answer.status, answer.text, answer.cookies], [200, 'undefined', []])
  await told()
  assert.deepEqual(
    events.filter(([event]) => event === 'session:gone').map(([, { keys }]) => keys),
    [['pending']],
  )
  clock.elapse(1)
  assert.equal((await copy.get('/')).text, 'nobody')
})

test('beforeSave and the schema have their say about a draft', async t => {
  const seen: unknown[] = []
  const { visitor, dataOf, errors } = await serve(t, () => ({ store: memoryStore() }), PAGES, {
    options: {
      beforeSave: (_ctx: unknown, session: Record<string, unknown>) => {
        seen.push(session.n)
        session.checked = true
      },
      schema: {
        '~standard': {
          version: 1,
          vendor: 'test',
          validate: (value: unknown) =>
            Number(Object(value).n ?? 0) > 2 ? { issues: [{ message: 'too much', path: ['n'] }] } : { value },
        },
      } as never,
    },
  })
  await visitor.get('/count')
  await visitor.get('/count')
  assert.deepEqual(await dataOf(), { n: 2, checked: true })
  assert.equal((await visitor.get('/count')).status, 500)
  assert.deepEqual(await dataOf(), { n: 2, checked: true })
  assert.deepEqual([seen.includes(3), codesOf(errors)], [true, ['ERR_SESSION_SCHEMA']])
})

test('an update of a store that hangs is given up in time, and so is one that waits for it', async t => {
  let hangs = false
  const memory = memoryStore()
  const store: Store = { ...memory, read: id => (hangs ? new Promise(() => {}) : memory.read(id)) }
  const { visitor, dataOf, errors } = await serve(t, () => ({ store, storeTimeout: 20 }), {
    ...PAGES,
    '/count': async (ctx: TestContext) => {
      const { session } = ctx
      hangs = true
      const updates = [session.update(count), session.update(count)]
      const outcomes = await Promise.allSettled(updates)
      return outcomes.map(({ status }) => status).join()
    },
  })
  await visitor.get('/begin')
  assert.equal((await visitor.get('/count')).text, 'rejected,rejected')
  hangs = false
  assert.deepEqual(errors, [])
  assert.notEqual(visitor.jar.get(KEY), undefined)
  assert.deepEqual(await dataOf(), { user: 'ada' })
})

test('an update that was given up is not done later, and holds nobody up', async t => {
  const memory = memoryStore()
  const gate = new Gate()
  let hangs = false
  const store: Store = {
    ...memory,
    async read(id) {
      if (!hangs) return memory.read(id)
      hangs = false
      await gate.pass()
      return memory.read(id)
    },
  }
  const { visitor, dataOf, errors } = await serve(t, () => ({ store, storeTimeout: 20 }), {
    ...PAGES,
    '/hang': ctx => {
      hangs = true
      return assert.rejects(ctx.session.update(count), { code: 'ERR_SESSION_TIMEOUT' })
    },
  })
  await visitor.get('/begin')
  await visitor.get('/hang')
  assert.equal((await visitor.get('/count')).text, '1')
  gate.open()
  await told()
  assert.deepEqual(await dataOf(), { user: 'ada', n: 1 })
  assert.deepEqual(errors, [])
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

test('an update keeps a lifetime that another request has set, but for one of its own', async t => {
  const gate = new Gate()
  const memory = memoryStore()
  const { visitor } = await serve(t, () => ({ store: memory }), {
    ...PAGES,
    '/slow': async ctx => {
      void ctx.session.user
      await gate.pass()
      await ctx.session.update(count)
    },
    '/long': ctx => {
      ctx.session.maxAge = 30 * HOUR
    },
    '/short': async ctx => {
      ctx.session.maxAge = HOUR / 2
      await ctx.session.update(count)
    },
  })
  await visitor.get('/begin')
  const lifetime = () => memory.read(String(visitor.jar.get(KEY)))?.lifetime._maxAge
  const slow = visitor.copy().get('/slow')
  await gate.arrived
  await visitor.get('/long')
  gate.open()
  await slow
  assert.equal(lifetime(), 30 * HOUR)
  await visitor.get('/short')
  assert.equal(lifetime(), HOUR / 2)
})

test('an update that begins again keeps the lifetime that its request has set', async t => {
  let others = 2
  const { memory, store } = slowStore((memory, id) => {
    const lifetime = { _maxAge: 30 * HOUR }
    if (others-- > 0) memory.patch(id, { set: {}, unset: [], lifetime, keepsEmpty: true }, 30 * HOUR)
  })
  const { visitor, errors } = await serve(t, () => ({ store }), {
    ...PAGES,
    '/short': async ctx => {
      ctx.session.maxAge = HOUR / 2
      await ctx.session.update(count)
      return ctx.session.maxAge
    },
  })
  await visitor.get('/begin')
  assert.equal((await visitor.get('/short')).text, String(HOUR / 2))
  assert.equal(memory.read(String(visitor.jar.get(KEY)))?.lifetime._maxAge, HOUR / 2)
  assert.deepEqual([others < 0, errors], [true, []])
})

test('an update that meets what is no JSON is an error that shows nothing of it', async t => {
  const memory = memoryStore()
  const { visitor, errors } = await serve(t, () => ({ store: memory }), {
    ...PAGES,
    '/damaged': async ctx => {
      const patch = { set: { card: 'hunter2' }, unset: [], lifetime: {}, keepsEmpty: true }
      memory.patch(ctx.session.externalKey, patch, HOUR)
      await ctx.session.update(count)
    },
  })
  await visitor.get('/begin')
  assert.equal((await visitor.get('/damaged')).status, 500)
  assert.deepEqual(codesOf(errors), ['ERR_SESSION_DATA'])
  assert.ok(!`${errors[0]?.stack} ${errors[0]?.cause}`.includes('hunter2'))
})

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

test('an update removes a key with a name that every object inherits', async t => {
  const { visitor, dataOf } = await serve(t, () => ({ store: memoryStore() }), {
    '/begin': ctx => {
      Object.assign(ctx.session, { user: 'ada', constructor: 1, valueOf: 2 })
    },
    '/remove': ctx =>
      ctx.session.update((draft: Draft) => {
        for (const name of ['constructor', 'valueOf']) Reflect.deleteProperty(draft, name)
      }),
  })
  await visitor.get('/begin')
  await visitor.get('/remove')
  assert.deepEqual(await dataOf(), { user: 'ada' })
})

test('an update of a session that was ended is told, though the request has changed nothing else', async t => {
  const gate = new Gate()
  const { visitor, events } = await serve(t, () => ({ store: memoryStore() }), {
    ...PAGES,
    '/slow': async ctx => {
      await gate.pass()
      await ctx.session.update(count)
      await ctx.session.update(count)
    },
  })
  await visitor.get('/begin')
  const slow = visitor.copy().get('/slow')
  await gate.arrived
  await visitor.get('/out')
  gate.open()
  assert.deepEqual((await slow).cookies, [])
  await told()
  const gone = events.filter(([event]) => event === 'session:gone').map(([, { keys }]) => keys)
  assert.deepEqual(gone, [[], ['n']])
})

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

test('a session that an update leaves empty stays ended, though its lifetime was set', async t => {
  const { visitor, errors } = await serve(t, () => ({ store: memoryStore() }), {
    ...PAGES,
    '/empty': async ctx => {
      ctx.session.maxAge = 2 * HOUR
      await ctx.session.update((draft: Draft) => {
        delete draft.user
      })
    },
  })
  await visitor.get('/begin')
  await visitor.get('/empty')
  assert.deepEqual([visitor.jar.get(KEY), errors], [undefined, []])
})

test('a lifetime of a session that another request has ended sends no cookie of it', async t => {
  const gate = new Gate()
  const { visitor } = await serve(t, () => ({ store: memoryStore() }), {
    ...PAGES,
    '/slow': async ctx => {
      ctx.session.maxAge = 2 * HOUR
      await gate.pass()
      await ctx.session.save()
      ctx.res.flushHeaders()
      return 'slow'
    },
  })
  await visitor.get('/begin')
  const slow = visitor.copy().get('/slow')
  await gate.arrived
  await visitor.get('/out')
  gate.open()
  assert.deepEqual((await slow).cookies, [])
})
