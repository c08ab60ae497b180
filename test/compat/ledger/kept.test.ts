/** Rows 15, 18, 19 and 37 of the ledger as they read with version 8. */
import assert from 'node:assert/strict'
import test, { type TestContext as Test } from 'node:test'
import mount from 'koa-mount'
import session, { type CreateSessionOptions, type SessionOptions } from 'koa-session'
import { visit } from '../../support/agent.ts'
import { createApp } from '../../support/koa.ts'
import { COOKIE_MODES, HOUR, KEY, MODES, type Page, serve, simpleStore, told } from '../../support/story.ts'

/** An application whose session is shared with one that is mounted at `/child`, where `/child` reads it. */
async function mounted(t: Test, parentOptions: SessionOptions, childOptions: SessionOptions) {
  const [parent, child] = [createApp(), createApp()]
  const errors: unknown[] = []
  for (const app of [parent, child]) app.on('error', error => errors.push(error.code ?? error.message))
  parent.use(session(parentOptions, parent))
  parent.use(async (ctx, next) => {
    if (ctx.path === '/in') ctx.session.user = 'ada'
    if (ctx.path.startsWith('/child')) await next()
    else ctx.body = String(ctx.session.user)
  })
  child.use(session(childOptions, child))
  child.use(ctx => {
    ctx.body = `child of ${ctx.session.user}`
  })
  parent.use(mount('/child', child as never) as never)
  const visitor = await visit(t, parent)
  await visitor.get('/in')
  return { visitor, errors }
}

const schema = { '~standard': { version: 1, vendor: 'a test', validate: () => ({}) } } as const
const DIFFERENT: Readonly<Record<string, CreateSessionOptions>> = {
  valid: { valid: () => true },
  schema: { schema },
  store: { store: simpleStore() },
}

for (const [option, options] of Object.entries(DIFFERENT)) {
  for (const [who, parentOptions, childOptions] of [
    ['the mounted one alone has', {}, options],
    ['the outer one alone has', options, {}],
  ] as const) {
    test(`#15 ${option} that ${who} is ERR_SESSION_OPTION at the first request of the mounted one`, async t => {
      const { visitor, errors } = await mounted(t, parentOptions, childOptions)
      const answer = await visitor.get('/child')
      assert.deepEqual([answer.status, errors], [500, ['ERR_SESSION_OPTION']])
      assert.equal((await visitor.get('/')).text, 'ada', 'the pages of the outer one are served')
    })
  }

  test(`#15 ${option} that both have shares the session`, async t => {
    const { visitor, errors } = await mounted(t, { ...options }, { ...options })
    assert.deepEqual([(await visitor.get('/child')).text, errors], ['child of ada', []])
  })
}

test('#15 a mounted session() that differs in rolling alone shares the session of the outer one', async t => {
  const { visitor, errors } = await mounted(t, {}, { rolling: true })
  assert.deepEqual([(await visitor.get('/child')).text, errors], ['child of ada', []])
})

test('#15 a mounted session() of another property has a cookie of its own', async t => {
  const { visitor, errors } = await mounted(t, {}, { property: 'adminSession', key: 'admin', valid: () => true })
  assert.deepEqual([(await visitor.get('/child')).text, errors], ['child of ada', []])
})

/** Of each kind one: test/node/cache.test.ts has the others. */
const KEPT_BY_CACHES: readonly Readonly<Record<string, string>>[] = [
  { 'Cache-Control': 'public' },
  { 'Cache-Control': 'max-age=60' },
  { 'CDN-Cache-Control': 'max-age=60' },
]
const NOT_KEPT: readonly Readonly<Record<string, string>>[] = [
  {},
  { 'Cache-Control': 'private, max-age=60' },
  { 'Cache-Control': 'max-age=0' },
]

