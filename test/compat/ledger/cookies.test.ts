/** Rows 52, 53, 54, 57, 62 and 64 of the ledger: what is sent as a cookie, and what is read from one. */

import assert from 'node:assert/strict'
import { createSecretKey, generateKeyPairSync } from 'node:crypto'
import test, { type TestContext as Test } from 'node:test'
import session, { type CreateSessionOptions } from 'koa-session'
import { manualClock } from 'koa-session/testing'
import { visit } from '../../support/agent.ts'
import { createApp, type TestContext } from '../../support/koa.ts'
import {
  appOf,
  HOUR,
  KEY,
  MODES,
  type Page,
  type Pages,
  SECRETS,
  STORE_MODES,
  serve,
  simpleStore,
  told,
} from '../../support/story.ts'
import { attribute, cookieNames } from '../both.ts'

const SIG = `${KEY}.sig`
const SIGNED = Object.entries(MODES).filter(([mode]) => !mode.includes('sealed'))
const ATTRIBUTES = { domain: 'shop.example', path: '/app', sameSite: 'lax' } as const
const attributesOf = (line: string | undefined) =>
  ['domain', 'path', 'samesite', 'httponly'].map(name => attribute(line, name))
const ALL_ATTRIBUTES = ['shop.example', '/app', 'lax', true]

for (const [mode, make] of SIGNED) {
  const rotated = async (t: Test, options: CreateSessionOptions = {}, pages: Pages = {}) => {
    const made = await serve(t, make, pages, { options: { ...ATTRIBUTES, ...options } })
    await made.visitor.get('/in')
    made.app.keys = ['the newest secret of 2027, long enough', ...SECRETS]
    return made
  }

  test(`#52 ${mode}: a session signed by an older secret is sent anew, both cookies with all attributes`, async t => {
    const { visitor } = await rotated(t)
    const { text, cookies } = await visitor.get('/')
    assert.deepEqual([text, cookieNames(cookies)], ['ada', [KEY, SIG]])
    for (const line of cookies) {
      assert.deepEqual(attributesOf(line), ALL_ATTRIBUTES, line)
      assert.match(String(attribute(line, 'expires')), /GMT$/)
    }
    assert.deepEqual((await visitor.get('/')).cookies, [], 'it is signed by the newest now')
  })

  test(`#52 ${mode}: one that lives until the browser closes is sent anew without expires`, async t => {
    const { visitor } = await rotated(t, { maxAge: 'session' })
    const { cookies } = await visitor.get('/')
    assert.deepEqual(
      cookies.map(line => [line.split('=')[0], attribute(line, 'expires')]),
      [
        [KEY, undefined],
        [SIG, undefined],
      ],
    )
  })

  test(`#52 ${mode}: a response that a shared cache may keep is not given the new signature`, async t => {
    const { visitor } = await rotated(
      t,
      {},
      {
        '/public': ctx => {
          ctx.set('Cache-Control', 'public, max-age=60')
          return ctx.session.user
        },
      },
    )
    const { text, cookies } = await visitor.get('/public')
    assert.deepEqual([text, cookies], ['ada', []])
  })

  test(`#52 ${mode}: a bad signature is cleared with the attributes of the session`, async t => {
    const { visitor } = await serve(t, make, {}, { options: ATTRIBUTES })
    await visitor.get('/in')
    visitor.jar.set(SIG, 'forged')
    const { text, cookies } = await visitor.get('/')
    const cleared = cookies.filter(line => line.startsWith(`${SIG}=`) && line.includes('expires=Thu, 01 Jan 1970'))
    const ours = cleared.map(attributesOf).filter(([domain]) => domain !== undefined)
    assert.deepEqual([text, ours], ['nobody', [ALL_ATTRIBUTES]], cookies.join('\n'))
  })
}

