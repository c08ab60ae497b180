import assert from 'node:assert/strict'
import test, { type TestContext as Test } from 'node:test'
import session, { type CreateSessionOptions } from 'koa-session'
import { memoryStore } from 'koa-session/memory'
import { visit } from '../support/agent.ts'
import { createApp, type TestContext } from '../support/koa.ts'

/** Cookies as a framework brings them: a class of its own, with private state and an option of its own. */
class Cookies {
  readonly #ctx: TestContext
  readonly #calls: unknown[][]

  constructor(ctx: TestContext, calls: unknown[][]) {
    this.#ctx = ctx
    this.#calls = calls
  }

  get(name: string, { encrypt = false }: { encrypt?: boolean } = {}): string | undefined {
    this.#calls.push(['get', name, encrypt])
    const found = new RegExp(`(?:^|; )${name}=([^;]*)`).exec(this.#ctx.get('cookie'))?.[1]
    return encrypt ? found?.split('').reverse().join('') : found
  }

  set(name: string, value: string, { encrypt = false, maxAge }: { encrypt?: boolean; maxAge?: unknown } = {}): this {
    this.#calls.push(['set', name, encrypt])
    const text = encrypt ? value.split('').reverse().join('') : value
    const expires = maxAge ? '' : '; expires=Thu, 01 Jan 1970 00:00:00 GMT'
    this.#ctx.append('Set-Cookie', `${name}=${text}${expires}`)
    return this
  }
}

/** The user, read when nothing can be answered any more, and therefore no error thrown. */
function readLate(ctx: TestContext): string {
  ctx.status = 200
  ctx.res.flushHeaders()
  try {
    return ctx.session.user
  } catch (error) {
    return String(error)
  }
}

async function serve(test: Test, options: CreateSessionOptions) {
  const app = createApp()
  const calls: unknown[][] = []
  const errors: Error[] = []
  app.on('error', error => errors.push(error))
  app.keys = undefined
  const made = new WeakMap<object, Cookies>()
  Object.defineProperty(app.context, 'cookies', {
    configurable: true,
    get(this: TestContext) {
      if (!made.has(this)) made.set(this, new Cookies(this, calls))
      return made.get(this)
    },
  })
  app.use(session(options, app))
  app.use(ctx => {
    if (ctx.path === '/sign-out') ctx.session = null
    else if (ctx.path === '/sign-in') ctx.session.user = 'tobi'
    else if (ctx.path === '/late') ctx.body = readLate(ctx)
    else ctx.body = ctx.session.user ?? 'nobody'
  })
  return { visitor: await visit(test, app), calls, errors }
}

const MODES: Record<string, () => CreateSessionOptions> = {
  'in the cookie': () => ({ encrypt: true }) as CreateSessionOptions,
  'in a store': () => ({ encrypt: true, store: memoryStore() }) as CreateSessionOptions,
}

for (const [mode, options] of Object.entries(MODES)) {
  test(`cookies of a framework get every read and write, with its own option (${mode})`, async t => {
    const { visitor, calls } = await serve(t, options())
    assert.equal((await visitor.get('/sign-in')).cookies.length, 1)
    assert.equal((await visitor.get('/')).text, 'tobi')
    await visitor.get('/sign-out')
    assert.equal((await visitor.get('/')).text, 'nobody')
    const read = ['get', 'koa.sess', true]
    const write = ['set', 'koa.sess', true]
    assert.deepEqual(calls, [read, write, read, read, write, read])
  })

  test(`what the cookies of a framework wrote is what arrives (${mode})`, async t => {
    const { visitor } = await serve(t, options())
    await visitor.get('/sign-in')
    const text = visitor.jar.get('koa.sess')?.split('').reverse().join('') ?? ''
    if (mode === 'in a store') assert.match(text, /^[0-9a-f-]{36}$/)
    else assert.equal(JSON.parse(Buffer.from(text, 'base64').toString()).user, 'tobi')
  })

  test(`cookies of a framework are read after the headers have left, too (${mode})`, async t => {
    const { visitor, errors } = await serve(t, options())
    await visitor.get('/sign-in')
    assert.equal((await visitor.get('/late')).text, 'tobi')
    assert.deepEqual(errors, [])
  })
}

test('cookies that replace get or set on those of Koa are used', async t => {
  const app = createApp()
  const calls: string[] = []
  app.use((ctx, next) => {
    const { cookies } = ctx
    const [get, set] = [cookies.get, cookies.set]
    cookies.get = (...call: unknown[]) => {
      calls.push('get')
      return get.apply(cookies, call)
    }
    cookies.set = (...call: unknown[]) => {
      calls.push('set')
      return set.apply(cookies, call)
    }
    return next()
  })
  app.use(session(app))
  app.use(ctx => {
    ctx.session.views = (ctx.session.views ?? 0) + 1
    ctx.body = String(ctx.session.views)
  })
  const visitor = await visit(t, app)
  await visitor.get()
  assert.equal((await visitor.get()).text, '2')
  assert.ok(calls.filter(name => name === 'get').length >= 2, 'every read')
  assert.equal(calls.filter(name => name === 'set').length, 2)
})
