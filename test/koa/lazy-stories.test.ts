/**
 * `lazy` beside the options and methods that look at a session or write to it, on a store that takes its time. What is told,
 * and who is signed in at the end, is as without `lazy`; the store is asked later, or not at all.
 */
import assert from 'node:assert/strict'
import test, { type TestContext as Test } from 'node:test'
import type { CreateSessionOptions } from 'koa-session'
import { memoryStore } from 'koa-session/memory'
import type { Visitor } from '../support/agent.ts'
import type { TestContext } from '../support/koa.ts'
import { failsAtOnce, Gate, later, scriptedStore } from '../support/stores.ts'
import { HOUR, type Pages, serve, told } from '../support/story.ts'

const EVENTS = ['created', 'regenerated', 'ended', 'refused', 'reuse', 'gone', 'late', 'error']
const subject = ({ user }: Record<string, unknown>) => user as string | undefined

type Load = (ctx: TestContext) => Promise<TestContext['session']>

const pagesWith = (load: Load, gate: Gate): Pages => ({
  '/': async ctx => (await load(ctx)).user ?? 'nobody',
  '/twice': async ctx => [(await load(ctx)).user, (await load(ctx)).user],
  '/cart': async ctx => {
    ;(await load(ctx)).cart = ['a book']
  },
  '/in': async ctx => {
    const visitor = await load(ctx)
    visitor.user = 'ada'
    await visitor.regenerate({ fresh: true })
  },
  '/count': async ctx => {
    await (await load(ctx)).update((draft: { n?: number }) => {
      draft.n = (draft.n ?? 0) + 1
    })
    return ctx.session.n
  },
  '/slow-cart': async ctx => {
    const visitor = await load(ctx)
    await gate.pass()
    visitor.cart = ['a book']
  },
  '/slow-count': async ctx => {
    const visitor = await load(ctx)
    await gate.pass()
    await visitor.update((draft: { n?: number }) => {
      draft.n = 1
    })
  },
  '/slow-new-id': async ctx => {
    const visitor = await load(ctx)
    await gate.pass()
    await visitor.regenerate()
  },
  '/unread': () => 'unread',
  '/unread-in': ctx => {
    ctx.session = { user: 'ada' }
  },
  '/unread-save': async ctx => {
    ctx.session = { user: 'ada' }
    await ctx.session.save()
  },
  '/unread-new-id': async ctx => {
    ctx.session = { user: 'ada' }
    await ctx.session.regenerate({ fresh: true })
  },
  '/unread-update': async ctx => {
    ctx.session = { user: 'ada' }
    await ctx.session.update((draft: { n?: number }) => {
      draft.n = 1
    })
  },
  '/unread-out': ctx => {
    ctx.session = null
  },
  '/unread-out-in': ctx => {
    ctx.session = null
    ctx.session = { user: 'ada' }
  },
  '/unread-empty': ctx => {
    ctx.session = {}
  },
})

async function begin(t: Test, lazy: boolean, options: CreateSessionOptions) {
  const memory = memoryStore({ now: () => made.clock.now() })
  const { store, take, called } = scriptedStore(memory)
  take(later)
  Object.assign(store, { answersAtOnce: false, list: memory.list, destroyAll: memory.destroyAll })
  const load: Load = async ctx => made.sessions.load(ctx)
  const gate = new Gate()
  const base = { store, lazy, subject, ...options }
  const made = await serve(t, ({ now }) => ({ ...base, now, maxAge: HOUR }), pagesWith(load, gate))
  const seen: string[] = []
  for (const event of EVENTS) {
    made.app.on(`session:${event}`, ({ reason, subjectHash }) => {
      seen.push([event, reason, subjectHash && 'of ada'].filter(Boolean).join(' '))
    })
  }
  return { ...made, memory, gate, called, take, seen }
}

/**
 * Steps: paths that the visitor asks for; `other`, who has no cookie, and `old`, who has those from the step `copy`; `wait`
 * (ms); `revoke`: `notBefore` says now; `down`: the store fails.
 */
interface Story {
  readonly options?: CreateSessionOptions
  readonly steps: readonly string[]
  /** What the store is asked in the last step. */
  readonly calls: readonly string[]
  readonly told: readonly string[]
  /** Who is signed in at the end: the visitor, and the others in the order in which they came. */
  readonly users: string
  readonly codes?: readonly string[]
}

