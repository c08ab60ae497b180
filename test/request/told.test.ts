/** What an application is told of its sessions: created, given a new id, ended, and whose they were. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { digest } from '../../src/codec/digest.ts'
import { after, type Course, fails, failsThoughDone } from '../support/stores.ts'
import { codeOf, site } from './site.ts'

type Options = Record<string, unknown>
type Site = ReturnType<typeof site>
type Request = ReturnType<Site['begin']>
type Handler = (request: Request) => unknown

const HOUR = 3_600_000
const THREE_METHODS = ['read', 'create', 'patch', 'touch', 'retire'] as const
const COOKIE = { store: null, encode: JSON.stringify, decode: JSON.parse, genid: undefined }
const subject = ({ user }: { user?: string }) => user
const MODES: Readonly<Record<string, (options?: Options) => Site>> = {
  cookie: options => site({ ...COOKIE, subject, ...options }),
  store: options => site({ subject, ...options }),
  'a store of three methods': options => site({ subject, ...options }, THREE_METHODS),
}

/** A whole request, and what was told of it in which the application says what became of a session. */
async function respond({ begin }: Site, client: string | undefined, handle: Handler, isHeard = true) {
  const request = begin(client)
  const { exchange, scope } = request
  exchange.isHeard = isHeard
  await scope.start(false)
  await handle(request)
  await scope.finish()
  const told = exchange.events.filter(({ type }) => ['created', 'regenerated', 'ended'].includes(type))
  return { client: exchange.client, told }
}

const put =
  (data: unknown): Handler =>
  ({ scope }) =>
    Object.assign(scope, { session: data })
const both =
  (...handlers: readonly Handler[]): Handler =>
  async request => {
    for (const handle of handlers) await handle(request)
  }
const signIn: Handler = ({ session }) => Object.assign(session, { user: 'ann', cart: 1 })
const commit: Handler = ({ session }) => session.manuallyCommit()
const drop = (data: object) => ['user', 'cart'].map(name => Reflect.deleteProperty(data, name))
const empty: Handler = ({ session }) => drop(session)

/** The types of events with their reasons, in a session of Ann's, whose id is 1. */
const STORIES: Readonly<
  Record<string, readonly [handle: Handler, told: readonly string[], inCookie?: readonly string[]]>
> = {
  'nothing that is told, for a session that is read': [({ session }) => session.user, []],
  'nothing that is told, for a change': [({ session }) => Object.assign(session, { n: 1 }), []],
  'nothing that is told, for save()': [({ session }) => session.save(), []],
  'nothing that is told, for other data': [put({ user: 'ann', n: 1 }), []],
  'a new id': [({ session }) => session.regenerate(), ['regenerated 2 ann']],
  'a new id, twice': [
    both(
      ({ session }) => session.regenerate(),
      ({ session }) => session.regenerate(),
    ),
    ['regenerated 2 ann', 'regenerated 3 ann'],
  ],
  'a new id for somebody else': [
    both(
      ({ session }) => Object.assign(session, { user: 'bob' }),
      ({ session }) => session.regenerate(),
    ),
    ['regenerated 2 bob'],
  ],
  'a sign-out': [put(null), ['ended 1 ann sign-out']],
  'a sign-out, twice': [both(put(null), put(null)), ['ended 1 ann sign-out']],
  'a sign-out after a new id': [
    both(({ session }) => session.regenerate(), put(null)),
    ['regenerated 2 ann', 'ended 2 ann sign-out'],
  ],
  'a sign-out, and a sign-in': [
    both(put(null), put({ user: 'bob' })),
    ['created 2 bob', 'ended 1 ann sign-out'],
    ['ended 1 ann sign-out', 'created 2 bob'],
  ],
  'a sign-out, and the same data': [
    both(put(null), put({ user: 'ann', cart: 1 })),
    ['created 2 ann', 'ended 1 ann sign-out'],
    ['ended 1 ann sign-out', 'created 2 ann'],
  ],
  'a sign-out, and no data': [both(put(null), put({})), ['ended 1 ann sign-out']],
  'a session that is emptied': [both(empty), ['ended 1 ann emptied']],
  'a session that is emptied by other data': [put({}), ['ended 1 ann emptied']],
  'a session that is emptied by an update': [({ session }) => session.update(drop), ['ended 1 ann emptied']],
  'a session that is emptied, and begins again': [
    both(empty, commit, ({ session }) => Object.assign(session, { user: 'bob' })),
    ['ended 1 ann emptied', 'created 2 bob'],
  ],
  'a session that is emptied before a new id': [
    both(empty, ({ session }) => session.regenerate()),
    ['ended 1 ann emptied'],
  ],
}

