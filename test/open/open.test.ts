/** `openSession()`: the session behind a cookie header, without Koa. */

import assert from 'node:assert/strict'
import test, { type TestContext as Test } from 'node:test'
import session, { type CreateSessionOptions } from 'koa-session'
import { memoryStore } from 'koa-session/memory'
import { type OpenOptions, openSession } from 'koa-session/open'
import { manualClock } from 'koa-session/testing'
import { visit } from '../support/agent.ts'
import { createApp } from '../support/koa.ts'
import { newSecret } from '../support/secrets.ts'
import { HOUR, headerOf, SECRETS, simpleStore } from '../support/story.ts'

type Options = CreateSessionOptions
type Data = Record<string, unknown>
const open = (cookie: Parameters<typeof openSession>[0], options: Options, more: OpenOptions = {}) =>
  openSession(cookie, { keys: SECRETS, ...options, ...more } as OpenOptions)

/** The header of a visitor who has signed in to an application with these options. */
async function signedIn(t: Test, options: Options): Promise<string> {
  const app = createApp()
  app.keys = [...SECRETS]
  app.use(session(options, app))
  app.use(async ctx => {
    Object.assign(ctx.session, { user: 'ann', cart: ['a book'], text: 'x'.repeat(ctx.query.size ?? 0) })
    await ctx.session.regenerate({ fresh: true })
    ctx.body = 'ok'
  })
  const visitor = await visit(t, app)
  await visitor.get(`/?size=${options.chunks ? 5000 : 0}`)
  return headerOf(visitor.jar)
}

const clock = manualClock(Date.now())
const { now } = clock
const MODES: Readonly<Record<string, () => Options>> = {
  'signed cookie': () => ({ now }),
  'sealed cookie': () => ({ now, seal: true }),
  'sealed cookie in pieces': () => ({ now, seal: true, chunks: true }),
  'unsigned cookie': () => ({ now, signed: false }),
  store: () => ({ now, store: memoryStore({ now }) as never }),
  'store with a sealed id': () => ({ now, seal: true, store: memoryStore({ now }) as never }),
  'store of three methods': () => ({ now, store: simpleStore() }),
}
const idIn = (header: string) => /koa\.sess=([^;]*)/.exec(header)?.[1] ?? ''
const isStored = (options: Options) => options.store !== undefined

for (const [mode, make] of Object.entries(MODES)) {
  test(`${mode}: a header gives the session, which is frozen and can not be saved`, async t => {
    const options = make()
    const header = await signedIn(t, options)
    const { session: found } = await open(header, options)
    assert.ok(found)
    assert.deepEqual([found.user, found.cart, found.maxAge, found.isFresh(1000)], ['ann', ['a book'], 24 * HOUR, true])
    assert.equal(typeof found.externalKey, isStored(options) ? 'string' : 'undefined')
    assert.equal(typeof found.handle, isStored(options) ? 'string' : 'undefined')
    assert.throws(() => Object.assign(found, { user: 'bob' }), TypeError)
    await assert.rejects((found as unknown as { save(): Promise<void> }).save(), { code: 'ERR_SESSION_HEADERS_SENT' })
    assert.equal((await open(`other=1; ${header}`, options)).session?.user, 'ann')
    assert.equal((await open(header.split('; '), options)).session?.user, 'ann')
    assert.equal((await open(` ${header}\n`, options)).session?.user, 'ann')
  })

  test(`${mode}: what is none, forged or from another secret is a reason`, async t => {
    const options = make()
    const header = await signedIn(t, options)
    // A browser lets a page of another subdomain set what begins so, and the value alone, whatever prefix the name has.
    const planted = [
      ...['\u00a0', '\u0085', '\ufeff', '\v'].map(space => space + header),
      header.split('=', 2).slice(1),
    ]
    for (const none of [undefined, null, '', 'other=1', 'other=', 'koa.sess.sig=', [], ...planted]) {
      assert.deepEqual(await open(none, options), { reason: 'missing' })
    }
    if (options.signed === false) return
    const others = await open(header, options, { keys: [newSecret()] })
    assert.deepEqual(others, { reason: 'signature' })
    const older = await open(header, options, { keys: [newSecret(), ...SECRETS] })
    assert.equal(older.session?.user, 'ann')
  })

  test(`${mode}: every check of the options is made, and nothing is changed by it`, async t => {
    const options = make()
    const header = await signedIn(t, options)
    const ctx = { of: 'the socket' }
    const seen: unknown[] = []
    const valid = (given: unknown, { user }: Data) => {
      seen.push(given)
      return user === 'bob'
    }
    assert.deepEqual(await open(header, { ...options, valid }), { reason: 'valid' })
    assert.deepEqual(await open(header, { ...options, valid }, { ctx }), { reason: 'valid' })
    assert.deepEqual(seen, [undefined, ctx])
    const asyncValid = async (_: unknown, { user }: Data) => user === 'ann'
    assert.equal((await open(header, { ...options, valid: asyncValid })).session?.user, 'ann')
    assert.deepEqual(await open(header, { ...options, notBefore: now() + 1 }), { reason: 'revoked' })
    const schema = { '~standard': { version: 1, vendor: 'test', validate: () => ({ issues: [{ message: '' }] }) } }
    assert.deepEqual(await open(header, { ...options, schema: schema as never }), { reason: 'schema' })
    const later = () => now() + 24 * HOUR + 1
    assert.deepEqual(await open(header, { ...options, now: later }), { reason: 'expired' })
    const inherited = Object.create({ ...options, keys: SECRETS, valid, maxage: 1000 })
    assert.deepEqual(await openSession(header, inherited), { reason: 'valid' })
    // What was revoked above is still there: the middleware ends it.
    assert.equal((await open(header, { ...options, rolling: true, lazy: true })).session?.user, 'ann')
  })
}

