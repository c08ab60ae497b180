import assert from 'node:assert/strict'
import test, { type TestContext as Test } from 'node:test'
import type { CreateSessionOptions } from 'koa-session'
import { memoryStore } from 'koa-session/memory'
import { manualClock } from 'koa-session/testing'
import { type Page, serve } from '../support/story.ts'

/** Serves `/sign-in`, and `/here`, which does what `here` does. */
const begin = (test: Test, options: CreateSessionOptions, here: Page = () => {}) =>
  serve(test, options, {
    '/sign-in': ctx => {
      ctx.session.user = 'tobi'
    },
    '/here': here,
  })

test('a store that is put into the options takes the next session, and taken out gives it back', async t => {
  const options: CreateSessionOptions = {}
  const store = memoryStore()
  const { visitor, errors } = await begin(t, options)
  await visitor.get('/sign-in')
  assert.equal(store.size, 0)
  options.store = store
  assert.equal((await visitor.get('/')).text, 'nobody')
  await visitor.get('/sign-in')
  assert.equal(store.size, 1)
  assert.match(visitor.jar.get('koa.sess') ?? '', /^[0-9a-f-]{36}$/)
  assert.equal((await visitor.get('/')).text, 'tobi')
  delete options.store
  assert.equal((await visitor.get('/')).text, 'nobody')
  await visitor.get('/sign-in')
  assert.equal(store.size, 1)
  assert.equal((await visitor.get('/')).text, 'tobi')
  assert.deepEqual(errors, [])
})

test('a request under way keeps the options that it began with', async t => {
  const options: CreateSessionOptions = {}
  const store = memoryStore()
  const { visitor } = await begin(t, options, ctx => {
    ctx.session.user = 'tobi'
    options.store = store
    options.key = 'other'
  })
  assert.match((await visitor.get('/here')).cookies[0] ?? '', /^koa\.sess=eyJ/)
  assert.equal(store.size, 0)
})

test('a key that is changed names the next cookie', async t => {
  const options: CreateSessionOptions = { key: 'old' }
  const { visitor } = await begin(t, options)
  await visitor.get('/sign-in')
  options.key = 'new'
  assert.equal((await visitor.get('/')).text, 'nobody')
  assert.match((await visitor.get('/sign-in')).cookies[0] ?? '', /^new=/)
  assert.equal((await visitor.get('/')).text, 'tobi')
})

test('a maxAge that is changed is the lifetime of the next session', async t => {
  const clock = manualClock(Date.now())
  const options: CreateSessionOptions = { now: clock.now, maxAge: 1000 }
  const { visitor } = await begin(t, options)
  options.maxAge = 60_000
  await visitor.get('/sign-in')
  clock.advance(1001)
  assert.equal((await visitor.get('/')).text, 'tobi')
  clock.advance(60_000)
  assert.equal((await visitor.get('/')).text, 'nobody')
  options.maxAge = 'session'
  assert.doesNotMatch((await visitor.get('/sign-in')).cookies[0] ?? '', /expires/i)
})

test('an option that is removed has its default again', async t => {
  const options: CreateSessionOptions = { key: 'mine', sameSite: 'strict' }
  const { visitor } = await begin(t, options)
  delete options.key
  options.sameSite = null
  const { cookies } = await visitor.get('/sign-in')
  assert.match(cookies[0] ?? '', /^koa\.sess=/)
  assert.doesNotMatch(cookies[0] ?? '', /samesite/i)
})

const BAD: Array<[option: string, value: unknown]> = [
  ['maxAge', -1],
  ['maxAge', Number.NaN],
  ['maxAge', '1d'],
  ['store', {}],
  ['key', 'a;b'],
  ['valid', true],
  ['rolling', 'yes'],
  ['sameSite', 'everywhere'],
]

for (const [option, value] of BAD) {
  test(`${option} set to ${JSON.stringify(value)} at run time is an error that names it, until it is mended`, async t => {
    const options: Record<string, unknown> = {}
    const { visitor, errors, codes } = await begin(t, options as CreateSessionOptions)
    await visitor.get('/sign-in')
    options[option] = value
    const { status, cookies } = await visitor.get('/')
    assert.deepEqual({ status, cookies }, { status: 500, cookies: [] })
    assert.deepEqual(codes(), ['ERR_SESSION_OPTION'])
    assert.match(errors[0]?.message ?? '', new RegExp(`^option ${option} `))
    assert.equal((await visitor.get('/')).status, 500)
    delete options[option]
    assert.equal((await visitor.get('/')).text, 'tobi')
  })
}

const FOR_ONE_RESPONSE: Array<[option: string, value: unknown, expected: RegExp]> = [
  ['sameSite', 'strict', /; samesite=strict/i],
  ['domain', 'example.test', /; domain=example\.test/i],
  ['path', '/admin', /; path=\/admin(;|$)/i],
  ['httpOnly', false, /^((?!httponly).)*$/i],
  ['maxAge', 'session', /^((?!expires).)*$/i],
  ['priority', 'high', /; priority=high/i],
  ['key', 'other', /^other=/],
]

for (const [option, value, expected] of FOR_ONE_RESPONSE) {
  test(`ctx.sessionOptions.${option} counts for this response, and for no other`, async t => {
    const options: CreateSessionOptions = {}
    const { visitor } = await begin(t, options, ctx => {
      ctx.session.user = 'loki'
      ctx.sessionOptions[option] = value
    })
    assert.match((await visitor.get('/here')).cookies[0] ?? '', expected)
    assert.doesNotMatch((await visitor.stranger().get('/sign-in')).cookies[0] ?? '', expected)
    assert.deepEqual(options, {})
  })
}
