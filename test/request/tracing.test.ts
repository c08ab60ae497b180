/** What the tracing channels say of each call of a store and of each commit, and that they cost nothing where nobody listens. */
import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'
import { channel, tracingChannel } from 'node:diagnostics_channel'
import test from 'node:test'
import { inspect } from 'node:util'
import { digest } from '../../src/codec/digest.ts'
import { resolveConfig } from '../../src/config.ts'
import { openSession } from '../../src/open/open.ts'
import { AskedStore } from '../../src/request/asked-store.ts'
import { Settings } from '../../src/request/settings.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import type { Store } from '../../src/stores/store.ts'
import { after, type Course, fails, failsAtOnce, hangs } from '../support/stores.ts'
import { listen, type Message, PHASES, said } from '../support/tracing.ts'
import { FakeExchange } from './exchange.ts'
import { codeOf, site } from './site.ts'

type Site = ReturnType<typeof site>
type Request = ReturnType<Site['begin']>
const FINGERPRINT_OF_A = '559aead0'

const LIFETIME = { _expire: 1 }
const RECORD = { members: { a: '"é"' }, lifetime: LIFETIME, version: 0 }
const PATCH = { set: { cart: '[1]' }, unset: [], lifetime: LIFETIME, keepsEmpty: true }

/** Each operation with its answers, what they are called, and the bytes that are known. */
const ANSWERS: ReadonlyArray<
  readonly [
    operation: Message['operation'],
    ask: (store: AskedStore) => unknown,
    answers: ReadonlyArray<readonly [answer: unknown, outcome: Message['outcome'], bytes?: number]>,
    bytes?: number,
  ]
> = [
  [
    'get',
    at => at.get('A'),
    [
      [{ a: 1 }, 'done'],
      [undefined, 'missing'],
      [null, 'missing'],
      [{ _retired: 1 }, 'missing'],
    ],
  ],
  [
    'set',
    at => at.set('A', { members: { a: 1 }, set: { a: 1 } }, true),
    [
      [undefined, 'done'],
      ['OK', 'done'],
    ],
  ],
  [
    'destroy',
    at => at.destroy('A'),
    [
      [undefined, 'done'],
      [0, 'done'],
    ],
  ],
  [
    'read',
    at => at.read('A'),
    [
      [RECORD, 'done', 5],
      [{ ...RECORD, members: { a: 1 } }, 'done', 1],
      [undefined, 'missing'],
      [{ members: {}, lifetime: {}, retiredAt: 1 }, 'missing'],
    ],
  ],
  [
    'create',
    at => at.create('A', RECORD),
    [
      [true, 'done', 5],
      [false, 'conflict', 5],
    ],
    5,
  ],
  [
    'patch',
    at => at.patch('A', PATCH),
    [
      ['saved', 'done', 7],
      ['emptied', 'done', 7],
      ['gone', 'gone', 7],
      ['conflict', 'conflict', 7],
    ],
    7,
  ],
  [
    'touch',
    at => at.touch('A', LIFETIME),
    [
      [true, 'done'],
      [false, 'gone'],
    ],
  ],
  [
    'retire',
    at => at.retire('A', {}),
    [
      ['saved', 'done'],
      ['gone', 'gone'],
      ['conflict', 'conflict'],
    ],
  ],
  ['list', at => at.list('ann'), [[[], 'done']]],
  [
    'destroyAll',
    at => at.endOne('ann', 'A'),
    [
      [1, 'done'],
      [0, 'done'],
    ],
  ],
]

/** A store whose methods answer as `answer` does, asked by a request. */
function asked(answer: () => unknown): AskedStore {
  const store = Object.fromEntries(ANSWERS.map(([operation]) => [operation, answer]))
  const settings = new Settings(resolveConfig({ storeTimeout: 20, maxAge: 1000 }))
  return new AskedStore(store as unknown as Store, new FakeExchange(), settings)
}

