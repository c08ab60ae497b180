/** A session that takes the place of another one has nothing of it. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { site } from './site.ts'

const ONE_DAY = 24 * 60 * 60 * 1000

test('a lifetime that was set before the session was loaded does not survive, where nothing was received', async () => {
  const { begin, memory } = site()
  const request = begin()
  request.session.maxAge = 5
  await request.scope.start(false)
  request.session.b = 2
  assert.equal(request.session.maxAge, ONE_DAY)
  await request.scope.finish()
  assert.equal(memory.read(request.exchange.client ?? '')?.lifetime._maxAge, ONE_DAY)
})

test('a session that was marked as fresh before it was loaded is not fresh, where nothing was received', async () => {
  const { begin } = site()
  const request = begin()
  const marking = request.session.regenerate({ fresh: true }).catch(() => {})
  await request.scope.start(false)
  await marking
  assert.equal(request.session.isFresh(1000), false)
})

test('a session that is assigned in place of one that others have ended is not fresh, and was made now', async () => {
  const { visit, clock, put, memory } = site({ absoluteTimeout: 10_000_000 })
  put('A', { a: 1 }, { _meta: { created: clock.now() - 500, fresh: clock.now() - 400 } })
  const { scope, session, exchange } = await visit('A')
  memory.destroy('A')
  session.b = 2
  await session.save()
  scope.session = { user: 'ann' }
  const next = scope.session
  assert.deepEqual([next?.createdAt, next?.isFresh(1000), next?.maxAge], [clock.now(), false, ONE_DAY])
  await scope.finish()
  assert.deepEqual(memory.read(exchange.client ?? '')?.lifetime._meta, { created: clock.now() })
})

test('data put into a session that was emptied and ended begin a session that is not fresh', async () => {
  const { visit, clock, put, memory } = site({ absoluteTimeout: 10_000_000 })
  put('A', { a: 1 }, { _meta: { created: clock.now() - 500, fresh: clock.now() - 400 } })
  const { scope, session, exchange } = await visit('A')
  Reflect.deleteProperty(session, 'a')
  await session.manuallyCommit()
  session.user = 'bob'
  await scope.finish()
  assert.deepEqual(memory.read(exchange.client ?? '')?.lifetime._meta, { created: clock.now() })
})

test('a lifetime that was chosen for the response holds for a session that begins anew, read before or not', async () => {
  for (const lazy of [false, true]) {
    for (const isRead of [false, true]) {
      const { visit, memory, clock } = site({ lazy })
      const request = await visit('A')
      if (lazy && isRead) await request.scope.load()
      if (isRead) void request.session
      request.settings.view.maxAge = 7000
      request.scope.session = null
      request.scope.session = { b: 2 }
      await request.scope.finish()
      const { _expire, _maxAge } = memory.read(request.exchange.client ?? '')?.lifetime ?? {}
      assert.deepEqual([_maxAge, _expire], [7000, clock.now() + 7000], JSON.stringify({ lazy, isRead }))
    }
  }
})
