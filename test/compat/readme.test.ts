/** What the readme of 7.x shows and says works. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { visit } from '../support/agent.ts'
import { createApp } from '../support/koa.ts'
import {
  ask,
  attribute,
  decoded,
  encoded,
  heard,
  MapStore,
  ONE_DAY,
  packages,
  type Routes,
  router,
  same,
  serve,
  withBoth,
} from './both.ts'

/** The counter of the readme, word for word but for `this`. */
const counter = (ctx: { path: string; session: { views?: number }; body: unknown }) => {
  // ignore favicon
  if (ctx.path === '/favicon.ico') return

  let n = ctx.session.views || 0
  ctx.session.views = ++n
  ctx.body = `${n} views`
}

const CONFIG = {
  key: 'koa.sess',
  maxAge: ONE_DAY,
  autoCommit: true,
  overwrite: true,
  httpOnly: true,
  signed: true,
  rolling: false,
  renew: false,
}

test('the counter of the 7.x readme counts the views of each visitor', async t => {
  const told = await withBoth(async session => {
    const app = createApp()
    app.keys = ['some secret hurr']
    app.use(session({ ...CONFIG }, app))
    app.use(counter)
    const visitor = await visit(t, app)
    const stranger = visitor.stranger()
    const favicon = await visitor.get('/favicon.ico')
    const views = [await visitor.get(), await visitor.get(), await stranger.get()].map(({ text }) => text)
    return { favicon: favicon.cookies, views, cookies: [...visitor.jar.keys()] }
  })
  const expected = { favicon: [], views: ['1 views', '2 views', '1 views'], cookies: ['koa.sess', 'koa.sess.sig'] }
  assert.deepEqual(told, same(expected))
})

test('CONFIG of the 7.x readme as it stands, secure and with sameSite: null, works over TLS', async t => {
  const app = createApp()
  app.proxy = true
  app.use(packages['8']({ ...CONFIG, secure: true, sameSite: null }, app))
  app.use(counter)
  const { text, cookies } = await (await visit(t, app)).get('/', { 'x-forwarded-proto': 'https' })
  assert.equal(text, '1 views')
  assert.deepEqual([attribute(cookies[0], 'secure'), attribute(cookies[0], 'samesite')], [true, undefined])
})

test('custom encode and decode of the 7.x readme make and read the cookie', async t => {
  const told = await withBoth(async session => {
    const encode = (payload: object) => Buffer.from(JSON.stringify(payload)).toString('hex')
    const decode = (text: string) => JSON.parse(Buffer.from(text, 'hex').toString())
    const { visitor } = await serve(t, app => session({ encode, decode, signed: false }, app), {
      '/login': ctx => {
        ctx.session.user = 'ann'
      },
      '/': ctx => ctx.session.user,
    })
    await visitor.get('/login')
    const { user, _maxAge } = decode(visitor.jar.get('koa.sess') ?? '')
    return [user, _maxAge, await ask(visitor, '/')]
  })
  assert.deepEqual(told, same(['ann', ONE_DAY, 'ann']))
})

test('valid() of the 7.x readme gets the ctx and the payload before the session is used', async t => {
  const told = await withBoth(async session => {
    const calls: unknown[] = []
    const valid = (ctx: { path: string }, payload: unknown) => {
      calls.push([ctx.path, payload])
      return true
    }
    const { visitor } = await serve(t, app => session({ valid, signed: false }, app), { '/': ctx => ctx.session.user })
    const payload = { user: 'ann', _session: true }
    visitor.jar.set('koa.sess', encoded(payload))
    return [await ask(visitor, '/'), ...calls]
  })
  assert.deepEqual(told, same(['ann', ['/', { user: 'ann', _session: true }]]))
})

test('beforeSave() of the 7.x readme gets the ctx and the session, and may change it', async t => {
  const told = await withBoth(async session => {
    const beforeSave = (ctx: { path: string }, session: { seen?: string; isNew: boolean }) => {
      session.seen = `${ctx.path} ${session.isNew}`
    }
    const store = new MapStore()
    const page: Routes = {
      '/page': ctx => {
        ctx.session.user = 'ann'
      },
    }
    const inCookie = await serve(t, app => session({ beforeSave, signed: false }, app), page)
    const inStore = await serve(t, app => session({ beforeSave, store }, app), page)
    await Promise.all([inCookie, inStore].map(({ visitor }) => visitor.get('/page')))
    return [decoded(inCookie.visitor.jar.get('koa.sess')).seen, store.payloads[0]?.seen]
  })
  assert.deepEqual(told, same(['/page true', '/page true']))
})

