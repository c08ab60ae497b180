/** Stories of the chat: whose socket is accepted, under which name it talks, and when it is closed. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import test from 'node:test'
import { memoryStore } from 'koa-session/memory'
import { createAgent, manualClock } from 'koa-session/testing'
import { WebSocket } from 'ws'
import { createApp, sessionOptions } from '../../examples/chat/app.mjs'
import { createChat } from '../../examples/chat/chat.mjs'
import { newSecret } from '../support/secrets.ts'
import { startExample } from './process.ts'

const DAY = 24 * 60 * 60_000
const SIGNED_OUT = 4001
const LATER = 1013

const send = (agent, path, form = {}) =>
  agent.post(path, new URLSearchParams(form), { headers: { 'sec-fetch-site': 'same-origin' } })

/** A socket with the cookies of `agent`, as its page opens it; or the status with which it was refused. */
async function connect(agent, { origin = agent.origin, path = '/chat' } = {}) {
  const cookie = [...agent.cookies].map(pair => pair.join('=')).join('; ')
  const headers = { ...(cookie && { cookie }), ...(origin && { origin }) }
  const socket = new WebSocket(agent.origin.replace('http', 'ws') + path, { headers })
  return new Promise((resolve, reject) => {
    socket.once('open', () => resolve(socket))
    socket.once('error', reject)
    socket.once('unexpected-response', (request, { statusCode }) => {
      request.destroy()
      resolve(statusCode)
    })
  })
}

/** The next messages that a socket gets. */
async function heard(socket, count) {
  const messages = []
  while (messages.length < count) messages.push(String((await once(socket, 'message'))[0]))
  return messages.map(message => JSON.parse(message))
}

const closedWith = async socket => (await once(socket, 'close'))[0]

async function open(t) {
  const clock = manualClock()
  const { now } = clock
  const store = memoryStore({ now, onEnded: ({ subjectHash }) => chat.check(subjectHash) })
  const keys = [newSecret()]
  const app = createApp({ store, keys, now })
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const agent = await createAgent(`http://127.0.0.1:${server.address().port}`)
  const chat = createChat({ options: { ...sessionOptions({ store, now }), keys }, origin: agent.origin })
  server.on('upgrade', chat.upgrade)
  app.on('session:ended', ({ subjectHash }) => chat.check(subjectHash))
  t.after(() => {
    chat.close()
    server.close()
    server.closeAllConnections()
  })
  return {
    chat,
    clock,
    store,
    stranger: () => agent.stranger(),
    async signedIn(name) {
      const browser = agent.stranger()
      assert.equal((await send(browser, '/sign-in', { name })).status, 303)
      return browser
    },
  }
}

test('a socket needs a session of somebody who is signed in, and a page of this origin', async t => {
  const { signedIn, stranger } = await open(t)
  const ada = await signedIn('ada')
  const forger = stranger()
  for (const [name, value] of ada.cookies) forger.cookies.set(name, value.replace(/^./, '!'))
  const refused = [
    [401, stranger(), {}],
    [401, forger, {}],
    [403, ada, { origin: 'https://other.example' }],
    [403, ada, { origin: 'null' }],
    [403, ada, { origin: '' }],
    [403, stranger(), { origin: 'https://other.example' }],
    [404, ada, { path: '/other' }],
  ]
  for (const [status, agent, how] of refused) assert.equal(await connect(agent, how), status, JSON.stringify(how))
  assert.equal((await connect(ada)).readyState, WebSocket.OPEN)
})

test('two visitors talk, under the names of their sessions', async t => {
  const { signedIn } = await open(t)
  const [ada, grace] = [await connect(await signedIn('ada')), await connect(await signedIn('grace'))]
  const all = Promise.all([heard(ada, 2), heard(grace, 2)])
  ada.send('hello')
  await once(grace, 'message')
  grace.send('{"user":"ada","text":"it was me"}')
  const said = [
    { user: 'ada', text: 'hello' },
    { user: 'grace', text: '{"user":"ada","text":"it was me"}' },
  ]
  assert.deepEqual(await all, [said, said])
})