for (const [mode, make] of Object.entries(MODES)) {
  /** As the stories have it; in a cookie there is no id. */
  const expected = (told: readonly string[]) =>
    told.map(line => {
      const [type, id, user, reason] = line.split(' ')
      const whose = { id: mode === 'cookie' ? undefined : id, subject: digest(user ?? '') }
      return { type, ...whose, ...(reason && { reason }) }
    })

  test(`${mode}: a session is created once`, async () => {
    const made = make()
    const { client, told } = await respond(
      made,
      undefined,
      both(signIn, commit, ({ session }) => session.save()),
    )
    assert.deepEqual(told, expected(['created 1 ann']))
    assert.deepEqual((await respond(made, client, ({ session }) => Object.assign(session, { n: 1 }))).told, [])
  })

  test(`${mode}: nothing is told of a session that never was`, async () => {
    const handlers: readonly Handler[] = [put(null), put({}), ({ session }) => session.user, both(signIn, put(null))]
    for (const handle of handlers) assert.deepEqual((await respond(make(), undefined, handle)).told, [])
  })

  test(`${mode}: a sign-out of nobody, and a sign-in, creates a session and ends none`, async () => {
    const { told } = await respond(make(), undefined, both(put(null), put({ user: 'ann' })))
    assert.deepEqual(told, expected(['created 2 ann']))
  })

  test(`${mode}: regenerate() of a new session creates it`, async () => {
    const { told } = await respond(
      make(),
      undefined,
      both(signIn, ({ session }) => session.regenerate()),
    )
    assert.deepEqual(
      told.map(({ type }) => type),
      ['created'],
    )
  })

  for (const [what, [handle, told, inCookie = told]] of Object.entries(STORIES)) {
    test(`${mode}: ${what}`, async () => {
      const made = make()
      const { client } = await respond(made, undefined, signIn)
      const answer = await respond(made, client, handle)
      assert.deepEqual(answer.told, expected(mode === 'cookie' ? inCookie : told))
      const again = make()
      const first = await respond(again, undefined, signIn, false)
      assert.deepEqual((await respond(again, first.client, handle, false)).told, [], 'where nobody listens')
    })
  }

  test(`${mode}: a subject that can not be told keeps nobody from signing out`, async () => {
    let isBroken = false
    const made = make({
      subject: () => {
        if (isBroken) throw new Error('of the application')
        return 'ann'
      },
    })
    const { client } = await respond(made, undefined, signIn)
    isBroken = true
    const { told, client: after } = await respond(made, client, put(null))
    assert.deepEqual([told.length, after], [1, undefined])
  })

  test(`${mode}: where nobody says whose it is, it is nobody's`, async () => {
    const made = make({ subject: undefined })
    const { client, told } = await respond(made, undefined, signIn)
    const out = await respond(made, client, put(null))
    assert.deepEqual(
      [...told, ...out.told].map(event => 'subject' in event && event.subject),
      [undefined, undefined],
    )
  })
}

test('store: a session that is revoked is ended, after it was refused', async () => {
  for (const without of [[], THREE_METHODS]) {
    const made = site({ subject, notBefore: site().clock.now() + HOUR }, without)
    made.put('A', { user: 'ann' })
    const request = made.begin('A')
    request.exchange.isHeard = true
    await request.scope.start(false)
    const [refused, ended] = request.exchange.events
    assert.equal(refused?.type, 'refused')
    const whose = { id: 'A', subject: digest('ann') }
    assert.deepEqual(ended, { type: 'ended', ...whose, reason: 'revoked' })
  }
})

