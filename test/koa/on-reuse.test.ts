/** The option `onReuse` over HTTP. Its tables are in test/request/on-reuse.test.ts. */

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import test, { type TestContext as Test } from 'node:test'
import session, { type CreateSessionOptions, type Store } from 'koa-session'
import { memoryStore } from 'koa-session/memory'
import { createApp } from '../support/koa.ts'
import { KEY, serve } from '../support/story.ts'

const subject = ({ user }: Record<string, unknown>) => user as string | undefined
const fingerprint = (id: unknown) => createHash('sha256').update(String(id)).digest('hex').slice(0, 8)

/** A visitor who has signed in, and a thief who has the cookie from before. `ago`: how long before (ms). */
async function begin(t: Test, options: CreateSessionOptions, ago = 10_000) {
  const ended: Record<string, unknown>[] = []
  const make = ({ now }: { now: () => number }) => ({
    store: memoryStore({ now }) as unknown as Store,
    ...options,
  })
  const before = (app: { on(event: string, listen: (argument: Record<string, unknown>) => void): unknown }) => {
    app.on('session:ended', one => ended.push(one))
  }
  const made = await serve(t, make, {}, { before })
  await made.visitor.get('/cart')
  const thief = made.visitor.copy()
  await made.visitor.get('/in')
  made.clock.advance(ago)
  return { ...made, thief, ended, userOf: async () => (await made.visitor.get('/')).text }
}

test('the session that took the place of the id ends, and the events say which', async t => {
  const { visitor, thief, said, ended, userOf } = await begin(t, { subject, onReuse: 'end' })
  const id = fingerprint(visitor.jar.get(KEY))
  assert.equal((await thief.get('/')).text, 'nobody')
  assert.equal(await userOf(), 'nobody')
  assert.equal(said('reuse')[0]?.successor, id)
  assert.deepEqual([ended.length, ended[0]?.id, ended[0]?.reason], [1, id, 'reuse'])
})

test('within ten seconds it goes on', async t => {
  const { thief, ended, userOf } = await begin(t, { subject, onReuse: 'end' }, 9_999)
  await thief.get('/')
  assert.equal(await userOf(), 'ada')
  assert.deepEqual(ended, [])
})

test('the option is refused when the middleware is made, where a replaced id leaves nothing', () => {
  assert.throws(() => session({ onReuse: 'end' }, createApp()), {
    code: 'ERR_SESSION_OPTION',
    message: 'option onReuse was "end", expected a store that has retire',
  })
})
