/* Ids: who may bring one, what is done with it before it is believed, and what becomes of it at sign-in. */

import assert from 'node:assert/strict'
import test from 'node:test'
import type { Store } from 'koa-session'
import { memoryStore } from 'koa-session/memory'
import { Clock } from '../support/agent.ts'
import type { TestContext } from '../support/koa.ts'
import { appOf, ask, HOUR, KEY, KEYED_MODES, STORE_MODES, simpleStore, tell, told } from '../support/story.ts'

const EXTERNAL = {
  get: (ctx: TestContext) => ctx.get('x-id'),
  set: (ctx: TestContext, id: string) => ctx.set('x-id', id),
}

/** `store`, which writes down the ids that it is asked for. */
function spying(store: object): { store: Store; asked: Set<string> } {
  const asked = new Set<string>()
  const made: Record<string, unknown> = {}
  for (const [name, method] of Object.entries(store)) {
    if (typeof method !== 'function') continue
    made[name] = (id: string, ...more: unknown[]) => {
      asked.add(id)
      return method.call(store, id, ...more)
    }
  }
  const { get, set, destroy } = made
  return { store: Object.assign(made, { plain: { get, set, destroy } }) as unknown as Store, asked }
}

for (const [mode, options] of Object.entries(STORE_MODES)) {
  test(`no timing oracle (CVE-2019-16782): ${mode}: no id reaches it but those that were issued`, async t => {
    const issued = new Set<string>()
    const { store, asked } = spying(options(new Clock()).store as object)
    const pages = { '/id': (ctx: TestContext) => issued.add(ctx.session.externalKey) }
    const { visitor } = await tell(t, options, { store }, pages)
    await visitor.get('/in')
    await visitor.get('/id')
    const [id = ''] = issued
    for (const guess of [id, `${id.slice(0, -1)}0`, 'a', id.slice(0, 8), '%', '*']) {
      const attacker = visitor.stranger()
      attacker.jar.set(KEY, guess)
      attacker.jar.set(`${KEY}.sig`, 'A'.repeat(27))
      assert.equal((await attacker.get('/')).text, 'nobody')
    }
    for (const one of asked)
      assert.ok(one === id || store.get(one, HOUR, {} as never) === null || isRetired(store, one))
    assert.ok(!asked.has('a') && !asked.has('*'))
  })

  test(`no usable credential in a dump: ${mode}: an id as the store has it opens nothing`, async t => {
    const ids: string[] = []
    const pages = { '/id': (ctx: TestContext) => ids.push(ctx.session.externalKey) }
    const { visitor, reasons } = await tell(t, options, {}, pages)
    await visitor.get('/in')
    await visitor.get('/id')
    const thief = visitor.stranger()
    thief.jar.set(KEY, String(ids[0]))
    assert.equal((await thief.get('/')).text, 'nobody')
    await told()
    assert.equal(reasons().length, 1)
    assert.equal((await visitor.get('/')).text, 'ada')
  })

  test(`an id that the server did not issue is never adopted (CVE-2024-38513, CVE-2018-1000519): ${mode}`, async t => {
    // The worst case: an unsigned way for the id.
    const { store } = options(new Clock())
    const { visitor, events } = await tell(t, () => ({ store: store as Store, externalKey: EXTERNAL }))
    for (const id of [
      'made-up',
      ' ',
      '0',
      'undefined',
      'null',
      '{}',
      '__proto__',
      '00000000-0000-4000-8000-000000000000',
    ]) {
      const { text, headers } = await visitor.get('/cart', { 'x-id': id })
      assert.equal(text, 'cart')
      assert.match(String(headers.get('x-id')), /^[0-9a-f]{8}-/)
    }
    await told()
    assert.ok(events.every(([event, { reason }]) => event !== 'session:refused' || reason === 'missing'))
  })

  test(`an id that has expired, or was signed out, is not adopted for the next session: ${mode}`, async t => {
    const { visitor, clock } = await tell(t, options)
    await visitor.get('/in')
    const ids = new Set([visitor.jar.get(KEY)])
    const kept = visitor.copy()
    clock.elapse(HOUR + 1)
    await visitor.get('/cart')
    ids.add(visitor.jar.get(KEY))
    await visitor.get('/out')
    await kept.get('/cart')
    ids.add(kept.jar.get(KEY))
    assert.equal(ids.size, 3)
    assert.equal((await kept.get('/')).text, 'nobody')
  })

  test(`login gets a new id (CVE-2022-25896): ${mode}: one that was planted is worth nothing after it`, async t => {
    const { visitor } = await tell(t, options)
    const attacker = visitor.stranger()
    await attacker.get('/cart')
    for (const [name, value] of attacker.jar) visitor.jar.set(name, value)
    await visitor.get('/in')
    assert.notEqual(visitor.jar.get(KEY), attacker.jar.get(KEY))
    assert.equal((await visitor.get('/')).text, 'ada')
    assert.equal((await attacker.get('/')).text, 'nobody')
    await attacker.get('/cart')
    assert.equal((await attacker.get('/')).text, 'nobody')
    assert.equal((await visitor.get('/')).text, 'ada')
  })
}

function isRetired(store: Store, id: string): boolean {
  const payload = store.get(id, HOUR, {} as never)
  return payload === undefined || Object.hasOwn(Object(payload), '_retired')
}

