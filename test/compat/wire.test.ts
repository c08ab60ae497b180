/** The wire is a contract: what either package writes, the other reads. */
import assert from 'node:assert/strict'
import test, { type TestContext as Test } from 'node:test'
import type { Visitor } from '../support/agent.ts'
import { visit } from '../support/agent.ts'
import { createApp } from '../support/koa.ts'
import {
  ask,
  decoded,
  encoded,
  MapStore,
  ONE_DAY,
  packages,
  type Routes,
  router,
  same,
  serve,
  signature,
  type Version,
  withBoth,
} from './both.ts'

const DATA = {
  user: 'ann',
  name: 'Zoë 漢字 🍪',
  cart: [{ id: 1, tags: ['a', null] }],
  'key with ünicode': true,
  zero: 0,
}

const PAGES: Routes = {
  '/login': ctx => {
    Object.assign(ctx.session, DATA)
  },
  '/visit': ctx => {
    ctx.session.visits = (ctx.session.visits ?? 0) + 1
  },
  '/logout': ctx => {
    ctx.session = null
  },
  '/read': ctx => [ctx.session.toJSON(), ctx.session.isNew, ctx.session.maxAge],
  '/': ctx => ctx.session.user ?? 'nobody',
}

/** A visitor of the application of each package, who takes the cookies along. */
async function visitors(t: Test, options: object) {
  const [from, to] = await Promise.all([
    serve(t, app => packages['7.0.2']({ ...options }, app), PAGES),
    serve(t, app => packages['8']({ ...options }, app), PAGES),
  ])
  return { '7.0.2': from.visitor, '8': to.visitor }
}

function takeCookies(from: Visitor, to: Visitor): void {
  to.jar.clear()
  for (const [name, value] of from.jar) to.jar.set(name, value)
}

const MODES: Record<string, () => object> = {
  'signed cookie': () => ({}),
  'unsigned cookie': () => ({ signed: false }),
  'cookie with a codec of its own': () => ({
    encode: (payload: object) => encodeURIComponent(JSON.stringify(payload)),
    decode: (text: string) => JSON.parse(decodeURIComponent(text)),
  }),
  'store with a signed id': () => ({ store: new MapStore() }),
  'store with an unsigned id': () => ({ store: new MapStore(), signed: false }),
}

const DIRECTIONS: Array<[writer: Version, reader: Version]> = [
  ['7.0.2', '8'],
  ['8', '7.0.2'],
]

for (const [mode, options] of Object.entries(MODES)) {
  for (const maxAge of [undefined, 60_000, 'session']) {
    for (const [writer, reader] of DIRECTIONS) {
      const how = `${mode}, maxAge ${maxAge ?? 'not set'}`
      test(`what ${writer} wrote is read by ${reader}, and back (${how})`, async t => {
        const both = await visitors(t, { ...options(), ...(maxAge && { maxAge }) })
        await both[writer].get('/login')
        takeCookies(both[writer], both[reader])
        assert.deepEqual(await ask(both[reader], '/read'), [DATA, false, maxAge ?? ONE_DAY])

        await both[reader].get('/visit')
        takeCookies(both[reader], both[writer])
        assert.deepEqual(await ask(both[writer], '/read'), [{ ...DATA, visits: 1 }, false, maxAge ?? ONE_DAY])

        await both[writer].get('/logout')
        takeCookies(both[writer], both[reader])
        assert.equal(await ask(both[reader], '/'), 'nobody')
      })
    }
  }
}

test('a payload has the same members, in the same order, in the cookie and in the store', async t => {
  for (const maxAge of [undefined, 60_000, 'session']) {
    const told = await withBoth(async session => {
      const store = new MapStore()
      const inCookie = await serve(t, app => session({ signed: false, ...(maxAge && { maxAge }) }, app), PAGES)
      const inStore = await serve(t, app => session({ store, ...(maxAge && { maxAge }) }, app), PAGES)
      await inCookie.visitor.get('/login')
      await inStore.visitor.get('/login')
      const payloads = [decoded(inCookie.visitor.jar.get('koa.sess')), ...store.payloads]
      for (const { _expire } of payloads) {
        if (maxAge === 'session') assert.equal(_expire, undefined)
        else assert.ok(Math.abs(Number(_expire) - Date.now() - Number(maxAge ?? ONE_DAY)) < 30_000, `${_expire}`)
      }
      return payloads.map(payload => JSON.stringify({ ...payload, ...('_expire' in payload && { _expire: 0 }) }))
    })
    const lifetime = maxAge === 'session' ? { _session: true } : { _expire: 0, _maxAge: maxAge ?? ONE_DAY }
    const text = JSON.stringify({ ...DATA, ...lifetime })
    assert.deepEqual(told, same([text, text]))
  }
})

test('a name that begins with _ is read by 7.0.2, which drops it when it saves', async t => {
  const both = await visitors(t, { signed: false })
  both['7.0.2'].jar.set('koa.sess', encoded({ user: 'ann', _csrf: 'token' }))
  await both['7.0.2'].get('/visit')
  takeCookies(both['7.0.2'], both['8'])
  const [data] = (await ask(both['8'], '/read')) as unknown[]
  assert.deepEqual(data, { user: 'ann', visits: 1 })
})

