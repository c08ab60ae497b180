import assert from 'node:assert/strict'
import test from 'node:test'
import { codesOf } from '../support/errors.ts'
import { pairOf } from '../support/set-cookie.mjs'
import {
  ask,
  type CreateSession,
  encoded,
  heard,
  MapStore,
  ONE_DAY,
  packages,
  type Routes,
  same,
  serve,
  withBoth,
} from './both.ts'

const PAGES: Routes = {
  '/': ctx => ctx.session.user ?? 'nobody',
  '/login': ctx => {
    ctx.session.user = 'ann'
  },
}

const EXPIRED = { user: 'ann', _expire: 1000, _maxAge: ONE_DAY }
const REFUSED = { user: 'refused' }

interface Presented {
  readonly event: string
  readonly options?: object
  readonly payload?: Record<string, unknown>
}

/** What `{ key, value, ctx }` an event has, where `id` names the session. */
async function presented(detail: Promise<{ key: unknown; value: unknown; ctx: { path: string }; reason?: unknown }>) {
  // 8 says why, too.
  const { key, value, ctx, reason: _, ...others } = await detail
  return { key, value, path: ctx.path, others: Object.keys(others) }
}

const valid = (_ctx: unknown, { user }: { user: string }) => user !== 'refused'

const STORED: readonly Presented[] = [
  { event: 'session:missed' },
  { event: 'session:expired', payload: EXPIRED },
  { event: 'session:invalid', payload: REFUSED },
]

for (const { event, payload } of STORED) {
  test(`#22 ${event} tells the key, the value and the ctx of a stored session`, async t => {
    const told = await withBoth(async session => {
      const store = new MapStore()
      if (payload) store.put('an-id', payload)
      const { app, visitor } = await serve(t, app => session({ store, valid, signed: false }, app), PAGES)
      visitor.jar.set('koa.sess', 'an-id')
      return presented(heard(app, event, visitor))
    })
    assert.deepEqual(told, same({ key: 'an-id', value: payload, path: '/', others: [] }))
  })
}

const IN_COOKIE: readonly Presented[] = [
  { event: 'session:missed', options: { decode: () => undefined } },
  { event: 'session:expired', payload: EXPIRED },
  { event: 'session:invalid', payload: REFUSED },
]

for (const { event, payload, options } of IN_COOKIE) {
  test(`#22 ${event} tells the value and the ctx of a session in the cookie, which has no key`, async t => {
    const told = await withBoth(async session => {
      const { app, visitor } = await serve(t, app => session({ valid, signed: false, ...options }, app), PAGES)
      visitor.jar.set('koa.sess', encoded(payload ?? {}))
      return presented(heard(app, event, visitor))
    })
    assert.deepEqual(told, same({ key: undefined, value: payload, path: '/', others: [] }))
  })
}

test('#22 a custom decode that returns nothing is missed, and gives a new session', async t => {
  for (const nothing of [undefined, null]) {
    const told = await withBoth(async session => {
      const { app, visitor } = await serve(t, app => session({ decode: () => nothing, signed: false }, app), PAGES)
      visitor.jar.set('koa.sess', 'anything')
      const { value } = await heard(app, 'session:missed', visitor)
      return [value, await ask(visitor, '/')]
    })
    assert.deepEqual(told, same([nothing, 'nobody']))
  }
})

test('#22 the events come once the handler has gone on', async t => {
  const told = await withBoth(async session => {
    const order: string[] = []
    const { app, visitor } = await serve(t, app => session({ signed: false }, app), {
      '/': ctx => {
        order.push(`read ${ctx.session.isNew}`)
        order.push('handled')
      },
    })
    app.on('session:expired', () => order.push('expired'))
    visitor.jar.set('koa.sess', encoded(EXPIRED))
    await heard(app, 'session:expired', visitor)
    return order
  })
  assert.deepEqual(told, same(['read true', 'handled', 'expired']))
})

test('#22 a good session and a visitor without one raise no event', async t => {
  const told = await withBoth(async session => {
    const { app, visitor } = await serve(t, app => session({ store: new MapStore() }, app), PAGES)
    const events: string[] = []
    for (const event of ['missed', 'expired', 'invalid']) app.on(`session:${event}`, () => events.push(event))
    await visitor.get('/')
    await visitor.get('/login')
    return [await ask(visitor, '/'), events]
  })
  assert.deepEqual(told, same(['ann', []]))
})

/** What the hook of an application gives that is written with `async`. */
async function whoIs(session: CreateSession, t: Parameters<typeof serve>[0], options: object, inStore: boolean) {
  const store = new MapStore()
  store.put('an-id', { user: 'ann' })
  const { visitor, errors } = await serve(
    t,
    app => session({ ...options, ...(inStore && { store }), signed: false }, app),
    PAGES,
  )
  visitor.jar.set('koa.sess', inStore ? 'an-id' : encoded({ user: 'ann' }))
  return { user: await ask(visitor, '/'), codes: codesOf(errors) }
}

test('#37 an async valid() is awaited in store mode', async t => {
  const told = await withBoth(async session => {
    const refused = await whoIs(session, t, { valid: async () => false }, true)
    const accepted = await whoIs(session, t, { valid: async () => true }, true)
    return [refused.user, accepted.user]
  })
  assert.deepEqual(told, { '7.0.2': ['ann', 'ann'], '8': ['nobody', 'ann'] })
})

test('#37 an async valid() that rejects lets nobody in', async t => {
  const rejects = async () => {
    throw new Error('the database is down')
  }
  assert.equal((await whoIs(packages['8'], t, { valid: rejects }, true)).user, 500)
})

test('#37 an async valid() is awaited in cookie mode, too', async t => {
  const told = await withBoth(session => whoIs(session, t, { valid: async () => false }, false))
  assert.deepEqual(told, {
    '7.0.2': { user: 'ann', codes: [] },
    '8': { user: 'nobody', codes: [] },
  })
})

test('#37 an async decode() is a coded error', async t => {
  const told = await whoIs(packages['8'], t, { decode: async () => ({ user: 'ann' }) }, false)
  assert.deepEqual(told, { user: 500, codes: ['ERR_SESSION_ASYNC'] })
})

test('#37 an async beforeSave() is awaited in store mode', async t => {
  const told = await withBoth(async session => {
    const store = new MapStore()
    const beforeSave = async (_ctx: unknown, session: { stamped: boolean }) => {
      await new Promise(resolve => setImmediate(resolve))
      session.stamped = true
    }
    const { visitor } = await serve(t, app => session({ store, beforeSave }, app), PAGES)
    await visitor.get('/login')
    return store.payloads.map(({ stamped }) => stamped)
  })
  assert.deepEqual(told, { '7.0.2': [undefined], '8': [true] })
})

for (const hook of ['encode', 'beforeSave']) {
  test(`#37 an async ${hook}() is a coded error in cookie mode`, async t => {
    const told = await withBoth(async session => {
      const { visitor, errors } = await serve(
        t,
        app => session({ [hook]: async () => 'text', signed: false }, app),
        PAGES,
      )
      const { status, cookies } = await visitor.get('/login')
      return { status, value: cookies[0] && pairOf(cookies[0]).join('='), codes: codesOf(errors) }
    })
    if (hook === 'encode') assert.equal(told['7.0.2'].value, 'koa.sess=[object Promise]')
    assert.deepEqual(told['8'], { status: 500, value: undefined, codes: ['ERR_SESSION_ASYNC'] })
  })
}
