/** The sessions of one user: who a session belongs to, told to the store, and what an application does with that. */

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import test from 'node:test'
import { memoryStore } from 'koa-session/memory'
import { KEY, type Pages, serve } from '../support/story.ts'

const subject = ({ user }: Record<string, unknown>) => user as string | undefined

async function begin(t: Parameters<typeof serve>[0], pages: Pages = {}, options = {}) {
  let store = memoryStore()
  const made = await serve(
    t,
    ({ now }) => {
      store = memoryStore({ now })
      return { store, subject, ...options }
    },
    {
      '/agent': ctx => {
        ctx.session.agent = ctx.get('user-agent')
      },
      '/elsewhere': ctx => store.destroyAll('ada', { except: ctx.session.externalKey }),
      '/anonymous': ctx => {
        delete ctx.session.user
        ctx.session.cart = 1
      },
      '/emptied': ctx => {
        ctx.session = { maxAge: 3_600_000 }
      },
      ...pages,
    },
  )
  return { ...made, store, list: () => store.list('ada') }
}

test('a session is listed once it is that of a subject, with what the application stored', async t => {
  const { visitor, list, clock } = await begin(t)
  await visitor.get('/agent', { 'user-agent': 'a phone' })
  assert.deepEqual(list(), [])
  clock.advance(1000)
  await visitor.get('/in')
  const id = String(visitor.jar.get(KEY))
  clock.advance(1000)
  await visitor.get('/cart')
  const handle = createHash('sha256').update(id).digest('base64url')
  assert.deepEqual(list(), [
    {
      handle,
      createdAt: 1_700_000_001_000,
      seenAt: 1_700_000_002_000,
      // The store keeps it ten seconds longer than it lives.
      expiresAt: 1_700_003_612_000,
      data: { agent: 'a phone', user: 'ada', cart: ['a book'] },
    },
  ])
})

test('nothing that is listed opens a session', async t => {
  const { visitor, list } = await begin(t)
  await visitor.get('/in')
  const stranger = visitor.stranger()
  for (const value of [list()[0]?.handle, JSON.stringify(list())]) {
    stranger.jar.set(KEY, String(value))
    assert.equal((await stranger.get('/')).text, 'nobody')
  }
  assert.ok(!JSON.stringify(list()).includes(String(visitor.jar.get(KEY))))
})

test('a sign-out, an expiry and a change of the subject end the listing', async t => {
  const { visitor, list, clock } = await begin(t)
  for (const end of ['/out', '/anonymous', '/emptied']) {
    await visitor.get('/in')
    assert.equal(list().length, 1)
    await visitor.get(end)
    assert.deepEqual(list(), [], end)
  }
  await visitor.get('/in')
  clock.advance(3_610_001)
  assert.deepEqual(list(), [])
})

test('a new id takes the place of the old one in the list', async t => {
  const { visitor, list } = await begin(t)
  await visitor.get('/in')
  const before = list()[0]?.handle
  await visitor.get('/in')
  assert.equal(list().length, 1)
  assert.notEqual(list()[0]?.handle, before)
})

test('one signs out everywhere else, or one device, or all', async t => {
  const { visitor, list, store } = await begin(t)
  const devices = [visitor, visitor.stranger(), visitor.stranger(), visitor.stranger()]
  for (const device of devices) await device.get('/in')
  const whoAreThere = async () => (await Promise.all(devices.map(device => device.get('/')))).map(({ text }) => text)
  const digest = (id: unknown) => createHash('sha256').update(String(id)).digest('base64url')
  assert.equal(store.destroyAll('ada', { only: digest(devices[3]?.jar.get(KEY)) }), 1)
  assert.deepEqual(await whoAreThere(), ['ada', 'ada', 'ada', 'nobody'])
  assert.equal((await visitor.get('/elsewhere')).text, '2')
  assert.deepEqual(await whoAreThere(), ['ada', 'nobody', 'nobody', 'nobody'])
  assert.equal(list().length, 1)
  assert.equal(store.destroyAll('eve'), 0)
  assert.equal(store.destroyAll('ada', { only: 'no handle' }), 0)
  assert.equal(store.destroyAll('ada'), 1)
  assert.deepEqual(await whoAreThere(), ['nobody', 'nobody', 'nobody', 'nobody'])
})

