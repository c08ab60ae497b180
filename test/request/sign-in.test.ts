/** A request that gives its session a new id after another request has given it one, or ended it. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { digest } from '../../src/codec/digest.ts'
import type { RegenerateOptions } from '../../src/session/model.ts'
import { type Data, site } from './site.ts'

const PROVEN = { fresh: true, keep: ['user'] }
const NOBODY = { fresh: true, keep: ['a'] }
const X = { a: 1, other: 1 }

interface Story {
  readonly options?: object
  /** What the handler does before the other request. */
  readonly before?: (session: Data) => unknown
  readonly set?: object
  readonly remove?: string
  readonly how?: RegenerateOptions
  /** What it does once it has asked for the new id. */
  readonly after?: (session: Data) => unknown
  readonly isEnded?: boolean
}

const subject = ({ user }: { user?: string }) => user

/** What the store has then, beside X; who has the session; and what is told. */
const STORIES: Readonly<
  Record<string, readonly [story: Story, made: object, told: readonly string[], owner?: string]>
> = {
  'who has proved who they are begins another session': [
    { set: { user: 'ann' }, how: PROVEN },
    { 1: { user: 'ann' } },
    [],
  ],
  'so does somebody new, as the option subject says': [
    { options: { subject }, set: { user: 'ann' } },
    { 1: { user: 'ann' } },
    [],
    'ann',
  ],
  'with what was changed, too': [
    { set: { a: 5, user: 'ann' }, how: { fresh: true, keep: ['a', 'user'] } },
    { 1: { a: 5, user: 'ann' } },
    [],
  ],
  'without what was removed': [{ set: { user: 'ann' }, remove: 'a', how: PROVEN }, { 1: { user: 'ann' } }, []],
  'whatever was saved before': [
    { before: session => session.update(draft => Object.assign(draft, { b: 2 })), set: { user: 'ann' }, how: PROVEN },
    { 1: { user: 'ann' } },
    [],
  ],
  'what nobody signs in with is gone': [{ set: { b: 2 } }, {}, ['gone']],
  'also where it was saved before': [
    { before: session => session.update(draft => Object.assign(draft, { b: 2 })), set: { c: 3 } },
    {},
    ['gone'],
  ],
  'also where the subject is nobody': [{ options: { subject }, set: { b: 2 } }, {}, ['gone']],
  'a proof without data is gone': [{ how: NOBODY }, {}, ['gone']],
  'to keep keys without `fresh` is no proof': [
    { set: { user: 'ann' }, remove: 'a', how: { keep: ['user'] } },
    {},
    ['gone'],
  ],
  'nor is `fresh` that keeps all': [{ set: { user: 'ann' }, remove: 'a', how: { fresh: true } }, {}, ['gone']],
  'so is one that keeps what was there before': [
    { set: { user: 'ann' }, how: { fresh: true, keep: ['a', 'user'] } },
    {},
    ['gone'],
  ],
  'and one whose subject was there before': [
    {
      options: { subject: ({ a }: { a?: number }) => a && String(a) },
      set: { b: 2 },
      how: { fresh: true, keep: ['a', 'b'] },
    },
    {},
    ['gone'],
  ],
  'what is set after that is gone, too': [
    {
      how: NOBODY,
      after: session => {
        session.user = 'ann'
        return session.save()
      },
    },
    {},
    ['gone', 'gone'],
  ],
  'but for an update': [{ how: NOBODY, after: session => session.update(() => {}) }, {}, ['gone']],
  'a sign-in of a session that was ended is gone': [{ set: { user: 'ann' }, how: PROVEN, isEnded: true }, {}, ['gone']],
}

for (const [title, [story, made, told, owner]] of Object.entries(STORIES)) {
  test(title, async () => {
    const { options, before = () => {}, set = {}, remove, how, after = () => {}, isEnded = false } = story
    const { visit, memory, put, held } = site(options as Record<string, unknown>)
    const request = await visit('A')
    const { session, scope, exchange } = request
    await before(session)
    if (isEnded) memory.destroy('A')
    else {
      put('X', X)
      memory.retire('A', { successor: 'X' }, 1_000_000)
    }
    Object.assign(session, set)
    if (remove) Reflect.deleteProperty(session, remove)
    await session.regenerate(how)
    await after(session)
    await scope.finish()
    assert.deepEqual([held(), request.told()], [made, told])
    assert.deepEqual(memory.read('X')?.members, isEnded ? undefined : { a: '1', other: '1' })
    const [id] = Object.keys(made)
    assert.equal(exchange.client, id ?? 'A')
    assert.equal(id && memory.read(id)?.subject, owner && digest(owner))
    if (id) assert.deepEqual(session.toJSON(), Object(made)[id])
  })
}

