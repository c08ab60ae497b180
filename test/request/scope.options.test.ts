/** One request's stored session with the options that decide what is saved, and in a store of three methods. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { digest } from '../../src/codec/digest.ts'
import { after, fails, failsThoughDone, Gate } from '../support/stores.ts'
import { codeOf, site } from './site.ts'

type Site = ReturnType<typeof site>
type Request = Awaited<ReturnType<Site['visit']>>
const THREE = ['read', 'create', 'patch', 'touch', 'retire'] as const
const bySubject = { subject: ({ user }: { user?: string }) => user }
const schema = (isGood: (data: Record<string, unknown>) => boolean) => ({
  schema: {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: async (value: Record<string, unknown>) => (isGood(value) ? { value } : { issues: [{ message: '' }] }),
    },
  },
})
const end = ({ scope }: Request) => {
  scope.session = null
}
const remove = ({ session }: Request) => Reflect.deleteProperty(session, 'a')
const set =
  (data: object) =>
  ({ session }: Request) =>
    Object.assign(session, data)
const emptied = ({ scope }: Request) => {
  scope.session = {}
}

interface Expected {
  readonly held?: Readonly<Record<string, unknown>>
  readonly client?: string | undefined
  /** What the store was asked once the session was read. */
  readonly calls?: readonly string[]
  readonly told?: readonly string[]
  readonly code?: unknown
  /** Whose each record is. */
  readonly owners?: Readonly<Record<string, string | undefined>>
}

/** Options, what the handler does to session A, `{ a: 1 }`, and what comes of it. `without`: what the store lacks. */
const STORIES: Readonly<
  Record<
    string,
    readonly [
      options: Record<string, unknown>,
      handle: (request: Request, of: Site) => unknown,
      expected: Expected,
      without?: Parameters<typeof site>[1],
      presented?: string | null,
    ]
  >
