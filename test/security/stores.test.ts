/* Stores at rest: what a copy of the table is good for, and what an id can do in one. */

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import test from 'node:test'
import session from 'koa-session'
import { memoryStore } from 'koa-session/memory'
import { type SqlStoreOptions, sqliteStore } from 'koa-session/sqlite'
import Database from 'libsql'
import { visit } from '../support/agent.ts'
import { createApp, type TestContext } from '../support/koa.ts'
import { newSecret } from '../support/secrets.ts'
import { KEY, serve, told } from '../support/story.ts'

const HOUR = 3_600_000
const SECRET = newSecret()
const call = { ctx: {}, rolling: false, changed: true }

async function open(t: test.TestContext, options: SqlStoreOptions = {}) {
  const db = new Database(':memory:')
  const store = sqliteStore(db, options)
  t.after(async () => {
    await store.close()
    db.close()
  })
  await store.setup()
  const dump = () => JSON.stringify(db.prepare('SELECT * FROM sessions').all())
  const app = createApp()
  app.use(session({ store, signed: false, subject: data => data.user }, app))
  app.use(ctx => {
    if (ctx.path === '/in') ctx.session.user = 'ada@example.org'
    ctx.body = ctx.session.user ?? 'nobody'
  })
  return { db, store, dump, visitor: await visit(t, app) }
}

test('no usable credential in a dump (CVE-2019-16782): nothing of a table opens a session', async t => {
  const { visitor, dump } = await open(t)
  await visitor.get('/in')
  const id = String(visitor.jar.get(KEY))
  assert.ok(dump().includes('ada@example.org'), 'the dump is one of the sessions')
  assert.ok(!dump().includes(id))
  const thief = visitor.stranger()
  const [row = {}] = JSON.parse(dump())
  for (const value of Object.values(row)) {
    thief.jar.set(KEY, encodeURIComponent(String(value)))
    assert.equal((await thief.get('/')).text, 'nobody')
  }
  assert.equal(row.name, createHash('sha256').update(id).digest('base64url'))
})

test('with seal, a dump says nothing of what the sessions hold, nor whose they are', async t => {
  const { visitor, dump } = await open(t, { seal: [SECRET] })
  await visitor.get('/in')
  assert.ok(!dump().includes('ada@'))
  assert.equal((await visitor.get('/')).text, 'ada@example.org')
})

test('a file or SQL store never lets an id become a path or a query (CVE-2024-3400)', async t => {
  const { db, store, visitor } = await open(t, { hashIds: false })
  await visitor.get('/in')
  const ids = [
    "'; DROP TABLE sessions; --",
    "' OR '1'='1",
    '" OR ""="',
    '%',
    '_'.repeat(36),
    '*',
    '../../etc/passwd',
    'NULL',
    '\0',
    ':name',
    '?',
    '$1',
    '[a-z]*',
  ]
  const thief = visitor.stranger()
  for (const id of ids) {
    assert.equal(store.get(id, HOUR, call), undefined, id)
    thief.jar.set(KEY, encodeURIComponent(id))
    assert.equal((await thief.get('/')).text, 'nobody', id)
    store.set(id, { user: id }, HOUR, call)
    assert.deepEqual(store.get(id, HOUR, call), { user: id })
    store.destroy(id, call)
    assert.equal(store.get(id, HOUR, call), undefined, id)
  }
  for (const subject of ids) assert.equal(await store.destroyAll(subject), 0)
  assert.equal((await visitor.get('/')).text, 'ada@example.org', 'none of them touched what is not theirs')
  assert.equal(db.prepare('SELECT name FROM sessions').all().length, 1)
})

test('a table whose name is a query is refused', () => {
  for (const table of ['sessions; DROP TABLE users', 'sessions"', 'a b', 'a.b.c', '', '`', "'"]) {
    assert.throws(() => sqliteStore(new Database(':memory:'), { table }), { code: 'ERR_SESSION_OPTION' })
  }
})

test("one visitor can't evict the others: tombstones and sessions without a subject go first", async t => {
  const store = memoryStore({ max: 20 })
  const pages = {
    '/in': async (ctx: TestContext) => {
      ctx.session.user = ctx.get('x-user')
      await ctx.session.regenerate({ fresh: true })
    },
  }
  const { visitor, errors, events } = await serve(t, () => ({ store, subject: data => data.user }), pages)
  const others = Array.from({ length: 15 }, (_, n) => ({ user: `user ${n}`, browser: visitor.stranger() }))
  for (const { user, browser } of others) await browser.get('/in', { 'x-user': user })
  const attacks: Readonly<Record<string, () => Promise<unknown>>> = {
    'a sign-in with a cookie': () => visitor.get('/in', { 'x-user': 'mallory' }),
    'a sign-in without a cookie': () => visitor.stranger().get('/in', { 'x-user': 'mallory' }),
    'a visit': () => visitor.stranger().get('/cart'),
    'a visit, then a sign-in': async () => {
      const attacker = visitor.stranger()
      await attacker.get('/cart')
      await attacker.get('/in', { 'x-user': 'mallory' })
    },
  }
  for (const [what, attack] of Object.entries(attacks)) {
    for (let times = 0; times < 30; times++) await attack()
    for (const { user, browser } of others) assert.equal((await browser.get('/')).text, user, what)
    // Nor does it keep anybody out.
    const [{ browser }] = others as [(typeof others)[0]]
    await browser.get('/out')
    await browser.get('/cart')
    await browser.get('/in', { 'x-user': 'user 0' })
    assert.equal((await browser.get('/')).text, 'user 0', what)
  }
  assert.equal(store.size, 20)
  await told()
  assert.deepEqual(
    [errors, events.filter(([event]) => event !== 'session:missed' && event !== 'session:refused')],
    [[], []],
  )
})
