/** What goes wrong at the end of a request. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { codesOf } from '../support/errors.ts'
import { origin } from '../support/koa.ts'
import { cookieNames, MapStore, packages, same, serve, withBoth } from './both.ts'

test("#14 when handler and commit both throw, the handler's error is thrown and the other goes to app.on('error')", async t => {
  const told = await withBoth(async session => {
    const store = new MapStore()
    const { visitor, errors } = await serve(t, app => session({ store }, app), {
      '/': ctx => {
        ctx.session.user = 'ann'
        store.outage = new Error('the store is down')
        ctx.throw(418, 'the handler')
      },
    })
    const { status } = await visitor.get()
    return { status, errors: errors.map(error => Object(origin(error)).message).sort() }
  })
  assert.deepEqual(told, {
    '7.0.2': { status: 500, errors: ['the store is down'] },
    '8': { status: 418, errors: ['the handler', 'the store is down'] },
  })
})

test('#20 a cookie over 4096 bytes is a coded error, in place of one that the browser drops', async t => {
  const told = await withBoth(async session => {
    const { visitor, errors } = await serve(t, app => session({ signed: false }, app), {
      '/': ctx => {
        ctx.session.text = 'x'.repeat(4000)
      },
    })
    const { status, cookies } = await visitor.get()
    return { status, cookies: cookies.length, codes: codesOf(errors) }
  })
  assert.deepEqual(told, {
    '7.0.2': { status: 200, cookies: 1, codes: [] },
    '8': { status: 500, cookies: 0, codes: ['ERR_SESSION_TOO_LARGE'] },
  })
})

test('#20 a cookie of 4096 bytes, name and value, is sent', async t => {
  const told = await withBoth(async session => {
    const encode = () => 'x'.repeat(4096 - 'koa.sess'.length)
    const { visitor } = await serve(t, app => session({ signed: false, encode }, app), {
      '/': ctx => {
        ctx.session.user = 'ann'
      },
    })
    return cookieNames((await visitor.get()).cookies)
  })
  assert.deepEqual(told, same(['koa.sess']))
})

for (const call of ['save', 'regenerate']) {
  test(`#47 the final commit waits for an un-awaited ${call}()`, async t => {
    const store = new MapStore()
    const saved = store.set.bind(store)
    store.set = async (...parameters) => {
      await new Promise(resolve => setImmediate(resolve))
      await saved(...parameters)
    }
    const { visitor } = await serve(t, app => packages['8']({ store }, app), {
      '/': ctx => {
        ctx.session.user = 'ann'
        ctx.session[call]()
      },
    })
    await visitor.get()
    assert.deepEqual(
      store.payloads.map(({ user }) => user),
      ['ann'],
    )
  })
}