const BAD_KEYS: Readonly<Record<string, unknown>> = {
  'an empty text': '',
  undefined: undefined,
  null: null,
  'a number': 7,
  false: false,
  'an object': {},
  'a list': ['a secret'],
  'no bytes': Buffer.alloc(0),
  'a blank text': ' \n',
  'a KeyObject without bytes': createSecretKey(Buffer.alloc(0)),
  'a public KeyObject': generateKeyPairSync('ed25519').publicKey,
  'a promise': Promise.resolve('a secret'),
}

for (const [what, key] of Object.entries(BAD_KEYS)) {
  for (const keys of [[key], [SECRETS[0], key]]) {
    const where = `${what} as entry ${keys.length - 1} of app.keys`
    test(`#53 ${where} is ERR_SESSION_KEYS at start-up, and the message shows no secret`, () => {
      const app = createApp()
      app.keys = keys
      assert.throws(
        () => session({}, app),
        (error: Error & { code?: string }) => {
          assert.equal(error.code, 'ERR_SESSION_KEYS')
          assert.match(error.message, /app\.keys/)
          return !error.message.includes(String(SECRETS[0]))
        },
      )
    })

    test(`#53 ${where} that is set later is ERR_SESSION_KEYS on first use, to write and to read`, async t => {
      const { visitor, app, errors } = await serve(t, () => ({}))
      await visitor.get('/in')
      app.keys = keys
      const statuses = [(await visitor.get('/')).status, (await visitor.stranger().get('/in')).status]
      assert.deepEqual(
        [statuses, errors.map(({ code }) => code)],
        [
          [500, 500],
          ['ERR_SESSION_KEYS', 'ERR_SESSION_KEYS'],
        ],
      )
    })
  }
}

for (const [what, keys] of [
  ['bytes', [Buffer.from(String(SECRETS[0]))]],
  ['a KeyObject', [createSecretKey(Buffer.from(String(SECRETS[0])))]],
  [
    'an object with sign and verify',
    {
      sign: () => 'good',
      verify: (_: string, given: string) => given === 'good',
      index: (_: string, given: string) => (given === 'good' ? 0 : -1),
    },
  ],
] as const) {
  test(`#53 ${what} in app.keys signs and verifies`, async t => {
    const { visitor, app } = await serve(t, () => ({}))
    app.keys = keys
    await visitor.get('/in')
    assert.equal((await visitor.get('/')).text, 'ada')
    visitor.jar.set(SIG, 'forged')
    assert.equal((await visitor.get('/')).text, 'nobody')
  })
}

/** The application of `make`, with a middleware around that of the session. */
async function around(t: Test, make: (typeof MODES)[string], outer: Outer, pages: Pages = {}) {
  const clock = manualClock()
  const made = appOf({ now: clock.now, maxAge: HOUR, ...make(clock) }, pages)
  made.app.middleware.unshift(outer)
  return { ...made, visitor: await visit(t, made.app) }
}
type Outer = (ctx: TestContext, next: () => Promise<void>) => Promise<void>

/** Changes and saves the session, and then does to the headers what `then` does. */
const saved =
  (then: Page, before: Page = () => {}): Page =>
  async ctx => {
    before(ctx)
    ctx.session.n = 1
    await ctx.session.save()
    await then(ctx)
  }
const UPSTREAM = { 'content-type': 'text/plain', 'set-cookie': ['up=1; path=/', 'more=2'] }
const mine: Page = ctx => ctx.set('Set-Cookie', 'mine=1')