> = {
  'three methods: a session that is read asks for nothing more': [{}, () => {}, { calls: [] }, THREE],
  'three methods: a change replaces all': [{}, set({ b: 2 }), { held: { A: { a: 1, b: 2 } }, calls: ['set A'] }, THREE],
  'three methods: a new session is set': [
    {},
    set({ b: 2 }),
    { held: { A: { a: 1 }, 1: { b: 2 } }, client: '1', calls: ['set 1'] },
    THREE,
    null,
  ],
  'three methods: a new id': [
    {},
    ({ session }) => session.regenerate(),
    { held: { 1: { a: 1 } }, client: '1', calls: ['set 1', 'destroy A'] },
    THREE,
  ],
  'three methods: an end': [{}, end, { held: {}, client: undefined, calls: ['destroy A'] }, THREE],
  'three methods: a session without data is ended': [
    {},
    remove,
    { held: {}, client: undefined, calls: ['destroy A'] },
    THREE,
  ],
  'three methods: an update is of what was read': [
    {},
    ({ session }) => session.update(draft => Object.assign(draft, { b: 2 })),
    { held: { A: { a: 1, b: 2 } }, calls: ['set A'] },
    THREE,
  ],
  'three methods: an extension sets it': [{ rolling: true }, () => {}, { calls: ['set A'] }, THREE],

  'a session that is read asks for nothing more': [{}, () => {}, { calls: [] }],
  'a save of what has not changed extends it': [{}, ({ session }) => session.save(), { calls: ['touch A'] }],
  'a save of an empty session keeps it': [
    {},
    one => {
      remove(one)
      return one.session.save()
    },
    { held: { A: {} }, calls: ['patch A'] },
  ],
  'an extension touches it': [{ rolling: true }, () => {}, { calls: ['touch A'] }],
  'an extension of a session that others have ended is told': [
    { rolling: true },
    (_, { memory }) => void memory.destroy('A'),
    { held: {}, calls: ['touch A'], told: [] },
  ],
  'it is renewed where half of its lifetime is over': [
    { renew: true },
    (_, { clock }) => clock.advance(600_000),
    { calls: ['touch A'] },
  ],
  'it is not renewed before that': [{ renew: true }, (_, { clock }) => clock.advance(400_000), { calls: [] }],
  'nor on a response that a shared cache may keep': [
    { renew: true },
    ({ exchange }, { clock }) => {
      clock.advance(600_000)
      exchange.isShared = true
    },
    { calls: [] },
  ],
  'nor once it was saved': [
    { rolling: true },
    one => {
      set({ b: 2 })(one)
      return one.session.save()
    },
    { held: { A: { a: 1, b: 2 } }, calls: ['patch A'] },
  ],
  'a session that is removed is ended once': [
    { rolling: true },
    async one => {
      end(one)
      await one.scope.commit({})
    },
    { held: {}, client: undefined, calls: ['destroy A'] },
  ],
  'a session that nobody had is not ended': [{}, emptied, { client: undefined, calls: [] }, [], null],
  'a session that nobody had and is removed takes no cookie with it but asks for none': [
    {},
    end,
    { client: undefined, calls: [] },
    [],
    null,
  ],
  'without autoCommit nothing is saved': [{ autoCommit: false, rolling: true }, set({ b: 2 }), { calls: [] }],
  'without autoCommit what is committed is saved': [
    { autoCommit: false },
    one => {
      set({ b: 2 })(one)
      return one.session.manuallyCommit()
    },
    { held: { A: { a: 1, b: 2 } }, calls: ['patch A'] },
  ],

  'what beforeSave changes is saved': [
    { beforeSave: (_: unknown, session: object) => void Object.assign(session, { c: 3 }) },
    set({ b: 2 }),
    { held: { A: { a: 1, b: 2, c: 3 } }, calls: ['patch A'] },
  ],
  'what beforeSave changes later is saved': [
    { beforeSave: async (_: unknown, session: object) => void Object.assign(session, { c: 3 }) },
    ({ session }) => session.regenerate(),
    { held: { 1: { a: 1, c: 3 } }, client: '1' },
  ],
  'an error of beforeSave is the request’s': [
    { beforeSave: async () => Promise.reject(Object.assign(new Error('own'), { code: 'OWN' })) },
    set({ b: 2 }),
    { calls: [], code: 'OWN' },
  ],
  'data that the schema refuses are not saved': [
    schema(({ b }) => b === undefined),
    set({ b: 2 }),
    { calls: [], code: 'ERR_SESSION_SCHEMA' },
  ],
  'data that the schema accepts are': [
    schema(() => true),
    set({ b: 2 }),
    { held: { A: { a: 1, b: 2 } }, calls: ['patch A'] },
  ],

  'a session is somebody’s from its first save': [
    bySubject,
    set({ user: 'ann' }),
    { held: { A: { a: 1 }, 1: { user: 'ann' } }, client: '1', owners: { 1: 'ann' } },
    [],
    null,
  ],
  'a session is somebody’s from a change on': [
    bySubject,
    set({ user: 'ann' }),
    { held: { A: { a: 1, user: 'ann' } }, owners: { A: 'ann' } },
  ],
  'a session is nobody’s from a change on': [
    bySubject,
    async one => {
      set({ user: 'ann' })(one)
      await one.session.save()
      Reflect.deleteProperty(one.session, 'user')
    },
    { owners: { A: undefined } },
  ],
  'a session is somebody’s from an update on': [
    bySubject,
    ({ session }) => session.update(draft => Object.assign(draft, { user: 'ann' })),
    { held: { A: { a: 1, user: 'ann' } }, owners: { A: 'ann' } },
  ],
  'a session is nobody’s from an update on': [
    bySubject,
    async one => {
      set({ user: 'ann' })(one)
      await one.session.save()
      await one.session.update(draft => Reflect.deleteProperty(draft, 'user'))
    },
    { owners: { A: undefined } },
  ],
  'an update without a subject leaves it to whom it belongs': [
    {},
    ({ session }, { memory }) => {
      const patch = { set: {}, unset: [], lifetime: memory.read('A')?.lifetime ?? {}, keepsEmpty: true }
      memory.patch('A', { ...patch, subject: digest('ann') }, 1000)
      return session.update(draft => Object.assign(draft, { b: 2 }))
    },
    { held: { A: { a: 1, b: 2 } }, owners: { A: 'ann' } },
  ],
  'whom others have signed in while it got a new id': [
    bySubject,
    ({ session }, { courses, write }) => {
      courses.retire = [after(() => write('A', { user: '"ann"' }))]
      return session.regenerate()
    },
    { held: { 1: { a: 1, user: 'ann' } }, client: '1', owners: { 1: 'ann' } },
  ],
  'whom others have signed out while it got a new id': [
    bySubject,
    async (one, { courses, write }) => {
      set({ user: 'ann' })(one)
      await one.session.save()
      courses.retire = [after(() => write('A', {}, ['user']))]
      await one.session.regenerate()
    },
    { held: { 1: { a: 1 } }, client: '1', owners: { 1: undefined } },
  ],

  'an update has what this request has changed in it': [
    {},
    one => {
      set({ b: 2 })(one)
      remove(one)
      return one.session.update(draft => Object.assign(draft, { c: Number(Reflect.get(draft, 'b')) + 1 }))
    },
    { held: { A: { b: 2, c: 3 } } },
  ],
  'an update that changes nothing extends the session': [
    {},
    ({ session }) => session.update(() => {}),
    { calls: ['read A', 'patch A'] },
  ],
  'an update that empties the session ends it': [
    {},
    ({ session }) => session.update(draft => Reflect.deleteProperty(draft, 'a')),
    { held: {}, client: undefined },
  ],
  'an update of a session that others save meanwhile begins again': [
    {},
    ({ session }, { courses, write }) => {
      courses.patch = [after(() => write('A', { b: '2' }))]
      return session.update(draft => Object.assign(draft, { c: Number(Reflect.get(draft, 'b') ?? 0) + 1 }))
    },
    { held: { A: { a: 1, b: 2, c: 3 } }, calls: ['read A', 'patch A', 'read A', 'patch A'] },
  ],
  'an update of a session that others end meanwhile is told': [
    {},
    ({ session }, { courses, memory }) => {
      courses.patch = [after(() => memory.destroy('A'))]
      return session.update(draft => Object.assign(draft, { c: 3 }))
    },
    { held: {}, told: ['gone'] },
  ],
  'an update of a session whose id was retired is told': [
    {},
    ({ session }, { memory }) => {
      memory.retire('A', { successor: 'X' }, 1000)
      return session.update(draft => Object.assign(draft, { c: 3 }))
    },
    { held: {}, told: ['gone'] },
  ],
  'an update of a new session is of this request alone': [
    {},
    ({ session }) => session.update(draft => Object.assign(draft, { c: 3 })),
    { held: { A: { a: 1 }, 1: { c: 3 } }, client: '1', calls: ['create 1'] },
    [],
    null,
  ],
  'an update that gives a promise is an error': [
    {},
    ({ session }) => session.update(async () => {}),
    { calls: ['read A'], code: 'ERR_SESSION_ASYNC' },
  ],

  'what was written before a new id is asked for is not taken for another request’s': [
    {},
    async one => {
      set({ b: 2 })(one)
      await one.session.save()
      await one.session.regenerate()
    },
    { held: { 1: { a: 1, b: 2 } }, client: '1', calls: ['patch A', 'create 1', 'read A', 'retire A'] },
  ],
  'a new id asks for no more where nobody else writes': [
    {},
    ({ session }) => session.regenerate(),
    { held: { 1: { a: 1 } }, client: '1', calls: ['create 1', 'retire A'] },
  ],
  'others who write all the time do not hold up a new id': [
    {},
    ({ session }, { courses, write }) => {
      courses.retire = Array.from({ length: 30 }, (_, at) => after(() => write('A', { b: String(at) })))
      return session.regenerate()
    },
    { held: { 1: { a: 1, b: 10 } }, client: '1' },
  ],
  'an id whose retirement was not answered is retired once': [
    {},
    async ({ session }, { courses }) => {
      courses.retire = [failsThoughDone]
      assert.equal(await codeOf(() => session.regenerate()), 'ERR_SESSION_STORE')
      session.b = 2
    },
    { told: ['store retire ERR_SESSION_STORE'], held: { 1: { a: 1, b: 2 } }, client: '1' },
  ],
  'the same, where it was written to before': [
    {},
    async ({ session }, { courses, write }) => {
      courses.retire = [after(() => write('A', { c: '3' })), failsThoughDone]
      assert.equal(await codeOf(() => session.regenerate()), 'ERR_SESSION_STORE')
      session.b = 2
    },
    { told: ['store retire ERR_SESSION_STORE'], held: { 1: { a: 1, b: 2, c: 3 } }, client: '1' },
  ],
  'a new id that others destroy while it is merged is told': [
    {},
    ({ session }, { courses, write, memory }) => {
      courses.retire = [after(() => write('A', { b: '2' }))]
      courses.patch = [after(() => memory.destroy('1'))]
      return session.regenerate()
    },
    { client: 'A', told: ['gone'] },
  ],
  'a genid that reads the session finds the one that was assigned after it was removed': [
    { genid: ({ scope }: { scope?: Request['scope'] }) => String((scope?.session as { b?: number } | null)?.b) },
    async (one, { memory }) => {
      Object.assign(one.exchange.ctx, { scope: one.scope })
      end(one)
      one.scope.session = { b: 2 }
      await one.session.save()
      assert.equal(memory.read('2')?.members.b, '2')
    },
    { client: '2', held: {}, calls: ['create 2', 'destroy A'] },
  ],
  'a session that was removed is ended for the client, too, where what takes its place can’t be stored': [
    {},
    async (one, { courses }) => {
      courses.create = [fails, fails]
      end(one)
      one.scope.session = { b: 2 }
      await codeOf(() => one.session.save())
    },
    { code: 'ERR_SESSION_STORE', client: undefined, held: {}, told: Array(2).fill('store create ERR_SESSION_STORE') },
  ],
  'an assignment that throws begins no session with the data of one that another request has ended': [
    {},
    async (one, { memory }) => {
      set({ b: 2 })(one)
      memory.destroy('A')
      await one.session.save()
      await codeOf(() => Object.assign(one.scope, { session: { isNew: true } }))
    },
    { client: 'A', told: ['gone'], held: {}, calls: ['patch A'] },
  ],
  'a session that is removed while its old id could not be retired is ended under both': [
    {},
    async (one, { courses }) => {
      courses.retire = [fails]
      await codeOf(() => one.session.regenerate())
      end(one)
    },
    { told: ['store retire ERR_SESSION_STORE'], held: {}, client: undefined },
  ],
  'and is left where nobody commits that': [
    { autoCommit: false },
    async (one, { courses }) => {
      courses.retire = [fails]
      await codeOf(() => one.session.regenerate())
      end(one)
    },
    { told: ['store retire ERR_SESSION_STORE'], held: { A: { a: 1 }, 1: { a: 1 } }, client: '1' },
  ],
}

