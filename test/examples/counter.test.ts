/** Stories of the example with its sessions in a store, told without a browser. It runs on what is built. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { type Agent, createAgent } from 'koa-session/testing'
import { endOfExample, startExample } from './process.ts'

const LINUX = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'
const IPHONE =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/604.1'

async function signIn(agent: Agent, name: string, userAgent = LINUX): Promise<void> {
  const { status } = await agent.post('/sign-in', new URLSearchParams({ name }), {
    headers: { 'user-agent': userAgent },
  })
  assert.equal(status, 303)
}

async function userOf(agent: Agent): Promise<string | undefined> {
  return /id="user">([^<]*)</.exec((await agent.get('/')).text)?.[1]
}

/** Of the other devices, the oldest first: the one that asks has a form without a handle. */
async function otherHandles(agent: Agent): Promise<string[]> {
  const { text } = await agent.get('/devices')
  return [...text.matchAll(/name="handle" value="([\w-]{43})"/g)].map(([, handle = '']) => handle)
}

const noticeIn = ({ text }: { text: string }) => /role="status">([^<]*)</.exec(text)?.[1]

/** What stands in the element of this id, with its quotes. */
function partOf(text: string, id: string): string {
  const [, part = ''] = new RegExp(`id="${id}">(.*?)</(?:p|pre|dd)>`, 's').exec(text) ?? []
  return part.replaceAll('&quot;', '"')
}

const endByHandle = (agent: Agent, handle: string) => agent.post('/devices/sign-out', new URLSearchParams({ handle }))

test('the devices of a user are listed, and one or all others are signed out', async t => {
  const { url } = await startExample(t, ['--store', 'memory:'])
  const desktop = await createAgent(url)
  const [phone, tablet] = [desktop.stranger(), desktop.stranger()]
  await signIn(desktop, 'Ada', LINUX)
  await signIn(phone, 'Ada', IPHONE)
  await signIn(tablet, 'Ada')
  const { text, headers } = await desktop.get('/devices')
  assert.equal(headers.get('cache-control'), 'no-store')
  assert.deepEqual(text.match(/\w+ on \w+/g), ['Firefox on Linux', 'Safari on iPhone', 'Firefox on Linux'])
  assert.equal(text.match(/<mark>/g)?.length, 1)

  const [handle = ''] = await otherHandles(desktop)
  await endByHandle(desktop, handle)
  assert.deepEqual(await Promise.all([desktop, phone, tablet].map(userOf)), ['Ada', 'nobody', 'Ada'])
  await signIn(phone, 'Ada', IPHONE)
  await phone.post('/devices/sign-out-others')
  assert.deepEqual(await Promise.all([desktop, phone, tablet].map(userOf)), ['nobody', 'Ada', 'nobody'])
})

test("nobody ends another user's session by its handle, signed in or not", async t => {
  const { url } = await startExample(t, ['--store', 'memory:'])
  const ada = await createAgent(url)
  const [alsoAda, mallory, nobody] = [ada.stranger(), ada.stranger(), ada.stranger()]
  await signIn(ada, 'Ada')
  await signIn(alsoAda, 'Ada')
  await signIn(mallory, 'Mallory')
  const [handle = ''] = await otherHandles(alsoAda)
  assert.notEqual(handle, '')
  for (const stranger of [mallory, nobody]) {
    assert.equal((await endByHandle(stranger, handle)).status, 303)
    await stranger.post('/devices/sign-out-others')
  }
  assert.deepEqual(await Promise.all([ada, alsoAda].map(userOf)), ['Ada', 'Ada'])
  assert.deepEqual([(await nobody.get('/devices')).status, await userOf(mallory)], [303, 'Mallory'])

  const fromElsewhere = { headers: { 'sec-fetch-site': 'cross-site' } }
  const refused = await alsoAda.post('/devices/sign-out', new URLSearchParams({ handle }), fromElsewhere)
  assert.deepEqual([refused.status, await userOf(ada)], [403, 'Ada'])
  await endByHandle(alsoAda, handle)
  assert.equal(await userOf(ada), 'nobody')
})

