/* What is moved from one store to another, for how long, and what is not; and visitors of koa-session 7 who go on. */

import assert from 'node:assert/strict'
import test from 'node:test'
import type { Store } from 'koa-session'
import { memoryStore } from 'koa-session/memory'
import { type MigrateOptions, migrate } from 'koa-session/migrate'
import { manualClock } from 'koa-session/testing'
import session7 from 'koa-session-7'
import { visit } from '../support/agent.ts'
import { createApp, type TestApp } from '../support/koa.ts'
import { appOf, moved, SECRETS, simpleStore } from '../support/story.ts'

const NOW = 1_700_000_000_000
const HOUR = 3_600_000
const DAY = 86_400_000
const call = { ctx: undefined, rolling: false }
const LIFETIME = { _expire: NOW + HOUR, _maxAge: HOUR }

function open(payload?: unknown, options: MigrateOptions = {}) {
  const clock = manualClock(NOW)
  const old = new Map<string, unknown>(payload === undefined ? [] : [['a', payload]])
  const asked: string[] = []
  const told: unknown[] = []
  const from: Store = {
    get: (id, ...given) => {
      asked.push('get')
      told.push(given)
      return old.get(id)
    },
    set: () => assert.fail('the old store is not written to'),
    destroy: id => {
      asked.push('destroy')
      old.delete(id)
    },
  }
  const to = memoryStore({ now: clock.now })
  const store = migrate(from, to, { now: clock.now, ...options })
  return { clock, old, asked, told, to, store }
}

test('a session is moved when it is read, and the old store is not asked for it again', async () => {
  const { store, old, to, asked, told } = open({ user: 'ada', ...LIFETIME })
  const record = await store.read('a', { ctx: undefined } as never)
  for (const given of told) assert.deepEqual(given, [DAY, { ctx: undefined, rolling: false }])
  assert.deepEqual(record, to.read('a'))
  assert.deepEqual(record?.members, { user: '"ada"' })
  assert.deepEqual(record?.lifetime, LIFETIME)
  assert.equal(old.size, 0)
  asked.length = 0
  assert.deepEqual(await store.get('a', HOUR, call), { user: 'ada', ...LIFETIME })
  assert.deepEqual(asked, [])
})

test('a session that nobody has read is moved before it is written to', async t => {
  const patch = { set: { n: '1' }, unset: [], lifetime: LIFETIME, keepsEmpty: false }
  const writes: Readonly<Record<string, (store: ReturnType<typeof open>['store']) => unknown>> = {
    extended: store => store.touch('a', LIFETIME, HOUR, call),
    patched: store => store.patch('a', patch, HOUR, call),
    'set as a whole': store => store.set('a', { user: 'ada' }, HOUR, { ...call, changed: true }),
    'given a new id': store => store.retire?.('a', { successor: 'b' }, HOUR, call),
  }
  for (const [how, write] of Object.entries(writes)) {
    await t.test(how, async () => {
      const { store, old, to } = open({ user: 'ada', ...LIFETIME })
      assert.ok(![false, 'gone'].includes((await write(store)) as never))
      assert.deepEqual([old.size, to.size], [0, 1])
      const { version, retiredAt } = to.read('a') ?? {}
      assert.ok(retiredAt !== undefined || Number(version) > 1, 'it was there')
    })
  }
})

test('a session without data is moved as one', async () => {
  const { store, old } = open(LIFETIME)
  const { members, lifetime } = (await store.read('a', call)) ?? {}
  assert.deepEqual([members, lifetime, old.size], [{}, LIFETIME, 0])
})

test('what is moved lives as long as it would have, and ten seconds more', async t => {
  const rows: ReadonlyArray<readonly [claim: string, lifetime: object, ttl: number, options?: MigrateOptions]> = [
    ['until it expires', { _expire: NOW + 5_000, _maxAge: HOUR }, 15_000],
    ['for its idle lifetime where it does not say when', { _maxAge: HOUR }, HOUR + 10_000],
    ['for a day where it says nothing', {}, DAY],
    ['for a day until the browser closes', { _session: true }, DAY],
    ['for as long as the option says', { _session: true }, 7 * DAY, { ttl: 7 * DAY }],
    ['for a day where the instant is none', { _expire: 'soon' }, DAY],
  ]
  for (const [claim, lifetime, ttl, options] of rows) {
    await t.test(claim, async () => {
      const { store, clock } = open({ user: 'ada', ...lifetime }, options)
      assert.ok(await store.read('a', call))
      clock.advance(ttl - 1)
      assert.ok(await store.read('a', call))
      clock.advance(1)
      assert.equal(await store.read('a', call), undefined)
    })
  }
})

