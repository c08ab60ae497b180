/** What is changed after the headers have left, or read for the first time then. */
import assert from 'node:assert/strict'
import test, { type TestContext as Test } from 'node:test'
import type { Store } from 'koa-session'
import { memoryStore } from 'koa-session/memory'
import { namesSet, type Visitor } from '../support/agent.ts'
import { PROTOCOLS, type Protocol, serve } from '../support/http2.ts'
import type { TestContext } from '../support/koa.ts'
import { plainOf, scriptedStore } from '../support/stores.ts'
import { appOf, type Pages } from '../support/story.ts'

interface Leaving {
  readonly how: string
  readonly leave: (ctx: TestContext) => unknown
  readonly over?: readonly Protocol[]
}

const LEAVING: readonly Leaving[] = [
  { how: 'ctx.flushHeaders()', leave: ctx => ctx.flushHeaders() },
  { how: 'res.writeHead()', leave: ctx => ctx.res.writeHead(200) },
  { how: 'res.write()', leave: ctx => ctx.res.write('text') },
  { how: 'res.end()', leave: ctx => ctx.res.end('text') },
  // The stream of HTTP/2 itself, beneath the response, is not hooked. HTTP/1 has none.
  { how: 'stream.respond()', leave: ctx => ctx.res.stream.respond({ ':status': 200 }), over: ['HTTP/2'] },
]

interface Change {
  readonly what: string
  readonly change: (ctx: TestContext) => unknown
}

const increment: Change['change'] = ctx => {
  ctx.session.views = (ctx.session.views ?? 0) + 1
}

const EXISTING: readonly Change[] = [
  { what: 'a change', change: increment },
  { what: 'save()', change: ctx => increment(ctx) ?? ctx.session.save() },
  { what: 'new data', change: ctx => (ctx.session = { views: 2 }) },
]

const NEW: readonly Change[] = [
  { what: 'a new session', change: increment },
  { what: 'a new session assigned', change: ctx => (ctx.session = { views: 1 }) },
  { what: 'save() of an empty session', change: ctx => ctx.session.save() },
  { what: 'regenerate() of a new session', change: ctx => increment(ctx) ?? ctx.session.regenerate() },
]

const regenerate: Change = { what: 'regenerate()', change: ctx => ctx.session.regenerate() }

interface Plot {
  readonly isStored: boolean
  readonly protocol: Protocol
  readonly leave: Leaving['leave']
  readonly change: Change['change']
  readonly before?: Change['change']
}

/** `/` lets the headers leave and changes the session then, `/views` says what it holds, `/begin` begins one. */
async function tell(t: Test, { isStored, protocol, leave, change, before }: Plot) {
  const [writes, contexts]: [string[], TestContext[]] = [[], []]
  const noting = async (ctx: TestContext, next: () => Promise<void>) => {
    contexts.push(ctx)
    // Koa leaves a response open that fails after its headers.
    await next().finally(() => ctx.headerSent && ctx.res.end())
  }
  const pages: Pages = {
    '/begin': ctx => {
      ctx.session.views = 1
    },
    '/views': ctx => ctx.session.views,
    '/': async ctx => {
      ctx.respond = false
      before?.(ctx)
      leave(ctx)
      await change(ctx)
    },
  }
  const options = isStored ? { store: recording(writes) } : {}
  const made = appOf(options, pages, ['newest secret', 'older secret'], { before: app => app.use(noting) })
  return { ...made, client: await serve(t, made.app, protocol), late: () => made.said('late'), writes, contexts }
}

/** Writes down what is done to it, but for reading. */
function recording(writes: string[]): Store {
  const { store, courses } = scriptedStore(plainOf(memoryStore()))
  courses.set = (ask, _, payload) => writes.push(`set ${Object(payload).views}`) && ask()
  return store
}

