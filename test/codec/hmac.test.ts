/** HMAC by one-shot hashes, compared with that of node:crypto. */
import assert from 'node:assert/strict'
import * as crypto from 'node:crypto'
import test from 'node:test'
import { hmacBy, hmacSha1 } from '../../src/codec/hmac.ts'
import fc from '../support/properties.ts'

const { createHmac, createSecretKey, randomBytes } = crypto
const byNode = (key: crypto.BinaryLike | crypto.KeyObject, text: string) =>
  createHmac('sha1', key).update(text).digest('base64url')

const VARIANTS = [
  ['as this Node has it', hmacSha1],
  ['without a one-shot hash', hmacBy(undefined)],
] as const

const text = (maxLength: number) => fc.string({ unit: 'binary', maxLength })
/** With letters that are not ASCII, and of a block (64 bytes), one less and more. */
const anyKey = fc.oneof(
  fc.string({ minLength: 1, maxLength: 300 }),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 100 }),
  fc.constantFrom(63, 64, 65, 128).map(length => 'k'.repeat(length)),
  fc.constantFrom(31, 32, 33).map(length => 'é'.repeat(length)),
  fc.uint8Array({ minLength: 1, maxLength: 200 }),
  fc.uint8Array({ minLength: 63, maxLength: 65 }).map(bytes => Buffer.from(bytes)),
  fc.uint8Array({ minLength: 1, maxLength: 200 }).map(bytes => createSecretKey(Buffer.from(bytes))),
)
const anyText = fc.oneof(text(200), fc.string({ maxLength: 5000 }), fc.constant('\ud800 alone'))

for (const [how, hmac] of VARIANTS) {
  test(`any key and any text have the HMAC of node:crypto, ${how}`, () => {
    fc.assert(
      fc.property(anyKey, anyText, (key, text) => assert.equal(hmac(key, text), byNode(key, text))),
      { numRuns: 3000 },
    )
  })

  test(`texts around the length that is hashed at once have it, ${how}`, () => {
    for (const length of [0, 55, 56, 63, 64, 65, 5460, 5461, 5462, 16_384, 50_000]) {
      for (const letter of ['a', 'é', '€', '😀']) {
        const text = letter.repeat(length)
        assert.equal(hmac('a key', text), byNode('a key', text), `${length} times ${letter}`)
      }
    }
  })

  test(`bytes of a key that change in place count, ${how}`, () => {
    const key = randomBytes(32)
    for (let n = 0; n < 3; n++) {
      key[n] = (key[n] ?? 0) ^ 1
      assert.equal(hmac(key, 'text'), byNode(key, 'text'))
    }
  })
}

test('the vectors of RFC 2202 hold', () => {
  const vectors: ReadonlyArray<readonly [key: string | Buffer, text: string, hex: string]> = [
    [Buffer.alloc(20, 0x0b), 'Hi There', 'b617318655057264e28bc0b6fb378c8ef146be00'],
    ['Jefe', 'what do ya want for nothing?', 'effcdf6ae5eb2fa2d27416d5f184df9c259a7c79'],
    [
      Buffer.alloc(80, 0xaa),
      'Test Using Larger Than Block-Size Key - Hash Key First',
      'aa4ae5e15272d00e95705637ce8a3b55ed402112',
    ],
  ]
  for (const [key, text, hex] of vectors)
    assert.equal(hmacSha1(key, text), Buffer.from(hex, 'hex').toString('base64url'))
})

test('a one-shot hash is used where there is one', () => {
  const asked: string[] = []
  const hash = (...given: Parameters<typeof crypto.hash>) => {
    asked.push(String(given[0]))
    return createHmac('sha1', 'not ours')
      .update('text')
      .digest(given[2] as 'binary')
  }
  hmacBy(hash as typeof crypto.hash)('a key', 'text')
  assert.deepEqual(asked, ['sha1', 'sha1'])
})
