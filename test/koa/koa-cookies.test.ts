/*
 * Koa's own cookies are read and written in fewer steps than they take themselves. Here the same stories are told to an
 * application whose `ctx.cookies` are wrapped, so that they are asked, and to one whose are not: the bytes have to be
 * the same. And whatever somebody puts in the place of a part of them has to be asked.
 */

import assert from 'node:assert/strict'
import { IncomingMessage, ServerResponse } from 'node:http'
import { createRequire } from 'node:module'
import { Socket } from 'node:net'
import test, { type TestContext as Test } from 'node:test'
import session, { type CreateSessionOptions } from 'koa-session'
import { memoryStore } from 'koa-session/memory'
import { koaCookiesOf } from '../../src/koa/cookies.ts'
import { createApp, type TestApp, type TestContext } from '../support/koa.ts'
import fc from '../support/properties.ts'
import { headerFrom } from '../support/set-cookie.mjs'
import { appOf as applicationOf, ask as askApp } from '../support/story.ts'

const NOW = 1_700_000_000_000
const KEY = 'koa.sess'
const require = createRequire(import.meta.url)
const koa = process.env.KOA === '2' ? 'koa2' : 'koa'
const requireOfKoa = createRequire(require.resolve(koa))
const Cookies = requireOfKoa('cookies')
const Keygrip = createRequire(requireOfKoa.resolve('cookies'))('keygrip')

type Handle = (ctx: TestContext) => unknown
type Middleware = (ctx: TestContext, next: () => Promise<void>) => unknown

interface Given {
  options?: CreateSessionOptions
  keys?: unknown
  encrypted?: boolean
  before?: Middleware
  handle?: Handle
}

/** Has `ctx.cookies` do what they do, by functions that are not their own. */
const wrap: Middleware = ({ cookies }, next) => {
  const { get, set } = cookies
  cookies.get = (...call: unknown[]) => get.apply(cookies, call)
  cookies.set = (...call: unknown[]) => set.apply(cookies, call)
  return next()
}

function appOf({ options = {}, keys = ['newest secret', 'older secret'], before, handle = () => {} }: Given): TestApp {
  const page: Handle = async ctx => {
    ctx.body = 'ok'
    await handle(ctx)
  }
  return applicationOf(options, { '*': page }, keys, { before: app => before && app.use(before) }).app
}

async function ask(app: TestApp, cookie: string | undefined, encrypted = false) {
  const errors: string[] = []
  const note = (error: Error) => errors.push(error.message)
  app.on('error', note)
  const { status, lines, headers } = await askApp(app, '/page', cookie ?? '', { encrypted })
  app.off('error', note)
  return { status, lines, vary: headers.vary, cache: headers['cache-control'], errors }
}

const write: Handle = ctx => {
  ctx.session.n = (ctx.session.n ?? 0) + 1
}

const stopTime = (t: Test) => t.mock.method(Date, 'now', () => NOW)

const attributes = fc.record(
  {
    maxAge: fc.constantFrom<CreateSessionOptions['maxAge']>(undefined, 'session', 1, 1000.5, 86_400_000, 8e15),
    path: fc.constantFrom('/', '/expires=1', '/a b'),
    domain: fc.constantFrom('a.b', '.expires'),
    secure: fc.boolean(),
    httpOnly: fc.boolean(),
    partitioned: fc.boolean(),
    sameSite: fc.constantFrom<CreateSessionOptions['sameSite']>(true, 'lax', 'None'),
    priority: fc.constantFrom<CreateSessionOptions['priority']>('low', 'high'),
    signed: fc.boolean(),
    overwrite: fc.boolean(),
    key: fc.constantFrom(KEY, 'koa:sess', 'a$.*'),
    expires: fc.constantFrom(new Date(NOW + 5000)),
    genid: fc.constantFrom(
      () => 'an-id',
      () => 'ä',
      () => 'a;b',
      () => 'a b',
      () => 'a\nb',
      () => '"a"',
    ),
    encode: fc.constantFrom(
      () => 'plain',
      () => 'a;b',
      () => 'a=b',
      () => '\u0100',
    ),
  },
  { requiredKeys: [] },
)

const presets: Record<string, Handle> = {
  nothing: () => {},
  'a cookie of the same name': ctx => ctx.cookies.set(KEY, 'mine', { signed: false }),
  'other cookies': ctx => {
    ctx.cookies.set('other', '1')
    ctx.cookies.set(`${KEY}x`, '1', { signed: false })
  },
  'a header': ctx => ctx.set('Set-Cookie', 'one=1'),
  'the options': ctx => {
    ctx.sessionOptions.path = '/changed'
  },
}

