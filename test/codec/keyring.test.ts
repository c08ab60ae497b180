import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import test from 'node:test'
import { inspect } from 'node:util'
import { createKeyrings, isSecret, type Keyring, type Secret } from '../../src/codec/keyring.ts'
import fc from '../support/properties.ts'

const NEWEST = 'the newest secret of them all'
const OLDER = 'an older one, still in use'
const OLDEST = 'the oldest secret of them all'

const bytesOf = (keyring: Keyring) => keyring.map(({ cipherKey }) => cipherKey.export().toString('hex'))
const hintsOf = (keyring: Keyring) => keyring.map(({ hint }) => hint)

/** HKDF-SHA256 for at most 32 bytes, as RFC 5869 writes it: extract (2.2), then one step of expand (2.3). */
function hkdf(secret: Secret, info: string, length: number): Buffer {
  const pseudorandom = createHmac('sha256', 'koa-session').update(secret).digest()
  return createHmac('sha256', pseudorandom).update(`${info}\u0001`).digest().subarray(0, length)
}

const rows: ReadonlyArray<readonly [claim: string, secret: Secret]> = [
  ['text', NEWEST],
  ['text beyond ASCII', 'Größe 🌍'],
  ['text longer than a block of the hash', 'secret '.repeat(40)],
  ['bytes', Uint8Array.from({ length: 32 }, (_, at) => at * 7)],
  ['a Buffer', Buffer.from('ff00ff00ff00ff00ff00ff00ff00ff00', 'hex')],
  ['a part of a larger buffer', new Uint8Array(64).fill(5).subarray(3, 29)],
  ['nothing', ''],
]

for (const [claim, secret] of rows) {
  test(`key and hint of a secret that is ${claim} are those of HKDF-SHA256`, () => {
    const keyring = createKeyrings()([secret])
    assert.deepEqual(bytesOf(keyring), [hkdf(secret, 'koa-session sealed 1 key', 32).toString('hex')])
    assert.deepEqual(hintsOf(keyring), [hkdf(secret, 'koa-session sealed 1 hint', 4).readUInt32BE()])
  })
}

test('text and its UTF-8 are the same secret', () => {
  const of = createKeyrings()
  assert.deepEqual(bytesOf(of(['Größe'])), bytesOf(of([Buffer.from('Größe')])))
})

test('the keys are in the order of the secrets', () => {
  const of = createKeyrings()
  const [newest, older] = [of([NEWEST]), of([OLDER])]
  assert.deepEqual(of([NEWEST, OLDER]), [...newest, ...older])
  assert.deepEqual(of([OLDER, NEWEST]), [...older, ...newest])
  assert.deepEqual(of([]), [])
})

test('different secrets have different keys and hints', () => {
  const keyring = createKeyrings()([NEWEST, OLDER, OLDEST, NEWEST.toUpperCase(), `${NEWEST}\0`])
  assert.equal(new Set(bytesOf(keyring)).size, 5)
  assert.equal(new Set(hintsOf(keyring)).size, 5)
})

test('equal secrets give the very same keyring, in whatever list they are', () => {
  const of = createKeyrings()
  const keyring = of([NEWEST, Buffer.from(OLDER)])
  assert.equal(of([NEWEST, Buffer.from(OLDER)]), keyring)
  assert.equal(of(Object.freeze([`${NEWEST.slice(0, 3)}${NEWEST.slice(3)}`, new TextEncoder().encode(OLDER)])), keyring)
})

const changes: ReadonlyArray<readonly [claim: string, change: (list: Secret[]) => unknown, after: readonly Secret[]]> =
  [
    ['a secret put before the others', list => list.unshift(OLDEST), [OLDEST, NEWEST, OLDER]],
    ['a secret put behind the others', list => list.push(OLDEST), [NEWEST, OLDER, OLDEST]],
    ['a secret taken away', list => list.pop(), [NEWEST]],
    ['a secret replaced', list => list.splice(1, 1, OLDEST), [NEWEST, OLDEST]],
    ['the order reversed', list => list.reverse(), [OLDER, NEWEST]],
    ['all taken away', list => list.splice(0), []],
  ]

for (const [claim, change, after] of changes) {
  test(`a list that was changed in place is noticed: ${claim}`, () => {
    const of = createKeyrings()
    const list: Secret[] = [NEWEST, OLDER]
    of(list)
    change(list)
    assert.deepEqual(bytesOf(of(list)), bytesOf(createKeyrings()(after)))
  })
}

test('bytes that were overwritten in place are another secret', () => {
  const of = createKeyrings()
  const secret = Buffer.from(NEWEST)
  const before = of([secret])
  secret.fill(0)
  assert.notDeepEqual(bytesOf(of([secret])), bytesOf(before))
  assert.deepEqual(bytesOf(of([Buffer.from(NEWEST)])), bytesOf(before))
})

test('a secret that stays in a list keeps its key, which is derived once', () => {
  const of = createKeyrings()
  const [newest, older] = of([NEWEST, OLDER])
  const rotated = of([OLDEST, NEWEST])
  assert.equal(rotated[1], newest)
  assert.equal(of([OLDER])[0], older)
})

test('secrets beyond the 32 that are remembered are derived anew, so that they do not fill the memory', () => {
  const of = createKeyrings()
  const [first] = of([NEWEST])
  for (let n = 1; n < 32; n++) of([`secret number ${n}`])
  assert.equal(of([NEWEST])[0], first)
  of(['secret number 32'])
  const again = of([NEWEST])
  assert.notEqual(again[0], first)
  assert.deepEqual(bytesOf(again), [first?.cipherKey.export().toString('hex')])
})

test('a list longer than what is remembered keeps its keyring', () => {
  const of = createKeyrings()
  const list = Array.from({ length: 100 }, (_, n) => `secret number ${n}`)
  assert.equal(of(list), of([...list]))
  assert.equal(new Set(bytesOf(of(list))).size, 100)
})

test('a keyring that is printed shows no secret and no key', () => {
  const keyring = createKeyrings()([NEWEST, Buffer.from(OLDER)])
  const text = inspect(keyring, { depth: 9, showHidden: true }) + JSON.stringify(keyring)
  for (const hidden of [NEWEST, OLDER, Buffer.from(OLDER).toString('hex'), ...bytesOf(keyring)]) {
    assert.equal(text.includes(hidden), false)
  }
})

test('a keyring is that of its secrets, whatever was asked before', () => {
  const of = createKeyrings()
  const secret = fc.oneof(
    fc.string(),
    fc.uint8Array(),
    fc.constantFrom(NEWEST, OLDER, Buffer.from(NEWEST), Buffer.from(OLDER)),
  )
  fc.assert(
    fc.property(fc.array(secret, { maxLength: 4 }), list => {
      const keyring = of(list)
      assert.deepEqual(
        bytesOf(keyring),
        list.map(secret => hkdf(secret, 'koa-session sealed 1 key', 32).toString('hex')),
      )
      assert.equal(of([...list]), keyring)
    }),
    { numRuns: 500 },
  )
})

test('a secret is text or bytes, of at least one', () => {
  for (const good of ['x', NEWEST, Buffer.from('x'), new Uint8Array(1)]) assert.equal(isSecret(good), true)
  for (const bad of ['', new Uint8Array(), Buffer.alloc(0), [1], { length: 1 }, 1, null, undefined, () => 'x'])
    assert.equal(isSecret(bad), false, inspect(bad))
})
