/** One request's session: ended by others, begun before it is loaded, replaced, and changed while it is saved. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { Gate } from '../support/stores.ts'
import { codeOf, site } from './site.ts'

const keysOf = (events: readonly { readonly type: string; readonly keys?: readonly string[] }[]) =>
  events.filter(({ type }) => type === 'gone').map(({ keys = [] }) => [...keys].sort())

test('the keys that were changed and removed in a session that others have ended are told, once', async () => {
  const { visit, put, memory, held } = site()
  put('A', { a: 1, b: 2, d: 4 })
  const { scope, session, exchange } = await visit('A')
  memory.destroy('A')
  Reflect.deleteProperty(session, 'a')
  session.b = 20
  session.c = 3
  await session.save()
  await scope.finish()
  assert.deepEqual([keysOf(exchange.events), held()], [[['a', 'b', 'c']], {}])
})

const WAYS_TO_LOSE: Readonly<Record<string, Parameters<typeof site>[1]>> = {
  'a store that is written to key by key': [],
  'the same without retire': ['retire'],
}

for (const [what, without] of Object.entries(WAYS_TO_LOSE)) {
  test(`a new id does not bring back a session that others have ended, in ${what}`, async () => {
    const { visit, memory, held } = site({}, without)
    const { scope, session, exchange, told } = await visit('A')
    memory.destroy('A')
    await session.regenerate()
    await scope.finish()
    assert.deepEqual([held(), exchange.sent, told()], [{}, undefined, ['gone']])
  })

  test(`a new id takes the place of the old one, in ${what}`, async () => {
    const { visit, held } = site({}, without)
    const { scope, session, exchange } = await visit('A')
    await session.regenerate()
    await scope.finish()
    assert.deepEqual([held(), exchange.client, session.externalKey], [{ 1: { a: 1 } }, '1', '1'])
  })
}

for (const what of ['save', 'update', 'regenerate'] as const) {
  test(`${what}() of a session that others have ended brings nothing back; one that is assigned is a new one`, async () => {
    const { visit, memory, held } = site()
    const { scope, session, exchange, told } = await visit('A')
    memory.destroy('A')
    session.b = 2
    await (what === 'update' ? session.update(() => {}) : session[what]())
    assert.deepEqual([held(), told()], [{}, ['gone']])
    scope.session = { user: 'ann' }
    await scope.finish()
    assert.deepEqual([Object.values(held()), exchange.sent === undefined], [[{ user: 'ann' }], false])
    assert.deepEqual(held()[exchange.client ?? ''], { user: 'ann' })
  })
}

test('a session that was used before it was loaded leaves no id behind', async () => {
  const { begin } = site()
  for (const presented of ['A', undefined]) {
    const request = begin(presented)
    const early = request.session.externalKey
    await request.scope.start(false)
    assert.notEqual(request.session.externalKey, early)
    assert.equal(request.session.externalKey === 'A', presented === 'A')
  }
})

test('the lifetime of a session that was used before it was loaded is that of the store', async () => {
  const { begin, memory } = site()
  const request = begin('A')
  request.session.maxAge = 5
  await request.scope.start(false)
  assert.equal(request.session.maxAge, 1_000_000)
  await request.scope.finish()
  assert.equal(memory.read('A')?.lifetime._maxAge, 1_000_000)
})

test('a session that was given a lifetime before it was loaded, and no data, is not saved', async () => {
  const { begin, held, calls } = site()
  const request = begin()
  request.session.maxAge = 5
  await request.scope.start(false)
  assert.deepEqual(request.session.toJSON(), {})
  await request.scope.finish()
  assert.deepEqual([held(), calls], [{ A: { a: 1 } }, []])
})

const PROVED = { absoluteTimeout: 10_000_000 }

test('a session that begins after another was ended has an instant of its own, and is not fresh', async () => {
  const { visit, clock, put, memory } = site(PROVED)
  put('A', { a: 1 }, { _meta: { created: clock.now() - 500, fresh: clock.now() - 400 } })
  const { scope, session, exchange } = await visit('A')
  assert.deepEqual([session.createdAt, session.isFresh(1000)], [clock.now() - 500, true])
  scope.session = null
  scope.session = { b: 2 }
  const next = scope.session
  assert.deepEqual([next?.createdAt, next?.isFresh(1000)], [clock.now(), false])
  await scope.finish()
  assert.deepEqual(memory.read(exchange.client ?? '')?.lifetime._meta, { created: clock.now() })
})

test('a lifetime that is set while the session is saved is saved too', async () => {
  const { visit, courses, memory } = site()
  const { scope, session } = await visit('A')
  session.b = 2
  const slow = new Gate()
  courses.patch = [slow.course]
  const saving = session.save()
  await slow.arrived
  session.maxAge = 5000
  slow.open()
  await saving
  assert.equal(memory.read('A')?.lifetime._maxAge, 1_000_000)
  await scope.finish()
  assert.equal(memory.read('A')?.lifetime._maxAge, 5000)
})

test('a change after the final commit began is saved when the headers leave', async () => {
  const { visit, courses, held } = site()
  const request = await visit('A')
  request.session.b = 2
  const slow = new Gate()
  courses.patch = [slow.course]
  const finishing = request.scope.finish()
  await slow.arrived
  request.session.c = 3
  slow.open()
  await finishing
  request.exchange.leave()
  await turn()
  assert.deepEqual(held(), { A: { a: 1, b: 2, c: 3 } })
})

test('a change while the final commit is under way is saved, where the headers leave before that is done', async () => {
  const { visit, courses, held } = site()
  const request = await visit('A')
  request.session.b = 2
  const slow = new Gate()
  courses.patch = [slow.course]
  const finishing = request.scope.finish()
  await slow.arrived
  request.session.c = 3
  request.exchange.leave()
  slow.open()
  await finishing
  assert.deepEqual(held(), { A: { a: 1, b: 2, c: 3 } })
})

test('a new id leaves with the headers while its record is made, and one that takes a place does not', async () => {
  for (const [presented, sent] of [
    [undefined, '1'],
    ['A', undefined],
  ] as const) {
    const { visit, courses } = site()
    const { scope, session, exchange } = await visit(presented)
    session.b = 2
    const slow = new Gate()
    courses.create = [slow.course]
    const saving = codeOf(() => (presented ? session.regenerate() : session.save()))
    await slow.arrived
    exchange.leave()
    assert.equal(exchange.sent, sent)
    slow.open()
    assert.equal(await saving, presented ? 'ERR_SESSION_HEADERS_SENT' : undefined)
    await scope.finish()
  }
})

test('an id that can not be sent is not made', async () => {
  const { visit, held, calls } = site()
  const request = await visit()
  request.session.b = 2
  request.exchange.isInsecure = true
  assert.equal(await codeOf(() => request.scope.finish()), 'ERR_SESSION_INSECURE')
  assert.deepEqual([held(), calls], [{ A: { a: 1 } }, []])
})

test('an id that was retired just now is no session, and a new id is one of this request alone', async () => {
  const { visit, memory, held } = site()
  memory.retire('A', { successor: 'X' }, 1000)
  const { scope, session, exchange, told } = await visit('A')
  session.user = 'ann'
  await session.save()
  assert.deepEqual([held(), told(), exchange.client], [{}, ['refused', 'gone'], 'A'])
  await session.regenerate()
  await scope.finish()
  assert.deepEqual([held()[exchange.client ?? ''], exchange.client === 'A'], [{ user: 'ann' }, false])
})

test('an id that was retired longer ago than ten seconds is told', async () => {
  const { visit, memory, clock } = site()
  memory.retire('A', { successor: 'X' }, 1_000_000)
  assert.deepEqual((await visit('A')).told(), ['refused'])
  clock.advance(10_000)
  assert.deepEqual((await visit('A')).told(), ['reuse', 'refused'])
})