test('every write is that of the cookies themselves, to the byte', async t => {
  stopTime(t)
  await fc.assert(
    fc.asyncProperty(
      attributes,
      fc.constantFrom(...Object.keys(presets)),
      fc.constantFrom<unknown>(['newest', 'older'], ['only'], undefined, new Keygrip(['a', 'b'], 'sha256', 'hex')),
      fc.boolean(),
      fc.boolean(),
      async (options, preset, keys, encrypted, isStored) => {
        fc.pre(!((options.sameSite === 'None' || options.partitioned) && options.secure === false))
        const handle: Handle = ctx => {
          presets[preset]?.(ctx)
          ctx.session.user = 'ädä'
        }
        // Of three methods: it takes the same id twice.
        const { get, set, destroy } = memoryStore()
        const stored = () => (isStored ? { store: { get, set, destroy }, genid: () => 'an-id' } : {})
        const given = { keys, handle }
        const asked = appOf({ ...given, options: { ...stored(), ...options }, before: wrap })
        const own = appOf({ ...given, options: { ...stored(), ...options } })
        const expected = await ask(asked, undefined, encrypted)
        assert.deepEqual(await ask(own, undefined, encrypted), expected)
        // Once more: what was made for the first is used for the next.
        assert.deepEqual(await ask(own, undefined, encrypted), expected)
      },
    ),
    { numRuns: 1500 },
  )
})

test('every read of one cookie is that of the cookies themselves, whatever the header says', async t => {
  stopTime(t)
  const signed = new Map<string, string>()
  // What an older secret signed is sent anew (row 52), and of several the first good one counts (row 57).
  const isAlone = (cookie: string) => [`${KEY}=`, `${KEY}.sig=`].every(start => cookie.split(start).length <= 2)
  for (const secret of ['newest secret', 'unknown secret']) {
    const { lines } = await ask(appOf({ keys: [secret], handle: write }), undefined)
    signed.set(secret, headerFrom(lines))
  }
  const part = fc.oneof(
    fc.constantFrom(...[...signed.values()].flatMap(pair => [pair, ...pair.split('; ')])),
    fc.constantFrom(
      `x${KEY}=1`,
      `${KEY}=`,
      `${KEY}.sig=`,
      `${KEY}`,
      `${KEY}=""`,
      `${KEY}="a"`,
      `${KEY}="`,
      `${KEY}.sig="`,
    ),
    fc.constantFrom(...[...signed.values()].map(pair => pair.replace(/=([^;]*);/, '="$1";'))),
    fc.constantFrom(...[...signed.values()].map(pair => `${pair.slice(0, -1)}ä`)),
    fc.string({ maxLength: 8 }),
    fc.constant(`${KEY}=${'a'.repeat(4090)}; ${KEY}.sig=b`),
  )
  const header = fc
    .array(fc.tuple(part, fc.constantFrom('; ', ';', ' ;  ', ' ', '\t; ', ';;')), { maxLength: 6 })
    .map(parts => parts.flat().join(''))
  let seen: unknown
  const handle: Handle = ctx => {
    seen = ctx.session.n
  }
  await fc.assert(
    fc.asyncProperty(header.filter(isAlone), fc.boolean(), async (cookie, isSigned) => {
      const options = { signed: isSigned }
      const expected = await ask(appOf({ options, before: wrap, handle }), cookie)
      const expectedSeen = seen
      seen = undefined
      const found = await ask(appOf({ options, handle }), cookie)
      // A cookie that is too large is not worth an HMAC; asked, Koa's clear its signature.
      if (!cookie.includes('a'.repeat(4090))) assert.deepEqual(found, expected)
      assert.equal(seen, expectedSeen)
    }),
    { numRuns: 3000 },
  )
})

test('a request needs no cookies of Koa, whichever secret signed', async () => {
  let isMade: boolean | undefined
  const before: Middleware = async (ctx, next) => {
    await next()
    isMade = Object.getOwnPropertySymbols(ctx).some(({ description }) => description === 'context#cookies')
  }
  const handle: Handle = write
  const { lines } = await ask(appOf({ handle }), undefined)
  const app = appOf({ handle, before })
  await ask(app, headerFrom(lines))
  // The first write has them make the attributes.
  assert.equal(isMade, true)
  const { lines: next } = await ask(app, headerFrom(lines))
  assert.equal(isMade, false)
  assert.equal(next.length, 2)
  await ask(app, headerFrom((await ask(appOf({ handle, keys: ['older secret'] }), undefined)).lines))
  assert.equal(isMade, false)
})

