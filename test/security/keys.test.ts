/* An empty secret is an error wherever one is given: by it, everybody can sign or seal a session. */

import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import test from 'node:test'
import { inspect } from 'node:util'
import Keygrip from 'keygrip'
import session, { type CreateSessionOptions } from 'koa-session'
import { codesOf } from '../support/errors.ts'
import { createApp, type TestContext } from '../support/koa.ts'
import { appOf, HOUR, KEY, SECRETS, serve, simpleStore } from '../support/story.ts'

const SIG = `${KEY}.sig`
const PIN = 8_462_915_037
const UNSET =
  'An environment variable was probably not set, or a list ends in a comma: `npx koa-session keygen` makes a secret'

/** What `app.keys` can be instead of a list, by what the message says that it is. */
const NO_LISTS: Readonly<Record<string, unknown>> = {
  'a string': SECRETS[0],
  'an empty string': '',
  'a number': 7,
  'an object': { 0: SECRETS[0] },
  'a promise': Promise.resolve(SECRETS),
  bytes: Buffer.from(String(SECRETS[0])),
}
const EVERY_MODE: Readonly<Record<string, () => CreateSessionOptions>> = {
  'a signed cookie': () => ({}),
  'a sealed cookie': () => ({ seal: true }),
  'a store': () => ({ store: simpleStore() }),
  'a store with a sealed id': () => ({ store: simpleStore(), seal: true }),
}

for (const [mode, make] of Object.entries(EVERY_MODE)) {
  for (const [what, keys] of Object.entries(NO_LISTS)) {
    test(`app.keys that is ${what} is ERR_SESSION_KEYS with ${mode}, at start-up and on first use`, async t => {
      const error = {
        code: 'ERR_SESSION_KEYS',
        message: new RegExp(`^app\\.keys is ${what}, expected a list of secrets`),
      }
      const app = createApp()
      app.keys = keys
      assert.throws(() => session(make(), app), error)
      const later = await serve(t, make)
      await later.visitor.get('/in')
      later.app.keys = keys
      assert.equal((await later.visitor.get('/')).status, 500)
      assert.equal((await later.visitor.stranger().get('/in')).status, 500)
      assert.equal((await later.visitor.get('/untouched')).status, 200)
      for (const raised of later.errors) assert.match(raised.message, error.message)
    })
  }

  test(`an entry that is empty is said to be that one, with ${mode}`, async t => {
    const { visitor, app, errors } = await serve(t, make)
    app.keys = [...SECRETS, '']
    await visitor.get('/in')
    const message = `app.keys[2] is an empty string, expected text or bytes. ${UNSET}`
    assert.deepEqual(
      new Set(errors.map(error => `${error.code}: ${error.message}`)),
      new Set([`ERR_SESSION_KEYS: ${message}`]),
    )
  })
}

for (const [what, make] of [
  ['a list', keys => keys],
  ['a Keygrip', keys => new Keygrip(keys as string[])],
  ['a Keygrip by SHA-256', keys => new Keygrip(keys as string[], 'sha256')],
] satisfies [string, (keys: unknown[]) => unknown][]) {
  test(`nobody gets in by the empty secret in ${what}, where the cookies were made before the session`, async t => {
    for (const bad of ['', undefined]) {
      const { app, errors, visitor } = await serve(t, () => ({}))
      app.middleware.unshift((ctx: TestContext, next: () => Promise<void>) => {
        ctx.cookies.get('lang')
        return next()
      })
      app.keys = make([SECRETS[0], bad])
      const value = Buffer.from(JSON.stringify({ user: 'admin', _expire: 8e12, _maxAge: HOUR })).toString('base64')
      visitor.jar.set(KEY, value)
      const algorithm = what.endsWith('SHA-256') ? 'sha256' : 'sha1'
      visitor.jar.set(SIG, createHmac(algorithm, '').update(`${KEY}=${value}`).digest('base64url'))
      assert.equal((await visitor.get('/')).status, 500)
      assert.deepEqual(codesOf(errors), ['ERR_SESSION_KEYS'])
      assert.match(errors[0]?.message ?? '', /app\.keys.*An environment variable was probably not set/)
    }
  })
}

test('a list that is changed in place is looked at again', async t => {
  const { visitor, app, errors } = await serve(t, () => ({}))
  const keys: unknown[] = [SECRETS[0]]
  app.keys = keys
  await visitor.get('/in')
  keys.push('')
  assert.equal((await visitor.get('/')).status, 500)
  keys.pop()
  assert.equal((await visitor.get('/')).text, 'ada')
  assert.deepEqual(codesOf(errors), ['ERR_SESSION_KEYS'])
})

test('an object that signs in its own way is not judged, and one that lacks a method is ERR_SESSION_KEYS', async t => {
  const { visitor, app, errors } = await serve(t, () => ({}))
  app.keys = { sign: () => 'good', verify: () => true, index: () => 0 }
  await visitor.get('/in')
  assert.equal((await visitor.get('/')).text, 'ada')
  app.keys = { sign: () => 'good', verify: () => true }
  assert.equal((await visitor.get('/')).status, 500)
  app.keys = { sign: () => createHmac('sha1', PIN as never), verify: () => true, index: () => 0 }
  assert.equal((await visitor.get('/in')).status, 500)
  assert.deepEqual(codesOf(errors), ['ERR_SESSION_KEYS', 'ERR_SESSION_KEYS'])
  assert.ok(!inspect(errors).includes(String(PIN)), 'what node:crypto says of an entry shows it')
})

test('where signed cookies are accepted beside sealed ones, app.keys are looked at, too', async t => {
  const start = (options: CreateSessionOptions) => appOf({ keys: [...SECRETS], ...options }, {}, [''])
  assert.throws(() => start({ seal: { acceptSigned: true } }), { code: 'ERR_SESSION_KEYS' })
  start({ seal: true })
  const { visitor, app, errors } = await serve(t, () => ({ keys: [...SECRETS], seal: { acceptSigned: true } }))
  app.keys = ['']
  visitor.jar.set(KEY, 'e30=')
  assert.equal((await visitor.get('/')).status, 500)
  assert.deepEqual(codesOf(errors), ['ERR_SESSION_KEYS'])
})