for (const [title, [options, handle, expected, without = [], presented = 'A']] of Object.entries(STORIES)) {
  test(title, async () => {
    const one = site(options, without)
    const request = await one.visit(presented ?? undefined)
    one.calls.length = 0
    const work = async () => {
      await handle(request, one)
      await request.scope.finish()
    }
    assert.equal(await codeOf(work), expected.code)
    const { held = one.held(), calls = one.calls, told = [], owners = {} } = expected
    assert.deepEqual([one.held(), one.calls, request.told()], [held, calls, told])
    assert.equal(request.exchange.client, 'client' in expected ? expected.client : 'A')
    for (const [id, owner] of Object.entries(owners)) {
      assert.equal(one.memory.read(id)?.subject, owner && digest(owner), id)
    }
  })
}

const CONFLICT =
  'update() was tried 100 times, and each time another request saved the session meanwhile; ' +
  'nothing was changed, so call it again later'

test('an update that others are always faster than is an error', async t => {
  t.mock.method(Math, 'random', () => 0)
  const { courses, visit, calls } = site({ storeTimeout: 10_000 })
  const { session } = await visit('A')
  courses.patch = Array.from({ length: 100 }, () => () => 'conflict')
  await assert.rejects(
    session.update(draft => Object.assign(draft, { b: 2 })),
    { code: 'ERR_SESSION_CONFLICT', message: CONFLICT },
  )
  assert.equal(calls.filter(call => call === 'patch A').length, 100)
})

