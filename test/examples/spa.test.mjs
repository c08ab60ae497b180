/** Stories of the API of a single-page app, told without a browser: what its headers allow, and what it refuses. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { memoryStore } from 'koa-session/memory'
import { createAgent } from 'koa-session/testing'
import { createApi } from '../../examples/spa/api.mjs'
import { newSecret } from '../support/secrets.ts'
import { startExample } from './process.ts'

const APP = 'https://app.shop.example'
const FROM_THE_APP = { origin: APP, 'sec-fetch-site': 'same-site' }

async function open(t, { secure = false, store = memoryStore() } = {}) {
  const api = createApi({ origin: APP, store, keys: [newSecret()], secure })
  api.silent = true
  const agent = await createAgent(api.callback())
  t.after(() => agent.close())
  return { agent, store }
}

const post = (agent, path, body, headers = FROM_THE_APP) => agent.post(path, body, { headers })
const me = async (agent, headers = FROM_THE_APP) => {
  const { status, text } = await agent.get('/me', { headers })
  return [status, JSON.parse(text)]
}
const NOBODY = [401, { error: 'Sign in first' }]

/** What is allowed, and to whom: the headers of CORS, and whether a cache knows that they depend on the origin. */
function corsOf({ headers }) {
  const names = [...headers.keys()].filter(name => name.startsWith('access-control-')).sort()
  const varies = headers.get('vary').toLowerCase().split(/, */).includes('origin')
  return { varies, allows: Object.fromEntries(names.map(name => [name.slice(15), headers.get(name)])) }
}

const ALLOWED = { varies: true, allows: { 'allow-credentials': 'true', 'allow-origin': APP } }
const NOT_ALLOWED = { varies: true, allows: {} }

test('somebody signs in, counts and signs out, and whoever is nobody is told in JSON', async t => {
  const { agent } = await open(t)
  assert.deepEqual(await me(agent), NOBODY)
  assert.equal(agent.cookies.size, 0)
  const { status, setCookie } = await post(agent, '/sign-in', { name: 'ada' })
  assert.equal(status, 200)
  for (const line of setCookie) assert.match(line, /^session(?=.*; samesite=lax)(?=.*; httponly)(?!.*; domain)/)
  await post(agent, '/count')
  assert.deepEqual(await me(agent), [200, { user: 'ada', count: 1 }])
  assert.equal((await post(agent, '/sign-out')).status, 204)
  assert.deepEqual(await me(agent), NOBODY)
  const answer = await post(agent, '/count')
  assert.deepEqual([answer.status, answer.headers.get('content-type')], [401, 'application/json; charset=utf-8'])
})

test('every answer, an error too, allows the origin of the app and no other, and says so to caches', async t => {
  const { agent, store } = await open(t)
  await post(agent, '/sign-in', { name: 'ada' })
  const read = store.read.bind(store)
  const paths = { '/me': 200, '/nothing': 404, '/me?down': 500 }
  for (const [path, status] of Object.entries(paths)) {
    store.read = path.endsWith('down') ? () => Promise.reject(new Error('the password of the database')) : read
    for (const [origin, expected] of [
      [APP, ALLOWED],
      ['https://app.shop.example.evil.example', NOT_ALLOWED],
      ['https://other.shop.example', NOT_ALLOWED],
      ['null', NOT_ALLOWED],
      [undefined, NOT_ALLOWED],
    ]) {
      const answer = await agent.get(path, { headers: origin === undefined ? {} : { origin } })
      assert.deepEqual([answer.status, corsOf(answer)], [status, expected], `${path} for ${origin}`)
      assert.equal(answer.headers.get('cache-control'), 'no-store')
      assert.doesNotMatch(answer.text, /password/)
    }
  }
  store.read = read
  assert.deepEqual(corsOf(await agent.stranger().get('/me', { headers: FROM_THE_APP })), ALLOWED)
})

test('a browser that asks before it sends JSON is told what the app may send, and other pages nothing', async t => {
  const { agent } = await open(t)
  const ask = origin =>
    agent.send('OPTIONS', '/sign-in', undefined, {
      headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type' },
    })
  const answer = await ask(APP)
  const asked = { 'allow-headers': 'Content-Type', 'allow-methods': 'GET, POST', 'max-age': '600' }
  assert.deepEqual([answer.status, corsOf(answer)], [204, { varies: true, allows: { ...ALLOWED.allows, ...asked } }])
  assert.deepEqual(corsOf(await ask('https://evil.example')), NOT_ALLOWED)
})

test('what the app has not sent changes nothing, from another subdomain either', async t => {
  const { agent } = await open(t)
  await post(agent, '/sign-in', { name: 'ada' })
  const others = [
    { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' },
    { origin: 'https://other.shop.example', 'sec-fetch-site': 'same-site' },
    { origin: 'null', 'sec-fetch-site': 'cross-site' },
    { origin: APP.replace('https', 'http') },
    { 'sec-fetch-site': 'same-site' },
    {},
  ]
  for (const headers of others) {
    for (const path of ['/count', '/sign-out', '/sign-in']) {
      const { status } = await post(agent, path, { name: 'mallory' }, headers)
      assert.deepEqual([status, path], [403, path], JSON.stringify(headers))
    }
  }
  assert.equal((await agent.get('/me', { headers: { 'sec-fetch-site': 'cross-site' } })).status, 403)
  assert.deepEqual(await me(agent), [200, { user: 'ada', count: 0 }])
})

test('a body that is no JSON, has no name or is too long is refused', async t => {
  const { agent } = await open(t)
  const bodies = [
    ['name=ada', 'application/x-www-form-urlencoded', 415],
    ['{"name":"ada"}', 'text/plain', 415],
    ['{"name":', 'application/json', 400],
    ['null', 'application/json', 400],
    ['{"name":{}}', 'application/json', 400],
    [JSON.stringify({ name: 'a'.repeat(51) }), 'application/json', 400],
    [JSON.stringify({ name: 'a'.repeat(2000) }), 'application/json', 413],
  ]
  for (const [body, type, expected] of bodies) {
    const { status } = await post(agent, '/sign-in', body, { ...FROM_THE_APP, 'content-type': type })
    assert.deepEqual([status, body], [expected, body])
  }
  assert.deepEqual([await me(agent), agent.cookies.size], [NOBODY, 0])
})

test('behind TLS the cookie is a __Host- cookie', async t => {
  const { agent } = await open(t, { secure: true })
  const headers = { ...FROM_THE_APP, 'x-forwarded-proto': 'https' }
  const { setCookie } = await post(agent, '/sign-in', { name: 'ada' }, headers)
  assert.match(setCookie[0], /^__Host-session=(?=.*; secure)(?=.*; samesite=lax)(?=.*; path=\/;)(?!.*; domain)/)
})

test('it starts as the readme says, and each of the two knows the other', async t => {
  const { url, stdout } = await startExample(t, [], { API_PORT: '0' }, 'spa')
  const [, api] = /The API: (http:\S+)/.exec(stdout)
  const here = address => address.replace(/\/\/\w+\.shop\.localhost/, '//localhost')
  const app = await (await createAgent(here(url))).get('/')
  assert.match(app.headers.get('content-security-policy'), new RegExp(`; script-src 'self'; connect-src ${api}$`))
  assert.match(app.text, new RegExp(`data-api="${api}"`))
  const agent = await createAgent(here(api))
  const headers = { origin: url }
  assert.equal(
    (await post(agent, '/sign-in', { name: 'ada' }, headers)).headers.get('access-control-allow-origin'),
    url,
  )
  assert.deepEqual(await me(agent, headers), [200, { user: 'ada', count: 0 }])
})
