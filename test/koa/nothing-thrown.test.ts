/** A function of the application that throws nothing: for `undefined` Koa answers nothing, and the client would wait. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { memoryStore } from 'koa-session/memory'
import { type Page, serve } from '../support/story.ts'

const save: Page = ctx => Object.assign(ctx.session, { a: 1 }).save()
const read: Page = ctx => ctx.session.a
const nothing = () => {
  throw undefined
}
const FUNCTIONS: Readonly<Record<string, readonly [options: object, page: Page]>> = {
  skip: [{ skip: nothing }, () => 'a page'],
  'genid, where a session begins': [{ genid: nothing }, read],
  'genid, where a session gets a new id': [{ genid: nothing }, ctx => ctx.session.regenerate()],
  'subject, at save()': [{ subject: nothing }, save],
  'beforeSave, at save()': [{ beforeSave: nothing }, save],
  'an async beforeSave, at save()': [{ beforeSave: async () => Promise.reject() }, save],
}

for (const [what, [options, page]] of Object.entries(FUNCTIONS)) {
  test(`${what}: that it throws nothing is an error, which Koa answers`, async t => {
    const { visitor, codes } = await serve(t, { store: memoryStore(), ...options }, { '/page': page })
    assert.equal((await visitor.get('/page')).status, 500)
    assert.equal(codes()[0], 'ERR_SESSION_OPTION')
  })
}

test('subject, where a session is read that is to be known by its age', async t => {
  const options: Record<string, unknown> = { notBefore: 0 }
  const { visitor, codes } = await serve(t, options)
  await visitor.get('/in')
  options.subject = nothing
  assert.equal((await visitor.get('/')).status, 500)
  assert.deepEqual(codes(), ['ERR_SESSION_OPTION'])
})
