import assert from 'node:assert/strict'
import test, { type TestContext as Test } from 'node:test'
import type { CreateSessionOptions } from 'koa-session'
import { memoryStore } from 'koa-session/memory'
import type { Visitor } from '../support/agent.ts'
import { later, plainOf, scriptedStore } from '../support/stores.ts'
import { Meeting, serve } from '../support/story.ts'

const HUNDRED = Array.from({ length: 100 }, (_, index) => index)

/** A store that answers in a later turn of the event loop, so that calls interleave. */
function slowStore() {
  const memory = memoryStore()
  const { store, take } = scriptedStore(plainOf(memory))
  take(later)
  return { memory, store }
}

const MODES: Record<string, () => CreateSessionOptions> = {
  'in the cookie': () => ({}),
  'in a store': () => ({ store: slowStore().store }),
}

/** Serves the user at `/`, and pages on which all meet between reading and writing. */
async function begin(t: Test, options: CreateSessionOptions, count: number): Promise<Visitor> {
  const meeting = new Meeting(count)
  const { visitor } = await serve(
    t,
    { ...options, rolling: true },
    {
      '/': ctx => ctx.session.user,
      '/sign-in': async ctx => {
        const { isNew } = ctx.session
        await meeting.pass()
        ctx.session.user = ctx.querystring
        await meeting.pass()
        return `${isNew} ${ctx.session.user}`
      },
      '/count': async ctx => {
        const { views = 0 } = ctx.session
        await meeting.pass()
        ctx.session.views = views + 1
        return `${ctx.session.user} ${views}`
      },
      '/regenerate': async ctx => {
        await meeting.pass()
        await ctx.session.regenerate()
      },
      '/out': async ctx => {
        await meeting.pass()
        ctx.session = null
      },
      '/broken': async ctx => {
        ctx.session.user += ' is broken'
        await meeting.pass()
        throw new Error('broken')
      },
    },
  )
  return visitor
}

/** A hundred visitors who sign in at the same time, under names of their own. */
async function crowd(first: Visitor): Promise<Visitor[]> {
  const visitors = HUNDRED.map(() => first.stranger())
  const answers = await Promise.all(visitors.map((visitor, index) => visitor.get(`/sign-in?user-${index}`)))
  assert.deepEqual(
    answers.map(({ text }) => text),
    HUNDRED.map(index => `true user-${index}`),
  )
  return visitors
}

async function everybody(visitors: Visitor[], path: string): Promise<string[]> {
  return (await Promise.all(visitors.map(visitor => visitor.get(path)))).map(({ text }) => text)
}

for (const [mode, options] of Object.entries(MODES)) {
  test(`a hundred visitors at the same time have a hundred sessions (${mode})`, async t => {
    const visitors = await crowd(await begin(t, options(), 100))
    assert.equal(new Set(visitors.map(({ jar }) => jar.get('koa.sess'))).size, 100)
    assert.deepEqual(
      await everybody(visitors, '/'),
      HUNDRED.map(index => `user-${index}`),
    )
  })

  test(`a hundred visitors count at the same time, each for themselves (${mode})`, async t => {
    const visitors = await crowd(await begin(t, options(), 100))
    for (const views of [0, 1, 2]) {
      assert.deepEqual(
        await everybody(visitors, '/count'),
        HUNDRED.map(index => `user-${index} ${views}`),
      )
    }
  })

  test(`new ids, errors and sign-outs of some at the same time touch nobody else (${mode})`, async t => {
    const visitors = await crowd(await begin(t, options(), 100))
    const paths = ['/regenerate', '/out', '/broken', '/count']
    await Promise.all(visitors.map((visitor, index) => visitor.get(paths[index % 4])))
    const expected = HUNDRED.map(index => ['user-#', 'undefined', 'user-# is broken', 'user-#'][index % 4])
    assert.deepEqual(
      await everybody(visitors, '/'),
      expected.map((text, index) => text?.replace('#', String(index))),
    )
  })
}

test('parallel requests of one visitor each answer with a cookie that is good', async t => {
  const visitor = await begin(t, {}, 20)
  const copies = HUNDRED.slice(0, 20).map(() => visitor.copy())
  await Promise.all(copies.map((copy, index) => copy.get(`/sign-in?user-${index}`)))
  const [first] = copies
  const again = copies.map(() => first?.copy() ?? visitor)
  const answers = await Promise.all(again.map((copy, index) => copy.get(`/sign-in?again-${index}`)))
  assert.deepEqual(
    answers.map(({ text }) => text),
    again.map((_, index) => `false again-${index}`),
  )
  for (const { cookies } of answers) assert.equal(cookies.length, 2)
  assert.deepEqual(
    await everybody(again, '/'),
    again.map((_, index) => `again-${index}`),
  )
  assert.deepEqual(
    await everybody(copies, '/'),
    copies.map((_, index) => `user-${index}`),
  )
})

test('parallel first requests of one visitor in a store each get an id of their own', async t => {
  const { store, memory } = slowStore()
  const visitor = await begin(t, { store }, 20)
  const copies = HUNDRED.slice(0, 20).map(() => visitor.copy())
  await Promise.all(copies.map((copy, index) => copy.get(`/sign-in?user-${index}`)))
  assert.equal(memory.size, 20)
  assert.deepEqual(
    await everybody(copies, '/'),
    copies.map((_, index) => `user-${index}`),
  )
})

test('parallel requests of one session in a store keep its id', async t => {
  const { store, memory } = slowStore()
  const visitor = await begin(t, { store }, 20)
  const copies = HUNDRED.slice(0, 20).map(() => visitor.copy())
  await Promise.all(copies.map(copy => copy.get('/sign-in?tobi')))
  const [first] = copies
  const again = copies.map(() => first?.copy() ?? visitor)
  await everybody(again, '/count')
  for (const { jar } of again) assert.equal(jar.get('koa.sess'), first?.jar.get('koa.sess'))
  assert.equal(memory.size, 20)
})
