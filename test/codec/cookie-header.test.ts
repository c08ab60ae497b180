/** Cookies in a request's Cookie header, row by row. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { find, isValueAlone } from '../../src/codec/cookie-header.ts'

/** A header, and every value of the cookie `s` in it, from the first one on. */
const HEADERS: ReadonlyArray<readonly [header: string, ...values: string[]]> = [
  [''],
  ['s'],
  ['s=', 's='],
  ['s=1', 's=1'],
  ['a=1; s=2', 's=2'],
  ['s=1; a=2', 's=1'],
  ['a=1;s=2;b=3', 's=2'],
  ['a=1;   s=2', 's=2'],
  ['  s=1', 's=1'],
  ['as=1'],
  ['a s=1'],
  ['a=s=1'],
  ['a=1, s=2'],
  ['as=1; s=2', 's=2'],
  ['S=1'],
  ['s.sig=1'],
  ['s=1; s=2', 's=1', 's=2'],
  ['s=1; s=2; s=3; s=4; s=5; s=6', 's=1', 's=2', 's=3', 's=4'],
  ['s=a=b', 's=a=b'],
  ['s=a s=b', 's=a s=b'],
  ['s=1 ; a=2', 's=1 '],
  ['s="quoted"', 's=quoted'],
  ['s="quoted"; a=1', 's=quoted'],
  ['s=""', 's='],
  ['s=a"b"', 's=a"b"'],
  ['s=1; s="2"', 's=1', 's=2'],
]

for (const [header, ...values] of HEADERS) {
  test(`in "${header}" s is ${values.join(' and ') || 'not there'}`, () => {
    const found = [0, 1, 2, 3, 4, 5].map(nth => find(header, 's=', nth))
    assert.deepEqual(found, Object.assign(Array(6).fill(undefined), values))
    assert.equal(find(header, 's='), values[0])
  })
}

/** Texts that somebody may have instead of a header, and whether they are one value of the cookie `s`. */
const ALONE: ReadonlyArray<readonly [text: string, isAlone: boolean]> = [
  ['eyJhIjoxfQ', true],
  ['eyJhIjoxMX0=', true],
  ['eyJhIjoxfQ=', false],
  ['eyJhIjoxfQ==', true],
  ['eyJhIjoxfQ===', false],
  ['id-of-a_session.1', true],
  ['theme=', false],
  ['s.sig=', false],
  ['', false],
  ['=', false],
  ['==', false],
  ['s=', false],
  ['s=value', false],
  ['ss=', false],
  ['other=value', false],
  ['a; b', false],
  ['a;', false],
  ['a b', false],
  [' a', false],
  ['a=\n', false],
]

test('a value alone has no name, no blank and no semicolon, and = at its end alone', () => {
  for (const [text, isAlone] of ALONE) assert.equal(isValueAlone(text, 's'), isAlone, JSON.stringify(text))
})