for (const [mode, make] of Object.entries(MODES)) {
  test(`${mode}: older data is upgraded and not saved, and that of a newer version is a reason`, async t => {
    const options = make()
    const upgrade = (data: Data, from: number) => void Object.assign(data, { name: `${data.user} ${from}` })
    const header = await signedIn(t, options)
    const { session: found } = await open(header, { ...options, version: 1, upgrade })
    assert.deepEqual([found?.name, found?.user], ['ann 0', 'ann'])
    assert.equal((await open(header, options)).session?.name, undefined)
    const newer = await signedIn(t, { ...options, version: 2, upgrade })
    assert.equal((await open(newer, { ...options, version: 2, upgrade })).session?.user, 'ann')
    for (const older of [{ version: 1, upgrade }, {}]) {
      assert.deepEqual(await open(newer, { ...options, ...older }), { reason: 'newer' })
    }
    await assert.rejects(open(header, { ...options, version: 1 }), { code: 'ERR_SESSION_OPTION' })
    const throws = () => {
      throw new Error('of upgrade')
    }
    await assert.rejects(open(header, { ...options, version: 1, upgrade: throws }), { message: 'of upgrade' })
  })
}

test('the value of a cookie is enough where nothing signs it apart', async t => {
  for (const mode of ['sealed cookie', 'unsigned cookie', 'store with a sealed id']) {
    const options = MODES[mode]?.() ?? {}
    const [, value] = /^koa\.sess=(.*)$/.exec(await signedIn(t, options)) ?? []
    assert.equal((await open(value, options)).session?.user, 'ann', mode)
  }
  const header = await signedIn(t, { now })
  const [, value] = /koa\.sess=([^;]*)/.exec(header) ?? []
  assert.deepEqual(await open(value, { now }), { reason: 'signature' })
})

test('a sealed session may still be a signed one, for the time of a migration', async t => {
  const header = await signedIn(t, { now })
  assert.deepEqual((await open(header, { now, seal: { acceptSigned: true } })).session?.user, 'ann')
  assert.ok((await open(header, { now, seal: true })).reason)
  for (const forged of [header.split('; ')[0], header.replace('sig=', 'sig=x')]) {
    assert.deepEqual(await open(forged, { now, seal: { acceptSigned: true } }), { reason: 'signature' })
  }
})

test('of two cookies of one name the live one counts', async t => {
  const options = { now, store: memoryStore({ now }) as never }
  const [dead, live] = [
    await signedIn(t, { ...options, store: memoryStore({ now }) as never }),
    await signedIn(t, options),
  ]
  assert.equal((await open(`${dead}; ${live}`, options)).session?.user, 'ann')
})