/** Puts something in the place of a part of the cookies; gives how to undo it. What is called is noted. */
type Replace = (app: TestApp, note: (what: string) => void) => Middleware | (() => void)

/** `object`, with `get` or `set` as somebody else would have it. */
function replace(object: Record<string, unknown>, name: 'get' | 'set', note: (what: string) => void) {
  const original = object[name] as (...call: unknown[]) => unknown
  const isOwn = Object.hasOwn(object, name)
  object[name] = function replaced(this: unknown, ...call: unknown[]) {
    note(name)
    return original.apply(this, call)
  }
  return () => {
    if (isOwn) object[name] = original
    else delete object[name]
  }
}

const REPLACED: Record<string, Replace> = {
  'get of these cookies': (_app, note) => (ctx, next) => {
    replace(ctx.cookies, 'get', note)
    return next()
  },
  'set of these cookies': (_app, note) => (ctx, next) => {
    replace(ctx.cookies, 'set', note)
    return next()
  },
  'get of all cookies': (_app, note) => replace(Cookies.prototype, 'get', note),
  'set of all cookies': (_app, note) => replace(Cookies.prototype, 'set', note),
  'the cookies of a context': (_app, note) => (ctx, next) => {
    const { cookies } = ctx
    const get = (...call: unknown[]) => note('get') ?? cookies.get(...call)
    const set = (...call: unknown[]) => note('set') ?? cookies.set(...call)
    Object.defineProperty(ctx, 'cookies', { value: { get, set } })
    return next()
  },
  'the cookies that were assigned to a context': (_app, note) => (ctx, next) => {
    const { cookies } = ctx
    const get = (...call: unknown[]) => note('get') ?? cookies.get(...call)
    const set = (...call: unknown[]) => note('set') ?? cookies.set(...call)
    ctx.cookies = { get, set }
    return next()
  },
  'the cookies by a proxy': (_app, note) => (ctx, next) => {
    const get = (cookies: Record<string, unknown>, name: string) => {
      if (name === 'get' || name === 'set') note(name)
      return cookies[name]
    }
    ctx.cookies = new Proxy(ctx.cookies, { get })
    return next()
  },
  'the cookies of the application': (app, note) => {
    const getter = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(app.context), 'cookies')?.get
    Object.defineProperty(app.context, 'cookies', {
      configurable: true,
      get() {
        // Not what somebody tries it with.
        if (this.req instanceof IncomingMessage) for (const what of ['get', 'set']) note(what)
        return getter?.call(this)
      },
    })
    return () => {}
  },
}

for (const [claim, apply] of Object.entries(REPLACED)) {
  for (const moment of ['before', 'after'] as const) {
    test(`whoever replaced ${claim} is asked (${moment} the first request)`, async () => {
      const calls = new Set<string>()
      let middleware: Middleware | undefined
      const app = appOf({ handle: write, before: (ctx, next) => (middleware ? middleware(ctx, next) : next()) })
      const { lines } = await ask(appOf({ handle: write }), undefined)
      if (moment === 'after') await ask(app, headerFrom(lines))
      const applied = apply(app, what => {
        calls.add(what)
      })
      const isMiddleware = applied.length === 2
      if (isMiddleware) middleware = applied as Middleware
      const { lines: answered } = await ask(app, headerFrom(lines))
      if (!isMiddleware) (applied as () => void)()
      assert.match(headerFrom(answered), new RegExp(`^${KEY}=.+; ${KEY}.sig=.+`))
      const only = /^(get|set) of/.exec(claim)?.[1]
      assert.deepEqual([...calls].sort(), only ? [only] : ['get', 'set'])
    })
  }
}

test('the cookies that a proxy of the context gives are asked', async () => {
  const calls: string[] = []
  const app = createApp()
  const middleware = session(app) as unknown as Middleware
  const get = (ctx: TestContext, name: PropertyKey) => {
    if (name !== 'cookies') return ctx[name]
    return {
      get: (key: string) => calls.push(`get ${key}`) && ctx.cookies.get(key),
      set: (key: string, ...rest: unknown[]) => calls.push(`set ${key}`) && ctx.cookies.set(key, ...rest),
    }
  }
  app.use((ctx, next) => {
    const proxy = new Proxy(ctx, { get })
    return middleware(proxy, async () => {
      write(ctx)
      await next()
    })
  })
  app.use(ctx => {
    ctx.body = 'ok'
  })
  const { lines } = await ask(app, undefined)
  await ask(app, headerFrom(lines))
  assert.deepEqual(calls, [`get ${KEY}`, `set ${KEY}`, `get ${KEY}`, `set ${KEY}`])
})

