import assert from 'node:assert/strict'
import test, { type TestContext as Test } from 'node:test'
import session, { type CreateSessionOptions, type Store, type StoredPayload } from 'koa-session'
import { memoryStore } from 'koa-session/memory'
import { visit } from '../support/agent.ts'
import { createApp, origin, type TestContext } from '../support/koa.ts'

type Method = 'get' | 'set' | 'destroy'

/** A store in memory, each method of which is down while its name is in `down`. */
class FragileStore {
  readonly down = new Set<Method>()
  readonly calls: string[] = []
  readonly error = Object.assign(new Error('connection refused'), { code: 'ECONNREFUSED' })
  readonly #memory = memoryStore()

  async get(id: string) {
    this.#use('get')
    return this.#memory.get(id)
  }

  async set(id: string, payload: StoredPayload, ttl: number) {
    this.#use('set')
    return this.#memory.set(id, payload, ttl)
  }

  async destroy(id: string) {
    this.#use('destroy')
    return this.#memory.destroy(id)
  }

  get size() {
    return this.#memory.size
  }

  #use(method: Method) {
    this.calls.push(method)
    if (this.down.has(method)) throw this.error
  }
}

type Caught = Error & { code?: string; cause?: unknown }

const HANDLERS: Record<string, (ctx: TestContext) => unknown> = {
  '/read': ctx => ctx.session.user,
  '/write'(ctx) {
    ctx.session.user = 'hunter2'
  },
  '/assign'(ctx) {
    ctx.session = { user: 'hunter2' }
  },
  '/remove'(ctx) {
    ctx.session = null
  },
  async '/regenerate'(ctx) {
    await ctx.session.regenerate()
  },
  async '/regenerate-and-go-on'(ctx) {
    await ctx.session.regenerate().catch(() => {})
  },
  async '/persist'(ctx) {
    ctx.session.user = 'hunter2'
    await ctx.session.save().catch(() => {})
  },
}

async function serve(test: Test, options: CreateSessionOptions) {
  const app = createApp()
  const errors: Caught[] = []
  app.on('error', error => errors.push(error))
  app.use(session(options, app))
  app.use(async ctx => {
    ctx.body = (await HANDLERS[ctx.path]?.(ctx)) ?? 'ok'
  })
  return { visitor: await visit(test, app), errors }
}

/** A visitor who is signed in, and the store that is then down as `down` says. */
async function signedIn(test: Test, down: Method[], options: CreateSessionOptions = {}) {
  const store = new FragileStore()
  const { visitor, errors } = await serve(test, { store, ...options })
  await visitor.get('/write')
  store.calls.length = 0
  for (const method of down) store.down.add(method)
  return { visitor, errors, store }
}

const ALL: Method[] = ['get', 'set', 'destroy']

for (const options of [{}, { rolling: true }, { renew: true }]) {
  test(`a page that never touches the session is served (${JSON.stringify(options)})`, async t => {
    const { visitor, errors } = await signedIn(t, ALL, options)
    const { status, text, cookies } = await visitor.get('/')
    assert.deepEqual({ status, text, cookies }, { status: 200, text: 'ok', cookies: [] })
    assert.deepEqual(errors, [])
  })
}

for (const path of ['/read', '/write', '/regenerate', '/persist']) {
  test(`${path} throws the error of the store, with its own as cause, and keeps the cookie`, async t => {
    const { visitor, errors, store } = await signedIn(t, ALL)
    const { status, text, cookies } = await visitor.get(path)
    assert.deepEqual({ status, text, cookies }, { status: 500, text: 'Internal Server Error', cookies: [] })
    assert.deepEqual(
      errors.map(error => [error.code, error.cause]),
      [['ERR_SESSION_STORE', store.error]],
    )
    store.down.clear()
    assert.equal((await visitor.get('/read')).text, 'hunter2')
  })
}

test('assigning to a session that could not be read is refused, with the error of the store as cause', async t => {
  const { visitor, errors, store } = await signedIn(t, ['get'])
  const { status, cookies } = await visitor.get('/assign')
  assert.deepEqual({ status, cookies }, { status: 500, cookies: [] })
  assert.deepEqual(
    errors.map(error => [error.code, (error.cause as Caught).cause]),
    [['ERR_SESSION_STORE', store.error]],
  )
  assert.deepEqual(store.calls, ['get'])
})

test('signing out while reading fails ends the session, in the store and for the browser', async t => {
  const { visitor, errors, store } = await signedIn(t, ['get'])
  assert.equal((await visitor.get('/remove')).status, 200)
  assert.deepEqual([...visitor.jar], [])
  assert.deepEqual(errors, [])
  assert.equal(store.size, 0)
})

