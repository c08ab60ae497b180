/** A proof of identity is of who gave it: how the mark of `isFresh()` ends, in each mode. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { type Data, site } from './site.ts'

type Request = ReturnType<ReturnType<typeof site>['begin']>
type Handler = (request: Request) => unknown

const MINUTE = 60_000
const THREE_METHODS = ['read', 'create', 'patch', 'touch', 'retire'] as const
const MODES = {
  cookie: (options: object) =>
    site({ store: null, encode: JSON.stringify, decode: JSON.parse, genid: undefined, ...options }),
  store: (options: object) => site({ ...options }),
  'a store of three methods': (options: object) => site({ ...options }, THREE_METHODS),
}
const subject = ({ user }: { user?: string }) => user

const set =
  (data: unknown): Handler =>
  ({ scope }) => {
    scope.session = data
  }
const both =
  (...handlers: readonly Handler[]): Handler =>
  async request => {
    for (const handle of handlers) await handle(request)
  }
const signOut: Handler = ({ session }) => Reflect.deleteProperty(session, 'user')
const become =
  (user: string): Handler =>
  ({ session }) => {
    session.user = user
  }
const update =
  (data: object): Handler =>
  ({ session }) =>
    session.update(draft => Object.assign(draft, data))
const commit: Handler = ({ session }) => session.manuallyCommit()
const renew: Handler = ({ session }) => session.regenerate()
const prove: Handler = ({ session }) => session.regenerate({ fresh: true })

const [FRESH, NOT] = [true, false]

/** After Ann has proved who she is: what the handler does; whether the session is fresh then, with `subject` and without. */
const ROWS: ReadonlyArray<readonly [what: string, handle: Handler, withSubject: boolean, without: boolean]> = [
  ['nothing', () => {}, FRESH, FRESH],
  ['another key', ({ session }) => Object.assign(session, { n: 1 }), FRESH, FRESH],
  ['update() of another key', update({ n: 1 }), FRESH, FRESH],
  // Without the option nobody can know.
  ['delete userId', signOut, NOT, FRESH],
  ['delete userId, and then another user', both(signOut, commit, become('bob')), NOT, FRESH],
  ['delete userId, and then the same user', both(signOut, commit, become('ann')), NOT, FRESH],
  ['another user', become('bob'), NOT, FRESH],
  ['update() to another user', update({ user: 'bob' }), NOT, FRESH],
  ['null, and then the same user', both(set(null), set({ user: 'ann' })), NOT, NOT],
  ['= {…} with another user', set({ user: 'bob' }), NOT, NOT],
  ['= {…} with the same user', set({ user: 'ann', n: 2 }), FRESH, NOT],
  ['= {…} with the same data', set({ user: 'ann', cart: 1 }), FRESH, NOT],
  ['= {}, and then another user', both(set({}), commit, set({ user: 'bob' })), NOT, NOT],
  ['without data, and then another user', both(set({}), commit, become('bob')), NOT, NOT],
  [
    'keys deleted, and then another user',
    both(signOut, ({ session }) => Reflect.deleteProperty(session, 'cart'), commit, become('bob')),
    NOT,
    NOT,
  ],
  [
    'saved without data, and then the same user',
    both(
      signOut,
      ({ session }) => Reflect.deleteProperty(session, 'cart'),
      ({ session }) => session.save(),
      become('ann'),
    ),
    NOT,
    NOT,
  ],
  ['regenerate()', renew, FRESH, NOT],
  ['regenerate() for another user', both(become('bob'), renew), NOT, NOT],
  ['commit({ regenerate }), in the words of 7.x', ({ session }) => session.commit({ regenerate: true }), FRESH, NOT],
  ['regenerate({ fresh }) for another user', both(become('bob'), prove), FRESH, FRESH],
  [
    'regenerate({ fresh, keep }) and then another user',
    both(({ session }) => session.regenerate({ fresh: true, keep: [] }), become('bob')),
    FRESH,
    FRESH,
  ],
  ['regenerate({ fresh }) and then regenerate()', both(prove, renew), FRESH, NOT],
  ['regenerate({ fresh }), and then another user in place of Ann', both(prove, become('bob')), NOT, FRESH],
]

