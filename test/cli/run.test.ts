import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'
import { type Outcome, run } from '../../src/cli/run.ts'
import { encoded } from '../compat/both.ts'
import fc from '../support/properties.ts'
import { chunked, FOREIGN, HOUR, NOW, OLDER, PAYLOAD, SECRETS, sealed, signed, signedValue } from './made.ts'
import { surroundings } from './surroundings.ts'

const KEYS = SECRETS.join(',')

/** The command in a process that does not exist: `input` is what is piped in, `keys` the environment variable. */
function ran(
  parameters: readonly string[],
  { input, keys = KEYS, now = NOW }: { input?: string; keys?: string; now?: number } = {},
) {
  const process = surroundings({
    environment: { KOA_SESSION_KEYS: keys },
    readInput: async () => input,
    now: () => now,
    random: size => Buffer.alloc(size, 0xfb),
    version: '8.1.2',
  })
  return run(parameters, process)
}

const cookie = signed(PAYLOAD)

test('keygen prints 32 random bytes in base64url, and nothing else', async () => {
  assert.deepEqual(await ran(['keygen']), { code: 0, stdout: `${'-_v7'.repeat(10)}-_s\n`, stderr: '' })
})

test('a list of secrets that is no JSON is not shown', async () => {
  const [secret = ''] = SECRETS
  for (const keys of [`["${secret}", `, `["${secret}" x]`, `[${secret}]`]) {
    const { code, stdout, stderr } = await ran(['inspect', cookie], { keys })
    const isShown = [secret.slice(0, 5), secret.slice(-5)].some(part => stderr.includes(part))
    assert.deepEqual([code, stdout, isShown], [2, '', false], stderr)
  }
})

test('a fault of the process is not taken for a wrong call', async () => {
  const readInput = () => Promise.reject(new Error('EIO'))
  await assert.rejects(run(['inspect'], surroundings({ readInput })), /EIO/)
})

test('the exit code', async t => {
  type Row = readonly [claim: string, code: number, parameters: readonly string[], how?: Parameters<typeof ran>[1]]
  const rows: readonly Row[] = [
    ['is 0 for a cookie that would be accepted', 0, ['inspect', cookie]],
    ['is 0 for one that is piped in', 0, ['inspect'], { input: `${cookie}\n` }],
    ['is 0 for one that is piped in where a - stands for it', 0, ['inspect', '-'], { input: cookie }],
    ['is 0 for an argument, whatever is piped in', 0, ['inspect', cookie], { input: 'another' }],
    ['is 0 with options in any place', 0, ['--json', 'inspect', '--key', 'koa.sess', cookie, '--show']],
    ['is 0 for a cookie behind --', 0, ['inspect', '--', cookie]],
    ['is 0 for one that nobody signs', 0, ['inspect', '--unsigned', encoded(PAYLOAD)], { keys: '' }],
    ['is 0 for the help', 0, ['--help']],
    ['is 0 for the help of a command', 0, ['inspect', '-h']],
    ['is 0 for the version', 0, ['--version']],
    ['is 1 for a cookie that has expired', 1, ['inspect', signed({ ...PAYLOAD, _expire: 0 })]],
    ['is 1 for a foreign one', 1, ['inspect', signed(PAYLOAD, { secret: FOREIGN })]],
    ['is 1 for one of another name', 1, ['inspect', '--key', 'sid', cookie]],
    ['is 1 for one that nobody signed', 1, ['inspect', encoded(PAYLOAD)]],
    ['is 1 for one that nobody signed, without secrets, too', 1, ['inspect', encoded(PAYLOAD)], { keys: '' }],
    ['is 2 without a command', 2, []],
    ['is 2 for a command that is none', 2, ['open', cookie]],
    ['is 2 for an option that is none', 2, ['inspect', '--secret', 'x', cookie]],
    ['is 2 for a value where none belongs', 2, ['inspect', '--json=yes', cookie]],
    ['is 2 for an option without its value', 2, ['inspect', cookie, '--key']],
    ['is 2 for a name that no cookie can have', 2, ['inspect', '--key', 'a=b', cookie]],
    ['is 2 for a name with a space', 2, ['inspect', '--key', 'a b', cookie]],
    ['is 2 for an empty name', 2, ['inspect', '--key=', cookie]],
    ['is 2 for two cookies', 2, ['inspect', ...cookie.split(' ')]],
    ['is 2 where something follows keygen', 2, ['keygen', 'x']],
    ['is 2 for keygen with an option', 2, ['keygen', '--json']],
    ['is 2 at a terminal, without a cookie', 2, ['inspect']],
    ['is 2 at a terminal, for a -', 2, ['inspect', '-']],
    ['is 2 when nothing is piped in', 2, ['inspect'], { input: ' \n' }],
    ['is 2 for an empty argument', 2, ['inspect', '']],
    ['is 1 for as much as is taken, which is no cookie', 1, ['inspect'], { input: 'x'.repeat(65_536) }],
    ['is 2 for more than any header can be', 2, ['inspect'], { input: 'x'.repeat(65_537) }],
    ['is 2 for a signed cookie without secrets', 2, ['inspect', cookie], { keys: '' }],
    ['is 2 for a sealed cookie without secrets', 2, ['inspect', sealed(PAYLOAD)], { keys: ' ' }],
    ['is 2 for an empty secret behind a comma', 2, ['inspect', cookie], { keys: `${SECRETS[0]},` }],
    ['is 2 for secrets that begin as an array and are none', 2, ['inspect', cookie], { keys: '["a", ' }],
    ['is 2 for an array of other things', 2, ['inspect', cookie], { keys: '["a", 1]' }],
    ['is 2 for an empty secret in an array', 2, ['inspect', cookie], { keys: '[""]' }],
  ]
  for (const [claim, code, parameters, how] of rows) {
    await t.test(claim, async () => {
      const outcome = await ran(parameters, how)
      assert.equal(outcome.code, code, outcome.stdout + outcome.stderr)
      // What fails says so where a script does not read.
      assert.equal(outcome.stderr === '', code !== 2)
      assert.match(outcome.stderr, /^(koa-session: [^\n]*see koa-session --help\n)?$/)
    })
  }
})