test('signing out closes the sockets of this browser, and of no other', async t => {
  const { signedIn } = await open(t)
  const [desktop, phone, grace] = [await signedIn('ada'), await signedIn('ada'), await signedIn('grace')]
  const [tab, other, ofPhone, ofGrace] = await Promise.all(
    [desktop, desktop, phone, grace].map(agent => connect(agent)),
  )
  const closed = Promise.all([tab, other].map(closedWith))
  await send(desktop, '/sign-out')
  assert.deepEqual(await closed, [SIGNED_OUT, SIGNED_OUT])
  const talk = heard(ofPhone, 1)
  ofGrace.send('still here')
  assert.deepEqual(await talk, [{ user: 'grace', text: 'still here' }])
})

test('signing out everywhere closes the sockets of all browsers of the user', async t => {
  const { signedIn } = await open(t)
  const [desktop, phone, grace] = [await signedIn('ada'), await signedIn('ada'), await signedIn('grace')]
  const [ofDesktop, ofPhone, ofGrace] = await Promise.all([desktop, phone, grace].map(agent => connect(agent)))
  const closed = Promise.all([ofDesktop, ofPhone].map(closedWith))
  await send(phone, '/sign-out-everywhere')
  assert.deepEqual(await closed, [SIGNED_OUT, SIGNED_OUT])
  assert.equal(ofGrace.readyState, WebSocket.OPEN)
  assert.equal(await connect(desktop), 401)
})

test('a session that ends while its socket is opened closes it', async t => {
  const { signedIn, store } = await open(t)
  const ada = await signedIn('ada')
  const { read } = store
  store.read = async (...asked) => {
    store.read = read
    const found = await read(...asked)
    await store.destroyAll('ada')
    return found
  }
  assert.equal(await closedWith(await connect(ada)), SIGNED_OUT)
})

test('what nobody tells, such as the end of a lifetime, is found when the sockets are checked', async t => {
  const { signedIn, chat, clock } = await open(t)
  const socket = await connect(await signedIn('ada'))
  clock.advance(DAY - 1)
  await chat.check()
  assert.equal(socket.readyState, WebSocket.OPEN)
  clock.advance(2)
  const closed = closedWith(socket)
  await chat.check()
  assert.equal(await closed, SIGNED_OUT)
})

test('while the store is down no socket is opened, and those that are checked close until later', async t => {
  const { signedIn, chat, store } = await open(t)
  const ada = await signedIn('ada')
  const socket = await connect(ada)
  const { read } = store
  store.read = () => Promise.reject(new Error('down'))
  assert.equal(await connect(ada), 503)
  const closed = closedWith(socket)
  await chat.check()
  assert.equal(await closed, LATER)
  store.read = read
  assert.equal((await connect(ada)).readyState, WebSocket.OPEN)
})

test('a message that is too long closes the socket of its sender alone', async t => {
  const { signedIn } = await open(t)
  const [ada, grace] = [await connect(await signedIn('ada')), await connect(await signedIn('grace'))]
  const closed = closedWith(ada)
  ada.send('x'.repeat(2001))
  assert.equal(await closed, 1009)
  assert.equal(grace.readyState, WebSocket.OPEN)
})

test('only the page of the chat runs a script, and it shows a name as text', async t => {
  const { signedIn, stranger } = await open(t)
  const policyOf = ({ headers }) => headers.get('content-security-policy')
  const page = await (await signedIn('<i>Zoë</i>')).get('/')
  assert.match(policyOf(page), /^default-src 'none';.*; script-src 'self'; connect-src 'self'$/)
  assert.match(page.text, /&#60;i&#62;Zoë/)
  assert.doesNotMatch(policyOf(await stranger().get('/')), /script-src/)
})

test('it starts as the readme says', async t => {
  const { url } = await startExample(t, [], {}, 'chat')
  const ada = await createAgent(url)
  await send(ada, '/sign-in', { name: 'ada' })
  const socket = await connect(ada)
  const closed = closedWith(socket)
  await send(ada, '/sign-out')
  assert.equal(await closed, SIGNED_OUT)
})
