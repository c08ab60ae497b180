/** The events for what became of a session, as an application is given them. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { EventEmitter } from 'node:events'
import test from 'node:test'
import { inspect } from 'node:util'
import type { CreateSessionOptions } from 'koa-session'
import { memoryStore } from 'koa-session/memory'
import { isHeard } from '../../src/koa/events.ts'
import type { ManualClock } from '../../src/testing/clock.ts'
import { createApp } from '../support/koa.ts'
import { MODES, serve, told } from '../support/story.ts'

const TYPES = ['created', 'regenerated', 'ended'] as const
const hash = (text: string) => createHash('sha256').update(text)

for (const [mode, options] of Object.entries(MODES)) {
  test(`${mode}: each says which session and whose, and no log shows more`, async t => {
    const { app, visitor, errors } = await serve(t, options, undefined, { options: { subject: data => data.user } })
    const events: [string, Record<string, unknown>][] = []
    for (const type of TYPES) app.on(`session:${type}`, argument => events.push([type, argument]))
    await visitor.get('/cart')
    await visitor.get('/in')
    // Quoted, as a fingerprint may have these letters.
    const secrets = [...visitor.jar.values(), '"ada"', "'ada'", 'a book']
    await visitor.get('/out')
    await told()
    const subjectHash = hash('ada').digest('base64url')
    assert.deepEqual(
      events.map(([type, { subjectHash, reason }]) => [type, subjectHash, reason]),
      [
        ['created', undefined, undefined],
        ['regenerated', subjectHash, undefined],
        ['ended', subjectHash, 'sign-out'],
      ],
    )
    for (const [, argument] of events) {
      assert.equal((argument.ctx as { app: unknown }).app, app)
      assert.equal('id' in argument, Boolean(mode.startsWith('store')), 'a fingerprint, in a store')
      assert.match(String(argument.id ?? '01234567'), /^[0-9a-f]{8}$/)
      for (const shown of [JSON.stringify(argument), inspect(argument, { depth: 9 })]) {
        for (const secret of secrets) assert.ok(!shown.includes(secret), shown)
      }
    }
    assert.deepEqual(errors, [])
  })
}

/** Each request has the store from a class of its own. */
function contextStore({ now }: ManualClock): CreateSessionOptions {
  const store = memoryStore({ now })
  class ContextStore {
    constructor() {
      // biome-ignore lint/correctness/noConstructorReturn: what is written in one request is read in the next
      return store
    }
  }
  Object.setPrototypeOf(ContextStore.prototype, store)
  return { ContextStore: ContextStore as never }
}

/** So that `lazy` needs no `load()`. */
function answeringAtOnce({ store, ...others }: CreateSessionOptions): CreateSessionOptions {
  return { ...others, ...(store && { store: Object.assign(store, { answersAtOnce: true as const }) }) }
}

for (const [mode, options] of Object.entries({ ...MODES, ContextStore: contextStore }))
  for (const lazy of [false, true])
    test(`${mode}${lazy ? ', lazy' : ''}: a session that notBefore refuses is invalid, refused, and ended in a store`, async t => {
      const own = { subject: (data: Record<string, unknown>) => data.user as string, lazy }
      const made = await serve(t, clock => answeringAtOnce(options(clock)), undefined, { options: own })
      const { app, clock, visitor, textOf } = made
      const events: [string, Record<string, unknown>][] = []
      for (const type of ['invalid', 'refused', ...TYPES])
        app.on(`session:${type}`, argument => events.push([type, argument]))
      await visitor.get('/in')
      const old = visitor.copy()
      clock.advance(1000)
      Object.assign(made.options, { notBefore: () => clock.now() })
      events.length = 0
      assert.equal(await textOf(), 'nobody')
      await told()
      const isStored = !mode.includes('cookie')
      assert.deepEqual(
        events.map(([type, { reason, subjectHash }]) => [type, reason, subjectHash !== undefined]),
        [
          ['invalid', 'revoked', false],
          ['refused', 'revoked', false],
          ...(isStored ? [['ended', 'revoked', true]] : []),
        ],
      )
      for (const [type, argument] of events.slice(1)) {
        const shown = JSON.stringify(argument) + inspect(argument, { depth: 9 })
        for (const secret of [...old.jar.values(), '"ada"', "'ada'"]) assert.ok(!shown.includes(secret), type)
      }
      await visitor.get('/in')
      assert.equal(await textOf(), 'ada')
    })

test('an event is made where somebody listens, or where the application has an emit of its own', () => {
  const app = createApp()
  const heard = () => TYPES.filter(type => isHeard({ app }, type))
  assert.deepEqual(heard(), [])
  app.on('session:ended', () => {})
  assert.deepEqual(heard(), ['ended'])
  Object.assign(app, { emit: EventEmitter.prototype.emit.bind(app) })
  assert.deepEqual(heard(), TYPES)
  assert.equal(isHeard({}, 'ended'), false)
})
