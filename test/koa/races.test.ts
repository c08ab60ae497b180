/** What happens at the same time within one request: commits, loads, the end of the request. */
import assert from 'node:assert/strict'
import test, { type TestContext as Test } from 'node:test'
import session from 'koa-session'
import { type Visitor, visit } from '../support/agent.ts'
import { createApp } from '../support/koa.ts'
import { Gate, later, scriptedStore } from '../support/stores.ts'
import { type Page, serve, simpleStore } from '../support/story.ts'

/** A store of three methods whose calls can take another course. */
function slowStore() {
  const records = new Map<string, string>()
  return { ...scriptedStore(simpleStore(records)), records }
}

async function begin(t: Test, page: Page, options = {}) {
  const place = slowStore()
  place.take(later)
  let count = 0
  const signIn: Page = ctx => {
    ctx.session.user = 'ada'
  }
  const pages = { '/': page, '/sign-in': signIn }
  const made = await serve(t, { store: place.store, genid: () => `id-${++count}`, ...options }, pages)
  await made.visitor.get('/sign-in')
  return { ...place, ...made }
}

const whoami = async (visitor: Visitor) => JSON.parse((await visitor.get('/all')).text)

test('a session that is read on app.context is nobody else’s', async t => {
  const { app, visitor } = await begin(t, () => {})
  assert.equal((app.context.session as { user?: string }).user, undefined)
  assert.deepEqual(await whoami(visitor.stranger()), {})
  assert.deepEqual(await whoami(visitor), { user: 'ada' })
})

test('a session that is read while the store is loading it is not lost', async t => {
  const { store, take } = slowStore()
  take(later)
  const app = createApp()
  app.use((ctx, next) => {
    const answered = next()
    // What a logger does that does not wait.
    void ctx.session.user
    return answered
  })
  app.use(session({ store }, app))
  app.use(ctx => {
    if (ctx.path === '/sign-in') ctx.session.user = 'ada'
    ctx.body = String(ctx.session.user)
  })
  const visitor = await visit(t, app)
  await visitor.get('/sign-in')
  assert.equal((await visitor.get()).text, 'ada')
})

test('a save() while the final commit is under way is saved after it', async t => {
  const slow = new Gate()
  let later: Promise<void> | undefined
  const { visitor, courses } = await begin(t, ctx => {
    ctx.session.n = 1
    courses.set = [
      async ask => {
        setImmediate(() => {
          ctx.session.n = 2
          later = ctx.session.save()
          slow.open()
        })
        await slow.pass()
        return ask()
      },
    ]
  })
  await visitor.get('/')
  await later
  assert.deepEqual(await whoami(visitor), { user: 'ada', n: 2 })
})

test('a regenerate() while the final commit is under way leaves the client an id that is good', async t => {
  const slow = new Gate()
  const { visitor, courses, records } = await begin(t, ctx => {
    ctx.session.n = 1
    courses.set = [
      async ask => {
        setImmediate(() => {
          ctx.session.regenerate()
          slow.open()
        })
        await slow.pass()
        return ask()
      },
    ]
  })
  await visitor.get('/')
  assert.deepEqual(await whoami(visitor), { user: 'ada', n: 1 })
  assert.equal(records.size, 1)
})

test('a sign-out after a save() that nobody waited for and that fails is a sign-out', async t => {
  const { visitor, courses, records, errors } = await begin(t, ctx => {
    courses.set = () => Promise.reject(new Error('down'))
    ctx.session.save()
    ctx.session = null
  })
  const answer = await visitor.get('/')
  assert.deepEqual(
    [answer.status, errors.map(error => error.message)],
    [500, ['the session store failed in set(): down']],
  )
  assert.deepEqual([records.size, visitor.jar.size], [0, 0])
})

test('a session that could not be read is destroyed when another takes its place', async t => {
  const { visitor, courses, records } = await begin(t, ctx => {
    ctx.session = null
    ctx.session = { user: 'eve' }
  })
  courses.get = [() => Promise.reject(new Error('down'))]
  assert.equal((await visitor.get('/')).status, 200)
  assert.deepEqual(await whoami(visitor), { user: 'eve' })
  assert.deepEqual([...records.keys()], [visitor.jar.get('koa.sess')])
})
