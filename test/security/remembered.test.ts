/*
 * Cookies that were verified are remembered, so that their next request needs no HMAC and no decryption. What is done
 * here to a memory that is full has to come out as it does without one.
 */

import assert from 'node:assert/strict'
import crypto from 'node:crypto'
import { createRequire, syncBuiltinESMExports } from 'node:module'
import test, { type TestContext as Test } from 'node:test'
import session, { type CreateSessionOptions } from 'koa-session'
import { manualClock } from 'koa-session/testing'
import { createApp } from '../support/koa.ts'
import { newSecret } from '../support/secrets.ts'
import {
  appOf,
  ask,
  COOKIE_MODES,
  cookiesFrom,
  HOUR,
  headerOf,
  KEY,
  KEYED_MODES,
  type Pages,
  SECRETS,
  told,
} from '../support/story.ts'

type Jar = ReadonlyMap<string, string>

const MODES = { ...COOKIE_MODES, ...KEYED_MODES }
const SIGNATURE = `${KEY}.sig`
const require = createRequire(import.meta.url)
const Keygrip = createRequire(createRequire(require.resolve('koa')).resolve('cookies'))('keygrip')

/** How often something was verified or opened while `work` ran: by HMAC-SHA1, of whatever it is made, and by AES. */
async function checks(t: Test, work: () => unknown): Promise<number> {
  const names = (['createHmac', 'createHash', 'hash', 'createDecipheriv'] as const).filter(name => name in crypto)
  const mocks = names.map(name => t.mock.method(crypto, name as 'createHash'))
  syncBuiltinESMExports()
  try {
    await work()
    const given = mocks.flatMap(({ mock }) => mock.calls.map(call => String(call.arguments[0])))
    return given.filter(algorithm => /^(sha1|aes)/.test(algorithm)).length
  } finally {
    for (const { mock } of mocks) mock.restore()
    syncBuiltinESMExports()
  }
}

const PAGES: Pages = {
  '/large': ctx => {
    ctx.session.user = 'ada'
    ctx.session.more = 'x'.repeat(4000)
    return 'in'
  },
  '/longer': ctx => {
    ctx.session.user = 'ada'
    ctx.session.more = 'x'.repeat(100)
    return 'in'
  },
}

/** Secrets as bytes: with them HMACs are node:crypto's own in every Node, and can be counted. */
const BYTES = SECRETS.map(secret => Buffer.from(secret))

function applicationOf(mode: string, options: CreateSessionOptions = {}, keys: unknown = [...BYTES]) {
  const clock = manualClock()
  const made = appOf({ now: clock.now, maxAge: HOUR, ...MODES[mode]?.(clock), ...options }, PAGES, keys)
  const get = (jar: Jar, path = '/') => ask(made.app, path, headerOf(jar))
  const read = async (jar: Jar) => (await get(jar)).text
  /** The cookies of a visitor who is signed in, and was seen so often that all is remembered. */
  const remembered = async (path = '/in') => {
    const jar = cookiesFrom((await get(new Map(), path)).lines)
    for (let times = 0; times < 3; times++) assert.equal(await read(jar), 'ada')
    return jar
  }
  /** How often the cookies were verified in ten requests, each of which says `page`. */
  const checksOf = (t: Test, jar: Jar, page = 'ada') =>
    checks(t, async () => {
      for (let times = 0; times < 10; times++) assert.equal(await read(jar), page)
    })
  return { ...made, clock, get, read, remembered, checksOf }
}

