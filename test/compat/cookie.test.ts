import assert from 'node:assert/strict'
import test from 'node:test'
import { visit } from '../support/agent.ts'
import { createApp, type TestContext } from '../support/koa.ts'
import {
  ask,
  attribute,
  COUNTER,
  cookieNames,
  decoded,
  encoded,
  MapStore,
  packages,
  router,
  same,
  serve,
  thrownBy,
  withBoth,
} from './both.ts'

const signOut = (ctx: TestContext) => {
  ctx.session = null
}

test('#45 app.keys may be set after session()', async t => {
  const told = await withBoth(async session => {
    const app = createApp()
    app.keys = undefined
    app.use(session(app))
    app.use(router(COUNTER))
    app.keys = ['set later']
    const visitor = await visit(t, app)
    return [await ask(visitor, '/'), await ask(visitor, '/')]
  })
  assert.deepEqual(told, same([1, 2]))
})

test('#45 a cookie name such as koa:sess is allowed', async t => {
  const told = await withBoth(async session => {
    const { visitor } = await serve(t, app => session({ key: 'koa:sess' }, app), COUNTER)
    const { cookies } = await visitor.get()
    return [cookieNames(cookies), await ask(visitor, '/')]
  })
  assert.deepEqual(told, same([['koa:sess', 'koa:sess.sig'], 2]))
})

test('#45 a cookie name that breaks the header is refused', () => {
  for (const key of ['a;b', 'a=b', 'a b', 'a\r\nb', 'ä']) {
    assert.throws(() => packages['8']({ key }, createApp()), { code: 'ERR_SESSION_OPTION' }, JSON.stringify(key))
  }
})

test('#42 an option that is not its own reaches ctx.cookies', async t => {
  const told = await withBoth(async session => {
    const { visitor } = await serve(
      t,
      app => session({ path: '/app', priority: 'high', partitioned: true }, app),
      COUNTER,
    )
    const [line] = (await visitor.get()).cookies
    return ['path', 'priority', 'partitioned'].map(name => attribute(line, name))
  })
  assert.deepEqual(told, same(['/app', 'high', true]))
})

for (const where of ['cookie', 'store'] as const) {
  test(`#42 every read and write of a session in the ${where} goes through a ctx.cookies that the framework brings`, async t => {
    const told = await withBoth(async session => {
      const calls: unknown[] = []
      let held: string | undefined
      const cookies = {
        get(name: string, options: { encrypt: boolean }) {
          calls.push(['get', name, options.encrypt])
          return held
        },
        set(name: string, value: string, options: { encrypt: boolean }) {
          calls.push(['set', name, options.encrypt])
          held = value
        },
      }
      const options = { encrypt: true, ...(where === 'store' && { store: new MapStore() }) }
      const pages = { ...COUNTER, '/read': (ctx: TestContext) => ctx.session.views, '/out': signOut }
      const { app, visitor } = await serve(t, app => session(options, app), pages)
      app.keys = undefined
      Object.defineProperty(app.context, 'cookies', { get: () => cookies })
      const views = []
      for (const path of ['/', '/read', '/out', '/read']) views.push(await ask(visitor, path))
      return [views, calls]
    })
    const [get, set] = [
      ['get', 'koa.sess', true],
      ['set', 'koa.sess', true],
    ]
    const calls = [get, set, get, get, set, get]
    const views = [1, 1, null, null]
    // In a cookie, 7.x doesn't read what is ended.
    const old = where === 'cookie' ? [get, set, get, set, get] : calls
    assert.deepEqual(told, { '7.0.2': [views, old], '8': [views, calls] })
  })
}

test('#42 a logout tells the ctx.cookies of the framework when the cookie expires', async t => {
  const told = await withBoth(async session => {
    const app = createApp()
    const calls: unknown[] = []
    const cookies = {
      get: () => undefined,
      set(name: string, value: string, { expires, maxAge }: { expires: string | Date; maxAge: unknown }) {
        calls.push([name, value, new Date(expires).getTime(), maxAge])
      },
    }
    Object.defineProperty(app.context, 'cookies', { get: () => cookies })
    app.use(session({ maxAge: 60_000 }, app))
    app.use(signOut)
    await (await visit(t, app)).get()
    return calls
  })
  assert.deepEqual(told, same([['koa.sess', '', 0, false]]))
})