test('what is no session is nothing, and is not moved', async t => {
  const cycle: Record<string, unknown> = { user: 'ada' }
  cycle.self = cycle
  const rows: Readonly<Record<string, unknown>> = {
    nothing: undefined,
    null: null,
    'a text that is no JSON': '{"user":',
    'an empty text': '',
    'the JSON of a list': '[1]',
    'the JSON of a number': '5',
    'a list': [{ user: 'ada' }],
    'an empty object': {},
    'what JSON can not hold': cycle,
    'a session that has expired': { user: 'ada', _expire: NOW - 1 },
  }
  for (const [what, payload] of Object.entries(rows)) {
    await t.test(what, async () => {
      const { store, to } = open(payload)
      assert.equal(await store.read('a', call), undefined)
      assert.equal(await store.get('a', HOUR, call), undefined)
      assert.equal(to.size, 0)
      assert.equal(await store.create('a', { members: { user: '"eve"' }, lifetime: LIFETIME }, HOUR, call), true)
    })
  }
})

test('a session is moved from JSON text, with hostile names and values', async () => {
  const text = `{"__proto__":{"a":1},"$.a":null,"a.b":"\\ud800","😀":{"n":[1]},"_moving:":1,"_expire":${NOW + HOUR}}`
  const { store } = open(text)
  const record = await store.read('a', call)
  assert.deepEqual(record?.members, { '$.a': 'null', 'a.b': '"\\ud800"', '😀': '{"n":[1]}' })
})

test('an id that was given up in the old store stays so', async () => {
  const { store, to } = open({ _retired: NOW - 1 })
  assert.deepEqual(await store.read('a', call), { members: {}, lifetime: {}, retiredAt: NOW - 1 })
  assert.deepEqual(await store.get('a', HOUR, call), { _retired: NOW - 1 })
  assert.equal(await store.create('a', { members: {}, lifetime: LIFETIME }, HOUR, call), false)
  await store.set('a', { user: 'eve', ...LIFETIME }, HOUR, { ...call, changed: true })
  assert.deepEqual(await store.get('a', HOUR, call), { _retired: NOW - 1 })
  assert.equal(to.size, 0)
})

test('a copy that was left behind half-way is taken up where its session lives, and dropped where it does not', async () => {
  const half = { members: { user: '"ada"', '_moving:1': 'true' }, lifetime: LIFETIME }
  const alive = open({ user: 'ada', ...LIFETIME })
  alive.to.create('a', half, HOUR)
  assert.deepEqual((await alive.store.read('a', call))?.members, { user: '"ada"' })
  assert.equal(alive.old.size, 0)
  const ended = open()
  ended.to.create('a', half, HOUR)
  assert.equal(await ended.store.get('a', HOUR, call), undefined)
  assert.equal(ended.to.size, 0)
})

test('what the old store still has of a session that was moved goes when it ends', async t => {
  const ends: Readonly<Record<string, (store: ReturnType<typeof open>['store']) => unknown>> = {
    'by destroy': store => store.destroy('a', call),
    'by a new id': store => store.retire?.('a', {}, 1, call),
    'by a patch that leaves nothing': store =>
      store.patch('a', { set: {}, unset: ['user'], lifetime: LIFETIME, keepsEmpty: false }, HOUR, call),
  }
  for (const [how, end] of Object.entries(ends)) {
    await t.test(how, async () => {
      const { store, to, old, clock } = open({ user: 'ada', ...LIFETIME })
      to.create('a', { members: { user: '"ada"' }, lifetime: LIFETIME }, HOUR)
      await end(store)
      assert.equal(old.size, 0)
      clock.advance(1)
      assert.equal(await store.read('a', call), undefined)
    })
  }
})

test('a session that was given new ids ends by any of them, in whichever store they are', async () => {
  const now = () => NOW
  const from = memoryStore({ now })
  const to = memoryStore({ now })
  const store = migrate(from, to, { now })
  const record = { members: { user: '"ada"' }, lifetime: LIFETIME }
  for (const old of [from, to]) {
    old.create('a', record, HOUR)
    old.create('b', record, HOUR)
    old.retire('a', { successor: 'b' }, HOUR)
    await store.destroy('a', call)
    assert.deepEqual([from.size, to.size], [0, 0])
  }
  // The old id is moved before it is retired.
  from.create('a', record, HOUR)
  assert.equal(await store.create('b', record, HOUR, call), true)
  for (const _ of [1, 2]) assert.equal(await store.retire?.('a', { successor: 'b' }, HOUR, call), 'saved')
  await store.destroy('a', call)
  assert.deepEqual([from.size, to.size], [0, 0])
})

