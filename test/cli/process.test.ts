/** Stories of the real process: of the source, or of what is built with `scripts/test.mjs --dist`. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'
import { encoded, ONE_DAY, packages, serve, signature } from '../compat/both.ts'
import { run, SECRET } from './spawned.ts'

/** A Cookie header with a session that ends so many milliseconds from now. */
function header(left: number): string {
  const value = encoded({ user: 'ada-lovelace', _expire: Date.now() + left, _maxAge: ONE_DAY })
  return `koa.sess=${value}; koa.sess.sig=${signature('koa.sess', value, SECRET)}`
}

test('keygen prints a secret and a new line, another one each time', async () => {
  const [one, other] = await Promise.all([run(['keygen']), run(['keygen'])])
  assert.match(one.stdout, /^[\w-]{43}\n$/)
  assert.deepEqual([one.code, one.stderr], [0, ''])
  assert.notEqual(one.stdout, other.stdout)
})

test('a secret of keygen signs what inspect accepts', async t => {
  const { stdout: keys } = await run(['keygen'])
  const page = { '/': (ctx: { session: object }) => void Object.assign(ctx.session, { user: 'ada' }) }
  const { app, visitor } = await serve(t, app => packages['8']({}, app), page)
  app.keys = [keys.trim()]
  await visitor.get('/')
  const cookies = [...visitor.jar].map(([name, value]) => `${name}=${value}`).join('; ')
  const { code, stdout } = await run(['inspect', '--json', cookies], { keys })
  assert.equal(code, 0)
  const { verdict, secret, data } = JSON.parse(stdout)
  assert.deepEqual({ verdict, secret, data }, { verdict: 'accepted', secret: 0, data: [{ name: 'user', bytes: 12 }] })
})

test('a cookie that would be accepted ends with 0, one that would be refused with 1, and says nothing else', async () => {
  const [good, bad] = await Promise.all([run(['inspect', header(ONE_DAY)]), run(['inspect', header(-1000)])])
  assert.deepEqual([good.code, good.stderr], [0, ''])
  assert.deepEqual([bad.code, bad.stderr], [1, ''])
  assert.match(good.stdout, /^koa\.sess would be accepted\n/)
  assert.match(bad.stdout, /^koa\.sess would be refused: expired /)
})

test('a cookie is read from standard input', async () => {
  const outcomes = [
    run(['inspect', '--json'], { input: `${header(ONE_DAY)}\n` }),
    run(['inspect', '--json', '-'], { input: header(ONE_DAY) }),
  ]
  for (const { code, stdout } of await Promise.all(outcomes)) {
    assert.deepEqual([code, JSON.parse(stdout).verdict], [0, 'accepted'])
  }
})

test('an input without an end is refused, and not waited for', async () => {
  const { code, stdout, stderr } = await run(['inspect'], { input: 'x'.repeat(100_000), isOpen: true })
  assert.deepEqual([code, stdout], [2, ''])
  assert.match(stderr, /more than 65536 characters/)
})

test('wrong usage ends with 2, and says so on standard error alone', async () => {
  const all = [['inspect'], ['inspect', '--nope', 'x'], ['nope'], [], ['keygen', 'x']]
  for (const { code, stdout, stderr } of await Promise.all(all.map(parameters => run(parameters)))) {
    assert.deepEqual([code, stdout], [2, ''])
    assert.match(stderr, /^koa-session: [^\n]+; see koa-session --help\n$/)
  }
})

test('the exit code is the same where nobody reads what goes wrong', async () => {
  assert.deepEqual(await run(['nope'], { isUnheard: true }), { code: 2, stdout: '', stderr: '' })
})

test('without secrets a signed cookie ends with 2: the report is valid JSON, and what is wrong is on standard error', async () => {
  const { code, stdout, stderr } = await run(['inspect', '--json', header(ONE_DAY)], { keys: '' })
  assert.deepEqual([code, JSON.parse(stdout).verdict], [2, 'unknown'])
  assert.match(stderr, /^koa-session: secrets are needed in KOA_SESSION_KEYS/)
})

test('neither the secret nor a value is printed, however it is called', async () => {
  const all = [[], ['--json'], ['--unsigned'], ['--key', 'other'], ['--nope']]
  const outcomes = await Promise.all([
    ...all.map(options => run(['inspect', ...options, header(ONE_DAY)])),
    run(['inspect', header(ONE_DAY)], { keys: `["${SECRET}` }),
  ])
  for (const { stdout, stderr } of outcomes) assert.doesNotMatch(stdout + stderr, new RegExp(`${SECRET}|lovelace`))
})

test('the help has the exit codes and the rule for secrets, and the version is that of the package', async () => {
  const [help, version] = await Promise.all([run(['--help']), run(['--version'])])
  assert.match(help.stdout, /Exit codes of inspect:\n {2}0 [\s\S]*\n {2}1 [\s\S]*\n {2}2 /)
  assert.match(help.stdout, /Exit codes of sessions:\n {2}0 [\s\S]*\n {2}1 [\s\S]*\n {2}2 [\s\S]*\n {2}130 /)
  assert.match(help.stdout, /KOA_SESSION_KEYS/)
  assert.deepEqual([help.code, help.stderr, version.code], [0, '', 0])
  const { version: expected } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  assert.equal(version.stdout, `${expected}\n`)
})