test('a request under way does not bring back what was ended everywhere', async t => {
  const { visitor, store, list } = await begin(t, {
    '/slow': ctx => {
      ctx.session.n = 1
      store.destroyAll('ada')
    },
  })
  await visitor.get('/in')
  assert.deepEqual((await visitor.get('/slow')).cookies, [])
  assert.deepEqual(list(), [])
  assert.equal(store.size, 0)
})

test('a session that was stored when nobody asked whose it is is listed once it is used', async t => {
  const { visitor, list, options } = await begin(t, { '/read': ctx => ctx.session.user })
  options.subject = undefined
  await visitor.get('/in')
  options.subject = subject as never
  assert.deepEqual(list(), [])
  await visitor.get('/untouched')
  assert.deepEqual(list(), [])
  await visitor.get('/read')
  assert.equal(list().length, 1)
})

test('a user id may be a number, everywhere that one is given', async t => {
  for (const id of [42, 42n, '42']) {
    const { visitor, store } = await begin(t, {}, { subject: ({ user }: { user?: string }) => user && id })
    await visitor.get('/in')
    for (const asked of [42, 42n, '42']) assert.equal(store.list(asked).length, 1, `${typeof id}, ${typeof asked}`)
    assert.deepEqual(store.list(43), [])
    assert.equal(store.destroyAll(42), 1)
    assert.equal((await visitor.get('/')).text, 'nobody')
  }
})

test('who has not signed in has no sessions, and ends none', async t => {
  const { visitor, list, store } = await begin(t, {
    '/devices': ctx => [store.list(ctx.session.user).length, store.destroyAll(ctx.session.user)].join(' '),
  })
  await visitor.get('/in')
  assert.equal((await visitor.stranger().get('/devices')).text, '0 0')
  assert.deepEqual([store.list(null), store.destroyAll(null, { only: list()[0]?.handle })], [[], 0])
  assert.equal((await visitor.get('/')).text, 'ada')
})

test('an error for a subject that a store can not have says its type, and not what it was', () => {
  const store = memoryStore()
  for (const [shown, value] of [
    ['a number', 4.25],
    ['a number', 2 ** 53],
    ['a boolean', true],
    ['an object', { id: 4.25 }],
  ]) {
    const message = `memoryStore: a subject was ${shown}, expected a string, a whole number up to 2^53 - 1, a bigint, or undefined for nobody`
    assert.throws(() => store.list(value as never), { code: 'ERR_SESSION_OPTION', message })
    assert.throws(() => store.destroyAll(value as never), { code: 'ERR_SESSION_OPTION', message })
  }
})

test('a page can mark the session that asks for the list, by its handle', async t => {
  const { visitor, list } = await begin(t, {
    '/mine': ctx => String(list().findIndex(({ handle }) => handle === ctx.session.handle)),
    '/renewed': async ctx => {
      const before = ctx.session.handle
      await ctx.session.regenerate()
      return [before === ctx.session.handle, list().some(({ handle }) => handle === ctx.session.handle)].join(' ')
    },
  })
  await visitor.get('/in')
  const other = visitor.stranger()
  await other.get('/in')
  // Both may have been made in one millisecond.
  const places = [(await visitor.get('/mine')).text, (await other.get('/mine')).text]
  assert.deepEqual(places.sort(), ['0', '1'])
  assert.equal((await visitor.get('/renewed')).text, 'false true')
  const inCookie = await serve(t, () => ({}), { '/handle': ctx => String(ctx.session.handle) })
  assert.equal((await inCookie.visitor.get('/handle')).text, 'undefined')
})