for (const [mode, make] of Object.entries(MODES)) {
  for (const [which, options] of [
    ['with subject', { subject }],
    ['without subject', {}],
  ] as const) {
    for (const [what, handle, withSubject, without] of ROWS) {
      const expected = 'subject' in options ? withSubject : without
      test(`${mode}, ${which}: after ${what} the session is ${expected ? 'fresh' : 'not fresh'}`, async () => {
        const { begin, clock } = make(options)
        const request = async (presented: string | undefined, work: Handler) => {
          const one = begin(presented)
          await one.scope.start(false)
          await work(one)
          const isFresh = (one.scope.session as Data | null)?.isFresh(MINUTE)
          await one.scope.finish()
          clock.advance(1000)
          return { isFresh, client: one.exchange.client }
        }
        const signedIn = await request(
          undefined,
          both(({ session }) => Object.assign(session, { user: 'ann', cart: 1 }), prove),
        )
        assert.equal(signedIn.isFresh, true)
        const { isFresh, client } = await request(signedIn.client, handle)
        assert.deepEqual([isFresh, (await request(client, () => {})).isFresh], [expected, expected])
      })
    }
  }

  test(`${mode}: a mark that nobody had when the request ended is nobody's`, async () => {
    const { begin } = make({ subject })
    const first = begin()
    await first.scope.start(false)
    first.session.cart = 1
    await first.session.regenerate({ fresh: true })
    await first.scope.finish()
    const second = begin(first.exchange.client)
    await second.scope.start(false)
    assert.equal(second.session.isFresh(MINUTE), false)
    second.session.user = 'ann'
    assert.equal(second.session.isFresh(MINUTE), false)
  })

  test(`${mode}: regenerate({ fresh }) and then the user is a sign-in, too`, async () => {
    for (const options of [{ subject }, {}]) {
      const { begin } = make(options)
      const first = begin()
      await first.scope.start(false)
      await first.session.regenerate({ fresh: true })
      first.session.user = 'ann'
      await first.scope.finish()
      const second = begin(first.exchange.client)
      await second.scope.start(false)
      assert.equal(second.session.isFresh(MINUTE), true)
    }
  })
}

/** A session that is Ann's and fresh, in a store, and a request that has read it. */
async function annIsFresh(options: Record<string, unknown>) {
  const made = site(options)
  made.put('A', { user: 'ann', cart: 1 }, { _meta: { created: made.clock.now(), fresh: made.clock.now() } })
  const request = await made.visit('A')
  assert.equal(request.session.isFresh(MINUTE), true)
  return { ...made, request, session: request.session }
}

for (const keep of [undefined, ['user']]) {
  test(`what others write does not go over by regenerate({ fresh }), keep: ${keep}`, async () => {
    const { write, held, request, session } = await annIsFresh({ subject })
    write('A', { user: '"bob"', role: '"admin"' })
    await session.regenerate({ fresh: true, ...(keep && { keep }) })
    await request.scope.finish()
    assert.deepEqual(held(), { 1: keep ? { user: 'ann' } : { user: 'ann', cart: 1 } })
    assert.deepEqual([session.user, session.isFresh(MINUTE)], ['ann', true])
  })
}

test("another user's sign-in that goes over by regenerate() ends the mark", async () => {
  const { write, held, memory, request, session } = await annIsFresh({ subject })
  write('A', { user: '"bob"' })
  await session.regenerate()
  await request.scope.finish()
  assert.deepEqual([held(), session.isFresh(MINUTE)], [{ 1: { user: 'bob', cart: 1 } }, false])
  assert.equal(memory.read('1')?.lifetime._meta?.fresh, undefined)
})

test("an update of what is another user's by now does not take the mark along", async () => {
  const { memory, clock, session } = await annIsFresh({ subject })
  const lifetime = { _expire: clock.now() + 1e6, _maxAge: 1e6 }
  memory.patch('A', { set: { user: '"bob"' }, unset: [], lifetime, keepsEmpty: true }, 1e6)
  await session.update(draft => Object.assign(draft, { n: 1 }))
  assert.deepEqual([session.user, session.isFresh(MINUTE)], ['bob', false])
  assert.equal(memory.read('A')?.lifetime._meta?.fresh, undefined)
})

test('an update has the mark that the session has by now', async () => {
  const { memory, clock, session } = await annIsFresh({ subject })
  clock.advance(2 * MINUTE)
  assert.equal(session.isFresh(MINUTE), false)
  const lifetime = { _expire: clock.now() + 1e6, _maxAge: 1e6, _meta: { fresh: clock.now() } }
  memory.patch('A', { set: {}, unset: [], lifetime, keepsEmpty: true }, 1e6)
  await session.update(draft => Object.assign(draft, { n: 1 }))
  assert.equal(session.isFresh(MINUTE), true)
})

test('a session that can not be compared leaves nothing of its times to the new one', async () => {
  const { begin, clock } = MODES.cookie({})
  const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`
  const times = `"_expire":${clock.now() + 1000},"_maxAge":1000,"_meta":{"created":${clock.now() - 5},"fresh":${clock.now()}}`
  const { session } = begin(`{"a":${deep},${times}}`)
  assert.deepEqual([session.isNew, session.createdAt, session.isFresh(MINUTE)], [true, clock.now(), false])
})
