/** A rolling deployment: processes of two versions of an application serve the same visitors, in every mode. */

import assert from 'node:assert/strict'
import test from 'node:test'
import type { CreateSessionOptions } from 'koa-session'
import { manualClock } from 'koa-session/testing'
import type { TestContext } from '../support/koa.ts'
import fc from '../support/properties.ts'
import { Gate } from '../support/stores.ts'
import { appOf, ask, cookiesFrom, HOUR, headerOf, KEY, MODES, type Pages, told } from '../support/story.ts'

type Data = Record<string, unknown>
type User = { names: string[]; isNew?: boolean }

/** Version 1 has a name, and 2 has a user with a list of names. */
function upgrade(data: Data, from: number): void {
  if (from >= 2) return
  data.user ??= { names: String(data.name).split(' ') }
  Object.assign(data.user as object, { isNew: true })
  Reflect.deleteProperty(data, 'name')
}
const OLD = { name: 'Ada Byron', cart: [{ id: 1 }] }
const NEW = { cart: [{ id: 1 }], user: { names: ['Ada', 'Byron'], isNew: true } }

const PAGES: Pages = {
  '/in': ctx => Object.assign(ctx.session, structuredClone(OLD)),
  '/state': ctx => JSON.stringify([ctx.session, ctx.session.degraded, ctx.session.isNew]),
  '/untouched': () => 'untouched',
  '/push': ctx => ctx.session.cart?.push({ id: 2 }),
  '/name': ctx => (ctx.session.user as User)?.names.push('Lovelace'),
  '/set': ctx => {
    ctx.session.n = 1
  },
  '/new-id': async ctx => {
    ctx.session.n = 2
    await ctx.session.regenerate()
  },
  '/replace': ctx => {
    ctx.session = { user: { names: ['Eve'] } }
  },
  '/out': ctx => {
    ctx.session = null
  },
}

/** Processes that share secrets, a clock and a store, and a visitor who is sent to one or the other. */
function deployed(mode: string, more: CreateSessionOptions = {}) {
  const clock = manualClock()
  const shared = { now: clock.now, maxAge: HOUR, ...MODES[mode]?.(clock), ...more }
  const jar = new Map<string, string>()
  const visit = async ({ app }: ReturnType<typeof appOf>, path: string) => {
    const asked = await ask(app, path, headerOf(jar))
    for (const [name, value] of cookiesFrom(asked.lines)) {
      if (value === '') jar.delete(name)
      else jar.set(name, value)
    }
    return asked
  }
  const start = (options: CreateSessionOptions = {}, pages: Pages = {}) =>
    appOf({ ...shared, ...options }, { ...PAGES, ...pages })
  const [old, first, second] = [start(), start({ version: 1, upgrade }), start({ version: 2, upgrade })]
  return { clock, jar, visit, start, old, first, second }
}

const stateOf = (text: string) => JSON.parse(text)