test('signing out while all is down is an error that clears both cookies all the same', async t => {
  const { visitor, errors, store } = await signedIn(t, ALL)
  const { status, cookies } = await visitor.get('/remove')
  assert.equal(status, 500)
  assert.equal(cookies.length, 2)
  for (const line of cookies) assert.match(line, /^koa\.sess(\.sig)?=.*expires=Thu, 01 Jan 1970/i)
  assert.deepEqual(store.calls, ['get', 'destroy'])
  assert.deepEqual(errors[0]?.cause, store.error)
})

test('a session that could not be stored is a 500, and its cookie is not sent', async t => {
  const store = new FragileStore()
  store.down.add('set')
  const { visitor, errors } = await serve(t, { store })
  for (const path of ['/write', '/assign', '/persist']) {
    const { status, cookies } = await visitor.get(path)
    assert.deepEqual({ path, status, cookies }, { path, status: 500, cookies: [] })
  }
  assert.deepEqual(
    errors.map(error => error.cause),
    [store.error, store.error, store.error],
  )
})

for (const path of ['/regenerate', '/regenerate-and-go-on']) {
  test(`${path} that could not be stored leaves the session under its old id`, async t => {
    const { visitor, store } = await signedIn(t, ['set'])
    const jar = new Map(visitor.jar)
    await visitor.get(path)
    assert.deepEqual(visitor.jar, jar)
    store.down.clear()
    assert.equal((await visitor.get('/read')).text, 'hunter2')
    assert.equal(store.size, 1)
  })
}

test('a new id that could be stored at the second attempt only leaves nothing under the old one', async t => {
  const { visitor, store } = await signedIn(t, ['set'], {
    beforeSave: ctx => {
      if (ctx.state.attempts++) store.down.clear()
    },
  })
  const copy = visitor.copy()
  HANDLERS['/retry'] = async ctx => {
    ctx.state.attempts = 0
    await ctx.session.regenerate().catch(() => {})
    ctx.session.user = 'root'
  }
  assert.equal((await visitor.get('/retry')).status, 200)
  assert.equal((await visitor.get('/read')).text, 'root')
  assert.equal((await copy.get('/read')).text, 'ok')
  assert.equal(store.size, 1)
})

test('no error says an id or anything of the data', async t => {
  const { visitor, errors } = await signedIn(t, ALL)
  const id = visitor.jar.get('koa.sess') ?? ''
  for (const path of Object.keys(HANDLERS)) await visitor.get(path)
  assert.ok(errors.length >= 5, 'there are errors to look at')
  for (const { message, stack, code } of errors) assert.ok(!`${message}${stack}${code}`.includes(id), 'no id')
  for (const { message, stack } of errors) assert.doesNotMatch(`${message}${stack}`, /hunter2/)
})

test('a method of a store that throws at once is as one that rejects', async t => {
  const fault = new Error('sync')
  const fail = () => {
    throw fault
  }
  const memory = memoryStore()
  const store: Store = { get: memory.get, set: memory.set, destroy: fail }
  const { visitor, errors } = await serve(t, { store })
  await visitor.get('/write')
  store.get = fail
  assert.equal((await visitor.get('/')).status, 200)
  assert.equal((await visitor.get('/read')).status, 500)
  assert.equal((await visitor.get('/assign')).status, 500)
  const { status, cookies } = await visitor.get('/remove')
  assert.deepEqual({ status, lines: cookies.length }, { status: 500, lines: 2 })
  assert.deepEqual(errors.map(origin), [fault, fault, fault])
})

test('a store that is down for one visitor is there for the next request', async t => {
  const { visitor, store } = await signedIn(t, ['get'])
  assert.equal((await visitor.get('/read')).status, 500)
  store.down.clear()
  assert.equal((await visitor.get('/read')).text, 'hunter2')
})

test('a ContextStore that can not be made is as a store that is down', async t => {
  const fault = new Error('no pool')
  let isDown = false
  class ContextStore extends FragileStore {
    static readonly shared = new FragileStore()
    constructor() {
      super()
      if (isDown) throw fault
    }
    override get = (id: string) => ContextStore.shared.get(id)
    override set = (...call: Parameters<FragileStore['set']>) => ContextStore.shared.set(...call)
  }
  const { visitor, errors } = await serve(t, { ContextStore })
  await visitor.get('/write')
  assert.equal((await visitor.get('/read')).text, 'hunter2')
  isDown = true
  assert.equal((await visitor.get('/read')).status, 500)
  assert.equal((await visitor.get('/assign')).status, 500)
  assert.deepEqual(errors.map(origin), [fault, fault])
  assert.equal((await visitor.get('/')).status, 200, 'a page that never touches the session')
})

test('a store that is down does not keep a stranger from pages without a session', async t => {
  const { visitor, store } = await signedIn(t, ALL)
  const stranger = visitor.stranger()
  assert.equal((await stranger.get('/read')).text, 'ok')
  assert.equal((await stranger.get('/remove')).status, 200)
  assert.deepEqual(store.calls, [])
})
