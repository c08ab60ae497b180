/** What the ledger keeps beside its rows. */
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import test from 'node:test'
import { inspect } from 'node:util'
import { createApp } from '../support/koa.ts'
import { ask, cookieNames, encoded, MapStore, packages, type Routes, same, serve, withBoth } from './both.ts'

test('also kept: populated, length, toJSON() and util.inspect show the data', async t => {
  const told = await withBoth(async session => {
    const show = (session: { populated: boolean; length: number; toJSON(): object }) => {
      return [session.populated, session.length, session.toJSON(), inspect(session), JSON.stringify(session)]
    }
    const { visitor } = await serve(t, app => session({}, app), {
      '/': ctx => {
        const empty = show(ctx.session)
        Object.assign(ctx.session, { user: 'ann', cart: [1] })
        return [empty, show(ctx.session)]
      },
    })
    return ask(visitor, '/')
  })
  const full = { user: 'ann', cart: [1] }
  assert.deepEqual(
    told,
    same([
      [false, 0, {}, '{}', '{}'],
      [true, 2, full, inspect(full), JSON.stringify(full)],
    ]),
  )
})

test('also kept: toJSON() gives an object of its own', async t => {
  const told = await withBoth(async session => {
    const { visitor } = await serve(t, app => session({}, app), {
      '/': ctx => {
        ctx.session.user = 'ann'
        ctx.session.toJSON().user = 'bea'
        return ctx.session.user
      },
    })
    return ask(visitor, '/')
  })
  assert.deepEqual(told, same('ann'))
})

for (const cookie of ['{', 'not base64 %', encoded('not JSON'), encoded('{"user":')]) {
  test(`also kept: the undecodable cookie ${cookie} is silent, and gives a new session`, async t => {
    const told = await withBoth(async session => {
      const { app, visitor, errors } = await serve(t, app => session({ signed: false }, app), {
        '/': ctx => ctx.session.isNew,
      })
      const events: string[] = []
      for (const event of ['missed', 'expired', 'invalid']) app.on(`session:${event}`, () => events.push(event))
      visitor.jar.set('koa.sess', cookie)
      const isNew = await ask(visitor, '/')
      await new Promise(resolve => setImmediate(resolve))
      return [isNew, events, errors]
    })
    assert.deepEqual(told, same([true, [], []]))
  })
}

test('also kept: a decode that throws a SyntaxError is silent, any other error is a 500 that clears the cookie', async t => {
  const told = await withBoth(async session => {
    const sent = []
    for (const error of [new SyntaxError('not mine'), new TypeError('broken')]) {
      const decode = () => {
        throw error
      }
      const { visitor, errors } = await serve(t, app => session({ signed: false, decode }, app), {
        '/': ctx => ctx.session.isNew,
      })
      visitor.jar.set('koa.sess', 'anything')
      const { status, cookies } = await visitor.get()
      sent.push([status, cookieNames(cookies), errors.map(({ message }) => message)])
    }
    return sent
  })
  assert.deepEqual(
    told,
    same([
      [200, [], []],
      [500, ['no koa.sess'], ['broken']],
    ]),
  )
})

test('also kept: session on app.context stays configurable, so that a test can mock it', async t => {
  const told = await withBoth(async session => {
    const { app, visitor } = await serve(t, app => session({}, app), { '/': ctx => ctx.session.user })
    Object.defineProperty(app.context, 'session', { value: { user: 'mocked' } })
    return ask(visitor, '/')
  })
  assert.deepEqual(told, same('mocked'))
})

test('also kept: ctx.session can be set to nothing but null or an object', async t => {
  const told = await withBoth(async session => {
    const { visitor } = await serve(t, app => session({}, app), {
      '/': ctx => {
        ctx.session = 'ann'
      },
    })
    return ask(visitor, '/')
  })
  assert.deepEqual(told, same(500))
})

test('also kept: genid defaults to a UUID of version 4, and prefix stands before it', async t => {
  const told = await withBoth(async session => {
    const page: Routes = { '/': ctx => ctx.session.externalKey }
    const plain = await serve(t, app => session({ store: new MapStore() }, app), page)
    const prefixed = await serve(t, app => session({ store: new MapStore(), prefix: 'app:' }, app), page)
    const own = await serve(
      t,
      app => session({ store: new MapStore(), prefix: 'app:', genid: () => 'an-id' }, app),
      page,
    )
    return Promise.all([plain, prefixed, own].map(({ visitor }) => ask(visitor, '/')))
  })
  const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
  for (const [plain, prefixed, own] of Object.values(told)) {
    assert.match(String(plain), uuid)
    assert.match(String(prefixed), new RegExp(uuid.source.replace('^', '^app:')))
    assert.equal(own, 'an-id')
  }
})

test('also kept: require() gives a function with .default and .createSession', () => {
  const required = createRequire(import.meta.url)('../../dist/index.cjs')
  assert.equal(typeof required(createApp()), 'function')
  assert.equal(required.default, required.createSession)
  assert.equal(typeof required.default(createApp()), 'function')
})

test('also kept: createSession is the default export, too', async () => {
  const { createSession, default: byDefault } = await import('koa-session')
  assert.equal(createSession, byDefault)
  assert.equal(typeof packages['8'], 'function')
})
