/** Sessions that live until the browser closes, and other lifetimes that are stored. */
import assert from 'node:assert/strict'
import test from 'node:test'
import {
  ask,
  attribute,
  decoded,
  encoded,
  MapStore,
  ONE_DAY,
  packages,
  type Routes,
  same,
  serve,
  withBoth,
} from './both.ts'

const PAGES: Routes = {
  '/login': ctx => {
    ctx.session.user = 'ann'
  },
  '/whoami': ctx => ctx.session.user ?? 'nobody',
  '/maxage': ctx => ctx.session.maxAge ?? 'not set',
}

test("#4 maxAge: 'session' and two saves in one request: the second is stored as the first", async t => {
  const told = await withBoth(async session => {
    const store = new MapStore()
    const { visitor } = await serve(t, app => session({ store, maxAge: 'session' }, app), {
      '/': async ctx => {
        ctx.session.user = 'ann'
        await ctx.session.save()
        const [first] = store.payloads
        await ctx.session.save()
        return [first, ...store.payloads].map(payload => [payload?._session, payload?._maxAge])
      },
    })
    return ask(visitor, '/')
  })
  assert.deepEqual(told, {
    '7.0.2': [
      [true, null],
      [null, ONE_DAY],
    ],
    '8': [
      [true, null],
      [true, null],
    ],
  })
})

test("#4 maxAge: 'session' and two saves in one request: the cookie ends with the browser", async t => {
  const told = await withBoth(async session => {
    const { visitor } = await serve(t, app => session({ maxAge: 'session', signed: false }, app), {
      '/': async ctx => {
        await ctx.session.save()
        ctx.session.user = 'ann'
        await ctx.session.save()
      },
    })
    const { cookies } = await visitor.get()
    const { _session, _maxAge } = decoded(visitor.jar.get('koa.sess'))
    return [attribute(cookies.at(-1), 'expires'), _session, _maxAge]
  })
  assert.deepEqual(told, { '7.0.2': [undefined, undefined, ONE_DAY], '8': [undefined, true, undefined] })
})

test("#4 the store gets one day as the lifetime of a maxAge: 'session', not the word", async t => {
  const told = await withBoth(async session => {
    const store = new MapStore()
    const { visitor } = await serve(t, app => session({ store, maxAge: 'session' }, app), PAGES)
    await visitor.get('/login')
    await visitor.get('/whoami')
    return store.calls.map(({ method, ttl }) => [method, ttl])
  })
  assert.deepEqual(told, {
    '7.0.2': [
      ['set', 'session'],
      ['get', 'session'],
    ],
    '8': [
      ['set', ONE_DAY],
      ['get', ONE_DAY],
    ],
  })
})

test("#4 the option ttl sets the store's lifetime of a maxAge: 'session'", async t => {
  const store = new MapStore()
  const { visitor } = await serve(t, app => packages['8']({ store, maxAge: 'session', ttl: 5000 }, app), PAGES)
  await visitor.get('/login')
  await visitor.get('/whoami')
  assert.deepEqual(
    store.calls.map(({ ttl }) => ttl),
    [5000, 5000],
  )
})

test("#27 session.maxAge is 'session' across requests when it is configured so", async t => {
  const told = await withBoth(async session => {
    const { visitor } = await serve(t, app => session({ maxAge: 'session' }, app), PAGES)
    const before = await ask(visitor, '/maxage')
    await visitor.get('/login')
    return [before, await ask(visitor, '/maxage'), await ask(visitor, '/whoami')]
  })
  assert.deepEqual(told, same(['session', 'session', 'ann']))
})

test('#27 a stored lifetime goes before the option', async t => {
  const stored: Array<[payload: object, reads: unknown]> = [
    [{ _maxAge: 3_600_000, _expire: Date.now() + 3_600_000 }, 3_600_000],
    [{ _session: true }, 'session'],
    [{}, 5000],
  ]
  for (const [payload, reads] of stored) {
    const told = await withBoth(async session => {
      const { visitor } = await serve(t, app => session({ maxAge: 5000, signed: false }, app), PAGES)
      visitor.jar.set('koa.sess', encoded({ user: 'ann', ...payload }))
      return ask(visitor, '/maxage')
    })
    assert.deepEqual(told, same(reads))
  }
})

test('#27 a stored lifetime is that of the next save, too', async t => {
  const told = await withBoth(async session => {
    const { visitor } = await serve(t, app => session({ maxAge: 5000, signed: false }, app), PAGES)
    visitor.jar.set('koa.sess', encoded({ _maxAge: 3_600_000, _expire: Date.now() + 3_600_000 }))
    await visitor.get('/login')
    return decoded(visitor.jar.get('koa.sess'))._maxAge
  })
  assert.deepEqual(told, same(3_600_000))
})
