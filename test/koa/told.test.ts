/** The events for what became of a session, as an application is given them. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { EventEmitter } from 'node:events'
import test from 'node:test'
import { inspect } from 'node:util'
import { isHeard } from '../../src/koa/events.ts'
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
    const secrets = [...visitor.jar.values(), 'ada', 'a book']
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