for (const [operation, ask, answers, known] of ANSWERS) {
  const id = /list|destroyAll/.test(operation) ? undefined : FINGERPRINT_OF_A

  for (const [answer, outcome, bytes] of answers) {
    test(`${operation} that answers ${JSON.stringify(answer) ?? 'nothing'} is ${outcome}, at once and later`, async t => {
      const { over, heard, phases } = listen(t, 'store')
      const began = performance.now()
      assert.equal(ask(asked(() => answer)), answer, 'it does not answer at once any more')
      assert.equal(phases(), 'start end')
      assert.equal(await ask(asked(() => Promise.resolve(answer))), answer)
      assert.equal(phases(), 'start end start end asyncStart asyncEnd')
      for (const { duration, ...message } of over()) {
        assert.ok(Number(duration) >= 0 && Number(duration) <= performance.now() - began, `${duration} ms`)
        assert.deepEqual({ bytes: undefined, ...message }, { operation, id, bytes, outcome })
      }
      assert.equal(over().length, 2)
      assert.deepEqual(heard[0]?.message, { operation, id, bytes: known })
    })
  }

  const failures: Readonly<Record<string, readonly [course: Course, outcome: string, phases: string]>> = {
    throws: [failsAtOnce, 'failed', 'start error end'],
    rejects: [fails, 'failed', 'start end error asyncStart asyncEnd'],
    'does not answer': [hangs, 'timeout', 'start end error asyncStart asyncEnd'],
  }
  for (const [how, [course, outcome, phases]] of Object.entries(failures)) {
    test(`${operation} that ${how} is ${outcome}, with the code and without the error`, async t => {
      const store = listen(t, 'store')
      const code = await codeOf(() => ask(asked(() => course(() => {}))))
      assert.match(String(code), /^ERR_SESSION_(STORE|TIMEOUT)$/)
      const [{ duration, ...message } = {}, ...more] = store.over()
      assert.deepEqual([message, more], [{ operation, id, bytes: known, outcome, code }, []])
      assert.equal(store.phases(), phases)
    })
  }
}

const subject = ({ user }: { user?: string }) => user
const COOKIE = { store: null, encode: JSON.stringify, decode: JSON.parse, genid: undefined }
const ALWAYS = 10 ** 9
type Options = Record<string, unknown>
type Handler = (request: Request) => unknown

/** A whole request; the code of what it ends with. */
async function respond(
  { begin }: Site,
  client: string | undefined,
  handle: Handler,
  hasLeft = false,
): Promise<unknown> {
  const request = begin(client)
  request.exchange.isHeard = true
  await request.scope.start(false)
  await handle(request)
  request.exchange.hasLeft = hasLeft
  return codeOf(() => request.scope.finish())
}

const change: Handler = ({ session }) => Object.assign(session, { b: 2 })
const read: Handler = ({ session }) => session.a
const newId: Handler = ({ session }) => session.regenerate()
const signOut: Handler = ({ scope }) => Object.assign(scope, { session: null })
const empty: Handler = ({ session }) => Reflect.deleteProperty(session, 'a')
const update: Handler = ({ session }) => session.update(draft => Object.assign(draft, { n: 1 }))
const another: Handler = ({ scope }) => {
  scope.session = null
  scope.session = { user: 'bob' }
}

/** What a request makes of the session A, its commits in a store and in a cookie, and the calls of the store. */
const STORIES: Readonly<
  Record<string, readonly [options: Options, handle: Handler, commits: string, calls: string, inCookie?: string]>
> = {
  'only reads': [{}, read, 'none done', 'read done'],
  'changes it': [{}, change, 'patch done', 'read done, patch done'],
  'extends it, by rolling': [{ rolling: true }, read, 'touch done', 'read done, touch done'],
  'extends it, by renew': [{ renew: ALWAYS, maxAge: 2 * ALWAYS }, read, 'touch done', 'read done, touch done'],
  'gets a new id': [{}, newId, 'regenerate done, none done', 'read done, create done, retire done'],
  'signs out': [{}, signOut, 'destroy done', 'read done, destroy done'],
  'empties it': [{}, empty, 'destroy done', 'read done, patch done'],
  'updates it': [{}, update, 'update done, none done', 'read done, read done, patch done', 'patch done, none done'],
  'puts another one in its place': [{}, another, 'patch done', 'read done, create done, destroy done'],
}

