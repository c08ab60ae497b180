/** One request's session over a store that fails, hangs or answers late, and over other requests; without HTTP. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { after, type Course, fails, failsAtOnce, failsThoughDone, Gate, hangs, slowly } from '../support/stores.ts'
import { codeOf, site } from './site.ts'

const FAILURES: Readonly<Record<string, Course>> = { fails, failsAtOnce, failsThoughDone, hangs }

for (const [how, course] of Object.entries(FAILURES)) {
  test(`sign-out destroys the id of a save that failed: ${how}`, async () => {
    const { courses, visit, held, calls } = site()
    const { scope, session, exchange } = await visit()
    session.a = 2
    courses.create = [course]
    assert.match(String(await codeOf(() => session.save())), /ERR_SESSION_(STORE|TIMEOUT)/)
    scope.session = null
    await scope.finish()
    assert.deepEqual([held(), exchange.client], [{ A: { a: 1 } }, undefined])
    assert.ok(calls.includes('destroy 1'))
  })

  test(`sign-out destroys both ids when a new one could not be made: ${how}`, async () => {
    const { courses, visit, held } = site()
    const { scope, session, exchange } = await visit('A')
    courses.create = [course]
    assert.match(String(await codeOf(() => session.regenerate())), /ERR_SESSION_(STORE|TIMEOUT)/)
    assert.equal(session.externalKey, 'A')
    scope.session = null
    await scope.finish()
    assert.deepEqual([held(), exchange.client], [{}, undefined])
  })

  test(`sign-out destroys both ids when the old one could not be retired: ${how}`, async () => {
    const { courses, visit, held } = site()
    const { scope, session, exchange } = await visit('A')
    courses.retire = [course]
    assert.match(String(await codeOf(() => session.regenerate())), /ERR_SESSION_(STORE|TIMEOUT)/)
    scope.session = null
    await scope.finish()
    assert.deepEqual([held(), exchange.client], [{}, undefined])
  })

  for (const onStoreError of ['throw', 'anonymous']) {
    test(`onStoreError ${onStoreError}: a session that could not be extended (${how})`, async () => {
      const { courses, visit, held } = site({ rolling: true, onStoreError })
      const { scope, exchange, told } = await visit('A')
      courses.touch = [course]
      const code = how === 'hangs' ? 'ERR_SESSION_TIMEOUT' : 'ERR_SESSION_STORE'
      assert.equal(await codeOf(() => scope.finish()), onStoreError === 'throw' ? code : undefined)
      assert.deepEqual([told(), held(), exchange.client], [[`store touch ${code}`], { A: { a: 1 } }, 'A'])
      assert.equal(exchange.hasFailed, onStoreError === 'throw')
    })

    test(`onStoreError ${onStoreError}: a session that could not be read (${how})`, async () => {
      const { courses, visit, held } = site({ onStoreError })
      courses.read = [course]
      const request = await visit('A')
      const code = how === 'hangs' ? 'ERR_SESSION_TIMEOUT' : 'ERR_SESSION_STORE'
      assert.equal(await codeOf(() => request.session), onStoreError === 'throw' ? code : undefined)
      if (onStoreError === 'anonymous') request.session.b = 2
      assert.equal(await codeOf(() => request.scope.finish()), undefined)
      assert.deepEqual([held(), request.exchange.client], [{ A: { a: 1 } }, 'A'])
    })

    test(`onStoreError ${onStoreError}: a change that could not be saved is an error (${how})`, async () => {
      const { courses, visit } = site({ onStoreError })
      const { scope, session } = await visit('A')
      session.b = 2
      courses.patch = [course]
      assert.match(String(await codeOf(() => scope.finish())), /ERR_SESSION_(STORE|TIMEOUT)/)
    })
  }
}

test('a destroy that fails is the error of the sign-out, and what else is left is destroyed', async () => {
  const { courses, visit, held, calls } = site()
  const { scope, session } = await visit('A')
  courses.retire = [fails]
  await codeOf(() => session.regenerate())
  courses.destroy = [failsAtOnce]
  scope.session = null
  assert.equal(await codeOf(() => scope.finish()), 'ERR_SESSION_STORE')
  assert.deepEqual([held(), calls.slice(-2)], [{ 1: { a: 1 } }, ['destroy 1', 'destroy A']])
})

for (const [what, end] of Object.entries({
  'a sign-out': (scope: { session: unknown }) => {
    scope.session = null
  },
  'a session without data': (scope: { session: unknown }) => {
    scope.session = {}
  },
})) {
  test(`the request waits until the store has ended ${what}`, async () => {
    const { courses, visit, held } = site()
    const { scope } = await visit('A')
    const slow = new Gate()
    courses.destroy = courses.patch = [slow.course]
    end(scope)
    let isDone = false
    const finishing = Promise.resolve(scope.finish()).then(() => {
      isDone = true
    })
    await slow.arrived
    await sleep(2)
    assert.equal(isDone, false)
    slow.open()
    await finishing
    assert.deepEqual(held(), {})
  })
}

test('the request waits until leftovers are destroyed', async () => {
  const { courses, visit, held } = site()
  const { scope, session } = await visit('A')
  courses.create = [failsThoughDone]
  await codeOf(() => session.regenerate())
  const slow = new Gate()
  courses.destroy = [slow.course]
  let isDone = false
  const finishing = Promise.resolve(scope.finish()).then(() => {
    isDone = true
  })
  await slow.arrived
  await sleep(2)
  assert.equal(isDone, false)
  slow.open()
  await finishing
  assert.deepEqual(held(), { A: { a: 1 } })
})

test('a session that begins after another was ended is saved whole, even with equal data', async () => {
  const { visit, held } = site()
  const { scope, exchange } = await visit('A')
  scope.session = null
  await scope.commit({})
  scope.session = { a: 1 }
  await scope.finish()
  assert.deepEqual([held(), exchange.client], [{ 1: { a: 1 } }, '1'])
})

test('no timer is left when the store has answered, late or with an error', async () => {
  const timers = () => process.getActiveResourcesInfo().filter(name => name === 'Timeout').length
  const { courses, visit } = site({ storeTimeout: 60_000 })
  const before = timers()
  for (const course of [slowly, async () => slowly(failsAtOnce as () => unknown)] as Course[]) {
    courses.read = [course]
    const { scope, exchange } = await visit('A')
    await codeOf(() => scope.session)
    await codeOf(() => scope.finish())
    assert.ok(exchange.events.length <= 1)
  }
  const { session, scope } = await visit('A')
  courses.read = [slowly]
  await session.update(draft => Object.assign(draft, { b: 2 }))
  await scope.finish()
  assert.equal(timers(), before)
})

test('what others write while a session gets a new id goes with it', async () => {
  const { courses, visit, write, held } = site()
  const { scope, session, exchange } = await visit('A')
  courses.retire = [after(() => write('A', { b: '2' }))]
  await session.regenerate()
  await scope.finish()
  assert.deepEqual([held(), exchange.client, session.toJSON()], [{ 1: { a: 1, b: 2 } }, '1', { a: 1, b: 2 }])
})

test('what others write and then delete while a session gets a new id is not in it', async () => {
  const { courses, visit, write, held } = site()
  const { scope, session } = await visit('A')
  courses.retire = [after(() => write('A', { b: '2' })), after(() => write('A', {}, ['b']))]
  await session.regenerate()
  await scope.finish()
  assert.deepEqual([held(), session.toJSON()], [{ 1: { a: 1 } }, { a: 1 }])
})

test('what others delete while a session gets a new id is not in it', async () => {
  const { courses, visit, write, put, held } = site()
  // Every object inherits something of this name.
  put('A', { a: 1, valueOf: 2 })
  const { scope, session } = await visit('A')
  courses.retire = [after(() => write('A', {}, ['a', 'valueOf']))]
  await session.regenerate()
  await scope.finish()
  assert.deepEqual([held(), session.toJSON()], [{ 1: {} }, {}])
})

test('what others write is in a session with a new id where that is to keep it', async () => {
  const { courses, visit, write, held } = site()
  const { scope, session } = await visit('A')
  courses.retire = [after(() => write('A', { b: '2', c: '3' }))]
  await session.regenerate({ keep: ['a', 'b'] })
  await scope.finish()
  assert.deepEqual(held(), { 1: { a: 1, b: 2 } })
})

test('what this request has changed itself goes before what others wrote', async () => {
  const { courses, visit, write, held } = site()
  const { scope, session } = await visit('A')
  session.a = 10
  courses.retire = [after(() => write('A', { a: '20', b: '2' }))]
  await session.regenerate()
  await scope.finish()
  assert.deepEqual(held(), { 1: { a: 10, b: 2 } })
})

test('an update that took too long saves nothing afterwards', async () => {
  const slow = new Gate()
  const { visit, held, calls } = site({ beforeSave: () => slow.course(() => undefined) })
  const { session } = await visit('A')
  assert.equal(await codeOf(() => session.update(draft => Object.assign(draft, { b: 2 }))), 'ERR_SESSION_TIMEOUT')
  slow.open()
  await sleep(2)
  assert.deepEqual([held(), calls], [{ A: { a: 1 } }, ['read A', 'read A']])
})

test('an update that took too long does not hold up that of another request', async () => {
  const courses: Course[] = [hangs]
  const { visit, held } = site({ beforeSave: () => courses.shift()?.(() => undefined) })
  const [first, second] = [await visit('A'), await visit('A')]
  const failing = codeOf(() => first.session.update(draft => Object.assign(draft, { b: 2 })))
  await sleep(10)
  const updating = codeOf(() => second.session.update(draft => Object.assign(draft, { c: 3 })))
  assert.deepEqual([await failing, await updating], ['ERR_SESSION_TIMEOUT', undefined])
  assert.deepEqual(held(), { A: { a: 1, c: 3 } })
})

test('an update that took too long is not tried again', async () => {
  const { courses, visit, calls } = site()
  const { session } = await visit('A')
  courses.patch = Array.from({ length: 100 }, () => () => 'conflict')
  assert.equal(await codeOf(() => session.update(draft => Object.assign(draft, { b: 2 }))), 'ERR_SESSION_TIMEOUT')
  const { length } = calls
  await sleep(50)
  assert.equal(calls.length, length)
})