interface Replaced {
  readonly replace: Page
  readonly others: readonly string[]
  readonly before?: Page
}
const REPLACED: Readonly<Record<string, Replaced>> = {
  'ctx.set() of one line': { replace: ctx => ctx.set('Set-Cookie', 'a=1'), others: ['a=1'] },
  'ctx.set() of a list': { replace: ctx => ctx.set('Set-Cookie', ['a=1', 'b=2']), others: ['a=1', 'b=2'] },
  'res.setHeader()': { replace: ctx => ctx.res.setHeader('set-cookie', ['a=1']), others: ['a=1'] },
  'the headers of a proxy': { replace: ctx => ctx.set(UPSTREAM), others: UPSTREAM['set-cookie'] },
  'other lines than before': { replace: ctx => ctx.set('Set-Cookie', 'a=1'), others: ['a=1'], before: mine },
  'the lines before and one more': {
    replace: ctx => ctx.set('Set-Cookie', ['mine=1', 'a=1']),
    others: ['mine=1', 'a=1'],
    before: mine,
  },
  'ctx.append()': { replace: ctx => ctx.append('Set-Cookie', 'a=1'), others: ['a=1'] },
}
const REMOVED: Readonly<Record<string, readonly [page: Page, others: readonly string[]]>> = {
  'ctx.remove()': [saved(ctx => ctx.remove('Set-Cookie')), []],
  'ctx.remove() beside another cookie': [saved(ctx => ctx.remove('Set-Cookie'), mine), []],
  'an empty list': [saved(ctx => ctx.set('Set-Cookie', [])), []],
  'the lines that were there before': [saved(ctx => ctx.set('Set-Cookie', ['mine=1']), mine), ['mine=1']],
}

