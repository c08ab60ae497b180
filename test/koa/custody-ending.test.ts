/** A sign-out, and a session that is given new ids beside it: the end wins, under whatever id the session is by then. */
import assert from 'node:assert/strict'
import test, { type TestContext as Test } from 'node:test'
import type { CreateSessionOptions } from 'koa-session'
import { Gate } from '../support/stores.ts'
import { type Page, type Pages, serve, told } from '../support/story.ts'
import { at, NOTHING, type State, script } from './scripted.ts'

/** `page`, with the session read before and the rest done when `gate` is open. */
const slow = (gate: Gate, page: Page): Page => {
  return async ctx => {
    void ctx.session.a
    await gate.pass()
    return page(ctx)
  }
}
const signOut: Page = ctx => {
  ctx.session = null
}
const signIn: Page = async ctx => {
  ctx.session.user = 'ada'
  await ctx.session.regenerate({ fresh: true })
}

const signInAlone: Page = async ctx => {
  ctx.session.user = 'ada'
  await ctx.session.regenerate({ keep: ['user'], fresh: true })
}

const signInLate: Page = async ctx => {
  await ctx.session.regenerate()
  ctx.session.user = 'ada'
  await ctx.session.save()
}

/** A visitor with a session, and a slow sign-out of the same browser. */
async function signingOut(t: Test, own: Parameters<typeof script>[3] = {}, pages: Pages = {}) {
  const gate = new Gate()
  const made = await script(t, { '/slow-out': slow(gate, signOut), ...pages }, {}, own)
  await made.visitor.get('/begin')
  const answering = made.visitor.get('/slow-out')
  await gate.arrived
  const finish = () => {
    gate.open()
    return answering
  }
  return { ...made, finish }
}

for (const hashIds of [true, false]) {
  for (const times of [1, 3, 20]) {
    test(`a slow sign-out ends a session that got ${times} new ids meanwhile (hashIds: ${hashIds})`, async t => {
      const { visitor, finish, state } = await signingOut(t, { hashIds })
      for (let time = 0; time < times; time++) await visitor.get('/new-id')
      const answer = await finish()
      assert.deepEqual({ ...(await state()), lines: answer.cookies.length }, { ...NOTHING, lines: 2 })
      assert.equal((await visitor.get('/')).text, 'nobody')
    })
  }

  test(`a sign-out that takes 11 seconds ends the session that got a new id meanwhile (hashIds: ${hashIds})`, async t => {
    const { visitor, finish, clock, state } = await signingOut(t, { hashIds })
    await visitor.get('/new-id')
    clock.advance(11_000)
    await finish()
    assert.deepEqual(await state(), NOTHING)
  })
}

test('a slow sign-out ends a session that one request gave several new ids', async t => {
  const { visitor, finish, state } = await signingOut(
    t,
    {},
    {
      '/new-ids': async ctx => {
        await ctx.session.regenerate()
        ctx.session.b = 2
        await ctx.session.regenerate()
      },
    },
  )
  await visitor.get('/new-ids')
  await finish()
  assert.deepEqual(await state(), NOTHING)
})

test('a slow sign-in that regenerates after a sign-out leaves nothing, and no cookie', async t => {
  const gate = new Gate()
  const { visitor, state } = await script(t, { '/slow-in': slow(gate, signIn) })
  await visitor.get('/begin')
  const answering = visitor.get('/slow-in')
  await gate.arrived
  await visitor.get('/out')
  gate.open()
  const { cookies } = await answering
  assert.deepEqual({ ...(await state()), cookies }, { ...NOTHING, told: ['session:gone user'], cookies: [] })
})

for (const [when, method] of [
  ['before the new record is made', 'create'],
  ['between the new record and the end of the old one', 'retire'],
] as const) {
  test(`a sign-out ${when} ends the session of a regenerate() that is under way`, async t => {
    const gate = new Gate()
    const { visitor, courses, state } = await script(t, {})
    await visitor.get('/begin')
    courses[method] = [gate.course]
    const answering = visitor.get('/new-id')
    await gate.arrived
    await visitor.get('/out')
    gate.open()
    const { cookies } = await answering
    const { told: _, ...rest } = await state()
    assert.deepEqual({ ...rest, cookies }, { held: [], client: 'no cookie', errors: [], cookies: [] })
  })
}

