/** The example with Passport, without a browser. It runs on what is built. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { type Agent, createAgent } from 'koa-session/testing'
import { startExample } from './process.ts'

const OURS = { headers: { 'sec-fetch-site': 'same-origin' } }
const FOREIGN: readonly Record<string, string>[] = [
  { 'sec-fetch-site': 'cross-site' },
  { origin: 'https://evil.example' },
  {},
]
const form = (password: string, username = 'ada') => new URLSearchParams({ username, password })
const signIn = (agent: Agent, password = 'analytical engine') => agent.post('/sign-in', form(password), OURS)
const userOf = async (agent: Agent) => /id="user">([^<]*)</.exec((await agent.get('/')).text)?.[1]

test('who has the password is signed in until the sign-out, and nobody else is', async t => {
  const { url } = await startExample(t, [], {}, 'passport')
  const visitor = await createAgent(url)
  const wrong = [form('wrong'), form('analytical engine', 'bob'), form(''), new URLSearchParams()]
  for (const body of wrong) {
    const { status, setCookie } = await visitor.post('/sign-in', body, OURS)
    assert.deepEqual([status, setCookie], [401, []], body.toString())
  }
  assert.equal((await visitor.post('/sign-in', form('a'.repeat(1000)), OURS)).status, 413)
  assert.equal(await userOf(visitor), undefined)

  const { status, headers } = await signIn(visitor)
  assert.deepEqual([status, headers.get('location')], [303, '/'])
  assert.equal(await userOf(visitor), 'ada')
  const copy = visitor.stranger()
  for (const [name, value] of visitor.cookies) copy.cookies.set(name, value)
  await visitor.post('/sign-out', undefined, OURS)
  assert.deepEqual([visitor.cookies.size, await userOf(visitor), await userOf(copy)], [0, undefined, undefined])
})

test('forms of other sites are refused', async t => {
  const { url } = await startExample(t, [], {}, 'passport')
  const visitor = await createAgent(url)
  await signIn(visitor)
  const body = form('analytical engine')
  for (const path of ['/sign-in', '/sign-out']) {
    for (const headers of FOREIGN) {
      assert.equal((await visitor.post(path, body, { headers })).status, 403)
    }
  }
  assert.equal(await userOf(visitor), 'ada')
  assert.equal((await visitor.post('/sign-out', undefined, { headers: { origin: url } })).status, 303)
  assert.equal(await userOf(visitor), undefined)
})