test('secrets are separated by commas or white space, or are an array', async t => {
  const rows: ReadonlyArray<readonly [keys: string, position: number | undefined]> = [
    [`${OLDER}`, 0],
    [` ${FOREIGN},${OLDER} `, 1],
    [`${FOREIGN}\n${OLDER}\n`, 1],
    [`${FOREIGN} ,\t${OLDER}`, 1],
    [JSON.stringify([FOREIGN, OLDER]), 1],
    [` ["a secret, with spaces", "${OLDER}"]`, 1],
    [FOREIGN, undefined],
    ['[]', undefined],
  ]
  for (const [keys, position] of rows) {
    await t.test(JSON.stringify(keys), async () => {
      const { stdout } = await ran(['inspect', '--json', signed(PAYLOAD, { secret: OLDER })], { keys })
      assert.equal(JSON.parse(stdout).secret, position)
    })
  }
})

test('a secret with spaces works in an array', async () => {
  const text = signed(PAYLOAD, { secret: 'im a newer secret' })
  assert.equal((await ran(['inspect', text], { keys: '["im a newer secret"]' })).code, 0)
  assert.equal((await ran(['inspect', text], { keys: 'im a newer secret' })).code, 1)
})

test('people read it as this', async () => {
  const { stdout } = await ran(['inspect', signed({ ...PAYLOAD, _meta: { fresh: NOW - 90_000 } }, { secret: OLDER })])
  assert.equal(
    stdout,
    `koa.sess would be accepted
  session   in the cookie, signed
  secret    1, where 0 is the newest: the next response renews the cookie
  size      156 of 4096 bytes: koa.sess
  created   2023-11-14T21:13:20.000Z, 1 hour ago
  expires   2023-11-14T23:13:20.000Z, in 1 hour
  lifetime  2 hours idle (7200000 ms)
  fresh     2023-11-14T22:11:50.000Z, 1 minute ago
  data      2 keys
         21 bytes  user
         13 bytes  n
`,
  )
})

test('the version of the data is shown where they say one', async () => {
  const { stdout } = await ran(['inspect', signed({ ...PAYLOAD, _meta: { dataVersion: 3 } })])
  assert.match(stdout, /\n {2}fresh {5}never marked\n {2}version {3}3\n {2}data {6}2 keys\n/)
})

test('the page on the command line shows what is printed', async () => {
  const page = readFileSync(new URL('../../docs/command-line.md', import.meta.url), 'utf8')
  const created = Date.parse('2026-11-24T08:00:00Z')
  const payload = { user: 'ada', cart: [17, 42, 99], _expire: created + 24 * HOUR, _maxAge: 24 * HOUR }
  const text = signed(payload, { secret: 'older-secret' })
  const now = created + 3 * HOUR + 1
  const { stdout } = await ran(['inspect', text], { keys: 'newest-secret,older-secret', now })
  assert.ok(page.includes(`\`\`\`text\n${stdout}\`\`\`\n`), stdout)
})