const PAGES: Routes = {
  '/login': ctx => {
    ctx.session.user = 'ann'
  },
  '/logout': ctx => {
    ctx.session = null
  },
  '/': ctx => ctx.session.user ?? 'nobody',
}

test('the store of the 7.x readme is called with the documented parameters', async t => {
  const told = await withBoth(async session => {
    const store = new MapStore()
    const { visitor } = await serve(t, app => session({ store, genid: () => 'an-id', maxAge: 60_000 }, app), PAGES)
    for (const path of ['/login', '/', '/logout']) await visitor.get(path)
    return store.calls.map(({ method, id, ttl, details: { ctx, signed: _, ...others } }) => [
      method,
      id,
      ttl,
      ctx.path,
      others,
    ])
  })
  const calls = [
    ['set', 'an-id', 70_000, '/login', { changed: true, rolling: false }],
    ['get', 'an-id', 60_000, '/', { rolling: false }],
    ['get', 'an-id', 60_000, '/logout', { rolling: false }],
    ['destroy', 'an-id', undefined, '/logout', {}],
  ]
  assert.deepEqual(told, same(calls))
})

test('the methods of a store are called as methods', async t => {
  const told = await withBoth(async session => {
    // Its private members are out of reach of a detached method.
    const { visitor } = await serve(t, app => session({ store: new MapStore() }, app), PAGES)
    await visitor.get('/login')
    return ask(visitor, '/')
  })
  assert.deepEqual(told, same('ann'))
})

test('new ContextStore(ctx) of the 7.x readme is made on every request', async t => {
  const told = await withBoth(async session => {
    const shared = new MapStore()
    const paths: string[] = []
    class ContextStore {
      constructor(ctx: { path: string }) {
        paths.push(ctx.path)
      }
      get(...parameters: Parameters<MapStore['get']>) {
        return shared.get(...parameters)
      }
      set(...parameters: Parameters<MapStore['set']>) {
        return shared.set(...parameters)
      }
      destroy(...parameters: Parameters<MapStore['destroy']>) {
        return shared.destroy(...parameters)
      }
    }
    const { visitor } = await serve(t, app => session({ ContextStore }, app), PAGES)
    await visitor.get('/login')
    return [await ask(visitor, '/'), (await visitor.get('/logout')).status, shared.ids.length, paths]
  })
  assert.deepEqual(told, same(['ann', 200, 0, ['/login', '/', '/logout']]))
})

test('externalKey of the 7.x readme carries the id in place of the cookie', async t => {
  const told = await withBoth(async session => {
    const externalKey = {
      get: (ctx: { get(name: string): string }) => ctx.get('token'),
      set: (ctx: { set(name: string, value: string): void }, value: string) => ctx.set('token', value),
    }
    const { visitor } = await serve(t, app => session({ store: new MapStore(), externalKey }, app), PAGES)
    const { headers, cookies } = await visitor.get('/login')
    const { text } = await visitor.get('/', { token: headers.get('token') ?? '' })
    return [text, cookies, await ask(visitor, '/')]
  })
  assert.deepEqual(told, same(['"ann"', [], 'nobody']))
})

test('the events of the 7.x readme are emitted on the app', async t => {
  const told = await withBoth(async session => {
    const store = new MapStore()
    const { app, visitor } = await serve(t, app => session({ store, signed: false }, app), PAGES)
    visitor.jar.set('koa.sess', 'an-id')
    return (await heard(app, 'session:missed', visitor)).key
  })
  assert.deepEqual(told, same('an-id'))
})

test('isNew, maxAge and its setter of the 7.x readme do what it says', async t => {
  const told = await withBoth(async session => {
    const app = createApp()
    app.use(session({ maxAge: 60_000, signed: false }, app))
    app.use(
      router({
        '/': ctx => {
          const { isNew, maxAge } = ctx.session
          ctx.session.maxAge = 3_600_000
          return [isNew, maxAge, ctx.session.maxAge]
        },
      }),
    )
    const visitor = await visit(t, app)
    const [first, second] = [await ask(visitor, '/'), await ask(visitor, '/')]
    return [first, second, decoded(visitor.jar.get('koa.sess'))._maxAge]
  })
  assert.deepEqual(told, same([[true, 60_000, 3_600_000], [false, 3_600_000, 3_600_000], 3_600_000]))
})