test('signing out everywhere else is confirmed once, and the other browser is told why', async t => {
  const { url } = await startExample(t, ['--store', 'memory:'])
  const desktop = await createAgent(url)
  const [phone, tablet] = [desktop.stranger(), desktop.stranger()]
  for (const agent of [desktop, phone, tablet]) await signIn(agent, 'Ada')
  await desktop.post('/devices/sign-out-others')
  assert.equal(noticeIn(await desktop.get('/devices')), 'Signed out on 2 other devices.')
  assert.equal(noticeIn(await desktop.get('/devices')), undefined)
  const why = 'Your session has ended: it was signed out on another device, or was not used for too long.'
  assert.equal((await tablet.get('/devices')).status, 303)
  for (const agent of [phone, tablet]) {
    assert.equal(noticeIn(await agent.get('/')), why)
    assert.equal(noticeIn(await agent.get('/')), undefined)
  }

  await signIn(phone, 'Ada')
  const [handle = ''] = await otherHandles(desktop)
  for (const told of ['That device is signed out.', 'That device was not signed in any more.']) {
    await endByHandle(desktop, handle)
    assert.equal(noticeIn(await desktop.get('/devices')), told)
  }
})

for (const { args, mode, tried } of [
  {
    args: [],
    mode: 'The session is in the cookie, signed: you can read it, but not change it.',
    tried: /--store memory:/,
  },
  {
    args: ['--store', 'memory:'],
    mode: 'The session is in the memory of this process. The cookie has only its id.',
    tried: /the same name, in a private window/,
  },
  {
    args: ['--store', 'sqlite:./sessions.db'],
    mode: 'The session is in SQLite. The cookie has only its id.',
    tried: /The session goes on, unless it is in memory/,
  },
]) {
  test(`the page of ${args.join(' ') || 'no store'} says where the session is, how long it lives, and what to try`, async t => {
    const { url } = await startExample(t, args)
    const { text } = await (await createAgent(url)).get('/')
    assert.equal(partOf(text, 'mode'), mode)
    assert.match(partOf(text, 'lifetime'), /^1 day after your last visit: <time datetime="\d{4}-/)
    assert.match(text, tried)
  })
}

test('the page shows the cookie that was sent beside the one that follows', async t => {
  const { url } = await startExample(t, [])
  const agent = await createAgent(url)
  const first = await agent.get('/')
  assert.equal(partOf(first.text, 'cookie'), 'none')
  assert.equal(JSON.parse(partOf(first.text, 'cookie-after')).views, 1)
  const { text } = await agent.get('/')
  assert.equal(partOf(text, 'cookie'), partOf(first.text, 'cookie-after'))
  assert.equal(JSON.parse(partOf(text, 'cookie-after')).views, 2)

  const { url: withStore } = await startExample(t, ['--store', 'memory:'])
  const visitor = await createAgent(withStore)
  assert.equal(partOf((await visitor.get('/')).text, 'cookie-after'), visitor.cookies.get('koa.sess'))
  const again = (await visitor.get('/')).text
  assert.equal(partOf(again, 'cookie'), visitor.cookies.get('koa.sess'))
  assert.equal(partOf(again, 'cookie'), partOf(again, 'cookie-after'))
  assert.match(again, /After this response it is the same</)
})

test('a cookie that was changed is not accepted, and the page says so, once', async t => {
  const { url } = await startExample(t, [])
  const agent = await createAgent(url)
  await agent.get('/')
  agent.cookies.set('koa.sess', Buffer.from('{"views":1000}').toString('base64'))
  const { text } = await agent.get('/')
  assert.match(text, /id="views">1</)
  assert.match(noticeIn({ text }) ?? '', /was not accepted: it was changed, or signed with another secret/)
  const next = await agent.get('/')
  assert.match(next.text, /id="views">2</)
  assert.equal(noticeIn(next), undefined)
})

test('error pages have the form of the others, a reason and a way back', async t => {
  const { url } = await startExample(t, ['--store', 'memory:'])
  const agent = await createAgent(url)
  for (const [status, reason, answer] of [
    [404, 'There is no such page.', agent.get('/favicon.ico')],
    [400, 'A name of 1 to 50 characters, please.', agent.post('/sign-in', new URLSearchParams({ name: ' ' }))],
    [413, 'The form is too long.', agent.post('/sign-in', new URLSearchParams({ name: 'a'.repeat(1000) }))],
    [
      403,
      'Forms of other sites are refused.',
      agent.post('/sign-out', undefined, { headers: { 'sec-fetch-site': 'cross-site' } }),
    ],
  ] as const) {
    const { status: sent, text, headers } = await answer
    assert.deepEqual([sent, headers.get('cache-control')], [status, 'no-store'])
    assert.ok(
      text.includes(`<p>${reason}</p>`) && text.includes('Back to the session') && text.includes('<style>'),
      text,
    )
  }
})

test('a name, and what a browser says that it is, are shown as text', async t => {
  const { url } = await startExample(t, ['--store', 'memory:'])
  const agent = await createAgent(url)
  await signIn(agent, '<i>"Zoë" & \'co\'</i>', '<img src="x" onerror="alert(1)">')
  const { text } = await agent.get('/devices')
  assert.match(text, /Where &lt;i&gt;&quot;Zoë&quot; &amp; &#39;co&#39;&lt;\/i&gt; is signed in/)
  assert.match(text, /&lt;img src=&quot;x&quot; onerror=&quot;alert\(1\)&quot;&gt;/)
  assert.doesNotMatch(text, /<i>|<img/)
})

test('a session in SQLite goes on over a restart, without SESSION_KEYS too', async t => {
  const example = await startExample(t, ['--store', 'sqlite:./sessions.db'])
  const before = await createAgent(example.url)
  await before.get('/')
  await signIn(before, 'Ada')
  await example.restart()
  const after = await createAgent(example.url)
  for (const [name, value] of before.cookies) after.cookies.set(name, value)
  const { text } = await after.get('/')
  assert.match(text, /id="views">2<.*id="user">Ada<.*known from before/s)
  assert.equal((await otherHandles(after)).length, 0)
})

test('without a store there is no list of devices, and the page says why', async t => {
  const { url } = await startExample(t, [])
  const agent = await createAgent(url)
  await signIn(agent, 'Ada')
  assert.match((await agent.get('/')).text, /There is no list of your devices/)
  const answers = await Promise.all([
    agent.get('/devices'),
    endByHandle(agent, ''),
    agent.post('/devices/sign-out-others'),
  ])
  assert.deepEqual(
    answers.map(({ status }) => status),
    [404, 404, 404],
  )
})

for (const { title, args, message } of [
  {
    title: 'an unknown URL',
    args: ['--store', 'mongodb://ada:secret@localhost/'],
    message: /^There is no store for mongodb:\/\/localhost\/:/,
  },
  { title: 'no URL', args: ['--store', 'sessions.db'], message: /^There is no store for sessions\.db:/ },
  {
    title: 'a folder that is not there',
    args: ['--store', 'sqlite:./none/sessions.db'],
    message: /^The store sqlite:\.\/none\/sessions\.db can't be used: /,
  },
  // Nothing listens on port 1.
  {
    title: 'no Redis',
    args: ['--store', 'redis://ada:secret@127.0.0.1:1'],
    message: /^The store redis:\/\/127\.0\.0\.1:1 can't be used: .*ECONNREFUSED/,
  },
  {
    title: 'no PostgreSQL',
    args: ['--store', 'postgres://ada:secret@localhost:1/ada'],
    message: /^The store postgres:\/\/localhost:1\/ada can't be used: .*ECONNREFUSED/,
  },
  {
    title: 'no MySQL',
    args: ['--store', 'mysql://ada:secret@localhost:1/ada'],
    message: /^The store mysql:\/\/localhost:1\/ada can't be used: .*ECONNREFUSED/,
  },
  { title: 'an unknown option', args: ['--stroe', 'memory:'], message: /^Unknown option '--stroe'/ },
]) {
  test(`with ${title} it ends with one line that says so, and no password`, async t => {
    const { code, stdout, stderr } = await endOfExample(t, args)
    assert.deepEqual([code, stdout], [1, ''])
    assert.match(stderr, message)
    assert.match(stderr, /^.+\n$/)
    assert.doesNotMatch(stderr, /secret/)
  })
}