test('an update that takes too long is told by its name', async () => {
  const { visit } = site({ beforeSave: () => new Promise(() => {}) })
  const { session, told } = await visit('A')
  assert.equal(await codeOf(() => session.update(draft => Object.assign(draft, { b: 2 }))), 'ERR_SESSION_TIMEOUT')
  assert.deepEqual(told(), ['store update ERR_SESSION_TIMEOUT'])
})

for (const [what, presented, sent] of [
  ['a new session is sent', undefined, '1'],
  ['a session is sent as it is', 'A', 'A'],
] as const) {
  test(`while beforeSave takes its time, the id of ${what} with the headers`, async () => {
    const slow = new Gate()
    const { visit, held } = site({ beforeSave: () => slow.course(() => undefined) })
    const { scope, session, exchange } = await visit(presented)
    session.b = 2
    const saving = session.save()
    await slow.arrived
    exchange.leave()
    assert.equal(exchange.client, sent)
    slow.open()
    await saving
    await scope.finish()
    assert.equal(Object(held()[sent]).b, 2)
  })
}

test('a store of three methods is told whether the data have changed', async () => {
  const { visit, asked } = site({ rolling: true }, THREE)
  const [read, changed, made] = [await visit('A'), await visit('A'), await visit()]
  await read.scope.finish()
  changed.session.b = 2
  await changed.scope.finish()
  made.session.b = 2
  await made.scope.finish()
  const said = asked.filter(([method]) => method === 'set')
  assert.deepEqual(
    said.map(([, id, , , call]) => [id, Object(call).changed]),
    [
      ['A', false],
      ['A', true],
      ['1', true],
    ],
  )
})