test('a session that has expired is refused, whoever wrote it', async t => {
  const told = await withBoth(async session => {
    const { visitor } = await serve(t, app => session({}, app), PAGES)
    const users = []
    for (const left of [-60_000, 60_000]) {
      const value = encoded({ ...DATA, _expire: Date.now() + left, _maxAge: ONE_DAY })
      visitor.jar.set('koa.sess', value)
      visitor.jar.set('koa.sess.sig', signature('koa.sess', value, 'newest secret'))
      users.push(await ask(visitor, '/'))
    }
    return users
  })
  assert.deepEqual(told, same(['nobody', 'ann']))
})

/** Everything after a cookie's name and value, with the instant of its expiry masked, but not the past. */
function masked(line: string): string {
  return line
    .replace(/^([^=]*)=[^;]*/, (_, name) => `${name}=…`)
    .replace(/expires=(?!Thu, 01 Jan 1970)[^;]*/, 'expires=…')
}

for (const [writer, reader] of DIRECTIONS) {
  for (const store of [undefined, new MapStore()]) {
    const what = store ? 'id' : 'session'
    test(`a ${what} that ${writer} signed with the older secret is read by ${reader}, and signed anew`, async t => {
      const before = createApp()
      before.keys = ['older secret']
      before.use(packages[writer]({ store }, before))
      before.use(router(PAGES))
      const visitor = await visit(t, before)
      await visitor.get('/login')
      const value = visitor.jar.get('koa.sess') ?? ''
      assert.equal(visitor.jar.get('koa.sess.sig'), signature('koa.sess', value, 'older secret'))

      const after = (await serve(t, app => packages[reader]({ store }, app), PAGES)).visitor
      takeCookies(visitor, after)
      assert.equal(await ask(after, '/'), 'ann')
      // 8 sends both cookies anew (row 52).
      const sent = after.jar.get('koa.sess') ?? ''
      assert.equal(after.jar.get('koa.sess.sig'), signature('koa.sess', sent, 'newest secret'))
    })
  }
}

test('a session that is signed with a secret that is not known gives a new one, and loses its signature', async t => {
  const told = await withBoth(async session => {
    const { visitor } = await serve(t, app => session({}, app), PAGES)
    const value = encoded({ user: 'ann' })
    visitor.jar.set('koa.sess', value)
    visitor.jar.set('koa.sess.sig', signature('koa.sess', value, 'an unknown secret'))
    const { text, cookies } = await visitor.get('/')
    return [text, ...cookies]
  })
  assert.deepEqual(told, same(['"nobody"', 'koa.sess.sig=; path=/; expires=Thu, 01 Jan 1970 00:00:00 GMT; httponly']))
})

const LINES: Record<string, () => object> = {
  'maxAge only': () => ({ maxAge: 60_000 }),
  "maxAge 'session'": () => ({ maxAge: 'session' }),
  'a cookie that is not signed': () => ({ maxAge: 60_000, signed: false }),
  'every attribute': () => ({
    maxAge: 60_000,
    path: '/app',
    domain: 'example.org',
    httpOnly: false,
    sameSite: 'lax',
    priority: 'high',
    partitioned: true,
  }),
  'secure: false': () => ({ maxAge: 60_000, secure: false }),
  'a key of its own': () => ({ maxAge: 60_000, key: 'koa:sess' }),
  'a store': () => ({ maxAge: 60_000, store: new MapStore() }),
  "a store and maxAge 'session'": () => ({ maxAge: 'session', store: new MapStore() }),
  rolling: () => ({ maxAge: 60_000, rolling: true }),
}

for (const [what, options] of Object.entries(LINES)) {
  test(`the lines of Set-Cookie are those of 7.0.2: ${what}`, async t => {
    const told = await withBoth(async session => {
      const { visitor } = await serve(t, app => session(options(), app), PAGES)
      const lines = []
      for (const path of ['/', '/login', '/', '/visit', '/logout', '/']) {
        lines.push((await visitor.get(path)).cookies.map(masked))
      }
      return lines
    })
    // With a domain, 8 deletes the cookie that was sent without one as well (row 57).
    const isTwin = (line: string) => 'domain' in options() && !line.includes('domain=')
    const ours = told['8'].map(lines => lines.filter(line => !isTwin(line)))
    assert.deepEqual(ours, told['7.0.2'])
    assert.ok(told['8'][1]?.length, 'the login sends a cookie')
  })
}

test('without maxAge the lines of Set-Cookie are those of 7.0.2 but for the expiry of the first (#25)', async t => {
  const told = await withBoth(async session => {
    const { visitor } = await serve(t, app => session({}, app), PAGES)
    return [(await visitor.get('/login')).cookies.map(masked), (await visitor.get('/visit')).cookies.map(masked)]
  })
  const line = (name: string) => `${name}=…; path=/; expires=…; httponly`
  const withExpiry = ['koa.sess', 'koa.sess.sig'].map(line)
  const withoutExpiry = withExpiry.map(line => line.replace(' expires=…;', ''))
  assert.deepEqual(told, { '7.0.2': [withoutExpiry, withExpiry], '8': [withExpiry, withExpiry] })
})

test('the id and its signature are those of 7.0.2', async t => {
  const told = await withBoth(async session => {
    const { visitor } = await serve(t, app => session({ store: new MapStore(), genid: () => 'an-id' }, app), PAGES)
    await visitor.get('/login')
    return [...visitor.jar]
  })
  const signed = signature('koa.sess', 'an-id', 'newest secret')
  assert.deepEqual(
    told,
    same([
      ['koa.sess', 'an-id'],
      ['koa.sess.sig', signed],
    ]),
  )
})
