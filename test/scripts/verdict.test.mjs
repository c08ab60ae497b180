import assert from 'node:assert/strict'
import test from 'node:test'
import { faultOf } from '../../scripts/tests/verdict.mjs'

const output = ({ pass = 10, fail = 0, cancelled = 0, skipped = 0, todo = 0 }) =>
  `# pass 3\n✓ test/a.test.ts  3 tests\n# pass ${pass}\n# fail ${fail}\n# cancelled ${cancelled}\n# skipped ${skipped}\n# todo ${todo}\n`

const RUNS = [
  ['with as many tests as are known is good', { status: 0, output: output({}) }, undefined],
  ['on a terminal is good', { status: 0, output: output({}).replaceAll('#', 'ℹ') }, undefined],
  ['that ends with another status is not', { status: 1, output: output({}) }, /status 1/],
  ['that was killed is not', { status: null, output: output({}) }, /was stopped/],
  ['with a failed test is not', { status: 0, output: output({ fail: 1 }) }, /1 tests that are "fail"/],
  ['with a cancelled test is not', { status: 0, output: output({ cancelled: 2 }) }, /2 tests that are "cancelled"/],
  ['with a skipped test is not', { status: 0, output: output({ skipped: 1 }) }, /"skipped"/],
  ['with a test that is to be written is not', { status: 0, output: output({ todo: 1 }) }, /"todo"/],
  [
    'with fewer tests than are known is not',
    { status: 0, output: output({ pass: 9 }) },
    /passed 9 tests, fewer than the 10/,
  ],
  ['that counts nothing is not', { status: 0, output: '' }, /did not say/],
  ['that counts only what passed is not', { status: 0, output: '# pass 10\n' }, /did not say/],
]

for (const [title, run, expected] of RUNS) {
  test(`a run ${title}`, () => {
    const fault = faultOf(run, 10)
    if (expected === undefined) assert.equal(fault, undefined)
    else assert.match(String(fault), expected)
  })
}
