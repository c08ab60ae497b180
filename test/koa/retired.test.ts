/* What becomes of the id that regenerate() gives up. */

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import test, { type TestContext as Test } from 'node:test'
import type { CreateSessionOptions } from 'koa-session'
import { memoryStore } from 'koa-session/memory'
import { Clock } from '../support/agent.ts'
import { type Pages, serve, told } from '../support/story.ts'

const DAY = 86_400_000
const fingerprint = (id = '') => createHash('sha256').update(id).digest('hex').slice(0, 8)

const digest = (text = '') => createHash('sha256').update(text).digest('base64url')
const subject = ({ user }: Record<string, unknown>) => user as string | undefined

const PAGES: Pages = {
  '/in': async ctx => {
    ctx.session.user = 'ada'
    await ctx.session.regenerate({ keep: ['user'] })
    return 'in'
  },
  '/save': async ctx => {
    await ctx.session.save()
    return 'saved'
  },
  '/new-id': async ctx => {
    ctx.session.stolen = 1
    await ctx.session.regenerate()
    return 'new'
  },
}

async function begin(t: Test, options: CreateSessionOptions = {}) {
  let memory = memoryStore()
  const mode = ({ now }: Clock) => {
    memory = memoryStore({ now })
    return { store: memory, maxAge: DAY, ...options }
  }
  const made = await serve(t, mode, PAGES)
  const events = () => made.events.map(([event, { ctx: _, key: __, value: ___, ...told }]) => [event, told])
  return { ...made, memory, events }
}

test('the old id never yields data again, and the new one has what was kept', async t => {
  const { visitor, memory } = await begin(t)
  await visitor.get('/cart')
  const old = String(visitor.jar.get('koa.sess'))
  await visitor.get('/in')
  const id = String(visitor.jar.get('koa.sess'))
  assert.notEqual(id, old)
  assert.deepEqual({ ...memory.read(id)?.members }, { user: '"ada"' })
  const { members, retiredAt, successor } = memory.read(old) ?? {}
  const name = createHash('sha256').update(id).digest('base64url')
  assert.deepEqual([members, retiredAt, successor], [{}, 1_700_000_000_000, name])
  assert.deepEqual(memory.get(old), { _retired: 1_700_000_000_000 })
})

for (const [page, keys] of [
  ['/', undefined],
  ['/cart', ['cart']],
  ['/save', undefined],
] as const) {
  test(`a parallel request that still brings it has an empty session, and never replaces the new cookie: ${page}`, async t => {
    for (const options of [{}, { rolling: true }]) {
      const { visitor, memory, clock, said } = await begin(t, options)
      await visitor.get('/cart')
      const late = visitor.copy()
      await visitor.get('/in')
      clock.elapse(9_999)
      const { status, cookies } = await late.get(page)
      assert.deepEqual({ status, cookies, size: memory.size }, { status: 200, cookies: [], size: 2 })
      assert.equal((await visitor.get('/')).text, 'ada')
      await told()
      const gone = said('gone').map(event => event.keys)
      assert.deepEqual(gone, keys ? [keys] : [])
    }
  })
}

test('a parallel request that regenerates begins a session of its own, with its own data alone', async t => {
  const { visitor, memory } = await begin(t)
  await visitor.get('/cart')
  const late = visitor.copy()
  await visitor.get('/in')
  await late.get('/new-id')
  const id = String(late.jar.get('koa.sess'))
  assert.deepEqual({ ...memory.read(id)?.members }, { stolen: '1' })
  assert.equal((await visitor.get('/')).text, 'ada')
})

test('whoever brings it later is a stranger, and the application is told', async t => {
  const { visitor, clock, events, said } = await begin(t, { subject })
  await visitor.get('/in')
  const thief = visitor.copy()
  await visitor.get('/in')
  clock.elapse(10_000)
  assert.equal((await thief.get('/')).text, 'nobody')
  await told()
  const [{ id } = {}] = said('refused')
  assert.match(String(id), /^[0-9a-f]{8}$/)
  const current = visitor.jar.get('koa.sess')
  assert.deepEqual(events(), [
    ['session:reuse', { id, successor: fingerprint(current), subjectHash: digest('ada'), handle: digest(current) }],
    ['session:missed', { reason: 'retired' }],
    ['session:refused', { reason: 'retired', id }],
  ])
  await thief.get('/cart')
  assert.notEqual(thief.jar.get('koa.sess'), visitor.jar.get('koa.sess'))
  assert.equal((await visitor.get('/')).text, 'ada')
})

test('a wrapped store, which is read by get(), is understood as well', async t => {
  const clock = new Clock(1_700_000_000_000)
  const memory = memoryStore({ now: clock.now })
  const { visitor, said } = await begin(t, { store: { ...memory, get: id => memory.get(id) }, now: clock.now })
  await visitor.get('/cart')
  memory.retire(String(visitor.jar.get('koa.sess')), {}, 60_000)
  clock.elapse(10_000)
  assert.equal((await visitor.get('/')).text, 'nobody')
  await told()
  assert.equal(said('reuse').length, 1)
})

test('a store without retire() forgets the old id', async t => {
  const memory = memoryStore()
  const { visitor } = await begin(t, { store: { ...memory, retire: undefined } as never })
  await visitor.get('/cart')
  await visitor.get('/in')
  assert.equal(memory.size, 1)
})

test('an instant of retirement that is no number is a retired id, and not an error', async t => {
  for (const retiredAt of [{ toString: false }, 'yesterday', Number.NaN, null]) {
    const memory = { ...memoryStore(), read: () => ({ members: { user: '"ada"' }, lifetime: {}, retiredAt }) }
    const { visitor, said } = await begin(t, { store: memory as never, signed: false })
    visitor.jar.set('koa.sess', 'an-id')
    const { status, text } = await visitor.get('/')
    assert.deepEqual({ status, text }, { status: 200, text: 'nobody' })
    await told()
    assert.equal(said('reuse').length, 1)
  }
})