test('a session that is assigned after it was superseded is another one', async () => {
  const { visit, memory, put, held } = site()
  const { scope, session, exchange } = await visit('A')
  put('X', X)
  memory.retire('A', { successor: 'X' }, 1_000_000)
  await session.regenerate(PROVEN)
  scope.session = { user: 'bob' }
  await scope.finish()
  assert.deepEqual([Object.values(held()), exchange.client === 'A'], [[{ user: 'bob' }], false])
})

test('who signs in twice in a request is signed in, also where the first of the two did not say so', async () => {
  for (const [first, second, isIn] of [
    [undefined, PROVEN, true],
    [PROVEN, undefined, true],
    [undefined, undefined, false],
  ] as const) {
    const { visit, memory, put, courses, held } = site()
    const { scope, session } = await visit('A')
    courses.retire = [() => Promise.reject(new Error('down'))]
    session.user = 'ann'
    await session.regenerate(first).catch(() => {})
    put('X', X)
    memory.retire('A', { successor: 'X' }, 1_000_000)
    await session.regenerate(second)
    await scope.finish()
    assert.deepEqual(held(), isIn ? { 1: { user: 'ann' } } : {})
  }
})

test('the handle of a session is the digest of its id', async () => {
  assert.equal((await site().visit('A')).session.handle, digest('A'))
  const cookie = site({ store: null, genid: undefined }).begin()
  assert.equal(cookie.session.handle, undefined)
})

type Request = ReturnType<ReturnType<typeof site>['begin']>
const regenerate = ({ session }: Request) => session.regenerate()
const save = ({ session }: Request) => session.save()
const set =
  (data: object) =>
  ({ session }: Request) =>
    Object.assign(session, data)
const assign =
  (session: object) =>
  ({ scope }: Request) =>
    Object.assign(scope, { session })

/**
 * What a request does whose id another one has replaced: the data under its own new id, and what is told, where that was
 * just before it began, and where it is meanwhile. The session has data of before then.
 */
const TWICE: Readonly<
  Record<
    string,
    readonly [
      works: ReadonlyArray<(request: Request) => unknown>,
      before: readonly [made: readonly object[], told: readonly string[]],
      meanwhile: readonly [made: readonly object[], told: readonly string[]],
      options?: Record<string, unknown>,
    ]
  >
> = {
  'asks for a new id, and says who signs in': [
    [regenerate, set({ user: 'ann' })],
    [[{ user: 'ann' }], []],
    [[{ user: 'ann' }], ['gone']],
  ],
  'asks for a new id, and signs in somebody whom nothing names': [
    [regenerate, set({ user: 'ann' })],
    [[{ user: 'ann' }], []],
    [[], ['gone', 'gone']],
    {},
  ],
  'says who signs in, and asks for a new id': [
    [set({ user: 'ann' }), regenerate],
    [[{ user: 'ann' }], []],
    [[{ user: 'ann' }], []],
  ],
  'asks for a new id, and signs nobody in': [
    [regenerate, set({ b: 2 })],
    [[], ['gone']],
    [[], ['gone', 'gone']],
  ],
  'asks for a new id alone': [[regenerate], [[], []], [[], ['gone']]],
  'saves, and asks for a new id': [[save, regenerate], [[], []], [[], []], {}],
  'sets a lifetime, and asks for a new id': [[set({ maxAge: 1000 }), regenerate], [[], []], [[], ['gone']], {}],
  'saves, asks for a new id, and signs in somebody whom nothing names': [
    [save, regenerate, set({ user: 'ann' })],
    [[{ user: 'ann' }], []],
    [[], ['gone']],
    {},
  ],
  'saves, asks for a new id, and signs nobody in by other data': [
    [save, regenerate, assign({ b: 2 })],
    [[], ['gone']],
    [[{ b: 2 }], []],
  ],
  'signs in without a new id': [[set({ user: 'ann' })], [[], ['gone']], [[], ['gone']]],
  'sets data without a new id': [[set({ b: 2 })], [[], ['gone']], [[], ['gone']]],
}
for (const [what, [works, before, meanwhile, options = { subject }]] of Object.entries(TWICE)) {
  for (const [when, isBefore, [data, told]] of [
    ['has just replaced', true, before],
    ['replaces meanwhile', false, meanwhile],
  ] as const)
    test(`a request whose id another one ${when} ${what}`, async () => {
      const made = site(options)
      const replace = () => made.memory.retire('A', { successor: digest('X') }, 1000)
      if (isBefore) replace()
      const request = await made.visit('A')
      if (!isBefore) replace()
      for (const work of works) await work(request)
      await request.scope.finish()
      const types = request.told().filter(type => type !== 'refused')
      assert.deepEqual([Object.values(made.held()), types], [data, told])
      assert.equal(request.exchange.client === 'A', data.length === 0)
    })
}
