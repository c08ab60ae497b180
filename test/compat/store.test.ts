import assert from 'node:assert/strict'
import test from 'node:test'
import { memoryStore } from 'koa-session/memory'
import { codesOf } from '../support/errors.ts'
import { isOf, origin } from '../support/koa.ts'
import { ask, cookieNames, MapStore, ONE_DAY, packages, type Routes, same, serve, withBoth } from './both.ts'

const PAGES: Routes = {
  '/': () => 'a page that does not touch the session',
  '/login': ctx => {
    ctx.session.user = 'ann'
  },
  '/logout': ctx => {
    ctx.session = null
  },
  '/whoami': ctx => ctx.session.user ?? 'nobody',
  '/assign': ctx => {
    ctx.session = { user: 'bea' }
  },
}

test('#12 store.get runs on every request that brings an id, and on no other', async t => {
  const told = await withBoth(async session => {
    const store = new MapStore()
    const { visitor } = await serve(t, app => session({ store }, app), PAGES)
    await visitor.get('/')
    await visitor.get('/login')
    await visitor.get('/')
    await visitor.get('/whoami')
    return store.methods
  })
  assert.deepEqual(told, same(['set', 'get', 'get']))
})

test('#12 a request that the option skip leaves out reads nothing', async t => {
  const store = new MapStore()
  const skip = (ctx: { path: string }) => ctx.path === '/'
  const { visitor } = await serve(t, app => packages['8']({ store, skip }, app), PAGES)
  await visitor.get('/login')
  assert.deepEqual((await visitor.get('/')).cookies, [])
  assert.deepEqual(store.methods, ['set'])
  assert.equal(await ask(visitor, '/whoami'), 'ann')
})

test('#49 reading or setting ctx.session on a skipped request is a coded error', async t => {
  for (const path of ['/whoami', '/assign', '/logout']) {
    const store = new MapStore()
    const { visitor, errors } = await serve(t, app => packages['8']({ store, skip: () => true }, app), PAGES)
    assert.equal(await ask(visitor, path), 500)
    assert.deepEqual(codesOf(errors), ['ERR_SESSION_SKIPPED'])
    assert.deepEqual(store.methods, [])
  }
})

test('#39 a store outage is no error on a page that never touches the session', async t => {
  const told = await withBoth(async session => {
    const store = new MapStore()
    const { visitor } = await serve(t, app => session({ store }, app), PAGES)
    await visitor.get('/login')
    store.outage = new Error('the store is down')
    return ask(visitor, '/')
  })
  assert.deepEqual(told, { '7.0.2': 500, '8': 'a page that does not touch the session' })
})

test('#39 the error of a store outage surfaces where ctx.session is read', async t => {
  const told = await withBoth(async session => {
    const store = new MapStore()
    const { visitor, errors } = await serve(t, app => session({ store }, app), {
      ...PAGES,
      '/careful': ctx => {
        try {
          return ctx.session.user
        } catch (error) {
          return isOf(store.outage, error)
        }
      },
    })
    await visitor.get('/login')
    store.outage = new Error('the store is down')
    const read = await ask(visitor, '/whoami')
    return { read, isReported: isOf(store.outage, errors[0]), careful: await ask(visitor, '/careful') }
  })
  assert.deepEqual(told, {
    '7.0.2': { read: 500, isReported: true, careful: 500 },
    '8': { read: 500, isReported: true, careful: true },
  })
})

test('#39 an outage of the store keeps the visitor signed in', async t => {
  const store = new MapStore()
  const { visitor } = await serve(t, app => packages['8']({ store, rolling: true }, app), PAGES)
  await visitor.get('/login')
  store.outage = new Error('the store is down')
  await visitor.get('/')
  await visitor.get('/whoami')
  store.outage = undefined
  assert.equal(await ask(visitor, '/whoami'), 'ann')
})

test('#50 assigning to a session that could not be read is a coded error, and stores nothing', async t => {
  const store = new MapStore()
  const { visitor, errors } = await serve(t, app => packages['8']({ store }, app), PAGES)
  await visitor.get('/login')
  const outage = new Error('the store is down')
  store.get = () => Promise.reject(outage)
  assert.equal(await ask(visitor, '/assign'), 500)
  assert.deepEqual(
    errors.map(error => [error.code, origin(error)]),
    [['ERR_SESSION_STORE', outage]],
  )
  assert.deepEqual(store.payloads, [{ user: 'ann', _expire: store.payloads[0]?._expire, _maxAge: ONE_DAY }])
})

test('#50 ctx.session = null, where it could not be read, clears the cookie and destroys the session', async t => {
  const store = new MapStore()
  const { visitor } = await serve(t, app => packages['8']({ store }, app), PAGES)
  await visitor.get('/login')
  store.get = () => Promise.reject(new Error('the store is down'))
  const { status, cookies } = await visitor.get('/logout')
  assert.deepEqual([status, cookieNames(cookies)], [200, ['no koa.sess', 'no koa.sess.sig']])
  assert.deepEqual(store.ids, [])
})

test('#50 ctx.session = null clears the cookie also when the destroy fails', async t => {
  const store = new MapStore()
  const { visitor, errors } = await serve(t, app => packages['8']({ store }, app), PAGES)
  await visitor.get('/login')
  store.outage = new Error('the store is down')
  const { status, cookies } = await visitor.get('/logout')
  assert.deepEqual([status, cookieNames(cookies)], [500, ['no koa.sess', 'no koa.sess.sig']])
  assert.equal(store.methods.at(-1), 'destroy')
  assert.deepEqual(errors.map(origin), [store.outage])
})

test('a store whose methods give values, not promises, is as good', async t => {
  const told = await withBoth(async session => {
    const { visitor } = await serve(t, app => session({ store: memoryStore() }, app), PAGES)
    await visitor.get('/login')
    const before = await ask(visitor, '/whoami')
    await visitor.get('/logout')
    return [before, await ask(visitor, '/whoami')]
  })
  assert.deepEqual(told, same(['ann', 'nobody']))
})
