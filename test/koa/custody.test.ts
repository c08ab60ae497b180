/** One request and its record in the store: a failed or late answer leaves one record, which the browser can reach. */
import assert from 'node:assert/strict'
import test from 'node:test'
import type { TestContext } from '../support/koa.ts'
import { Gate } from '../support/stores.ts'
import { type Page, told } from '../support/story.ts'
import { at, FAILURES, NOTHING, script, taken } from './scripted.ts'

const ignored = (work: Promise<unknown>) => work.catch(() => {})
const signOut: Page = ctx => {
  ctx.session = null
}
const addC: Page = ctx => {
  ctx.session.c = 3
}
const caught = async (work: Promise<unknown>) =>
  String(
    await work.then(
      () => 'done',
      error => error.code,
    ),
  )

function flushHeaders(ctx: TestContext): void {
  ctx.status = 200
  ctx.flushHeaders()
}

for (const [then, page, data] of [
  ['a change', addC, { b: 2, c: 3 }],
  ['a change and save()', (ctx: TestContext) => addC(ctx) ?? ctx.session.save(), { b: 2, c: 3 }],
  ['nothing', () => {}, { b: 2 }],
] as const) {
  test(`a session that was emptied while another request wrote keeps its id, and what it wrote ${then}`, async t => {
    const gate = new Gate()
    const { visitor, idOf, state } = await script(t, {
      '/empty': async ctx => {
        delete ctx.session.a
        await gate.pass()
        await ctx.session.manuallyCommit()
        await page(ctx)
      },
    })
    await visitor.get('/begin')
    const id = idOf(visitor)
    const emptying = visitor.get('/empty')
    await gate.arrived
    await visitor.get('/b')
    gate.open()
    await emptying
    assert.deepEqual({ ...(await state()), id: idOf(visitor) }, { ...at(data), id })
  })
}

test('a session that was emptied by manuallyCommit() and then filled has one record, under another id', async t => {
  const { visitor, ids, idOf, state } = await script(t, {
    '/empty': async ctx => {
      delete ctx.session.a
      await ctx.session.manuallyCommit()
      ctx.session.c = 3
    },
  })
  await visitor.get('/begin')
  await visitor.get('/empty')
  assert.deepEqual(await state(), at({ c: 3 }))
  assert.notEqual(idOf(visitor), ids[0])
})

for (const [failure, course] of Object.entries(FAILURES)) {
  const started = async (t: test.TestContext, page: Page) => {
    const made = await script(t, { '/page': page })
    await made.visitor.get('/begin')
    made.courses.create = [course]
    return made
  }

  for (const isEarly of [false, true]) {
    const leaving = isEarly ? 'leave early' : 'leave at the end'
    const leave = (ctx: TestContext) => isEarly && flushHeaders(ctx)

    test(`regenerate() whose create ${failure}, and is caught, leaves the old id: the headers ${leaving}`, async t => {
      const { visitor, ids, state } = await started(t, async ctx => {
        await ignored(ctx.session.regenerate())
        leave(ctx)
        return ctx.session.externalKey
      })
      const answer = await visitor.get('/page')
      assert.deepEqual(await state(), at({ a: 1 }))
      assert.deepEqual([answer.status, answer.cookies, answer.text], [200, [], ids[0]])
    })

    test(`what is changed after such a regenerate() (${failure}) is saved once: the headers ${leaving}`, async t => {
      const { visitor, ids, idOf, state } = await started(t, async ctx => {
        await ignored(ctx.session.regenerate())
        leave(ctx)
        ctx.session.c = 3
      })
      await visitor.get('/page')
      assert.deepEqual(await state(), at({ a: 1, c: 3 }))
      assert.equal(idOf(visitor) === ids[0], isEarly, 'a new id is tried once more while it can be sent')
    })
  }

  test(`regenerate() whose create ${failure} is tried again by save(), and leaves one record`, async t => {
    const { visitor, ids, memory, idOf, state } = await started(t, async ctx => {
      await ignored(ctx.session.regenerate())
      ctx.session.c = 3
      await ctx.session.save()
      return ctx.session.externalKey
    })
    const { text } = await visitor.get('/page')
    assert.deepEqual(await state(), at({ a: 1, c: 3 }))
    assert.equal(text, idOf(visitor))
    assert.equal(typeof memory.read(String(ids[0]))?.retiredAt, 'number')
  })

  test(`externalKey after a regenerate() whose create ${failure} spares the visitor in destroyAll()`, async t => {
    const made = await script(
      t,
      {
        '/page': async ctx => {
          await ignored(ctx.session.regenerate())
          return made.memory.destroyAll('ada', { except: ctx.session.externalKey })
        },
      },
      { subject: ({ user }: Record<string, unknown>) => user as string },
    )
    const { visitor, courses, state } = made
    await visitor.get('/in')
    courses.create = [course]
    await visitor.get('/page')
    assert.deepEqual(await state(), at({ user: 'ada' }))
  })

  test(`a sign-out after a regenerate() whose create ${failure} leaves nothing in the store`, async t => {
    const { visitor, memory, state } = await started(t, async ctx => {
      await ignored(ctx.session.regenerate())
      ctx.session = null
    })
    await visitor.get('/page')
    assert.deepEqual({ ...(await state()), size: memory.size }, { ...NOTHING, size: 0 })
  })

  for (const [end, page, expected] of [
    ['a sign-out', signOut, NOTHING],
    ['the end of the request', () => {}, at({ user: 'bob' })],
    ['another save()', (ctx: TestContext) => ctx.session.save(), at({ user: 'bob' })],
  ] as const) {
    test(`after a new session’s save() whose create ${failure}, ${end} leaves no record that nobody can reach`, async t => {
      const { visitor, memory, courses, state } = await script(t, {
        '/page': async ctx => {
          ctx.session.user = 'bob'
          await ignored(ctx.session.save())
          await page(ctx)
        },
      })
      courses.create = [course]
      await visitor.get('/page')
      assert.deepEqual({ ...(await state()), size: memory.size }, { ...expected, size: expected.held.length })
    })
  }

  test(`an id whose create ${failure} is not sent when the handler throws, and no record of it is left`, async t => {
    const { visitor, courses, memory, state } = await script(t, {
      '/page': async ctx => {
        ctx.session.user = 'bob'
        await ctx.session.save()
      },
    })
    courses.create = [course, course]
    const { status, cookies } = await visitor.get('/page')
    assert.deepEqual({ status, cookies, size: memory.size }, { status: 500, cookies: [], size: 0 })
    assert.equal((await state()).errors.length > 0, true)
  })
}