for (const [mode, options] of Object.entries({
  ...STORE_MODES,
  'signed cookie': () => ({}),
  sealed: () => ({ seal: true }),
})) {
  test(`pre-login data can be dropped at login (CVE-2023-29019, CVE-2023-29020): ${mode}`, async t => {
    const pages = {
      '/plant': (ctx: TestContext) => Object.assign(ctx.session, { csrf: 'known to the attacker', cart: ['theirs'] }),
      '/sign-in': async (ctx: TestContext) => {
        ctx.session.user = 'ada'
        await ctx.session.regenerate({ keep: ['user'] })
      },
      '/clean': (ctx: TestContext) => ctx.session.regenerate({ keep: [] }),
    }
    const { visitor } = await tell(t, options, {}, pages)
    await visitor.get('/plant')
    await visitor.get('/sign-in')
    assert.deepEqual(JSON.parse((await visitor.get('/all')).text), { user: 'ada' })
    await visitor.get('/plant')
    await visitor.get('/clean')
    assert.equal((await visitor.get('/all')).text, '{}')
  })
}

test('the empty string is never an id (CVE-2015-3982): presented, issued, or given by an application', async t => {
  const { store, asked } = spying(memoryStore())
  const { visitor } = await tell(t, () => ({ store, externalKey: EXTERNAL }))
  await visitor.get('/cart', { 'x-id': '' })
  assert.ok(!asked.has('') && asked.size === 1)
  const { app, errors } = appOf({ store, genid: () => '' })
  assert.equal((await ask(app, '/cart', '')).status, 500)
  assert.equal(errors[0]?.code, 'ERR_SESSION_ID')
  assert.equal((await ask(app, '/', `${KEY}=; ${KEY}.sig=`)).status, 500)
  const { app: signed } = appOf({ store })
  assert.equal((await ask(signed, '/', `${KEY}=; ${KEY}.sig=`)).text, 'nobody')
  assert.ok(!asked.has(''))
})

for (const [what, given] of Object.entries({
  '{}': {},
  null: null,
  '""': '',
  '[]': [],
  false: false,
  'a text': 'ada',
})) {
  test(`${what} is not “valid” (CVE-2018-1000519): a store that has it under an id has no session`, async t => {
    const store = { ...simpleStore(), get: () => given }
    const { visitor } = await tell(t, () => ({ store, externalKey: EXTERNAL }))
    const { text, headers } = await visitor.get('/cart', { 'x-id': 'planted' })
    assert.equal(text, 'cart')
    assert.notEqual(headers.get('x-id') ?? 'planted', 'planted')
  })
}

test('an empty record is not “valid”, either: a store that is written to key by key has no session there', async t => {
  const memory = memoryStore()
  const { store } = spying({ ...memory, read: () => ({ members: {}, lifetime: {} }) })
  const { visitor } = await tell(t, () => ({ store, externalKey: EXTERNAL }))
  const { headers } = await visitor.get('/cart', { 'x-id': 'planted' })
  assert.notEqual(headers.get('x-id') ?? 'planted', 'planted')
})

for (const [mode, options] of Object.entries(KEYED_MODES)) {
  test(`create detects a collision, on regenerate too (tower-sessions 0.12): ${mode}`, async t => {
    const ids = ['one', 'unused', 'one', 'one', 'two']
    const genid = () => ids.shift() ?? 'spent'
    const { visitor, errors } = await tell(t, options, { genid })
    const other = visitor.stranger()
    await visitor.get('/cart')
    await other.get('/in')
    assert.equal(ids.length, 0, 'asked for another one')
    assert.equal((await visitor.get('/')).text, 'nobody')
    assert.equal((await other.get('/')).text, 'ada')
    ids.splice(0, ids.length, 'four', 'four', 'four', 'four')
    const third = visitor.stranger()
    await third.get('/cart')
    const fourth = visitor.stranger()
    assert.equal((await fourth.get('/cart')).status, 500)
    assert.deepEqual(
      errors.map(({ code }) => code),
      ['ERR_SESSION_ID'],
    )
  })
}

test('a memory store checks expiry on read (tower-sessions 0.4.3), and forgets what has expired', () => {
  const clock = new Clock(0)
  const store = memoryStore({ now: clock.now })
  store.set('id', { user: 'ada' }, 1000)
  clock.elapse(999)
  assert.deepEqual(store.get('id'), { user: 'ada' })
  clock.elapse(1)
  assert.equal(store.touch('id', {}, 1000), false)
  assert.equal(store.get('id'), undefined)
  assert.equal(store.size, 0)
})

const HOSTILE = [
  '../../etc/passwd',
  '..',
  '/',
  'a\0b',
  "' OR 1=1 --",
  '__proto__',
  'constructor',
  'toString',
  '*',
  '%2e%2e',
]
HOSTILE.push('a'.repeat(4000), '\u202e', '{"$gt":""}', 'hasOwnProperty')

test('an id never becomes a path, a query or anything else (CVE-2024-3400): to memoryStore it is a name', () => {
  const store = memoryStore()
  for (const id of HOSTILE) {
    assert.equal(store.get(id), undefined, id)
    assert.equal(store.read(id), undefined, id)
    assert.equal(store.touch(id, {}, 1000), false, id)
    store.destroy(id)
  }
  for (const id of HOSTILE) store.set(id, { id }, 1000)
  for (const id of HOSTILE) assert.deepEqual(store.get(id), { id })
  assert.equal(store.size, HOSTILE.length)
  assert.equal(Object.hasOwn(Object.prototype, 'id'), false)
})
