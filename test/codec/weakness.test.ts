import assert from 'node:assert/strict'
import { randomBytes, randomInt } from 'node:crypto'
import test from 'node:test'
import type { Secret } from '../../src/codec/keyring.ts'
import { type Weakness, weaknessOf } from '../../src/codec/weakness.ts'

/** What can't be guessed is not printed here: it is made of so many characters of `alphabet`, each of them at least once. */
function made(length: number, alphabet: string): string {
  for (;;) {
    const text = Array.from({ length }, () => alphabet[randomInt(alphabet.length)]).join('')
    if (new Set(text).size === Math.min(new Set(alphabet).size, length)) return text
  }
}
const CONSONANTS = 'bcdfghjklmnpqrstvwxz'

const table: ReadonlyArray<readonly [claim: string, secret: Secret, weakness: Weakness | undefined]> = [
  ['that of the readme of koa-session', 'some secret hurr', 'known'],
  ['that of the readme of koa-session 8', 'a long random secret', 'known'],
  ['the first one of the guide of Koa', 'im a newer secret', 'known'],
  ['the second one of the guide of Koa', 'i like turtle', 'known'],
  ['that of the readme of express-session', 'keyboard cat', 'known'],
  ['that of the readme of keygrip', 'SEKRIT1', 'known'],
  ['an example of koa-session', 'insert 64 bytes random string', 'known'],
  ['another one', 'insert another 64 bytes random string', 'known'],
  ['that of the readme of iron-session', 'complex_password_at_least_32_characters_long', 'known'],
  ['that of the readme of @fastify/session', 'a secret with minimum length of 32 characters', 'known'],
  ['that of the guide of NestJS', 'averylogphrasebiggerthanthirtytwochars', 'known'],
  ['another one of it', 'averylogphrasebiggerthanfortytwochars', 'known'],
  ['that of @fastify/secure-session', 'thisISaSECRET_1234', 'known'],
  ['that of the readme of @hapi/yar', 'the-password-must-be-at-least-32-characters-long', 'known'],
  ['that of the readme of @hapi/cookie', 'password-should-be-32-characters', 'known'],
  ['a default of Superset', 'CHANGE_ME_TO_A_COMPLEX_RANDOM_SECRET', 'known'],
  ['another one of it', 'YOUR_OWN_RANDOM_GENERATED_SECRET_KEY', 'known'],
  ['one of its tests', 'TEST_NON_DEV_SECRET', 'known'],
  ['a request to change it', 'your-secret-key-change-in-production', 'known'],
  ['the word itself', 'secret', 'known'],
  ['a request', 'change me', 'known'],
  ['a well-known one in capitals', 'SOME SECRET HURR', 'known'],
  ['a well-known one with other separators', 'Some_Secret-Hurr', 'known'],
  ['a well-known one with white space around it', ' keyboard cat\n', 'known'],
  ['a well-known one as bytes', Buffer.from('keyboard cat'), 'known'],
  ['a well-known one with a number behind it', 'keyboard cat 2026', 'known'],
  ['a well-known one with a date behind it', 'changeme20261129changeme', 'known'],
  ['a well-known one with digits that count', 'password12345678901234567890', 'known'],
  ['a well-known one that is filled up', 'secret'.padEnd(32, 'x'), 'known'],
  ['a well-known one that is filled up with zeros', 'secret'.padEnd(32, '0'), 'known'],
  ['a word again and again', 'password'.repeat(4), 'known'],
  ['a word again and again, with numbers', 'password1password2password3password4', 'known'],
  ['of a variable that is not set', `session-secret-${undefined}-of-production`, 'known'],
  ['an object as text', String({}), 'known'],
  ['a promise as text', String(Promise.resolve()), 'known'],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: what a shell should have replaced
  ['a variable that nobody replaced', '${UNICORN_OF_THE_FAMILY_ALBUM_2026}', 'known'],
  ['what a shell should have run', '$(cat unicorn.of.the.family.album)', 'known'],
  ['a variable of a template', '{{ unicorn.of.the.family.album }}', 'known'],
  ['the name of a variable', '$SESSION_SECRET_OF_PRODUCTION_2026', 'known'],
  ['a placeholder', '<your long random secret goes here>', 'known'],
  ['a well-known phrase', 'correct horse battery staple', 'known'],
  ['the alphabet', 'abcdefghijklmnopqrstuvwxyz', 'known'],
  ['digits and letters in their order', '0123456789abcdef0123456789abcdef', 'known'],
  ['a well-known one and what is none', `keyboard cat ${made(8, CONSONANTS)}`, undefined],
  ['a well-known one and more digits than a date has', `secret ${made(12, '13579024680')}`, undefined],
  ['a well-known one and letters beyond ASCII', `keyboard cat ${made(4, 'äöüß')}`, undefined],
  ['nothing', '', 'short'],
  ['no bytes', new Uint8Array(), 'short'],
  ['digits alone', made(24, '1357902468'), undefined],
  ['15 characters', made(15, CONSONANTS), 'short'],
  ['16 characters', made(16, CONSONANTS), undefined],
  ['15 bytes', randomBytes(15), 'short'],
  ['16 bytes', randomBytes(16), undefined],
  ['8 characters of 2 bytes each', made(8, 'äöüßéèàñ'), undefined],
  ['7 characters of 2 bytes each', made(7, 'äöüßéèàñ'), 'short'],
  ['one character again and again', 'q'.repeat(64), 'known'],
  ['bytes of zeros', new Uint8Array(32), 'repetitive'],
  ['15 characters twice', made(15, CONSONANTS).repeat(2), 'repetitive'],
  ['16 characters twice', made(16, CONSONANTS).repeat(2), undefined],
  ['the digits again and again, but not to the end', `${'0123456789'.repeat(3)}01`, 'repetitive'],
  ['4 different characters', made(24, 'bdgk'), 'repetitive'],
  ['5 different characters', made(24, 'bdgkp'), undefined],
  ['what `openssl rand -hex 32` gives', randomBytes(32).toString('hex'), undefined],
  ['what `openssl rand -base64 32` gives', randomBytes(32).toString('base64'), undefined],
]

for (const [claim, secret, weakness] of table) {
  test(`a secret that is ${claim} is ${weakness ?? 'not known to be weak'}`, () => {
    assert.equal(weaknessOf(secret), weakness)
  })
}

test('how many bytes a secret needs is for those to say who use it', () => {
  const [secret, longer] = [randomBytes(31), randomBytes(32)]
  assert.deepEqual(
    [weaknessOf(secret), weaknessOf(secret, 32), weaknessOf(longer, 32)],
    [undefined, 'short', undefined],
  )
})

test('random secrets are not known to be weak, whatever they are written in', () => {
  for (let n = 0; n < 2000; n++) {
    const secret = randomBytes(16 + (n % 48))
    for (const written of [secret, secret.toString('hex'), secret.toString('base64url'), secret.toString('latin1')]) {
      assert.equal(weaknessOf(written), undefined, secret.toString('hex'))
    }
  }
})
