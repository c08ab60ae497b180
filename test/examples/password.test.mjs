/** Stories of the sign-in with a password, told without a browser. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { memoryStore } from 'koa-session/memory'
import { createAgent, manualClock } from 'koa-session/testing'
import { createApp } from '../../examples/password/app.mjs'
import { hashPassword, isPassword } from '../../examples/password/passwords.mjs'
import { createUsers } from '../../examples/password/users.mjs'
import { newSecret } from '../support/secrets.ts'
import { Gate } from '../support/stores.ts'
import { startExample } from './process.ts'

const MINUTE = 60_000
const QUICK = { N: 16, r: 1, p: 1 }
const FROM_ITS_OWN_PAGE = { 'sec-fetch-site': 'same-origin' }
const LINUX = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'
const IPHONE = 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Version/18.5 Safari/604.1'

const send = (agent, path, form = {}, headers = {}) =>
  agent.post(path, new URLSearchParams(form), { headers: { ...FROM_ITS_OWN_PAGE, ...headers } })

function copy(from, to) {
  for (const [name, value] of from.cookies) to.cookies.set(name, value)
}

/** `before`: what is waited for before a password is compared, or changed. */
async function open(t, { secure = false, before = {} } = {}) {
  const { now, advance } = manualClock()
  const table = await createUsers(QUICK)
  const passwords = { ada: newSecret(), mallory: newSecret() }
  for (const [name, password] of Object.entries(passwords)) await table.setPassword(name, password)
  const users = {
    ...table,
    async verify(...given) {
      const user = await table.verify(...given)
      await before.verified?.pass()
      return user
    },
    async setPassword(...given) {
      await before.changed?.pass()
      await table.setPassword(...given)
    },
  }
  const store = memoryStore({ now })
  const app = createApp({ users, store, keys: [newSecret()], secure, now })
  const agent = await createAgent(app.callback())
  t.after(() => agent.close())
  const signIn = (browser, name = 'ada', userAgent = LINUX) =>
    send(browser, '/sign-in', { name, password: passwords[name] }, { 'user-agent': userAgent })
  return {
    advance,
    passwords,
    store,
    browser: () => agent.stranger(),
    signIn,
    async signedIn(name, userAgent) {
      const browser = agent.stranger()
      assert.equal((await signIn(browser, name, userAgent)).status, 303)
      return browser
    },
  }
}

const noticeIn = ({ text }) => /role="status">([^<]*)</.exec(text)?.[1]
const userOf = async agent => /id="user">([^<]*)</.exec((await agent.get('/')).text)?.[1] ?? 'nobody'
const usersOf = agents => Promise.all(agents.map(userOf))
const placeOf = ({ status, headers }) => `${status} ${headers.get('location')}`
const handleIn = ({ text }) => /name="handle" value="([\w-]{43})"/.exec(text)?.[1]

test('the right password signs in, and a wrong one or an unknown name gets one answer and no session', async t => {
  const { browser, passwords, signIn, store } = await open(t)
  const answers = []
  for (const form of [
    { name: 'ada', password: passwords.mallory },
    { name: 'nobody', password: passwords.ada },
    { name: 'toString', password: '' },
    { name: 'ada' },
    {},
  ]) {
    const stranger = browser()
    answers.push(await send(stranger, '/sign-in', form))
    assert.deepEqual([await userOf(stranger), stranger.cookies.size], ['nobody', 0])
  }
  for (const answer of answers) {
    assert.deepEqual([answer.status, noticeIn(answer)], [403, 'The name or the password is wrong.'])
    assert.equal(answer.text, answers[0].text)
  }
  assert.equal(store.size, 0)

  const ada = browser()
  assert.equal(placeOf(await signIn(ada)), '303 /')
  assert.equal(await userOf(ada), 'ada')
  assert.equal(placeOf(await send(ada, '/sign-out')), '303 /')
  assert.equal(await userOf(ada), 'nobody')
})

test('who has planted a session in the browser of another has no use for it after the sign-in', async t => {
  const { browser, signedIn, signIn, advance } = await open(t)
  const mallory = await signedIn('mallory')
  const ada = browser()
  copy(mallory, ada)
  assert.equal(await userOf(ada), 'mallory')
  await signIn(ada)
  assert.notEqual(ada.cookies.get('session'), mallory.cookies.get('session'))
  assert.deepEqual(await usersOf([ada, mallory]), ['ada', 'nobody'])
  advance(MINUTE)
  assert.deepEqual(await usersOf([ada, mallory]), ['ada', 'nobody'])

  const victim = browser()
  victim.cookies.set('session', 'made-up-by-mallory')
  await signIn(victim)
  assert.notEqual(victim.cookies.get('session'), 'made-up-by-mallory')
})

