/** What openSession() tells once in a process. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { openSession } from 'koa-session/open'
import { heard, warningsOf } from '../support/warnings.ts'

test('a secret that can be guessed is told', async t => {
  const warnings = warningsOf(t, 'KOA_SESSION_WEAK_SECRET')
  assert.deepEqual(await openSession('', { keys: ['secret'] }), { reason: 'missing' })
  await heard()
  assert.match(warnings[0]?.message ?? '', /openSession\(\): keys\[0\]/)
})
