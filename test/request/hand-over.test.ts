/** A new id whose old one could not be retired at first: what becomes of the changes of others, and of this request. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { digest } from '../../src/codec/digest.ts'
import { after, fails } from '../support/stores.ts'
import { codeOf, site } from './site.ts'

type One = ReturnType<typeof site>
type Request = Awaited<ReturnType<One['visit']>>
type Work = (request: Request, one: One) => unknown

const FAILED = 'ERR_SESSION_STORE'
const remove =
  (...names: readonly string[]): Work =>
  ({ session }) => {
    for (const name of names) Reflect.deleteProperty(session, name)
  }
const set =
  (data: object): Work =>
  ({ session }) =>
    Object.assign(session, data)
const failing =
  (work: Work): Work =>
  (request, one) => {
    one.courses.patch = [fails]
    return work(request, one)
  }
/** The handler sets `c`, saves it while the old id can't be retired again, and removes all. */
const setAndRemove: Work = async (request, one) => {
  set({ c: 3 })(request, one)
  one.courses.retire = [fails]
  await codeOf(() => request.session.save())
  remove('a', 'c')(request, one)
}
/** What another request writes to the old id. */
const writes =
  (members: Readonly<Record<string, string>>): Work =>
  (_, { write }) =>
    write('A', members)

interface Expected {
  /** The data under the new id, which are those that the handler sees unless an error came between. */
  readonly data?: object | undefined
  readonly code?: string
  readonly subject?: string
}

/** What others do after the old id could not be retired; what the handler does then; what is there in the end. */
const STORIES: Readonly<Record<string, readonly [others: Work, work: Work, expected: Expected, options?: object]>> = {
  'the handler removes the last key, and others have written one': [
    writes({ b: '2' }),
    remove('a'),
    { data: { b: 2 } },
  ],
  'the same, and it is removed from what the handler has set since': [
    writes({ b: '2' }),
    setAndRemove,
    { data: { b: 2 } },
  ],
  'the handler removes what it has set, which others have written, too': [
    writes({ b: '2', c: '4' }),
    setAndRemove,
    { data: { b: 2 } },
  ],
  'the handler removes one of two keys': [writes({ b: '2' }), remove('a'), { data: { b: 2, x: 9 } }, { x: 9 }],
  'the handler removes the last key, which others have changed': [writes({ a: '5' }), remove('a'), { data: undefined }],
  'what others have written can not be written once': [
    writes({ b: '2' }),
    failing(remove('a')),
    { data: { a: 1, b: 2 }, code: FAILED },
  ],
  'what the handler has changed can not be written': [
    writes({ b: '2' }),
    failing(set({ user: 'ann', a: 3 })),
    { data: { a: 1, b: 2 }, code: FAILED },
  ],
  'the same, where others have signed in': [
    writes({ user: '"bob"' }),
    failing(set({ c: 3 })),
    { data: { a: 1, user: 'bob' }, code: FAILED, subject: 'bob' },
  ],
  'what the handler has changed does not pass the schema': [
    writes({ b: '2' }),
    set({ a: 'no number' }),
    { data: { a: 1, b: 2 }, code: 'ERR_SESSION_SCHEMA' },
    {},
  ],
}

const schema = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: (data: unknown) =>
      typeof (Object(data).a ?? 0) === 'number' ? { value: data } : { issues: [{ message: 'no number' }] },
  },
}

for (const [title, [others, work, { data, code, subject }, more]] of Object.entries(STORIES)) {
  test(`the old id could not be retired: ${title}`, async () => {
    const one = site({ subject: ({ user }: { user?: string }) => user, schema })
    one.put('A', { a: 1, ...more })
    const request = await one.visit('A')
    one.courses.retire = [fails]
    assert.equal(await codeOf(() => request.session.regenerate()), FAILED)
    others(request, one)
    await work(request, one)
    assert.equal(await codeOf(() => request.scope.finish()), code)
    assert.deepEqual(one.held(), data ? { 1: data } : {})
    assert.equal(request.exchange.client, data ? '1' : undefined)
    assert.equal(one.memory.read('1')?.subject, subject && digest(subject))
    if (!code) assert.deepEqual(request.scope.session?.toJSON(), data ?? {})
  })
}

test('the old id could not be retired, and nobody commits what the handler has changed', async () => {
  const { visit, courses, write, held } = site({ autoCommit: false })
  const { scope, session, exchange } = await visit('A')
  courses.retire = [fails]
  await codeOf(() => session.regenerate())
  write('A', { b: '2' })
  session.c = 3
  exchange.leave()
  await scope.finish()
  assert.deepEqual(held(), { 1: { a: 1, b: 2 } })
})

test('a sign-in keeps nothing of the session before, whose key it could not remove', async () => {
  const { visit, courses, memory, put, held } = site({ subject: ({ user }: { user?: string }) => user })
  const { scope, session, exchange } = await visit('A')
  put('X', { a: 1 })
  session.user = 'ann'
  courses.retire = [fails]
  await codeOf(() => session.regenerate())
  memory.retire('A', { successor: 'X' }, 1_000_000)
  Reflect.deleteProperty(session, 'a')
  courses.patch = [fails]
  assert.equal(await codeOf(() => scope.finish()), FAILED)
  assert.deepEqual([held(), exchange.client], [{ 1: { user: 'ann' } }, '1'])
})

test('others who write all the time do not keep the old id from naming the one that took its place', async () => {
  const made = site()
  const { session } = await made.visit('A')
  made.courses.retire = Array.from({ length: 30 }, (_, at) => after(() => made.write('A', { b: String(at) })))
  await session.regenerate()
  assert.equal(made.memory.read('A')?.successor, digest('1'))
})

test('a sign-in after another request gave the session a new id is gone where its own record is ended meanwhile', async () => {
  const made = site({ subject: ({ user }: { user?: string }) => user })
  const request = await made.visit('A')
  made.memory.retire('A', { successor: 'X' }, 1000)
  made.courses.patch = [after(() => made.memory.destroy('1'))]
  request.session.user = 'ann'
  await request.session.regenerate()
  await request.scope.finish()
  assert.deepEqual([request.told(), made.held(), request.exchange.client], [['gone'], {}, 'A'])
})
