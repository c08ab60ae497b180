/** A store that is down, or hangs: what a request gets, with both values of `onStoreError`, and how long it waits. */

import assert from 'node:assert/strict'
import test from 'node:test'
import type { CreateSessionOptions, Store } from 'koa-session'
import { memoryStore } from 'koa-session/memory'
import { codesOf } from '../support/errors.ts'
import { DOWN, fails, hangs, METHODS, type Method, scriptedStore } from '../support/stores.ts'
import { KEY, type Pages, serve, simpleStore, told } from '../support/story.ts'

const STORES: Readonly<Record<string, (now: () => number) => Store>> = {
  'a store that is written to key by key': now => memoryStore({ now }) as unknown as Store,
  'a store of three methods': () => simpleStore(),
}

const PAGES: Pages = {
  '/state': ctx => `${ctx.session.user} ${ctx.session.degraded} ${ctx.session.isNew}`,
  '/change': ctx => {
    ctx.session.user = 'eve'
    return ctx.session.user
  },
  '/save': async ctx => {
    ctx.session.user = 'eve'
    await ctx.session.save()
    await ctx.session.regenerate()
    await ctx.session.update((draft: Record<string, unknown>) => {
      draft.user = 'mallory'
    })
    return ctx.session.user
  },
}

for (const [kind, make] of Object.entries(STORES)) {
  const begin = async (t: Parameters<typeof serve>[0], options: CreateSessionOptions = {}, pages = PAGES) => {
    let scripted = scriptedStore({})
    const made = await serve(
      t,
      ({ now }) => {
        scripted = scriptedStore(make(now))
        return { store: scripted.store, onStoreError: 'anonymous', storeTimeout: 20, ...options }
      },
      pages,
    )
    await made.visitor.get('/in')
    const { take, called } = scripted
    called()
    return { ...made, called, take: (methods: readonly Method[], course = fails) => take(course, methods) }
  }

  for (const isHanging of [false, true]) {
    const how = isHanging ? 'hangs' : 'is down'

    test(`${kind} that ${how}: a page is served with an empty session, and the visitor stays signed in`, async t => {
      const { visitor, take, errors } = await begin(t)
      take(METHODS, isHanging ? hangs : fails)
      const answer = await visitor.get('/state')
      assert.deepEqual([answer.status, answer.text, answer.cookies], [200, 'undefined true true', []])
      take([])
      assert.equal((await visitor.get('/state')).text, 'ada false false')
      assert.deepEqual(errors, [])
    })

    test(`${kind} that ${how}: with 'throw' it is an error where the session is read, and nowhere else`, async t => {
      const { visitor, take, errors } = await begin(t, { onStoreError: 'throw' })
      take(METHODS, isHanging ? hangs : fails)
      assert.equal((await visitor.get('/untouched')).status, 200)
      assert.equal((await visitor.get('/state')).status, 500)
      const code = isHanging ? 'ERR_SESSION_TIMEOUT' : 'ERR_SESSION_STORE'
      const cause = isHanging ? undefined : DOWN
      assert.deepEqual(
        errors.map(error => [error.code, error.cause]),
        [[code, cause]],
      )
      take([])
      assert.equal((await visitor.get('/')).text, 'ada')
    })
  }

  test(`${kind}: what a degraded session was given is not saved, under no id, and is told`, async t => {
    const { visitor, take, called, events } = await begin(t)
    take(['get', 'read'])
    for (const [path, text] of [
      ['/change', 'eve'],
      ['/save', 'mallory'],
    ] as const) {
      events.length = 0
      called()
      const answer = await visitor.get(path)
      assert.deepEqual([answer.status, answer.text, answer.cookies], [200, text, []])
      assert.deepEqual(
        called().filter(method => !['get', 'read'].includes(method)),
        [],
      )
      await told()
      const gone = events.filter(([event]) => event === 'session:gone').map(([, { keys }]) => keys)
      assert.ok(gone.length > 0)
      for (const keys of gone) assert.deepEqual(keys, ['user'])
    }
    take([])
    assert.equal((await visitor.get('/')).text, 'ada')
  })

  test(`${kind}: a sign-out that could not be read ends the session, or is an error`, async t => {
    const { visitor, take } = await begin(t)
    const copy = visitor.copy()
    take(METHODS)
    const failed = await visitor.copy().get('/out')
    assert.deepEqual([failed.status, failed.cookies.length], [500, 2], 'the browser forgets it all the same')
    take(['get', 'read'])
    assert.equal((await visitor.get('/out')).status, 200)
    assert.equal(visitor.jar.get(KEY), undefined)
    take([])
    assert.equal((await copy.get('/')).text, 'nobody')
  })

  test(`${kind}: a change that can't be saved is an error, and a session that can't be extended is served`, async t => {
    const { visitor, take, errors } = await begin(t, { rolling: true })
    take(['set', 'patch', 'touch', 'create'])
    const extended = await visitor.get('/state')
    assert.deepEqual([extended.status, extended.text, extended.cookies], [200, 'ada false false', []])
    assert.equal((await visitor.get('/change')).status, 500)
    assert.deepEqual(codesOf(errors), ['ERR_SESSION_STORE'])
    assert.equal((await visitor.stranger().get('/change')).status, 500)
  })

  test(`${kind}: session:error says which operation failed, for whom, and no id`, async t => {
    const { visitor, take, events } = await begin(t)
    const id = String(visitor.jar.get(KEY))
    events.length = 0
    take(METHODS)
    await visitor.get('/state')
    await told()
    const failed = events.filter(([event]) => event === 'session:error').map(([, argument]) => argument)
    assert.equal(failed.length, 1)
    const [{ operation, id: fingerprint, error, ctx } = {}] = failed
    assert.equal(operation, kind.includes('three') ? 'get' : 'read')
    assert.match(String(fingerprint), /^[0-9a-f]{8}$/)
    assert.deepEqual((error as Error & { cause: unknown }).cause, DOWN)
    assert.equal(typeof ctx, 'object')
    assert.ok(!`${(error as Error).stack}${fingerprint}`.includes(id))
  })
}
