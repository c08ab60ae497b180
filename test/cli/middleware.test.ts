/** What the command says of a cookie is what the middleware makes of it. */

import assert from 'node:assert/strict'
import test, { type TestContext as Test } from 'node:test'
import { manualClock } from 'koa-session/testing'
import { inspect } from '../../src/cli/inspect.ts'
import { MapStore, packages, router } from '../compat/both.ts'
import { visit } from '../support/agent.ts'
import { createApp, type TestContext } from '../support/koa.ts'
import { FOREIGN, HOUR, NEWEST, OLDER, SECRETS } from './made.ts'

const PAGES = {
  '/login': (ctx: TestContext) => Object.assign(ctx.session, { user: 'ada', more: 'x'.repeat(ctx.query.size ?? 0) }),
  '/fresh': (ctx: TestContext) => ctx.session.regenerate({ fresh: true }),
  '/user': (ctx: TestContext) => ctx.session.user ?? 'nobody',
}

/** An application with `options` and a visitor who has signed in where `secrets` were its own. */
async function signedIn(t: Test, options: object, { secrets = SECRETS, size = 0 } = {}) {
  const clock = manualClock(Date.now())
  const app = createApp()
  app.keys = secrets
  app.use(packages['8']({ maxAge: HOUR, now: clock.now, ...options }, app))
  app.use(router(PAGES))
  const visitor = await visit(t, app)
  await visitor.get(`/login?size=${size}`)
  app.keys = SECRETS
  return { visitor, clock }
}

const MODES: ReadonlyArray<readonly [mode: string, options: () => object, size: number, expected: object]> = [
  ['a signed session', () => ({}), 0, { protection: 'signed', mode: 'cookie', pieces: 1 }],
  ['an unsigned session', () => ({ signed: false }), 0, { protection: 'unsigned', mode: 'cookie', pieces: 1 }],
  ['a sealed session', () => ({ seal: true }), 0, { protection: 'sealed', mode: 'cookie', pieces: 1 }],
  ['one in chunks', () => ({ seal: true, chunks: 3 }), 7000, { protection: 'sealed', mode: 'cookie', pieces: 3 }],
  ['a signed id', () => ({ store: new MapStore() }), 0, { protection: 'signed', mode: 'stored', pieces: 1 }],
  [
    'a sealed id',
    () => ({ store: new MapStore(), seal: true }),
    0,
    { protection: 'sealed', mode: 'stored', pieces: 1 },
  ],
]

type Jar = Map<string, string>
type SignedIn = Awaited<ReturnType<typeof signedIn>>

/** Makes every cookie another one. */
const change = (jar: Jar, changed: (value: string) => string) => {
  for (const [name, value] of jar) if (!name.endsWith('.sig')) jar.set(name, changed(value))
}
const middle = (value: string) => value.length >> 1

const STORIES: ReadonlyArray<readonly [story: string, happens: (found: SignedIn) => void, secret?: string]> = [
  ['as it was sent', () => undefined],
  ['signed or sealed with the older secret', () => undefined, OLDER],
  ['signed or sealed with a foreign secret', () => undefined, FOREIGN],
  ['changed in the middle', ({ visitor: { jar } }) => change(jar, value => flipped(value, middle(value)))],
  ['cut in half', ({ visitor: { jar } }) => change(jar, value => value.slice(0, middle(value)))],
  ['with nothing in it', ({ visitor: { jar } }) => change(jar, () => '')],
  ['without its signature', ({ visitor: { jar } }) => void jar.delete('koa.sess.sig')],
  ['without its last chunk', ({ visitor: { jar } }) => void jar.delete('koa.sess.2')],
  ['too late', ({ clock }) => clock.advance(HOUR + 1)],
]

function flipped(value: string, at: number): string {
  return value.slice(0, at) + (value[at] === 'A' ? 'B' : 'A') + value.slice(at + 1)
}

for (const [mode, options, size, expected] of MODES) {
  for (const [story, happens, secret = NEWEST] of STORIES) {
    test(`${mode}, ${story}: accepted by the command if it is by the middleware`, async t => {
      const found = await signedIn(t, options(), { secrets: [secret], size })
      const { visitor, clock } = found
      happens(found)
      const header = [...visitor.jar].map(([name, value]) => `${name}=${value}`).join('; ')
      const unsigned = mode === 'an unsigned session'
      const how = { key: 'koa.sess', secrets: SECRETS, now: clock.now(), unsigned, show: false }
      const report = inspect(header, how)
      // The store is not asked: what a stored session says of its end is not in the cookie.
      if (report.mode !== 'stored' || story !== 'too late') {
        const { text } = await visitor.get('/user')
        assert.equal(report.verdict, text === '"ada"' ? 'accepted' : 'refused', `${text}, ${JSON.stringify(report)}`)
      }
      if (report.verdict !== 'accepted') return
      const { protection, mode: place, pieces } = report
      assert.deepEqual({ protection, mode: place, pieces }, expected)
      assert.equal(report.secret, unsigned ? undefined : SECRETS.indexOf(secret))
    })
  }
}

test('when a session was made and when it was marked as fresh is in a sealed cookie', async t => {
  const { visitor, clock } = await signedIn(t, { seal: true, rolling: true })
  const created = clock.now()
  clock.advance(1000)
  await visitor.get('/fresh')
  clock.advance(1000)
  await visitor.get('/user')
  const header = `koa.sess=${visitor.jar.get('koa.sess')}`
  const report = inspect(header, { key: 'koa.sess', secrets: SECRETS, now: clock.now(), unsigned: false, show: false })
  const { fresh, expires, maxAge } = report
  assert.deepEqual(
    { created: report.created, fresh, expires, maxAge },
    { created, fresh: created + 1000, expires: created + 2000 + HOUR, maxAge: HOUR },
  )
})