for (const mode of Object.keys(MODES)) {
  test(`${mode}: what was sent is not verified when it comes back, and with \`remember: 0\` it is each time`, async t => {
    const made = applicationOf(mode)
    assert.equal(await made.checksOf(t, cookiesFrom((await made.get(new Map(), '/in')).lines)), 0)
    const without = applicationOf(mode, { remember: 0 })
    assert.equal(await without.checksOf(t, cookiesFrom((await without.get(new Map(), '/in')).lines)), 10)
  })

  test(`${mode}: what another process has sent is verified once`, async t => {
    const options = MODES[mode]?.(manualClock())
    const jar = await applicationOf(mode, options).remembered()
    assert.equal(await applicationOf(mode, options).checksOf(t, jar), 1)
  })

  test(`${mode}: no cookie of a secret that is not there any more is accepted, replaced or changed in place`, async () => {
    const bytes = [Buffer.from(newSecret()), Buffer.from(newSecret())]
    const changes: Readonly<Record<string, readonly [keys: unknown[], change: (keys: unknown[]) => unknown[]]>> = {
      'another list': [[...SECRETS], () => [newSecret()]],
      'the second one alone': [[...SECRETS], ([, second]) => [second]],
      'the first entry replaced in place': [[...SECRETS], keys => Object.assign(keys, [newSecret()])],
      'the first entry taken out in place': [[...SECRETS], keys => keys.splice(0, 1) && keys],
      'bytes written over': [
        bytes,
        keys => {
          for (const key of keys as Buffer[]) key.reverse()
          return keys
        },
      ],
    }
    for (const [what, [keys, change]] of Object.entries(changes)) {
      const made = applicationOf(mode, {}, keys)
      const jar = await made.remembered()
      const before = [...keys]
      made.app.keys = change(keys)
      for (let times = 0; times < 3; times++) assert.equal(await made.read(jar), 'nobody', what)
      if (what === 'bytes written over') for (const key of keys as Buffer[]) key.reverse()
      else made.app.keys = before
      assert.equal(await made.read(jar), 'ada', `${what}, and back again`)
    }
  })

  test(`${mode}: a cookie of the secret that has become the second one is replaced, and was remembered as the first's`, async t => {
    const made = applicationOf(mode)
    const jar = await made.remembered()
    const [first, second] = SECRETS
    made.app.keys = [newSecret(), first, second]
    const { text, lines } = await made.get(jar)
    assert.equal(text, 'ada')
    assert.notDeepEqual(cookiesFrom(lines), jar)
    assert.equal(await made.checksOf(t, cookiesFrom(lines)), 0)
    for (let times = 0; times < 3; times++) assert.ok((await made.get(jar)).lines.length > 0, 'each time it comes')
  })

  test(`${mode}: a remembered cookie ends when its session does`, async () => {
    const made = applicationOf(mode)
    const jar = await made.remembered()
    made.clock.advance(HOUR)
    assert.equal(await made.read(jar), 'ada')
    made.clock.advance(1)
    for (let times = 0; times < 3; times++) assert.equal(await made.read(jar), 'nobody')
    await told()
    const expired = made.events.filter(([event]) => event === 'session:expired')
    if (mode in COOKIE_MODES) assert.equal(expired.length, 3)
    if (mode in COOKIE_MODES) assert.equal(Object(expired[0]?.[1].value).user, 'ada')
  })

  test(`${mode}: a remembered cookie is judged by what is asked of it now`, async () => {
    for (const isGood of [() => false, (_: unknown, data: { user?: unknown }) => data.user !== 'ada']) {
      let isAsked = false
      const made = applicationOf(mode, { valid: (ctx, data) => !isAsked || isGood(ctx, data) })
      const jar = await made.remembered()
      isAsked = true
      for (let times = 0; times < 3; times++) assert.equal(await made.read(jar), 'nobody')
      isAsked = false
      assert.equal(await made.read(jar), 'ada')
    }
  })

  test(`${mode}: what a function of the application writes to the data that it judges does not stay`, async () => {
    const seen: unknown[] = []
    const made = applicationOf(mode, {
      valid(_, data: Record<string, unknown>) {
        seen.push(data.mark)
        data.mark = 'a mark'
        return true
      },
      schema: {
        '~standard': {
          version: 1,
          vendor: 'test',
          validate(value: unknown) {
            Object.assign(value as object, { more: 'of it' })
            return { value }
          },
        },
      } as never,
    })
    await made.remembered()
    assert.ok(seen.length >= 3)
    assert.deepEqual(new Set(seen), new Set([undefined]))
  })

  test(`${mode}: a cookie that was altered in one place is nobody's, wherever that is`, async () => {
    const made = applicationOf(mode)
    const jar = await made.remembered()
    let count = 0
    for (const [name, value] of jar) {
      for (let at = 0; at < value.length; at++) {
        const other = value[at] === 'A' ? 'B' : 'A'
        const altered = new Map([...jar, [name, value.slice(0, at) + other + value.slice(at + 1)]])
        if ((await made.read(altered)) !== 'nobody') assert.fail(`${name} at ${at}`)
        if (count++ % 20 === 0) assert.equal(await made.read(jar), 'ada')
      }
      for (const cut of [value.slice(1), value.slice(0, -1), `${value}A`, `A${value}`, '']) {
        assert.equal(await made.read(new Map([...jar, [name, cut]])), 'nobody')
      }
    }
    assert.ok(count > 60, String(count))
  })

  test(`${mode}: the parts of two remembered cookies make none`, async () => {
    const made = applicationOf(mode)
    const [one, other] = [await made.remembered(), await made.remembered('/longer')]
    const [first, second] = [one, other].map(jar => jar.get(KEY) ?? '') as [string, string]
    const mixed = [
      new Map([...one, [KEY, second]]),
      new Map([...other, [KEY, first]]),
      ...[22, 27, 40].flatMap(length => [
        new Map([...one, [KEY, first.slice(0, -length) + second.slice(-length)]]),
        new Map([...other, [KEY, second.slice(0, -length) + first.slice(-length)]]),
      ]),
    ]
    // A sealed one is one cookie, and itself.
    const forged = one.has(SIGNATURE) ? mixed : mixed.slice(2)
    for (const jar of forged) assert.equal(await made.read(jar), 'nobody')
  })

  test(`${mode}: a remembered cookie is nobody's under another name, and in another mode`, async () => {
    const made = applicationOf(mode)
    const jar = await made.remembered()
    const clock = () => made.clock.now()
    const both = createApp()
    both.keys = [...SECRETS]
    both.use(session({ now: clock, ...MODES[mode]?.(made.clock), key: 'first', property: 'first' }, both))
    both.use(session({ now: clock, ...MODES[mode]?.(made.clock), key: KEY, property: 'second' }, both))
    both.use(ctx => {
      if (ctx.path === '/in') ctx.first.user = 'ada'
      ctx.body = `${ctx.first.user ?? 'nobody'} ${ctx.second.user ?? 'nobody'}`
    })
    const first = cookiesFrom((await ask(both, '/in', '')).lines)
    const renamed = new Map([...first].map(([name, value]) => [name.replace('first', KEY), value]))
    for (let times = 0; times < 3; times++) {
      assert.equal((await ask(both, '/', headerOf(first))).text, 'ada nobody')
      assert.equal((await ask(both, '/', headerOf(renamed))).text, 'nobody nobody')
    }
    for (const [other] of Object.entries(MODES).filter(([other]) => other !== mode)) {
      const isMeant = other === 'sealed cookie that takes signed ones' && /^s\w+ cookie$/.test(mode)
      const isSame = mode === 'sealed cookie that takes signed ones' && other === 'sealed cookie'
      const expected = isMeant || isSame ? 'ada' : 'nobody'
      assert.equal(await applicationOf(other).read(jar), expected, other)
    }
  })
}