/** Of a function that may be async, so that it waits in `load()`. */
let revoked = 0
const notBefore = async () => revoked
const [oldest, refuse] = (['end-oldest', 'refuse'] as const).map(beyond => ({ maxSessions: { count: 1, beyond } }))

const STORIES: Readonly<Record<string, Story>> = {
  'events: a sign-out unread tells whose session it was': {
    steps: ['/in', '/unread-out'],
    calls: ['read', 'destroy'],
    told: ['created of ada', 'ended sign-out of ada'],
    users: 'nobody',
  },
  'events: without a cookie a sign-out unread asks nothing and tells nothing': {
    steps: ['/unread-out'],
    calls: [],
    told: [],
    users: 'nobody',
  },
  'events: a session that was ended before is not ended again': {
    steps: ['/in', 'copy', '/unread-out', 'old /unread-out'],
    calls: ['read'],
    told: ['created of ada', 'ended sign-out of ada', 'refused missing'],
    users: 'nobody nobody',
  },
  'events: a sign-out unread by an id that was just retired ends the session': {
    steps: ['/cart', 'copy', '/in', 'old /unread-out'],
    calls: ['read', 'destroy'],
    told: ['created', 'regenerated of ada', 'refused retired', 'ended sign-out'],
    users: 'nobody nobody',
  },
  'events: a sign-out unread by an id that was retired long ago ends nothing': {
    steps: ['/cart', 'copy', '/in', 'wait 10000', 'old /unread-out'],
    calls: ['read'],
    told: ['created', 'regenerated of ada', 'reuse', 'refused retired'],
    users: 'ada nobody',
  },
  'events: a session that has expired is told as such, and not as a sign-out': {
    steps: ['/in', `wait ${HOUR + 1}`, '/unread-out'],
    calls: ['read'],
    told: ['created of ada', 'refused expired'],
    users: 'nobody',
  },
  'events: other data in a known session make no new one': {
    steps: ['/cart', '/unread-in'],
    calls: ['read', 'patch'],
    told: ['created'],
    users: 'ada',
  },
  'events: a sign-in with a new id, unread': {
    steps: ['/cart', '/unread-new-id'],
    calls: ['read', 'create', 'retire'],
    told: ['created', 'regenerated of ada'],
    users: 'ada',
  },
  'events: a sign-in with a new id, unread, by an id that was just retired': {
    steps: ['/cart', 'copy', '/in', 'old /unread-new-id'],
    calls: ['read', 'create'],
    told: ['created', 'regenerated of ada', 'refused retired', 'created of ada'],
    users: 'ada ada',
  },
  'events: other data by an id that was just retired are told as lost': {
    steps: ['/cart', 'copy', '/in', 'old /unread-in'],
    calls: ['read'],
    told: ['created', 'regenerated of ada', 'refused retired', 'gone'],
    users: 'ada nobody',
  },
  'events: null and then other data is a sign-out and a new session': {
    steps: ['/in', '/unread-out-in'],
    calls: ['read', 'create', 'destroy'],
    told: ['created of ada', 'created of ada', 'ended sign-out of ada'],
    users: 'ada',
  },
  'events: no data, unread, end the session': {
    steps: ['/in', '/unread-empty'],
    calls: ['read', 'patch'],
    told: ['created of ada', 'ended emptied of ada'],
    users: 'nobody',
  },
  'events: where the store is down, a sign-out unread is an error, and the cookie is cleared': {
    steps: ['/in', 'down', '/unread-out', 'up'],
    calls: ['read', 'destroy'],
    told: ['created of ada', 'error', 'error'],
    users: 'nobody',
    codes: ['ERR_SESSION_STORE'],
  },
  'events: where the store is down, other data are an error, and the session stays': {
    steps: ['/in', 'down', '/unread-in', 'up'],
    calls: ['read'],
    told: ['created of ada', 'error'],
    users: 'ada',
    codes: ['ERR_SESSION_STORE'],
  },
  'maxSessions: a sign-in unread ends the oldest': {
    options: oldest,
    steps: ['/in', 'other /cart', 'wait 1000', 'other /unread-in'],
    calls: ['read', 'patch'],
    told: ['created of ada', 'created', 'ended cap of ada'],
    users: 'nobody ada',
  },
  'maxSessions: so does one without a cookie': {
    options: oldest,
    steps: ['/in', 'wait 1000', 'other /unread-in'],
    calls: ['create'],
    told: ['created of ada', 'ended cap of ada', 'created of ada'],
    users: 'nobody ada',
  },
  'maxSessions: so does one by update()': {
    options: oldest,
    steps: ['/in', 'other /cart', 'wait 1000', 'other /unread-update'],
    calls: ['read', 'read', 'patch'],
    told: ['created of ada', 'created', 'ended cap of ada'],
    users: 'nobody ada',
  },
  'maxSessions: where there is no room, a sign-in unread is refused': {
    options: refuse,
    steps: ['/in', 'other /cart', 'other /unread-in'],
    calls: ['read'],
    told: ['created of ada', 'created'],
    users: 'ada nobody',
    codes: ['ERR_SESSION_LIMIT'],
  },
  'maxSessions: so is one with a new id': {
    options: refuse,
    steps: ['/in', 'other /cart', 'other /unread-new-id'],
    calls: ['read', 'create', 'destroy', 'destroy'],
    told: ['created of ada', 'created'],
    users: 'ada nobody',
    codes: ['ERR_SESSION_LIMIT'],
  },
  'maxSessions: who is signed in may sign in again, unread': {
    options: refuse,
    steps: ['/in', '/unread-in', '/unread-new-id'],
    calls: ['read', 'create', 'retire'],
    told: ['created of ada', 'regenerated of ada'],
    users: 'ada',
  },
  'maxSessions: and in a session that takes the place of the one that is ended': {
    options: refuse,
    steps: ['/in', '/unread-out-in'],
    calls: ['read', 'create', 'destroy'],
    told: ['created of ada', 'created of ada', 'ended sign-out of ada'],
    users: 'ada',
  },
  'notBefore: a session that was revoked ends where it is asked for': {
    options: { notBefore },
    steps: ['/in', 'revoke', '/'],
    calls: ['read', 'patch'],
    told: ['created of ada', 'refused revoked', 'ended revoked of ada'],
    users: 'nobody',
  },
  'notBefore: it ends once, by a sign-out unread too': {
    options: { notBefore },
    steps: ['/in', 'revoke', '/unread-out'],
    calls: ['read', 'patch'],
    told: ['created of ada', 'refused revoked', 'ended revoked of ada'],
    users: 'nobody',
  },
  'notBefore: other data do not make it go on': {
    options: { notBefore },
    steps: ['/in', 'copy', 'revoke', '/unread-in'],
    calls: ['read', 'patch', 'create'],
    told: ['created of ada', 'refused revoked', 'ended revoked of ada', 'created of ada'],
    users: 'ada nobody',
  },
  'rolling: other data that are the same extend it once': {
    options: { rolling: true },
    steps: ['/unread-in', '/unread-in'],
    calls: ['read', 'touch'],
    told: ['created of ada'],
    users: 'ada',
  },
  'rolling: a sign-out unread extends nothing': {
    options: { rolling: true },
    steps: ['/in', '/unread-out'],
    calls: ['read', 'destroy'],
    told: ['created of ada', 'ended sign-out of ada'],
    users: 'nobody',
  },
  'rolling: update() has extended it': {
    options: { rolling: true },
    steps: ['/in', '/count'],
    calls: ['read', 'read', 'patch'],
    told: ['created of ada'],
    users: 'ada',
  },
  'renew: what is due is extended by other data that are the same': {
    options: { renew: true },
    steps: ['/unread-in', `wait ${HOUR / 2 + 1}`, '/unread-in', `wait ${HOUR / 2 + 1}`, '/twice'],
    calls: ['read', 'touch'],
    told: ['created of ada'],
    users: 'ada',
  },
  'renew: what is not due is not': {
    options: { renew: true },
    steps: ['/unread-in', 'wait 1000', '/unread-in'],
    calls: ['read'],
    told: ['created of ada'],
    users: 'ada',
  },
  'update(): it is saved in one step, after the read of load()': {
    steps: ['/in', '/count'],
    calls: ['read', 'read', 'patch'],
    told: ['created of ada'],
    users: 'ada',
  },
  'onReuse: a sign-out unread by an old id ends the family': {
    options: { onReuse: 'end' },
    steps: ['/cart', 'copy', '/in', 'wait 10000', 'old /unread-out'],
    calls: ['read', 'destroy'],
    told: ['created', 'regenerated of ada', 'reuse', 'ended reuse', 'refused retired'],
    users: 'nobody nobody',
  },
}

