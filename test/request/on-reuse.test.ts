/** The option `onReuse` without HTTP: what becomes of a session when an id that it had before is presented again. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { digest } from '../../src/codec/digest.ts'
import { after, fails, hangs } from '../support/stores.ts'
import { site } from './site.ts'

type Site = ReturnType<typeof site>
type Request = ReturnType<Site['begin']>

const HOUR = 3_600_000
const TEN_SECONDS = 10_000
const subject = ({ user }: { user?: string }) => user
const ANN = digest('ann')
const END = { subject, onReuse: 'end', maxAge: HOUR }
/** How `without` the store finds the session that took the place of the id. */
const STORES = { 'a store that lists': [], 'a store that does not list': ['list', 'destroyAll'] } as const

async function respond(
  { begin }: Site,
  client: string | undefined,
  handle: (request: Request) => unknown,
  isHeard = true,
) {
  const request = begin(client)
  request.exchange.isHeard = isHeard
  await request.scope.start(false)
  await handle(request)
  await request.scope.finish()
  return request
}

/** Ann has the session 2, whose id was 1 so many milliseconds ago. */
async function begin(options: object, without: readonly ('list' | 'destroyAll')[] = [], ago = TEN_SECONDS) {
  const made = site({ ...options }, without)
  await respond(made, undefined, ({ session }) => Object.assign(session, { user: 'ann' }))
  await respond(made, '1', ({ session }) => session.regenerate())
  made.clock.advance(ago)
  assert.deepEqual(Object.keys(made.held()), ['2', 'A'])
  return made
}

/** What a request is told that presents the first id, and has an empty session. */
async function reuse(made: Site, isHeard = true) {
  const { session, exchange } = await respond(made, '1', ({ session }) => session.user, isHeard)
  assert.deepEqual([session.isNew, session.toJSON()], [true, {}])
  return exchange.events.filter(({ type }) => type !== 'refused')
}

const reused = (whose: string | undefined, successor = '2') => ({
  type: 'reuse',
  id: '1',
  successor: digest(successor),
  subject: whose,
})
const ended = (whose: string | undefined, successor = '2') => ({
  type: 'ended',
  id: undefined,
  handle: digest(successor),
  subject: whose,
  reason: 'reuse',
})

for (const [what, without] of Object.entries(STORES)) {
  test(`in ${what} and answers at once, nobody has to wait, with the option lazy neither`, async () => {
    const made = await begin(END, without)
    const lazy = site({ ...END, lazy: true }, without, made)
    lazy.store.answersAtOnce = true
    const { session, told } = lazy.begin('1')
    assert.deepEqual([session.toJSON(), told(), Object.keys(made.held())], [{}, ['reuse', 'refused'], ['A']])
  })

  for (const [whose, options] of [
    [ANN, END],
    [undefined, { ...END, subject: undefined }],
  ] as const) {
    const title = `in ${what}, ${whose ? 'of somebody' : 'of nobody'}`
    test(`${title}, the session that took the place of the id ends, and the events say which`, async () => {
      const made = await begin(options, without)
      assert.deepEqual(await reuse(made), [reused(whose), ended(whose)])
      assert.deepEqual(Object.keys(made.held()), ['A'])
    })

    test(`${title}, it ends where nobody listens, too`, async () => {
      const made = await begin(options, without)
      assert.deepEqual(await reuse(made, false), [reused(whose)])
      assert.deepEqual(Object.keys(made.held()), ['A'])
    })

    test(`${title}, it ends under the id that it has by now`, async () => {
      const made = await begin(options, without)
      await respond(made, '2', ({ session }) => session.regenerate())
      assert.deepEqual(await reuse(made), [reused(whose), ended(whose)])
      assert.deepEqual(Object.keys(made.held()), ['A'])
    })

    test(`${title}, it goes on within ten seconds, and without the option`, async () => {
      const early = await begin(options, without, TEN_SECONDS - 1)
      assert.deepEqual(await reuse(early), [])
      const other = await begin({ ...options, onReuse: undefined }, without)
      assert.deepEqual(await reuse(other), [reused(whose)])
      for (const made of [early, other]) assert.deepEqual(Object.keys(made.held()), ['2', 'A'])
    })
  }
}

test('other sessions of the user go on', async () => {
  const made = await begin(END)
  await respond(made, undefined, ({ session }) => Object.assign(session, { user: 'ann' }))
  await reuse(made)
  assert.equal(made.memory.list('ann').length, 1)
})

test('what has ended before is not told to have ended, where the store can tell', async () => {
  const made = await begin(END)
  await respond(made, '2', ({ scope }) => Object.assign(scope, { session: null }))
  assert.deepEqual(await reuse(made), [reused(ANN)])
})

test('so it is where that happens meanwhile', async () => {
  const made = await begin(END)
  made.courses.destroyAll = [after(() => made.memory.destroy('2'))]
  assert.deepEqual(await reuse(made), [reused(ANN)])
})

test('an id whose successor the store does not know ends what it can, and nothing is told of that', async () => {
  const made = site(END)
  made.memory.retire('A', {}, HOUR)
  made.clock.advance(TEN_SECONDS)
  const { exchange } = await respond(made, 'A', () => {})
  const told = exchange.events.filter(({ type }) => type !== 'refused')
  assert.deepEqual(told, [{ type: 'reuse', id: 'A', successor: undefined, subject: undefined }])
})

/** A store that fails: that is told, and the id gives nobody a session all the same. */
for (const [course, code] of [
  [fails, 'ERR_SESSION_STORE'],
  [hangs, 'ERR_SESSION_TIMEOUT'],
] as const)
  for (const [method, without] of [
    ['destroyAll', STORES['a store that lists']],
    ['destroy', STORES['a store that does not list']],
  ] as const) {
    test(`where ${method} ${course.name}, that is told, and the id gives nobody a session`, async () => {
      const made = await begin(END, without)
      made.courses[method] = [course]
      const [first, ...others] = await reuse(made)
      assert.deepEqual(first, reused(ANN))
      assert.deepEqual(
        others.map(event => event.type === 'store' && [event.operation, event.error.code]),
        [[method, code]],
      )
      assert.deepEqual(Object.keys(made.held()), ['2', 'A'])
    })
  }
