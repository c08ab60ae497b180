/** The option `onReuse`: what becomes of a session when an id that it had before is used again. */

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import test, { type TestContext as Test } from 'node:test'
import session, { type CreateSessionOptions, type Store } from 'koa-session'
import { memoryStore } from 'koa-session/memory'
import { createApp } from '../support/koa.ts'
import { KEY, type Pages, serve, simpleStore } from '../support/story.ts'

const subject = ({ user }: Record<string, unknown>) => user as string | undefined
const fingerprint = (id: unknown) => createHash('sha256').update(String(id)).digest('hex').slice(0, 8)
const PAGES: Pages = {
  '/again': async ctx => {
    await ctx.session.regenerate()
  },
}

/** A visitor who has signed in, and a thief who has the cookie from before. `ago`: how long before (ms). */
async function begin(t: Test, options: CreateSessionOptions, ago = 10_000, change = (store: Store) => store) {
  const ended: Record<string, unknown>[] = []
  const make = ({ now }: { now: () => number }) => ({
    store: change(memoryStore({ now }) as unknown as Store),
    ...options,
  })
  const before = (app: { on(event: string, listen: (argument: Record<string, unknown>) => void): unknown }) => {
    app.on('session:ended', one => ended.push(one))
  }
  const made = await serve(t, make, PAGES, { before })
  await made.visitor.get('/cart')
  const thief = made.visitor.copy()
  await made.visitor.get('/in')
  made.clock.elapse(ago)
  return { ...made, thief, ended, userOf: async () => (await made.visitor.get('/')).text }
}

for (const [title, options] of Object.entries({ 'with subject': { subject }, 'without subject': {} })) {
  test(`${title}: the session that took the place of the id ends, and the events say which`, async t => {
    const { visitor, thief, said, ended, userOf } = await begin(t, { ...options, onReuse: 'end' })
    const id = fingerprint(visitor.jar.get(KEY))
    assert.equal((await thief.get('/')).text, 'nobody')
    assert.equal(await userOf(), 'nobody')
    assert.equal(said('reuse')[0]?.successor, id)
    assert.deepEqual([ended.length, ended[0]?.id, ended[0]?.reason], [1, id, 'reuse'])
  })

  test(`${title}: it ends under the id that it has by now`, async t => {
    const { visitor, thief, userOf } = await begin(t, { ...options, onReuse: 'end' })
    await visitor.get('/again')
    await visitor.get('/again')
    await thief.get('/')
    assert.equal(await userOf(), 'nobody')
  })

  test(`${title}: within ten seconds, and without the option, it goes on`, async t => {
    for (const [onReuse, ago] of [
      ['end', 9_999],
      [undefined, 10_000],
    ] as const) {
      const { thief, ended, userOf } = await begin(t, { ...options, onReuse }, ago)
      await thief.get('/')
      assert.equal(await userOf(), 'ada')
      assert.deepEqual(ended, [])
    }
  })
}

test('with subject, what has ended before is not told again', async t => {
  const { visitor, clock, said, ended } = await begin(t, { subject, onReuse: 'end' })
  const thief = visitor.copy()
  await visitor.get('/again')
  clock.elapse(10_000)
  await visitor.get('/out')
  await thief.get('/')
  assert.equal(said('reuse').length, 1)
  assert.deepEqual(
    ended.map(({ reason }) => reason),
    ['sign-out'],
  )
})

test('where the store fails that is told, and the id gives nobody a session', async t => {
  const down = () => Promise.reject(new Error('down'))
  const { thief, said, userOf } = await begin(t, { onReuse: 'end' }, 10_000, store => {
    const { get, set } = store
    return { ...store, destroy: down, plain: { get, set, destroy: down } }
  })
  assert.deepEqual([(await thief.get('/')).status, (await thief.get('/')).text], [200, 'nobody'])
  assert.equal(said('error')[0]?.operation, 'destroy')
  assert.equal(await userOf(), 'ada')
})

for (const [title, options] of Object.entries({
  'in a cookie': {},
  'with a store without retire': { store: simpleStore() },
}))
  test(`${title} the option is refused when the middleware is made`, () => {
    const make = () => session({ ...options, onReuse: 'end' }, createApp())
    assert.throws(make, {
      code: 'ERR_SESSION_OPTION',
      message: 'option onReuse was "end", expected a store that has retire',
    })
  })
