/*
 * The data of a remembered cookie is copied, and compared with what it is copied from. Each story is told to an application
 * that remembers, and to one that does not (`remember: 0`): pages and cookies have to be the same, to the byte.
 */

import assert from 'node:assert/strict'
import test from 'node:test'
import type { CreateSessionOptions } from 'koa-session'
import { manualClock } from 'koa-session/testing'
import { createKeyrings } from '../../src/codec/keyring.ts'
import { open, sealContext } from '../../src/codec/sealed.ts'
import type { TestContext } from '../support/koa.ts'
import fc from '../support/properties.ts'
import { Gate } from '../support/stores.ts'
import { appOf, ask, cookiesFrom, HOUR, headerOf, KEY, type Pages, SECRETS } from '../support/story.ts'

const MODES: Readonly<Record<string, CreateSessionOptions>> = { 'signed cookie': {}, 'sealed cookie': { seal: true } }

/** The JSON in a cookie. */
function textIn(value: string, { seal }: CreateSessionOptions): string {
  if (!seal) return Buffer.from(value, 'base64').toString()
  const opened = open(value, createKeyrings()(SECRETS), sealContext('session', KEY))
  return opened.fault ?? opened.text
}

function applicationOf(options: CreateSessionOptions, pages: Pages) {
  const clock = manualClock()
  const made = appOf({ now: clock.now, maxAge: HOUR, ...options }, pages)
  const jar = new Map<string, string>()
  const visit = async (path: string) => {
    const { status, text, lines } = await ask(made.app, path, headerOf(jar))
    for (const [name, value] of cookiesFrom(lines)) jar.set(name, value)
    const value = cookiesFrom(lines).get(KEY)
    // A sealed value is another one each time; what is in it is not.
    return { status, text, lines: options.seal ? lines.length : lines, cookie: value && textIn(value, options) }
  }
  return { ...made, clock, jar, visit }
}

const NESTED = {
  user: 'ada',
  n: 0,
  cart: [
    { id: 1, tags: ['a'] },
    { id: 2, tags: [] },
  ],
  at: { x: { y: null } },
}

const PAGES: Pages = {
  '/in': ctx => {
    ctx.session = structuredClone(NESTED)
  },
  '/': ctx => JSON.stringify(ctx.session),
  '/count': ctx => {
    ctx.session.n++
    return ctx.session.n
  },
  '/push': ctx => ctx.session.cart.push({ id: ctx.session.cart.length + 1 }),
  '/deep': ctx => {
    ctx.session.cart[0].tags.push('b')
    ctx.session.at.x.y = 'é'
  },
  '/undo': ctx => {
    ctx.session.cart[0].tags.push('b')
    ctx.session.cart[0].tags.pop()
  },
  '/again': ctx => {
    const { user } = ctx.session
    delete ctx.session.user
    ctx.session.user = user
  },
  '/undefined': ctx => {
    ctx.session.nothing = undefined
  },
  '/copy': ctx => {
    ctx.session.cart = structuredClone(ctx.session.cart)
  },
  '/identity': ctx => {
    const { cart } = ctx.session
    return `${ctx.session.cart === cart} ${Array.isArray(cart)}`
  },
  '/date': ctx => {
    ctx.session.date = new Date(0)
  },
  '/to-json': ctx => {
    ctx.session.at = { toJSON: () => ({ x: { y: null } }) }
  },
  '/map': ctx => {
    ctx.session.at = new Map()
  },
  '/twice': async ctx => {
    ctx.session.n++
    await ctx.session.save()
    ctx.session.cart.pop()
    await ctx.session.save()
    ctx.session.user = 'bob'
  },
  '/clear': ctx => {
    for (const name of Object.keys(ctx.session)) delete ctx.session[name]
  },
  '/replace': ctx => {
    ctx.session = { user: 'eve' }
  },
  '/lifetime': ctx => {
    ctx.session.maxAge = 5 * HOUR
  },
  '/fresh': ctx => ctx.session.regenerate({ fresh: true }),
  '/is-fresh': ctx => ctx.session.isFresh(HOUR),
  '/update': ctx => ctx.session.update((draft: { n: number }) => draft.n++),
  '/out': ctx => {
    ctx.session = null
  },
  '/defined': ctx => {
    Object.defineProperty(ctx.session, 'save', { value: 1, enumerable: true })
  },
  '/later': () => 'later',
}