const throwNothing = () => {
  throw undefined
}
type Calls = ReadonlyArray<(one: Request) => unknown>
const COMMITS: Calls = [
  ({ session }) => session.save(),
  ({ session }) => new Promise((resolve, reject) => session.save(error => (error ? reject(error) : resolve(error)))),
  ({ session }) => session.regenerate(),
  ({ scope }) => scope.finish(),
]
const THROWN_NOTHING: Readonly<Record<string, readonly [options: Record<string, unknown>, calls: Calls]>> = {
  'a beforeSave that throws': [{ beforeSave: throwNothing }, COMMITS],
  'a beforeSave that rejects with': [{ beforeSave: () => Promise.reject(null) }, COMMITS],
  'a subject that throws': [{ subject: throwNothing }, COMMITS],
  'an encode that throws': [{ encode: throwNothing, store: null }, COMMITS],
  'what update() is given and throws': [{}, [({ session }) => session.update(throwNothing)]],
}

for (const [what, [options, calls]] of Object.entries(THROWN_NOTHING)) {
  test(`${what} nothing is an error, for who waits and for who does not`, async () => {
    const { visit, held } = site(options)
    const one = await visit('A')
    one.session.b = 2
    for (const call of calls) assert.equal(await codeOf(() => call(one)), 'ERR_SESSION_OPTION')
    assert.deepEqual(held(), options.store === null ? {} : { A: { a: 1 } })
  })
}