for (const [mode, make] of Object.entries(MODES)) {
  const isOurs = (line: string) => line.startsWith(KEY)

  for (const [how, { replace, others, before }] of Object.entries(REPLACED)) {
    for (const isOuter of [false, true]) {
      const where = isOuter ? 'after the final commit' : 'by the handler, after save()'
      if (isOuter && before) continue
      test(`#54 ${mode}: ours is appended to Set-Cookie that was replaced by ${how} ${where}`, async t => {
        const change: Page = ctx => {
          ctx.session.n = 1
        }
        const outer: Outer = async (ctx, next) => {
          await next()
          if (isOuter && ctx.path === '/page') await replace(ctx)
        }
        const { visitor } = await around(t, make, outer, { '/page': isOuter ? change : saved(replace, before) })
        const { cookies } = await visitor.get('/page')
        assert.deepEqual(cookies.filter(line => !isOurs(line)).sort(), [...others].sort())
        const ours = cookieNames(cookies.filter(isOurs))
        assert.deepEqual([ours.length > 0, new Set(ours).size], [true, ours.length], cookies.join('\n'))
        assert.deepEqual(JSON.parse((await visitor.get('/all')).text), { n: 1 })
      })
    }
  }

  for (const [how, [page, others]] of Object.entries(REMOVED)) {
    test(`#54 ${mode}: ours stays removed from Set-Cookie by ${how}`, async t => {
      const { visitor } = await serve(t, make, { '/page': page })
      assert.deepEqual((await visitor.get('/page')).cookies, others)
    })
  }

  test(`#54 ${mode}: the end of a session is appended to Set-Cookie that was replaced`, async t => {
    const { visitor } = await around(t, make, async (ctx, next) => {
      await next()
      if (ctx.path === '/out') ctx.set('Set-Cookie', 'a=1')
    })
    await visitor.get('/in')
    await visitor.get('/out')
    assert.deepEqual([...visitor.jar.keys()], ['a'])
  })

  /** The cookies of two visitors who are signed in, and a stranger who sends what the test says. */
  const several = async (t: Test, options: CreateSessionOptions = {}) => {
    const made = await serve(
      t,
      make,
      {
        '/in': ctx => {
          ctx.session.user = ctx.query.user
        },
        '/change': ctx => {
          ctx.session.n = 1
        },
      },
      { options },
    )
    const [ada, eve] = [made.visitor, made.visitor.stranger()]
    await ada.get('/in?user=ada')
    const signatures = (...jars: Map<string, string>[]) =>
      jars.flatMap(jar => (jar.has(SIG) ? [`${SIG}=${jar.get(SIG)}`] : []))
    const header = (values: string[], ...jars: Map<string, string>[]) => ({
      cookie: [...values.map(value => `${KEY}=${value}`), ...signatures(...jars)].join('; '),
    })
    return { ...made, ada, eve, header, stranger: made.visitor.stranger(), value: () => String(ada.jar.get(KEY)) }
  }
  const BAD = 'bm90LWEtc2Vzc2lvbg'

  for (const [what, values, expected] of [
    ['a bad one and a good one', (good: string) => [BAD, good], 'ada'],
    ['a good one and a bad one', (good: string) => [good, BAD], 'ada'],
    ['an empty one and a good one', (good: string) => ['', good], 'ada'],
    ['the same twice', (good: string) => [good, good], 'ada'],
    ['three bad ones and a good one', (good: string) => [BAD, BAD, BAD, good], 'ada'],
    ['four bad ones and a good one', (good: string) => [BAD, BAD, BAD, BAD, good], 'nobody'],
  ] as const) {
    test(`#57 ${mode}: of ${what}, ${expected === 'ada' ? 'the good one is read' : 'none is read'}`, async t => {
      const { stranger, ada, header, value } = await several(t)
      const { text, cookies } = await stranger.get('/', header(values(value()), ada.jar))
      assert.equal(text, expected)
      if (expected === 'ada') assert.deepEqual(cookies, [], 'nothing is cleared because of a bad duplicate')
    })
  }

  test(`#57 ${mode}: of two good ones the first is read, in whatever order their signatures are`, async t => {
    const { stranger, ada, eve, header, value } = await several(t)
    await eve.get('/in?user=eve')
    const other = String(eve.jar.get(KEY))
    for (const jars of [
      [ada.jar, eve.jar],
      [eve.jar, ada.jar],
    ]) {
      assert.equal((await stranger.get('/', header([value(), other], ...jars))).text, 'ada')
      assert.equal((await stranger.get('/', header([other, value()], ...jars))).text, 'eve')
    }
  })

  test(`#57 ${mode}: one that has expired is passed over for one that is live`, async t => {
    const { stranger, ada, eve, header, value, clock } = await several(t)
    clock.advance(HOUR + 1)
    await eve.get('/in?user=eve')
    const { text } = await stranger.get('/', header([value(), String(eve.jar.get(KEY))], ada.jar, eve.jar))
    assert.equal(text, 'eve')
  })

  for (const [isSeveral, path, isSent] of [
    [true, '/change', true],
    [false, '/change', false],
    [true, '/', false],
  ] as const) {
    const what = `${isSeveral ? 'two cookies' : 'one cookie'} and ${path === '/' ? 'no change' : 'a change'}`
    test(`#57 ${mode}: with domain, ${what} ${isSent ? 'clear' : 'do not clear'} the host-only twin`, async t => {
      const { stranger, ada, header, value } = await several(t, { domain: 'shop.example' })
      const { cookies } = await stranger.get(path, header(isSeveral ? [value(), BAD] : [value()], ada.jar))
      const twins = cookies.filter(line => attribute(line, 'domain') === undefined)
      const names = isSent ? [...ada.jar.keys()].map(name => `no ${name}`) : []
      assert.deepEqual(cookieNames(twins).sort(), names.sort(), cookies.join('\n'))
    })
  }

  test(`#57 ${mode}: with domain, clearing always clears the host-only twin as well`, async t => {
    const { visitor } = await several(t, { domain: 'shop.example' })
    const names = [...visitor.jar.keys()].map(name => `no ${name}`).sort()
    const { cookies } = await visitor.get('/out')
    for (const domain of [undefined, 'shop.example']) {
      const lines = cookies.filter(line => attribute(line, 'domain') === domain)
      assert.deepEqual(cookieNames(lines).sort(), names, `${domain}: ${cookies.join('\n')}`)
    }
  })

  for (const [what, split] of [
    ['of one', (header: string) => [header]],
    ['of one for each cookie', (header: string) => header.split('; ')],
  ] as const) {
    test(`#64 ${mode}: a Cookie header that is a list ${what} is read like one`, async t => {
      const { visitor, errors } = await around(t, make, (ctx, next) => {
        ctx.req.headers.cookie = split(ctx.req.headers.cookie ?? '')
        return next()
      })
      await visitor.get('/in')
      visitor.jar.set('another', 'cookie')
      const { status, text } = await visitor.get('/')
      assert.deepEqual([status, text, errors], [200, 'ada', []])
      await visitor.get('/out')
      assert.deepEqual([...visitor.jar.keys()], ['another'])
    })
  }

  test(`#64 ${mode}: a Cookie header that is an empty list is none`, async t => {
    const { visitor } = await around(t, make, (ctx, next) => {
      ctx.req.headers.cookie = []
      return next()
    })
    const { status, text } = await visitor.get('/')
    assert.deepEqual([status, text], [200, 'nobody'])
  })
}

