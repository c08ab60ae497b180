/** What a list of secrets has to be, and what is said of one that will not do. */
import assert from 'node:assert/strict'
import { createPublicKey, createSecretKey, generateKeyPairSync } from 'node:crypto'
import test from 'node:test'
import type { Secret } from '../../src/codec/keyring.ts'
import { listOfSecrets, sealingSecrets, weakSigning } from '../../src/codec/secrets.ts'
import { isSigningSecret } from '../../src/codec/signature.ts'
import { newSecret } from '../support/secrets.ts'

const KEYGEN = '`npx koa-session keygen` makes a secret'
const { privateKey } = generateKeyPairSync('ed25519')
const [LONG, MEDIUM, SHORT] = [newSecret(), newSecret().slice(0, 31), newSecret().slice(0, 15)]

const NO_LIST = `expected a list of secrets such as [secret]: ${KEYGEN}`
const LISTS: ReadonlyArray<readonly [given: unknown, said: string]> = [
  [undefined, `undefined, ${NO_LIST}`],
  [null, `null, ${NO_LIST}`],
  [[], `an empty list, ${NO_LIST}`],
  ['text', `a string, ${NO_LIST}`],
  ['', `an empty string, ${NO_LIST}`],
  [' ', `a blank string, ${NO_LIST}`],
  [7, `a number, ${NO_LIST}`],
  [{}, `an object, ${NO_LIST}`],
  [Promise.resolve([]), `a promise, ${NO_LIST}`],
  [() => [], `a function, ${NO_LIST}`],
  [Buffer.from('a'), `bytes, ${NO_LIST}`],
  [{ sign: 1 }, `an object, ${NO_LIST}`],
  [{ sign() {} }, 'a Keygrip, which does not show its secrets: give them to the option keys, as a list'],
]

for (const [given, said] of LISTS) {
  test(`the keys are ${said}`, () => {
    assert.throws(() => listOfSecrets(given, 'the keys'), { code: 'ERR_SESSION_KEYS', message: `the keys is ${said}` })
  })
}

const UNSET = `. An environment variable was probably not set, or a list ends in a comma: ${KEYGEN}`
/** Entries that are none, and what is said of them. */
const ENTRIES: ReadonlyArray<readonly [entry: unknown, said: string, canSign?: boolean]> = [
  [undefined, `undefined, expected text or bytes${UNSET}`],
  [null, `null, expected text or bytes${UNSET}`],
  [false, `a boolean, expected text or bytes${UNSET}`],
  ['', `an empty string, expected text or bytes${UNSET}`],
  ['\t ', `a blank string, expected text or bytes${UNSET}`],
  [true, `a boolean, expected text or bytes: ${KEYGEN}`],
  [1, `a number, expected text or bytes: ${KEYGEN}`],
  [new Uint8Array(), `an empty Buffer, expected text or bytes: ${KEYGEN}`],
  [[], `an empty list, expected text or bytes: ${KEYGEN}`],
  [[LONG], `a list, expected text or bytes: ${KEYGEN}`],
  [{}, `an object, expected text or bytes: ${KEYGEN}`],
  [Promise.resolve(LONG), `a promise, expected text or bytes: ${KEYGEN}`],
  [createSecretKey(Buffer.alloc(0)), `an empty KeyObject, expected text or bytes: ${KEYGEN}`],
  [privateKey, `a private KeyObject, expected text or bytes: ${KEYGEN}`],
  [createPublicKey(privateKey), `a public KeyObject, expected text or bytes: ${KEYGEN}`],
]

for (const [entry, said] of ENTRIES) {
  test(`an entry that is ${said}`, () => {
    for (const list of [
      () => listOfSecrets([LONG, entry], 'keys'),
      () => listOfSecrets([LONG, entry], 'keys', isSigningSecret),
      () => sealingSecrets([LONG, entry], 'keys'),
    ]) {
      assert.throws(list, { code: 'ERR_SESSION_KEYS', message: `keys[1] is ${said}` })
    }
  })
}

test('a list of secrets is the list itself, and a KeyObject is none but for signing', () => {
  const secrets = [LONG, Buffer.from('bytes')]
  assert.equal(listOfSecrets(secrets, 'keys'), secrets)
  const keys = [createSecretKey(Buffer.from('a'))]
  assert.equal(listOfSecrets(keys, 'keys', isSigningSecret), keys)
  assert.throws(() => listOfSecrets(keys, 'keys'), {
    code: 'ERR_SESSION_KEYS',
    message: /^keys\[0\] is a secret KeyObject,/,
  })
  assert.throws(() => listOfSecrets(['', LONG], 'keys'), { message: /^keys\[0\]/ })
})

/** Secrets, and what sealing and signing say of them; nothing: they will do. */
const WEAK: ReadonlyArray<readonly [secrets: readonly Secret[], sealing?: string, signing?: string]> = [
  [[LONG]],
  [[Buffer.from(LONG)]],
  [[MEDIUM], 'keys[0] is shorter than 32 bytes'],
  [[LONG, SHORT], 'keys[1] is shorter than 32 bytes', 'keys[1] is shorter than 16 bytes'],
  [[LONG, 'keyboard cat'], 'keys[1] is made of well-known words', 'keys[1] is made of well-known words'],
  [
    [LONG, LONG, 'bdgk'.repeat(10)],
    'keys[2] is a repetition of a few characters',
    'keys[2] is a repetition of a few characters',
  ],
]

for (const [at, [secrets, sealing, signing]] of WEAK.entries()) {
  test(`${at + 1}: secrets of which sealing says: ${sealing ?? 'nothing'}`, () => {
    const message = `${sealing}, which sealing refuses: ${KEYGEN}`
    if (sealing) assert.throws(() => sealingSecrets(secrets, 'keys'), { code: 'ERR_SESSION_KEYS', message })
    else assert.equal(sealingSecrets(secrets, 'keys'), secrets)
    assert.equal(weakSigning(secrets, 'keys'), signing && `${signing}, so that others can sign sessions: ${KEYGEN}`)
  })
}

test('a KeyObject is looked at as its bytes are', () => {
  const [good, weak] = [createSecretKey(Buffer.from(LONG)), createSecretKey(Buffer.from('keyboard cat'))]
  assert.equal(weakSigning([good], 'keys'), undefined)
  assert.match(weakSigning([good, weak], 'keys') ?? '', /^keys\[1\] is made of well-known words/)
})
