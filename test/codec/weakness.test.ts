import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import test from 'node:test'
import type { Secret } from '../../src/codec/keyring.ts'
import { type Weakness, weaknessOf } from '../../src/codec/weakness.ts'

const table: ReadonlyArray<readonly [claim: string, secret: Secret, weakness: Weakness | undefined]> = [
  ['that of the readme of koa-session', 'some secret hurr', 'known'],
  ['the first one of the guide of Koa', 'im a newer secret', 'known'],
  ['the second one of the guide of Koa', 'i like turtle', 'known'],
  ['that of the readme of express-session', 'keyboard cat', 'known'],
  ['that of the readme of keygrip', 'SEKRIT1', 'known'],
  ['an example of koa-session', 'insert 64 bytes random string', 'known'],
  ['that of the readme of iron-session', 'complex_password_at_least_32_characters_long', 'known'],
  ['that of the readme of @fastify/session', 'a secret with minimum length of 32 characters', 'known'],
  ['that of the guide of NestJS', 'averylogphrasebiggerthanthirtytwochars', 'known'],
  ['that of the readme of @hapi/yar', 'the-password-must-be-at-least-32-characters-long', 'known'],
  ['that of the readme of @hapi/cookie', 'password-should-be-32-characters', 'known'],
  ['a default of Superset', 'CHANGE_ME_TO_A_COMPLEX_RANDOM_SECRET', 'known'],
  ['the word itself', 'secret', 'known'],
  ['a request', 'change me', 'known'],
  ['a well-known one in capitals', 'SOME SECRET HURR', 'known'],
  ['a well-known one with other separators', 'Some_Secret-Hurr', 'known'],
  ['a well-known one with white space around it', ' keyboard cat\n', 'known'],
  ['a well-known one as bytes', Buffer.from('keyboard cat'), 'known'],
  ['a part of a well-known one', 'keyboard', 'short'],
  ['a well-known one and more', 'keyboard cat keyboard dog keyboard emu', undefined],
  ['a well-known one and letters beyond ASCII', 'keyboard cat äöüß', undefined],
  ['nothing', '', 'short'],
  ['no bytes', new Uint8Array(), 'short'],
  ['15 characters', 'abcdefghijklmno', 'short'],
  ['16 characters', 'abcdefghijklmnop', undefined],
  ['15 bytes', Uint8Array.from({ length: 15 }, (_, at) => at), 'short'],
  ['16 bytes', Uint8Array.from({ length: 16 }, (_, at) => at), undefined],
  ['8 characters of 2 bytes each', 'äöüßéèàñ', undefined],
  ['7 characters of 2 bytes each', 'äöüßéèà', 'short'],
  ['one character again and again', 'a'.repeat(64), 'repetitive'],
  ['bytes of zeros', new Uint8Array(32), 'repetitive'],
  ['a word again and again', 'password'.repeat(4), 'repetitive'],
  ['15 characters twice', 'abcdefghijklmno'.repeat(2), 'repetitive'],
  ['16 characters twice', 'abcdefghijklmnop'.repeat(2), undefined],
  ['the digits again and again, but not to the end', `${'0123456789'.repeat(3)}01`, 'repetitive'],
  ['15 characters, and most of them again', 'abcdefghijklmnoabcdefghijklmn', undefined],
  ['4 different characters', 'abcdabdcacbdacdbadbcadcb', 'repetitive'],
  ['5 different characters', 'abcdabdcacbdacdbadbcadce', undefined],
  ['a phrase', 'correct horse battery staple', undefined],
  ['what `openssl rand -hex 32` gives', 'c2f7a53b6f0e9d184cb3d0a1e7f25964823b1d0c9ae6f57748d3c1b2a0956e7f', undefined],
  ['what `openssl rand -base64 32` gives', 'Zr9xUu7dGk2m0bq4mS8hPz1YwJt5nC3vLaXeFi6oRyE=', undefined],
]

for (const [claim, secret, weakness] of table) {
  test(`a secret that is ${claim} is ${weakness ?? 'not known to be weak'}`, () => {
    assert.equal(weaknessOf(secret), weakness)
  })
}

test('random secrets are not known to be weak, whatever they are written in', () => {
  for (let n = 0; n < 2000; n++) {
    const secret = randomBytes(16 + (n % 48))
    for (const written of [secret, secret.toString('hex'), secret.toString('base64url')]) {
      assert.equal(weaknessOf(written), undefined, secret.toString('hex'))
    }
  }
})
