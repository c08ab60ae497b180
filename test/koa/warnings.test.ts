/** Process warnings about the set-up are raised once per process, and so each is asked for in one test. */
import assert from 'node:assert/strict'
import test from 'node:test'
import mount from 'koa-mount'
import session, { type CreateSessionOptions } from 'koa-session'
import { visit } from '../support/agent.ts'
import { createApp, type TestContext } from '../support/koa.ts'
import { appOf as applicationOf, ask, type Page, type Pages, serve } from '../support/story.ts'
import { heard, warningsOf } from '../support/warnings.ts'

/** An application that uses its session, with options that the types do not have. */
const appOf = (options: object) => applicationOf(options, { '/': COUNT }).app
const COUNT: Page = ctx => {
  ctx.session.views = (ctx.session.views ?? 0) + 1
  return ctx.session.views
}

test('an option of another package, or one that is misspelled, is told at start, once, with what to use', async t => {
  const warnings = warningsOf(t, 'KOA_SESSION_OPTION')
  for (let turn = 0; turn < 2; turn++) {
    appOf({ httponly: false, absoluteTimeOut: 5, secret: 'x', resave: false, saveUninitialized: true, cookie: {} })
  }
  await heard()
  const texts = warnings.map(({ message }) => message)
  const named = ['httponly', 'absoluteTimeOut', 'secret', 'resave', 'saveUninitialized', 'cookie']
  assert.deepEqual(
    texts.map(text => /no option (\w+),/.exec(text)?.[1]),
    named,
  )
  assert.match(texts[0] ?? '', /use the option httpOnly/)
  assert.match(texts[2] ?? '', /app\.keys/)
})

test('an option that nobody knows is told at the first request whose cookies are Koa’s own, and passed on', async t => {
  const warnings = warningsOf(t, 'KOA_SESSION_OPTION')
  const app = appOf({ encrypt: true, logValue: 1 })
  const foreign = createApp()
  const given: object[] = []
  Object.defineProperty(foreign.context, 'cookies', {
    value: { get() {}, set: (_name: string, _value: string, options: object) => given.push(options) },
  })
  foreign.use(session({ encrypt: true } as CreateSessionOptions, foreign))
  foreign.use((ctx: TestContext) => {
    ctx.session.views = 1
  })
  await (await visit(t, foreign)).get()
  await heard()
  assert.deepEqual(warnings, [])
  assert.equal(Reflect.get(given[0] ?? {}, 'encrypt'), true)
  const visitor = await visit(t, app)
  assert.equal((await visitor.get()).text, '1')
  assert.equal((await visitor.get()).text, '2')
  await heard()
  assert.deepEqual(
    warnings.map(({ message }) => /no option (\w+),/.exec(message)?.[1]),
    ['encrypt', 'logValue'],
  )
})

test('an option that is added to the caller’s object later is told, too', async t => {
  const warnings = warningsOf(t, 'KOA_SESSION_OPTION')
  const options: Record<string, unknown> = {}
  const visitor = await visit(t, appOf(options))
  options.samesite = 'lax'
  await visitor.get()
  await heard()
  assert.match(warnings[0]?.message ?? '', /no option samesite,.* use the option sameSite$/)
  options.name = 'sid'
  assert.equal((await visitor.get()).status, 500)
})

test('a cookie that browsers drop over plain HTTP is told, once, with the way out', async t => {
  const warnings = warningsOf(t, 'KOA_SESSION_INSECURE')
  const foreign = appOf({ sameSite: 'none' })
  Object.defineProperty(foreign.context, 'cookies', { value: { get() {}, set() {} } })
  await (await visit(t, foreign)).get()
  await heard()
  assert.equal(warnings.length, 0, 'nothing is known of a line that is not there')
  for (const options of [
    { sameSite: 'lax' },
    { sameSite: 'none', secure: true },
    { sameSite: 'none' },
    { sameSite: 'none' },
  ])
    await (await visit(t, appOf(options))).get()
  await heard()
  assert.equal(warnings.length, 1)
  assert.match(
    warnings[0]?.message ?? '',
    /sameSite 'none'.*app\.proxy = true, for plain HTTP in development leave out/,
  )
})

test('X-Forwarded-Proto: https without app.proxy is told, once, where the cookie leaves without secure', async t => {
  const warnings = warningsOf(t, 'KOA_SESSION_PROXY')
  const https = { 'x-forwarded-proto': 'https' }
  const trusting = appOf({})
  trusting.proxy = true
  assert.match((await (await visit(t, trusting)).get('/', https)).cookies[0] ?? '', /; secure/)
  await (await visit(t, appOf({ secure: false }))).get('/', https)
  await (await visit(t, appOf({}))).get('/', { 'x-forwarded-proto': 'http' })
  await ask(appOf({}), '/', '', { encrypted: true, ...https })
  await (await visit(t, appOf({}))).get('/')
  await heard()
  assert.equal(warnings.length, 0)
  const visitor = await visit(t, appOf({}))
  for (let turn = 0; turn < 2; turn++) assert.doesNotMatch((await visitor.get('/', https)).cookies[0] ?? '', /; secure/)
  await heard()
  assert.equal(warnings.length, 1)
  assert.match(warnings[0]?.message ?? '', /set app\.proxy = true/)
})

