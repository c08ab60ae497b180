/** The example without a server of its own, told to Node. `npm run test:runtimes` tells the same to workerd. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { createAgent, manualClock } from 'koa-session/testing'
import { createApp } from '../../examples/serverless/app.mjs'
import { tellServerless } from '../runtimes/serverless.mjs'
import { newSecret } from '../support/secrets.ts'

const HOUR = 60 * 60_000

async function open(t, now) {
  const app = createApp({ keys: [newSecret()], now })
  app.silent = true
  const agent = await createAgent(app.callback())
  t.after(() => agent.close())
  return agent
}

test('it signs in, counts and signs out, in a sealed cookie', async t => {
  const { origin } = await open(t)
  await tellServerless((address, { headers, ...init }) => {
    const { protocol, pathname } = new URL(address)
    // As the Worker does: what the client has sent is replaced.
    return fetch(origin + pathname, { ...init, headers: { ...headers, 'x-forwarded-proto': protocol.slice(0, -1) } })
  })
})

test('a sign-in lasts an hour without a request, and a day with them', async t => {
  const { now, advance } = manualClock()
  const ada = await open(t, now)
  const headers = { 'x-forwarded-proto': 'https', 'sec-fetch-site': 'same-origin' }
  const isSignedIn = async () => (await ada.get('/', { headers })).text.includes('Signed in')
  const signIn = () => ada.post('/sign-in', new URLSearchParams({ name: 'ada' }), { headers })
  await signIn()
  advance(HOUR + 1)
  assert.equal(await isSignedIn(), false)
  await signIn()
  for (let passed = 0; passed < 24; passed += 0.75) {
    assert.equal(await isSignedIn(), true, `after ${passed} hours`)
    advance(0.75 * HOUR)
  }
  advance(1)
  assert.equal(await isSignedIn(), false)
})
