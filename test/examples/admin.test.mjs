/** Stories of the admin page, told without a browser: who gets to it, what it shows, and what it ends. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import test from 'node:test'
import { memoryStore } from 'koa-session/memory'
import { createAgent, manualClock } from 'koa-session/testing'
import { createAdmin } from '../../examples/admin/admin.mjs'
import { createShop } from '../../examples/admin/shop.mjs'
import { newSecret } from '../support/secrets.ts'
import { startExample } from './process.ts'

const HOUR = 3_600_000
const LINUX = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'
const FROM_ITS_OWN_PAGE = { 'sec-fetch-site': 'same-origin' }

const send = (agent, path, form, headers = FROM_ITS_OWN_PAGE) =>
  agent.post(path, new URLSearchParams(form), { headers })

async function open(t, { secure = false } = {}) {
  const clock = manualClock()
  const { now } = clock
  const store = memoryStore({ now })
  const password = newSecret()
  const visitor = await createAgent(createShop({ store, keys: [newSecret()], now }).callback())
  const admin = await createAgent(createAdmin({ store, password, keys: [newSecret()], secure, now }).callback())
  t.after(() => Promise.all([visitor.close(), admin.close()]))
  return {
    clock,
    store,
    password,
    admin,
    /** Somebody with a browser of their own, who is signed in at the shop. */
    async customer(name, userAgent = LINUX) {
      const agent = visitor.stranger()
      const { status } = await send(agent, '/sign-in', { name }, { ...FROM_ITS_OWN_PAGE, 'user-agent': userAgent })
      assert.equal(status, 303)
      clock.advance(60_000)
      return agent
    },
    signIn: (agent = admin) => send(agent, '/sign-in', { password }),
  }
}

const subjectHashOf = name => createHash('sha256').update(name).digest('base64url')
const noticeIn = ({ text }) => /role="status">([^<]*)</.exec(text)?.[1]
const countIn = ({ text }) => Number(/id="count">(\d+)</.exec(text)?.[1])
const handlesIn = ({ text }) => [...text.matchAll(/<td data-label="Handle">([\w-]{43})</g)].map(([, handle]) => handle)
const isSignedIn = async agent => (await agent.get('/')).text.includes('Signed in as')
const signedIn = agents => Promise.all(agents.map(isSignedIn))

const PAGES = ['/', '/user?user=ada', '/end-all?user=ada', '/end-others?user=ada&handle=x']
const ACTIONS = ['/end', '/end-all', '/end-others', '/sign-out']

test('nobody gets to a page or an action without signing in, and a session of the shop is no sign-in', async t => {
  const { admin, customer } = await open(t)
  const ada = await customer('ada')
  const visitor = admin.stranger()
  for (const [name, value] of ada.cookies) visitor.cookies.set(name, value)
  for (const agent of [admin, visitor]) {
    for (const path of [...PAGES, '/nothing']) {
      const { status, headers, text } = await agent.get(path)
      assert.deepEqual([path, status, headers.get('location')], [path, 303, '/sign-in'])
      assert.doesNotMatch(text, /ada|Live now/)
    }
    for (const path of ACTIONS) assert.equal((await send(agent, path, { user: 'ada' })).status, 403)
  }
  assert.equal(await isSignedIn(ada), true)
})

test('the password opens it, with a session of its own that ends when it is not used, and at sign-out', async t => {
  const { admin, clock, signIn } = await open(t)
  const wrong = await send(admin, '/sign-in', { password: 'guess' })
  assert.deepEqual([wrong.status, noticeIn(wrong), admin.cookies.size], [403, 'That is not the password.', 0])
  assert.equal((await send(admin, '/sign-in', {})).status, 403)

  const { setCookie } = await signIn()
  assert.match(setCookie[0], /^admin=(?=.*; httponly)(?=.*; samesite=strict)/i)
  const copy = admin.stranger()
  for (const [name, value] of admin.cookies) copy.cookies.set(name, value)
  assert.deepEqual([(await admin.get('/')).status, (await copy.get('/')).status], [200, 200])
  await send(admin, '/sign-out', {})
  assert.deepEqual([(await admin.get('/')).status, (await copy.get('/')).status], [303, 303])

  await signIn()
  clock.advance(HOUR / 4 + 1)
  assert.equal((await admin.get('/')).status, 303)
  await signIn()
  for (let minutes = 0; minutes < 8 * 60; minutes += 10) {
    assert.equal((await admin.get('/')).status, 200)
    clock.advance(HOUR / 6)
  }
  assert.equal((await admin.get('/')).status, 303)
})