for (const [mode, make] of Object.entries(STORE_MODES)) {
  test(`#57 ${mode}: a stored id that is dead is passed over without an event`, async t => {
    const { visitor, events } = await serve(t, make)
    const [dead, live] = [visitor.stranger(), visitor.stranger()]
    await dead.get('/cart')
    const jar = new Map(dead.jar)
    await dead.get('/out')
    await live.get('/in')
    const names = [KEY, SIG].filter(name => jar.has(name))
    const cookie = names.flatMap(name => [jar, live.jar].map(held => `${name}=${held.get(name)}`)).join('; ')
    const { text, cookies } = await visitor.stranger().get('/', { cookie })
    await told()
    assert.deepEqual([text, cookies, events.map(([event]) => event)], ['ada', [], []])
  })
}

const EMPTY = ['key', 'property', 'domain', 'path', 'sameSite', 'priority', 'prefix'] as const
for (const option of EMPTY) {
  for (const [mode, make] of Object.entries({
    'signed cookie': () => ({}),
    store: () => ({ store: simpleStore(), genid: () => 'an-id' }),
  })) {
    test(`#62 ${mode}: ${option} that is an empty text is not set`, async t => {
      const [plain, empty] = [
        await serve(t, make),
        await serve(t, make, {}, { options: { [option]: '' } as CreateSessionOptions }),
      ]
      const [{ cookies: expected }, { cookies }] = [await plain.visitor.get('/cart'), await empty.visitor.get('/cart')]
      const withoutTime = (lines: readonly string[]) => lines.map(line => line.replace(/expires=[^;]+/, 'expires=…'))
      assert.deepEqual(withoutTime(cookies), withoutTime(expected))
      assert.equal((await empty.visitor.get('/all')).text, '{"cart":["a book"]}')
    })
  }
}

test('#62 a prefix that is an empty text is before no id', async t => {
  const { visitor } = await serve(t, () => ({ store: simpleStore(), prefix: '' }))
  await visitor.get('/cart')
  assert.match(String(visitor.jar.get(KEY)), /^[0-9a-f-]{36}$/)
})

test('#62 a domain that is set to an empty text for one response is not set', async t => {
  const { visitor, errors } = await serve(t, () => ({ domain: 'shop.example' }), {
    '/page': ctx => {
      ctx.session.n = 1
      ctx.sessionOptions.domain = ''
    },
  })
  const { cookies } = await visitor.get('/page')
  assert.deepEqual([errors, cookies.map(line => attribute(line, 'domain'))], [[], [undefined, undefined]])
})

for (const option of ['maxAge', 'secure', 'rolling', 'store', 'genid', 'onStoreError']) {
  test(`#62 ${option} that is an empty text is ERR_SESSION_OPTION`, () => {
    assert.throws(() => appOf({ [option]: '' }), { code: 'ERR_SESSION_OPTION' })
  })
}

test('#62 a secret that is an empty text is never "not set"', () => {
  const isSecretError = ({ code }: { code?: string }) =>
    ['ERR_SESSION_OPTION', 'ERR_SESSION_KEYS'].includes(String(code))
  assert.throws(() => appOf({ seal: true, keys: [''] }), isSecretError)
  assert.throws(() => appOf({ seal: true, keys: [String(SECRETS[0]), ''] }), isSecretError)
  assert.throws(() => appOf({ seal: true, keys: '' as never }), isSecretError)
})
