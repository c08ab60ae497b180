/** What happens at the same time within one request: commits, loads, the end of the request. */
import assert from 'node:assert/strict'
import test from 'node:test'
import session, { type Store } from 'koa-session'
import { visit } from '../support/agent.ts'
import { createApp, type TestContext } from '../support/koa.ts'

type Call = 'get' | 'set' | 'destroy'

/** A store whose calls can be made to wait for something, and that keeps a list of them. */
function slowStore() {
  const records = new Map<string, string>()
  const calls: string[] = []
  const gates: Partial<Record<Call, () => Promise<void> | undefined>> = {}
  const call = async (name: Call, id: string) => {
    calls.push(`${name} ${id}`)
    await gates[name]?.()
  }
  const store: Store = {
    async get(id) {
      await call('get', id)
      return records.has(id) ? JSON.parse(records.get(id) ?? '') : undefined
    },
    async set(id, payload) {
      await call('set', id)
      records.set(id, JSON.stringify(payload))
    },
    async destroy(id) {
      await call('destroy', id)
      records.delete(id)
    },
  }
  return { store, records, calls, gates }
}

/** A gate that lets the first call through when it is opened. */
function gate() {
  let open = () => {}
  const opened = new Promise<void>(resolve => {
    open = resolve
  })
  return { open, wait: () => opened }
}

async function serve(t: test.TestContext, handler: (ctx: TestContext) => unknown, options = {}) {
  const place = slowStore()
  let count = 0
  const app = createApp()
  const errors: Error[] = []
  app.on('error', error => errors.push(error))
  app.use(session({ store: place.store, genid: () => `id-${++count}`, ...options }, app))
  app.use(async ctx => {
    ctx.body = 'done'
    if (ctx.path === '/sign-in') ctx.session.user = 'ada'
    else if (ctx.path === '/whoami') ctx.body = JSON.stringify(ctx.session)
    else await handler(ctx)
  })
  const visitor = await visit(t, app)
  await visitor.get('/sign-in')
  return { ...place, app, errors, visitor }
}

const whoami = async (visitor: { get(path: string): Promise<{ text: string }> }) =>
  JSON.parse((await visitor.get('/whoami')).text)

test('a session that is read on app.context is nobody else’s', async t => {
  const { app, visitor } = await serve(t, () => {})
  assert.equal((app.context.session as { user?: string }).user, undefined)
  assert.deepEqual(await whoami(visitor.stranger()), {})
  assert.deepEqual(await whoami(visitor), { user: 'ada' })
})

test('a session that is read while the store is loading it is not lost', async t => {
  const place = slowStore()
  const app = createApp()
  app.use((ctx, next) => {
    const answered = next()
    // What a logger does that does not wait.
    void ctx.session.user
    return answered
  })
  app.use(session({ store: place.store }, app))
  app.use(ctx => {
    if (ctx.path === '/sign-in') ctx.session.user = 'ada'
    ctx.body = String(ctx.session.user)
  })
  const visitor = await visit(t, app)
  await visitor.get('/sign-in')
  assert.equal((await visitor.get()).text, 'ada')
})

test('a save() while the final commit is under way is saved after it', async t => {
  const slow = gate()
  let later: Promise<void> | undefined
  const { visitor, gates } = await serve(t, ctx => {
    ctx.session.n = 1
    gates.set = () => {
      gates.set = undefined
      setImmediate(() => {
        ctx.session.n = 2
        later = ctx.session.save()
        slow.open()
      })
      return slow.wait()
    }
  })
  await visitor.get('/')
  await later
  assert.deepEqual(await whoami(visitor), { user: 'ada', n: 2 })
})

test('a regenerate() while the final commit is under way leaves the client an id that is good', async t => {
  const slow = gate()
  const { visitor, gates, records } = await serve(t, ctx => {
    ctx.session.n = 1
    gates.set = () => {
      gates.set = undefined
      setImmediate(() => {
        ctx.session.regenerate()
        slow.open()
      })
      return slow.wait()
    }
  })
  await visitor.get('/')
  assert.deepEqual(await whoami(visitor), { user: 'ada', n: 1 })
  assert.equal(records.size, 1)
})

test('a sign-out after a save() that nobody waited for and that fails is a sign-out', async t => {
  const { visitor, gates, records, errors } = await serve(t, ctx => {
    gates.set = () => Promise.reject(new Error('down'))
    ctx.session.save()
    ctx.session = null
  })
  const answer = await visitor.get('/')
  assert.deepEqual(
    [answer.status, errors.map(error => error.message)],
    [500, ['the session store failed in set(): down']],
  )
  assert.deepEqual([records.size, visitor.jar.size], [0, 0])
})

test('a maxAge that is set while a save() is under way is saved', async t => {
  const { visitor, records } = await serve(t, ctx => {
    ctx.session.save()
    ctx.session.maxAge = 5000
  })
  await visitor.get('/')
  assert.deepEqual(
    [...records.values()].map(text => JSON.parse(text)._maxAge),
    [5000],
  )
})

test('an id for which the store has an empty object is not taken up', async t => {
  const { store, records } = slowStore()
  records.set('planted', '{}')
  const app = createApp()
  app.use(session({ store, signed: false }, app))
  app.use(ctx => {
    ctx.session.user = 'ada'
    ctx.body = ctx.session.externalKey
  })
  const visitor = await visit(t, app)
  visitor.jar.set('koa.sess', 'planted')
  assert.notEqual((await visitor.get()).text, 'planted')
  assert.equal(records.get('planted'), '{}')
})

test('a signature that is renewed with a newer secret leaves with the headers for caches', async t => {
  const { visitor, app } = await serve(t, ctx => void ctx.session.user)
  app.keys = ['a newer secret', ...(app.keys as string[])]
  const { cookies, headers } = await visitor.get('/')
  assert.deepEqual(
    cookies.map(line => line.split('=')[0]),
    ['koa.sess', 'koa.sess.sig'],
  )
  assert.equal(headers.get('cache-control'), 'no-store')
  assert.equal(headers.get('vary'), 'Cookie')
})

test('a session that could not be read is destroyed when another takes its place', async t => {
  const { visitor, gates, records } = await serve(t, ctx => {
    ctx.session = null
    ctx.session = { user: 'eve' }
  })
  gates.get = () => {
    gates.get = undefined
    return Promise.reject(new Error('down'))
  }
  assert.equal((await visitor.get('/')).status, 200)
  assert.deepEqual(await whoami(visitor), { user: 'eve' })
  assert.deepEqual([...records.keys()], [visitor.jar.get('koa.sess')])
})