test('the password is asked for again five minutes after it was given, and opens for five minutes', async t => {
  const { signedIn, passwords, advance } = await open(t)
  const ada = await signedIn('ada')
  advance(5 * MINUTE)
  assert.equal((await ada.get('/password')).status, 200)
  advance(1)
  for (const answer of [await ada.get('/password'), await send(ada, '/password', { password: newSecret() })]) {
    assert.equal(placeOf(answer), '303 /confirm')
  }

  const wrong = await send(ada, '/confirm', { password: passwords.mallory })
  assert.deepEqual([wrong.status, noticeIn(wrong)], [403, 'That is not your password.'])
  assert.equal(placeOf(await ada.get('/password')), '303 /confirm')
  assert.equal(placeOf(await send(ada, '/confirm', { password: passwords.ada })), '303 /password')
  assert.equal((await ada.get('/password')).status, 200)
  advance(5 * MINUTE + 1)
  assert.equal(placeOf(await ada.get('/password')), '303 /confirm')
  assert.equal(await userOf(ada), 'ada')
})

test('devices are listed with their description, and one is signed out, of nobody else', async t => {
  const { signedIn, advance } = await open(t)
  const desktop = await signedIn('ada', LINUX)
  advance(MINUTE)
  const phone = await signedIn('ada', IPHONE)
  const mallory = await signedIn('mallory')
  const page = await desktop.get('/')
  assert.deepEqual(page.text.match(/\w+ on \w+(?: <mark>)?/g), ['Safari on iPhone', 'Firefox on Linux <mark>'])
  const handle = handleIn(page)
  await send(mallory, '/sign-out-device', { handle })
  assert.equal(noticeIn(await mallory.get('/')), 'That device was not signed in any more.')
  assert.deepEqual(await usersOf([desktop, phone, mallory]), ['ada', 'ada', 'mallory'])
  await send(desktop, '/sign-out-device', { handle })
  assert.equal(noticeIn(await desktop.get('/')), 'That device is signed out.')
  assert.deepEqual(await usersOf([desktop, phone, mallory]), ['ada', 'nobody', 'mallory'])
})

test('signing out everywhere ends the session of the other browser, too, and of no other user', async t => {
  const { signedIn } = await open(t)
  const [desktop, phone, mallory] = [await signedIn('ada'), await signedIn('ada'), await signedIn('mallory')]
  assert.equal(placeOf(await send(desktop, '/sign-out-everywhere')), '303 /')
  assert.deepEqual(await usersOf([desktop, phone, mallory]), ['nobody', 'nobody', 'mallory'])
})

test('a new password ends every other session, and the old one is good for nothing', async t => {
  const { browser, signedIn, signIn, passwords } = await open(t)
  const [desktop, phone, mallory] = [await signedIn('ada'), await signedIn('ada'), await signedIn('mallory')]
  const password = newSecret()
  const short = await send(desktop, '/password', { password: 'a'.repeat(14) })
  assert.deepEqual([short.status, noticeIn(short)], [403, 'That password is too short.'])
  assert.deepEqual(await usersOf([desktop, phone]), ['ada', 'ada'])

  const stolen = browser()
  copy(desktop, stolen)
  assert.equal(placeOf(await send(desktop, '/password', { password })), '303 /')
  const page = await desktop.get('/')
  assert.equal(noticeIn(page), 'Your password is changed, and 1 other device is signed out.')
  assert.deepEqual(await usersOf([desktop, phone, stolen, mallory]), ['ada', 'nobody', 'nobody', 'mallory'])
  assert.equal((await signIn(phone)).status, 403)
  passwords.ada = password
  assert.equal((await signIn(phone)).status, 303)
})

test('a sign-in with the old password that is under way while it is changed ends as nobody', async t => {
  const before = {}
  const { browser, signedIn, signIn } = await open(t, { before })
  const [ada, late] = [await signedIn('ada'), browser()]
  before.verified = new Gate()
  const signingIn = signIn(late)
  await before.verified.arrived
  await send(ada, '/password', { password: newSecret() })
  before.verified.open()
  const { status } = await signingIn
  assert.deepEqual([status, await userOf(late), await userOf(ada)], [403, 'nobody', 'ada'])
})

