import assert from 'node:assert/strict'
import test from 'node:test'
import { digest, fingerprint, fingerprintOf, nameIn } from '../../src/codec/digest.ts'

test('a digest is the SHA-256 in base64url', () => {
  // FIPS 180-2, B.1.
  const abc = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
  assert.equal(digest('abc'), Buffer.from(abc, 'hex').toString('base64url'))
  assert.equal(digest('ä'), digest('\u00e4'))
})

test('a fingerprint is the beginning of the digest in hex', () => {
  assert.equal(fingerprintOf(digest('abc')), 'ba7816bf')
  assert.equal(fingerprint('abc'), 'ba7816bf')
  assert.equal(fingerprint(undefined), undefined)
})

/** Values, and the name that each is; nothing: none. */
const NAMES: ReadonlyArray<readonly [value: unknown, name: string | undefined]> = [
  ['ann', 'ann'],
  ['', ''],
  [0, '0'],
  [-7, '-7'],
  [2 ** 53 - 1, '9007199254740991'],
  [2n ** 64n, '18446744073709551616'],
  [2 ** 53, undefined],
  [0.5, undefined],
  [Number.NaN, undefined],
  [true, undefined],
  [undefined, undefined],
  [null, undefined],
  [['ann'], undefined],
  [new String('ann'), undefined],
]

test('a name is a text, or a whole number that is exact', () => {
  for (const [value, name] of NAMES) assert.equal(nameIn(value), name)
})
