/** Sessions in other places than behind one middleware of one application. */
import assert from 'node:assert/strict'
import { IncomingMessage, ServerResponse } from 'node:http'
import { createRequire } from 'node:module'
import { Socket } from 'node:net'
import test, { type TestContext as Test } from 'node:test'
import session from 'koa-session'
import { type Visitor, visit } from '../support/agent.ts'
import { createApp, isOf } from '../support/koa.ts'
import {
  ask,
  COUNTER,
  type CreateSession,
  cookieNames,
  encoded,
  errorsOf,
  type Handler,
  MapStore,
  router,
  same,
  signature,
  thrownBy,
  withBoth,
} from './both.ts'

const mount: (path: string, app: object) => Handler = createRequire(import.meta.url)('koa-mount')

test("#15 a second session() on one app shares the first one's session", async t => {
  const told = await withBoth(async session => {
    const store = new MapStore()
    const app = createApp()
    app.use(session({ store }, app))
    app.use(session({ store }, app))
    app.use(router(COUNTER))
    const visitor = await visit(t, app)
    const { cookies } = await visitor.get()
    return [cookieNames(cookies), await ask(visitor, '/'), store.ids.length]
  })
  assert.deepEqual(told, same([['koa.sess', 'koa.sess.sig'], 2, 1]))
})

test('#15 the option property names a second session, with its own cookie', async t => {
  const app = createApp()
  app.use(session({ signed: false }, app))
  app.use(session({ signed: false, key: 'admin', property: 'adminSession' }, app))
  app.use(
    router({
      '/login': ctx => {
        ctx.adminSession.user = 'root'
      },
      '/': ctx => [ctx.session.user ?? 'nobody', ctx.adminSession.user ?? 'nobody'],
    }),
  )
  const visitor = await visit(t, app)
  assert.deepEqual(cookieNames((await visitor.get('/login')).cookies), ['admin'])
  assert.deepEqual(await ask(visitor, '/'), ['nobody', 'root'])
})

test('#15 a second session with the cookie of the first is refused', () => {
  const app = createApp()
  session(app)
  const { code, message = '' } = thrownBy(() => session(app, { property: 'adminSession' })) ?? {}
  assert.equal(code, 'ERR_SESSION_OPTION')
  assert.match(message, /key/)
})

/** Serves an application with a mounted one, which has the session. */
async function mounted(t: Test, session: CreateSession, options: object): Promise<Visitor> {
  const app = createApp()
  const inner = createApp()
  app.keys = ['of the outer application']
  inner.keys = ['of the inner application']
  inner.use(session(options, inner))
  inner.use(router(COUNTER))
  app.use(mount('/inner', inner))
  errorsOf(app)
  return visit(t, app)
}

for (const where of ['cookie', 'store']) {
  test(`#40 a session in the ${where} works in a mounted application`, async t => {
    const told = await withBoth(async session => {
      const visitor = await mounted(t, session, where === 'store' ? { store: new MapStore() } : {})
      return [await ask(visitor, '/inner'), await ask(visitor, '/inner')]
    })
    assert.deepEqual(told, { '7.0.2': [500, 500], '8': [1, 2] })
  })
}

test('#40 an application and a mounted one share the session when both have one', async t => {
  const app = createApp()
  const inner = createApp()
  app.use(session(app))
  inner.use(session(inner))
  inner.use(router(COUNTER))
  app.use(mount('/inner', inner))
  app.use(router(COUNTER))
  const visitor = await visit(t, app)
  assert.deepEqual([await ask(visitor, '/'), await ask(visitor, '/inner'), await ask(visitor, '/')], [1, 2, 3])
})

test('#51 in a mounted application the keys are those of ctx.app', async t => {
  const visitor = await mounted(t, session, {})
  await visitor.get('/inner')
  const value = visitor.jar.get('koa.sess') ?? ''
  assert.equal(visitor.jar.get('koa.sess.sig'), signature('koa.sess', value, 'of the outer application'))
})

/** What a server gets that is asked for an upgrade to a WebSocket. */
function upgrade(cookie: string): IncomingMessage {
  return Object.assign(new IncomingMessage(new Socket()), { method: 'GET', url: '/', headers: { cookie } })
}

test('#40 load(ctx) gives the stored session of a context that was made for a WebSocket', async () => {
  const store = new MapStore()
  store.put('an-id', { user: 'ann' })
  const app = createApp()
  const sessions = session(app, { store, signed: false })
  const req = upgrade('koa.sess=an-id')
  const ctx = app.createContext(req, new ServerResponse(req))
  const { user, externalKey } = await sessions.load(ctx)
  assert.deepEqual([user, externalKey, ctx.session.user], ['ann', 'an-id', 'ann'])
})

test('#40 what is changed in the session of a WebSocket is stored by save()', async () => {
  const store = new MapStore()
  store.put('an-id', { user: 'ann' })
  const app = createApp()
  const sessions = session(app, { store, signed: false })
  const loaded = await sessions.load(app.createContext(upgrade('koa.sess=an-id')))
  loaded.user = 'bea'
  await loaded.save()
  assert.deepEqual(
    store.payloads.map(({ user }) => user),
    ['bea'],
  )
})

test('#40 load(ctx) gives the session in the cookie', async () => {
  const app = createApp()
  const value = encoded({ user: 'ann' })
  const cookie = `koa.sess=${value}; koa.sess.sig=${signature('koa.sess', value, 'newest secret')}`
  const loaded = await session(app).load(app.createContext(upgrade(cookie)))
  assert.deepEqual([loaded.user, loaded.isNew], ['ann', false])
})

test('#40 load(ctx) gives a new session to who brings none, and rejects when the store does', async () => {
  const store = new MapStore()
  const app = createApp()
  const sessions = session(app, { store, signed: false })
  assert.equal((await sessions.load(app.createContext(upgrade('')))).isNew, true)
  store.outage = new Error('the store is down')
  await assert.rejects(sessions.load(app.createContext(upgrade('koa.sess=an-id'))), (error: unknown) =>
    isOf(store.outage, error),
  )
})

test('#44 ctx.session before the middleware is, with a store, an empty session that is thrown away', async t => {
  const told = await withBoth(async session => {
    const store = new MapStore()
    store.put('an-id', { user: 'ann' })
    const app = createApp()
    app.use((ctx, next) => {
      ctx.state.early = [ctx.session.isNew, ctx.session.user ?? 'nobody']
      ctx.session.early = true
      return next()
    })
    app.use(session({ store, signed: false }, app))
    app.use(router({ '/': ctx => [...ctx.state.early, ctx.session.user, ctx.session.early ?? 'gone'] }))
    const visitor = await visit(t, app)
    visitor.jar.set('koa.sess', 'an-id')
    return [await ask(visitor, '/'), store.payloads]
  })
  assert.deepEqual(told, same([[true, 'nobody', 'ann', 'gone'], [{ user: 'ann' }]]))
})

test('ctx.session before the middleware is, in the cookie, the session', async t => {
  const told = await withBoth(async session => {
    const app = createApp()
    app.use((ctx, next) => {
      ctx.state.early = ctx.session.user
      ctx.session.user = 'bea'
      return next()
    })
    app.use(session({ signed: false }, app))
    app.use(router({ '/': ctx => [ctx.state.early, ctx.session.user] }))
    const visitor = await visit(t, app)
    visitor.jar.set('koa.sess', encoded({ user: 'ann' }))
    return [await ask(visitor, '/'), await ask(visitor, '/')]
  })
  assert.deepEqual(
    told,
    same([
      ['ann', 'bea'],
      ['bea', 'bea'],
    ]),
  )
})