test('a sealed session in several cookies is remembered as a whole, and each of them counts', async t => {
  const made = applicationOf('sealed cookie', { chunks: true })
  const jar = await made.remembered('/large')
  assert.equal(jar.size, 2)
  assert.equal(await made.checksOf(t, jar), 0)
  for (const [name, value] of jar) {
    for (const at of [0, 1, 2, 100, value.length - 23, value.length - 1]) {
      const other = value[at] === 'A' ? 'B' : 'A'
      const altered = new Map([...jar, [name, value.slice(0, at) + other + value.slice(at + 1)]])
      assert.equal(await made.read(altered), 'nobody', `${name} at ${at}`)
    }
    assert.equal(await made.read(new Map([...jar].filter(([other]) => other !== name))), 'nobody')
  }
  assert.equal(await made.checksOf(t, jar), 0)
})

const unlike = (change: (keys: readonly string[]) => unknown) => () => change([...SECRETS])

/** What may change unseen, or is not koa-session's own: each cookie is verified at each request. */
const OFF: Readonly<Record<string, readonly [options: CreateSessionOptions, keys?: () => unknown, page?: string]>> = {
  'with a Keygrip': [{}, unlike(keys => new Keygrip(keys))],
  'with an `encode` of the application': [
    { encode: payload => Buffer.from(JSON.stringify(payload)).toString('base64') },
  ],
  'with a `decode` of the application': [{ decode: text => JSON.parse(Buffer.from(text, 'base64').toString()) }],
}

