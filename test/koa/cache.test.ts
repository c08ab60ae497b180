/** What keeps a response that depends on a session out of shared caches, and leaves the others in. */
import assert from 'node:assert/strict'
import test from 'node:test'
import Keygrip from 'keygrip'
import type { CreateSessionOptions } from 'koa-session'
import { memoryStore } from 'koa-session/memory'
import type { TestContext } from '../support/koa.ts'
import { type Page, serve } from '../support/story.ts'

type Middleware = (ctx: TestContext, next: () => Promise<void>) => unknown

interface Row {
  readonly when: string
  readonly options?: CreateSessionOptions
  /** What the handler does, for a visitor who has a session. */
  readonly handler: (ctx: TestContext) => unknown
  readonly vary: string | null
  readonly cache: string | null
  readonly setsCookie: boolean
  /** What a middleware further out does then. */
  readonly further?: (ctx: TestContext) => unknown
}

/** Keys of an application's own, which ctx.cookies have to be asked about. */
class OwnKeys {
  readonly #keys: Keygrip

  constructor(list: readonly string[]) {
    this.#keys = new Keygrip([...list])
  }

  sign = (text: string) => this.#keys.sign(text)
  verify = (text: string, signature: string) => this.#keys.verify(text, signature)
  index = (text: string, signature: string) => this.#keys.index(text, signature)
}

const UNTOUCHED = { vary: null, cache: null, setsCookie: false }
const READ = { vary: 'Cookie', cache: null, setsCookie: false }
const SET = { vary: 'Cookie', cache: 'no-store', setsCookie: true }

const read = (ctx: TestContext) => ctx.session.views
const write = (ctx: TestContext) => {
  ctx.session.views++
}
const set = (headers: Record<string, string | string[]>, then: Row['handler']) => (ctx: TestContext) => {
  for (const [name, value] of Object.entries(headers)) ctx.res.setHeader(name, value)
  return then(ctx)
}
const renamed = (ctx: TestContext) => ctx.session.regenerate()
const nothing = () => {}
const first: Page = ctx => {
  ctx.session.views ??= 1
}
const externalKey = { get: (ctx: TestContext) => ctx.get('X-Session'), set: () => {} }

const EVERYWHERE: readonly Row[] = [
  { when: 'nobody touches the session', handler: nothing, ...UNTOUCHED },
  { when: 'the session is read', handler: read, ...READ },
  { when: 'the session is changed', handler: write, ...SET },
  { when: 'the session is saved as it is', handler: ctx => ctx.session.save(), ...SET },
  { when: 'the session is changed and the change undone', handler: ctx => write(ctx) ?? ctx.session.views--, ...READ },
  {
    when: 'the visitor signs out',
    handler(ctx) {
      ctx.session = null
    },
    ...SET,
  },
  {
    when: 'the session is emptied',
    handler(ctx) {
      ctx.session = {}
    },
    ...SET,
  },

  {
    when: 'the handler has a Cache-Control of its own',
    handler: set({ 'Cache-Control': 'private, max-age=60' }, write),
    ...SET,
    cache: 'private, max-age=60',
  },

  { when: 'cacheHeaders is off and it is read', options: { cacheHeaders: false }, handler: read, ...UNTOUCHED },
  {
    when: 'cacheHeaders is off and it is changed',
    options: { cacheHeaders: false },
    handler: write,
    ...UNTOUCHED,
    setsCookie: true,
  },

  { when: 'rolling extends it untouched', options: { rolling: true }, handler: nothing, ...SET },
  {
    when: 'rolling extends it untouched, though the headers leave early',
    options: { rolling: true },
    handler: ctx => ctx.flushHeaders(),
    ...SET,
  },
  {
    when: 'rolling, but the handler made it public',
    options: { rolling: true },
    handler: set({ 'Cache-Control': 'public, max-age=60' }, nothing),
    ...UNTOUCHED,
    cache: 'public, max-age=60',
  },
  {
    when: 'rolling for this response, but a middleware further out lets caches keep it',
    handler: ctx => {
      ctx.sessionOptions.rolling = true
    },
    further: ctx => ctx.set('Cache-Control', 'public, max-age=60'),
    vary: 'Cookie',
    cache: 'public, max-age=60',
    setsCookie: false,
  },
  {
    when: 'rolling, but a middleware further out lets caches keep the response',
    options: { rolling: true },
    handler: nothing,
    further: set({ 'Cache-Control': 's-maxage=60' }, nothing),
    ...UNTOUCHED,
    vary: 'Cookie',
    cache: 's-maxage=60',
  },
  {
    when: 'it is changed on a response that caches may keep',
    handler: set({ 'Cache-Control': 'max-age=60' }, write),
    ...SET,
    cache: 'max-age=60, private',
  },
  {
    when: 'it is changed with writeHead that lets caches keep the response',
    handler(ctx) {
      write(ctx)
      ctx.respond = false
      ctx.res.writeHead(200, { 'Cache-Control': 'max-age=60' }).end('text')
    },
    ...SET,
    cache: 'max-age=60, private',
  },
  { when: 'renew finds it young', options: { renew: true }, handler: nothing, ...UNTOUCHED },
]