test('a sign-out whose destroy is under way when the session gets a new id ends it', async t => {
  const gate = new Gate()
  const { visitor, courses, state } = await script(t, {})
  await visitor.get('/begin')
  courses.destroy = [gate.course]
  const answering = visitor.get('/out')
  await gate.arrived
  await visitor.get('/new-id')
  gate.open()
  await answering
  assert.deepEqual(await state(), NOTHING)
})

for (const times of [1, 2]) {
  test(`a sign-out with an id that was retired less than 10 s ago ends its successor (${times} new ids)`, async t => {
    const { visitor, clock, state } = await script(t, {})
    await visitor.get('/begin')
    const late = visitor.copy()
    for (let time = 0; time < times; time++) await visitor.get('/new-id')
    clock.advance(9_999)
    const { status, cookies } = await late.get('/out')
    const { held, client } = await state(late)
    assert.deepEqual([held, client, status, cookies.length], [[], 'no cookie', 200, 2])
    assert.equal((await visitor.get('/')).text, 'nobody')
  })
}

for (const [when, between] of [
  ['10 s ago', [10_000]],
  ['10 s ago, and its successor just now', [10_000, 0]],
] as const) {
  test(`a sign-out with an id that was retired ${when} leaves the session to its visitor`, async t => {
    const { visitor, clock, state } = await script(t, {})
    await visitor.get('/begin')
    const late = visitor.copy()
    for (const time of between) {
      await visitor.get('/new-id')
      clock.advance(time)
    }
    assert.equal((await late.get('/out')).status, 200)
    const { held, client } = await state()
    assert.deepEqual({ held, client }, { held: [{ a: 1 }], client: { a: 1 } })
  })
}

for (const [title, page] of [
  ['', signIn],
  [', where it says who signs in after it has asked for the new id', signInLate],
] as const)
  test(`a sign-in that was sent twice, and whose first answer was lost, ends signed in${title}`, async t => {
    const { visitor, idOf, dataOf } = await script(t, { '/in': page })
    await visitor.get('/begin')
    // The browser has cancelled this answer.
    const lost = visitor.copy()
    await lost.get('/in')
    const { status } = await visitor.get('/in')
    assert.deepEqual([status, dataOf(String(idOf(visitor)))], [200, { user: 'ada' }])
    assert.notEqual(idOf(visitor), idOf(lost))
    assert.equal((await visitor.get('/')).text, 'ada')
  })

