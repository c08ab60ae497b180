/** Commits: how often they write, who hears of one that fails, and what became of one that nobody waited for. */
import assert from 'node:assert/strict'
import test, { type TestContext as Test } from 'node:test'
import type { CreateSessionOptions } from 'koa-session'
import { memoryStore } from 'koa-session/memory'
import { namesSet } from '../support/http2.ts'
import { origin, type TestContext } from '../support/koa.ts'
import { plainOf, scriptedStore } from '../support/stores.ts'
import { type Page, serve } from '../support/story.ts'
import { rejectionsOf } from '../support/warnings.ts'

const OWN = ['koa.sess', 'koa.sess.sig']

/** Where the sessions go in this test: into the cookie or a store, writing each down, and failing when told to. */
interface Place {
  readonly options: CreateSessionOptions
  /** The `views` of each session that was written; `gone` for one that was destroyed. */
  readonly writes: unknown[]
  /** How many of the next writes fail, with `place is down`. */
  failures: number
  /** How many sessions it holds. */
  count(): number
}

const PLACES: Record<string, () => Place> = {
  cookie() {
    const place: Place = {
      writes: [],
      failures: 0,
      count: () => 1,
      options: { encode: payload => write(place, payload) },
    }
    return place
  },

  store() {
    const inner = memoryStore()
    const { store, courses } = scriptedStore(plainOf(inner))
    courses.set = async (ask, _, payload) => write(place, payload as Record<string, unknown>) && ask()
    courses.destroy = async ask => place.writes.push('gone') && ask()
    const place: Place = { writes: [], failures: 0, count: () => inner.size, options: { store } }
    return place
  },
}

function write(place: Place, payload: Record<string, unknown>): string {
  if (place.failures > 0) {
    place.failures--
    throw new Error('place is down')
  }
  place.writes.push(payload.views)
  return Buffer.from(JSON.stringify(payload)).toString('base64')
}

/** `/begin` begins a session, `/views` says what it holds, and `/` is the handler's. */
async function tell(t: Test, options: CreateSessionOptions, handler: Page) {
  const views: Page = ctx => ctx.session.views
  const begin: Page = ctx => increment(ctx).manuallyCommit()
  const made = await serve(t, options, { '/': handler, '/views': views, '/begin': begin })
  return { ...made, said: () => made.errors.map(messageOf), unhandled: rejectionsOf(t) }
}

/** What the place says, which is the cause of what a store's error says. */
function messageOf(error: unknown): string {
  return String(Object(origin(error)).message)
}

function increment(ctx: TestContext): TestContext['session'] {
  ctx.session.views = (ctx.session.views ?? 0) + 1
  return ctx.session
}

