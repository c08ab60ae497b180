/** One request's session before it begins, while its handler throws, once the headers have left, and where it is skipped. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import type { SessionError } from '../../src/errors.ts'
import { fails, Gate } from '../support/stores.ts'
import { codeOf, type Data, site } from './site.ts'

const messageOf = async (work: () => unknown) => {
  try {
    await work()
    return undefined
  } catch (error) {
    return `${(error as SessionError).code}: ${(error as Error).message}`
  }
}

test('a request that is skipped has no session, and does nothing', async () => {
  const { begin, calls } = site({ rolling: true })
  const { scope, exchange } = begin('A')
  assert.equal(scope.start(true), undefined)
  const skipped =
    'ERR_SESSION_SKIPPED: ctx.session was used in a request that has no session, because the option skip returned true'
  assert.equal(await messageOf(() => scope.session), skipped)
  assert.equal(
    await messageOf(() => {
      scope.session = {}
    }),
    skipped,
  )
  exchange.leave()
  await scope.finish()
  assert.deepEqual([calls, exchange.client], [[], 'A'])
})

/** Values that are no session, by what is said of them. */
const NONE: Readonly<Record<string, unknown>> = {
  'an array': [],
  'a Map': new Map(),
  'a number': 7,
  'an empty string': '',
  undefined: undefined,
}

test('a value that is no session is an error, and changes nothing', async () => {
  for (const [kind, value] of Object.entries(NONE)) {
    const { visit, calls } = site()
    const { scope } = await visit('A')
    const said = `ERR_SESSION_VALUE: ctx.session was set to ${kind}, expected a plain object, or null, which ends the session`
    assert.equal(
      await messageOf(() => {
        scope.session = value
      }),
      said,
    )
    await scope.finish()
    assert.deepEqual(calls, ['read A'])
  }
})

test('a session that was received is not new, one that was not is, and one that is assigned is not', async () => {
  const { visit } = site()
  const [known, other] = [await visit('A'), await visit()]
  assert.deepEqual([known.session.isNew, other.session.isNew], [false, true])
  other.scope.session = { a: 1 }
  assert.equal(other.session.isNew, false)
})

test('a session that is assigned has its id at once', async () => {
  const { visit, calls } = site()
  const { scope } = await visit()
  scope.session = { b: 2 }
  assert.equal(scope.id, '1')
  await scope.finish()
  assert.deepEqual(calls, ['create 1'])
})

test('a session that a store could not give is not replaced, but may be removed', async () => {
  for (const onStoreError of ['throw', 'anonymous']) {
    for (const value of [{ b: 2 }, null]) {
      const { visit, courses, held } = site({ onStoreError })
      courses.read = [fails]
      const { scope, exchange } = await visit('A')
      const isRefused = value !== null && onStoreError === 'throw'
      const said =
        'ERR_SESSION_STORE: ctx.session can not be replaced, because what the store has could not be read: ' +
        'the session store failed in read(): connection refused (ERR_SESSION_STORE)'
      assert.equal(scope.isDegraded, onStoreError === 'anonymous')
      assert.equal(
        await messageOf(() => {
          scope.session = value
        }),
        isRefused ? said : undefined,
      )
      await codeOf(() => scope.finish())
      assert.deepEqual([held(), exchange.client], value ? [{ A: { a: 1 } }, 'A'] : [{}, undefined])
    }
  }
  assert.equal((await site().visit('A')).scope.isDegraded, false)
})

test('an unread session that nobody asks for is no error, where it would be extended', async () => {
  for (const isShared of [false, true]) {
    const { visit, courses, calls } = site({ rolling: true })
    courses.read = [fails]
    const { scope, exchange } = await visit('A')
    exchange.isShared = isShared
    await scope.finish()
    assert.deepEqual([calls, exchange.client, exchange.hasFailed], [['read A'], 'A', false])
  }
})

test('data that is no JSON is refused, and told', async () => {
  const { visit, memory, put } = site()
  put('A', {})
  memory.patch('A', { set: { a: '{' }, unset: [], lifetime: { _expire: 1e15 }, keepsEmpty: true }, 1e6)
  const { session, exchange } = await visit('A')
  assert.deepEqual([session.isNew, session.toJSON()], [true, {}])
  assert.deepEqual(exchange.events, [
    { type: 'refused', refused: { fault: 'invalid', reason: 'undecodable', id: 'A', value: undefined } },
  ])
})

