/*
 * A store that is written to key by key: nothing is lost between parallel requests, nothing comes back that was ended,
 * and nothing travels that has not changed. Each story is told of a store that answers at once and of one that does not.
 */

import assert from 'node:assert/strict'
import test, { type TestContext as Test } from 'node:test'
import session, { type CreateSessionOptions, type Store } from 'koa-session'
import { type MemoryStore, memoryStore } from 'koa-session/memory'
import { visit } from '../support/agent.ts'
import { createApp } from '../support/koa.ts'
import { type Course, scriptedStore } from '../support/stores.ts'
import { Gate, HOUR, type Page, type Pages, serve, told } from '../support/story.ts'

/** Asks at once and answers later, or at once. */
const answering = (isLater: boolean): Course =>
  isLater ? ask => new Promise(resolve => setImmediate(resolve, ask())) : ask => ask()

/** `memory`, which writes down what it is asked, but for the last argument, and answers `isLater` or at once. */
function recording(memory: MemoryStore, isLater: boolean) {
  const { store, calls, called, take } = scriptedStore(memory as unknown as Store)
  take(answering(isLater))
  // As JSON, which leaves out what is not there.
  const asked = () =>
    calls.splice(0).map(([method, ...given]) => [method, ...JSON.parse(JSON.stringify(given.slice(0, -1)))])
  return { store, asked, called }
}

async function tell(t: Test, later: boolean, handlers: Pages, options: CreateSessionOptions = {}) {
  const memory = memoryStore({ now: () => made.clock.now() })
  const { store, asked } = recording(memory, later)
  const pages = { '/': ALL, '/read': ALL, ...handlers }
  const made = await serve(t, () => ({ store, ...options }), pages)
  const gone = () => made.said('gone').map(({ keys }) => keys)
  return { ...made, memory, asked, gone, id: () => String(made.visitor.jar.get('koa.sess')) }
}

const ALL: Page = ctx => JSON.stringify(ctx.session)
const sign: Pages = {
  '/in': ctx => {
    ctx.session.user = 'ada'
  },
}

