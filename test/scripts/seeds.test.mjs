/* Random inputs have a seed of their own in the gate: what imports fast-check past it would have none. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { fileURLToPath } from 'node:url'

const folder = fileURLToPath(new URL('..', import.meta.url))

test('the tests import fast-check by way of test/support/properties.ts', () => {
  const files = readdirSync(folder, { recursive: true }).map(String)
  const importing = files.filter(
    file => /\.ts$/.test(file) && /from 'fast-check'/.test(readFileSync(join(folder, file), 'utf8')),
  )
  assert.deepEqual(importing, [join('support', 'properties.ts')])
})
