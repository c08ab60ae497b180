import assert from 'node:assert/strict'
import test from 'node:test'
import { decodeName, encodeName } from '../../../src/stores/sql/names.ts'
import fc from '../../support/properties.ts'

/** Any string: with lone surrogates, which `unit: 'binary'` has none of. */
const anyString = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.array(fc.integer({ min: 0, max: 0xffff })).map(units => String.fromCharCode(...units)),
  fc.stringMatching(/^[~0-9a-f]{0,12}$/),
)

test('a name is in the table as it is, where it is plain', () => {
  for (const name of ['user', 'cart_2', 'a.b', '$.a', '__proto__', 'sess:4f-9', "it's"]) {
    assert.equal(encodeName(name), name)
  }
})

test('a name that no database would keep as it is gets another spelling', () => {
  const rows: ReadonlyArray<readonly [name: string, encoded: string]> = [
    ['', '~'],
    ['~', '~007e'],
    ['a b', 'a~0020b'],
    ['say "hi"', 'say~0020~0022hi~0022'],
    ['\\', '~005c'],
    ['\0', '~0000'],
    ['é', '~00e9'],
    ['🍪', '~d83c~df6a'],
    ['\ud83c', '~d83c'],
  ]
  for (const [name, encoded] of rows) {
    assert.equal(encodeName(name), encoded)
    assert.equal(decodeName(encoded), name)
  }
})

test('every name is in printable ASCII, and read as it was written', () => {
  fc.assert(
    fc.property(anyString, name => {
      const encoded = encodeName(name)
      assert.match(encoded, /^[!#-[\]-~]+$/)
      assert.equal(decodeName(encoded), name)
    }),
    { numRuns: 2000 },
  )
})