for (const [how, later] of [
  ['at once', false],
  ['later', true],
] as const) {
  const story = (claim: string, body: (t: Test) => Promise<void>) => test(`answering ${how}: ${claim}`, body)

  story('parallel requests that change different keys both win', async t => {
    const gate = new Gate()
    const { visitor, memory, id } = await tell(t, later, {
      ...sign,
      '/slow': async ctx => {
        ctx.session.slow = 1
        await gate.pass()
      },
      '/fast': ctx => {
        ctx.session.fast = 1
        delete ctx.session.user
      },
    })
    await visitor.get('/in')
    const slow = visitor.get('/slow')
    await gate.arrived
    await visitor.get('/fast')
    gate.open()
    assert.equal((await slow).status, 200)
    assert.deepEqual({ ...memory.read(id())?.members }, { fast: '1', slow: '1' })
  })

  story('of 200 parallel requests that each set a key of their own none is lost', async t => {
    const { visitor, memory, id } = await tell(t, later, {
      ...sign,
      '/set': async ctx => {
        const { query } = ctx
        ctx.session[String(query.key)] = 1
        await new Promise(resolve => setImmediate(resolve))
      },
    })
    await visitor.get('/in')
    await Promise.all(Array.from({ length: 200 }, (_, at) => visitor.copy().get(`/set?key=k${at}`)))
    assert.equal(Object.keys(memory.read(id())?.members ?? {}).length, 201)
  })

  for (const [claim, options, change, keys] of [
    ['that changed it', {}, true, [['slow']]],
    ['that changed it, with rolling', { rolling: true }, true, [['slow']]],
    ['that only read it, with rolling', { rolling: true }, false, []],
    ['that only read it, with renew', { renew: true }, false, []],
  ] as const) {
    story(`a session that was ended stays so when a slow request ends ${claim}`, async t => {
      const gate = new Gate()
      const { visitor, memory, gone, errors, clock } = await tell(
        t,
        later,
        {
          ...sign,
          '/slow': async ctx => {
            if (change) ctx.session.slow = 1
            else assert.equal(ctx.session.user, 'ada')
            await gate.pass()
          },
        },
        options,
      )
      await visitor.get('/in')
      clock.elapse(0.6 * HOUR)
      const slow = visitor.copy().get('/slow')
      await gate.arrived
      await visitor.get('/out')
      gate.open()
      const { status, cookies } = await slow
      assert.deepEqual({ status, cookies, size: memory.size }, { status: 200, cookies: [], size: 0 })
      await told()
      assert.deepEqual(gone(), keys)
      assert.deepEqual(errors, [])
    })
  }

  story('a slow request that saves after a regenerate() leaves nothing under the old id', async t => {
    const gate = new Gate()
    const { visitor, memory, gone, id } = await tell(t, later, {
      ...sign,
      '/slow': async ctx => {
        ctx.session.slow = 1
        await gate.pass()
      },
      '/regenerate': ctx => ctx.session.regenerate(),
    })
    await visitor.get('/in')
    const old = id()
    const slow = visitor.copy().get('/slow')
    await gate.arrived
    await visitor.get('/regenerate')
    gate.open()
    assert.deepEqual((await slow).cookies, [])
    assert.deepEqual(memory.read(old)?.members, {})
    assert.deepEqual({ ...memory.read(id())?.members }, { user: '"ada"' })
    await told()
    assert.deepEqual(gone(), [['slow']])
  })

  for (const [claim, path, left] of [
    ['that was ended', '/out', 0],
    ['that a parallel request has given another id', '/regenerate', 2],
  ] as const) {
    story(`a regenerate() of a session ${claim} leaves no session of its own, sends nothing, and is told`, async t => {
      const gate = new Gate()
      const { visitor, memory, gone, errors } = await tell(t, later, {
        ...sign,
        '/slow': async ctx => {
          ctx.session.slow = 1
          await gate.pass()
          await ctx.session.regenerate()
          ctx.session.more = 1
        },
        '/regenerate': ctx => ctx.session.regenerate(),
      })
      await visitor.get('/in')
      const late = visitor.copy()
      const slow = late.get('/slow')
      await gate.arrived
      await visitor.get(path)
      gate.open()
      const { status, cookies } = await slow
      assert.deepEqual({ status, cookies, size: memory.size }, { status: 200, cookies: [], size: left })
      if (left) assert.equal(JSON.parse((await visitor.get('/read')).text).user, 'ada')
      await told()
      assert.deepEqual([gone(), errors], [[['slow'], ['more']], []])
    })
  }

  story('a session that is emptied is dropped, unless a parallel request has put data there', async t => {
    for (const isParallel of [false, true]) {
      const gate = new Gate()
      const { visitor, memory, gone, id } = await tell(t, later, {
        ...sign,
        '/empty': async ctx => {
          delete ctx.session.user
          await gate.pass()
        },
        '/add': ctx => {
          ctx.session.cart = [1]
        },
      })
      await visitor.get('/in')
      const emptying = visitor.get('/empty')
      await gate.arrived
      if (isParallel) await visitor.copy().get('/add')
      gate.open()
      await emptying
      assert.equal(memory.size, isParallel ? 1 : 0)
      assert.equal(visitor.jar.has('koa.sess'), isParallel)
      if (isParallel) assert.deepEqual({ ...memory.read(id())?.members }, { cart: '[1]' })
      await told()
      assert.deepEqual(gone(), [])
    }
  })

  story('save() of a session that was emptied keeps it', async t => {
    const { visitor, memory, id } = await tell(t, later, {
      ...sign,
      '/empty': async ctx => {
        delete ctx.session.user
        await ctx.session.save()
      },
    })
    await visitor.get('/in')
    await visitor.get('/empty')
    assert.deepEqual({ ...memory.read(id())?.members }, {})
  })

  story('only what has changed travels', async t => {
    const { visitor, asked } = await tell(t, later, {
      ...sign,
      '/fill': ctx => Object.assign(ctx.session, { user: 'ada', cart: [1], visits: 1 }),
      '/visit': ctx => {
        ctx.session.visits++
        delete ctx.session.cart
      },
      '/nothing': () => 'nothing',
    })
    const during = async (path: string) => {
      asked()
      await visitor.get(path)
      return asked().map(([method, , given]) => {
        const { lifetime, ...rest } = { ...(given as Record<string, unknown>) }
        return [method, rest]
      })
    }
    assert.deepEqual(await during('/fill'), [
      ['create', { members: { user: '"ada"', cart: '[1]', visits: '1' }, version: 0 }],
    ])
    assert.deepEqual(await during('/read'), [['read', {}]])
    assert.deepEqual(await during('/nothing'), [['read', {}]])
    assert.deepEqual(await during('/visit'), [
      ['read', {}],
      ['patch', { set: { visits: '2' }, unset: ['cart'], keepsEmpty: false }],
    ])
  })

  story('rolling without a change gives the record a new lifetime, and no data', async t => {
    const { visitor, memory, asked, clock, id } = await tell(t, later, sign, { rolling: true })
    await visitor.get('/in')
    asked()
    clock.elapse(HOUR / 2)
    const { cookies } = await visitor.get('/read')
    const lifetime = { _expire: clock.now() + HOUR, _maxAge: HOUR }
    assert.deepEqual(asked().slice(1), [['touch', id(), lifetime, HOUR + 10_000]])
    assert.equal(cookies.length, 2)
    assert.deepEqual(memory.get(id()), { user: 'ada', ...lifetime })
  })

  story('two commits of one request each send what is new', async t => {
    const { visitor, asked } = await tell(t, later, {
      ...sign,
      '/twice': async ctx => {
        ctx.session.a = 1
        await ctx.session.save()
        ctx.session.b = 2
        delete ctx.session.user
      },
    })
    await visitor.get('/in')
    await visitor.get('/twice')
    const patches = asked()
      .filter(([method]) => method === 'patch')
      .map(([, , patch]) => patch as object)
    assert.deepEqual(
      patches.map(patch => ({ ...patch, lifetime: undefined })),
      [
        { set: { a: '1' }, unset: [], lifetime: undefined, keepsEmpty: false },
        { set: { b: '2' }, unset: ['user'], lifetime: undefined, keepsEmpty: false },
      ],
    )
    assert.deepEqual(JSON.parse((await visitor.get('/')).text), { a: 1, b: 2 })
  })

  story('an id that is taken is not used: another one is, and after three it is an error', async t => {
    const ids = ['taken', 'taken', 'free', 'taken', 'taken', 'taken', 'free too']
    const { visitor, memory, errors } = await tell(t, later, sign, { genid: () => ids.shift() ?? 'none left' })
    memory.set('taken', { user: 'somebody else' }, HOUR)
    await visitor.get('/in')
    assert.equal(visitor.jar.get('koa.sess'), 'free')
    const answer = await visitor.stranger().get('/in')
    assert.deepEqual({ status: answer.status, cookies: answer.cookies }, { status: 500, cookies: [] })
    assert.equal((errors[0] as { code?: string }).code, 'ERR_SESSION_ID')
    assert.deepEqual(memory.get('taken'), { user: 'somebody else' })
    assert.deepEqual(ids, ['free too'])
  })

  story('a record that is no JSON is a new session and an event, and no error', async t => {
    for (const options of [{}, { valid: () => true }]) {
      const app = createApp()
      const memory = memoryStore()
      const invalid: unknown[] = []
      app.on('session:invalid', ({ key }) => invalid.push(key))
      app.use(session({ store: recording(memory, later).store, signed: false, ...options }, app))
      app.use(ctx => {
        ctx.body = ctx.session
      })
      memory.create('broken', { members: { user: '"ada' }, lifetime: {} }, HOUR)
      const visitor = await visit(t, app)
      const { status, text } = await visitor.get('/', { cookie: 'koa.sess=broken' })
      await told()
      assert.deepEqual({ status, text, invalid }, { status: 200, text: '{}', invalid: ['broken'] })
    }
  })

  story('what was written by get and set is read key by key, and the other way round', async t => {
    const { visitor, memory, id } = await tell(t, later, {
      ...sign,
      '/nest': ctx => {
        ctx.session.cart = { items: [1, { a: null }] }
      },
    })
    await visitor.get('/in')
    await visitor.get('/nest')
    const payload = memory.get(id())
    assert.deepEqual(Object.keys(payload ?? {}), ['user', 'cart', '_expire', '_maxAge'])
    memory.set(id(), { ...payload, theme: 'dark' }, HOUR)
    const { text } = await visitor.get('/')
    assert.deepEqual(JSON.parse(text), { user: 'ada', cart: { items: [1, { a: null }] }, theme: 'dark' })
  })

  for (const method of ['get', 'set', 'destroy'] as const) {
    story(`a store in which somebody has replaced ${method} is used by its three methods`, async t => {
      const memory = memoryStore()
      const { store, called } = recording(memory, later)
      let used = 0
      const wrapped = {
        ...store,
        [method]: (...given: unknown[]) => {
          used++
          return Reflect.apply(store[method], store, given)
        },
      }
      const app = createApp()
      app.use(session({ store: wrapped }, app))
      app.use(ctx => {
        if (ctx.path === '/out') ctx.session = null
        else ctx.session.n = (ctx.session.n ?? 0) + 1
        ctx.body = 'ok'
      })
      const visitor = await visit(t, app)
      await visitor.get('/')
      await visitor.get('/')
      await visitor.get('/out')
      assert.deepEqual(called(), ['set', 'get', 'set', 'get', 'destroy'])
      assert.equal(used, { get: 2, set: 2, destroy: 1 }[method])
    })
  }
}