for (const protocol of PROTOCOLS) {
  for (const { how, leave, over = PROTOCOLS } of LEAVING) {
    if (!over.includes(protocol)) continue
    const given = (isStored: boolean, change: Change['change']) => ({ isStored, protocol, leave, change })

    for (const { what, change } of [...EXISTING, ...NEW, regenerate, { what: 'the end', change: end }]) {
      test(`cookie, ${protocol}: ${what} after ${how} is session:late, and no error`, async t => {
        const { client, errors, late, contexts } = await tell(t, given(false, change))
        const isNew = NEW.some(row => row.what === what)
        if (!isNew) await client.get('/begin')
        const answer = await client.get('/')
        assert.deepEqual(answer.cookies, [])
        assert.equal((await client.get('/views')).text, isNew ? 'undefined' : '1')
        assert.equal(late().length, 1)
        assert.deepEqual(Object.getOwnPropertyNames(late()[0]), ['ctx'])
        assert.equal((late()[0] as { ctx: TestContext }).ctx, contexts.at(-2), 'the context is another')
        assert.deepEqual(errors, [])
      })
    }

    for (const { what, change } of EXISTING) {
      test(`store, ${protocol}: ${what} after ${how} is saved in the store, without a cookie`, async t => {
        const { client, errors, late, writes } = await tell(t, given(true, change))
        await client.get('/begin')
        assert.deepEqual((await client.get('/')).cookies, [])
        assert.deepEqual(writes, ['set 1', 'set 2'])
        assert.equal((await client.get('/views')).text, '2')
        assert.deepEqual([...errors, ...late()], [])
      })
    }

    for (const [cookie, tamper, expected] of [
      ['a good cookie', () => {}, 1],
      ['a bad signature', (jar: Visitor['jar']) => jar.set('koa.sess.sig', 'forged'), undefined],
      ['no signature', (jar: Visitor['jar']) => jar.delete('koa.sess.sig'), undefined],
      ['a cookie signed by the older secret', () => {}, 1],
    ] as const) {
      test(`cookie, ${protocol}: a first look after ${how} at ${cookie} throws nothing`, async t => {
        const seen: unknown[] = []
        const look = (ctx: TestContext) => seen.push(ctx.session.views)
        const { app, client, errors, late } = await tell(t, given(false, look))
        if (cookie.includes('older')) app.keys = ['older secret']
        await client.get('/begin')
        app.keys = ['newest secret', 'older secret']
        tamper(client.jar)
        assert.deepEqual((await client.get('/')).cookies, [])
        assert.deepEqual(seen, [expected])
        assert.deepEqual([...errors, ...late()], [])
      })
    }

    // What leaves past the hook can not take a cookie along.
    if (how === 'stream.respond()') continue

    for (const [isStored, kept, events] of [
      [false, '1', 1],
      [true, '2', 0],
    ] as const) {
      const mode = isStored ? 'store' : 'cookie'
      test(`${mode}, ${protocol}: of a new session changed before and after ${how}, ${kept} arrives`, async t => {
        const story = await tell(t, { ...given(isStored, increment), before: increment })
        assert.equal((await story.client.get('/')).cookies.length, 2)
        assert.equal((await story.client.get('/views')).text, kept)
        assert.equal(story.late().length, events)
        assert.deepEqual(story.errors, [])
      })
    }

    for (const [what, isNew, begin] of [
      ['regenerate()', false, async (ctx: TestContext) => ctx.session.regenerate()],
      ['save() of a new session', true, async (ctx: TestContext) => increment(ctx) ?? ctx.session.save()],
      ['save() of an empty session', true, async (ctx: TestContext) => ctx.session.save()],
    ] as const) {
      test(`store, ${protocol}: the id of a ${what} that is under way leaves with ${how}`, async t => {
        const story = await tell(t, { ...given(true, () => {}), before: begin })
        if (!isNew) await story.client.get('/begin')
        const answer = await story.client.get('/')
        assert.deepEqual(namesSet(answer.cookies), ['koa.sess', 'koa.sess.sig'])
        assert.equal((await story.client.get('/views')).text, what.includes('empty') ? 'undefined' : '1')
        assert.deepEqual(story.errors, [])
      })
    }

    for (const isStored of [false, true]) {
      const mode = isStored ? 'store' : 'cookie'
      test(`${mode}, ${protocol}: an empty session is not sent with ${how}, a manual commit under way or not`, async t => {
        const before = async (ctx: TestContext) => ctx.session.manuallyCommit()
        const { client, errors, writes } = await tell(t, { ...given(isStored, () => {}), before })
        assert.deepEqual((await client.get('/')).cookies, [])
        assert.deepEqual([...writes, ...errors], [])
      })
    }
  }
}

function end(ctx: TestContext): void {
  ctx.session = null
}