test("a session in place of one that is no JSON is nobody's", async () => {
  for (const subject of [undefined, ({ user }: Data) => user]) {
    const { visit, memory, put } = site({ subject })
    put('A', {})
    const patch = { set: { user: '"ann"', a: '{' }, unset: [], lifetime: { _expire: 1e15 }, keepsEmpty: true }
    memory.patch('A', { ...patch, subject: 'hash of ann' }, 1e6)
    const { session, exchange } = await visit('A')
    await session.save()
    assert.deepEqual([memory.read(exchange.client ?? '')?.subject, exchange.client], [undefined, '1'])
  }
})

test('a lifetime that the view was given before the session is replaced is that of the new one', async () => {
  const { visit, memory } = site()
  const { scope, settings, exchange } = await visit('A')
  settings.view.maxAge = 5000
  scope.session = { b: 2 }
  await scope.finish()
  assert.equal(memory.read(exchange.client ?? '')?.lifetime._maxAge, 5000)
})

test('a change of a handler that throws is saved, and the request has failed', async () => {
  for (const isGood of [true, false]) {
    const { visit, courses, held } = site()
    const { scope, session, exchange } = await visit('A')
    session.b = 2
    if (!isGood) courses.patch = [fails]
    await scope.finishThrown()
    assert.equal(exchange.hasFailed, true)
    assert.deepEqual(held(), { A: isGood ? { a: 1, b: 2 } : { a: 1 } })
    const errors = exchange.events.map(event =>
      event.type === 'error' ? (event.error as SessionError).code : event.type,
    )
    assert.deepEqual(errors, isGood ? [] : ['store', 'ERR_SESSION_STORE'])
  }
})

test('a request that began by an error has failed', async () => {
  const { begin } = site()
  const thrown = begin('A', 'thrown')
  assert.equal(thrown.exchange.hasFailed, true)
  for (const beginning of ['early', 'running', 'done'] as const) {
    assert.equal(begin('A', beginning).exchange.hasFailed, false)
  }
})

test('what is assigned once the response has left is told; what is committed then is saved', async () => {
  for (const beginning of ['done', 'thrown'] as const) {
    const { begin } = site()
    const { scope, exchange, told } = begin(undefined, beginning)
    await scope.load()
    exchange.leave()
    scope.session = { b: 2 }
    assert.deepEqual(told(), ['late'])
  }
  for (const work of [(exchange: { leave(): void }) => exchange.leave(), () => {}]) {
    const request = await site().visit('A')
    await request.scope.finish()
    work(request.exchange)
    request.scope.session = { b: 2 }
    assert.deepEqual(request.told(), request.exchange.hasLeft ? ['late'] : [])
  }
})

test('an error after the headers have left is told, and the request goes on', async () => {
  const { visit, courses } = site()
  const { scope, session, exchange, told } = await visit('A')
  session.b = 2
  exchange.hasLeft = true
  courses.patch = [fails]
  await scope.finish()
  assert.deepEqual(told(), ['store patch ERR_SESSION_STORE', 'error'])
  assert.equal(exchange.hasFailed, true)
})

test('an error of what is saved while the headers leave is told', async () => {
  const { visit, courses } = site()
  const { scope, session, exchange, told } = await visit('A')
  session.b = 2
  courses.patch = [fails, fails]
  exchange.leave()
  await scope.finish()
  const [store, error] = exchange.events
  assert.deepEqual(told().slice(0, 2), ['store patch ERR_SESSION_STORE', 'error'])
  assert.equal(error?.type === 'error' && store?.type === 'store' && error.error === store.error, true)
})

test('a new session that can not be sent any more is told, and its save an error', async () => {
  const { visit, held } = site()
  const { scope, session, exchange, told } = await visit()
  exchange.leave()
  session.b = 2
  assert.equal(await codeOf(() => session.save()), 'ERR_SESSION_HEADERS_SENT')
  await scope.finish()
  assert.deepEqual([held(), told()], [{ A: { a: 1 } }, ['late']])
})

const replaced = ({ scope }: Begun, data: object = { b: 3 }) => {
  scope.session = null
  scope.session = data
}

/** What is under way when the headers leave, and what the client has then. Without autoCommit: where somebody commits it. */
const LEAVING: Readonly<
  Record<string, readonly [work: (one: Begun) => unknown, client: string | undefined, isCommitted?: boolean]>
