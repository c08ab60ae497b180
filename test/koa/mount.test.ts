import assert from 'node:assert/strict'
import test from 'node:test'
import mount from 'koa-mount'
import session, { type CreateSessionOptions } from 'koa-session'
import { memoryStore } from 'koa-session/memory'
import { type Visitor, visit } from '../support/agent.ts'
import { createApp, type TestApp, type TestContext } from '../support/koa.ts'
import { newSecret } from '../support/secrets.ts'

const STORES: Record<string, () => CreateSessionOptions> = {
  'in the cookie': () => ({}),
  'in a store': () => ({ store: memoryStore() }),
}

function mounted(path: string, app: TestApp): Parameters<TestApp['use']>[0] {
  return mount(path, app as never) as never
}

function countViews(ctx: TestContext): void {
  ctx.session.views = (ctx.session.views ?? 0) + 1
  ctx.body = String(ctx.session.views)
}

async function texts(visitor: Visitor, ...paths: string[]): Promise<string[]> {
  const found = []
  for (const path of paths) found.push((await visitor.get(path)).text)
  return found
}

/** A store that counts what is written to it. */
function countingStore() {
  const memory = memoryStore()
  return {
    writes: 0,
    get: memory.get,
    set(...[id, payload, ttl]: Parameters<typeof memory.set>) {
      this.writes++
      return memory.set(id, payload, ttl)
    },
    destroy: memory.destroy,
  }
}

for (const [mode, options] of Object.entries(STORES)) {
  test(`a session of a mounted application alone is not there for the one around it (${mode})`, async t => {
    const [parent, child] = [createApp(), createApp()]
    child.use(session(options(), child))
    child.use(countViews)
    parent.use(mounted('/child', child))
    parent.use(ctx => {
      ctx.body = `${typeof ctx.session} ${typeof ctx.sessionOptions}`
    })
    const visitor = await visit(t, parent)
    await visitor.get('/child')
    const { text, cookies } = await visitor.get('/')
    assert.equal(text, 'undefined undefined')
    assert.deepEqual(cookies, [])
  })

  test(`what a middleware around the mounted application changes afterwards is saved (${mode})`, async t => {
    const [parent, child] = [createApp(), createApp()]
    child.use(session(options(), child))
    child.use((ctx, next) => {
      ctx.session.views = (ctx.session.views ?? 0) + 1
      ctx.body = `${ctx.session.views} ${ctx.session.seen ?? 0}`
      return next()
    })
    parent.use(async (ctx, next) => {
      await next()
      ctx.session.seen = (ctx.session.seen ?? 0) + 1
    })
    parent.use(mounted('/child', child))
    const visitor = await visit(t, parent)
    assert.deepEqual(await texts(visitor, '/child', '/child', '/child'), ['1 0', '2 1', '3 2'])
  })

  test(`a session of the application around is that of the mounted one (${mode})`, async t => {
    const [parent, child] = [createApp(), createApp()]
    parent.use(session(options(), parent))
    child.use(countViews)
    parent.use(mounted('/child', child))
    parent.use(countViews)
    const visitor = await visit(t, parent)
    assert.deepEqual(await texts(visitor, '/', '/child', '/', '/child'), ['1', '2', '3', '4'])
  })

  test(`the session of both is one, and what either changes before and after survives (${mode})`, async t => {
    const [parent, child] = [createApp(), createApp()]
    const shared = options()
    parent.use(session({ ...shared }, parent))
    parent.use(async (ctx, next) => {
      ctx.session.views = (ctx.session.views ?? 0) + 1
      await next()
      ctx.session.after = ctx.session.views
    })
    child.use(session({ ...shared }, child))
    child.use(ctx => {
      ctx.session.child = (ctx.session.child ?? 0) + 1
      ctx.body = JSON.stringify(ctx.session)
    })
    parent.use(mounted('/child', child))
    const visitor = await visit(t, parent)
    const [first, second, third] = (await texts(visitor, '/child', '/child', '/child')).map(text => JSON.parse(text))
    assert.deepEqual(first, { views: 1, child: 1 })
    assert.deepEqual(second, { views: 2, after: 1, child: 2 })
    assert.deepEqual(third, { views: 3, after: 2, child: 3 })
  })

  test(`the mounted application can end the session of both (${mode})`, async t => {
    const [parent, child] = [createApp(), createApp()]
    const shared = options()
    parent.use(session({ ...shared }, parent))
    child.use(session({ ...shared }, child))
    child.use(ctx => {
      ctx.session = null
    })
    parent.use(mounted('/sign-out', child))
    parent.use(countViews)
    const visitor = await visit(t, parent)
    assert.deepEqual(await texts(visitor, '/', '/'), ['1', '2'])
    const copy = visitor.copy()
    await visitor.get('/sign-out')
    assert.deepEqual([...visitor.jar.keys()], [])
    if (shared.store) assert.equal((await copy.get('/')).text, '1')
  })

  test(`two mounted applications have sessions of their own under two properties (${mode})`, async t => {
    const [parent, shop, admin] = [createApp(), createApp(), createApp()]
    shop.use(session({ ...options(), property: 'shopSession', key: 'shop' }, shop))
    admin.use(session({ ...options(), property: 'adminSession', key: 'admin' }, admin))
    for (const [app, property] of [
      [shop, 'shopSession'],
      [admin, 'adminSession'],
    ] as const) {
      app.use(async (ctx, next) => {
        ctx[property].views = (ctx[property].views ?? 0) + 1
        ctx.body = `${ctx.body ?? ''} ${property} ${ctx[property].views} ${ctx[`${property}Options`].key}`
        await next()
      })
      parent.use(mounted(`/${property.slice(0, 4)}`, app))
      parent.use(mounted('/both', app))
    }
    const visitor = await visit(t, parent)
    assert.deepEqual(await texts(visitor, '/shop', '/admi', '/shop', '/both'), [
      ' shopSession 1 shop',
      ' adminSession 1 admin',
      ' shopSession 2 shop',
      ' shopSession 3 shop adminSession 2 admin',
    ])
    assert.deepEqual([...visitor.jar.keys()].sort(), ['admin', 'admin.sig', 'shop', 'shop.sig'])
  })
}