for (const [title, [options, handle, commits, calls, inCookie = commits]] of Object.entries(STORIES)) {
  test(`a request that ${title}: its commits, and each call of the store`, async t => {
    const [store, commit] = [listen(t, 'store'), listen(t, 'commit')]
    const stored = site(options)
    assert.equal(await respond(stored, 'A', handle), undefined)
    assert.deepEqual([said(commit), said(store)], [commits, calls])
    assert.deepEqual(
      store.over().map(({ operation }) => operation),
      stored.calls.map(call => call.split(' ')[0]),
    )
    assert.equal(commit.heard[0]?.message.operation, 'none', 'nobody knows it yet')
  })

  test(`a request with a session in a cookie that ${title}: its commits, with the bytes that are sent`, async t => {
    const made = site({ ...COOKIE, maxAge: 2 * ALWAYS, ...options })
    const first = made.begin()
    Object.assign(first.session, { a: 1 })
    await first.scope.finish()
    made.clock.advance(1.5 * ALWAYS)
    const [store, commit] = [listen(t, 'store'), listen(t, 'commit')]
    assert.equal(await respond(made, first.exchange.client, handle), undefined)
    assert.deepEqual([said(commit), said(store)], [inCookie, ''])
    for (const { operation, bytes, id } of commit.over()) {
      assert.equal(id, undefined)
      if (operation === 'none') assert.equal(bytes, undefined)
      else assert.equal(Number(bytes) > 0, operation !== 'destroy', `${bytes} bytes`)
    }
  })
}

for (const mode of ['cookie', 'store']) {
  test(`${mode}: what is written to a session of a newer version, which stays as it is, is gone`, async t => {
    const options = { ...(mode === 'cookie' && COOKIE), upgrade() {} }
    const newer = site({ ...options, version: 2 })
    const first = await newer.visit()
    Object.assign(first.session, { a: 1 })
    await first.scope.finish()
    const commit = listen(t, 'commit')
    const older = site({ ...options, version: 1 }, [], newer)
    for (const handle of [read, change, newId, signOut]) await respond(older, first.exchange.client, handle)
    assert.equal(said(commit), 'none done, create gone, none done, none done, destroy done')
    assert.deepEqual(
      commit.over().map(({ bytes }) => bytes),
      [undefined, undefined, undefined, undefined, 0],
    )
  })
}

const capped = (beyond: string) => ({ subject, maxSessions: { count: 1, beyond } })
const signIn: Handler = ({ session }) => Object.assign(session, { user: 'ann' })
/** Ann has a session already. */
const hasAnn = ({ memory, clock }: Site) => {
  const lifetime = { _expire: clock.now() + 1000 }
  memory.create('B', { members: { user: '"ann"' }, lifetime, version: 0, subject: digest('ann') }, 1000)
}
const isRetired = ({ memory }: Site) => memory.retire('A', { successor: 'B' }, ALWAYS)
const course =
  (method: 'read' | 'patch' | 'touch' | 'create' | 'get', ...courses: Course[]) =>
  (made: Site) =>
    Object.assign(made.courses, { [method]: courses })
const isEnded = (made: Site) =>
  course(
    'patch',
    after(() => made.memory.destroy('A')),
  )(made)
const badData: Handler = ({ session }) => Object.assign(session, { map: new Map([[1, 2]]) })
const throwing = () => {
  throw new TypeError('ann is not welcome')
}

/** What goes another way: `before` happens before the request. */
const WAYS: Readonly<
  Record<
    string,
    readonly [
      options: Options,
      before: (made: Site) => unknown,
      handle: Handler,
      commits: string,
      calls: string,
      code?: string,
      without?: Parameters<typeof site>[1],
    ]
  >