for (const mode of Object.keys(MODES)) {
  const isStored = mode.startsWith('store')

  test(`${mode}: a new process upgrades what an old one has saved, and saves it with the next change alone`, async () => {
    const { visit, old, second } = deployed(mode)
    await visit(old, '/in')
    for (const path of ['/untouched', '/state', '/state']) {
      const { lines, text } = await visit(second, path)
      assert.deepEqual(lines, [], path)
      if (path === '/state') assert.deepEqual(stateOf(text), [NEW, false, false])
    }
    assert.deepEqual(stateOf((await visit(old, '/state')).text)[0], OLD)
    await visit(second, '/name')
    const names = ['Ada', 'Byron', 'Lovelace']
    assert.deepEqual(stateOf((await visit(second, '/state')).text)[0], { ...NEW, user: { names, isNew: true } })
    assert.deepEqual([second.codes(), second.reasons()], [[], []])
  })

  for (const [which, pick] of Object.entries({
    'a process without the option': ({ old }: ReturnType<typeof deployed>) => old,
    'a process of an older version': ({ first }: ReturnType<typeof deployed>) => first,
  })) {
    test(`${mode}: ${which} serves a visitor of a newer one without a session, and leaves that alone`, async () => {
      const made = deployed(mode, { rolling: true })
      const { visit, jar, second } = made
      const older = pick(made)
      await visit(made.old, '/in')
      await visit(second, '/set')
      const has = new Map(jar)
      for (const path of ['/untouched', '/state', '/set', '/new-id', '/replace', '/state']) {
        const { status, text, lines } = await visit(older, path)
        assert.deepEqual([status, lines], [200, []], path)
        if (path === '/state') assert.deepEqual(stateOf(text), [{}, true, true])
      }
      await told()
      const [{ id, ctx, ...said } = {}] = older.said('refused')
      assert.deepEqual(said, { reason: 'newer' })
      assert.match(String(id), isStored ? /^[0-9a-f]{8}$/ : /^undefined$/)
      assert.equal(typeof ctx, 'object')
      assert.ok(!JSON.stringify(older.events).includes('Byron'))
      assert.deepEqual([...new Set(older.reasons())], ['newer'])
      assert.deepEqual(
        older.said('gone').map(({ keys }) => keys),
        [['n'], ['n'], ['user']],
      )
      assert.deepEqual([older.said('invalid'), older.said('missed'), older.codes()], [[], [], []])
      assert.deepEqual(jar, has)
      assert.deepEqual(stateOf((await visit(second, '/state')).text)[0], { ...NEW, n: 1 })
    })

    test(`${mode}: a sign-out in ${which} ends the session of a newer one`, async () => {
      const made = deployed(mode)
      const { visit, jar, second } = made
      await visit(made.old, '/in')
      await visit(second, '/set')
      const copy = headerOf(jar)
      await visit(pick(made), '/out')
      assert.equal(jar.get(KEY), undefined)
      const { text } = await ask(second.app, '/state', copy)
      assert.deepEqual(stateOf(text)[0], isStored ? {} : { ...NEW, n: 1 })
    })
  }

  test(`${mode}: with lazy, what is loaded is upgraded, and what is newer is degraded`, async () => {
    const { visit, old, second, start, jar } = deployed(mode)
    await visit(old, '/in')
    const load = async (options: CreateSessionOptions) => {
      const { app, sessions } = start(
        { ...options, lazy: true },
        {
          '/load': async ctx => {
            const session = await sessions.load(ctx)
            return JSON.stringify([session, session.degraded])
          },
        },
      )
      return JSON.parse((await ask(app, '/load', headerOf(jar))).text)
    }
    assert.deepEqual(await load({ version: 2, upgrade }), [NEW, false])
    await visit(second, '/set')
    assert.deepEqual(await load({ version: 1, upgrade }), [{}, true])
  })

  test(`${mode}: whichever process serves a visitor, it comes out as without a memory, and is never of both versions`, async () => {
    let upgrades = 0
    const counted = (data: Data, from: number) => {
      upgrades++
      upgrade(data, from)
    }
    const paths = ['/state', '/push', '/name', '/set', '/new-id', '/untouched'] as const
    const step = fc.tuple(fc.constantFrom('first', 'second'), fc.constantFrom(...paths))
    const property = fc.asyncProperty(fc.array(step, { maxLength: 10 }), async steps => {
      const [own, other] = [{}, { remember: 0 }].map(more => {
        const made = deployed(mode, more)
        return { ...made, second: made.start({ version: 2, upgrade: counted, ...more }) }
      })
      for (const [which, path] of [['first', '/in'], ...steps, ['second', '/state'], ['second', '/state']] as const) {
        const [seen, expected] = await Promise.all([own, other].map(made => made?.visit(made[which as 'first'], path)))
        assert.deepEqual([seen?.status, seen?.text], [expected?.status, expected?.text], path)
        assert.deepEqual(seen?.lines.length, expected?.lines.length, path)
        if (path !== '/state') continue
        const [data, isDegraded] = stateOf(seen?.text ?? '')
        const shapes = [isDegraded && 'degraded', data.name && 'old', data.user && 'new'].filter(Boolean)
        assert.equal(shapes.length, 1, seen?.text)
        if (which === 'second') assert.deepEqual(shapes, ['new'])
      }
    })
    await fc.assert(property, { numRuns: 15 })
    assert.ok(upgrades > 20, String(upgrades))
  })
}

for (const mode of ['signed cookie', 'sealed cookie']) {
  test(`${mode}: a remembered cookie of an older version is upgraded each time, and no request sees another's data`, async () => {
    const { visit, first, start, jar } = deployed(mode)
    await visit(first, '/in')
    let calls = 0
    const gates = [new Gate(), new Gate()]
    const change = (at: number) => async (ctx: TestContext) => {
      ctx.session.user.names.push(at)
      ctx.session.cart[0].of = at
      await gates[at]?.pass()
      return JSON.stringify(ctx.session)
    }
    const counted = (data: Data, from: number) => {
      calls++
      upgrade(data, from)
    }
    const { app } = start({ version: 2, upgrade: counted }, { '/0': change(0), '/1': change(1) })
    const header = headerOf(jar)
    for (let time = 1; time <= 5; time++) {
      assert.deepEqual(stateOf((await ask(app, '/state', header)).text)[0], NEW)
      assert.equal(calls, time)
    }
    const running = ['/0', '/1'].map(path => ask(app, path, header))
    await Promise.all(gates.map(({ arrived }) => arrived))
    assert.deepEqual(stateOf((await ask(app, '/state', header)).text)[0], NEW)
    for (const gate of gates) gate.open()
    for (const [at, asked] of running.entries()) {
      const { text, lines } = await asked
      const data = { cart: [{ id: 1, of: at }], user: { names: ['Ada', 'Byron', at], isNew: true } }
      assert.deepEqual(stateOf(text), data)
      const sent = headerOf(cookiesFrom(lines))
      const known = calls
      for (let time = 1; time <= 3; time++) assert.deepEqual(stateOf((await ask(app, '/state', sent)).text)[0], data)
      assert.equal(calls, known, 'what was saved is not upgraded again')
    }
    assert.deepEqual(stateOf((await ask(app, '/state', header)).text)[0], NEW)
  })
}

for (const [what, options, message] of [
  [
    'version without upgrade',
    { version: 2 },
    /^option version was 2, expected a function as the option upgrade beside it/,
  ],
  ['upgrade without version', { upgrade }, /^option upgrade was a function, expected the option version beside it$/],
] as const) {
  test(`${what} is refused when the middleware is made`, () => {
    assert.throws(() => appOf(options), { code: 'ERR_SESSION_OPTION', message })
  })
}