test('to retire an id that the old store has retired ends nothing there', async () => {
  const [from, to] = [memoryStore(), memoryStore()]
  const record = { members: { user: '"ada"' }, lifetime: {} }
  for (const id of ['a', 'b']) from.create(id, record, HOUR)
  from.retire('a', { successor: 'b' }, HOUR)
  const store = migrate(from as unknown as Store, to)
  assert.equal(await store.retire?.('a', { successor: 'c' }, HOUR, call), 'gone')
  assert.deepEqual(from.read('b')?.members, record.members)
})

test('a store that fails rejects', async () => {
  const down = new Error('the server is down')
  const fail = () => Promise.reject(down)
  const from: Store = { get: fail, set: fail, destroy: fail }
  const store = migrate(from, memoryStore())
  await assert.rejects(store.read('a', call) as Promise<unknown>, down)
  await assert.rejects(store.get('a', HOUR, call) as Promise<unknown>, down)
  await assert.rejects(store.destroy('a', call) as Promise<unknown>, down)
})

test('the sessions of a subject are those of the new store', async () => {
  const { store, to } = open()
  const record = { members: { user: '"ada"' }, lifetime: LIFETIME }
  assert.equal(await store.create('a', record, HOUR, call), true)
  to.patch('a', { set: {}, unset: [], lifetime: LIFETIME, keepsEmpty: true, subject: null }, HOUR)
  assert.deepEqual(store.list('ada'), [])
  assert.equal(store.destroyAll('ada'), 0)
})

test('a method that the new store lacks is lacking, and a store that is not written to key by key is refused', () => {
  const { plain, get, set, destroy, read, create, patch, touch } = memoryStore()
  const store = migrate(simpleStore(), { plain, get, set, destroy, read, create, patch, touch })
  assert.deepEqual(
    ['retire', 'list', 'destroyAll'].filter(name => name in store),
    [],
  )
  const rows: ReadonlyArray<readonly [from: unknown, to: unknown, options: object, option: string]> = [
    [{}, memoryStore(), {}, 'from'],
    [undefined, memoryStore(), {}, 'from'],
    [simpleStore(), simpleStore(), {}, 'to'],
    [simpleStore(), undefined, {}, 'to'],
    [simpleStore(), memoryStore(), { ttl: 0 }, 'ttl'],
    [simpleStore(), memoryStore(), { ttl: '1d' }, 'ttl'],
    [simpleStore(), memoryStore(), { now: 5 }, 'now'],
  ]
  for (const [from, to, options, option] of rows) {
    const message = new RegExp(`^migrate: ${option} was `)
    assert.throws(() => migrate(from as Store, to as Store, options), { code: 'ERR_SESSION_OPTION', message })
  }
})

test('nobody is signed out when an application of koa-session 7 gets a new store', async t => {
  const records = new Map<string, string>()
  const before: TestApp = createApp()
  before.keys = [...SECRETS]
  const { get, set, destroy } = simpleStore(records)
  const add = session7 as unknown as (options: object, app: TestApp) => Parameters<TestApp['use']>[0]
  before.use(add({ store: { get, set, destroy }, maxAge: HOUR }, before))
  before.use(ctx => {
    ctx.session.user = ctx.query.user
    ctx.body = 'in'
  })
  const origin = await visit(t, before)
  const users = ['ada', 'bob', 'eve']
  const visitors = users.map(() => origin.stranger())
  for (const [at, visitor] of visitors.entries()) await visitor.get(`/?user=${users[at]}`)
  assert.equal(records.size, 3)

  const to = memoryStore()
  // With JSON strings, as they are in Redis.
  const from: Store = { get: id => records.get(id), set: () => assert.fail(), destroy: id => records.delete(id) }
  const pages = {
    '/count': (ctx: { session: Record<string, number> }) => {
      ctx.session.n = (ctx.session.n ?? 0) + 1
      return ctx.session.n
    },
  }
  const { app, errors, reasons } = appOf({ store: migrate(from, to), maxAge: HOUR }, pages)
  const [ada, bob, eve] = await Promise.all(visitors.map(visitor => moved(t, visitor, app)))
  const texts = await Promise.all([ada, ada, ada, bob].map(async visitor => (await visitor?.get('/'))?.text))
  assert.deepEqual(texts, ['ada', 'ada', 'ada', 'bob'])
  assert.equal((await bob?.get('/count'))?.text, '1')
  assert.equal((await bob?.get('/count'))?.text, '2')
  await eve?.get('/out')
  assert.equal((await (await moved(t, visitors[2] as never, app)).get('/')).text, 'nobody')
  assert.deepEqual([records.size, to.size], [0, 2])
  assert.deepEqual([errors, reasons()], [[], ['missing']])
})