> = {
  'the cap ends another one': [
    capped('end-oldest'),
    hasAnn,
    signIn,
    'patch done',
    'read done, list done, patch done, list done, destroyAll done',
  ],
  'the cap refuses': [capped('refuse'), hasAnn, signIn, 'patch limit', 'read done, list done', 'ERR_SESSION_LIMIT'],
  'the cap has refused, and the final commit does not try again': [
    capped('refuse'),
    hasAnn,
    async request => {
      await signIn(request)
      await codeOf(() => request.session.save())
    },
    'patch limit, patch limit',
    'read done, list done',
  ],
  'notBefore ends it': [{ notBefore: 10 ** 14 }, () => {}, read, 'none done', 'read done, patch done'],
  'an id that was retired long ago ends the session': [
    { onReuse: 'end' },
    made => [isRetired(made), made.clock.advance(10_001)],
    read,
    'none done',
    'read missing, destroy done',
  ],
  'an id that was retired just now': [{}, isRetired, change, 'create gone', 'read missing'],
  'the session is new': [{}, ({ memory }) => memory.destroy('A'), change, 'create done', 'read missing, create done'],
  'another request ends it meanwhile': [{}, isEnded, change, 'patch gone', 'read done, patch gone'],
  'another request updates it meanwhile': [
    {},
    course('patch', () => 'conflict'),
    update,
    'update done, none done',
    'read done, read done, patch conflict, read done, patch done',
  ],
  'an id is taken': [
    {},
    course('create', () => false),
    newId,
    'regenerate done, none done',
    'read done, create conflict, create done, retire done',
  ],
  'the store fails': [
    {},
    course('patch', fails),
    change,
    'patch failed',
    'read done, patch failed',
    'ERR_SESSION_STORE',
  ],
  'the store hangs': [
    {},
    course('patch', hangs),
    change,
    'patch timeout',
    'read done, patch timeout',
    'ERR_SESSION_TIMEOUT',
  ],
  'the store is down, and it is served without': [
    { onStoreError: 'anonymous' },
    course('read', fails),
    change,
    'create gone',
    'read failed',
  ],
  'the store is down, and it is not extended': [
    { onStoreError: 'anonymous', rolling: true },
    course('touch', failsAtOnce),
    read,
    'touch failed',
    'read done, touch failed',
  ],
  'the data can not be saved': [{}, () => {}, badData, 'none failed', 'read done', 'ERR_SESSION_DATA'],
  'the store has no retire': [
    {},
    () => {},
    newId,
    'regenerate done, none done',
    'read done, create done, read done, destroy done',
    undefined,
    ['retire'],
  ],
  'the store has three methods': [
    {},
    () => {},
    newId,
    'regenerate done, none done',
    'get done, set done, destroy done',
    undefined,
    ['read', 'create', 'patch', 'touch', 'retire', 'list', 'destroyAll'],
  ],
}

for (const [title, [options, before, handle, commits, calls, code, without = []]] of Object.entries(WAYS)) {
  test(`${title}: the commits say so, and each call of the store has its message`, async t => {
    const [store, commit] = [listen(t, 'store'), listen(t, 'commit')]
    const made = site(options, without)
    await before(made)
    assert.equal(await respond(made, 'A', handle), code)
    assert.deepEqual([said(commit), said(store)], [commits, calls])
    assert.deepEqual(
      store.over().map(({ operation }) => operation),
      made.calls.map(call => call.split(' ')[0]),
    )
    assert.equal(commit.over()[0]?.code, code ?? (commits.includes('limit') ? 'ERR_SESSION_LIMIT' : undefined))
  })
}

for (const [mode, options] of Object.entries({ cookie: COOKIE, store: {} })) {
  test(`${mode}: what comes after the headers is late, and an error of the application has no code`, async t => {
    const commit = listen(t, 'commit')
    await respond(site(options), undefined, change, true)
    const error = await respond(site({ ...options, beforeSave: throwing }), undefined, change)
    assert.equal(error instanceof TypeError, true)
    assert.deepEqual([said(commit), commit.over()[1]?.code], ['create late, create failed', undefined])
  })
}

test('openSession() tells of what it reads', async t => {
  const store = listen(t, 'store')
  const memory = memoryStore() as unknown as Store
  await openSession('koa.sess=A', {
    store: memory,
    signed: false,
    externalKey: { get: () => 'A', set: () => {} },
  } as never)
  assert.equal(said(store), 'read missing')
})

const [ID, WORD, USER] = ['an-id-that-is-secret', 'a-word-of-the-data', 'ada-lovelace']
const HIDDEN = [ID, WORD, USER, digest(ID), digest(USER), 'connection refused']
const NAMES = ['bytes', 'code', 'duration', 'id', 'operation', 'outcome']

test('no message has the answer, data, an id, whose session it is, or what an error says', async t => {
  const messages: object[] = []
  for (const name of ['store', 'commit']) {
    for (const phase of PHASES) {
      const one = channel(`tracing:koa-session:${name}:${phase}`)
      const note = (message: unknown) => messages.push(message as object)
      one.subscribe(note)
      t.after(() => one.unsubscribe(note))
    }
  }
  const tells: Course = () => Promise.reject(new Error(`connection refused: ${ID} ${WORD} ${USER}`))
  const handlers = [read, change, newId, signOut, empty, update, another]
  for (const options of [{}, { rolling: true }, capped('end-oldest'), { notBefore: 10 ** 14 }]) {
    for (const method of [undefined, 'read', 'create', 'patch', 'touch', 'retire', 'destroy', 'list'] as const) {
      for (const handle of handlers) {
        const made = site({ subject, onStoreError: 'anonymous', ...options })
        made.put(ID, { a: WORD, user: USER })
        if (method) made.courses[method] = [tells]
        await codeOf(() => respond(made, ID, handle))
      }
    }
  }
  assert.ok(messages.length > 1000, `${messages.length} messages`)
  for (const message of messages) {
    for (const key of Reflect.ownKeys(message)) assert.ok(NAMES.includes(String(key)), `it has ${String(key)}`)
    const shown = inspect(message, { depth: 9, showHidden: true })
    for (const text of HIDDEN) assert.ok(!shown.includes(text), shown)
  }
})

