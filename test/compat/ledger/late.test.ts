/** Rows 56, 60 and 63 of the ledger: new sessions after the headers, cookies that cannot be sent, commits by the context. */
import assert from 'node:assert/strict'
import test, { type TestContext as Test } from 'node:test'
import session, { type CreateSessionOptions, type Store } from 'koa-session'
import { memoryStore } from 'koa-session/memory'
import { visit } from '../../support/agent.ts'
import { createApp, type TestContext } from '../../support/koa.ts'
import { scriptedStore } from '../../support/stores.ts'
import { KEY, MODES, type Page, type Pages, SECRETS, serve, simpleStore, told } from '../../support/story.ts'
import { cookieNames } from '../both.ts'

/** The stores, each with the number of its records. */
const STORES: Readonly<Record<string, () => { store: Store; size: () => number }>> = {
  store: () => {
    const store = memoryStore()
    return { store: store as unknown as Store, size: () => store.size }
  },
  'store of three methods': () => {
    const records = new Map<string, string>()
    return { store: simpleStore(records), size: () => records.size }
  },
}

const LEAVING: Readonly<Record<string, Page>> = {
  'ctx.flushHeaders()': ctx => {
    ctx.status = 200
    ctx.flushHeaders()
  },
  'res.writeHead()': ctx => void ctx.res.writeHead(200),
  'res.write()': ctx => {
    ctx.status = 200
    ctx.res.write('begun, ')
  },
}
const NEW: Readonly<Record<string, Page>> = {
  'a new session': ctx => {
    ctx.session.user = 'bob'
  },
  'a new session that is assigned': ctx => {
    ctx.session = { user: 'bob' }
  },
  'a lifetime of a new session': ctx => {
    ctx.session.maxAge = 5_000
  },
}

for (const [mode, make] of Object.entries(STORES)) {
  const late = async (t: Test, pages: Pages) => {
    const { store, size } = make()
    const made = await serve(t, () => ({ store }), pages)
    // Koa leaves a response open whose request fails after the headers have left.
    made.app.on('error', (_, ctx) => ctx?.headerSent && ctx.res.end())
    const state = async () => {
      await told()
      return { size: size(), events: made.events.map(([event]) => event), errors: made.errors.map(({ code }) => code) }
    }
    return { ...made, state }
  }

  for (const [how, leave] of Object.entries(LEAVING)) {
    for (const [what, change] of Object.entries(NEW)) {
      test(`#56 ${mode}: ${what} after ${how} is served, not stored, and session:late`, async t => {
        const { visitor, state } = await late(t, {
          '/page': ctx => {
            leave(ctx)
            change(ctx)
            return 'the end'
          },
        })
        const { status, text, cookies } = await visitor.get('/page')
        assert.deepEqual(await state(), { size: 0, events: ['session:late'], errors: [] })
        assert.deepEqual([status, cookies, text.endsWith('the end')], [200, [], true])
      })
    }

    test(`#56 ${mode}: save() of a new session after ${how} rejects, and the response is served`, async t => {
      const { visitor, state } = await late(t, {
        '/page': async ctx => {
          leave(ctx)
          ctx.session.user = 'bob'
          return ctx.session.save().then(
            () => 'saved',
            (error: { code: string }) => error.code,
          )
        },
      })
      const { text } = await visitor.get('/page')
      assert.deepEqual(await state(), { size: 0, events: ['session:late'], errors: [] })
      assert.match(text, /ERR_SESSION_HEADERS_SENT$/)
    })

    test(`#56 ${mode}: regenerate() after ${how} rejects, and the session stays under its id`, async t => {
      const { visitor, state } = await late(t, {
        '/page': async ctx => {
          leave(ctx)
          return ctx.session.regenerate().then(
            () => 'done',
            (error: { code: string }) => error.code,
          )
        },
      })
      await visitor.get('/cart')
      const { text, cookies } = await visitor.get('/page')
      assert.deepEqual(await state(), { size: 1, events: [], errors: [] })
      assert.match(text, /ERR_SESSION_HEADERS_SENT$/)
      assert.deepEqual([cookies, (await visitor.get('/all')).text], [[], '{"cart":["a book"]}'])
    })
  }

  const UNSENDABLE: Readonly<Record<string, { options?: CreateSessionOptions; keys?: unknown; code: string }>> = {
    'secure over plain HTTP': { options: { secure: true }, code: 'ERR_SESSION_INSECURE' },
    'a __Secure- cookie over plain HTTP': { options: { key: '__Secure-id' }, code: 'ERR_SESSION_INSECURE' },
    'no keys': { keys: undefined, code: 'ERR_SESSION_KEYS' },
    'an empty list of keys': { keys: [], code: 'ERR_SESSION_KEYS' },
    'an id that is too long': { options: { genid: () => 'x'.repeat(5_000) }, code: 'ERR_SESSION_TOO_LARGE' },
  }
  for (const [what, { options = {}, code, ...given }] of Object.entries(UNSENDABLE)) {
    for (const [how, page] of [
      ['the end of the request', () => {}],
      ['save()', (ctx: TestContext) => ctx.session.save()],
      ['regenerate()', (ctx: TestContext) => ctx.session.regenerate()],
    ] as const) {
      test(`#60 ${mode}: ${what} is ${code} and asks the store for no record, by ${how}`, async t => {
        const { store, called } = scriptedStore(make().store)
        const app = createApp()
        const errors: unknown[] = []
        app.on('error', error => errors.push(error.code ?? error.message))
        app.use(session({ store, ...options }, app))
        app.use(async ctx => {
          ctx.session.user = 'bob'
          ctx.body = 'page'
          await page(ctx)
        })
        app.keys = 'keys' in given ? given.keys : SECRETS
        const visitor = await visit(t, app)
        for (let time = 0; time < 3; time++) assert.equal((await visitor.get()).status, 500)
        assert.deepEqual({ called: called(), codes: [...new Set(errors)] }, { called: [], codes: [code] })
      })
    }
  }

  test(`#60 ${mode}: a new id that can not be sent for one response leaves the session under its old one`, async t => {
    const { visitor, errors, state } = await late(t, {
      '/page': ctx => {
        ctx.sessionOptions.secure = true
        return ctx.session.regenerate()
      },
    })
    await visitor.get('/cart')
    assert.equal((await visitor.get('/page')).status, 500)
    assert.equal(errors[0]?.code, 'ERR_SESSION_INSECURE')
    assert.equal((await state()).size, 1)
    assert.equal((await visitor.get('/all')).text, '{"cart":["a book"]}')
  })
}

