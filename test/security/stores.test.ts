/* Stores at rest: what a copy of the table is good for, and what an id can do in one. */

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import test from 'node:test'
import session from 'koa-session'
import { type SqlStoreOptions, sqliteStore } from 'koa-session/sqlite'
import Database from 'libsql'
import { visit } from '../support/agent.ts'
import { createApp } from '../support/koa.ts'
import { newSecret } from '../support/secrets.ts'
import { KEY } from '../support/story.ts'

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
