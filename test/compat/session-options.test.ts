/** What a request writes to `ctx.sessionOptions`. */
import assert from 'node:assert/strict'
import test from 'node:test'
import session from 'koa-session'
import { visit } from '../support/agent.ts'
import { createApp } from '../support/koa.ts'
import {
  ask,
  attribute,
  COUNTER,
  cookieNames,
  decoded,
  encoded,
  MapStore,
  router,
  same,
  serve,
  withBoth,
} from './both.ts'

test('#16 what is written to ctx.sessionOptions is honoured for this response only', async t => {
  const told = await withBoth(async session => {
    const { visitor } = await serve(t, app => session({ signed: false }, app), {
      '/': ctx => {
        ctx.session.views = 1
      },
      '/special': ctx => {
        Object.assign(ctx.sessionOptions, { domain: 'example.org', httpOnly: false, maxAge: 5000 })
        ctx.session.views = 2
      },
    })
    const [special] = (await visitor.get('/special')).cookies
    const [next] = (await visitor.stranger().get('/')).cookies
    const { _maxAge } = decoded(/=([^;]*)/.exec(special ?? '')?.[1])
    return { _maxAge, lines: [special, next].map(line => [attribute(line, 'domain'), attribute(line, 'httponly')]) }
  })
  assert.deepEqual(
    told,
    same({
      _maxAge: 5000,
      lines: [
        ['example.org', undefined],
        [undefined, true],
      ],
    }),
  )
})

test('#16 a key that is written to ctx.sessionOptions names the cookie', async t => {
  const told = await withBoth(async session => {
    const { visitor } = await serve(t, app => session({}, app), {
      '/': ctx => {
        ctx.session.views = 1
        ctx.sessionOptions.key = 'other'
      },
    })
    return cookieNames((await visitor.get()).cookies)
  })
  assert.deepEqual(told, same(['other', 'other.sig']))
})

for (const where of ['cookie', 'store']) {
  test(`#16 a maxAge that is written to ctx.sessionOptions after the session was saved counts (${where})`, async t => {
    const told = await withBoth(async session => {
      const options = where === 'store' ? { store: new MapStore() } : { signed: false }
      const { visitor } = await serve(t, app => session(options, app), {
        '/in': async ctx => {
          ctx.session.user = 'ann'
          await ctx.session.save()
          ctx.sessionOptions.maxAge = 5000
        },
        '/': ctx => ctx.session.maxAge,
      })
      const { cookies } = await visitor.get('/in')
      const seconds = (Date.parse(String(attribute(cookies.at(-1) ?? '', 'expires'))) - Date.now()) / 1000
      return [await ask(visitor, '/'), seconds < 10]
    })
    assert.deepEqual(told, same([5000, true]))
  })
}

for (const option of ['rolling', 'renew']) {
  test(`#16 ${option} that is written to ctx.sessionOptions extends a stored session that is not touched`, async t => {
    const told = await withBoth(async session => {
      const store = new MapStore()
      const { visitor } = await serve(t, app => session({ store, maxAge: 5000 }, app), {
        '/in': ctx => {
          ctx.session.user = 'ann'
        },
        '/untouched': ctx => {
          ctx.sessionOptions[option] = true
        },
      })
      await visitor.get('/in')
      const [id = ''] = store.ids
      store.put(id, { user: 'ann', _expire: Date.now() + 1000, _maxAge: 5000 })
      const { cookies } = await visitor.get('/untouched')
      return [cookieNames(cookies), Number(store.payloads[0]?._expire) > Date.now() + 3000]
    })
    assert.deepEqual(told, same([['koa.sess', 'koa.sess.sig'], true]))
  })
}

const EARLY: Array<[option: string, value: unknown]> = [
  ['key', 'tenant'],
  ['signed', false],
]

for (const [option, value] of EARLY) {
  for (const where of ['cookie', 'store']) {
    test(`#16 a ${option} that is written to ctx.sessionOptions before the middleware keeps the session (${where})`, async t => {
      const told = await withBoth(async session => {
        const app = createApp()
        app.use((ctx, next) => {
          ctx.sessionOptions[option] = value
          return next()
        })
        app.use(session(where === 'store' ? { store: new MapStore() } : {}, app))
        app.use(router(COUNTER))
        const visitor = await visit(t, app)
        return [await ask(visitor, '/'), await ask(visitor, '/')]
      })
      assert.deepEqual(told, same([1, 2]))
    })
  }
}

test('#16 a valid() that is written to ctx.sessionOptions before the session is read is asked', async t => {
  const told = await withBoth(async session => {
    const { visitor } = await serve(t, app => session({ signed: false }, app), {
      '/': ctx => {
        ctx.sessionOptions.valid = () => false
        return ctx.session.user ?? 'nobody'
      },
    })
    visitor.jar.set('koa.sess', encoded({ user: 'ann' }))
    return ask(visitor, '/')
  })
  assert.deepEqual(told, same('nobody'))
})

for (const where of ['cookie', 'store']) {
  test(`an autoCommit that is written to ctx.sessionOptions counts, however the response leaves (${where})`, async t => {
    for (const autoCommit of [true, false]) {
      for (const early of [true, false]) {
        const options = where === 'store' ? { store: new MapStore() } : {}
        const { visitor } = await serve(t, app => session({ ...options, autoCommit: !autoCommit }, app), {
          '/in': async ctx => {
            ctx.session.user = 'ann'
            await ctx.session.save()
          },
          '/late': ctx => {
            ctx.session.user = 'bob'
            ctx.sessionOptions.autoCommit = autoCommit
            if (early) ctx.res.flushHeaders()
          },
          '/': ctx => ctx.session.user,
        })
        await visitor.get('/in')
        await visitor.get('/late')
        assert.equal(await ask(visitor, '/'), autoCommit ? 'bob' : 'ann')
      }
    }
  })
}

test('an option that is wrong in ctx.sessionOptions is an error, and what was saved before keeps its cookie', async t => {
  for (const options of [{}, { store: new MapStore() }]) {
    const { visitor } = await serve(t, app => session(options, app), {
      '/in': async ctx => {
        ctx.session.user = 'ann'
        await ctx.session.save()
        ctx.sessionOptions.maxAge = -1
      },
      '/': ctx => ctx.session.user,
    })
    assert.equal((await visitor.get('/in')).status, 500)
    assert.equal(await ask(visitor, '/'), 'ann')
  }
})
