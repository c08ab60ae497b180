/* How long a session lives, in each mode: idle, in all, and what the clock may do meanwhile. */

import assert from 'node:assert/strict'
import test from 'node:test'
import session, { type CreateSessionOptions } from 'koa-session'
import { visit } from '../support/agent.ts'
import { createApp } from '../support/koa.ts'
import { HOUR, MODES, type Pages, serve } from '../support/story.ts'

const MINUTE = 60_000
const DAY = 24 * HOUR

const PAGES: Pages = {
  '/count': ctx => {
    ctx.session.n = (ctx.session.n ?? 0) + 1
    return ctx.session.n
  },
  '/new-id': async ctx => {
    await ctx.session.regenerate()
    return 'new'
  },
  '/created': ctx => ctx.session.createdAt,
  '/fresh': ctx => ctx.session.isFresh(5 * MINUTE),
}

for (const [mode, given] of Object.entries(MODES)) {
  const story = (
    claim: string,
    options: CreateSessionOptions,
    body: (told: Awaited<ReturnType<typeof serve>>) => Promise<void>,
  ) => test(`${mode}: ${claim}`, async t => body(await serve(t, given, PAGES, { options })))

  story(
    'absoluteTimeout goes on through regenerate() and every save',
    { absoluteTimeout: DAY, maxAge: DAY },
    async ({ clock, textOf }) => {
      await textOf('/in')
      const created = await textOf('/created')
      clock.advance(DAY - 1)
      assert.equal(await textOf('/new-id'), 'new')
      assert.equal(await textOf('/count'), '1')
      assert.equal(await textOf('/created'), created)
      clock.advance(1)
      assert.equal(await textOf('/'), 'nobody')
    },
  )

  story(
    'a new session after a sign-out has a time of its own',
    { absoluteTimeout: HOUR },
    async ({ clock, textOf }) => {
      await textOf('/in')
      clock.advance(HOUR / 2)
      await textOf('/out')
      await textOf('/in')
      clock.advance(HOUR - 1)
      assert.equal(await textOf('/'), 'ada')
    },
  )

  story(
    'renew as a number extends when less than that is left',
    { maxAge: HOUR, renew: 10 * MINUTE },
    async ({ clock, visitor }) => {
      await visitor.get('/in')
      clock.advance(50 * MINUTE)
      assert.deepEqual((await visitor.get('/untouched')).cookies, [])
      clock.advance(1)
      assert.notDeepEqual((await visitor.get('/untouched')).cookies, [])
      clock.advance(50 * MINUTE)
      assert.equal((await visitor.get('/')).text, 'ada')
    },
  )

  story(
    'isFresh() is true for as long as asked after regenerate({ fresh: true }), and never without',
    {},
    async ({ clock, textOf }) => {
      await textOf('/count')
      assert.equal(await textOf('/fresh'), 'false')
      await textOf('/new-id')
      assert.equal(await textOf('/fresh'), 'false')
      await textOf('/in')
      assert.equal(await textOf('/fresh'), 'true')
      clock.advance(5 * MINUTE)
      assert.equal(await textOf('/count'), '2')
      assert.equal(await textOf('/fresh'), 'true', 'a save keeps the mark')
      clock.advance(1)
      assert.equal(await textOf('/fresh'), 'false')
      await textOf('/in')
      assert.equal(await textOf('/fresh'), 'true')
      await textOf('/out')
      assert.equal(await textOf('/fresh'), 'false')
    },
  )

  story(
    'createdAt is the instant of the first save',
    { absoluteTimeout: DAY, maxAge: DAY },
    async ({ clock, textOf }) => {
      await textOf('/count')
      const made = String(clock.now())
      clock.advance(HOUR)
      await textOf('/count')
      assert.equal(await textOf('/created'), made)
    },
  )

  for (const [claim, jump] of [
    ['back', -3 * DAY],
    ['ahead', 3 * DAY],
  ] as const) {
    story(
      `a clock that was days ${claim} when a session was made is no error, and no longer life`,
      { absoluteTimeout: HOUR, maxAge: HOUR },
      async ({ clock, textOf }) => {
        clock.advance(jump)
        await textOf('/in')
        clock.advance(-jump)
        assert.equal(await textOf('/'), jump > 0 ? 'ada' : 'nobody')
        if (jump < 0) return
        await textOf('/count')
        clock.advance(HOUR + 1)
        assert.equal(await textOf('/'), 'nobody')
      },
    )
  }
}

test('what a payload says of its times is a value, whatever it says', async t => {
  const now = 1_700_000_000_000
  const odd = ['1', 'x', Number.NaN, 1e308, -1e308, -1, 0, null, [], {}, true, now + 5 * DAY]
  const metas = [...odd.map(created => ({ created })), ...odd.map(fresh => ({ fresh })), ...odd]
  const app = createApp()
  const errors: unknown[] = []
  app.on('error', error => errors.push(error))
  app.use(session({ signed: false, absoluteTimeout: DAY, rolling: true, now: () => now }, app))
  app.use(ctx => {
    ctx.body = [ctx.session.user ?? 'nobody', typeof ctx.session.createdAt, ctx.session.isFresh(HOUR)].join(' ')
  })
  const visitor = await visit(t, app)
  for (const times of [
    ...odd.map(_expire => ({ _expire, _maxAge: HOUR })),
    ...odd.map(_maxAge => ({ _expire: now + HOUR, _maxAge })),
    ...metas.map(_meta => ({ _expire: now + HOUR, _maxAge: HOUR, _meta })),
    ...metas.map(_meta => ({ _session: true, _meta })),
  ]) {
    const value = Buffer.from(JSON.stringify({ user: 'ada', ...times })).toString('base64')
    const { status, text } = await visitor.stranger().get('/', { cookie: `koa.sess=${value}` })
    assert.equal(status, 200, JSON.stringify(times))
    assert.match(text, /^(ada|nobody) number (true|false)$/, JSON.stringify(times))
  }
  assert.deepEqual(errors, [])
})
