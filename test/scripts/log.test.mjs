import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import { failedIn, sumsOf } from '../../scripts/tests/log.mjs'

const TAP = `TAP version 13
# Subtest: a table
    # Subtest: a row
    not ok 1 - a row
      ---
      error: '1 == 2'

      ...
    # Subtest: another row
    ok 2 - another row
not ok 1 - a table
  ---
  failureType: 'subtestsFailed'
  ...
ok 2 - a story
not ok 3 - a contract
  ---
  error: 'gone'
  ...
# pass 3
# fail 2
# cancelled 0
# skipped 1
# todo 0
`
const ROW = "    not ok 1 - a row\n      ---\n      error: '1 == 2'\n\n      ..."
const CONTRACT = "not ok 3 - a contract\n  ---\n  error: 'gone'\n  ..."

test('the counts of all runs are summed up, in TAP and as on a terminal, and what did not run is counted apart', () => {
  assert.deepEqual(sumsOf(`${TAP}ℹ pass 10\nℹ cancelled 1\nℹ todo 2\n# pass many\n`), {
    passed: 13,
    failed: 2,
    idle: 4,
  })
  assert.deepEqual(sumsOf('a stage without tests\n'), { passed: 0, failed: 0, idle: 0 })
})

test('the tests that failed themselves are shown with their errors, and not those around them', () => {
  assert.deepEqual(failedIn(TAP), [ROW, CONTRACT])
  assert.deepEqual(failedIn('ok 1 - good\n'), [])
})

test('the gate reads both from a file', t => {
  const folder = mkdtempSync(join(tmpdir(), 'koa-session-log-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'log')
  writeFileSync(file, TAP)
  const script = fileURLToPath(new URL('../../scripts/tests/log.mjs', import.meta.url))
  const read = (...parameters) => execFileSync(process.execPath, [script, file, ...parameters], { encoding: 'utf8' })
  assert.equal(read(), '3 2 1\n')
  assert.equal(read('--failures'), `${ROW}\n${CONTRACT}\n`)
})