for (const [mode, make] of Object.entries(MODES)) {
  const committing = async (t: Test, page: Page, options: CreateSessionOptions = {}) => {
    const made = await serve(
      t,
      make,
      {
        '/begin': async ctx => {
          ctx.session.user = 'ada'
          await ctx.session.save()
        },
        '/page': page,
      },
      { options: { autoCommit: false, ...options } },
    )
    const [sessions] = made.app.middleware as { commit(ctx: TestContext): Promise<void> }[]
    const commit = async (ctx: TestContext) => sessions?.commit(ctx)
    await made.visitor.get('/begin')
    return { ...made, commit }
  }

  for (const [what, page, expected] of [
    [
      'null',
      (ctx: TestContext) => {
        ctx.session = null
      },
      '{}',
    ],
    [
      'data that was assigned',
      (ctx: TestContext) => {
        ctx.session = { user: 'bob' }
      },
      '{"user":"bob"}',
    ],
    [
      'null and then data',
      (ctx: TestContext) => {
        ctx.session = null
        ctx.session = { user: 'bob' }
      },
      '{"user":"bob"}',
    ],
    [
      'a change',
      (ctx: TestContext) => {
        ctx.session.n = 1
      },
      '{"user":"ada","n":1}',
    ],
    [
      'what was emptied',
      (ctx: TestContext) => {
        delete ctx.session.user
      },
      '{}',
    ],
    ['nothing', () => {}, '{"user":"ada"}'],
  ] as const) {
    for (const autoCommit of [false, true]) {
      test(`#63 ${mode}: sessions.commit(ctx) commits ${what}, once (autoCommit: ${autoCommit})`, async t => {
        const made = await committing(
          t,
          async ctx => {
            page(ctx)
            const results = [await made.commit(ctx), await made.commit(ctx)]
            return JSON.stringify(results)
          },
          { autoCommit },
        )
        const { visitor, errors } = made
        const before = visitor.copy()
        const { status, text, cookies } = await visitor.get('/page')
        assert.deepEqual([status, text, errors], [200, '[null,null]', []])
        assert.equal((await visitor.get('/all')).text, expected)
        const names = cookieNames(cookies)
        assert.equal(new Set(names).size, names.length, cookies.join('\n'))
        if (expected !== '{}') return
        assert.equal(visitor.jar.has(KEY), false, 'the cookie is cleared')
        if (mode.includes('store')) assert.equal((await before.get('/')).text, 'nobody')
      })
    }
  }

  test(`#55 ${mode}: null ends the session, also where what takes its place can't be saved`, async t => {
    const { visitor, codes } = await committing(
      t,
      ctx => {
        ctx.session = null
        ctx.session = { user: new Map() }
      },
      { autoCommit: true },
    )
    assert.equal((await visitor.get('/page')).status, 500)
    assert.deepEqual([codes(), [...visitor.jar], (await visitor.get('/')).text], [['ERR_SESSION_DATA'], [], 'nobody'])
  })

  test(`#63 ${mode}: without a commit neither null is committed, nor what takes its place (autoCommit: false)`, async t => {
    for (const next of [undefined, { user: 'bob' }, {}]) {
      const { visitor, events } = await committing(t, ctx => {
        const before = ctx.session.externalKey
        ctx.session = null
        if (next) ctx.session = next
        if (next && before) assert.notEqual(ctx.session.externalKey, before)
      })
      assert.deepEqual((await visitor.get('/page')).cookies, [])
      assert.deepEqual([(await visitor.get('/')).text, events], ['ada', []])
    }
  })
}

test('#63 sessions.commit(ctx) rejects with the error of the store', async t => {
  const store = { ...simpleStore(), destroy: () => Promise.reject(new Error('down')) }
  const made = await serve(t, () => ({ store, autoCommit: false }), {
    '/begin': ctx => {
      ctx.session.user = 'ada'
      return ctx.session.save()
    },
    '/page': async ctx => {
      const [sessions] = made.app.middleware as { commit(ctx: TestContext): Promise<void> }[]
      ctx.session = null
      return sessions?.commit(ctx).then(
        () => 'done',
        (error: { code: string }) => error.code,
      )
    },
  })
  await made.visitor.get('/begin')
  const { text } = await made.visitor.get('/page')
  assert.deepEqual([text, made.errors, [...made.visitor.jar]], ['ERR_SESSION_STORE', [], []])
})