test('#42 every read and write goes through a get and set that replace those of ctx.cookies', async t => {
  const told = await withBoth(async session => {
    const app = createApp()
    const calls: string[] = []
    app.use((ctx, next) => {
      const { get, set } = ctx.cookies
      ctx.cookies.get = (...parameters: unknown[]) => {
        calls.push(`get ${parameters[0]}`)
        return get.apply(ctx.cookies, parameters)
      }
      ctx.cookies.set = (...parameters: unknown[]) => {
        calls.push(`set ${parameters[0]}`)
        return set.apply(ctx.cookies, parameters)
      }
      return next()
    })
    app.use(session({ signed: false }, app))
    app.use(router(COUNTER))
    await (await visit(t, app)).get()
    return calls
  })
  assert.deepEqual(told, same(['get koa.sess', 'set koa.sess']))
})

test('#42 a write goes through a set that the handler puts in place once it has read the session', async t => {
  const told = await withBoth(async session => {
    const app = createApp()
    const names: unknown[] = []
    app.use(session({ signed: false }, app))
    app.use(ctx => {
      ctx.session.views = (ctx.session.views ?? 0) + 1
      const { set } = ctx.cookies
      ctx.cookies.set = (...parameters: unknown[]) => {
        names.push(parameters[0])
        return set.apply(ctx.cookies, parameters)
      }
    })
    await (await visit(t, app)).get('/')
    return names
  })
  assert.deepEqual(told, same(['koa.sess']))
})

test('#42 a ctx.cookies of the framework is read as itself after the headers left, too', async t => {
  class OwnCookies {
    readonly #value = encoded({ user: 'ann' })

    get(): string {
      return this.#value
    }
  }
  const told = await withBoth(async session => {
    const app = createApp()
    const read: unknown[] = []
    Object.defineProperty(app.context, 'cookies', { get: () => new OwnCookies() })
    app.use(session({}, app))
    app.use(ctx => {
      ctx.respond = false
      ctx.res.end('done')
      read.push(thrownBy(() => read.push(ctx.session.user))?.message)
    })
    await (await visit(t, app)).get()
    return read
  })
  assert.deepEqual(told, same(['ann', undefined]))
})

test('#32 overwrite: true replaces a cookie of the same name that the handler set', async t => {
  const told = await withBoth(async session => {
    const { visitor } = await serve(t, app => session({ signed: false }, app), {
      '/': ctx => {
        ctx.session.views = 1
        ctx.cookies.set('koa.sess', 'the handler', { signed: false })
        ctx.cookies.set('theme', 'dark', { signed: false })
      },
    })
    const { cookies } = await visitor.get()
    return [cookieNames(cookies), decoded(visitor.jar.get('koa.sess')).views]
  })
  assert.deepEqual(told, same([['theme', 'koa.sess'], 1]))
})

test('#32 overwrite: false leaves the cookie of the handler beside it', async t => {
  const told = await withBoth(async session => {
    const { visitor } = await serve(t, app => session({ signed: false, overwrite: false }, app), {
      '/': ctx => {
        ctx.session.views = 1
        ctx.cookies.set('koa.sess', 'the handler', { signed: false })
      },
    })
    return cookieNames((await visitor.get()).cookies)
  })
  assert.deepEqual(told, same(['koa.sess', 'koa.sess']))
})

test('#33 secure: true over plain HTTP is a 500, with a message that says app.proxy', async t => {
  const told = await withBoth(async session => {
    const { visitor, errors } = await serve(t, app => session({ secure: true }, app), COUNTER)
    const status = await ask(visitor, '/')
    return { status, errors: errors.map(({ code, message }) => ({ code, message })) }
  })
  assert.deepEqual([told['7.0.2'].status, told['8'].status], [500, 500])
  assert.equal(told['8'].errors.length, 1)
  assert.equal(told['8'].errors[0]?.code, 'ERR_SESSION_INSECURE')
  assert.match(told['8'].errors[0]?.message ?? '', /app\.proxy/)
})

test('#33 secure: true behind a proxy that ends TLS sends the cookie, with app.proxy', async t => {
  const told = await withBoth(async session => {
    const { app, visitor } = await serve(t, app => session({ secure: true }, app), COUNTER)
    app.proxy = true
    const { cookies } = await visitor.get('/', { 'x-forwarded-proto': 'https' })
    return cookies.map(line => attribute(line, 'secure'))
  })
  assert.deepEqual(told, same([true, true]))
})
