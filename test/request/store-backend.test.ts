/** A stored session without HTTP: what the store is asked and the client is sent, where little or much goes wrong. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { digest } from '../../src/codec/digest.ts'
import { resolveConfig } from '../../src/config.ts'
import { Settings } from '../../src/request/settings.ts'
import { StoreBackend } from '../../src/request/store-backend.ts'
import { after, fails, failsThoughDone, Gate } from '../support/stores.ts'
import { FakeExchange } from './exchange.ts'
import { codeOf, site } from './site.ts'

type Request = Awaited<ReturnType<ReturnType<typeof site>['visit']>>
type Handler = (request: Request) => unknown

const THREE_METHODS = ['read', 'create', 'patch', 'touch', 'retire'] as const
const put =
  (...values: readonly unknown[]): Handler =>
  ({ scope }) => {
    for (const value of values) scope.session = value
  }
const change: Handler = ({ session }) => Object.assign(session, { b: 2 })
const askAndGo = (ask: () => unknown) => ask()

/** What leaves neither client nor store with a session. */
const ENDS: Readonly<Record<string, Handler>> = {
  'a sign-out': put(null),
  'no data': put({}),
  'a sign-out, and no data': put(null, {}),
  'a sign-out, no data, and a sign-out': put(null, {}, null),
  'a sign-out, other data, and no data': put(null, { b: 2 }, {}),
  'a sign-out that is committed, and no data': async request => {
    put(null)(request)
    await request.scope.commit({})
    put({})(request)
  },
  'other data that are committed, and a sign-out': async request => {
    put(null, { b: 2 })(request)
    await request.session.save()
    put(null)(request)
  },
}
for (const [what, handle] of Object.entries(ENDS)) {
  for (const without of [[], THREE_METHODS]) {
    test(`${what} ends the session, in a store ${without.length > 0 ? 'of three methods' : 'that is written to by keys'}`, async () => {
      const made = site({}, without)
      const request = await made.visit('A')
      await handle(request)
      assert.equal(await codeOf(() => request.scope.finish()), undefined)
      assert.deepEqual([request.exchange.client, made.held()], [undefined, {}])
    })
  }
}

test('an id is sent whatever a cache may keep, where the handler has asked for it; an extension is not', async () => {
  for (const [handle, isUnasked] of [
    [change, false],
    [({ session }: Request) => session.save(), false],
    [({ session }: Request) => session.regenerate(), false],
    [() => {}, true],
  ] as const) {
    const request = await site({ rolling: true }).visit('A')
    await handle(request)
    await request.scope.finish()
    assert.equal(request.exchange.isUnasked, isUnasked)
  }
})

test('once the headers have left, a session is not extended', async () => {
  for (const without of [[], THREE_METHODS]) {
    const made = site({ rolling: true }, without)
    const request = await made.visit('A')
    request.exchange.hasLeft = true
    const asked = made.calls.length
    await request.scope.finish()
    assert.deepEqual([made.calls.length, request.told()], [asked, []])
  }
})

test('a session that another request has ended is not extended, and its id is not sent again', async () => {
  const made = site({ rolling: true })
  const request = await made.visit('A')
  made.courses.touch = [after(() => made.memory.destroy('A'))]
  await request.scope.finish()
  assert.deepEqual([request.exchange.sent, request.told(), made.held()], [undefined, [], {}])
})

test('over a connection that can carry no cookie a session can be ended, and none is created', async () => {
  const made = site()
  const request = await made.visit('A')
  request.exchange.isInsecure = true
  put(null)(request)
  assert.equal(await codeOf(() => request.scope.finish()), undefined)
  assert.deepEqual(made.held(), {})

  const other = await made.visit()
  other.exchange.isInsecure = true
  change(other)
  assert.equal(await codeOf(() => other.scope.finish()), 'ERR_SESSION_INSECURE')
  assert.deepEqual(made.held(), {})
})

test('a record that is not to be, and can not be destroyed, is no error of what is saved', async () => {
  const made = site()
  const request = await made.visit('A')
  made.courses.create = [failsThoughDone]
  assert.equal(await codeOf(() => request.session.regenerate()), 'ERR_SESSION_STORE')
  made.courses.destroy = [fails]
  change(request)
  assert.equal(await codeOf(() => request.session.save()), undefined)
  assert.ok(request.told().includes('store destroy ERR_SESSION_STORE'))
  assert.equal(request.exchange.client, '2')
})

/** What is told of a session that is ended, where that is not plain. */
const TOLD: Readonly<
  Record<
    string,
    readonly [begin: (made: ReturnType<typeof site>) => unknown, handle: Handler, ids: readonly string[], code?: string]
  >
