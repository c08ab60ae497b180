/* What becomes of the id that regenerate() gives up. */

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import test, { type TestContext as Test } from 'node:test'
import type { CreateSessionOptions } from 'koa-session'
import { memoryStore } from 'koa-session/memory'
import type { ManualClock } from 'koa-session/testing'
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
  const mode = ({ now }: ManualClock) => {
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
      clock.advance(9_999)
      const { status, cookies } = await late.get(page)
      assert.deepEqual({ status, cookies, size: memory.size }, { status: 200, cookies: [], size: 2 })
      assert.equal((await visitor.get('/')).text, 'ada')
      await told()
      const gone = said('gone').map(event => event.keys)
      assert.deepEqual(gone, keys ? [keys] : [])
    }
  })
}

test('whoever brings it later is a stranger, and the application is told', async t => {
  const { visitor, clock, events, said } = await begin(t, { subject })
  await visitor.get('/in')
  const thief = visitor.copy()
  await visitor.get('/in')
  clock.advance(10_000)
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
