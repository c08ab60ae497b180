/** How a session ends, and how it gets another id. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { ask, cookieNames, encoded, MapStore, type Routes, same, serve, withBoth } from './both.ts'

const PAGES: Routes = {
  '/login': ctx => {
    ctx.session.user = 'ann'
  },
  '/logout': ctx => {
    ctx.session = null
  },
  '/whoami': ctx => ctx.session.user ?? 'nobody',
}

test('#5 after regenerate() session.externalKey shows the new id', async t => {
  const told = await withBoth(async session => {
    const store = new MapStore()
    const { visitor } = await serve(t, app => session({ store }, app), {
      ...PAGES,
      '/regenerate': async ctx => {
        const before = ctx.session.externalKey
        await ctx.session.regenerate()
        const { externalKey } = ctx.session
        return [before === externalKey, externalKey === store.ids[0]]
      },
    })
    await visitor.get('/login')
    return ask(visitor, '/regenerate')
  })
  assert.deepEqual(told, { '7.0.2': [true, false], '8': [false, true] })
})

test('#5 regenerate() keeps the data, under a new id, and forgets the old one', async t => {
  const told = await withBoth(async session => {
    const store = new MapStore()
    const { visitor } = await serve(t, app => session({ store, signed: false }, app), {
      ...PAGES,
      '/regenerate': async ctx => {
        await ctx.session.regenerate()
      },
    })
    await visitor.get('/login')
    const before = visitor.jar.get('koa.sess') ?? ''
    await visitor.get('/regenerate')
    const after = visitor.jar.get('koa.sess') ?? ''
    return [store.ids.includes(before), store.ids.includes(after), await ask(visitor, '/whoami')]
  })
  assert.deepEqual(told, same([false, true, 'ann']))
})

test('#8 ctx.session = null sends an expiring cookie and an expiring signature', async t => {
  const told = await withBoth(async session => {
    const { visitor } = await serve(t, app => session({}, app), PAGES)
    await visitor.get('/login')
    const { cookies } = await visitor.get('/logout')
    return [cookieNames(cookies), await ask(visitor, '/whoami')]
  })
  assert.deepEqual(told, same([['no koa.sess', 'no koa.sess.sig'], 'nobody']))
})

test('#8 ctx.session = null sends an expiring cookie also when none came in', async t => {
  const told = await withBoth(async session => {
    const inCookie = await serve(t, app => session({}, app), PAGES)
    const inStore = await serve(t, app => session({ store: new MapStore() }, app), PAGES)
    const unsigned = await serve(t, app => session({ signed: false }, app), PAGES)
    const answers = [inCookie, inStore, unsigned].map(({ visitor }) => visitor.get('/logout'))
    return (await Promise.all(answers)).map(({ cookies }) => cookieNames(cookies))
  })
  const both = ['no koa.sess', 'no koa.sess.sig']
  assert.deepEqual(told, same([both, both, ['no koa.sess']]))
})

test('#8 ctx.session = null destroys a stored session, and ctx.session then reads null', async t => {
  const told = await withBoth(async session => {
    const store = new MapStore()
    const { visitor } = await serve(t, app => session({ store }, app), {
      ...PAGES,
      '/logout': ctx => {
        ctx.session = null
        return ctx.session === null
      },
    })
    await visitor.get('/login')
    const stored = store.ids.length
    return [stored, await ask(visitor, '/logout'), store.ids.length, store.methods.at(-1)]
  })
  assert.deepEqual(told, same([1, true, 0, 'destroy']))
})

/** Carries the id in a header of its own, as an application without cookies does. */
function headerCarrier() {
  const calls: string[] = []
  return {
    calls,
    get: (ctx: { get(name: string): string }) => ctx.get('session-id'),
    set(ctx: { set(name: string, value: string): void }, id: string) {
      calls.push('set')
      ctx.set('session-id', id)
    },
    clear(ctx: { set(name: string, value: string): void }) {
      calls.push('clear')
      ctx.set('session-id', '')
    },
  }
}