test('without subscribers no message is made, and with one for each operation', async t => {
  const now = t.mock.method(performance, 'now')
  const hashed = t.mock.method(Buffer, 'byteLength')
  const published = t.mock.method(Object.getPrototypeOf(channel('another')), 'runStores')
  const story = async () => {
    for (const handle of [read, change, newId, signOut]) await respond(site(), 'A', handle)
    return [now, hashed, published].map(({ mock }) => mock.callCount())
  }
  assert.deepEqual(await story(), [0, 0, 0])
  for (const phase of PHASES) {
    const one = channel(`tracing:koa-session:store:${phase}`)
    const note = () => {}
    one.subscribe(note)
    const before = now.mock.callCount()
    await story()
    one.unsubscribe(note)
    assert.ok(now.mock.callCount() > before, `a subscriber of ${phase} alone is not heard`)
  }
})

test('a store that answers at once still does: nothing is a promise', t => {
  const [store, commit] = [listen(t, 'store'), listen(t, 'commit')]
  for (const handle of [read, change, signOut]) {
    const request = site({ rolling: true }).begin('A')
    assert.equal(request.scope.start(false), undefined)
    handle(request)
    assert.equal(request.scope.finish(), undefined)
  }
  assert.equal(said(commit), 'touch done, patch done, destroy done')
  assert.equal(store.phases().includes('async'), false)
})

test('what a subscriber binds to start is there in the store and in the commit, and not beside them', async t => {
  const storage = new AsyncLocalStorage<string>()
  for (const name of ['store', 'commit']) {
    const { start } = tracingChannel<string, Message>(`koa-session:${name}`)
    start.bindStore(storage, ({ operation }) => `${name} ${operation}, in ${storage.getStore() ?? 'nothing'}`)
    t.after(() => start.unbindStore(storage))
  }
  const seen: unknown[] = []
  const look: Course = async ask => {
    await Promise.resolve()
    seen.push(storage.getStore())
    return ask()
  }
  const made = site()
  Object.assign(made.courses, { read: [look], patch: [look] })
  await respond(made, 'A', request => {
    seen.push(storage.getStore())
    change(request)
  })
  seen.push(storage.getStore())
  assert.deepEqual(seen, ['store read, in nothing', undefined, 'store patch, in commit none, in nothing', undefined])
})

test('a subscriber that freezes the message does not hurt the request', async t => {
  for (const name of ['store', 'commit']) {
    const { start } = tracingChannel(`koa-session:${name}`)
    start.subscribe(Object.freeze)
    t.after(() => start.unsubscribe(Object.freeze))
  }
  const made = site()
  assert.equal(await respond(made, 'A', change), undefined)
  assert.deepEqual(made.held(), { A: { a: 1, b: 2 } })
})

test('a subscriber that throws is an uncaught exception of Node, and the request goes on', async t => {
  const uncaught: unknown[] = []
  process.setUncaughtExceptionCaptureCallback(error => uncaught.push(error))
  t.after(() => process.setUncaughtExceptionCaptureCallback(null))
  for (const phase of PHASES) {
    const one = channel(`tracing:koa-session:store:${phase}`)
    one.subscribe(throwing)
    t.after(() => one.unsubscribe(throwing))
  }
  for (const course of [(ask: () => unknown) => ask(), async (ask: () => unknown) => ask()]) {
    const made = site()
    made.courses.patch = [course]
    assert.equal(await respond(made, 'A', change), undefined)
    assert.deepEqual(made.held(), { A: { a: 1, b: 2 } })
  }
  await new Promise(resolve => setImmediate(resolve))
  assert.ok(uncaught.length >= 8 && uncaught.every(error => error instanceof TypeError))
})
