/** `koa-session sessions`: what it is asked to do, and what it does with the sessions of a file. */
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import test from 'node:test'
import { manualClock } from 'koa-session/testing'
import { run } from '../../src/cli/run.ts'
import { lineOf, progressLine, resultLine } from '../../src/cli/sessions/lines.ts'
import { pathIn, planOf } from '../../src/cli/sessions/plan.ts'
import { SessionError } from '../../src/errors.ts'
import { newSecret } from '../support/secrets.ts'
import { call, digest, fingerprint, HOUR, type Sessions, stored } from './stored.ts'
import { surroundings } from './surroundings.ts'

const URL = 'redis://user:hunter22@127.0.0.1/0'
const H = digest('h')
const THREE: Sessions = { a: 'ada', b: 'ada', c: 'eve', d: undefined }

interface Given {
  readonly environment?: Record<string, string>
  /** What a person answers at the terminal; without one there is none. */
  readonly answers?: string
  readonly load?: (name: string) => unknown
  /** What printing fails with. */
  readonly fault?: Error
}

/** The command in a process that does not exist. `asked`: the questions; `working`: what took long. */
async function ran(parameters: readonly string[], { environment = {}, answers, load, fault }: Given = {}) {
  let stdout = ''
  const asked: string[] = []
  const working: string[] = []
  const process = surroundings({
    environment,
    admin: {
      load: load ?? createRequire(import.meta.url),
      print: async text => {
        if (fault) throw fault
        stdout += text
      },
      ask:
        answers === undefined
          ? undefined
          : async question => {
              asked.push(question)
              return answers
            },
      working: async (what, done, work) => {
        const result = await work()
        working.push(`${what} ${done()}`)
        return result
      },
    },
  })
  const outcome = await run(['sessions', ...parameters], process)
  return { ...outcome, stdout: stdout + outcome.stdout, asked, working }
}

const lines = (text: string): unknown[] =>
  text
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line))