const STORED: readonly Row[] = [
  { when: 'the session gets a new id', handler: renamed, ...SET },
  { when: 'externalKey carries the id and it is read', options: { externalKey }, handler: read, ...UNTOUCHED },
  { when: 'externalKey carries the id and it is changed', options: { externalKey }, handler: write, ...UNTOUCHED },
  { when: 'externalKey carries a new id', options: { externalKey }, handler: renamed, ...UNTOUCHED },
]

for (const [mode, rows] of [
  ['cookie', EVERYWHERE],
  ['store', [...EVERYWHERE, ...STORED]],
] as const) {
  for (const { when, options, handler, vary, cache, setsCookie, further = nothing } of rows) {
    const says = `${vary ? `Vary: ${vary}` : 'no Vary'}, ${cache ? `Cache-Control: ${cache}` : 'no Cache-Control'}`
    test(`${mode}: ${when}: ${says}`, async t => {
      const around: Middleware = async (ctx, next) => {
        await next()
        if (ctx.path === '/') await further(ctx)
      }
      const begin: Page = ctx => {
        ctx.session.views = 1
        ctx.set('X-Session', ctx.session.externalKey ?? '')
      }
      const all = { ...(mode === 'store' && { store: memoryStore() }), ...options }
      const { visitor, errors } = await serve(
        t,
        all,
        { '/begin': begin, '/': handler },
        { before: app => app.use(around) },
      )
      const id = (await visitor.get('/begin')).headers.get('x-session') ?? ''
      const answer = await visitor.get('/', { 'x-session': id })
      assert.deepEqual(errors, [])
      assert.equal(answer.cookies.length, setsCookie ? 2 : 0)
      assert.equal(answer.headers.get('vary'), vary)
      assert.equal(answer.headers.get('cache-control'), cache)
    })
  }
}

/** Koa's cookies renew or delete a signature as soon as they read one; where `keys` are no list, they are asked. */
for (const [what, keys, isTouched] of [
  ['signed by an older secret, which is renewed', ['newest secret of all', 'older secret'], true],
  ['that nobody signed, which is deleted', ['another secret'], true],
  ['signed by the newest secret', ['older secret'], false],
] as const) {
  for (const [who, make] of [
    ['koa-session', (list: readonly string[]) => list],
    ['ctx.cookies', (list: readonly string[]) => new OwnKeys(list)],
  ] as const) {
    test(`a cookie ${what}, by ${who}: not on a response that a shared cache may keep`, async t => {
      const shared: Page = ctx => ctx.set('Cache-Control', 'max-age=60') ?? read(ctx)
      const pages = { '/begin': first, '/shared': shared, '/': read }
      const { app, visitor } = await serve(t, {}, pages, { keys: ['older secret'] })
      await visitor.get('/begin')
      app.keys = make(keys)
      const { cookies, headers } = await visitor.copy().get('/shared')
      assert.deepEqual([cookies, headers.get('cache-control')], [[], 'max-age=60'])
      assert.equal((await visitor.copy().get('/')).cookies.length > 0, isTouched)
    })
  }
}

test('a signature that is renewed under the newest secret is not cached either', async t => {
  const { app, visitor } = await serve(t, {}, { '/': first }, { keys: ['older secret'] })
  await visitor.get()
  app.keys = ['newest secret', 'older secret']
  const answer = await visitor.get()
  assert.equal(answer.cookies.length, 2)
  assert.match(answer.cookies[1] ?? '', /^koa\.sess\.sig=/)
  assert.equal(answer.headers.get('vary'), 'Cookie')
  assert.equal(answer.headers.get('cache-control'), 'no-store')
  assert.deepEqual((await visitor.get()).cookies, [])
})