const ADVICE: ReadonlyArray<readonly [options: object, advice: RegExp]> = [
  [{ secure: true }, /set app\.proxy = true, for plain HTTP set the option secure to false$/],
  [
    { key: '__Host-session' },
    /for plain HTTP in development choose the key: production \? '__Host-session' : 'session'$/,
  ],
  [{ secure: true, sameSite: 'None' }, /leave out the options sameSite 'none' and secure there$/],
  [{ secure: true, partitioned: true }, /leave out the options partitioned and secure there$/],
]

for (const [options, advice] of ADVICE) {
  test(`over plain HTTP ${JSON.stringify(options)} is an error that advises nothing that is refused`, async t => {
    const { visitor, errors } = await serve(t, options, { '/': COUNT })
    assert.equal((await visitor.get()).status, 500)
    assert.equal(errors[0]?.code, 'ERR_SESSION_INSECURE')
    assert.match(errors[0]?.message ?? '', advice)
  })
}

const CHANGES: Pages = {
  '/write': ctx => {
    ctx.session.user = 'ada'
  },
  '/unsavable': ctx => {
    ctx.session.cart = new Map()
  },
  '/end': ctx => {
    ctx.session = null
  },
  '/read': ctx => ctx.session.user,
  '/commit': async ctx => {
    ctx.session.user = 'ada'
    await ctx.session.manuallyCommit()
  },
}

test('a session that is changed without its middleware is told, once, when the response leaves', async t => {
  const warnings = warningsOf(t, 'KOA_SESSION_UNUSED')
  const app = createApp()
  const sessions = session(app)
  app.use(async (ctx, next) => {
    await CHANGES[ctx.path]?.(ctx)
    ctx.body = 'served'
    if (ctx.get('later')) await next()
  })
  app.use((ctx, next) => sessions(ctx, next))
  const visitor = await visit(t, app)
  await visitor.get('/read')
  await visitor.get('/write', { later: '1' })
  await heard()
  assert.equal(warnings.length, 0)
  for (let turn = 0; turn < 2; turn++) await visitor.stranger().get('/write')
  await heard()
  assert.equal(warnings.length, 1)
  assert.match(warnings[0]?.message ?? '', /^ctx\.session was used.*call app\.use\(session\(app\)\) before/)
})

test('a change that autoCommit: false leaves uncommitted is told, once', async t => {
  const warnings = warningsOf(t, 'KOA_SESSION_UNCOMMITTED')
  const { visitor } = await serve(t, { autoCommit: false, rolling: true }, CHANGES)
  for (const path of ['/read', '/commit', '/read']) await visitor.get(path)
  await heard()
  assert.equal(warnings.length, 0)
  for (const path of ['/end', '/write']) await visitor.get(path)
  await heard()
  assert.equal(warnings.length, 1)
  assert.match(warnings[0]?.message ?? '', /autoCommit is false.*manuallyCommit\(\)/)
})

test('different options of a mounted session that is shared are told, once, equal ones are not', async t => {
  const warnings = warningsOf(t, 'KOA_SESSION_SHARED')
  const app = appOf({ key: 'a', maxAge: 1000 })
  for (const [path, options] of Object.entries({
    '/alike': { maxAge: 1000, key: 'a' },
    '/different': { key: 'b', maxAge: 1000 },
  })) {
    const mounted = createApp()
    mounted.use(session(options, mounted))
    mounted.use(async ctx => {
      ctx.body = String(await COUNT(ctx))
    })
    app.middleware.splice(1, 0, mount(path, mounted as never) as never)
  }
  const visitor = await visit(t, app)
  await visitor.get('/alike')
  await heard()
  assert.equal(warnings.length, 0)
  for (let turn = 0; turn < 2; turn++) await visitor.get('/different')
  await heard()
  assert.equal(warnings.length, 1)
  assert.match(warnings[0]?.message ?? '', /ctx\.session/)
  assert.deepEqual([...visitor.jar.keys()], ['a', 'a.sig'])
})

test('a change after an un-awaited next(), and after the response, is session:late', async t => {
  for (const path of ['/write', '/unsavable', '/read']) {
    const app = createApp()
    const late: unknown[] = []
    app.on('session:late', event => late.push(event))
    app.use(session(app))
    let done = () => {}
    const changed = new Promise<void>(resolve => {
      done = resolve
    })
    app.use((ctx, next) => {
      ctx.body = 'served'
      void next()
    })
    app.use(async ctx => {
      await new Promise(resolve => ctx.res.once('close', resolve))
      await CHANGES[path]?.(ctx)
      done()
    })
    await (await visit(t, app)).get(path)
    await changed
    for (let turn = 0; turn < 5; turn++) await heard()
    assert.equal(late.length, path === '/read' ? 0 : 1, path)
  }
})