test('two mounted applications have sessions of their own under one property, on paths of their own', async t => {
  const [parent, first, second] = [createApp(), createApp(), createApp()]
  for (const [key, app] of Object.entries({ first, second })) {
    app.use(session({ key, store: memoryStore() }, app))
    app.use(countViews)
    parent.use(mounted(`/${key}`, app))
  }
  const visitor = await visit(t, parent)
  assert.deepEqual(await texts(visitor, '/first', '/first', '/second', '/first'), ['1', '2', '1', '3'])
})

test('the session of both is committed once, by the application around', async t => {
  const [parent, child] = [createApp(), createApp()]
  const store = countingStore()
  let writesInside: number | undefined
  parent.use(session({ store }, parent))
  parent.use(async (_ctx, next) => {
    await next()
    writesInside = store.writes
  })
  child.use(session({ store }, child))
  child.use(countViews)
  parent.use(mounted('/child', child))
  const { cookies } = await (await visit(t, parent)).get('/child')
  assert.equal(writesInside, 0)
  assert.equal(store.writes, 1)
  assert.equal(cookies.length, 2)
})

test('an error in the mounted application loses no session', async t => {
  const [parent, child] = [createApp(), createApp()]
  child.use(session(child))
  child.use(ctx => {
    countViews(ctx)
    if (ctx.path === '/broken') throw new Error('broken')
  })
  parent.use(mounted('/child', child))
  const visitor = await visit(t, parent)
  assert.equal((await visitor.get('/child/broken')).status, 500)
  assert.equal((await visitor.get('/child')).text, '2')
})

type Clash = readonly [claim: string, outer: object | undefined, first: object, second: object | undefined]
const [A, B] = [memoryStore(), memoryStore()]
const contextStore = () =>
  class extends Map {
    destroy() {}
  }

/** An application with a session, if `outer` are its options, and others that are mounted in it, by their paths. */
function appAround(outer: object | undefined, inner: Readonly<Record<string, object | undefined>>): TestApp {
  const parent = createApp()
  if (outer) parent.use(session(outer, parent))
  for (const [path, options] of Object.entries(inner)) {
    const app = createApp()
    if (options) app.use(session(options, app))
    app.use(ctx => {
      ctx.body = 'served'
    })
    parent.use(mounted(`/${path}`, app))
  }
  return parent
}

const SEALED = { seal: true, keys: [newSecret()] }

/** The sessions of an application, if it has one, and of two that are mounted in it; the second gets the last request. */
const CLASHES: readonly Clash[] = [
  ['the default key and another property', {}, { property: 'adminSession' }, undefined],
  ['another property and another path', {}, { property: 'adminSession', path: '/first' }, undefined],
  ['a key that is the signature of the other', { key: 'a' }, { property: 'b', key: 'a.sig' }, undefined],
  ['the default key, as another mounted application', undefined, { property: 'a' }, { property: 'b' }],
  ['the default key and another store than that one', undefined, { store: A }, { store: B }],
  [
    'the default key and another ContextStore',
    ...([undefined, { ContextStore: contextStore() }] as const),
    { ContextStore: contextStore() },
  ],
  [
    'a path above that of another one',
    undefined,
    { property: 'a', path: '/first/page' },
    { property: 'b', path: '/first' },
  ],
  ['the default key, sealed where that one is signed', undefined, {}, { seal: true, keys: [newSecret()] }],
  ['the default key and an encode of its own', undefined, {}, { encode: JSON.stringify, decode: JSON.parse }],
]

