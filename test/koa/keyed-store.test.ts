/*
 * A store that is written to key by key: nothing is lost between parallel requests, nothing comes back that was ended,
 * and nothing travels that has not changed. Each story is told of a store that answers at once and of one that does not.
 */

import assert from 'node:assert/strict'
import test, { type TestContext as Test } from 'node:test'
import session, { type CreateSessionOptions } from 'koa-session'
import { type MemoryStore, memoryStore } from 'koa-session/memory'
import { visit } from '../support/agent.ts'
import { createApp } from '../support/koa.ts'
import { type Course, Gate, scriptedStore } from '../support/stores.ts'
import { HOUR, type Page, type Pages, serve, told } from '../support/story.ts'

/** Asks at once and answers later, or at once. */
const answering = (isLater: boolean): Course =>
  isLater ? ask => new Promise(resolve => setImmediate(resolve, ask())) : ask => ask()

/** `memory`, which writes down what it is asked, but for the last argument, and answers `isLater` or at once. */
function recording(memory: MemoryStore, isLater: boolean) {
  const { store, calls, called, take } = scriptedStore(memory)
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

  story('what a parallel request has written goes over to a new id, and so does what it has removed', async t => {
    const gate = new Gate()
    const { visitor, dataOf, id } = await tell(t, later, {
      '/in': ctx => void Object.assign(ctx.session, { user: 'ada', old: 1 }),
      '/regenerate': async ctx => {
        ctx.session.mine = 1
        await gate.pass()
        await ctx.session.regenerate()
        return JSON.stringify(ctx.session)
      },
      '/theme': ctx => {
        ctx.session.theme = 'dark'
        delete ctx.session.old
      },
    })
    await visitor.get('/in')
    const old = id()
    const regenerating = visitor.get('/regenerate')
    await gate.arrived
    await visitor.copy().get('/theme')
    gate.open()
    const expected = { user: 'ada', mine: 1, theme: 'dark' }
    assert.deepEqual(JSON.parse((await regenerating).text), expected)
    assert.deepEqual(await dataOf('/'), expected)
    assert.notEqual(id(), old)
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
