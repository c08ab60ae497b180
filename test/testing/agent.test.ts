import assert from 'node:assert/strict'
import { createServer, type RequestListener } from 'node:http'
import test from 'node:test'
import session from 'koa-session'
import { memoryStore } from 'koa-session/memory'
import { type Agent, createAgent, manualClock } from 'koa-session/testing'
import { listen } from '../support/agent.ts'
import { createApp } from '../support/koa.ts'

const HOUR = 3_600_000

/** Answers with what came, and sets the cookies of the query. */
const echo: RequestListener = async (req, res) => {
  const { searchParams, pathname } = new URL(req.url ?? '', 'http://localhost')
  let body = ''
  for await (const chunk of req) body += chunk
  res.setHeader('Set-Cookie', searchParams.getAll('set'))
  if (pathname === '/away') res.writeHead(302, { location: '/elsewhere' })
  const { cookie, 'content-type': type, 'x-mark': mark } = req.headers
  res.end(JSON.stringify({ method: req.method, pathname, cookie, type, mark, body }))
}

async function echoed(answer: ReturnType<Agent['get']>): Promise<Record<string, unknown>> {
  return JSON.parse((await answer).text)
}

const setting = (...lines: string[]) => `/?${new URLSearchParams(lines.map(line => ['set', line] as [string, string]))}`

test('it keeps the cookies that are set, and sends them', async t => {
  const agent = await createAgent(echo)
  t.after(agent.close)
  assert.equal((await echoed(agent.get('/'))).cookie, undefined)
  const { setCookie } = await agent.get(setting('a=1; Path=/x; Secure; HttpOnly', 'b="2=3"; Max-Age=60'))
  assert.deepEqual(setCookie, ['a=1; Path=/x; Secure; HttpOnly', 'b="2=3"; Max-Age=60'])
  assert.equal((await echoed(agent.get('/'))).cookie, 'a=1; b="2=3"')
  await agent.get(setting('a=; path=/'))
  assert.deepEqual(
    [...agent.cookies],
    [
      ['a', ''],
      ['b', '"2=3"'],
    ],
  )
})

test('it drops a cookie that the application lets expire', async t => {
  const past = new Date(0).toUTCString()
  const future = new Date(Date.now() + HOUR).toUTCString()
  const rows: ReadonlyArray<readonly [attributes: string, isKept: boolean]> = [
    [`expires=${past}`, false],
    [`Expires=${past}; Path=/`, false],
    [`expires=${future}`, true],
    ['expires=never', true],
    ['max-age=0', false],
    ['Max-Age=-1', false],
    ['Max-Age=1', true],
    [`Max-Age=60; Expires=${past}`, true],
    [`Max-Age=0; Expires=${future}`, false],
    ['Path=/; HttpOnly', true],
  ]
  const agent = await createAgent(echo)
  t.after(agent.close)
  for (const [attributes, isKept] of rows) {
    agent.cookies.set('a', 'old')
    await agent.get(setting(`a=new; ${attributes}`))
    assert.equal(agent.cookies.get('a'), isKept ? 'new' : undefined, attributes)
  }
})

test('its cookies can be read, set, deleted and copied', async t => {
  const agent = await createAgent(echo)
  t.after(agent.close)
  agent.cookies.set('a', '1').set('b', '2')
  assert.equal((await echoed(agent.get('/'))).cookie, 'a=1; b=2')
  agent.cookies.delete('a')
  const stranger = agent.stranger()
  assert.equal((await echoed(stranger.get('/'))).cookie, undefined)
  for (const [name, value] of agent.cookies) stranger.cookies.set(name, value)
  assert.equal((await echoed(stranger.get('/'))).cookie, 'b=2')
})

test('it sends bodies and headers, and does not follow redirects', async t => {
  const agent = await createAgent(echo)
  t.after(agent.close)
  const post = (body?: unknown) => echoed(agent.post('/in', body, { headers: { 'x-mark': 'm' } }))
  const common = { method: 'POST', pathname: '/in', mark: 'm' }
  assert.deepEqual(await post(), { ...common, body: '' })
  assert.deepEqual(await post({ user: 'ada' }), { ...common, type: 'application/json', body: '{"user":"ada"}' })
  assert.deepEqual(await post('plain'), { ...common, type: 'text/plain;charset=UTF-8', body: 'plain' })
  const type = 'application/x-www-form-urlencoded;charset=UTF-8'
  assert.deepEqual(await post(new URLSearchParams({ user: 'ada' })), { ...common, type, body: 'user=ada' })
  assert.equal((await echoed(agent.get('/', { headers: { cookie: 'own=1' } }))).cookie, 'own=1')
  const away = await agent.send('PUT', '/away', 1)
  assert.deepEqual([away.status, away.headers.get('location')], [302, '/elsewhere'])
})

test('it stops the server that was made for it, though connections are kept alive', async () => {
  const agent = await createAgent(echo)
  await agent.get('/')
  await agent.close()
  await assert.rejects(agent.get('/'))
})

test('it visits a server that runs already, and leaves it running', async t => {
  const server = createServer(echo)
  const address = `${await listen(t, server)}/ignored`
  for (const url of [address, new URL(address)]) {
    const agent = await createAgent(url)
    await agent.get(setting('a=1'))
    await agent.close()
    assert.deepEqual(await echoed(agent.get('/path')), { method: 'GET', pathname: '/path', cookie: 'a=1', body: '' })
  }
})

test('with a manual clock it tells the story of a session that expires', async t => {
  const clock = manualClock()
  const app = createApp()
  app.use(session({ store: memoryStore({ now: clock.now }), now: clock.now, maxAge: HOUR }, app))
  app.use(ctx => {
    if (ctx.method === 'POST') ctx.session.user = 'ada'
    ctx.body = ctx.session.user ?? 'nobody'
  })
  const agent = await createAgent(app.callback())
  t.after(agent.close)
  assert.equal((await agent.get('/')).text, 'nobody')
  await agent.post('/')
  clock.advance(HOUR - 1)
  assert.equal((await agent.get('/')).text, 'ada')
  assert.equal((await agent.stranger().get('/')).text, 'nobody')
  clock.advance(2)
  assert.equal((await agent.get('/')).text, 'nobody')
})

test('a manual clock stands still until it is told to go on', () => {
  const { now, advance } = manualClock(5)
  assert.equal(now(), 5)
  advance(10)
  assert.equal(now(), 15)
  assert.equal(now(), 15)
  assert.equal(manualClock().now(), Date.UTC(2023, 10, 14, 22, 13, 20))
})