for (const [claim, outer, first, second] of CLASHES) {
  test(`a mounted session with ${claim} is refused at its first request`, async t => {
    const errors: Error[] = []
    const parent = appAround(outer, { first, second })
    parent.on('error', error => errors.push(error))
    const visitor = await visit(t, parent)
    const [refused, served] = second ? ['/second', '/first'] : ['/first', '/second']
    assert.equal((await visitor.get(served)).status, 200)
    for (let turn = 1; turn <= 2; turn++) {
      assert.equal((await visitor.get(refused)).status, 500)
      assert.equal(Reflect.get(errors[turn - 1] ?? {}, 'code'), 'ERR_SESSION_OPTION')
      assert.match(
        errors[turn - 1]?.message ?? '',
        /^option key was .*expected a name that ctx\.\w+ does not use for its cookies$/,
      )
    }
    assert.equal((await visitor.get(served)).status, 200)
  })
}

const PEACEFUL: readonly Clash[] = [
  ['a key of its own', {}, { property: 'adminSession', key: 'admin' }, undefined],
  [
    'a path beside that of another one',
    undefined,
    { property: 'a', path: '/first' },
    { property: 'b', path: '/second' },
  ],
  [
    'a path that begins as that of another one',
    undefined,
    { property: 'a', path: '/first' },
    { property: 'b', path: '/firs' },
  ],
  ['an option that is null where that one has none', {}, { valid: null }, undefined],
  ['signed: true, as is the default', {}, { signed: true }, undefined],
  ['signed: true, where that one is sealed', { ...SEALED, signed: false }, { signed: true }, undefined],
  ['less protection than that one has', { ...SEALED, absoluteTimeout: 1000 }, {}, undefined],
  ['the same store as another one', undefined, { store: A }, { store: A }],
  ['an id that no cookie carries', {}, { property: 'a', store: A, externalKey: { get() {}, set() {} } }, undefined],
]

for (const [claim, outer, first, second] of PEACEFUL) {
  test(`a mounted session with ${claim} is served`, async t => {
    const visitor = await visit(t, appAround(outer, { first, second }))
    for (const path of ['/first', '/second', '/first']) assert.equal((await visitor.get(path)).status, 200)
  })
}

test('a mounted session whose store would be ignored is refused, though the outer one was only read before', async t => {
  const [parent, child] = [createApp(), createApp()]
  const errors: Error[] = []
  parent.on('error', error => errors.push(error))
  const outer = session({ store: A }, parent)
  parent.use((ctx, next) => {
    ctx.state.isNew = ctx.session.isNew
    return next()
  })
  child.use(session({ store: B }, child)).use(countViews)
  parent.use(mounted('/child', child)).use(outer as never)
  const visitor = await visit(t, parent)
  assert.equal((await visitor.get('/child')).status, 500)
  assert.match(errors[0]?.message ?? '', /^option store was an object, expected that of the application around it/)
})

const DECISIVE: Readonly<Record<string, unknown>> = {
  valid: () => true,
  notBefore: 1,
  schema: { '~standard': { version: 1, vendor: 'none', validate: (value: unknown) => ({ value }) } },
  ContextStore: contextStore(),
}

for (const [option, value] of Object.entries(DECISIVE)) {
  test(`a mounted session whose ${option} would be ignored is refused, and so is one that has none beside it`, async t => {
    for (const [outer, inner] of [
      [{}, { [option]: value }],
      [{ [option]: value }, {}],
    ] as const) {
      const parent = appAround(outer, { first: inner })
      const errors: Error[] = []
      parent.on('error', error => errors.push(error))
      assert.equal((await (await visit(t, parent)).get('/first')).status, 500)
      assert.match(
        errors[0]?.message ?? '',
        new RegExp(`^option ${option} was .*, expected that of the application around it`),
      )
    }
  })
}

for (const [option, outer, inner] of [
  ['seal', {}, SEALED],
  ['signed', { signed: false }, { signed: true }],
  ['absoluteTimeout', {}, { absoluteTimeout: 1000 }],
] as const) {
  test(`a mounted session whose ${option} would be ignored is refused, where the one around it has none`, async t => {
    const parent = appAround(outer, { first: inner })
    const errors: Error[] = []
    parent.on('error', error => errors.push(error))
    assert.equal((await (await visit(t, parent)).get('/first')).status, 500)
    assert.match(
      errors[0]?.message ?? '',
      new RegExp(`^option ${option} was .*, expected that of the application around`),
    )
  })
}

test('a mounted session of another version of the data is refused, and one of the same is served', async t => {
  const upgrade = () => {}
  const versions = [1, 2].map(version => ({ version, upgrade }))
  const parent = appAround(versions[0], { first: versions[1], second: versions[0] })
  const errors: Error[] = []
  parent.on('error', error => errors.push(error))
  const visitor = await visit(t, parent)
  assert.deepEqual([(await visitor.get('/first')).status, (await visitor.get('/second')).status], [500, 200])
  assert.match(errors[0]?.message ?? '', /^option version was 2, expected that of the application around it/)
})
