import assert from 'node:assert/strict'
import test from 'node:test'
import { memoryStore } from 'koa-session/memory'
import { serve } from '../support/story.ts'

for (const [mode, options] of Object.entries({ cookie: () => ({}), store: () => ({ store: memoryStore() }) })) {
  test(`${mode}: valid gets the ctx of the request, and lets a session pass`, async t => {
    const { visitor, said } = await serve(t, { ...options(), valid: ctx => ctx.get('x-device') === 'a' })
    await visitor.get('/in')
    assert.equal((await visitor.get('/', { 'x-device': 'a' })).text, 'ada')
    assert.equal((await visitor.get('/', { 'x-device': 'b' })).text, 'nobody')
    assert.equal(said('invalid').length, 1)
  })

  test(`${mode}: beforeSave is called for a session that is saved, and for no other`, async t => {
    let calls = 0
    const { visitor } = await serve(t, { ...options(), beforeSave: () => ++calls })
    for (const path of ['/', '/cart', '/', '/out', '/untouched']) await visitor.get(path)
    assert.equal(calls, 1)
  })
}

test('a text from encode that would break the header is refused', async t => {
  for (const text of ['a; domain=evil.test', 'a\r\nSet-Cookie: b=c', 'a\u0000', 'a\u2028']) {
    const { visitor, errors } = await serve(t, { encode: () => text })
    const { status, cookies } = await visitor.get('/cart')
    assert.deepEqual({ status, cookies, errors: errors.length }, { status: 500, cookies: [], errors: 1 })
  }
})
