/** When and how the session's headers leave. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { codesOf } from '../support/errors.ts'
import type { TestContext } from '../support/koa.ts'
import { ask, cookieNames, heard, MapStore, packages, type Routes, serve, withBoth } from './both.ts'

const WHOAMI: Routes = { '/whoami': ctx => ctx.session.user ?? 'nobody' }

/** Sends the headers now, and the body when the handler is done. */
function sendHeaders(ctx: TestContext): void {
  ctx.respond = false
  ctx.status = 200
  ctx.res.flushHeaders()
}

for (const where of ['cookie', 'store']) {
  test(`#35 a session in the ${where} survives an error that the handler throws`, async t => {
    const told = await withBoth(async session => {
      const options = where === 'store' ? { store: new MapStore() } : {}
      const { visitor } = await serve(t, app => session(options, app), {
        ...WHOAMI,
        '/fail': ctx => {
          ctx.session.user = 'ann'
          ctx.throw(400, 'a form that is not filled in')
        },
      })
      return [(await visitor.get('/fail')).status, await ask(visitor, '/whoami')]
    })
    assert.deepEqual(told, { '7.0.2': [400, 'nobody'], '8': [400, 'ann'] })
  })

  test(`#36 the cookie of a session in the ${where} leaves with headers that leave early`, async t => {
    const told = await withBoth(async session => {
      const options = where === 'store' ? { store: new MapStore() } : {}
      const { visitor, errors } = await serve(t, app => session(options, app), {
        ...WHOAMI,
        '/stream': ctx => {
          ctx.session.user = 'ann'
          sendHeaders(ctx)
          ctx.res.end('done')
        },
      })
      const { text } = await visitor.get('/stream')
      return { text, codes: codesOf(errors), user: await ask(visitor, '/whoami') }
    })
    assert.deepEqual(told, {
      '7.0.2': { text: 'done', codes: ['ERR_HTTP_HEADERS_SENT'], user: 'nobody' },
      '8': { text: 'done', codes: [], user: 'ann' },
    })
  })
}

const LATE: Routes = {
  ...WHOAMI,
  '/login': ctx => {
    ctx.session.user = 'ann'
  },
  '/late': ctx => {
    sendHeaders(ctx)
    ctx.session.user = 'bea'
    ctx.res.end('done')
  },
}

test('#36 a change after the headers of a session in the cookie raises an event, never an error', async t => {
  const { app, visitor, errors } = await serve(t, app => packages['8']({}, app), LATE)
  await visitor.get('/login')
  const { ctx } = await heard(app, 'session:late', visitor, '/late')
  assert.equal(ctx.path, '/late')
  assert.deepEqual(errors, [])
  assert.equal(await ask(visitor, '/whoami'), 'ann')
})

test('#36 a change after the headers of a session that is stored is stored', async t => {
  const told = await withBoth(async session => {
    const { visitor, errors } = await serve(t, app => session({ store: new MapStore() }, app), LATE)
    await visitor.get('/login')
    await visitor.get('/late')
    return [await ask(visitor, '/whoami'), codesOf(errors)]
  })
  assert.deepEqual(told, { '7.0.2': ['bea', ['ERR_HTTP_HEADERS_SENT']], '8': ['bea', []] })
})

for (const autoCommit of [true, false]) {
  test(`#38 a manual commit sets the cookie and saves once, with autoCommit: ${autoCommit}`, async t => {
    const told = await withBoth(async session => {
      const store = new MapStore()
      const pages: Routes = {
        '/': async ctx => {
          ctx.session.user = 'ann'
          await ctx.session.manuallyCommit()
        },
      }
      const inStore = await serve(t, app => session({ store, autoCommit }, app), pages)
      const inCookie = await serve(t, app => session({ signed: false, overwrite: false, autoCommit }, app), pages)
      await inStore.visitor.get()
      return [store.methods, cookieNames((await inCookie.visitor.get()).cookies)]
    })
    const once = [['set'], ['koa.sess']]
    const twice = [
      ['set', 'set'],
      ['koa.sess', 'koa.sess'],
    ]
    assert.deepEqual(told, { '7.0.2': autoCommit ? twice : once, '8': once })
  })
}

test('#48 regenerate() after the headers left is a coded error, before the store is touched', async t => {
  const store = new MapStore()
  let code: unknown
  const { visitor } = await serve(t, app => packages['8']({ store }, app), {
    ...LATE,
    '/regenerate': async ctx => {
      sendHeaders(ctx)
      code = await ctx.session.regenerate().catch((error: { code: string }) => error.code)
      ctx.res.end('done')
    },
  })
  await visitor.get('/login')
  await visitor.get('/regenerate')
  assert.equal(code, 'ERR_SESSION_HEADERS_SENT')
  assert.deepEqual(store.methods, ['set', 'get'])
  assert.equal(await ask(visitor, '/whoami'), 'ann')
})

test('#56 a new stored session after the headers left is served, before the store is touched', async t => {
  const store = new MapStore()
  const { visitor, errors } = await serve(t, app => packages['8']({ store }, app), LATE)
  assert.equal((await visitor.get('/late')).text, 'done')
  assert.deepEqual([codesOf(errors), store.methods], [[], []])
})

test("#48 an encoding error while the headers leave goes to app.on('error')", async t => {
  const { visitor, errors } = await serve(t, app => packages['8']({}, app), {
    '/': ctx => {
      ctx.session.cart = new Map([['apple', 1]])
      sendHeaders(ctx)
      ctx.res.end('done')
    },
  })
  const { status, text } = await visitor.get()
  assert.deepEqual([status, text], [200, 'done'])
  assert.deepEqual([...new Set(codesOf(errors))], ['ERR_SESSION_DATA'])
})