const OPTIONS: Readonly<Record<string, CreateSessionOptions>> = {
  'as it is': {},
  'extended with every response': { rolling: true },
  'renewed, with an absolute end': { renew: true, absoluteTimeout: 3 * HOUR },
  'until the browser closes': { maxAge: 'session' },
  'changed before it is saved': {
    beforeSave: (_, session) => {
      Object.assign(session, { saved: Number(Reflect.get(session, 'saved') ?? 0) + 1 })
    },
  },
  'with `valid`': { valid: (_, data) => Reflect.get(data, 'user') !== 'eve' },
}

for (const [mode, seal] of Object.entries(MODES)) {
  for (const [what, options] of Object.entries(OPTIONS)) {
    test(`${mode}, ${what}: whatever the visitor does, it comes out as without a memory`, async t => {
      // The clock of the attribute `expires`.
      t.mock.method(Date, 'now', () => 1_700_000_000_000)
      let changes = 0
      const story = fc.asyncProperty(
        fc.array(fc.constantFrom(...Object.keys(PAGES)), { maxLength: 12 }),
        async paths => {
          const [own, other] = [{}, { remember: 0 }].map(more => applicationOf({ ...options, ...seal, ...more }, PAGES))
          for (const path of ['/in', '/', '/', ...paths, '/', '/']) {
            for (const made of [own, other]) made?.clock.advance(path === '/later' ? HOUR : 1000)
            const seen = await own?.visit(path)
            assert.deepEqual(seen, await other?.visit(path), path)
            if (seen?.cookie) changes++
          }
        },
      )
      await fc.assert(story, { numRuns: 25 })
      assert.ok(changes > 40, String(changes))
    })
  }

  test(`${mode}: two requests with the same remembered cookie see nothing of each other`, async () => {
    const gates = [new Gate(), new Gate()]
    const change = (at: number) => async (ctx: TestContext) => {
      const { session } = ctx
      session.cart[0].tags.push(`of ${at}`)
      session.at.x.y = at
      await gates[at]?.pass()
      session.cart.push(at)
      return JSON.stringify([session.cart, session.at])
    }
    const made = applicationOf(seal, { ...PAGES, '/first': change(0), '/second': change(1) })
    for (const path of ['/in', '/', '/', '/']) await made.visit(path)
    const header = headerOf(made.jar)
    const running = ['/first', '/second'].map(path => ask(made.app, path, header))
    await Promise.all(gates.map(({ arrived }) => arrived))
    assert.equal((await ask(made.app, '/', header)).text, JSON.stringify(NESTED))
    for (const gate of gates) gate.open()
    for (const [at, asked] of running.entries()) {
      const { text, lines } = await asked
      const [first, second] = NESTED.cart
      const expected = { cart: [{ ...first, tags: ['a', `of ${at}`] }, second, at], at: { x: { y: at } } }
      assert.equal(text, JSON.stringify([expected.cart, expected.at]))
      const sent = JSON.parse(textIn(cookiesFrom(lines).get(KEY) ?? '', seal))
      assert.deepEqual({ cart: sent.cart, at: sent.at }, expected)
      for (let times = 0; times < 2; times++) {
        const { text } = await ask(made.app, '/', headerOf(cookiesFrom(lines)))
        assert.deepEqual(JSON.parse(text), { ...NESTED, ...expected })
      }
    }
    assert.equal((await ask(made.app, '/', header)).text, JSON.stringify(NESTED))
  })

  test(`${mode}: what a listener does to the data of a remembered session that has expired does not stay`, async () => {
    const made = applicationOf(seal, PAGES)
    const values: unknown[] = []
    made.app.on('session:expired', ({ value }) => {
      values.push(structuredClone(value))
      value.cart.length = 0
      value.user = 'eve'
    })
    for (const path of ['/in', '/', '/', '/']) await made.visit(path)
    made.clock.advance(2 * HOUR)
    for (let times = 0; times < 3; times++) await ask(made.app, '/', headerOf(made.jar))
    await new Promise(resolve => setImmediate(resolve))
    assert.equal(values.length, 3)
    for (const value of values) assert.deepEqual(value, values[0])
    assert.equal(Object(values[0]).user, 'ada')
  })
}
