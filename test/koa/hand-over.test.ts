/** `regenerate()` while other requests write to the id that it gives up: nothing of theirs is lost. */

import assert from 'node:assert/strict'
import test from 'node:test'
import type { CreateSessionOptions, Store } from 'koa-session'
import { memoryStore } from 'koa-session/memory'
import { Gate, KEY, type Pages, serve, told } from '../support/story.ts'

const PAGES: Pages = {
  '/begin': ctx => {
    Object.assign(ctx.session, { user: 'ada', cart: ['a book'], old: 1 })
  },
  '/theme': ctx => {
    ctx.session.theme = 'dark'
    delete ctx.session.old
  },
}

/** The session as the visitor has it, and without the ids between. */
async function story(
  t: Parameters<typeof serve>[0],
  pages: Pages,
  store: Store = memoryStore() as unknown as Store,
  others: Pages = {},
  options: CreateSessionOptions = {},
) {
  const gate = new Gate()
  const slow: Pages = Object.fromEntries(
    Object.entries(pages).map(([path, page]) => [
      path,
      async ctx => {
        void ctx.session.user
        await gate.pass()
        return page(ctx)
      },
    ]),
  )
  const made = await serve(t, () => ({ store }), { ...PAGES, ...others, ...slow }, { options })
  const { visitor } = made
  await visitor.get('/begin')
  const before = String(visitor.jar.get(KEY))
  const all = async () => JSON.parse((await visitor.get('/all')).text)
  /** A slow request, during which the visitor asks for `meanwhile`. */
  const during = async (path: string, ...meanwhile: string[]) => {
    const other = visitor.copy()
    const answer = visitor.get(path)
    await gate.arrived
    for (const page of meanwhile) await other.get(page)
    gate.open()
    return answer
  }
  return { ...made, before, all, during }
}

test('what a parallel request has written goes over to the new id, and so does what it has removed', async t => {
  const { visitor, before, all, during } = await story(t, {
    '/regenerate': async ctx => {
      ctx.session.mine = 1
      await ctx.session.regenerate()
      return JSON.stringify(ctx.session)
    },
  })
  const answer = await during('/regenerate', '/theme')
  const expected = { user: 'ada', cart: ['a book'], mine: 1, theme: 'dark' }
  assert.deepEqual(JSON.parse(answer.text), expected)
  assert.deepEqual(await all(), expected)
  assert.notEqual(visitor.jar.get(KEY), before)
})

test('what both have changed is as the one has it that came later, which is regenerate()', async t => {
  const { all, during } = await story(t, {
    '/regenerate': async ctx => {
      ctx.session.theme = 'light'
      ctx.session.old = 2
      await ctx.session.regenerate()
    },
  })
  await during('/regenerate', '/theme')
  assert.deepEqual(await all(), { user: 'ada', cart: ['a book'], theme: 'light', old: 2 })
})

test('with keep, nothing goes over that it does not name', async t => {
  const { all, during } = await story(t, {
    '/regenerate': ctx => ctx.session.regenerate({ keep: ['user'] }),
  })
  await during('/regenerate', '/theme')
  assert.deepEqual(await all(), { user: 'ada' })
})

test('what the request has saved before is no change of others', async t => {
  const { all, during } = await story(t, {
    '/regenerate': async ctx => {
      ctx.session.saved = 1
      await ctx.session.save()
      ctx.session.later = 2
      await ctx.session.regenerate()
      ctx.session.last = 3
    },
  })
  await during('/regenerate', '/theme')
  assert.deepEqual(await all(), { user: 'ada', cart: ['a book'], saved: 1, later: 2, last: 3, theme: 'dark' })
})

test('what is written while the old id is being given up goes over, too', async t => {
  const memory = memoryStore()
  let writes = 5
  const store = { ...memory } as unknown as Store
  store.retire = (id, which, ttl) => {
    if (writes-- > 0) memory.patch(id, { set: { [`n${writes}`]: '1' }, unset: [], lifetime: {}, keepsEmpty: true }, ttl)
    return memory.retire(id, which, ttl)
  }
  const { all, during } = await story(t, { '/regenerate': ctx => ctx.session.regenerate() }, store)
  await during('/regenerate')
  assert.deepEqual(await all(), { user: 'ada', cart: ['a book'], old: 1, n0: 1, n1: 1, n2: 1, n3: 1, n4: 1 })
})