const IN = { user: 'ada' }
const subject = ({ user }: Record<string, unknown>) => user as string | undefined
const GONE: State = { held: [], client: 'a dead id', told: ['session:gone'], errors: [] }
for (const [title, page, given, expected] of [
  ['with keep and fresh', signInAlone, {}, at(IN)],
  [
    'with keep and fresh, by a user who is signed in',
    signInAlone,
    { before: IN },
    { ...GONE, told: ['session:gone a'] },
  ],
  ['with subject and fresh, by a user who is signed in', signIn, { before: IN, subject }, GONE],
  [
    'with subject',
    async ctx => {
      ctx.session.user = 'ada'
      await ctx.session.regenerate()
    },
    { subject },
    at(IN),
  ],
  [
    'with keep and fresh, of data that were there before',
    async ctx => {
      ctx.session.user = 'ada'
      await ctx.session.regenerate({ keep: ['a', 'user'], fresh: true })
    },
    {},
    { ...GONE, told: ['session:gone user'] },
  ],
  [
    'and what is set meanwhile is kept',
    async ctx => {
      ctx.session.user = 'ada'
      const regenerating = ctx.session.regenerate()
      ctx.session.a = 2
      await regenerating
    },
    { subject },
    at({ a: 2, ...IN }),
  ],
  ['and nothing says who signs in', signIn, {}, { ...GONE, told: ['session:gone user'] }],
  [
    'with subject, after it has asked for the new id, as Passport does',
    signInLate,
    { subject },
    { ...at(IN), told: ['session:gone'] },
  ],
  ['and nothing says who signs in then', signInLate, {}, { ...GONE, told: ['session:gone', 'session:gone user'] }],
  [
    'with subject, where nobody signs in after that',
    async ctx => {
      await ctx.session.regenerate()
      ctx.session.a = 2
    },
    { subject },
    { ...GONE, told: ['session:gone', 'session:gone a'] },
  ],
] as readonly [string, Page, CreateSessionOptions & { before?: object }, State][]) {
  const { before = {}, ...options } = given
  test(`a sign-in that was sent twice, and both were under way at the same time, ${title}`, async t => {
    const gate = new Gate()
    const begin: Page = ctx => void Object.assign(ctx.session, { a: 1 }, before)
    const pages = { '/begin': begin, '/slow-in': slow(gate, page), '/in': signIn }
    const { visitor, state, memory, idOf } = await script(t, pages, options)
    await visitor.get('/begin')
    // The browser has cancelled this answer.
    const lost = visitor.copy()
    const answering = visitor.get('/slow-in')
    await gate.arrived
    await lost.get('/in')
    gate.open()
    await answering
    const { held, ...rest } = await state()
    assert.deepEqual({ held: held.slice(1), ...rest }, expected)
    if (title === 'with subject') assert.equal(memory.list('ada').length, 2)
    assert.deepEqual(memory.read(String(idOf(lost)))?.members, { a: '1', user: '"ada"' })
  })
}

for (const [title, page] of [
  ['', signInAlone],
  [', where it says who signs in after it has asked for the new id', signInLate],
] as const)
  test(`a sign-in beside which another request gave the session a new id brings back nothing that was ended${title}`, async t => {
    const gate = new Gate()
    const { visitor, state } = await script(t, { '/slow-in': slow(gate, page) }, { subject })
    await visitor.get('/begin')
    const other = visitor.copy()
    const answering = visitor.get('/slow-in')
    await gate.arrived
    await other.get('/new-id')
    await other.get('/out')
    gate.open()
    await answering
    assert.deepEqual(await state(), { ...at(IN), told: page === signInLate ? ['session:gone'] : [] })
  })

for (const [title, page] of Object.entries<Page>({
  sets: ctx => {
    ctx.session.a = 2
  },
  assigns: ctx => {
    ctx.session = { a: 2 }
  },
})) {
  test(`a request that asks for a new id as well, and ${title} what signs nobody in, leaves the browser signed in`, async t => {
    const asks: Page = async ctx => {
      await ctx.session.regenerate()
      await page(ctx)
    }
    const { visitor, state } = await script(t, { '/in': signIn, '/asks': asks }, { subject })
    await visitor.get('/begin')
    const late = visitor.copy()
    await visitor.get('/in')
    const { cookies } = await late.get('/asks')
    assert.deepEqual([cookies, await state()], [[], at({ a: 1, ...IN }, ['session:missed', 'session:gone a'])])
  })
}

test('a sign-out after a sign-in that was sent twice leaves nothing that the browser could present', async t => {
  const { visitor, state } = await script(t, { '/in': signIn })
  await visitor.get('/begin')
  await visitor.copy().get('/in')
  await visitor.get('/in')
  await visitor.get('/out')
  assert.equal((await state()).client, 'no cookie')
  assert.equal((await visitor.get('/')).text, 'nobody')
})

for (const mode of ['saved in a store', 'sent in a cookie']) {
  test(`what is changed after the final commit, before the headers leave, is ${mode}`, async t => {
    const page: Page = ctx => {
      ctx.respond = false
      ctx.session.b = 2
      setImmediate(() => {
        ctx.session.late = 1
        ctx.res.end(ctx.body)
      })
    }
    const isStored = mode.includes('store')
    const { visitor } = isStored ? await script(t, { '/page': page }) : await serve(t, () => ({}), { '/page': page })
    await visitor.get('/page')
    await told()
    assert.deepEqual(JSON.parse((await visitor.get('/all')).text), { b: 2, late: 1 })
  })
}