for (const [what, [options, keys]] of Object.entries(OFF)) {
  test(`nothing is remembered ${what}`, async t => {
    const made = applicationOf('signed cookie', options, keys?.() ?? [...BYTES])
    const jar = await made.remembered()
    assert.equal(await made.checksOf(t, jar), 10)
  })
}

test('nothing is remembered where the options are those of one response, nor with cookies of a framework', async t => {
  for (const options of [{}, { seal: true }]) {
    for (const isFramework of [false, true]) {
      const app = createApp()
      app.keys = [...SECRETS]
      if (isFramework) {
        app.use((ctx, next) => {
          const { get, set } = ctx.cookies
          ctx.cookies.get = (...given: unknown[]) => get.apply(ctx.cookies, given)
          ctx.cookies.set = (...given: unknown[]) => set.apply(ctx.cookies, given)
          return next()
        })
      }
      app.use(session({ ...options, httpOnly: true }, app))
      app.use(ctx => {
        if (!isFramework) ctx.sessionOptions.httpOnly = false
        if (ctx.path === '/in') ctx.session.user = 'ada'
        ctx.body = ctx.session.user ?? 'nobody'
      })
      const jar = cookiesFrom((await ask(app, '/in', '')).lines)
      const count = await checks(t, async () => {
        for (let times = 0; times < 10; times++) assert.equal((await ask(app, '/', headerOf(jar))).text, 'ada')
      })
      assert.ok(count >= 10, `${count} for ${JSON.stringify({ ...options, isFramework })}`)
    }
  }
})

test('a name that is given to one response has nothing of the memory of another one', async () => {
  for (const options of [{}, { seal: true }]) {
    const app = createApp()
    app.keys = [...SECRETS]
    app.use(session(options, app))
    app.use(ctx => {
      if (ctx.path !== '/in') ctx.sessionOptions.key = 'other'
      if (ctx.path === '/in') ctx.session.user = 'ada'
      ctx.body = ctx.session.user ?? 'nobody'
    })
    const jar = cookiesFrom((await ask(app, '/in', '')).lines)
    const renamed = new Map([...jar].map(([name, value]) => [name.replace(KEY, 'other'), value]))
    for (const cookies of [jar, renamed]) assert.equal((await ask(app, '/', headerOf(cookies))).text, 'nobody')
  }
})

test('of two signatures, the good one counts, wherever it stands', async () => {
  const made = applicationOf('signed cookie')
  const jar = await made.remembered()
  const [value, signature] = [jar.get(KEY), jar.get(SIGNATURE)]
  const bad = 'x'.repeat(signature?.length ?? 0)
  const texts = await Promise.all(
    [
      `${KEY}=${value}; ${SIGNATURE}=${bad}; ${SIGNATURE}=${signature}`,
      `${KEY}=${value}; ${SIGNATURE}=${signature}; ${SIGNATURE}=${bad}`,
      `${KEY}=${value}x; ${KEY}=${value}; ${SIGNATURE}=${signature}`,
      `${KEY}=${value}x; ${SIGNATURE}=${signature}`,
      `${KEY}=${value}; ${SIGNATURE}=${bad}`,
    ].map(async cookie => (await ask(made.app, '/', cookie)).text),
  )
  assert.deepEqual(texts, ['ada', 'ada', 'ada', 'nobody', 'nobody'])
})

test('a sealed cookie that was refused once is not remembered as good, nor a good one as bad', async () => {
  const made = applicationOf('sealed cookie')
  const jar = await made.remembered()
  const value = jar.get(KEY) ?? ''
  for (let times = 0; times < 3; times++) {
    assert.equal(await made.read(new Map([[KEY, `${value.slice(0, -1)}${value.endsWith('A') ? 'B' : 'A'}`]])), 'nobody')
    assert.equal(await made.read(jar), 'ada')
  }
})