test('what is written to the old id without an end does not hold the new one up for ever', async t => {
  const memory = memoryStore()
  let retired = 0
  const store = { ...memory } as unknown as Store
  store.retire = (id, which, ttl) => {
    const set = { [`n${retired++}`]: '1' }
    memory.patch(id, { set, unset: [], lifetime: {}, keepsEmpty: true }, ttl)
    return memory.retire(id, which, ttl)
  }
  const { visitor, before, all, during } = await story(t, { '/regenerate': ctx => ctx.session.regenerate() }, store)
  assert.equal((await during('/regenerate')).status, 200)
  assert.ok(retired > 5, `it tried ${retired} times to have all that others write`)
  assert.equal(typeof memory.read(before)?.retiredAt, 'number')
  assert.notEqual(visitor.jar.get(KEY), before)
  const { user, n0, [`n${retired - 2}`]: last } = await all()
  assert.deepEqual([user, n0, last], ['ada', 1, 1])
})

test('a session that was ended meanwhile stays ended, and what was to be saved is told', async t => {
  const { visitor, during, events } = await story(t, {
    '/regenerate': async ctx => {
      ctx.session.mine = 1
      await ctx.session.save()
      ctx.session.more = 1
      await ctx.session.regenerate()
    },
  })
  const answer = await during('/regenerate', '/out')
  assert.deepEqual([answer.status, answer.cookies], [200, []])
  await told()
  const gone = events.filter(([event]) => event === 'session:gone').map(([, { keys }]) => keys)
  assert.deepEqual(gone, [['mine'], ['more']])
  assert.equal((await visitor.get('/')).text, 'nobody')
})

test('what a key is called that every object inherits goes over like any other', async t => {
  const { all, during } = await story(t, { '/regenerate': ctx => ctx.session.regenerate() }, undefined, {
    '/begin': ctx => {
      Object.assign(ctx.session, { user: 'ada', valueOf: 1 })
    },
    '/theme': ctx => {
      ctx.session.constructor = 2
      Reflect.deleteProperty(ctx.session, 'valueOf')
    },
  })
  await during('/regenerate', '/theme')
  assert.deepEqual(await all(), { user: 'ada', constructor: 2 })
})

test('whose session it is goes over, where a parallel request has signed in', async t => {
  const memory = memoryStore()
  const options = { autoCommit: false, subject: ({ user }: Record<string, unknown>) => user as string, now: Date.now }
  const { visitor, during } = await story(
    t,
    { '/regenerate': ctx => ctx.session.regenerate() },
    memory as unknown as Store,
    {
      '/begin': ctx => {
        ctx.session.cart = 1
        return ctx.session.save()
      },
      '/login': ctx => {
        ctx.session.user = 'ada'
        return ctx.session.save()
      },
    },
    options,
  )
  await during('/regenerate', '/login')
  assert.equal((await visitor.get('/')).text, 'ada')
  assert.equal(memory.list('ada').length, 1)
})

for (const [again, page] of Object.entries<Pages[string]>({
  'the end of the request': () => {},
  'a change': ctx => {
    ctx.session.more = 1
  },
  'another regenerate()': ctx => ctx.session.regenerate(),
})) {
  test(`an old id that the store failed to give up is given up by ${again}, and nothing is lost`, async t => {
    const memory = memoryStore()
    const store = { ...memory } as unknown as Store
    let failures = 1
    store.retire = (id, which, ttl) => {
      if (failures-- > 0) throw new Error('down')
      return memory.retire(id, which, ttl)
    }
    const { visitor, before, all, during } = await story(
      t,
      {
        '/regenerate': async ctx => {
          ctx.session.signed = 'in'
          await assert.rejects(ctx.session.regenerate(), { code: 'ERR_SESSION_STORE' })
          await page(ctx)
        },
      },
      store,
    )
    assert.equal((await during('/regenerate', '/theme')).status, 200)
    const { more, ...rest } = await all()
    assert.deepEqual(rest, { user: 'ada', cart: ['a book'], signed: 'in', theme: 'dark' })
    assert.equal(more, again === 'a change' ? 1 : undefined)
    assert.equal(typeof memory.read(before)?.retiredAt, 'number')
    assert.notEqual(visitor.jar.get(KEY), before)
    assert.equal(memory.size, 2, 'the session, and the tombstone')
  })
}

test('a request whose session was ended does not get it back by regenerate(), in a store without tombstones', async t => {
  const { retire: _, ...memory } = memoryStore()
  const { visitor, during } = await story(
    t,
    {
      '/regenerate': async ctx => {
        ctx.session.mine = 1
        await ctx.session.save()
        await ctx.session.regenerate()
      },
    },
    memory as unknown as Store,
  )
  const answer = await during('/regenerate', '/out')
  assert.deepEqual(answer.cookies, [])
  assert.equal((await visitor.get('/')).text, 'nobody')
})