test('store: a session that is revoked is ended though it has no data, and not where somebody has saved it since', async () => {
  for (const [data, happens, told] of [
    [{}, () => {}, ['refused', 'ended']],
    [{ user: 'ann' }, (made: Site) => made.write('A', { user: '"bob"' }), ['refused']],
  ] as const) {
    const made = site({ subject, notBefore: site().clock.now() + HOUR })
    made.put('A', data)
    made.courses.patch = [after(() => happens(made))]
    const request = made.begin('A')
    request.exchange.isHeard = true
    await request.scope.start(false)
    assert.deepEqual(request.told(), told)
    assert.equal(made.memory.read('A') === undefined, told.length === 2)
  }
})

test('cookie: a session that is revoked is refused each time, and not ended', async () => {
  const made = MODES.cookie?.({ notBefore: site().clock.now() + HOUR }) as Site
  const { client } = await respond(made, undefined, signIn)
  assert.deepEqual((await respond(made, client, ({ session }) => session.user)).told, [])
})

/** What a store that fails, or another request, makes of it. */
const COURSES: Readonly<
  Record<
    string,
    readonly [
      courses: Partial<Record<'destroy' | 'create' | 'retire' | 'patch', Course>>,
      handle: Handler,
      told: readonly string[],
    ]
  >
> = {
  'a sign-out that fails': [{ destroy: fails }, put(null), []],
  'a new id that could not be made': [{ create: fails }, ({ session }) => codeOf(() => session.regenerate()), []],
  'an old id that could not be retired, and is later': [
    { retire: fails },
    both(
      ({ session }) => codeOf(() => session.regenerate()),
      ({ session }) => session.save(),
    ),
    ['regenerated'],
  ],
  'an old id that was retired without an answer': [
    { retire: failsThoughDone },
    ({ session }) => codeOf(() => session.regenerate()),
    ['regenerated'],
  ],
}

for (const [what, [courses, handle, told]] of Object.entries(COURSES)) {
  test(`store: ${what} is told as ${told.length === 0 ? 'nothing' : told}`, async () => {
    const made = site({ subject })
    for (const [method, course] of Object.entries(courses)) made.courses[method as 'destroy'] = [course]
    const request = made.begin('A')
    request.exchange.isHeard = true
    await request.scope.start(false)
    await handle(request)
    await codeOf(() => request.scope.finish())
    const types = request.exchange.events.map(({ type }) => type)
    assert.deepEqual(
      types.filter(type => ['created', 'regenerated', 'ended'].includes(type)),
      told,
    )
  })
}

test('store: a sign-out with an id that was just retired ends the session, and is told', async () => {
  const made = site({ subject })
  made.memory.create('B', { members: { a: '1' }, lifetime: { _session: true } }, HOUR)
  made.memory.retire('A', { successor: 'B' }, HOUR)
  assert.deepEqual((await respond(made, 'A', put(null))).told, [
    { type: 'ended', id: 'A', subject: undefined, reason: 'sign-out' },
  ])
  assert.equal(made.memory.read('B'), undefined)
})

test('store: what another request has ended is not ended again', async () => {
  const made = site({ subject })
  made.courses.patch = [after(() => made.memory.destroy('A'))]
  const { told } = await respond(
    made,
    'A',
    both(({ session }) => Object.assign(session, { n: 1 }), commit, put(null)),
  )
  assert.deepEqual(told, [])
})

test('store: a sign-in whose id another request has replaced, before or meanwhile, creates a session', async () => {
  for (const isBefore of [true, false]) {
    const made = site({ subject })
    const replace = () => made.memory.retire('A', { successor: digest('B') }, HOUR)
    if (isBefore) replace()
    else made.courses.retire = [after(replace)]
    const { client, told } = await respond(
      made,
      'A',
      both(signIn, ({ session }) => session.regenerate({ keep: ['user'], fresh: true })),
    )
    assert.deepEqual([client, told], ['1', [{ type: 'created', id: '1', subject: digest('ann') }]])
  }
})