test('a leftover that the store refuses to destroy is session:error, and the page is served', async t => {
  const { visitor, courses, events, state } = await script(t, {
    '/page': async ctx => {
      ctx.session.user = 'bob'
      await ignored(ctx.session.save())
    },
  })
  courses.create = [FAILURES['fails though it was done'] as never]
  courses.destroy = [FAILURES['fails later'] as never]
  assert.equal((await visitor.get('/page')).status, 200)
  const { client, errors } = await state()
  assert.deepEqual({ client, errors }, { client: { user: 'bob' }, errors: [] })
  const failed = events.filter(([event]) => event === 'session:error').map(([, { operation }]) => operation)
  assert.deepEqual(failed, ['create', 'destroy'])
})

for (const isEarly of [true, false]) {
  for (const [what, page] of [
    ['regenerate()', (ctx: TestContext) => ctx.session.regenerate()],
    ['save() of a new session', (ctx: TestContext) => ctx.session.save()],
  ] as const) {
    test(`an id that the store calls taken is never sent by ${what}: ${isEarly ? 'headers leave early' : 'at the end'}`, async t => {
      const { visitor, ids, courses } = await script(t, {
        '/page': async ctx => {
          const code = await caught(page(ctx))
          if (isEarly) flushHeaders(ctx)
          return code
        },
      })
      const isNew = what.includes('new')
      if (!isNew) await visitor.get('/begin')
      const asked = ids.length
      courses.create = Array.from({ length: 9 }, () => taken)
      const answer = await visitor.get('/page')
      if (answer.status === 200) assert.equal(answer.text, 'ERR_SESSION_ID')
      const sent = ids.slice(asked).filter(id => answer.cookies.some(line => line.includes(id)))
      assert.deepEqual({ sent, others: ids.length >= asked + 3 }, { sent: [], others: true })
    })
  }
}

test('a new id that the store is slow to take is not sent with headers that leave before, and the old one stays', async t => {
  const gate = new Gate()
  const { visitor, ids, courses, state } = await script(t, {
    '/page': async ctx => {
      const regenerating = caught(ctx.session.regenerate())
      await gate.arrived
      flushHeaders(ctx)
      gate.open()
      return `${await regenerating} ${ctx.session.externalKey}`
    },
  })
  await visitor.get('/begin')
  courses.create = [gate.course]
  const answer = await visitor.get('/page')
  const { errors: _, ...rest } = await state()
  const { errors: __, ...expected } = at({ a: 1 })
  assert.deepEqual(rest, expected)
  assert.deepEqual([answer.text, answer.cookies], [`ERR_SESSION_HEADERS_SENT ${ids[0]}`, []])
})

for (const [what, find] of [
  ['save()', (ctx: TestContext) => ctx.session.save()],
  ['regenerate()', (ctx: TestContext) => ctx.session.regenerate()],
  ['update()', (ctx: TestContext) => ctx.session.update(() => {})],
  ['manuallyCommit()', (ctx: TestContext) => ctx.session.manuallyCommit()],
] as const) {
  const during = async (t: test.TestContext, then: Page) => {
    const gate = new Gate()
    const made = await script(t, {
      '/page': async ctx => {
        ctx.session.c = 3
        delete ctx.session.a
        await gate.pass()
        await find(ctx)
        await then(ctx)
        return ctx.session?.externalKey
      },
    })
    await made.visitor.get('/begin')
    const answering = made.visitor.get('/page')
    await gate.arrived
    await made.visitor.copy().get('/out')
    gate.open()
    const answer = await answering
    await told()
    return { ...made, answer }
  }

  test(`a sign-in by assigning, after ${what} found the session ended, is stored under a new id`, async t => {
    const { answer, ids, idOf, visitor, state } = await during(t, ctx => {
      ctx.session = { user: 'bob' }
    })
    assert.deepEqual(await state(), at({ user: 'bob' }, ['session:gone a c']))
    assert.equal(answer.text, idOf(visitor))
    assert.notEqual(idOf(visitor), ids[0])
  })

  test(`null and then a sign-in, after ${what} found the session ended, is stored under a new id`, async t => {
    const { ids, idOf, visitor, state } = await during(t, ctx => {
      ctx.session = null
      ctx.session = { user: 'bob' }
    })
    assert.deepEqual(await state(), at({ user: 'bob' }, ['session:gone a c']))
    assert.notEqual(idOf(visitor), ids[0])
  })

  test(`a session that ${what} found ended is told with its set and its removed keys, and stays ended`, async t => {
    const { state, answer } = await during(t, () => {})
    assert.deepEqual({ ...(await state()), client: '' }, { ...NOTHING, told: ['session:gone a c'], client: '' })
    assert.deepEqual([answer.status, answer.cookies], [200, []])
  })
}
