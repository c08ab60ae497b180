/** The recipe for Passport in docs/recipes.md, with the real packages: koa-passport with Passport 0.6 and with 0.7. */

import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import test, { type TestContext as Test } from 'node:test'
import type { CreateSessionOptions } from 'koa-session'
import { memoryStore } from 'koa-session/memory'
import { type ManualClock, manualClock } from 'koa-session/testing'
import { Meeting } from '../stores/support/site.ts'
import { type Visitor, visit } from '../support/agent.ts'
import { createApp, type TestApp, type TestContext } from '../support/koa.ts'
import { later, scriptedStore } from '../support/stores.ts'
import { COOKIE_MODES, HOUR, KEY, KEYED_MODES, MODES, SECRETS, told } from '../support/story.ts'
import { recipe } from './page.ts'

interface Passport {
  session(): Middleware
}
type Next = () => Promise<void>
type Middleware = (ctx: TestContext, next: Next) => unknown

interface Recipe {
  useSessions(app: TestApp, users: object, options: CreateSessionOptions): void
  signIn(ctx: TestContext, next: Next): Promise<void>
  signOut(ctx: TestContext): void
}

const require = createRequire(import.meta.url)
const PACKAGES = { 'koa-passport': '0.6', 'koa-passport-newer': '0.7' }