> = {
  'under its old id, where it could not be given a new one': [
    made => {
      made.courses.create = [fails]
    },
    async request => {
      await codeOf(() => request.session.regenerate())
      put(null)(request)
    },
    ['A'],
  ],
  'though what was to take its place was destroyed before': [
    made => {
      made.courses.create = [failsThoughDone]
    },
    async request => {
      await codeOf(() => request.session.regenerate())
      put(null)(request)
    },
    ['A'],
  ],
  'not where it is still there, and only what was to take its place was destroyed': [
    made => {
      made.courses.create = [failsThoughDone]
      made.courses.destroy = [askAndGo, fails]
    },
    async request => {
      await codeOf(() => request.session.regenerate())
      put(null)(request)
    },
    [],
    'ERR_SESSION_STORE',
  ],
  'once, where it is ended again': [
    () => {},
    async request => {
      put(null)(request)
      await request.scope.commit({})
      put(null)(request)
      await request.scope.commit({})
    },
    ['A'],
  ],
  'each, where another one has taken its place and is ended, too': [
    () => {},
    async request => {
      put(null, { b: 2 })(request)
      await request.session.save()
      put(null)(request)
    },
    ['A', '1'],
  ],
}
for (const [what, [begin, handle, ids, code]] of Object.entries(TOLD)) {
  test(`a session that was ended is told: ${what}`, async () => {
    const made = site()
    begin(made)
    const request = await made.visit('A')
    request.exchange.isHeard = true
    await handle(request)
    assert.equal(await codeOf(() => request.scope.finish()), code)
    assert.deepEqual(
      request.exchange.events.flatMap(event => (event.type === 'ended' ? [event.id] : [])),
      ids,
    )
  })
}

test('a session that could not be read is told to have ended where its id is signed out', async () => {
  const made = site({ onStoreError: 'anonymous' })
  made.courses.read = [fails]
  const request = await made.visit('A')
  request.exchange.isHeard = true
  put(null)(request)
  await request.scope.finish()
  assert.deepEqual(made.held(), {})
  const [ended] = request.exchange.events.filter(({ type }) => type === 'ended')
  assert.deepEqual(ended, { type: 'ended', id: 'A', subject: undefined, reason: 'sign-out' })
})

test('a new id is told once, though another request has written under the old one meanwhile', async () => {
  const made = site()
  const request = await made.visit('A')
  request.exchange.isHeard = true
  made.courses.retire = [after(() => made.write('A', { b: '2' }))]
  await request.session.regenerate()
  await request.scope.finish()
  assert.deepEqual(request.told(), ['regenerated'])
  assert.deepEqual(made.held(), { 1: { a: 1, b: 2 } })
})

test('what is made of a session while it is loaded is thrown away', async () => {
  const made = site()
  const reading = new Gate()
  made.courses.read = [reading.course]
  const request = made.begin('A')
  const starting = request.scope.start(false)
  Object.assign(request.session, { early: 1, maxAge: 5000 })
  reading.open()
  await starting
  assert.deepEqual(request.session.toJSON(), { a: 1 })
  assert.equal(request.session.maxAge, 1_000_000)
  const asked = made.calls.length
  await request.scope.finish()
  assert.deepEqual([made.held(), made.calls.length], [{ A: { a: 1 } }, asked])
})

test('a session is sure to be read at once where the store answers at once, and where none can be made', () => {
  const config = resolveConfig({})
  const [store, later] = [{ answersAtOnce: true }, { answersAtOnce: false }]
  for (const [make, isSure] of [
    [() => store, true],
    [() => later, false],
    [
      () => {
        throw new Error('of the store')
      },
      true,
    ],
  ] as const) {
    const backend = new StoreBackend(new FakeExchange(), new Settings(config), make as never)
    assert.equal(backend.answersAtOnce, isSure)
  }
  for (const options of [{ valid: async () => true }, { notBefore: async () => 0 }]) {
    const backend = new StoreBackend(new FakeExchange(), new Settings(resolveConfig(options)), (() => store) as never)
    assert.equal(backend.answersAtOnce, false)
  }
})

test('the hash of whose it is goes to the store with a session, and not without the option', async () => {
  for (const [options, whose] of [
    [{ subject: ({ b }: { b?: number }) => b && `user ${b}` }, digest('user 2')],
    [{}, undefined],
  ] as const) {
    const made = site(options)
    for (const presented of ['A', undefined]) {
      const request = await made.visit(presented)
      change(request)
      await request.scope.finish()
      assert.equal(made.memory.read(request.exchange.client ?? '')?.subject, whose)
    }
  }
})
