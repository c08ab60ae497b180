/** Stories of the real process on an SQLite file, and of what it says where nothing answers. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import test from 'node:test'
import { freePort, makeFolder } from '../servers/place.ts'
import { type Given, noTerminal, run, runAtTerminal } from './spawned.ts'
import { digest, fill, fingerprint, stored } from './stored.ts'

const MANY = 10_000

const sessions = (parameters: string, url: string, given: Given = {}) =>
  run(['sessions', ...parameters.split(' ')], { ...given, environment: { KOA_SESSION_STORE: url } })
const lines = (text: string): unknown[] =>
  text
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line))

test('an administrator looks at the sessions of a file, ends one, then the others of its user, then all', async t => {
  const { url } = await stored(t, { a: 'ada', b: 'ada', c: 'ada', d: 'eve' })
  const listed = await sessions('list --subject ada --json', url)
  assert.deepEqual([listed.code, listed.stderr], [0, ''])
  assert.deepEqual(
    lines(listed.stdout)
      .map(line => Object(line).handle)
      .sort(),
    ['a', 'b', 'c'].map(digest).sort(),
  )
  const story: ReadonlyArray<readonly [parameters: string, stdout: string]> = [
    [`end --handle ${digest('a')}`, '1 session ended\n'],
    ['count', '3\n'],
    [`end --subject ada --except ${digest('b')} --yes`, '1 session ended\n'],
    ['count --subject ada --json', '{"count":1}\n'],
    ['sweep', '0 deleted\n'],
    [
      'end --subject eve --yes --json',
      `{"id":"${fingerprint('d')}","subjectHash":"${digest('eve')}","reason":"admin"}\n{"ended":1}\n`,
    ],
    ['end --all --yes', '1 session ended\n'],
    ['list', ''],
  ]
  for (const [parameters, stdout] of story) {
    assert.deepEqual(await sessions(parameters, url), { code: 0, stdout, stderr: '' }, parameters)
  }
})

test('where there is no terminal, nothing ends without --yes, with 2', async t => {
  const { url, store } = await stored(t, { a: 'ada' })
  for (const which of ['--all', '--subject ada']) {
    const { code, stdout, stderr } = await sessions(`end ${which}`, url, { input: 'y\n' })
    assert.deepEqual([code, stdout], [2, ''])
    assert.match(stderr, /there is no terminal to ask at: say --yes; see koa-session --help\n$/)
  }
  assert.equal(await store.count(), 1)
})

test('at a terminal it asks, ends them after a yes alone, and ends itself', { skip: noTerminal }, async t => {
  const { url, store } = await stored(t, { a: 'ada', b: 'ada' })
  const asked = (answer: string) =>
    runAtTerminal('sessions end --subject ada', { KOA_SESSION_STORE: url }, 'Go on? [y/N] ', answer)
  const refused = await asked('n\n')
  assert.match(refused.printed, /This ends 2 sessions\. Go on\? \[y\/N\] n\r\nkoa-session: nothing was ended\r\n$/)
  assert.deepEqual([refused.code, await store.count()], [1, 2])
  const agreed = await asked('y\n')
  assert.match(agreed.printed, /\[y\/N\] y\r\n[^\n]*2 sessions ended\r\n$/)
  assert.deepEqual([agreed.code, await store.count()], [0, 0])
  // The interrupt key of a terminal.
  await fill(store as never, { a: 'ada' })
  const interrupted = await asked('\u0003')
  assert.match(interrupted.printed, /koa-session: interrupted: what was ended stays ended\r\n$/)
  assert.deepEqual([interrupted.code, await store.count()], [130, 1])
})

test('a folder without a client is told what to install, with 1', async () => {
  const folder = makeFolder()
  for (const [url, what] of [
    ['redis://127.0.0.1', 'redis (or ioredis, iovalkey)'],
    ['postgres://127.0.0.1/a', 'pg (or postgres)'],
    ['mariadb://127.0.0.1/a', 'mysql2 (or mariadb)'],
    ['mongodb://127.0.0.1', 'mongodb (or mongoose)'],
    ['dynamodb:', '@aws-sdk/client-dynamodb'],
  ] as const) {
    const { code, stdout, stderr } = await sessions('count', url, { folder })
    assert.deepEqual([code, stdout], [1, ''])
    assert.ok(stderr.includes(`there is no client for this store in this folder: npm install ${what}, or run`), stderr)
  }
})

test('a server that refuses is a failure that says so, with 1, and without the password', async () => {
  const port = await freePort()
  const urls = ['redis', 'postgres', 'mysql', 'mongodb'].map(scheme => `${scheme}://u:hunter22@127.0.0.1:${port}/0`)
  for (const { code, stdout, stderr } of await Promise.all(urls.map(url => sessions('count', url)))) {
    assert.deepEqual([code, stdout], [1, ''])
    assert.match(stderr, /^koa-session: the store failed: [^\n]*ECONNREFUSED[^\n]*\n$/)
    assert.doesNotMatch(stderr, /hunter22/)
  }
})

test('a file that is no database is a failure, with 1', async () => {
  const { code, stderr } = await sessions('count', 'sqlite:package.json')
  assert.equal(code, 1)
  assert.match(stderr, /^koa-session: the store failed: file is not a database/)
})

test('an interruption closes the connection, and ends with 130', async t => {
  const server = createServer()
  t.after(() => server.close())
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const asked = once(server, 'connection')
  const ended = sessions('count', `redis://127.0.0.1:${Object(server.address()).port}`, {
    started: async interrupt => {
      const [socket] = await asked
      await once(socket, 'data')
      interrupt()
    },
  })
  const { code, stdout, stderr } = await ended
  assert.deepEqual([code, stdout], [130, ''])
  assert.match(stderr, /^koa-session: interrupted: what was ended stays ended\n$/)
})

test(`of ${MANY} sessions`, async t => {
  // 60 MB, where the process may have 40.
  const little: Given = { node: ['--max-old-space-size=40'] }
  const file = await stored(t, {})
  file.db.exec('PRAGMA synchronous = OFF; BEGIN')
  const all = Object.fromEntries(Array.from({ length: MANY }, (_, n) => [`id ${n}`, `user ${n % 100}`]))
  await fill(file.store as never, all, { text: JSON.stringify('x'.repeat(6_000)) })
  file.db.exec('COMMIT')

  await t.test('all are listed in the memory of a few', async () => {
    const { code, stdout, stderr } = await sessions('list --json', file.url, little)
    assert.deepEqual([code, stderr], [0, ''])
    assert.equal(new Set(lines(stdout).map(line => Object(line).handle)).size, MANY)
  })

  await t.test('some are listed to a reader that stops', async () => {
    const { code, stderr } = await sessions('list', file.url, { ...little, isShort: true })
    assert.deepEqual([code, stderr], [0, ''])
  })

  await t.test('all end in the memory of a few', async () => {
    assert.deepEqual(await sessions('end --all --yes', file.url, little), {
      code: 0,
      stdout: `${MANY} sessions ended\n`,
      stderr: '',
    })
  })
})
