import assert from 'node:assert/strict'
import { webcrypto } from 'node:crypto'
import { readFileSync } from 'node:fs'
import test from 'node:test'
import { createKeyrings } from '../../src/codec/keyring.ts'
import { open, seal, sealContext } from '../../src/codec/sealed.ts'

/** One line of `test/vectors/sealed.json`. The secret is text, or bytes in hex; so are nonce, key and hint. */
interface Vector {
  readonly claim: string
  readonly secret?: string
  readonly secretHex?: string
  readonly purpose: string
  readonly name: string
  readonly nonce: string
  readonly text: string
  readonly key: string
  readonly hint: string
  readonly sealed: string
}

const vectors: readonly Vector[] = JSON.parse(readFileSync(new URL('../vectors/sealed.json', import.meta.url), 'utf8'))
const hex = (text: string) => Buffer.from(text, 'hex')
const utf8 = (text: string) => new TextEncoder().encode(text)
const secretOf = ({ secret, secretHex = '' }: Vector) => secret ?? hex(secretHex)

/** Opens what the comment in `sealed.ts` describes with WebCrypto, without anything of this package. */
async function openByWebCrypto(sealed: string, secret: Uint8Array, purpose: string, name: string): Promise<string> {
  const { subtle } = webcrypto
  const bytes = Buffer.from(sealed, 'base64url')
  const [head, nonce, rest] = [bytes.subarray(0, 5), bytes.subarray(5, 17), bytes.subarray(17)]
  const material = await subtle.importKey('raw', secret, 'HKDF', false, ['deriveBits', 'deriveKey'])
  const from = (info: string) => ({ name: 'HKDF', hash: 'SHA-256', salt: utf8('koa-session'), info: utf8(info) })
  const hint = Buffer.from(await subtle.deriveBits(from('koa-session sealed 1 hint'), material, 32))
  assert.deepEqual(head, Buffer.concat([Buffer.from([1]), hint]))
  const aes = { name: 'AES-GCM', length: 256 }
  const key = await subtle.deriveKey(from('koa-session sealed 1 key'), material, aes, false, ['decrypt'])
  const additionalData = Buffer.concat([head, utf8(JSON.stringify([purpose, name]))])
  const text = await subtle.decrypt({ name: 'AES-GCM', iv: nonce, additionalData, tagLength: 128 }, key, rest)
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(text)
}

test('there are six vectors', () => assert.equal(vectors.length, 6))

for (const vector of vectors) {
  const { claim, purpose, name, nonce, text, key, hint, sealed } = vector
  const keyring = createKeyrings()([secretOf(vector)])
  const context = sealContext(purpose, name)

  test(`the vector is sealed and opened as it is written: ${claim}`, () => {
    assert.equal(keyring[0]?.cipherKey.export().toString('hex'), key)
    assert.equal(keyring[0]?.hint, hex(hint).readUInt32BE())
    assert.equal(
      seal(text, keyring, context, () => hex(nonce)),
      sealed,
    )
    assert.deepEqual(open(sealed, keyring, context), { text, position: 0 })
  })

  test(`WebCrypto opens the vector from the documented layout alone: ${claim}`, async () => {
    assert.equal(await openByWebCrypto(sealed, Buffer.from(secretOf(vector)), purpose, name), text)
  })
}

test('WebCrypto opens what is sealed now, and refuses it for another cookie', async () => {
  const secret = 'a secret of this test'
  const value = seal('{"user":"ada"}', createKeyrings()([secret]), sealContext('session', 'koa.sess'))
  assert.equal(await openByWebCrypto(value, utf8(secret), 'session', 'koa.sess'), '{"user":"ada"}')
  await assert.rejects(openByWebCrypto(value, utf8(secret), 'session', 'other'), { name: 'OperationError' })
})