for (const [name, version] of Object.entries(PACKAGES)) {
  const passport: Passport = require(name)
  const { useSessions, signIn, signOut } = await recipe<Recipe>('recipes.md', 'passport', { 'koa-passport': name })

  /** Where those wait for each other whose password is looked at. */
  let meeting: Meeting | undefined
  const users = {
    find: async (id: string) => (id === 'deleted' ? undefined : { id }),
    async verify(id: string, password: string) {
      await meeting?.pass()
      return password === 'right' ? { id } : undefined
    },
  }

  const PAGES: Record<string, (ctx: TestContext, next: Next) => unknown> = {
    '/in': signIn,
    '/out': signOut,
    '/login': async ctx => {
      await meeting?.pass()
      await ctx.login({ id: 'ada' })
    },
    '/login-keeping': async ctx => ctx.login({ id: 'ada' }, { keepSessionInfo: true }),
    '/logout': async ctx => ctx.logout(),
    '/logout-keeping': async ctx => ctx.logout({ keepSessionInfo: true }),
    '/cart': ctx => {
      ctx.session.cart = ['a book']
    },
    '/all': ctx => JSON.stringify(ctx.session),
    '/fresh': ctx => ctx.session.isFresh(60_000),
  }

  const serve = async (
    t: Test,
    mode: (clock: ManualClock) => CreateSessionOptions,
    more: CreateSessionOptions = {},
  ) => {
    const clock = manualClock(Date.now())
    const app = createApp()
    app.keys = [...SECRETS]
    app.use(async (ctx, next) => {
      ctx.request.body = ctx.query
      await next()
    })
    const errors: unknown[] = []
    app.on('error', error => errors.push(error.code ?? error.message))
    useSessions(app, users, { now: clock.now, maxAge: HOUR, ...mode(clock), ...more })
    app.use(async (ctx, next) => {
      const answer = await PAGES[ctx.path]?.(ctx, next)
      ctx.body ??= String(answer ?? ctx.state.user?.id ?? 'nobody')
    })
    const visitor = await visit(t, app)
    return { app, errors, clock, visitor, dataOf: async (who = visitor) => JSON.parse((await who.get('/all')).text) }
  }
  const IN = '/in?username=ada&password=right'
  const userOf = async (visitor: Visitor) => (await visitor.get('/')).text

  for (const [mode, options] of Object.entries(MODES)) {
    test(`Passport ${version}, ${mode}: who signs in is known, and not after the sign-out`, async t => {
      const { visitor, errors, dataOf } = await serve(t, options)
      await visitor.get('/cart')
      assert.equal((await visitor.get('/in?username=ada&password=wrong')).status, 401)
      assert.equal(await userOf(visitor), 'nobody')
      assert.equal((await visitor.get(IN)).status, 200)
      assert.deepEqual([await userOf(visitor), await dataOf()], ['ada', { passport: { user: 'ada' } }])
      assert.equal((await visitor.get('/fresh')).text, 'true')
      await visitor.get('/out')
      assert.deepEqual([visitor.jar.size, await userOf(visitor), await dataOf()], [0, 'nobody', {}])
      assert.deepEqual(errors, ['Unauthorized'])
    })

    test(`Passport ${version}, ${mode}: a user who was deleted is nobody`, async t => {
      const { visitor, dataOf } = await serve(t, options)
      await visitor.get('/in?username=deleted&password=right')
      await visitor.get('/cart')
      assert.equal(await userOf(visitor), 'nobody')
      assert.deepEqual(await dataOf(), { passport: {}, cart: ['a book'] })
    })

    test(`Passport ${version}, ${mode}: ctx.login() and ctx.logout() keep all other data, whatever keepSessionInfo is`, async t => {
      for (const keeping of ['', '-keeping']) {
        const { visitor, dataOf } = await serve(t, options)
        await visitor.get('/cart')
        await visitor.get(`/login${keeping}`)
        assert.deepEqual(await dataOf(), { cart: ['a book'], passport: { user: 'ada' } })
        assert.deepEqual([await userOf(visitor), (await visitor.get('/fresh')).text], ['ada', 'false'])
        await visitor.get(`/logout${keeping}`)
        assert.deepEqual([await userOf(visitor), await dataOf()], ['nobody', { cart: ['a book'], passport: {} }])
      }
    })
  }

  for (const [mode, options] of Object.entries(KEYED_MODES)) {
    for (const path of [IN, '/login']) {
      test(`Passport ${version}, ${mode}, ${path}: an id that somebody has planted is worth nothing after the sign-in`, async t => {
        const { visitor } = await serve(t, options)
        const attacker = visitor.stranger()
        await attacker.get('/cart')
        for (const [cookie, value] of attacker.jar) visitor.jar.set(cookie, value)
        await visitor.get(path)
        assert.notEqual(visitor.jar.get(KEY), attacker.jar.get(KEY))
        assert.deepEqual([await userOf(visitor), await userOf(attacker)], ['ada', 'nobody'])
      })
    }

    for (const [path, users] of [
      [IN, ['ada', 'ada']],
      // Passport has asked for the new id before it says who signs in.
      ['/login', ['ada', 'ada']],
    ] as const) {
      test(`Passport ${version}, ${mode}, ${path}: of a double click the answers are those of ${users.join(' and ')}`, async t => {
        const { visitor } = await serve(t, options)
        await visitor.get('/cart')
        const both = [visitor.copy(), visitor.copy()]
        meeting = new Meeting(2)
        await Promise.all(both.map(one => one.get(path)))
        meeting = undefined
        const found = await Promise.all(both.map(userOf))
        assert.deepEqual(found.sort(), users)
      })
    }
  }

  for (const [mode, options] of Object.entries(COOKIE_MODES)) {
    test(`Passport ${version}, ${mode}: a cookie from before the sign-in signs nobody in`, async t => {
      const { visitor } = await serve(t, options)
      await visitor.get('/cart')
      const attacker = visitor.copy()
      await visitor.get(IN)
      assert.deepEqual([await userOf(visitor), await userOf(attacker)], ['ada', 'nobody'])
    })
  }

  test(`Passport ${version}: the sessions of a user are found, those after ctx.logout() are nobody's`, async t => {
    const store = memoryStore()
    const { visitor } = await serve(t, () => ({ store }))
    await visitor.get(IN)
    assert.equal(store.list('ada').length, 1)
    await visitor.get('/logout')
    assert.equal(store.list('ada').length, 0)
  })

  test(`Passport ${version}: with lazy, passport.session() needs a session that was loaded`, async t => {
    const slow = () => {
      const { store, take } = scriptedStore(memoryStore())
      take(later)
      return Object.assign(store, { answersAtOnce: false })
    }
    const { visitor, errors } = await serve(t, () => ({ store: slow(), lazy: true }))
    assert.equal((await visitor.get('/')).status, 500)
    await told()
    assert.deepEqual(errors, ['ERR_SESSION_NOT_LOADED'])
  })

  test(`Passport ${version}: it is that of the title`, () => {
    const own = createRequire(require.resolve(name))
    assert.match(own('passport/package.json').version, new RegExp(`^${version.replace('.', '\\.')}\\.`))
    assert.equal(own('passport'), passport)
  })
}
