/** Signatures as Keygrip makes them, and what can sign. */
import assert from 'node:assert/strict'
import { createHmac, createPublicKey, createSecretKey, generateKeyPairSync } from 'node:crypto'
import test from 'node:test'
import { isEqual, isSigningSecret, signBy } from '../../src/codec/signature.ts'
import { newSecret } from '../support/secrets.ts'

const { privateKey } = generateKeyPairSync('ed25519')
/** With a letter that is not ASCII. */
const SECRET = `é${newSecret()}`

const SIGNING: ReadonlyArray<readonly [what: string, value: unknown, isGood: boolean]> = [
  ['a text', 'a', true],
  ['bytes', new Uint8Array([1]), true],
  ['a Buffer', Buffer.from('a'), true],
  ['a secret KeyObject', createSecretKey(Buffer.from('a')), true],
  ['an empty text', '', false],
  ['a blank text', ' ', false],
  ['no bytes', new Uint8Array(), false],
  ['a KeyObject without bytes', createSecretKey(Buffer.alloc(0)), false],
  ['a private KeyObject', privateKey, false],
  ['a public KeyObject', createPublicKey(privateKey), false],
  ['a number', 1, false],
  ['an object with a size', { symmetricKeySize: 1 }, false],
  ['nothing', undefined, false],
  ['null', null, false],
]

for (const [what, value, isGood] of SIGNING) {
  test(`${what} ${isGood ? 'can' : 'can not'} sign`, () => {
    assert.equal(isSigningSecret(value), isGood)
  })
}

test('the signature is the HMAC of the text in base64url, whatever the secret is given as', () => {
  const signature = createHmac('sha1', SECRET).update('s=é').digest('base64url')
  const bytes = Buffer.from(SECRET)
  for (const secret of [SECRET, SECRET, bytes, new Uint8Array(bytes), createSecretKey(bytes)]) {
    assert.equal(signBy(secret, 's=é'), signature)
  }
  assert.notEqual(signBy(SECRET, 's=e'), signature)
  assert.notEqual(signBy('another', 's=é'), signature)
})

test('more secrets than are kept sign as well', () => {
  for (let n = 0; n < 250; n++) {
    const secret = `secret ${n % 120}`
    assert.equal(signBy(secret, 'text'), createHmac('sha1', secret).update('text').digest('base64url'))
  }
})

const EQUAL: ReadonlyArray<readonly [text: string, other: string, isSame: boolean]> = [
  ['abc', 'abc', true],
  ['abc', 'abd', false],
  ['xbc', 'abc', false],
  ['abc', 'ab', false],
  ['ab', 'abc', false],
  ['', 'a', false],
  ['', '', true],
  ['longer than before', 'longer than before', true],
  ['longer than before', 'longer than befare', false],
  // More bytes than characters: no signature.
  ['é', 'é', false],
  ['é', 'e', false],
  ['e', 'é', false],
  ['ab', 'é', false],
  ['abc', 'abc', true],
]

test('texts are equal, if they are of one byte a character', () => {
  for (const [text, other, isSame] of EQUAL) assert.equal(isEqual(text, other), isSame, `${text} and ${other}`)
})