test('a wrong call ends with 2, says what to do, and repeats no value', async t => {
  const never = () => assert.fail('nothing is connected to')
  const rows: ReadonlyArray<readonly [parameters: string, what: RegExp, environment?: Record<string, string>]> = [
    ['', /sessions takes one of list, count, end, sweep, reseal/],
    ['remove', /sessions takes one of/],
    ['list more', /sessions takes one of/],
    ['list', /no store is named: by --store, or by its URL in KOA_SESSION_STORE/],
    ['list --store=', /no store is named/],
    ['list --store hunter22', /has to begin with one of sqlite: redis: /],
    ['list --store ftp://hunter22', /has to begin with one of/],
    ['list --store toString:hunter22', /has to begin with one of/],
    ['list', /has to begin with one of/, { KOA_SESSION_STORE: 'http://hunter22' }],
    ['list --store sqlite:', /the URL of the store has no path: sqlite:data\/sessions\.db/],
    ['list --store sqlite://', /has no path/],
    ['list --store redis:hunter22', /is none: write what is special in its password/],
    ['list --store redis://user:hunter22#/x@host:1', /is none: write what is special/],
    ['list --store mysql://root:hunter22@host', /names no database: mysql:\/\/USER@HOST\/DATABASE/],
    ['list --store mongodb://', /names no host/],
    ['list --store dynamodb:hunter22', /is not dynamodb:\/\/REGION/],
    [`list --store ${URL} --table hunter22`, /Redis has no table: give --prefix/],
    ['list --store sqlite:a --prefix hunter22', /--prefix is for Redis and DynamoDB: give --table/],
    [`list --store ${URL} --limit 0`, /--limit is not a positive integer/],
    [`list --store ${URL} --limit ${'9'.repeat(16)}`, /--limit is not a positive integer/],
    [`list --store ${URL} --limit hunter22`, /--limit is not a positive integer/],
    [`list --store ${URL} --subject=`, /--subject is empty: a variable was probably not set/],
    [`list --store ${URL} --yes`, /sessions list does not take --yes/],
    [`list --store ${URL} --show`, /sessions list does not take --show/],
    [`count --store ${URL} --limit 2`, /sessions count does not take --limit/],
    [`sweep --store ${URL} --subject hunter22`, /sessions sweep does not take --subject/],
    [`end --store ${URL}`, /end takes one of --handle, --subject and --all/],
    [`end --store ${URL} --all --subject hunter22`, /end takes one of/],
    [`end --store ${URL} --all --handle ${H}`, /end takes one of/],
    [`end --store ${URL} --handle hunter22`, /--handle is not a handle, which has 43 characters/],
    [`end --store ${URL} --subject ada --except hunter22`, /--except is not a handle/],
    [`end --store ${URL} --all --except ${H}`, /--except goes with --subject alone/],
    [`end --store ${URL} --handle ${H} --except ${H}`, /--except goes with --subject alone/],
    [`end --store ${URL} --all`, /there is no terminal to ask at: say --yes/],
    [`end --store ${URL} --subject ada`, /there is no terminal to ask at: say --yes/],
    ['reseal --store sqlite:a', /reseal needs the secrets of the store in KOA_SESSION_SEAL/],
    ['list --store sqlite:a', /KOA_SESSION_SEAL\[0\] is shorter than 32 bytes/, { KOA_SESSION_SEAL: 'hunter22' }],
    ['list --store sqlite:a', /KOA_SESSION_SEAL begins with \[/, { KOA_SESSION_SEAL: '["hunter22' }],
    ['sweep --store dynamodb://eu-central-1', /DynamoDB deletes what has expired by itself/],
    ['list --seal hunter22', /Unknown option '--seal'/],
    [`end --store ${URL} --subject hunter22 --subject ada --yes`, /--subject is given twice/],
    [`end --store ${URL} --handle ${H} --handle=${H}`, /--handle is given twice/],
    [
      `list --store ${URL} --subject --json`,
      /value of --subject is missing, or begins with a dash: write --subject=VALUE/,
    ],
    [`end --store ${URL} --handle --yes`, /value of --handle is missing, or begins with a dash/],
    [`list --store ${URL} --limit -1`, /the value of --limit is missing, or begins with a dash: write --limit=VALUE/],
    [`list --store ${URL} --limit=-1`, /--limit is not a positive integer/],
    [`list --store ${URL} --limit NaN`, /--limit is not a positive integer/],
  ]
  for (const [parameters, what, environment = {}] of rows) {
    await t.test(`${parameters} ${JSON.stringify(environment)}`, async () => {
      const words = parameters.split(' ').filter(word => word !== '')
      const { code, stdout, stderr } = await ran(words, { environment, load: never })
      assert.deepEqual([code, stdout], [2, ''])
      assert.match(stderr, what)
      assert.match(stderr, /^koa-session: [^\n]+; see koa-session --help\n$/)
      assert.doesNotMatch(stderr, /hunter22/)
    })
  }
})

test('a store is told by the scheme of its URL, in whatever case', () => {
  const rows: Readonly<Record<string, string>> = {
    'SQLite:a.db': 'sqlite',
    'redis://h': 'redis',
    'rediss://h': 'redis',
    'postgres://h': 'postgres',
    'postgresql://h': 'postgres',
    'mysql://h/d': 'mysql',
    'mariadb://h/d': 'mysql',
    'mongodb://h': 'mongodb',
    'mongodb+srv://h': 'mongodb',
    'DynamoDB://eu-central-1': 'dynamodb',
  }
  for (const [store, kind] of Object.entries(rows))
    assert.equal(planOf({ store }, ['count'], {}, false).place.kind, kind)
  assert.equal(planOf({ store: 'dynamodb:', prefix: 'p:' }, ['count'], {}, false).place.prefix, 'p:')
  assert.equal(pathIn('SQLite://a.db'), 'a.db')
})

test('a URL in the environment is used where no argument names one', async t => {
  const { url } = await stored(t, THREE)
  for (const [given, other] of [
    ['', url],
    [url, 'sqlite:nowhere'],
  ] as const) {
    const parameters = given ? ['--store', given] : []
    assert.equal((await ran(['count', ...parameters], { environment: { KOA_SESSION_STORE: other } })).stdout, '4\n')
  }
})

test('sessions are listed with handle, instants and the hash of the subject, and with nothing else', async t => {
  const { url, store } = await stored(t, THREE)
  const all = await ran(['list', '--store', url, '--json'])
  assert.deepEqual([all.code, all.stderr], [0, ''])
  const [ada] = await store.list('eve')
  assert.deepEqual(
    lines(all.stdout).find(line => Object(line).subjectHash === digest('eve')),
    {
      handle: digest('c'),
      createdAt: ada?.createdAt,
      seenAt: ada?.seenAt,
      expiresAt: ada?.expiresAt,
      subjectHash: digest('eve'),
    },
  )
  assert.deepEqual(
    lines(all.stdout).map(line => [Object(line).handle, Object(line).subjectHash]),
    ['a', 'b', 'c', 'd']
      .map(id => [digest(id), THREE[id] === undefined ? null : digest(THREE[id])])
      .sort(([a], [b]) => (String(a) < String(b) ? -1 : 1)),
  )
  const text = await ran(['list', '--store', url])
  assert.match(text.stdout, /^handle {39}created {19}seen {22}expires {19}subject\n/)
  assert.match(text.stdout, new RegExp(`\n${digest('d')}(  \\d{4}-\\d\\d-\\d\\dT[\\d:.]{12}Z){3}  -\n`))
  assert.equal(text.stdout.trimEnd().split('\n').length, 5)
  for (const { stdout } of [all, text]) assert.doesNotMatch(stdout, /secret-of-ada|"data"/)
})

test('those of a subject are listed and counted, as many as are asked for', async t => {
  const { url } = await stored(t, THREE)
  const listed = async (...parameters: string[]) => {
    const { stdout } = await ran(['list', '--json', '--store', url, ...parameters])
    return stdout === '' ? [] : lines(stdout).map(line => Object(line).handle)
  }
  assert.deepEqual((await listed('--subject', 'ada')).sort(), [digest('a'), digest('b')].sort())
  assert.equal((await listed('--subject', 'ada', '--limit', '1')).length, 1)
  assert.equal((await listed('--limit', '3')).length, 3)
  assert.deepEqual(await listed('--subject', 'nobody'), [])
  for (const [subject, count] of [
    ['ada', 2],
    ['nobody', 0],
  ] as const) {
    assert.equal((await ran(['count', '--store', url, '--subject', subject])).stdout, `${count}\n`)
    const { stdout } = await ran(['count', '--store', url, '--json', '--subject', subject])
    assert.deepEqual(lines(stdout), [{ count }])
  }
})

/** Ids of which a handle begins with a dash: one in 64 does. */
const DASHED = Array.from({ length: 1000 }, (_, n) => `id ${n}`).find(id => digest(id).startsWith('-')) ?? ''

const ENDINGS: ReadonlyArray<readonly [claim: string, parameters: string[], left: string[]]> = [
  ['the session of a handle', ['--handle', digest('a')], ['b', 'c', 'd', DASHED]],
  ['the session of nobody', ['--handle', digest('d')], ['a', 'b', 'c', DASHED]],
  ['the session of a handle that begins with a dash', ['--handle', digest(DASHED)], ['a', 'b', 'c', 'd']],
  ['the sessions of a subject', ['--subject', 'ada', '--yes'], ['c', 'd', DASHED]],
  [
    'the sessions of a subject but one',
    ['--subject', 'ada', '--yes', '--except', digest('b')],
    ['b', 'c', 'd', DASHED],
  ],
  ['the sessions of a subject that has none', ['--subject', 'nobody', '--yes'], ['a', 'b', 'c', 'd', DASHED]],
  ['all sessions', ['--all', '--yes'], []],
]

for (const [claim, parameters, left] of ENDINGS) {
  test(`${claim}: they end, are counted, and each is told with the reason admin`, async t => {
    const sessions = { ...THREE, [DASHED]: undefined }
    const { url, store } = await stored(t, sessions)
    const ended = Object.keys(sessions).filter(id => !left.includes(id))
    const { code, stdout, stderr } = await ran(['end', '--store', url, '--json', ...parameters])
    assert.deepEqual([code, stderr], [0, ''])
    const told = lines(stdout)
    assert.deepEqual(told.pop(), { ended: ended.length })
    assert.deepEqual(
      new Map(told.map(line => [Object(line).id, line])),
      new Map(
        ended.map(id => {
          const user = THREE[id]
          const subjectHash = user === undefined ? {} : { subjectHash: digest(user) }
          return [fingerprint(id), { id: fingerprint(id), ...subjectHash, reason: 'admin' }]
        }),
      ),
    )
    for (const id of Object.keys(sessions)) assert.equal((await store.read(id, call)) !== undefined, left.includes(id))
  })
}

test('without --json it says how many were ended', async t => {
  const { url } = await stored(t, THREE)
  assert.equal((await ran(['end', '--store', url, '--handle', digest('c')])).stdout, '1 session ended\n')
  assert.equal((await ran(['end', '--store', url, '--all', '--yes'])).stdout, '3 sessions ended\n')
})

test('a session that was given a new id ends by its former handle', async t => {
  const { url, store } = await stored(t, { a: 'ada', next: 'ada' })
  await store.retire('a', { successor: 'next' }, HOUR, call)
  assert.equal((await ran(['end', '--store', url, '--handle', digest('a')])).stdout, '1 session ended\n')
  assert.equal(await store.count(), 0)
})

test('a handle that no session has ends nothing, with 1', async t => {
  const { url, store } = await stored(t, { ...THREE, old: undefined, next: undefined })
  await store.retire('old', { successor: 'next' }, HOUR, call)
  const rows = [
    [['--handle', H], /^koa-session: there is no session with this handle/],
    [['--handle', digest('old')], /there is no session with this handle: it may have ended, or got a new one/],
    [['--subject', 'ada', '--yes', '--except', H], /--except is not one of the subject: nothing was ended/],
    [['--subject', 'ada', '--yes', '--except', digest('c')], /--except is not one of the subject: nothing was ended/],
  ] as const
  for (const [parameters, what] of rows) {
    const { code, stdout, stderr } = await ran(['end', '--store', url, ...parameters])
    assert.deepEqual([code, stdout], [1, ''])
    assert.match(stderr, what)
  }
  assert.equal(await store.count(), 5)
})

test('at a terminal it asks before it ends many, and goes on with a yes alone', async t => {
  const { url, store } = await stored(t, THREE)
  for (const answers of ['', 'n\n', 'no', 'yesterday']) {
    const { code, stderr, asked } = await ran(['end', '--all', '--store', url], { answers })
    assert.deepEqual(
      [code, stderr, asked],
      [1, 'koa-session: nothing was ended\n', ['This ends 4 sessions. Go on? [y/N] ']],
    )
  }
  const one = await ran(['end', '--subject', 'ada', '--except', digest('a'), '--store', url], { answers: ' Y ' })
  assert.deepEqual([one.code, one.asked], [0, ['This ends 1 session. Go on? [y/N] ']])
  const wrong = await ran(['end', '--subject', 'ada', '--except', digest('c'), '--store', url], { answers: 'y' })
  assert.deepEqual([wrong.code, wrong.asked], [1, []])
  assert.match(wrong.stderr, /--except is not one of the subject: nothing was ended/)
  const silent = [
    ['--handle', digest('a')],
    ['--subject', 'nobody'],
    ['--subject', 'eve', '--yes'],
  ]
  for (const parameters of silent) {
    assert.deepEqual((await ran(['end', '--store', url, ...parameters], { answers: 'n' })).asked, [])
  }
  assert.equal(await store.count(), 1)
  assert.equal((await ran(['end', '--all', '--store', url], { answers: 'yes' })).stdout, '1 session ended\n')
})

test('what takes long is told of meanwhile', async t => {
  const { url, store } = await stored(t, THREE)
  await store.create('expired', { members: {}, lifetime: {} }, 0, call)
  for (const [parameters, what] of [
    ['count', ['counting 0']],
    ['sweep', ['sweeping 1']],
    ['end --all', ['counting 0', 'ending sessions 0']],
  ] as const) {
    const { working } = await ran([...parameters.split(' '), '--store', url], { answers: 'y' })
    assert.deepEqual(working, what)
  }
  assert.equal(progressLine('sweeping', 2, 0), 'sweeping: 2 s')
  assert.equal(progressLine('sweeping', 3, 500), 'sweeping: 500 so far, 3 s')
})

test('sweep deletes what has expired', async t => {
  const { now, advance } = manualClock(Date.now() - 2 * HOUR)
  const { url, store } = await stored(t, THREE, { now })
  advance(2 * HOUR)
  await store.create('new', { members: {}, lifetime: {} }, HOUR, call)
  assert.deepEqual(lines((await ran(['sweep', '--json', '--store', url])).stdout), [{ deleted: 4 }])
  assert.equal((await ran(['sweep', '--store', url])).stdout, '0 deleted\n')
  assert.equal(await store.count(), 1)
})

test('with the secrets of the store its subjects are found, and what an older one has sealed is sealed anew', async t => {
  const [OLD, NEW] = [newSecret(), newSecret()]
  const { url, store } = await stored(t, THREE, { seal: [OLD] })
  const count = async (seal: string) =>
    (await ran(['count', '--subject', 'ada', '--store', url], { environment: { KOA_SESSION_SEAL: seal } })).stdout
  assert.equal(await count(OLD), '2\n')
  const environment = { KOA_SESSION_SEAL: JSON.stringify([NEW, OLD]) }
  assert.equal((await ran(['reseal', '--store', url], { environment })).stdout, '4 sealed anew\n')
  // Whom the older secret alone hides is not in the way of those who are found.
  await store.create('late', { members: {}, lifetime: {}, version: 0, subject: digest('bob') }, HOUR, call)
  assert.deepEqual([await count(NEW), await count(OLD)], ['2\n', ''])
  const ended = await ran(['end', '--handle', digest('a'), '--json', '--store', url], { environment })
  assert.deepEqual(lines(ended.stdout), [
    { id: fingerprint('a'), subjectHash: digest('ada'), reason: 'admin' },
    { ended: 1 },
  ])
})

test('without a secret of the store nobody is found by a subject, which is a failure and not an answer', async t => {
  const seal = newSecret()
  const { url, store } = await stored(t, THREE, { seal: [seal] })
  const rows = [
    ['count', '--subject', 'ada'],
    ['list', '--subject', 'ada'],
    ['end', '--subject', 'ada', '--yes'],
    ['end', '--subject', 'ada', '--except', digest('a'), '--yes'],
  ]
  for (const parameters of rows) {
    for (const given of ['', newSecret()]) {
      const environment = { KOA_SESSION_SEAL: given }
      const { code, stdout, stderr } = await ran([...parameters, '--store', url], { environment })
      assert.deepEqual([code, stdout], [1, ''], String(parameters))
      assert.match(stderr, /sealed with a secret that is not in KOA_SESSION_SEAL: set it to what the application gives/)
    }
    if (parameters.includes('--except')) continue
    const nobody = parameters.map(word => (word === 'ada' ? 'nobody' : word))
    assert.equal((await ran([...nobody, '--store', url], { environment: { KOA_SESSION_SEAL: seal } })).code, 0)
  }
  assert.equal(await store.count(), 4)
})

test('a line has nothing that a terminal obeys, and shows what is no instant as it is', () => {
  const line = { handle: H, createdAt: 1e20, seenAt: Number.NaN, expiresAt: 0, subjectHash: '\u001b[31m' }
  assert.equal(lineOf(line, false), `${H}  100000000000000000000  NaN  1970-01-01T00:00:00.000Z  \\u001b[31m\n`)
  assert.equal(resultLine('ended', 0, false), '0 sessions ended\n')
})

test('a store with hashIds: false is refused without --plain-ids, and shows no id with it', async t => {
  const sessions = { 'id-of-ada-1': 'ada', 'id-of-ada-2': 'ada', 'id-of-nobody': undefined }
  const { url, store } = await stored(t, sessions, { hashIds: false })
  for (const parameters of [['list'], ['list', '--subject', 'ada'], ['list', '--json'], ['end', '--all', '--yes']]) {
    const { code, stdout, stderr } = await ran([...parameters, '--store', url])
    assert.deepEqual([code, stdout], [1, ''], String(parameters))
    assert.match(stderr, /ids are not hashed: if the application sets hashIds: false, give --plain-ids/)
  }
  await store.create(digest('hashed'), { members: {}, lifetime: {} }, HOUR, call)
  assert.equal((await ran(['end', '--all', '--yes', '--store', url])).stdout, '1 session ended\n')
  const plain = (...parameters: string[]) => ran([...parameters, '--plain-ids', '--store', url])
  const { stdout } = await plain('list', '--json')
  assert.deepEqual(
    lines(stdout)
      .map(line => Object(line).handle)
      .sort(),
    Object.keys(sessions).map(digest).sort(),
  )
  assert.doesNotMatch(stdout, /id-of/)
  assert.equal((await plain('end', '--handle', digest('id-of-ada-1'))).stdout, '1 session ended\n')
  const { code, stderr } = await plain('end', '--handle', digest('id-of-nobody'))
  assert.equal(code, 1)
  assert.match(stderr, /with --plain-ids only the session of a subject can be ended by its handle/)
  assert.equal((await plain('end', '--all', '--yes')).stdout, '2 sessions ended\n')
  assert.equal(await store.count(), 0)
})

test('a table of another name is found by --table, and one that is none is refused', async t => {
  const { url } = await stored(t, THREE, { table: 'others' })
  assert.equal((await ran(['count', '--store', url, '--table', 'others'])).stdout, '4\n')
  const { code, stderr } = await ran(['count', '--store', url, '--table', 'a; b'])
  assert.deepEqual([code, stderr.includes('--table or --prefix is not one that the store takes')], [2, true])
})

test('what fails ends with 1, says why on one line, and shows no password', async t => {
  const { url, folder } = await stored(t, THREE)
  const missing = () => {
    throw Object.assign(new Error('Cannot find module'), { code: 'MODULE_NOT_FOUND' })
  }
  const broken = (said: string | Error) => (name: string) => {
    if (name !== 'redis') return missing()
    const error = typeof said === 'string' ? new Error(said) : said
    return { createClient: () => ({ on() {}, connect: () => Promise.reject(error) }) }
  }
  const older = (name: string) => {
    if (name !== 'node:sqlite') return missing()
    throw Object.assign(new Error('No such built-in module'), { code: 'ERR_UNKNOWN_BUILTIN_MODULE' })
  }
  const rows: ReadonlyArray<readonly [url: string, what: RegExp, load?: (name: string) => unknown]> = [
    [
      `sqlite:${folder}/none.db`,
      /there is no such file; its path is that from the folder in which you run the command/,
    ],
    [`${url} --table none`, /the store failed: no such table: none/],
    [URL, /there is no client for this store in this folder: npm install redis \(or ioredis, iovalkey\)/, missing],
    [url, /there is no client for this store in this folder: npm install libsql/, older],
    ['mysql://a/b', /npm install mysql2 \(or mariadb\)/, missing],
    ['dynamodb:', /npm install @aws-sdk\/client-dynamodb, or run the command where the application is/, missing],
    [URL, /the store failed: no \/\/…@127\.0\.0\.1\/0 here/, broken(`no //user:hunter22@127.0.0.1/0 here`)],
    [URL, /the store failed: wrong …$/m, broken('wrong hunter22')],
    ['redis://u:hunter%2222@h', /the store failed: wrong …, …$/m, broken('wrong hunter"22, hunter%2222')],
    ['redis://u:hunter@22@h', /the store failed: wrong …$/m, broken('wrong hunter@22')],
    ['redis://u:q7x2@h', /the store failed: wrong …$/m, broken('wrong q7x2')],
    ['redis://u:1/y@h', /the store failed: wrong …$/m, broken('wrong redis://u:1/y@h')],
    [URL, /^koa-session: it says why$/m, broken(new SessionError('ERR_SESSION_STORE', 'it says why'))],
    [URL, /the store failed: \\u001b\[31m\\u000ared/, broken('\u001b[31m\nred')],
  ]
  for (const [store, what, load] of rows) {
    const { code, stdout, stderr } = await ran(['count', '--store', ...store.split(' ')], load && { load })
    assert.deepEqual([code, stdout], [1, ''])
    assert.match(stderr, what)
    assert.match(stderr, /^koa-session: [^\n]+\n$/)
    assert.doesNotMatch(stderr, /hunter22/)
  }
})

test('what can not be printed is not the fault of the store, and whoever has read enough finds no fault', async t => {
  const { url } = await stored(t, THREE)
  const at = async (code: string, ...parameters: readonly string[]) => {
    const { code: exit, stderr } = await ran([...parameters, '--store', url], {
      fault: Object.assign(new Error(code), { code }),
    })
    return [exit, stderr]
  }
  const full = 'koa-session: standard output could not be written (ENOSPC): what was ended stays ended\n'
  assert.deepEqual(await at('ENOSPC', 'list'), [1, full])
  assert.deepEqual(await at('ENOSPC', 'end', '--all', '--yes', '--json'), [1, full])
  assert.deepEqual(await at('EPIPE', 'count'), [0, ''])
})
