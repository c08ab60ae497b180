/** Listeners of the application's events that fail. */

import assert from 'node:assert/strict'
import test, { type TestContext as Test } from 'node:test'
import Koa from 'koa'
import { SessionError } from '../../src/errors.ts'
import { emitEvent } from '../../src/koa/events.ts'
import type { SessionEvent } from '../../src/request/exchange.ts'
import { KEY, MODES, serve, told } from '../support/story.ts'

const ERROR = new SessionError('ERR_SESSION_STORE', 'down')
const refused = (fault: 'missed' | 'expired' | 'invalid' | 'none'): SessionEvent => ({
  type: 'refused',
  refused: { fault, reason: 'missing', id: 'an-id', value: undefined } as never,
})
const EVENTS: ReadonlyArray<readonly [name: string, event: SessionEvent]> = [
  ['session:missed', refused('missed')],
  ['session:expired', refused('expired')],
  ['session:invalid', refused('invalid')],
  ['session:refused', refused('none')],
  ['session:reuse', { type: 'reuse', id: 'an-id', successor: undefined, subject: undefined }],
  ['session:created', { type: 'created', id: 'an-id', subject: undefined }],
  ['session:regenerated', { type: 'regenerated', id: 'an-id', subject: 'a-hash' }],
  ['session:ended', { type: 'ended', id: 'an-id', subject: 'a-hash', reason: 'sign-out' }],
  ['session:gone', { type: 'gone', keys: ['user'] }],
  ['session:late', { type: 'late' }],
  ['session:error', { type: 'store', operation: 'get', id: 'an-id', error: ERROR }],
]

/** A promise, to `await`: what has a method of this name. */
const THEN = 'then'
const DOWN = new Error('the log is full')
const FAILURES: Readonly<Record<string, () => unknown>> = {
  throws: () => {
    throw DOWN
  },
  rejects: async () => {
    throw DOWN
  },
  'gives a thenable that rejects': () => ({ [THEN]: (_: unknown, reject: (error: Error) => void) => reject(DOWN) }),
}

function application() {
  const app = new Koa()
  const errors: unknown[] = []
  app.on('error', (error, ctx) => errors.push(ctx?.app === app ? error : 'without its context'))
  return { app, errors }
}

/** The warnings of the process while `t` runs. */
function warnings(t: Test): Error[] {
  const list: Error[] = []
  const note = (warning: Error) => list.push(warning)
  process.on('warning', note)
  t.after(() => process.off('warning', note))
  return list
}

for (const [name, event] of EVENTS) {
  for (const [how, fail] of Object.entries(FAILURES)) {
    test(`${name}: a listener that ${how} is told to app.on('error'), and the others are called`, async () => {
      const { app, errors } = application()
      const heard: unknown[] = []
      app.on(name, fail)
      app.once(name, argument => heard.push(argument))
      for (const _ of [1, 2]) emitEvent({ app }, event)
      await told()
      assert.deepEqual(errors, [DOWN, DOWN])
      assert.equal(heard.length, 1, 'a listener of one event was called for two, or not at all')
    })
  }

  test(`${name}: an emit of the application's own is called, and may throw`, async () => {
    const { app, errors } = application()
    const emit = app.emit.bind(app)
    const heard: unknown[] = []
    Object.assign(app, {
      emit: (event: string, ...given: unknown[]) => {
        if (event !== 'error') heard.push(event)
        if (event === name) throw DOWN
        return emit(event, ...given)
      },
    })
    emitEvent({ app }, event)
    await told()
    const isOf7 = ['session:missed', 'session:expired', 'session:invalid'].includes(name)
    assert.deepEqual([heard, errors], [isOf7 ? [name, 'session:refused'] : [name], [DOWN]])
  })
}

for (const [how, fail] of Object.entries(FAILURES)) {
  test(`a listener of app.on('error') that ${how} is a warning of the process`, async t => {
    const said = warnings(t)
    const { app, errors } = application()
    app.on('error', fail)
    emitEvent({ app }, { type: 'error', error: ERROR })
    await told()
    assert.deepEqual([errors, said], [[ERROR], [DOWN]])
  })
}

test('session:reuse tells no id that a store gives in place of a handle', async () => {
  const { app } = application()
  const heard: Record<string, unknown>[] = []
  app.on('session:reuse', argument => heard.push(argument))
  emitEvent({ app }, { type: 'reuse', id: 'an-id', successor: 'another-id', subject: undefined })
  await told()
  assert.match(String(heard[0]?.handle), /^[\w-]{43}$/)
  assert.ok(!JSON.stringify(heard).includes('another-id'))
})

test('a successor that a store has as null is none, and one that is no text does not end the process', async () => {
  const { app, errors } = application()
  const heard: Record<string, unknown>[] = []
  app.on('session:reuse', argument => heard.push(argument))
  for (const successor of [null, 5, {}]) {
    emitEvent({ app }, { type: 'reuse', id: 'an-id', successor: successor as never, subject: undefined })
    emitEvent(
      { app },
      { type: 'ended', id: undefined, handle: successor as never, subject: undefined, reason: 'reuse' },
    )
  }
  await told()
  assert.deepEqual([heard.length, heard[0]?.handle, heard[0]?.successor], [1, undefined, undefined])
  assert.ok(errors.length > 0 && errors.every(error => error instanceof TypeError))
})

test('where nobody listens to errors, or there is no application, it is a warning', async t => {
  const said = warnings(t)
  emitEvent({ app: new Koa() }, { type: 'error', error: ERROR })
  emitEvent({}, { type: 'late' })
  await told()
  assert.equal(said[0], ERROR)
  assert.equal(said[1]?.name, 'TypeError')
})

test('what is thrown and is no Error is told as one, which says what it was', async () => {
  const { app, errors } = application()
  app.on('session:late', () => Promise.reject('the log is full'))
  emitEvent({ app }, { type: 'late' })
  await told()
  const [error] = errors as Error[]
  assert.match(String(error?.message), /^a listener of an event, or a commit, threw a string in place of an Error$/)
  assert.equal(error?.cause, 'the log is full')
})

for (const [mode, options] of Object.entries(MODES)) {
  test(`${mode}: one forged cookie ends neither the process nor its request, whatever the listeners do`, async t => {
    const { app, visitor, errors } = await serve(t, options)
    for (const [name] of EVENTS) app.on(name, FAILURES.rejects as () => unknown)
    visitor.jar.set(KEY, 'forged')
    visitor.jar.set(`${KEY}.sig`, 'forged')
    const answer = await visitor.get('/')
    assert.deepEqual([answer.status, answer.text], [200, 'nobody'])
    await told()
    assert.ok(errors.length > 0)
    for (const error of errors) assert.equal(error, DOWN)
  })
}
