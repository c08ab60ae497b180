/* The runner of the tests, on files that fail in every way there is: none may hang, and none may pass. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import { choose } from '../../scripts/tests/choice.mjs'
import { runProcess } from '../../scripts/tests/process.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))

async function run(t, code, limit = 60_000) {
  const folder = mkdtempSync(join(tmpdir(), 'koa-session-run-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'some.test.mjs')
  writeFileSync(file, `import test, { describe, before } from 'node:test'\n${code}`)
  const { counts, failures } = await runProcess(file, { limit, cwd: root, env: process.env })
  return { ...counts, failures }
}

const titles = ({ failures }) => failures.map(({ title }) => title)

test('what passes, is skipped or is still to do is counted, and suites are not', async t => {
  const { failures, ...counts } = await run(
    t,
    `describe('suite', () => { test('one', () => {}) })
     test('two', t => t.test('three', () => {}))
     test('four', { skip: 'why' }, () => {})
     test('five', { todo: true }, () => { throw new Error('later') })`,
  )
  assert.deepEqual(counts, { pass: 3, fail: 0, cancelled: 0, skipped: 1, todo: 1 })
  assert.deepEqual(
    failures.filter(({ title }) => title !== 'five'),
    [],
  )
})

test('what fails is named with what is around it, and comes with its error', async t => {
  const made = await run(t, `describe('suite', () => { test('one', () => { throw new TypeError('no number') }) })`)
  assert.deepEqual([made.pass, made.fail, titles(made)], [0, 1, ['suite › one']])
  assert.match(made.failures[0].error, /^TypeError: no number\n +at .*some\.test\.mjs/)
})

const ENDLESS = {
  'a test that never settles, with something open,': [
    `test('endless', () => new Promise(() => { setInterval(() => {}, 1e6) }))`,
    'endless',
  ],
  'a test whose loop has no end': [`test('endless', () => { for (;;); })`, 'the file'],
  'what is before a test and never settles': [
    `describe('endless', () => { before(() => new Promise(() => setInterval(() => {}, 1e6))); test('one', () => {}) })`,
    'endless',
  ],
  'a process that has something open after its tests': [
    `test('one', () => { setInterval(() => {}, 1e6) })`,
    'the file',
  ],
}
for (const [name, [code, title]] of Object.entries(ENDLESS)) {
  test(`${name} fails within the limit`, async t => {
    const made = await run(t, code, 4000)
    assert.equal(made.fail, 1)
    assert.deepEqual(titles(made), [title])
    assert.match(made.failures[0].error, /did not end within 4 s/)
  })
}

test('a test that never settles, with nothing open, fails or is cancelled', async t => {
  // On Node 24 and later it is node:test itself that keeps the process alive.
  const made = await run(t, `test('endless', () => new Promise(() => {}))`, 4000)
  assert.equal(made.fail + made.cancelled, 1)
  assert.deepEqual(titles(made), ['endless'])
})

const SILENT = {
  'cannot be loaded': `import 'there-is-no-such-package'`,
  'leaves in the middle of a test': `test('one', () => { process.exit(0) })`,
  'has no test': '',
}
for (const [name, code] of Object.entries(SILENT)) {
  test(`a file that ${name} fails`, async t => {
    const made = await run(t, code)
    assert.deepEqual([made.pass, made.fail, titles(made)], [0, 1, ['the process']])
  })
}

test('each word has to be in the path of a test', () => {
  const all = ['test/koa/a.test.ts', 'test/session/b.test.ts', 'test/stores/servers/c.test.ts']
  const choice = (words, kind = {}) => choose(all, { words, ...kind })
  assert.deepEqual(choice([]), { files: [all[2], all[0], all[1]], missing: [] })
  assert.deepEqual(choice(['test/koa']), { files: [all[0]], missing: [] })
  assert.deepEqual(choice(['koa', 'nope']), { files: [all[0]], missing: ['nope'] })
  assert.deepEqual(choice(['test/session'], { isDist: true }), { files: [], missing: ['test/session'] })
  assert.deepEqual(choice([], { isDist: true }).files, [all[0]])
  assert.deepEqual(choice(['test/stores/servers'], { isDist: true }).files, [all[2]])
  assert.deepEqual(choice([], { isQuick: true }).files, [all[0], all[1]])
})