test('it shows how many sessions are live, and of each one of a user no data but the device', async t => {
  const { admin, customer, store, signIn, clock } = await open(t)
  await signIn()
  await customer('ada')
  await customer('ada', 'curl/8.5.0')
  await customer('grace')
  assert.equal(countIn(await admin.get('/')), 3)
  const page = await admin.get('/user?user=ada')
  assert.equal(countIn(page), 2)
  const listed = await store.list('ada')
  assert.deepEqual(
    handlesIn(page),
    listed.map(({ handle }) => handle),
  )
  assert.deepEqual(page.text.match(/Firefox on Linux|curl\/8.5.0/g), ['curl/8.5.0', 'Firefox on Linux'])
  for (const { createdAt } of listed) assert.ok(page.text.includes(new Date(createdAt).toISOString()))

  const lifetime = { _expire: clock.now() + HOUR, _maxAge: HOUR }
  const members = { user: '"eve"', device: '"a tablet"', cart: '"a secret wish"' }
  await store.create(newSecret(), { members, lifetime, subject: subjectHashOf('eve') }, HOUR)
  assert.equal((await store.list('eve'))[0].data.cart, 'a secret wish')
  const { text } = await admin.get('/user?user=eve')
  assert.match(text, /a tablet/)
  assert.doesNotMatch(text, /secret wish|cart/)
})

test('a page or an action without the name of a user is refused', async t => {
  const { admin, signIn } = await open(t)
  await signIn()
  for (const path of ['/user', '/user?user=', '/end-all', '/end-others?handle=x']) {
    assert.deepEqual([path, (await admin.get(path)).status], [path, 400])
  }
  for (const path of ['/end', '/end-all', '/end-others']) {
    assert.deepEqual([path, (await send(admin, path, { handle: 'x' })).status], [path, 400])
  }
})

test('one session ends, and no other, and not by the name of another user', async t => {
  const { admin, customer, signIn } = await open(t)
  await signIn()
  const [first, second] = [await customer('ada'), await customer('ada')]
  const grace = await customer('grace')
  const [newest] = handlesIn(await admin.get('/user?user=ada'))
  await send(admin, '/end', { user: 'grace', handle: newest })
  assert.equal(noticeIn(await admin.get('/user?user=grace')), 'That session had ended before.')
  const { headers } = await send(admin, '/end', { user: 'ada', handle: newest })
  const page = await admin.get(headers.get('location'))
  assert.deepEqual([noticeIn(page), countIn(page)], ['The session has ended.', 1])
  assert.equal(noticeIn(await admin.get('/user?user=ada')), undefined)
  assert.deepEqual(await signedIn([first, second, grace]), [true, false, true])
})

test('all sessions of a user end after a confirmation, and those of others go on', async t => {
  const { admin, customer, signIn } = await open(t)
  await signIn()
  const ada = [await customer('ada'), await customer('ada')]
  const grace = await customer('grace')
  const question = await admin.get('/end-all?user=ada')
  assert.match(question.text, /End all sessions of ada\?<.*2 sessions end\./s)
  assert.deepEqual(await signedIn([...ada, grace]), [true, true, true])
  const { headers } = await send(admin, '/end-all', { user: 'ada' })
  assert.equal(noticeIn(await admin.get(headers.get('location'))), '2 sessions have ended.')
  assert.deepEqual(await signedIn([...ada, grace]), [false, false, true])
})

test('all others end after a confirmation, and nothing ends where the one that is to go on has ended', async t => {
  const { admin, customer, signIn } = await open(t)
  await signIn()
  const [first, second, third] = [await customer('ada'), await customer('ada'), await customer('ada')]
  const [, handle] = handlesIn(await admin.get('/user?user=ada'))
  const question = await admin.get(`/end-others?user=ada&handle=${handle}`)
  assert.match(question.text, /End all other sessions of ada\?<.*2 sessions end\.\s+This one goes on:/s)
  assert.deepEqual(handlesIn(question), [handle])
  const { headers } = await send(admin, '/end-others', { user: 'ada', handle })
  assert.equal(noticeIn(await admin.get(headers.get('location'))), '2 sessions have ended.')
  assert.deepEqual(await signedIn([first, second, third]), [false, true, false])

  await send(second, '/sign-out', {})
  const fourth = await customer('ada')
  for (const gone of [handle, '', undefined]) {
    await send(admin, '/end-others', { user: 'ada', ...(gone !== undefined && { handle: gone }) })
    assert.match(noticeIn(await admin.get('/user?user=ada')), /^Nothing has ended/)
    assert.equal((await admin.get(`/end-others?user=ada&handle=${gone}`)).status, 303)
  }
  assert.equal(await isSignedIn(fourth), true)
})

