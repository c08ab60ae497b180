import assert from 'node:assert/strict'
import test from 'node:test'
import * as ours from 'koa-session'
import * as old from 'koa-session-7'
import { visit } from '../support/agent.ts'
import { createApp } from '../support/koa.ts'
import {
  ask,
  attribute,
  COUNTER,
  type CreateSession,
  cookieNames,
  decoded,
  MapStore,
  ONE_DAY,
  packages,
  router,
  same,
  serve,
  thrownBy,
  withBoth,
} from './both.ts'

test('#1 the options of the caller are never written to', async t => {
  const told = await withBoth(async session => {
    const options = { maxAge: 1000 }
    const { visitor } = await serve(t, app => session(options, app), COUNTER)
    await visitor.get()
    return Object.keys(options)
  })
  assert.deepEqual(told['8'], ['maxAge'])
  assert.ok(told['7.0.2'].includes('overwrite'), 'the old behaviour')
})

test('#1 frozen options are taken', async t => {
  const frozen = () => Object.freeze({ key: 'frozen', maxAge: 1000 })
  assert.throws(() => packages['7.0.2'](frozen(), createApp()), TypeError)
  const { visitor } = await serve(t, app => packages['8'](frozen(), app), COUNTER)
  assert.deepEqual(cookieNames((await visitor.get()).cookies), ['frozen', 'frozen.sig'])
})

test('#2 a hook that is put into the options later takes effect on the next request', async t => {
  const told = await withBoth(async session => {
    const options: Record<string, unknown> = { signed: false }
    const { visitor } = await serve(t, app => session(options, app), COUNTER)
    const before = [await ask(visitor, '/'), await ask(visitor, '/')]
    options.valid = () => false
    const refused = await ask(visitor, '/')
    options.valid = () => true
    return [...before, refused, await ask(visitor, '/')]
  })
  assert.deepEqual(told, same([1, 2, 1, 2]))
})

test('#2 a store that is put into the options later takes effect on the next request', async t => {
  const told = await withBoth(async session => {
    const store = new MapStore()
    const options: Record<string, unknown> = {}
    const { visitor } = await serve(t, app => session(options, app), COUNTER)
    await visitor.get()
    options.store = store
    await visitor.stranger().get()
    return store.payloads.map(({ views }) => views)
  })
  assert.deepEqual(told, same([1]))
})

const ORDERS: Record<string, (session: CreateSession, app: object) => unknown> = {
  'session(app)': (session, app) => session(app),
  'session(app, opts)': (session, app) => session(app, { key: 'named' }),
  'session(opts, app)': (session, app) => session({ key: 'named' }, app),
  'session(undefined, app)': (session, app) => session(undefined, app),
}

for (const [call, create] of Object.entries(ORDERS)) {
  test(`#3 ${call} gives the middleware`, async t => {
    const told = await withBoth(async session => {
      const app = createApp()
      app.use(create(session, app) as never)
      app.use(router(COUNTER))
      return cookieNames((await (await visit(t, app)).get()).cookies)
    })
    const key = call.includes('opts') ? 'named' : 'koa.sess'
    assert.deepEqual(told, same([key, `${key}.sig`]))
  })
}

test('#3 without an app it throws a TypeError in the words of 7.x', async () => {
  const message = 'app instance required: `session(opts, app)`'
  for (const parameters of [[], [{}], [{}, {}], [undefined, { key: 'a' }]]) {
    for (const session of Object.values(packages)) {
      assert.throws(() => session(...parameters), { name: 'TypeError', message })
    }
  }
})

test('#28 a bad option throws a SessionError that names the option, what it was and what is expected', async () => {
  const bad: Array<[option: string, value: unknown, was: string, expected: string]> = [
    ['key', 42, '42', 'a cookie name'],
    ['maxAge', '1 day', '"1 day"', 'milliseconds'],
    ['rolling', 'yes', '"yes"', 'true or false'],
    ['encode', 'base64', '"base64"', 'a function'],
    ['externalKey', { get() {} }, 'an object', 'get and set'],
    ['store', { get() {}, set() {} }, 'an object', 'get, set and destroy'],
    ['ContextStore', class {}, 'a function', 'get, set and destroy'],
  ]
  for (const [option, value, was, expected] of bad) {
    const told = await withBoth(session => thrownBy(() => session({ [option]: value }, createApp())))
    assert.match(told['7.0.2']?.name ?? '', /ZodError|AssertionError/, option)
    const { name, code, message = '' } = told['8'] ?? {}
    assert.deepEqual([name, code], ['SessionError', 'ERR_SESSION_OPTION'], option)
    for (const part of [option, was, expected]) assert.ok(message.includes(part), `${message}: ${part}`)
  }
})

test('#28 a SessionError can be told by its class', () => {
  assert.throws(() => packages['8']({ key: 42 }, createApp()), ours.SessionError)
})

test('#29 SessionOptions is a type, and no value any more', () => {
  const options: ours.SessionOptions = { key: 'typed' }
  assert.equal(options.key, 'typed')
  assert.equal('SessionOptions' in old, true)
  assert.equal('SessionOptions' in ours, false)
})

test('#30 sameSite: null means "not set"', async t => {
  assert.equal(thrownBy(() => packages['7.0.2']({ sameSite: null }, createApp()))?.name, 'ZodError')
  const { visitor } = await serve(t, app => packages['8']({ sameSite: null }, app), COUNTER)
  const [line] = (await visitor.get()).cookies
  assert.equal(attribute(line, 'path'), '/')
  assert.equal(attribute(line, 'samesite'), undefined)
})

test('#46 a maxAge of 0 is as good as none: one day', async t => {
  const told = await withBoth(async session => {
    const { visitor } = await serve(t, app => session({ maxAge: 0, signed: false }, app), COUNTER)
    await visitor.get()
    return [decoded(visitor.jar.get('koa.sess'))._maxAge, await ask(visitor, '/')]
  })
  assert.deepEqual(told, same([ONE_DAY, 2]))
})

test('#46 a maxAge that is negative or NaN is refused, as an option and in a session', async t => {
  for (const maxAge of [-1, Number.NaN, Number.NEGATIVE_INFINITY]) {
    assert.throws(() => packages['8']({ maxAge }, createApp()), { code: 'ERR_SESSION_OPTION', message: /maxAge/ })
    const { visitor } = await serve(t, app => packages['8']({}, app), {
      '/': ctx => thrownBy(() => (ctx.session.maxAge = maxAge))?.code,
    })
    assert.equal(await ask(visitor, '/'), 'ERR_SESSION_OPTION')
  }
})
