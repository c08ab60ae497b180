/** The option `maxSessions` over HTTP. Its tables, for each way to sign in, are in test/request/cap.test.ts. */

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import test, { type TestContext as Test } from 'node:test'
import session, { type Store } from 'koa-session'
import { memoryStore } from 'koa-session/memory'
import { sqliteStore } from 'koa-session/sqlite'
import Database from 'libsql'
import { type Visitor, visit } from '../support/agent.ts'
import { createApp } from '../support/koa.ts'
import { KEY, type Pages, serve } from '../support/story.ts'

const subject = ({ user }: Record<string, unknown>) => user as string | undefined
const fingerprint = (id: string | undefined) => createHash('sha256').update(String(id)).digest('hex').slice(0, 8)

const PAGES: Pages = {
  '/caught': async ctx => {
    ctx.session.user = 'ada'
    const failed = await ctx.session.regenerate({ fresh: true }).catch((error: { code: string }) => error.code)
    return failed ?? 'in'
  },
  '/caught-save': async ctx => {
    ctx.session.user = 'ada'
    return (await ctx.session.save().catch((error: { code: string }) => error.code)) ?? 'in'
  },
}

/** An application whose users have at most two sessions, and three visitors with a cart. */
async function begin(t: Test, beyond: 'end-oldest' | 'refuse') {
  let store = memoryStore()
  const ended: Record<string, unknown>[] = []
  const make = ({ now }: { now: () => number }) => {
    store = memoryStore({ now })
    return { store: store as unknown as Store, subject, maxSessions: { count: 2, beyond } }
  }
  const before = (app: { on(event: string, listen: (argument: Record<string, unknown>) => void): unknown }) => {
    app.on('session:ended', one => ended.push(one))
  }
  const made = await serve(t, make, PAGES, { before })
  const others = [await visit(t, made.app), await visit(t, made.app)]
  const visitors = [made.visitor, ...others] as [Visitor, Visitor, Visitor]
  for (const one of visitors) await one.get('/cart')
  const users = () => Promise.all(visitors.map(async one => (await one.get('/')).text))
  return { ...made, store, visitors, ended, users, list: () => store.list('ada') }
}

test('end-oldest: the oldest session ends, and is told', async t => {
  const { visitors, clock, ended, users, list } = await begin(t, 'end-oldest')
  for (const one of visitors.slice(0, 2)) {
    clock.advance(1000)
    await one.get('/in')
  }
  const id = visitors[0].jar.get(KEY)
  clock.advance(1000)
  await visitors[2].get('/in')
  assert.deepEqual(await users(), ['nobody', 'ada', 'ada'])
  assert.equal(list().length, 2)
  const subjectHash = createHash('sha256').update('ada').digest('base64url')
  assert.deepEqual(ended, [{ id: fingerprint(id), subjectHash, reason: 'cap' }])
})

test('refuse: nobody is signed in, and what was there stays, until there is room', async t => {
  const { visitors, ended, users, store, list, codes } = await begin(t, 'refuse')
  for (const one of visitors.slice(0, 2)) await one.get('/in')
  assert.equal((await visitors[2].get('/in')).status, 500)
  assert.deepEqual(codes(), ['ERR_SESSION_LIMIT'])
  assert.equal((await visitors[2].get('/caught')).text, 'ERR_SESSION_LIMIT')
  assert.deepEqual(await users(), ['ada', 'ada', 'nobody'])
  assert.match((await visitors[2].get('/all')).text, /a book/)
  assert.deepEqual([codes().length, list().length, ended], [1, 2, []])
  await store.destroyAll('ada', { only: list()[0]?.handle ?? '' })
  assert.equal((await visitors[2].get('/caught')).text, 'in')
})

const STORES = {
  memory: async () => memoryStore() as unknown as Store,
  sqlite: async () => {
    const store = sqliteStore(new Database(':memory:'), { sweepEvery: false })
    await store.setup()
    return store as unknown as Store
  },
}

for (const [name, open] of Object.entries(STORES))
  for (const beyond of ['end-oldest', 'refuse'] as const)
    for (const path of ['/caught', '/caught-save']) {
      test(`${name}, ${beyond}, ${path}: after sign-ins at the same time a user has no more than the cap`, async t => {
        const store = await open()
        const { app } = await serve(
          t,
          () => ({ store: slow(store), subject, maxSessions: { count: 3, beyond } }),
          PAGES,
        )
        const visitors = await Promise.all(Array.from({ length: 12 }, () => visit(t, app)))
        for (const one of visitors) await one.get('/cart')
        await Promise.all(visitors.map(one => one.get(path)))
        const { length } = (await store.list?.('ada')) ?? []
        assert.ok(length <= 3, `there are ${length} sessions`)
        if (beyond === 'end-oldest' && path === '/caught') assert.equal(length, 3)
      })
    }

/** Answers in any order. */
function slow(store: Store): Store {
  const later = () => new Promise(resolve => setImmediate(resolve))
  const wrapped: Record<string, unknown> = { ...store }
  for (const name of ['create', 'patch', 'list', 'destroyAll', 'retire', 'read'] as const)
    wrapped[name] = async (...given: unknown[]) => {
      await later()
      const answer = await Reflect.apply(store[name] as () => unknown, store, given)
      await later()
      return answer
    }
  return wrapped as unknown as Store
}

test('the option is refused when the middleware is made, where nobody can count', () => {
  const make = () => session({ subject, maxSessions: { count: 2 } }, createApp())
  assert.throws(make, {
    code: 'ERR_SESSION_OPTION',
    message: /option maxSessions was .* expected the option subject/,
  })
})
