/* No secret that somebody can read in this project keeps anybody out: not one is accepted in silence. */

import assert from 'node:assert/strict'
import test from 'node:test'
import session from 'koa-session'
import { memoryStore } from 'koa-session/memory'
import { weaknessOf } from '../../src/codec/weakness.ts'
import { createApp } from '../support/koa.ts'
import { newSecret } from '../support/secrets.ts'
import { inCode, inDocument, printedSecrets } from './printed.ts'

const isRefused = { code: 'ERR_SESSION_KEYS' }

test('a secret that is printed in a document, an example, a test or a script does not seal, and raises a warning when it signs', () => {
  const printed = printedSecrets()
  assert.ok(printed.length > 100, `${printed.length} were found`)
  for (const { where, secret } of printed) {
    for (const keys of [[secret], [newSecret(), secret]]) {
      assert.throws(() => session({ seal: true, keys }, createApp()), isRefused, where)
      assert.throws(() => memoryStore({ seal: keys }), isRefused, where)
    }
    assert.notEqual(
      weaknessOf(secret),
      undefined,
      `${where} has ${JSON.stringify(secret)}, which signs without a warning`,
    )
  }
})

test('printed secrets are found wherever they are given a name, or handed over', () => {
  const rows: ReadonlyArray<readonly [code: string, found: readonly string[]]> = [
    ["app.keys = ['one', process.env.A ?? 'two']", ['one', 'two']],
    ["session({ seal: true, keys: ['one', Buffer.from('two')] }, app)", ['one', 'two']],
    ["sqliteStore(db, { seal: isDevelopment ? ['one'] : secrets })", ['one']],
    ["const SECRETS = [...older, 'one']", ['one']],
    ["const [NEW, OLD] = ['one', 'two']", ['one', 'two']],
    ["new Keygrip(['one'])", ['one']],
    ["const secret = 'one'.padEnd(32, 'x')", ['x', 'one']],
    ["const secret = randomBytes(32).toString('hex')", []],
    ["const title = 'one'", []],
  ]
  const texts = (found: ReturnType<typeof inCode>) => found.map(({ secret }) => secret)
  for (const [code, found] of rows) {
    assert.deepEqual(texts(inCode('a.ts', code)), found, code)
    assert.deepEqual(texts(inDocument('a.md', `Do this:\n\`\`\`ts\n${code}\n\`\`\`\n`)), found, code)
  }
  assert.deepEqual(texts(inDocument('a.md', "`SESSION_KEYS='one,two' npm start`")), ['one', 'two'])
})