for (const [mode, make] of Object.entries(MODES)) {
  for (const option of ['rolling', 'renew'] as const) {
    for (const headers of [...KEPT_BY_CACHES, ...NOT_KEPT]) {
      const isExtended = NOT_KEPT.includes(headers)
      const said = JSON.stringify(headers)
      test(`#18 ${mode}: ${option} ${isExtended ? 'extends' : 'leaves'} a session beside ${said}, touched or not`, async t => {
        const page =
          (work: Page): Page =>
          ctx => {
            ctx.set(headers)
            return work(ctx)
          }
        const { visitor, clock } = await serve(
          t,
          make,
          {
            '/not': page(() => 'untouched'),
            '/read': page(ctx => ctx.session.user),
            '/changed': page(ctx => {
              ctx.session.n = (ctx.session.n ?? 0) + 1
            }),
          },
          { options: { [option]: true } },
        )
        const isSent: Record<string, boolean> = {}
        for (const path of ['/not', '/read', '/changed']) {
          await visitor.get('/in')
          clock.advance(HOUR * 0.6)
          isSent[path] = (await visitor.get(path)).cookies.length > 0
        }
        assert.deepEqual(isSent, { '/not': isExtended, '/read': isExtended, '/changed': true })
      })
    }
  }

  for (const name of ['_csrf', '_', '__x', '_user', '_expires', '_Expire', '$_']) {
    test(`#19 ${mode}: ${name} is data like any other`, async t => {
      const { visitor } = await serve(t, make, {
        '/page': ctx => {
          ctx.session[name] = 'kept'
        },
        '/other': ctx => {
          ctx.session.n = 1
        },
      })
      await visitor.get('/page')
      await visitor.get('/other')
      assert.deepEqual(JSON.parse((await visitor.get('/all')).text), { [name]: 'kept', n: 1 })
    })
  }

  for (const name of ['_expire', '_maxAge', '_session', '_requireSave', '_meta']) {
    test(`#19 ${mode}: ${name} is reserved: data of that name is a TypeError that names it`, async t => {
      const { visitor, errors } = await serve(t, make, {
        '/page': ctx => {
          ctx.session[name] = 1
        },
      })
      assert.equal((await visitor.get('/page')).status, 500)
      assert.equal(errors[0] instanceof TypeError && errors[0].message.includes(name), true)
    })
  }

  for (const isValid of [true, false]) {
    test(`#37 ${mode}: an async valid that gives ${isValid} ${isValid ? 'keeps' : 'refuses'} the session`, async t => {
      const valid = async () => {
        await new Promise(resolve => setImmediate(resolve))
        return isValid
      }
      const { visitor, events, errors } = await serve(t, make, {}, { options: { valid } })
      await visitor.get('/in')
      const { status, text } = await visitor.get('/')
      await told()
      const invalid = events.filter(([event]) => event === 'session:invalid').length
      assert.deepEqual([status, text, errors, invalid], [200, isValid ? 'ada' : 'nobody', [], isValid ? 0 : 1])
    })
  }

  test(`#37 ${mode}: an async valid is awaited before the handler, where a session is presented`, async t => {
    const order: string[] = []
    const valid = async () => {
      await new Promise(resolve => setImmediate(resolve))
      order.push('valid')
      return true
    }
    const { visitor } = await serve(
      t,
      make,
      {
        '/page': ctx => {
          order.push('handler')
          return ctx.session.user
        },
      },
      { options: { valid } },
    )
    await visitor.get('/page')
    await visitor.get('/in')
    order.length = 0
    assert.equal((await visitor.get('/page')).text, 'ada')
    await visitor.stranger().get('/page')
    assert.deepEqual(order, ['valid', 'handler', 'handler'])
  })
}

for (const [mode, make] of Object.entries(COOKIE_MODES)) {
  test(`#37 ${mode}: a valid that is no async function runs when the session is read, and not before`, async t => {
    let calls = 0
    const valid = () => {
      calls++
      return true
    }
    const { visitor } = await serve(t, make, {}, { options: { valid } })
    await visitor.get('/in')
    await visitor.get('/untouched')
    const before = calls
    await visitor.get('/')
    assert.deepEqual([before, calls], [0, 1])
  })

  for (const [option, page] of [
    ['valid', '/'],
    ['beforeSave', '/cart'],
  ] as const) {
    const given: CreateSessionOptions = { [option]: () => Promise.resolve(true) }

    test(`#37 ${mode}: a promise of ${option}, which is no async function, is ERR_SESSION_ASYNC`, async t => {
      const { visitor, options, errors } = await serve(t, make)
      await visitor.get('/in')
      Object.assign(options, given)
      const { status } = await visitor.get(page)
      assert.deepEqual([status, errors.map(({ code }) => code)], [500, ['ERR_SESSION_ASYNC']])
      assert.equal(visitor.jar.has(KEY), true)
    })
  }
}
