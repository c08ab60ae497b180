/** New sessions and their ids. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { ask, encoded, MapStore, ONE_DAY, type Routes, same, serve, withBoth } from './both.ts'

const PAGES: Routes = {
  '/login': ctx => {
    ctx.session.user = 'ann'
  },
  '/whoami': ctx => ctx.session.user ?? 'nobody',
}

test('#7 ctx.session = {…} gives a session that is not new', async t => {
  const told = await withBoth(async session => {
    const pages: Routes = {
      '/read': ctx => ctx.session.isNew,
      '/assign': ctx => {
        ctx.session = { user: 'ann' }
        return ctx.session.isNew
      },
    }
    const inCookie = await serve(t, app => session({}, app), pages)
    const inStore = await serve(t, app => session({ store: new MapStore() }, app), pages)
    const told = []
    for (const { visitor } of [inCookie, inStore]) {
      for (const path of ['/read', '/assign', '/read']) told.push(await ask(visitor, path))
    }
    return told
  })
  assert.deepEqual(told, same([true, false, false, true, false, false]))
})

test('#7 ctx.session = {…} replaces all of the data', async t => {
  const told = await withBoth(async session => {
    const { visitor } = await serve(t, app => session({}, app), {
      ...PAGES,
      '/assign': ctx => {
        ctx.session = { cart: [1] }
      },
      '/data': ctx => ctx.session,
    })
    await visitor.get('/login')
    await visitor.get('/assign')
    return ask(visitor, '/data')
  })
  assert.deepEqual(told, same({ cart: [1] }))
})

test('#23 an unknown id is never adopted', async t => {
  const told = await withBoth(async session => {
    const store = new MapStore()
    const { visitor } = await serve(t, app => session({ store, signed: false }, app), PAGES)
    visitor.jar.set('koa.sess', 'an-id-of-my-own')
    await visitor.get('/login')
    const id = visitor.jar.get('koa.sess') ?? ''
    return [id === 'an-id-of-my-own', store.ids.length, store.ids[0] === id]
  })
  assert.deepEqual(told, same([false, 1, true]))
})

test('#23 the id of a session that expired or that valid() refuses is not adopted', async t => {
  const told = await withBoth(async session => {
    const store = new MapStore()
    const valid = (_ctx: unknown, { user }: { user?: string }) => user !== 'refused'
    const { visitor } = await serve(t, app => session({ store, signed: false, valid }, app), PAGES)
    store.put('expired', { user: 'old', _expire: Date.now() - ONE_DAY, _maxAge: ONE_DAY })
    store.put('invalid', { user: 'refused' })
    const kept = []
    for (const id of ['expired', 'invalid']) {
      visitor.jar.set('koa.sess', id)
      await visitor.get('/login')
      kept.push(visitor.jar.get('koa.sess') === id)
    }
    return kept
  })
  assert.deepEqual(told, same([false, false]))
})

test('#24 ctx.session = {…} keeps the id', async t => {
  const told = await withBoth(async session => {
    const store = new MapStore()
    const { visitor } = await serve(t, app => session({ store, signed: false }, app), {
      ...PAGES,
      '/assign': ctx => {
        const before = ctx.cookies.get('koa.sess', { signed: false })
        ctx.session = { user: 'bea' }
        return ctx.session.externalKey === before
      },
    })
    await visitor.get('/login')
    const ids = store.ids
    const isSame = await ask(visitor, '/assign')
    assert.deepEqual(store.ids, ids)
    return [isSame, store.payloads.map(({ user }) => user)]
  })
  assert.deepEqual(told, same([true, ['bea']]))
})

test('#43 genid(ctx) runs when the session is first made, and session.externalKey shows its id', async t => {
  const told = await withBoth(async session => {
    const store = new MapStore()
    const genid = (ctx: { path: string }) => `made${ctx.path}`
    const { visitor } = await serve(t, app => session({ store, genid }, app), {
      '/login': ctx => {
        const shown = ctx.session.externalKey
        ctx.session.user = 'ann'
        return [shown, store.ids.length]
      },
    })
    return [await ask(visitor, '/login'), store.ids]
  })
  assert.deepEqual(told, same([['made/login', 0], ['made/login']]))
})

test('#43 genid(ctx) runs once for a session', async t => {
  const told = await withBoth(async session => {
    const store = new MapStore()
    let made = 0
    const genid = () => `id-${++made}`
    const { visitor } = await serve(t, app => session({ store, genid }, app), {
      ...PAGES,
      '/twice': async ctx => {
        ctx.session.user = 'ann'
        await ctx.session.save()
        ctx.session.user = 'bea'
      },
    })
    await visitor.get('/twice')
    await visitor.get('/whoami')
    return [made, store.ids]
  })
  assert.deepEqual(told, same([1, ['id-1']]))
})

test('#34 a change is seen also where the CRC-32 of the data stays the same', async t => {
  const told = await withBoth(async session => {
    const { visitor } = await serve(t, app => session({ signed: false }, app), {
      '/change': ctx => {
        ctx.session.word = 'buckeroo'
      },
      '/word': ctx => ctx.session.word,
    })
    visitor.jar.set('koa.sess', encoded({ word: 'plumless' }))
    await visitor.get('/change')
    return ask(visitor, '/word')
  })
  assert.deepEqual(told, { '7.0.2': 'plumless', '8': 'buckeroo' })
})
