import assert from 'node:assert/strict'
import test, { type TestContext as Test } from 'node:test'
import type { CreateSessionOptions, ExternalKey } from 'koa-session'
import { memoryStore } from 'koa-session/memory'
import type { TestContext } from '../support/koa.ts'
import { type Pages, serve } from '../support/story.ts'

const PAGES: Pages = {
  '/': ctx => ctx.session.user ?? 'ok',
  '/sign-in': ctx => {
    ctx.session.user = 'tobi'
  },
  '/regenerate': ctx => ctx.session.regenerate(),
}

/** Carries ids in headers, by methods that use `this`. */
class HeaderKey implements ExternalKey {
  readonly request = 'x-session'
  readonly response = 'x-new-session'

  get(ctx: TestContext) {
    return ctx.get(this.request)
  }

  set(ctx: TestContext, id: string) {
    ctx.set(this.response, id)
  }

  clear(ctx: TestContext) {
    ctx.set(this.response, 'none')
  }
}

async function begin(test: Test, options: CreateSessionOptions) {
  const made = await serve(test, options, PAGES)
  return { ...made, told: () => [...made.said('missed').map(() => 'missed'), ...made.codes()] }
}

test('externalKey carries the id there and back, and no cookie is sent', async t => {
  const { visitor } = await begin(t, { store: memoryStore(), externalKey: new HeaderKey() })
  const { headers, cookies } = await visitor.get('/sign-in')
  const id = headers.get('x-new-session') ?? ''
  assert.match(id, /^[0-9a-f-]{36}$/)
  assert.deepEqual(cookies, [])
  assert.equal(headers.get('vary'), null, 'the response does not vary by cookies')
  const answer = await visitor.get('/', { 'x-session': id })
  assert.equal(answer.text, 'tobi')
  assert.equal(answer.headers.get('x-new-session'), null)
  assert.equal((await visitor.get('/')).text, 'ok')
})

test('a new id goes out by externalKey, and the old one is no longer good', async t => {
  const { visitor } = await begin(t, { store: memoryStore(), externalKey: new HeaderKey() })
  const old = (await visitor.get('/sign-in')).headers.get('x-new-session') ?? ''
  const id = (await visitor.get('/regenerate', { 'x-session': old })).headers.get('x-new-session') ?? ''
  assert.notEqual(id, old)
  assert.equal((await visitor.get('/', { 'x-session': id })).text, 'tobi')
  assert.equal((await visitor.get('/', { 'x-session': old })).text, 'ok')
})

for (const method of ['set', 'clear'] as const) {
  test(`an error of externalKey.${method} is a 500`, async t => {
    const fail = () => {
      throw new Error('no header')
    }
    const externalKey = Object.assign(new HeaderKey(), { [method]: fail })
    const { visitor, told } = await begin(t, { store: memoryStore(), externalKey })
    assert.equal((await visitor.get(method === 'set' ? '/sign-in' : '/out')).status, 500)
    assert.deepEqual(told(), ['no header'])
  })
}

test('externalKey without a store has no effect: the session is in the cookie', async t => {
  const { visitor } = await begin(t, { externalKey: new HeaderKey() })
  const { headers, cookies } = await visitor.get('/sign-in')
  assert.equal(headers.get('x-new-session'), null)
  assert.equal(cookies.length, 2)
  assert.equal((await visitor.get('/')).text, 'tobi')
})
