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

/** What is given in place of a header, and whether it is the value of the cookie `s`. */
const TEXTS: Readonly<Record<string, boolean>> = {
  a1b2: true,
  'eyJhIjoxfQ==': true,
  'eyJhIjoxMX0=': true,
  'a-value_in.parts': true,
  's=1': false,
  's=': false,
  'a=1': false,
  'theme=': false,
  's.sig=': false,
  'a=1; s=2': false,
  's; a': false,
  '': false,
}

for (const [text, isAlone] of Object.entries(TEXTS)) {
  test(`"${text}" is ${isAlone ? 'a value' : 'a header'}`, () => assert.equal(isValueAlone(text, 's'), isAlone))
}