async function play(made: Awaited<ReturnType<typeof begin>>, steps: readonly string[]) {
  const { visitor, clock, called, seen, take } = made
  const people = new Map<string, Visitor>([['visitor', visitor]])
  for (const step of steps) {
    const [word = '', argument] = step.split(' ')
    if (word === 'wait') clock.advance(Number(argument))
    else if (word === 'copy') people.set('old', visitor.copy())
    else if (word === 'down' || word === 'up') take(word === 'down' ? failsAtOnce : later)
    else if (word === 'revoke') {
      clock.advance(1000)
      revoked = clock.now()
    } else {
      called()
      const name = argument ? word : 'visitor'
      const one = people.get(name) ?? visitor.stranger()
      people.set(name, one)
      await one.get(argument ?? word)
      await told()
    }
  }
  // Not what the look at who is signed in asks, and tells.
  const [calls, events, codes] = [called(), [...seen], made.codes()]
  const users: string[] = []
  for (const one of people.values()) users.push((await one.get('/')).text)
  return { calls, told: events, codes, users: users.join(' ') }
}

for (const [claim, { steps, options = {}, codes = [], ...expected }] of Object.entries(STORIES)) {
  for (const lazy of [true, false]) {
    test(`${lazy ? 'lazy' : 'at once'}, ${claim}`, async t => {
      revoked = 0
      assert.deepEqual(await play(await begin(t, lazy, options), steps), { ...expected, codes })
    })
  }
}

