import assert from 'node:assert/strict'
import test from 'node:test'
import { digest } from '../../src/codec/digest.ts'

test('a digest is the SHA-256 in base64url', () => {
  // FIPS 180-2, B.1.
  const abc = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
  assert.equal(digest('abc'), Buffer.from(abc, 'hex').toString('base64url'))
  assert.equal(digest('ä'), digest('\u00e4'))
})
