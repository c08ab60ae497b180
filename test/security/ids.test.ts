/* Ids: who may bring one, what is done with it before it is believed, and what becomes of it at sign-in. */

import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import type { CreateSessionOptions, Store } from 'koa-session'
import { connectStore, type ExpressStore } from 'koa-session/connect'
import { memoryStore } from 'koa-session/memory'
import { migrate } from 'koa-session/migrate'
import { manualClock } from 'koa-session/testing'
import { codesOf } from '../support/errors.ts'
import type { TestContext } from '../support/koa.ts'
import { appOf, ask, HOUR, KEY, KEYED_MODES, STORE_MODES, serve, simpleStore, told } from '../support/story.ts'

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
    const { store, asked } = spying(options(manualClock()).store as object)
    const pages = { '/id': (ctx: TestContext) => issued.add(ctx.session.externalKey) }
    const { visitor } = await serve(t, options, pages, { options: { store } })
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
    const { visitor, reasons } = await serve(t, options, pages)
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
    const { store } = options(manualClock())
    const { visitor, events } = await serve(t, () => ({ store: store as Store, externalKey: EXTERNAL }))
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
    const { visitor, clock } = await serve(t, options)
    await visitor.get('/in')
    const ids = new Set([visitor.jar.get(KEY)])
    const kept = visitor.copy()
    clock.advance(HOUR + 1)
    await visitor.get('/cart')
    ids.add(visitor.jar.get(KEY))
    await visitor.get('/out')
    await kept.get('/cart')
    ids.add(kept.jar.get(KEY))
    assert.equal(ids.size, 3)
    assert.equal((await kept.get('/')).text, 'nobody')
  })

  test(`login gets a new id (CVE-2022-25896): ${mode}: one that was planted is worth nothing after it`, async t => {
    const { visitor } = await serve(t, options)
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
    const { visitor } = await serve(t, options, pages)
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
  const { visitor } = await serve(t, () => ({ store, externalKey: EXTERNAL }))
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
    const { visitor } = await serve(t, () => ({ store, externalKey: EXTERNAL }))
    const { text, headers } = await visitor.get('/cart', { 'x-id': 'planted' })
    assert.equal(text, 'cart')
    assert.notEqual(headers.get('x-id') ?? 'planted', 'planted')
  })
}

test('an empty record is not “valid”, either: a store that is written to key by key has no session there', async t => {
  const memory = memoryStore()
  const { store } = spying({ ...memory, read: () => ({ members: {}, lifetime: {} }) })
  const { visitor } = await serve(t, () => ({ store, externalKey: EXTERNAL }))
  const { headers } = await visitor.get('/cart', { 'x-id': 'planted' })
  assert.notEqual(headers.get('x-id') ?? 'planted', 'planted')
})

for (const [mode, options] of Object.entries(KEYED_MODES)) {
  test(`create detects a collision, on regenerate too (tower-sessions 0.12): ${mode}`, async t => {
    const ids = ['one', 'unused', 'one', 'one', 'two']
    const genid = () => ids.shift() ?? 'spent'
    const { visitor, errors } = await serve(t, options, {}, { options: { genid } })
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
    assert.deepEqual(codesOf(errors), ['ERR_SESSION_ID'])
  })
}