test('who is signed out everywhere while changing the password ends as nobody, and the password is changed', async t => {
  const before = {}
  const { signedIn, signIn, passwords, browser } = await open(t, { before })
  const [desktop, phone] = [await signedIn('ada'), await signedIn('ada')]
  const password = newSecret()
  before.changed = new Gate()
  const changing = send(desktop, '/password', { password })
  await before.changed.arrived
  await send(phone, '/sign-out-everywhere')
  before.changed.open()
  assert.equal(placeOf(await changing), '303 /')
  assert.deepEqual(await usersOf([desktop, phone]), ['nobody', 'nobody'])
  passwords.ada = password
  assert.equal((await signIn(browser())).status, 303)
})

test('who is not signed in is led to the sign-in, and changes nothing', async t => {
  const { browser, signedIn } = await open(t)
  const ada = await signedIn('ada')
  const handle = handleIn(await (await signedIn('ada')).get('/'))
  const stranger = browser()
  for (const path of ['/confirm', '/password']) assert.equal(placeOf(await stranger.get(path)), '303 /')
  for (const path of ['/confirm', '/password', '/sign-out-device', '/sign-out-everywhere']) {
    assert.equal(placeOf(await send(stranger, path, { handle, password: newSecret() })), '303 /')
  }
  assert.equal(await userOf(ada), 'ada')
  assert.equal((await stranger.get('/nothing')).status, 404)
})

test('forms of other sites are refused', async t => {
  const { signedIn, browser, signIn, passwords } = await open(t)
  const [ada, phone] = [await signedIn('ada'), await signedIn('ada')]
  const fromElsewhere = { 'sec-fetch-site': 'cross-site' }
  for (const path of ['/sign-out', '/sign-out-everywhere', '/password']) {
    const form = { password: newSecret() }
    assert.equal((await send(ada, path, form, fromElsewhere)).status, 403)
  }
  const victim = browser()
  const { mallory: password } = passwords
  assert.equal((await send(victim, '/sign-in', { name: 'mallory', password }, fromElsewhere)).status, 403)
  assert.deepEqual(await usersOf([ada, phone, victim]), ['ada', 'ada', 'nobody'])
  assert.equal((await signIn(browser())).status, 303)
})

test('behind TLS the cookie is a __Host- cookie', async t => {
  const { browser, passwords } = await open(t, { secure: true })
  const headers = { 'x-forwarded-proto': 'https' }
  const { setCookie } = await send(browser(), '/sign-in', { name: 'ada', password: passwords.ada }, headers)
  const attributes = /^__Host-session=(?=.*; secure)(?=.*; httponly)(?=.*; samesite=lax)(?=.*; path=\/;)(?!.*; domain)/i
  assert.match(setCookie[0], attributes)
})

test('a hash says its parameters, which are those of OWASP, and has a salt of its own', async () => {
  const password = newSecret()
  const stored = await hashPassword(password)
  assert.match(stored, /^scrypt\$131072\$8\$1\$[\w-]{22}\$[\w-]{43}$/)
  assert.equal(await isPassword(password, stored), true)
  const [one, two] = [await hashPassword('é', QUICK), await hashPassword('é', QUICK)]
  assert.notEqual(one, two)
  assert.deepEqual([await isPassword('e\u0301', one), await isPassword('e', one)], [true, false])
})

test('a name that nobody has takes as long as a wrong password', async () => {
  const users = await createUsers({ N: 2 ** 13, r: 8, p: 1 })
  await users.setPassword('ada', newSecret())
  const times = { ada: [], nobody: [] }
  for (let round = 0; round < 5; round++) {
    for (const name of ['ada', 'nobody']) {
      const begun = performance.now()
      assert.equal(await users.verify(name, 'wrong'), undefined)
      times[name].push(performance.now() - begun)
    }
  }
  // A machine with other work makes some of them slow, and none quick.
  const [known, unknown] = [Math.min(...times.ada), Math.min(...times.nobody)]
  assert.ok(unknown > known / 4, `${unknown} ms, and ${known} ms for a name that there is`)
})

test('it starts as the readme says, and prints a password that signs in', async t => {
  const { url, stdout } = await startExample(t, [], {}, 'password')
  const [, password] = /with the password "([\w-]{16})"/.exec(stdout) ?? []
  const agent = await createAgent(url)
  assert.equal((await send(agent, '/sign-in', { name: 'ada', password })).status, 303)
  assert.equal(await userOf(agent), 'ada')
})

test('a password that was given to it is not printed', async t => {
  const PASSWORD = newSecret()
  const { stdout } = await startExample(t, [], { PASSWORD }, 'password')
  assert.match(stdout, /with the password of PASSWORD/)
  assert.equal(stdout.includes(PASSWORD), false)
})