test('the first line says what becomes of the cookie, and why', async t => {
  const rows: ReadonlyArray<readonly [text: string, line: RegExp]> = [
    ['a=1', /^koa\.sess would be refused: missing \(there is no cookie of this name/],
    [chunked({ big: 'x'.repeat(200) }, 150)[0] ?? '', /: missing \(it was cut into 3 pieces, and not all are there\)/],
    [signedValue('x'.repeat(5000)), /: size \(.* of more than 4096 bytes\)/],
    [encoded(PAYLOAD), /: signature \(no signature, koa\.sess\.sig, came with it/],
    [signed(PAYLOAD, { secret: FOREIGN }), /: signature \(it is not what one of the 2 secrets signed/],
    [sealed(PAYLOAD, { secret: FOREIGN }), /: signature \(it is not what one of the 2 secrets sealed/],
    [signed('[]'), /: undecodable \(it is not a session in base64\)/],
    [sealed('text'), /: undecodable \(.*no session is in it\)/],
    [signed({ _expire: NOW - HOUR }), /: expired \(its lifetime has ended\)/],
  ]
  for (const [text, line] of rows) {
    await t.test(String(line), async () => assert.match((await ran(['inspect', text])).stdout, line))
  }
  assert.match(
    (await ran(['inspect', cookie], { keys: '' })).stdout,
    /^koa\.sess can't be verified: secrets \(it is signed/,
  )
})

test('what is told of the rest', async t => {
  const rows: ReadonlyArray<readonly [text: string, line: RegExp]> = [
    [signedValue('id'), /session {3}in a store, which was not asked; its id is in the cookie, signed\n/],
    [chunked({ big: 'x'.repeat(200) }, 150).join('; '), /session {3}in 3 cookies, sealed\n/],
    [chunked({ big: 'x'.repeat(100) }, 150).join('; '), /session {3}in 2 cookies, sealed\n/],
    [chunked({ big: 'x'.repeat(200) }, 150).join('; '), /size {6}1\d\d of 4096 bytes: koa\.sess\.1\n/],
    [sealed(PAYLOAD, { secret: FOREIGN }), /session {3}in the cookie, sealed, and was not opened\n/],
    [signed(PAYLOAD, { secret: FOREIGN }), /secret {4}none: nothing of this is verified\n/],
    [cookie, /secret {4}0, the newest of 2\n/],
    [`${cookie}; koa.sess=2; koa.sess=3`, /ignored {3}2 more of the same name/],
    [`${cookie}; koa.sess=2`, /ignored {3}1 more of the same name/],
    [signed({ _expire: NOW }), /expires {3}2023-11-14T22:13:20\.000Z, 0 milliseconds ago\n/],
    [signed({ _session: true }), /expires {3}when the browser closes\n {2}lifetime {2}when the browser closes\n/],
    [
      signed({ a: 1 }),
      /created {3}not said\n {2}expires {3}not said\n {2}lifetime {2}not said\n {2}fresh {5}never marked\n/,
    ],
    [signed({ a: 1 }), /data {6}1 key\n/],
    [signed({ _expire: 1e308 }), /expires {3}1e\+308 ms, in /],
  ]
  for (const [text, line] of rows) {
    await t.test(String(line), async () => assert.match((await ran(['inspect', text])).stdout, line))
  }
  const { stdout } = await ran(['inspect', cookie], { keys: JSON.stringify(SECRETS.slice(0, 1)) })
  assert.match(stdout, /secret {4}0, the only one\n/)
})

test('values are printed only with --show', async () => {
  const shown = await ran(['inspect', '--show', cookie])
  assert.match(shown.stdout, /21 bytes {2}user = "ada-lovelace"\n/)
  assert.match((await ran(['inspect', '--show', signedValue('the-id')])).stdout, /id {8}the-id\n/)
  assert.doesNotMatch((await ran(['inspect', cookie])).stdout, /lovelace/)
})

test('JSON is one line, and says what is said to people', async () => {
  const { stdout } = await ran(['inspect', '--json', signed({ 'a\nb': 1, _expire: NOW - 1 })])
  assert.match(stdout, /^[^\n]*\n$/)
  const { verdict, reason, data } = JSON.parse(stdout)
  assert.deepEqual(
    { verdict, reason, data },
    { verdict: 'refused', reason: 'expired', data: [{ name: 'a\nb', bytes: 8 }] },
  )
})

/** What a terminal obeys: C0, DEL and C1 but for the ends of lines, and what turns the direction of text. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it is about
const OBEYED = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/

const HOSTILE = '\u001b]0;owned\u0007\u009b31m\r\n\u0000\u007f\u202e\u2028\ud800\\"'

test('nothing that a terminal obeys is printed, and JSON means the same without it', async () => {
  const text = sealed({ [HOSTILE]: HOSTILE, [`${HOSTILE}2`]: { deep: [HOSTILE] } })
  const id = sealed(0, { purpose: 'id', text: HOSTILE })
  for (const parameters of [
    [text],
    [id],
    [HOSTILE],
    [`koa.sess=${HOSTILE}`, '--unsigned'],
    ['--key', '\u001b[31m', 'x'],
  ]) {
    for (const json of [[], ['--json']]) {
      const { stdout, stderr } = await ran(['inspect', '--show', ...json, ...parameters])
      assert.doesNotMatch(stdout + stderr, OBEYED)
      if (json.length > 0) JSON.parse(stdout)
    }
  }
  const report = JSON.parse((await ran(['inspect', '--json', '--show', text])).stdout)
  assert.deepEqual(report.data.find((entry: { name: string }) => entry.name === HOSTILE)?.value, HOSTILE)
  const { stderr } = await ran(['inspect', '--\u001b[31m'])
  assert.match(stderr, /Unknown option '--\\u001b\[31m'/)
})

test('an option that is none is named, and what it was given is not', async () => {
  for (const parameter of [`--secret=${OLDER}`, `--keys=${OLDER}`, `--json=${OLDER}`]) {
    const { stdout, stderr } = await ran(['inspect', parameter])
    assert.equal(stdout, '')
    assert.match(stderr, /^koa-session: [^\n.]*'--\w+'[^\n.]*; see koa-session --help\n$/)
    assert.doesNotMatch(stderr, new RegExp(OLDER))
  }
})

test('secrets, and values of the data, are in nothing that is printed', async () => {
  const cookies = [
    cookie,
    sealed(PAYLOAD),
    signedValue('the-id'),
    encoded(PAYLOAD),
    signed(PAYLOAD, { secret: FOREIGN }),
  ]
  const keys = [KEYS, JSON.stringify(SECRETS), `["${OLDER}`, `["${OLDER}", 1]`, `[${OLDER}]`, '']
  const outcomes: Outcome[] = []
  for (const text of cookies) {
    for (const each of keys)
      for (const json of [[], ['--json']]) outcomes.push(await ran(['inspect', text, ...json], { keys: each }))
  }
  for (const { stdout, stderr } of outcomes) assert.doesNotMatch(stdout + stderr, /Secret-0|lovelace|123456789|the-id/)
  assert.deepEqual(new Set(outcomes.map(({ code }) => code)), new Set([0, 1, 2]))
})

test('data that is nested beyond what JSON can write is undecodable, and no error', async () => {
  const nested = (depth: number) => `{"text":"[[{\\"","a":${'['.repeat(depth)}${']'.repeat(depth)}}`
  for (const [depth, reason] of [
    [2999, 'size'],
    [3000, 'size'],
    [20_000, 'size'],
  ] as const) {
    const { stdout } = await ran(['inspect', '--json', '--show', signedValue(encoded(nested(depth)))])
    assert.equal(JSON.parse(stdout).reason, reason)
    assert.equal('data' in JSON.parse(stdout), depth < 3000)
  }
})

test('whatever the text and the name are, there is a report within a moment, on printable lines', async () => {
  const piece = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom(
      cookie,
      sealed(PAYLOAD),
      encoded(PAYLOAD),
      ...chunked(PAYLOAD, 100),
      'koa.sess',
      '=',
      '; ',
      '"',
      '2~',
    ),
    fc.json().map(text => sealed(0, { text })),
    fc.object().map(value => signed(value)),
  )
  const text = fc.array(piece, { maxLength: 6 }).map(pieces => pieces.join(''))
  await fc.assert(
    fc.asyncProperty(text, fc.boolean(), fc.boolean(), async (input, isJson, show) => {
      const options = [...(isJson ? ['--json'] : []), ...(show ? ['--show'] : [])]
      const { code, stdout, stderr } = await ran(['inspect', ...options], { input })
      assert.ok([0, 1, 2].includes(code))
      assert.doesNotMatch(stdout + stderr, OBEYED)
      if (isJson && stdout) assert.equal(JSON.parse(stdout).key, 'koa.sess')
    }),
    { numRuns: 300 },
  )
})

test('the longest input takes no longer than its length allows', async () => {
  const longest = (text: string) => text.repeat(65_536 / text.length)
  const texts = [
    '=',
    ';',
    '"',
    'koa.sess=',
    'koa.sess=2~;',
    'koa.sess.1=x;',
    '\n',
    'cookie:',
    '[',
    '{"',
    '"\\',
    ' ',
    'A',
  ]
  for (const part of texts) {
    const input = `koa.sess=${encoded(longest(part).slice(0, 49_000))}`
    for (const text of [longest(part), input]) {
      const start = performance.now()
      await ran(['inspect', '--unsigned'], { input: `x${text}`.slice(0, 65_536) })
      // Quadratic parsing would take seconds.
      assert.ok(performance.now() - start < 1000, `${JSON.stringify(part)} took ${performance.now() - start} ms`)
    }
  }
})