test('keys that somebody gave to these cookies sign and verify, not those of the application', async () => {
  const tenant: Middleware = (ctx, next) => {
    ctx.cookies.keys = new Keygrip(['a secret of the tenant'])
    return next()
  }
  let seen: unknown
  const handle: Handle = ctx => {
    write(ctx)
    seen = ctx.session.n
  }
  const app = appOf({ before: tenant, handle })
  const { lines } = await ask(app, undefined)
  await ask(app, headerFrom(lines))
  assert.equal(seen, 2)
  await ask(appOf({ handle }), headerFrom(lines))
  assert.equal(seen, 1)
  await ask(appOf({ handle, keys: ['a secret of the tenant'] }), headerFrom(lines))
  assert.equal(seen, 2)
})

test('keys that are no Keygrip verify in their own way', async () => {
  const calls: string[] = []
  const keys = {
    sign: () => calls.push('sign') && 'signature',
    index: (text: string, signature: string) => calls.push(`index ${text.slice(0, KEY.length)} ${signature}`) && -1,
  }
  let seen: unknown
  const handle: Handle = ctx => {
    seen = ctx.session.n
  }
  const app = appOf({ keys, handle })
  await ask(app, `${KEY}=eyJuIjoxfQ==; ${KEY}.sig=signature`)
  assert.equal(seen, undefined)
  assert.deepEqual(calls, [`index ${KEY} signature`])
})

test('a Keygrip whose index somebody replaced verifies in its own way', async () => {
  let isAsked = false
  let seen: unknown
  const handle: Handle = ctx => {
    write(ctx)
    seen = ctx.session.n
  }
  const keys = new Keygrip(['newest secret'])
  const { lines } = await ask(appOf({ keys, handle }), undefined)
  await ask(appOf({ keys, handle }), headerFrom(lines))
  assert.equal(seen, 2)
  keys.index = () => {
    isAsked = true
    return -1
  }
  await ask(appOf({ keys, handle }), headerFrom(lines))
  assert.deepEqual({ isAsked, seen }, { isAsked: true, seen: 1 })
})

test('keys that an application changes while a request runs sign as they did when they were used first', async () => {
  let seen: unknown
  const handle: Handle = ctx => {
    write(ctx)
    seen = ctx.session.n
    ctx.app = { ...ctx.app, keys: ['a secret of the tenant'], emit: () => {} }
  }
  const app = appOf({ handle })
  const first = await ask(app, undefined)
  const { lines } = await ask(app, headerFrom(first.lines))
  assert.equal(seen, 2)
  await ask(appOf({ handle }), headerFrom(lines))
  assert.equal(seen, 3)
})

test('one secret after the other is used, however many there are', async () => {
  const seen: unknown[] = []
  const handle: Handle = ctx => {
    write(ctx)
    seen.push(ctx.session.n)
  }
  for (let round = 0; round < 2; round++) {
    for (let number = 0; number < 150; number++) {
      const app = appOf({ keys: [`secret ${number}`], handle })
      const { lines } = await ask(app, undefined)
      await ask(app, headerFrom(lines))
    }
  }
  assert.deepEqual(new Set(seen), new Set([1, 2]))
})

test('the newest secret that signed costs one HMAC, and what is too large none', async t => {
  const crypto = require('node:crypto') as typeof import('node:crypto')
  const { lines } = await ask(appOf({ handle: write }), undefined)
  let hashed = 0
  const update = crypto.Hmac.prototype.update
  t.mock.method(crypto.Hmac.prototype, 'update', function (this: unknown, ...call: unknown[]) {
    hashed++
    return Reflect.apply(update, this, call)
  })
  const texts = ['newest secret', ...Array.from({ length: 9 }, (_, number) => `old ${number}`)]
  // Bytes are signed with by an HMAC of node:crypto, which can be counted, in every Node.
  const keys = texts.map(text => Buffer.from(text))
  const read: Handle = ctx => {
    ctx.body = String(ctx.session.n)
  }
  const app = appOf({ keys, handle: read })
  await ask(app, headerFrom(lines))
  assert.equal(hashed, 1)
  hashed = 0
  await ask(app, `${KEY}=${'a'.repeat(5000)}; ${KEY}.sig=a`)
  assert.equal(hashed, 0)
})

test('Koa under test is one whose cookies are known', () => {
  const app = createApp()
  const req = new IncomingMessage(new Socket())
  const ctx = app.createContext(req, new ServerResponse(req))
  assert.deepEqual(koaCookiesOf(ctx), { keys: app.keys, secure: false })
})