for (const [mode, makePlace] of Object.entries(PLACES)) {
  const writing: ReadonlyArray<
    readonly [claim: string, handler: (ctx: TestContext) => unknown, writes: unknown[], options?: CreateSessionOptions]
  > = [
    ['the end of the request commits a change once', increment, [1]],
    ['the end of the request has nothing to add to a manual commit', ctx => increment(ctx).manuallyCommit(), [1]],
    [
      'a second commit without a change writes nothing',
      async ctx => {
        await increment(ctx).manuallyCommit()
        await ctx.session.manuallyCommit()
        await ctx.session.commit()
      },
      [1],
    ],
    [
      'a change after a commit is written too, and one cookie is sent',
      ctx =>
        increment(ctx)
          .manuallyCommit()
          .then(() => increment(ctx)),
      [1, 2],
    ],
    [
      'save() writes even what has not changed',
      async ctx => {
        await increment(ctx).save()
        await ctx.session.save()
      },
      [1, 1],
    ],
    ['save() by itself keeps an empty session', ctx => ctx.session.save(), [undefined]],
    ['rolling extends a session once', ctx => increment(ctx).manuallyCommit(), [1], { rolling: true }],
    [
      'commits that nobody waits for are done one after the other',
      ctx => {
        increment(ctx).save()
        ctx.session.save()
        increment(ctx)
      },
      // In a store the second begins when the first is done, and finds the change; a cookie is written at once.
      mode === 'cookie' ? [1, 1, 2] : [1, 2],
    ],
    ['without autoCommit a manual commit writes', ctx => increment(ctx).manuallyCommit(), [1], { autoCommit: false }],
    [
      'without autoCommit what changes after the manual commit is not written',
      ctx =>
        increment(ctx)
          .manuallyCommit()
          .then(() => increment(ctx)),
      [1],
      { autoCommit: false },
    ],
  ]
  for (const [claim, handler, writes, options] of writing) {
    test(`${mode}: ${claim}`, async t => {
      const place = makePlace()
      const { visitor, errors } = await tell(t, { ...place.options, ...options }, handler)
      const answer = await visitor.get()
      assert.deepEqual(errors, [])
      assert.deepEqual(place.writes, writes)
      assert.deepEqual(namesSet(answer.cookies), OWN)
      assert.equal((await visitor.get('/views')).text, String(writes.at(-1)))
    })
  }

  for (const [how, leave] of [
    ['at the end', () => {}],
    ['with a flush', (ctx: TestContext) => ctx.flushHeaders()],
  ] as const) {
    test(`${mode}: without autoCommit nothing is written or sent ${how}`, async t => {
      const place = makePlace()
      const { visitor, errors } = await tell(t, { ...place.options, autoCommit: false }, ctx => {
        increment(ctx)
        leave(ctx)
      })
      assert.deepEqual((await visitor.get()).cookies, [])
      assert.deepEqual(place.writes, [])
      assert.deepEqual(errors, [])
    })
  }

  test(`${mode}: when handler and commit both fail, the handler's error is answered and the other reported`, async t => {
    const place = makePlace()
    const { visitor, said } = await tell(t, place.options, ctx => {
      increment(ctx)
      ctx.throw(418, 'handler failed')
    })
    place.failures = 1
    const answer = await visitor.get()
    assert.deepEqual([answer.status, answer.text], [418, 'handler failed'])
    assert.deepEqual(said(), ['place is down', 'handler failed'])
    assert.deepEqual(answer.cookies, [])
  })

  test(`${mode}: a commit that fails is a 500, sends no cookie and leaves the session as it was`, async t => {
    const place = makePlace()
    const { visitor, said } = await tell(t, place.options, increment)
    await visitor.get('/begin')
    place.failures = 1
    const answer = await visitor.get()
    assert.equal(answer.status, 500)
    assert.deepEqual(answer.cookies, [])
    assert.deepEqual(said(), ['place is down'])
    assert.equal((await visitor.get('/views')).text, '1')
  })

  for (const method of ['save', 'regenerate', 'manuallyCommit', 'commit']) {
    test(`${mode}: a ${method}() that fails and nobody waits for is reported by the final commit`, async t => {
      const place = makePlace()
      const { visitor, said, unhandled } = await tell(t, place.options, ctx => {
        increment(ctx)[method]()
      })
      place.failures = 1
      assert.equal((await visitor.get()).status, 500)
      assert.deepEqual(said(), ['place is down'])
      assert.deepEqual(unhandled, [])
    })

    test(`${mode}: a ${method}() that fails and is caught is not reported again`, async t => {
      const place = makePlace()
      const { visitor, errors, unhandled } = await tell(t, place.options, async ctx => {
        await assert.rejects(increment(ctx)[method](), (error: unknown) => messageOf(error) === 'place is down')
      })
      await visitor.get('/begin')
      place.failures = 1
      const answer = await visitor.get()
      assert.deepEqual([answer.status, ...errors, ...unhandled], [200])
      // The final commit tries again.
      assert.deepEqual(namesSet(answer.cookies), OWN)
      assert.equal((await visitor.get('/views')).text, '2')
      assert.equal(place.count(), 1, 'the session is there under two ids')
    })

    if (method === 'manuallyCommit') continue

    test(`${mode}: ${method}(callback) calls back with nothing, once it is done`, async t => {
      const place = makePlace()
      const { visitor, errors } = await tell(t, place.options, async ctx => {
        const given = await new Promise(resolve => {
          const returned = increment(ctx)[method]((...parameters: unknown[]) => resolve(parameters))
          assert.equal(returned, undefined)
        })
        assert.deepEqual(given, [])
        assert.deepEqual(place.writes, [1])
      })
      assert.equal((await visitor.get()).status, 200)
      assert.deepEqual(errors, [])
    })

    test(`${mode}: ${method}(callback) calls back with the error, and that is who hears of it`, async t => {
      const place = makePlace()
      const { visitor, errors, unhandled } = await tell(t, place.options, async ctx => {
        const error = await new Promise<Error>(resolve => increment(ctx)[method](resolve))
        assert.equal(messageOf(error), 'place is down')
      })
      place.failures = 1
      assert.equal((await visitor.get()).status, 200)
      assert.deepEqual([...errors, ...unhandled], [])
    })
  }
}

for (const [mode, store] of [
  ['cookie', () => ({})],
  ['store', () => ({ store: memoryStore() })],
] as const) {
  test(`${mode}: what valid writes to the payload is no change of the handler, and is not saved by itself`, async t => {
    const valid = (_ctx: unknown, payload: Record<string, unknown>) => {
      payload.cart = { seen: true }
      return true
    }
    const write: Page = ctx => {
      ctx.session.cart = { seen: false }
    }
    const { visitor } = await serve(t, { ...store(), valid }, { '/write': write })
    await visitor.get('/write')
    const { text, cookies } = await visitor.get('/all')
    assert.deepEqual({ text, cookies }, { text: '{"cart":{"seen":true}}', cookies: [] })
  })

  test(`${mode}: a change deep in the data is seen, and reading deep is none`, async t => {
    const { visitor } = await serve(t, store(), {
      '/': ctx => ctx.session.cart.items[0].n,
      '/write': ctx => {
        ctx.session.cart = { items: [{ n: 1 }] }
      },
      '/deep': ctx => {
        ctx.session.cart.items[0].n++
      },
    })
    await visitor.get('/write')
    assert.deepEqual((await visitor.get('/')).cookies, [])
    assert.equal((await visitor.get('/deep')).cookies.length, 2)
    const { text, cookies } = await visitor.get('/')
    assert.deepEqual({ text, cookies }, { text: '2', cookies: [] })
  })
}

test('overwrite: false: a session that is saved twice as it is sends one cookie after a third save', async t => {
  const { visitor } = await serve(t, ({ now }) => ({ now, overwrite: false }), {
    '/': async ctx => {
      // Koa's cookies write the lines then, as they do for a Keygrip.
      ctx.session.views = Object.keys(ctx.sessionOptions).length
      await ctx.session.save()
      await ctx.session.save()
      ctx.session.views = 0
    },
  })
  assert.deepEqual(namesSet((await visitor.get('/')).cookies), OWN)
})
