import assert from 'node:assert/strict'
import test from 'node:test'
import { asciiOf, textOf } from '../../../src/stores/sql/ascii.ts'
import { dataFor, lifetimeFor, recordIn } from '../../../src/stores/sql/columns.ts'
import fc from '../../support/properties.ts'

const ASCII = /^[\0-\x7f]*$/

test('a JSON text is kept in ASCII, with the same value', () => {
  const rows: ReadonlyArray<readonly [text: string, kept: string]> = [
    ['"ada"', '"ada"'],
    ['{"a":[1,null]}', '{"a":[1,null]}'],
    ['"é"', '"\\u00e9" '],
    // The first unit that is not ASCII.
    ['"\u0080"', '"\\u0080" '],
    ['"🍪"', '"\\ud83c\\udf6a" '],
    ['{"né":"\u2028"}', '{"n\\u00e9":"\\u2028"} '],
    ['"\\\\u00e9 é"', '"\\\\u00e9 \\u00e9" '],
    ['"\\ud83c é"', '"\\ud83c \\u00e9" '],
    // Escapes that were there stay what they are.
    ['"\\u00e9"', '"\\u00e9"'],
    ['"\\u0000"', '"\\u0000"'],
    [' 1 ', ' 1  '],
  ]
  for (const [text, kept] of rows) {
    assert.equal(asciiOf(text), kept)
    assert.equal(textOf(kept), text)
    assert.deepEqual(JSON.parse(kept), JSON.parse(text))
  }
})

test('any value comes back as the text that it was', () => {
  const units = fc.array(fc.integer({ min: 0, max: 0xffff })).map(all => String.fromCharCode(...all))
  const value = fc.oneof(units, fc.jsonValue(), fc.dictionary(units, units))
  fc.assert(
    fc.property(value, value => {
      const text = JSON.stringify(value)
      const kept = asciiOf(text)
      assert.match(kept, ASCII)
      assert.equal(textOf(kept), text)
    }),
  )
})

test('no column has anything but ASCII, and one of an older version is read', () => {
  const members = { né: '"é"', '🍪': '{"é":"\\ud800🍪"}' }
  const data = dataFor(members)
  const lifetime = lifetimeFor({ _expire: 'é' } as object)
  for (const column of [data, lifetime, dataFor({}, ['ü'])]) assert.match(column, ASCII)
  const row = { retired_at: null, version: 0, subject: null, lifetime }
  assert.deepEqual(recordIn({ ...row, data })?.members, members)
  const old = JSON.stringify({ 'n~00e9': '"é"', b: '"\\ud800"' })
  assert.deepEqual(recordIn({ ...row, data: old })?.members, { né: '"é"', b: '"\\ud800"' })
  assert.deepEqual(recordIn({ ...row, data: old })?.lifetime, { _expire: 'é' })
})
