import assert from 'node:assert/strict'
import { createServer, request as httpRequest, type IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import test, { type TestContext as Test } from 'node:test'
import type { CreateSessionOptions, SessionMiddleware } from 'koa-session'
import { memoryStore } from 'koa-session/memory'
import { manualClock } from 'koa-session/testing'
import { listen, type Visitor, visitOrigin } from '../support/agent.ts'
import type { TestContext } from '../support/koa.ts'
import { appOf, SECRETS } from '../support/story.ts'

type OnUpgrade = (sessions: SessionMiddleware, ctx: TestContext) => unknown
type Connect = (visitor: Visitor) => Promise<string>

const MODES: Record<string, () => CreateSessionOptions> = {
  'in the cookie': () => ({}),
  'in a store': () => ({ store: memoryStore() }),
}

const WHOAMI: OnUpgrade = async (sessions, ctx) => {
  const session = await sessions.load(ctx)
  return `${session.user ?? 'nobody'} ${session.isNew}`
}

/** Serves requests, and upgrades by `onUpgrade`, whose answer (or the code or message of its error) `connect` gives. */
async function serve(t: Test, options: CreateSessionOptions, onUpgrade: OnUpgrade, hasResponse = true) {
  const made = appOf(options, {
    '/': ctx => ctx.session.user,
    '/load': async ctx => (await made.sessions.load(ctx)) === ctx.session,
    '/sign-in': ctx => {
      ctx.session.user = 'tobi'
    },
  })
  const { app, sessions, events } = made
  const server = createServer(app.callback())
  server.on('upgrade', async (req: IncomingMessage, socket: Duplex) => {
    const ctx = hasResponse ? app.createContext(req, new ServerResponse(req)) : app.createContext(req)
    const text = await attempt(() => onUpgrade(sessions, ctx))
    const head = ['HTTP/1.1 101 Switching Protocols', 'Connection: Upgrade', 'Upgrade: test']
    socket.end([...head, `X-Text: ${text}`, '', ''].join('\r\n'))
  })
  const origin = await listen(t, server)
  const connect: Connect = visitor => upgrade(origin, visitor)
  const told = () => [...made.codes(), ...events.map(([name]) => name)]
  return { app, connect, told, visitor: visitOrigin(t, origin) }
}

async function attempt(work: () => unknown): Promise<unknown> {
  try {
    return await work()
  } catch (error) {
    return Reflect.get(Object(error), 'code') ?? Reflect.get(Object(error), 'message')
  }
}

function upgrade(origin: string, { jar }: Visitor): Promise<string> {
  const cookie = [...jar].map(pair => pair.join('=')).join('; ')
  const headers = { connection: 'Upgrade', upgrade: 'test', ...(cookie && { cookie }) }
  return new Promise((resolve, reject) => {
    const upgrading = httpRequest(origin, { headers })
    upgrading.on('upgrade', (response, socket) => {
      socket.destroy()
      resolve(String(response.headers['x-text']))
    })
    upgrading.on('error', reject)
    upgrading.end()
  })
}

for (const [mode, options] of Object.entries(MODES)) {
  test(`an upgrade reads the session of its visitor (${mode})`, async t => {
    const { visitor, connect } = await serve(t, options(), WHOAMI)
    assert.equal(await connect(visitor), 'nobody true')
    await visitor.get('/sign-in')
    assert.equal(await connect(visitor), 'tobi false')
    assert.equal(await connect(visitor.stranger()), 'nobody true')
    await visitor.get('/out')
    assert.equal(await connect(visitor), 'nobody true')
  })

  test(`a forged signature gives an upgrade a new session (${mode})`, async t => {
    const { visitor, connect } = await serve(t, options(), WHOAMI)
    await visitor.get('/sign-in')
    for (const forged of ['', 'x', 'x'.repeat(27), visitor.jar.get('koa.sess') ?? '']) {
      const thief = visitor.copy()
      thief.jar.set('koa.sess.sig', forged)
      assert.equal(await connect(thief), 'nobody true', `with the signature ${forged}`)
    }
    const unsigned = visitor.copy()
    unsigned.jar.delete('koa.sess.sig')
    assert.equal(await connect(unsigned), 'nobody true')
  })

  test(`a context without a response reads the session too (${mode})`, async t => {
    const { told, visitor, connect } = await serve(t, options(), WHOAMI, false)
    assert.equal(await connect(visitor), 'nobody true')
    await visitor.get('/sign-in')
    assert.equal(await connect(visitor), 'tobi false')
    assert.deepEqual(told(), [])
  })

  test(`a context without a response reads what has to be signed anew or not at all (${mode})`, async t => {
    const { app, visitor, connect } = await serve(t, options(), WHOAMI, false)
    await visitor.get('/sign-in')
    app.keys = ['newer still', ...SECRETS]
    assert.equal(await connect(visitor), 'tobi false')
    visitor.jar.set('koa.sess.sig', 'forged')
    assert.equal(await connect(visitor), 'nobody true')
  })

  test(`an upgrade is refused a session that has expired (${mode})`, async t => {
    const clock = manualClock(Date.now())
    const { told, visitor, connect } = await serve(t, { ...options(), now: clock.now, maxAge: 1000 }, WHOAMI)
    await visitor.get('/sign-in')
    clock.advance(1001)
    assert.equal(await connect(visitor), 'nobody true')
    assert.deepEqual(told(), ['session:expired', 'session:refused'])
  })

  test(`loading twice gives one session, and what is not saved is forgotten (${mode})`, async t => {
    const { visitor, connect } = await serve(t, options(), async (sessions, ctx) => {
      const [first, second] = await Promise.all([sessions.load(ctx), sessions.load(ctx)])
      first.user = 'loki'
      return `${first === second} ${second === ctx.session} ${ctx.session.user}`
    })
    await visitor.get('/sign-in')
    assert.equal(await connect(visitor), 'true true loki')
    assert.equal((await visitor.get('/')).text, 'tobi')
  })

  test(`load inside of a request gives the session of that request (${mode})`, async t => {
    const { visitor } = await serve(t, options(), WHOAMI)
    assert.equal((await visitor.get('/load')).text, 'true')
    await visitor.get('/sign-in')
    assert.equal((await visitor.get('/load')).text, 'true')
    assert.equal((await visitor.get('/')).text, 'tobi')
  })
}

test('a session in the cookie is there without load', async t => {
  for (const hasResponse of [true, false]) {
    const { visitor, connect } = await serve(t, {}, (_sessions, ctx) => ctx.session.user, hasResponse)
    await visitor.get('/sign-in')
    assert.equal(await connect(visitor), 'tobi')
    visitor.jar.set('koa.sess.sig', 'forged')
    assert.equal(await connect(visitor), 'undefined')
  }
})

for (const hasResponse of [true, false]) {
  test(`what save() saves in a store is there for the next request (response: ${hasResponse})`, async t => {
    const onUpgrade: OnUpgrade = async (sessions, ctx) => {
      const session = await sessions.load(ctx)
      session.user += '!'
      await session.save()
      return session.user
    }
    const { visitor, connect } = await serve(t, { store: memoryStore() }, onUpgrade, hasResponse)
    await visitor.get('/sign-in')
    assert.equal(await connect(visitor), 'tobi!')
    assert.equal(await connect(visitor), 'tobi!!')
    assert.equal((await visitor.get('/')).text, 'tobi!!')
  })
}

test('a new session that could not reach its visitor is not saved', async t => {
  const store = memoryStore()
  const onUpgrade: OnUpgrade = async (sessions, ctx) => (await sessions.load(ctx)).save()
  const { visitor, connect } = await serve(t, { store }, onUpgrade, false)
  assert.equal(await connect(visitor), 'ERR_SESSION_HEADERS_SENT')
  assert.equal(store.size, 0)
})

for (const hasResponse of [true, false]) {
  test(`saving in a cookie outside of a request raises an event and no error (response: ${hasResponse})`, async t => {
    const onUpgrade: OnUpgrade = async (sessions, ctx) => (await sessions.load(ctx)).save()
    const { told, visitor, connect } = await serve(t, {}, onUpgrade, hasResponse)
    assert.equal(await connect(visitor), 'undefined')
    await new Promise(resolve => setImmediate(resolve))
    assert.deepEqual(told(), ['session:late'])
  })
}

test('load rejects with the error of a store that is down, and ctx.session throws it', async t => {
  const memory = memoryStore()
  let isDown = false
  const store = { ...memory, get: (id: string) => (isDown ? Promise.reject(new Error('down')) : memory.get(id)) }
  const onUpgrade: OnUpgrade = async (sessions, ctx) => {
    const load = () => attempt(async () => (await sessions.load(ctx)).user)
    return [await load(), await attempt(() => ctx.session.user), await load()]
  }
  const { visitor, connect } = await serve(t, { store }, onUpgrade)
  await visitor.get('/sign-in')
  assert.equal(await connect(visitor), 'tobi,tobi,tobi')
  isDown = true
  const down = 'ERR_SESSION_STORE'
  assert.equal(await connect(visitor), [down, down, down].join())
})

test('load on one context has nothing to do with another one of the same request', async t => {
  const { app, visitor, connect } = await serve(t, { store: memoryStore() }, async (sessions, ctx) => {
    const session = await sessions.load(ctx)
    session.user = 'loki'
    return (await sessions.load(app.createContext(ctx.req, ctx.res))).user
  })
  await visitor.get('/sign-in')
  assert.equal(await connect(visitor), 'tobi')
})