> = {
  'a session is removed': [
    ({ scope }) => {
      scope.session = null
    },
    undefined,
  ],
  'a session is replaced after it was removed': [one => replaced(one), '1'],
  'it is replaced, and that is saved': [
    one => {
      replaced(one)
      void one.session.save()
    },
    '1',
    true,
  ],
  'it is replaced by one without data': [one => replaced(one, {}), undefined],
  'it goes on': [() => {}, 'A'],
}
type Begun = Awaited<ReturnType<ReturnType<typeof site>['visit']>>

for (const [what, [work, client, isCommitted]] of Object.entries(LEAVING)) {
  test(`the headers leave while a commit is under way: ${what}`, async () => {
    for (const autoCommit of [true, false]) {
      const { visit, courses, held } = site({ autoCommit })
      const one = await visit('A')
      one.session.b = 2
      const slow = new Gate()
      courses.patch = [slow.course]
      const saving = one.session.save()
      await slow.arrived
      work(one)
      one.exchange.leave()
      const isKept = !autoCommit && !isCommitted
      assert.equal(one.exchange.client, isKept ? 'A' : client)
      slow.open()
      await saving
      await one.scope.finish()
      const id = one.exchange.client
      const kept = { a: 1, b: 2 }
      assert.deepEqual(held(), id ? { [id]: id === 'A' ? kept : { b: 3 } } : {})
    }
  })
}

test('without autoCommit nothing leaves with the headers', async () => {
  const { visit, held } = site({ autoCommit: false, rolling: true })
  const { scope, session, exchange } = await visit()
  session.b = 2
  exchange.leave()
  await turn()
  await scope.finish()
  assert.deepEqual([held(), exchange.client], [{ A: { a: 1 } }, undefined])
})

test('what was saved at the end is not saved again when the headers leave', async () => {
  const { visit, calls } = site()
  const { scope, session, exchange } = await visit('A')
  session.b = 2
  await scope.finish()
  calls.length = 0
  exchange.leave()
  await turn()
  assert.deepEqual(calls, [])
})

test('a request that has not begun saves nothing when the headers leave', async () => {
  const { begin, calls } = site()
  const { scope, session, exchange } = begin()
  session.b = 2
  exchange.leave()
  await turn()
  assert.deepEqual([calls, scope.session === session], [[], true])
})

test('what came before the middleware is gone, what came after stays', async t => {
  const { mock } = t.mock.method(process, 'emitWarning', () => {})
  const { begin } = site({ property: 'early' })
  const empty = begin('A')
  void empty.session
  await empty.scope.start(false)
  assert.equal(mock.calls.length, 0)
  const request = begin('A')
  request.session.b = 2
  await request.scope.start(false)
  // Once a process: another test may have been told.
  for (const { arguments: told } of mock.calls) {
    assert.equal(
      told[0],
      'what was written to ctx.early before its middleware ran is not saved; use the middleware earlier',
    )
  }
  assert.deepEqual(request.session.toJSON(), { a: 1 })
  await request.scope.load()
  request.session.c = 3
  await request.scope.load()
  assert.deepEqual(request.session.toJSON(), { a: 1, c: 3 })
})

test('of several values the first that is alive counts; of those that are not, the one that says most is told', async () => {
  const rows: ReadonlyArray<readonly [values: readonly string[], told: readonly string[], data: object]> = [
    [['X', 'A'], [], { a: 1 }],
    [['X', 'Y'], ['X missing'], {}],
    [['X', 'R'], ['R retired'], {}],
    [['R', 'X'], ['R retired'], {}],
    [['E', 'X'], ['E expired'], {}],
    [['E', 'A', 'X'], [], { a: 1 }],
  ]
  for (const [values, told, data] of rows) {
    const { begin, memory, put, clock } = site()
    put('R', { a: 1 })
    memory.retire('R', { successor: 'A' }, 1e6)
    put('E', { a: 1 }, { _expire: clock.now() - 1 })
    const { scope, exchange } = begin()
    exchange.receive = (nth: number) => values[nth]
    await scope.start(false)
    assert.deepEqual(scope.session?.toJSON(), data)
    const refused = exchange.events.map(
      event => event.type === 'refused' && `${event.refused.id} ${event.refused.reason}`,
    )
    assert.deepEqual(refused, told)
  }
})