test('an id that was retired is a reason, and what took its place goes on', async t => {
  const store = memoryStore({ now })
  const options = { now, store: store as never }
  const header = await signedIn(t, options)
  store.retire(idIn(header), { successor: 'N' }, HOUR)
  assert.deepEqual(await open(header, options), { reason: 'retired' })
})

test('an id that is used again ends nothing: it is the middleware that ends what took its place', async t => {
  const store = memoryStore({ now })
  for (const subject of [undefined, ({ user }: Data) => String(user)]) {
    const options = { now, store: store as never, onReuse: 'end', subject: subject as never } as const
    const [header, successor] = [await signedIn(t, options), await signedIn(t, options)]
    store.retire(idIn(header), { successor: idIn(successor) }, HOUR)
    clock.advance(11_000)
    assert.deepEqual(await open(header, options), { reason: 'retired' })
    assert.equal((await open(successor, options)).session?.user, 'ann')
  }
})

test('a ContextStore is made with the context, and an id may come from elsewhere', async t => {
  const store = memoryStore({ now })
  await signedIn(t, { now, store: store as never, genid: () => 'an-id' })
  const seen: unknown[] = []
  class Own {
    constructor(ctx: unknown) {
      seen.push(ctx)
    }
    get = (id: string) => store.get(id)
    set = () => assert.fail('nothing is saved')
    destroy = () => assert.fail('nothing is deleted')
  }
  Object.assign(Own.prototype, { get() {}, set() {}, destroy() {} })
  const externalKey = { get: (ctx: { id?: string } | undefined) => ctx?.id, set() {} } as never
  const ctx = { id: 'an-id' }
  // Nothing is signed, so that there are no secrets.
  const found = await openSession(undefined, { now, ContextStore: Own as never, externalKey, ctx })
  assert.deepEqual([found.session?.user, seen], ['ann', [ctx]])
})

test('a ContextStore that can not be made is a store that failed', async () => {
  class Down {
    constructor() {
      throw new Error('no connection')
    }
  }
  Object.assign(Down.prototype, { get() {}, set() {}, destroy() {} })
  await assert.rejects(openSession('koa.sess=x', { ContextStore: Down as never, signed: false }), {
    code: 'ERR_SESSION_STORE',
    message: 'the session store could not be made: no connection',
  })
})

test('what the application has done wrong, and a store that is down, reject', async () => {
  const rows: readonly [OpenOptions, string][] = [
    [{}, 'ERR_SESSION_KEYS'],
    [{ keys: [] }, 'ERR_SESSION_KEYS'],
    [{ keys: [''] }, 'ERR_SESSION_KEYS'],
    [{ seal: true }, 'ERR_SESSION_KEYS'],
    [{ keys: ['short'], seal: true }, 'ERR_SESSION_KEYS'],
    [{ keys: SECRETS, maxAge: -1 }, 'ERR_SESSION_OPTION'],
  ]
  for (const [options, code] of rows) await assert.rejects(openSession('koa.sess=x', options), { code })
  for (const onStoreError of ['throw', 'anonymous'] as const) {
    const store = { ...simpleStore(), get: () => Promise.reject(new Error('down')) }
    await assert.rejects(openSession('koa.sess=x', { store, signed: false, onStoreError }), {
      code: 'ERR_SESSION_STORE',
    })
  }
})

test('a ContextStore is made where there is an id, and one that can not be made is like a store that is down', async () => {
  class Down {
    get() {}
    set() {}
    destroy() {}
    constructor() {
      throw new Error('down')
    }
  }
  const options = { ContextStore: Down as never, signed: false }
  assert.deepEqual(await openSession(undefined, options), { reason: 'missing' })
  await assert.rejects(openSession('koa.sess=x', options), { code: 'ERR_SESSION_STORE' })
})

test('hostile text is a reason, and never an error', async () => {
  for (const text of [
    '=',
    ';',
    ';;; =;',
    'koa.sess',
    'koa.sess=',
    '\0',
    '__proto__=1',
    'koa.sess=;koa.sess.sig=',
    'x'.repeat(1e5),
  ]) {
    for (const options of [{}, { seal: true }, { signed: false }, { store: simpleStore() }]) {
      const { reason } = await openSession(text, { keys: SECRETS, ...options })
      assert.ok(['missing', 'signature', 'undecodable'].includes(String(reason)), `${text.slice(0, 20)}: ${reason}`)
    }
  }
})