test('a memory store checks expiry on read (tower-sessions 0.4.3), and forgets what has expired', () => {
  const clock = manualClock(0)
  const store = memoryStore({ now: clock.now })
  store.set('id', { user: 'ada' }, 1000)
  clock.advance(999)
  assert.deepEqual(store.get('id'), { user: 'ada' })
  clock.advance(1)
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

/** Sessions in files that are named as the ids are, as session-file-store has them. */
function fileStore(folder: string): ExpressStore & { readonly asked: string[] } {
  const asked: string[] = []
  const fileOf = (id: string) => {
    asked.push(id)
    return join(folder, `${id}.json`)
  }
  return {
    asked,
    get: (id, callback) => readFile(fileOf(id), 'utf8').then(text => callback(null, JSON.parse(text)), callback),
    set: (id, data, callback) => writeFile(fileOf(id), JSON.stringify(data)).then(() => callback(), callback),
    destroy: (id, callback) => rm(fileOf(id)).then(() => callback(), callback),
  }
}

/** How a store reaches the middleware. */
const WAYS: Readonly<Record<string, (files: ExpressStore) => CreateSessionOptions>> = {
  connectStore: files => ({ store: connectStore(files) }),
  migrate: files => ({ store: migrate(connectStore(files), memoryStore()) }),
  'a ContextStore': files => ({
    ContextStore: class {
      readonly #store = connectStore(files)
      get(...given: Parameters<Store['get']>) {
        return this.#store.get(...given)
      }
      set(...given: Parameters<Store['set']>) {
        return this.#store.set(...given)
      }
      destroy(...given: Parameters<Store['destroy']>) {
        return this.#store.destroy(...given)
      }
    },
  }),
}

/** One that was written without a thought of signatures. */
const THOUGHTLESS: typeof WAYS = {
  'a ContextStore that passes the id alone': files => ({
    ContextStore: class {
      readonly #store = connectStore(files)
      get(id: string) {
        return this.#store.get(id)
      }
      set(id: string, payload: object, ttl: number) {
        return this.#store.set(id, { ...payload }, ttl)
      }
      destroy(id: string) {
        return this.#store.destroy(id)
      }
    },
  }),
}

async function filed(t: test.TestContext) {
  const root = await mkdtemp(join(tmpdir(), 'koa-session-'))
  t.after(() => rm(root, { recursive: true }))
  const folder = join(root, 'sessions')
  await mkdir(folder)
  const secret = join(root, 'users.json')
  await writeFile(secret, JSON.stringify({ user: 'admin', _expire: 8e15, _maxAge: HOUR }))
  return { files: fileStore(folder), secret, before: await readFile(secret, 'utf8') }
}

for (const [way, make] of Object.entries({ ...WAYS, ...THOUGHTLESS })) {
  for (const [how, unsigned] of Object.entries<CreateSessionOptions>({
    externalKey: { externalKey: EXTERNAL },
    'signed: false': { signed: false },
  })) {
    test(`an id that nothing signed never becomes a path (CVE-2025-61686): ${how}, through ${way}`, async t => {
      const { files, secret, before } = await filed(t)
      const { visitor, errors, reasons } = await serve(t, () => ({ ...make(files), ...unsigned }))
      for (const id of ['../users', '..%2fusers', './../users', secret.slice(0, -5), '../sessions/../users']) {
        for (const page of ['/', '/cart', '/out']) {
          const thief = visitor.stranger()
          thief.jar.set(KEY, id)
          const { status, text } = await thief.get(page, { 'x-id': id })
          assert.deepEqual([status, text], [200, { '/': 'nobody' }[page] ?? page.slice(1)], id)
        }
      }
      assert.equal(await readFile(secret, 'utf8'), before)
      assert.ok(files.asked.every(id => /^[\w-]+$/.test(id)))
      assert.deepEqual(errors, [])
      await told()
      assert.ok(reasons().length >= 15 && reasons().every(reason => reason === 'missing'))
    })
  }
}

for (const [way, make] of Object.entries(WAYS)) {
  test(`an id with a prefix that is signed goes on working: through ${way}`, async t => {
    for (const seal of [false, true]) {
      const { files } = await filed(t)
      const { visitor, errors } = await serve(t, () => ({ ...make(files), prefix: 'app:v1.', seal }))
      await visitor.get('/in')
      assert.equal((await visitor.get('/')).text, 'ada')
      const kept = visitor.copy()
      await visitor.get('/out')
      assert.equal((await kept.get('/')).text, 'nobody')
      assert.ok(files.asked.every(id => id.startsWith('app:v1.')) && files.asked.length > 0)
      assert.deepEqual(errors, [])
    }
  })
}

for (const [how, options, signed] of [
  ['a signed cookie', {}, true],
  ['a sealed cookie', { seal: true }, true],
  ['a sealed cookie that takes signed ones', { seal: { acceptSigned: true } }, true],
  ['signed: false', { signed: false }, false],
  ['externalKey', { externalKey: EXTERNAL }, false],
] as const) {
  test(`a store is told whether the id was signed: with ${how} it is ${signed}`, async t => {
    for (const made of [simpleStore(), memoryStore()]) {
      const told = new Map<string, unknown>()
      const listening: Record<string, unknown> = {}
      for (const [name, method] of Object.entries(made)) {
        if (typeof method !== 'function') continue
        listening[name] = (...given: unknown[]) => {
          told.set(name, Object(given.at(-1)).signed)
          return method(...given)
        }
      }
      const { get, set, destroy } = listening
      const store = Object.assign(listening, { plain: { get, set, destroy } }) as unknown as Store
      const pages = { '/more': (ctx: TestContext) => Object.assign(ctx.session, { more: true }).more }
      const { visitor } = await serve(t, () => ({ store, rolling: true, ...options }), pages)
      const id = { 'x-id': String((await visitor.get('/cart')).headers.get('x-id') ?? '') }
      await visitor.get('/', id)
      await visitor.get('/more', id)
      const { headers } = await visitor.get('/in', id)
      await visitor.get('/out', { 'x-id': headers.get('x-id') ?? '' })
      const calls =
        'read' in made ? ['create', 'destroy', 'patch', 'read', 'retire', 'touch'] : ['destroy', 'get', 'set']
      assert.deepEqual(
        [...told].sort(),
        calls.map(name => [name, signed]),
      )
    }
  })
}

test('a new id that nothing signs and that is not accepted is an error that says what to do', async t => {
  const { files } = await filed(t)
  const options = { signed: false, prefix: 'app:v1.' }
  const { visitor, errors } = await serve(t, () => ({ ...options, store: connectStore(files) }))
  assert.equal((await visitor.get('/cart')).status, 500)
  assert.match(String(errors[0]?.message), /set the option ids to a pattern that your ids match, or sign the cookie/)
  assert.equal(errors[0]?.message.includes('app:v1.'), false)
  const { visitor: other } = await serve(t, () => ({
    ...options,
    store: connectStore(files, { ids: /app:v1\.[\w-]+/ }),
  }))
  await other.get('/in')
  assert.equal((await other.get('/')).text, 'ada')
})
