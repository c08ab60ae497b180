import assert from 'node:assert/strict'
import test from 'node:test'
import {
  ask,
  attribute,
  cookieNames,
  encoded,
  MapStore,
  ONE_DAY,
  packages,
  type Routes,
  same,
  serve,
  withBoth,
} from './both.ts'

const PAGES = {
  '/': () => 'a page that does not touch the session',
  '/login': ctx => {
    ctx.session.user = 'ann'
  },
  '/whoami': ctx => ctx.session.user ?? 'nobody',
  '/maxage': ctx => ctx.session.maxAge ?? 'not set',
} satisfies Routes

/** A payload that an earlier request saved, with this much of an hour left (ms). */
const anHourOf = (left: number) => ({ user: 'ann', _expire: Date.now() + left, _maxAge: 3_600_000 })

test('#13 store.get gets maxAge, and store.set the lifetime and ten seconds', async t => {
  const told = await withBoth(async session => {
    const store = new MapStore()
    const { visitor } = await serve(t, app => session({ store, maxAge: 60_000, rolling: true }, app), PAGES)
    await visitor.get('/login')
    await visitor.get('/whoami')
    return store.calls.map(({ method, ttl, details }) => [method, ttl, details.rolling, details.changed])
  })
  const calls = [
    ['set', 70_000, true, true],
    ['get', 60_000, true, undefined],
    ['set', 70_000, true, false],
  ]
  assert.deepEqual(told, same(calls))
})

test('#17 rolling sends nothing for a new, empty session', async t => {
  const told = await withBoth(async session => {
    const { visitor } = await serve(t, app => session({ rolling: true }, app), PAGES)
    return [...(await visitor.get('/')).cookies, ...(await visitor.get('/whoami')).cookies]
  })
  assert.deepEqual(told, same([]))
})

test('#18 rolling extends a session in the cookie with every response, touched or not', async t => {
  const told = await withBoth(async session => {
    const { visitor } = await serve(t, app => session({ rolling: true, signed: false }, app), PAGES)
    visitor.jar.set('koa.sess', encoded(anHourOf(3_600_000)))
    return [cookieNames((await visitor.get('/whoami')).cookies), cookieNames((await visitor.get('/')).cookies)]
  })
  assert.deepEqual(told, { '7.0.2': [['koa.sess'], []], '8': [['koa.sess'], ['koa.sess']] })
})

test('#18 renew extends a session in the cookie once less than half of its lifetime is left, touched or not', async t => {
  const told = await withBoth(async session => {
    const { visitor } = await serve(t, app => session({ renew: true, signed: false, maxAge: 3_600_000 }, app), PAGES)
    const sent = []
    for (const [path, left] of [
      ['/whoami', 1_000_000],
      ['/', 1_000_000],
      ['/whoami', 2_000_000],
      ['/', 2_000_000],
    ] as const) {
      visitor.jar.set('koa.sess', encoded(anHourOf(left)))
      sent.push(cookieNames((await visitor.get(path)).cookies).length)
    }
    return sent
  })
  assert.deepEqual(told, { '7.0.2': [1, 0, 0, 0], '8': [1, 1, 0, 0] })
})

test('#25 without maxAge the session lives one day, and so does every cookie of it', async t => {
  const told = await withBoth(async session => {
    const { visitor } = await serve(t, app => session({ signed: false }, app), {
      '/': ctx => {
        ctx.session.views = (ctx.session.views ?? 0) + 1
      },
    })
    const lines = [...(await visitor.get()).cookies, ...(await visitor.get()).cookies]
    return lines.map(line => attribute(line, 'expires') !== undefined)
  })
  assert.deepEqual(told, { '7.0.2': [false, true], '8': [true, true] })
})

test('#25 without maxAge the cookie expires in one day', async t => {
  const { visitor } = await serve(t, app => packages['8']({}, app), PAGES)
  const [line] = (await visitor.get('/login')).cookies
  const left = Date.parse(String(attribute(line, 'expires'))) - Date.now()
  assert.ok(left > ONE_DAY - 60_000 && left <= ONE_DAY, `${left} ms`)
})

test('#25 without maxAge session.maxAge reads one day', async t => {
  const told = await withBoth(async session => {
    const { visitor } = await serve(t, app => session({}, app), PAGES)
    return ask(visitor, '/maxage')
  })
  assert.deepEqual(told, { '7.0.2': 'not set', '8': ONE_DAY })
})
