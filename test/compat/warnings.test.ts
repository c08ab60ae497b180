/** Process warnings are raised once per process, and so each is asked for in one test. */
import assert from 'node:assert/strict'
import test from 'node:test'
import session from 'koa-session'
import { visit } from '../support/agent.ts'
import { createApp } from '../support/koa.ts'
import { heard, warningsOf } from '../support/warnings.ts'
import { ask, attribute, MapStore, packages, router } from './both.ts'

const PAGES = {
  '/': (ctx: { session: { user?: string } }) => {
    ctx.session.user = 'ann'
  },
}

test('#3 the spelling maxage is taken, with one process warning, and is not rewritten', async t => {
  const printed = t.mock.method(console, 'warn', () => {})
  const warnings = warningsOf(t, 'KOA_SESSION_MAXAGE')
  for (const [version, create] of Object.entries(packages)) {
    const options = { maxage: 60_000, signed: false }
    const app = createApp()
    app.use(create(options, app))
    app.use(router(PAGES))
    const [line] = (await (await visit(t, app)).get()).cookies
    const left = Date.parse(String(attribute(line, 'expires'))) - Date.now()
    assert.ok(left > 30_000 && left <= 60_000, `${version}: ${left} ms`)
    assert.equal('maxAge' in options, version === '7.0.2')
  }
  session(createApp(), { maxage: 60_000 } as object)
  await heard()
  assert.deepEqual(
    warnings.map(({ name, message }) => [name, message.includes('maxAge')]),
    [['DeprecationWarning', true]],
  )
  assert.equal(printed.mock.callCount(), 1, 'the line that 7.0.2 prints, and none of ours')
})

test('#3 maxAge goes before maxage', async t => {
  const options = { maxage: 1000, maxAge: 3_600_000, signed: false }
  const app = createApp()
  app.use(session(app, options))
  app.use(router(PAGES))
  const [line] = (await (await visit(t, app)).get()).cookies
  assert.ok(Date.parse(String(attribute(line, 'expires'))) - Date.now() > 60_000, 'an hour, not a second')
})

test('#15 a second session() with other options has no effect, and raises one process warning', async t => {
  const warnings = warningsOf(t, 'KOA_SESSION_SHARED')
  const app = createApp()
  const options = { signed: false }
  app.use(session(options, app))
  session({ signed: false }, app)
  await heard()
  assert.equal(warnings.length, 0, 'the same options are no mistake')
  app.use(session({ key: 'second' }, app))
  session({ key: 'third' }, app)
  app.use(router(PAGES))
  const visitor = await visit(t, app)
  await visitor.get()
  await heard()
  assert.deepEqual([...visitor.jar.keys()], ['koa.sess'])
  assert.equal(warnings.length, 1)
  assert.match(warnings[0]?.message ?? '', /property/)
})

test('#44 writing to the session of a store before the middleware raises one process warning', async t => {
  const warnings = warningsOf(t, 'KOA_SESSION_EARLY')
  const app = createApp()
  app.use((ctx, next) => {
    if (ctx.path === '/early') ctx.session.user = 'ann'
    else ctx.state.isNew = ctx.session.isNew
    return next()
  })
  app.use(session(app, { store: new MapStore() }))
  app.use(router({ '/early': ctx => ctx.session.user ?? 'nobody', '/': () => 'a page' }))
  const visitor = await visit(t, app)
  await visitor.get('/')
  await heard()
  assert.equal(warnings.length, 0, 'reading loses nothing')
  assert.equal(await ask(visitor, '/early'), 'nobody')
  await visitor.get('/early')
  await heard()
  assert.equal(warnings.length, 1)
  assert.match(warnings[0]?.message ?? '', /ctx\.session/)
})