for (const [name, options] of Object.entries({
  rolling: { rolling: true },
  notBefore: { notBefore },
  onReuse: { onReuse: 'end' } as const,
})) {
  test(`${name}: a page that does not ask reads nothing, extends nothing and ends nothing`, async t => {
    revoked = 0
    const made = await begin(t, true, { ...options })
    await made.visitor.get('/cart')
    const old = made.visitor.copy()
    await made.visitor.get('/in')
    made.clock.advance(10_000)
    revoked = made.clock.now()
    made.called()
    for (const one of [old, made.visitor]) assert.deepEqual((await one.get('/unread')).cookies, [])
    await told()
    assert.deepEqual([made.called(), made.seen], [[], ['created', 'regenerated of ada']])
  })
}

/** While another request has loaded the session, and is still to save it. */
const UNDER_WAY: Readonly<Record<string, readonly [slow: string, told: readonly string[]]>> = {
  'a change is lost, and told': ['/slow-cart', ['created of ada', 'ended sign-out of ada', 'gone']],
  'update() is lost, and told': ['/slow-count', ['created of ada', 'ended sign-out of ada', 'gone']],
  'a new id is not sent, and told': ['/slow-new-id', ['created of ada', 'ended sign-out of ada', 'gone']],
}

for (const [claim, [slow, events]] of Object.entries(UNDER_WAY)) {
  for (const lazy of [true, false]) {
    test(`${lazy ? 'lazy' : 'at once'}, a sign-out unread beside a request that is under way: ${claim}`, async t => {
      const made = await begin(t, lazy, {})
      await made.visitor.get('/in')
      const other = made.visitor.copy()
      const underWay = other.get(slow)
      await made.gate.arrived
      await made.visitor.get('/unread-out')
      made.gate.open()
      assert.deepEqual([(await underWay).status, (await underWay).cookies], [200, []])
      await told()
      assert.deepEqual([made.seen, made.memory.count()], [events, 0])
      assert.deepEqual([(await made.visitor.get('/')).text, (await other.get('/')).text], ['nobody', 'nobody'])
    })
  }
}

test('lazy: parallel requests that count by update() all count', async t => {
  const { visitor } = await begin(t, true, {})
  await visitor.get('/in')
  const counted = await Promise.all(Array.from({ length: 5 }, async () => Number((await visitor.get('/count')).text)))
  assert.deepEqual(counted.sort(), [1, 2, 3, 4, 5])
})

test('lazy: notBefore and valid are asked once for a request that loads twice, and not by one that does not', async t => {
  const asked: string[] = []
  const options = {
    notBefore: async () => void asked.push('notBefore'),
    valid: async () => asked.push('valid') > 0,
  }
  const { visitor } = await begin(t, true, options)
  await visitor.get('/in')
  await visitor.get('/unread')
  assert.deepEqual(asked, [])
  assert.equal((await visitor.get('/twice')).text, 'ada,ada')
  assert.deepEqual(asked, ['notBefore', 'valid'])
})