test('#11 with externalKey a logout takes the id back, and sends no stray cookie', async t => {
  const told = await withBoth(async session => {
    const externalKey = headerCarrier()
    const store = new MapStore()
    const { visitor } = await serve(t, app => session({ store, externalKey }, app), PAGES)
    const { headers } = await visitor.get('/login')
    const { cookies } = await visitor.get('/logout', { 'session-id': headers.get('session-id') ?? '' })
    return { calls: externalKey.calls, cookies: cookieNames(cookies), stored: store.ids.length }
  })
  assert.deepEqual(told, {
    '7.0.2': { calls: ['set'], cookies: ['no koa.sess', 'no koa.sess.sig'], stored: 0 },
    '8': { calls: ['set', 'clear'], cookies: [], stored: 0 },
  })
})

test('#11 an externalKey without clear() is as good as in 7.x', async t => {
  const told = await withBoth(async session => {
    const { clear: _, ...externalKey } = headerCarrier()
    const store = new MapStore()
    const { visitor } = await serve(t, app => session({ store, externalKey }, app), PAGES)
    const { headers } = await visitor.get('/login')
    const id = { 'session-id': headers.get('session-id') ?? '' }
    const { text } = await visitor.get('/whoami', id)
    const { status } = await visitor.get('/logout', id)
    return [text, status, store.ids.length]
  })
  assert.deepEqual(told, same(['"ann"', 200, 0]))
})

test('#21 an emptied stored session is destroyed rather than saved empty', async t => {
  const told = await withBoth(async session => {
    const store = new MapStore()
    const { visitor } = await serve(t, app => session({ store }, app), {
      ...PAGES,
      '/empty': ctx => {
        delete ctx.session.user
      },
    })
    await visitor.get('/login')
    const { cookies } = await visitor.get('/empty')
    return { method: store.methods.at(-1), stored: store.ids.length, cookies: cookieNames(cookies) }
  })
  assert.deepEqual(told, {
    '7.0.2': { method: 'set', stored: 1, cookies: ['koa.sess', 'koa.sess.sig'] },
    '8': { method: 'destroy', stored: 0, cookies: ['no koa.sess', 'no koa.sess.sig'] },
  })
})

test('#21 an emptied session in the cookie takes the cookie away', async t => {
  const told = await withBoth(async session => {
    const { visitor } = await serve(t, app => session({}, app), {
      ...PAGES,
      '/empty': ctx => {
        delete ctx.session.user
      },
    })
    await visitor.get('/login')
    return cookieNames((await visitor.get('/empty')).cookies)
  })
  assert.deepEqual(told, {
    '7.0.2': ['koa.sess', 'koa.sess.sig'],
    '8': ['no koa.sess', 'no koa.sess.sig'],
  })
})

test('#26 ctx.session = {}, unread, ends the session that was in the cookie', async t => {
  const told = await withBoth(async session => {
    const { visitor } = await serve(t, app => session({ signed: false }, app), {
      ...PAGES,
      '/reset': ctx => {
        ctx.session = {}
      },
    })
    visitor.jar.set('koa.sess', encoded({ user: 'ann' }))
    await visitor.get('/reset')
    return ask(visitor, '/whoami')
  })
  assert.deepEqual(told, { '7.0.2': 'ann', '8': 'nobody' })
})

test('#26 ctx.session = {}, unread, destroys the session that was in the store', async t => {
  const told = await withBoth(async session => {
    const store = new MapStore()
    const { visitor } = await serve(t, app => session({ store }, app), {
      ...PAGES,
      '/reset': ctx => {
        ctx.session = {}
      },
    })
    await visitor.get('/login')
    await visitor.get('/reset')
    return [store.ids.length, await ask(visitor, '/whoami')]
  })
  assert.deepEqual(told['8'], [0, 'nobody'])
})