for (const { from, headers, isRefused } of [
  { from: 'another site', headers: { 'sec-fetch-site': 'cross-site' }, isRefused: true },
  { from: 'the shop, on another port', headers: { 'sec-fetch-site': 'same-site' }, isRefused: true },
  { from: 'what is no page', headers: { 'sec-fetch-site': 'none' }, isRefused: true },
  { from: 'itself', headers: { 'sec-fetch-site': 'same-origin' }, isRefused: false },
  { from: 'another site, in an older browser', headers: { origin: 'https://evil.example' }, isRefused: true },
  { from: 'a frame without an origin, in an older browser', headers: { origin: 'null' }, isRefused: true },
  { from: 'what says nothing', headers: {}, isRefused: true },
  { from: 'itself, in an older browser', headers: 'own', isRefused: false },
  {
    from: 'another site that says our origin, too',
    headers: { 'sec-fetch-site': 'cross-site', origin: 'own' },
    isRefused: true,
  },
]) {
  test(`a form of ${from} is ${isRefused ? 'refused' : 'accepted'}`, async t => {
    const { admin, customer, password, signIn } = await open(t)
    const own = { origin: admin.origin }
    const sent = headers === 'own' ? own : headers.origin === 'own' ? { ...headers, ...own } : headers
    assert.equal((await send(admin.stranger(), '/sign-in', { password }, sent)).status, isRefused ? 403 : 303)
    await signIn()
    const ada = await customer('ada')
    assert.equal((await send(admin, '/end-all', { user: 'ada' }, sent)).status, isRefused ? 403 : 303)
    assert.equal(await isSignedIn(ada), isRefused)
  })
}

test('no page is framed, kept, or may load or run anything, also where it is an error', async t => {
  const { admin, signIn } = await open(t)
  const stranger = admin.stranger()
  await signIn()
  for (const answer of [
    ...(await Promise.all(PAGES.map(path => admin.get(path)))),
    await admin.get('/nothing'),
    await stranger.get('/'),
    await stranger.get('/sign-in'),
    await send(stranger, '/end-all', {}),
    await send(admin, '/end-all', {}, {}),
    await send(admin, '/end', { user: 'a'.repeat(2000) }),
  ]) {
    const { headers } = answer
    const policy = headers.get('content-security-policy')
    assert.match(
      policy,
      /default-src 'none'; style-src 'sha256-[^']+'; img-src data:; form-action 'self'; base-uri 'none'/,
    )
    assert.match(policy, /frame-ancestors 'none'$/)
    assert.deepEqual([headers.get('x-frame-options'), headers.get('cache-control')], ['DENY', 'no-store'])
    assert.doesNotMatch(answer.text, /<script|javascript:| on\w+=| style=/)
  }
})

test('names and devices are shown as text', async t => {
  const { admin, customer, signIn } = await open(t)
  await signIn()
  const user = `<i>"Zoë" & 'co'</i>`
  await customer(user, '<img src="x" onerror="alert(1)">')
  const query = new URLSearchParams({ user })
  const page = await admin.get(`/user?${query}`)
  const [handle] = handlesIn(page)
  for (const { text } of [page, await admin.get(`/end-others?${query}&handle=${handle}`)]) {
    assert.doesNotMatch(text, /<i>|<img/)
    assert.match(text, /&#60;i&#62;&#34;Zoë&#34; &#38; &#39;co&#39;&#60;\/i&#62;/)
    assert.match(text, /&#60;img src=&#34;x&#34; onerror=&#34;alert\(1\)&#34;&#62;/)
  }
})

test('behind TLS its cookie is a __Host- cookie', async t => {
  const { admin, password } = await open(t, { secure: true })
  const headers = { ...FROM_ITS_OWN_PAGE, 'x-forwarded-proto': 'https' }
  const { setCookie } = await send(admin, '/sign-in', { password }, headers)
  assert.match(setCookie[0], /^__Host-admin=(?=.*; secure)(?=.*; path=\/;)/i)
})

test('it starts as the readme says: the shop, and the admin page of the same sessions', async t => {
  const example = await startExample(t, [], { ADMIN_PORT: '0' }, 'admin')
  const [, password] = /with the password "([\w-]{16})"/.exec(example.stdout) ?? []
  const [shopUrl, adminUrl] = example.stdout.match(/^http:\S+$/gm) ?? []
  const [visitor, admin] = [await createAgent(shopUrl), await createAgent(adminUrl)]
  await send(visitor, '/sign-in', { name: 'ada' })
  assert.equal((await send(admin, '/sign-in', { password })).status, 303)
  assert.equal(countIn(await admin.get('/user?user=ada')), 1)
  await send(admin, '/end-all', { user: 'ada' })
  assert.equal(await isSignedIn(visitor), false)
})

test('a password that was given to it is not printed', async t => {
  const ADMIN_PASSWORD = newSecret()
  const { stdout } = await startExample(t, [], { ADMIN_PORT: '0', ADMIN_PASSWORD }, 'admin')
  assert.match(stdout, /with the password of ADMIN_PASSWORD/)
  assert.equal(stdout.includes(ADMIN_PASSWORD), false)
})
