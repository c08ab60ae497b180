/** A signed value in a Cookie header: which one is accepted, by which secret, and what is remembered of it. */
import assert from 'node:assert/strict'
import { createSecretKey } from 'node:crypto'
import test from 'node:test'
import Keygrip from 'keygrip'
import { Memory, type Remembered } from '../../src/codec/memory.ts'
import { Ring } from '../../src/codec/ring.ts'
import { signBy } from '../../src/codec/signature.ts'
import { areSet, canVerify, checkKeys, createKeysCheck, presentedIn, sign } from '../../src/codec/signed.ts'
import { LARGEST_COOKIE } from '../../src/codec/size.ts'
import { newSecret } from '../support/secrets.ts'
import { heard, warningsOf } from '../support/warnings.ts'

const [NEW, OLD, OTHER] = [newSecret(), newSecret(), newSecret()]
const START = 's='
const OF_SIGNATURE = 's.sig='
const by = (secret: string, value: string) => `s.sig=${signBy(secret, `s=${value}`)}`
const LARGEST = 'v'.repeat(LARGEST_COOKIE - 1)

interface Row {
  readonly header: string | undefined
  readonly nth?: number
  readonly value: string | undefined
  readonly isStale?: boolean
}

const SIGNED: Readonly<Record<string, Row>> = {
  'no header': { header: undefined, value: undefined },
  'an empty header': { header: '', value: undefined },
  'no cookie of the name': { header: `other=v; ${by(NEW, 'v')}`, value: undefined },
  'an empty value': { header: `s=; ${by(NEW, '')}`, value: undefined },
  'no signature': { header: 's=v', value: undefined },
  'the signature of another value': { header: `s=v; ${by(NEW, 'w')}`, value: undefined },
  'the signature of another secret': { header: `s=v; ${by(OTHER, 'v')}`, value: undefined },
  'an empty signature': { header: 's=v; s.sig=', value: undefined },
  'the newest secret': { header: `s=v; ${by(NEW, 'v')}`, value: 'v' },
  'the signature first': { header: `${by(NEW, 'v')}; s=v`, value: 'v' },
  'an older secret': { header: `s=v; ${by(OLD, 'v')}`, value: 'v', isStale: true },
  'two signatures, the newest last': { header: `s=v; ${by(OLD, 'v')}; ${by(NEW, 'v')}`, value: 'v' },
  'two signatures, the newest first': { header: `s=v; ${by(NEW, 'v')}; ${by(OLD, 'v')}`, value: 'v' },
  'a bad signature and a good one': { header: `s=v; ${by(OTHER, 'v')}; ${by(OLD, 'v')}`, value: 'v', isStale: true },
  'a bad value and a good one': { header: `s=v; s=w; ${by(NEW, 'w')}`, value: 'w' },
  'the second of two': { header: `s=v; s=w; ${by(NEW, 'v')}; ${by(OLD, 'w')}`, nth: 1, value: 'w', isStale: true },
  'the second where one is good': { header: `s=v; s=w; ${by(NEW, 'v')}`, nth: 1, value: undefined },
  'the largest value': { header: `s=${LARGEST}; ${by(NEW, LARGEST)}`, value: LARGEST },
  'a larger value': { header: `s=${LARGEST}v; ${by(NEW, `${LARGEST}v`)}`, value: undefined },
}

const LISTS = { 'a list': [NEW, OLD], 'a Keygrip': new Keygrip([NEW, OLD]) }
for (const [kind, keys] of Object.entries(LISTS)) {
  test(`of a header, by ${kind}: what is signed, the newest first`, () => {
    for (const [what, { header, nth = 0, value, isStale = false }] of Object.entries(SIGNED)) {
      const found = { isStale: false, remembered: undefined }
      const given = presentedIn(header, keys, START, OF_SIGNATURE, nth, found)
      assert.deepEqual({ what, given, ...found }, { what, given: value, isStale, remembered: undefined })
    }
  })
}

test('a cookie without a signature is accepted as it is, one after the other', () => {
  const found = { isStale: false, remembered: undefined }
  const nths = [0, 1, 2].map(nth => presentedIn('s=v; s=w', undefined, START, '', nth, found))
  assert.deepEqual([nths, found], [['v', 'w', undefined], { isStale: false, remembered: undefined }])
})

test('what the newest secret has verified is remembered, and what an older one has is not', () => {
  const memory = new Memory(10, new Ring(65_536, 64)).for(NEW)
  const ask = (header: string, nth = 0) => {
    const found = { isStale: false, remembered: undefined as Remembered | undefined }
    const value = presentedIn(header, [NEW, OLD], START, OF_SIGNATURE, nth, found, memory)
    return { value, isStale: found.isStale, body: found.remembered?.body }
  }
  const old = `s=old; ${by(OLD, 'old')}`
  assert.deepEqual([ask(old), ask(old)], Array(2).fill({ value: 'old', isStale: true, body: undefined }))
  const header = `s=v; ${by(NEW, 'v')}`
  assert.deepEqual(ask(header), { value: 'v', isStale: false, body: undefined })
  assert.deepEqual(ask(header), { value: 'v', isStale: false, body: 'v' })
  // The first of them is refused, and is not what is remembered.
  assert.deepEqual(ask(`s=x; ${header}`), { value: 'v', isStale: false, body: 'v' })
  // What was found first says nothing of the second.
  assert.deepEqual(ask(`${header}; s=old; ${by(OLD, 'old')}`, 1), { value: 'old', isStale: true, body: undefined })
})

const byOneSecret = { sign: (text: string) => signBy(NEW, text), index: () => -1 }
const KEYS: ReadonlyArray<readonly [what: string, keys: unknown, canVerify: boolean, signs: boolean, areSet: boolean]> =
  [
    ['a list', [NEW, OLD], true, true, true],
    ['a list of a key', [createSecretKey(Buffer.from(NEW))], true, true, true],
    ['an empty list', [], false, false, false],
    ['a list of no secrets', [1], true, false, true],
    ['a Keygrip', new Keygrip([NEW, OLD]), true, true, true],
    ['what looks like a Keygrip', byOneSecret, false, false, true],
    ['a text', NEW, false, false, true],
    ['nothing', undefined, false, false, false],
    ['null', null, false, false, false],
  ]

test('a list of secrets and a Keygrip sign and verify here; all else is asked', () => {
  for (const [what, keys, verifies, signs, set] of KEYS) {
    const signature = sign(keys, 's=v')
    const seen = { verifies: canVerify(keys), signature, set: areSet(keys) }
    assert.deepEqual({ what, ...seen }, { what, verifies, signature: signs ? signBy(NEW, 's=v') : undefined, set })
  }
})

const changed = (change: (keys: Keygrip) => unknown) => {
  const keys = new Keygrip([NEW])
  change(keys)
  return keys
}

test('a Keygrip with a function of its own is asked', () => {
  for (const change of [
    (keys: Keygrip) => Object.assign(keys, { sign: () => 'text' }),
    (keys: Keygrip) => Object.assign(keys, { index: () => 0 }),
  ]) {
    const keys = changed(change)
    assert.deepEqual([canVerify(keys), sign(keys, 's=v')], [false, undefined])
  }
})

const refused = (keys: unknown) => {
  try {
    checkKeys(keys)
    return undefined
  } catch (error) {
    const { code, message } = error as { code: string; message: string }
    return `${code}: ${message}`
  }
}

test('secrets that are none are refused, in a list and in a Keygrip by what it accepts', () => {
  for (const keys of [undefined, null, [], [NEW], new Keygrip([NEW, OLD]), byOneSecret]) {
    assert.equal(refused(keys), undefined)
  }
  // For what is no text Keygrip throws.
  const lists = [[''], ['  '], [NEW, undefined], [1], NEW.length]
  const keygrips = [[''], [NEW, ''], [1], [NEW, undefined]].map(list => new Keygrip(list as string[]))
  for (const keys of [...lists, ...keygrips]) assert.match(refused(keys) ?? '', /^ERR_SESSION_KEYS: app\.keys/)
  for (const [algorithm, encoding] of [
    ['sha256', 'hex'],
    ['sha512', 'base64'],
    ['md5', 'base64'],
  ] as const) {
    assert.match(
      refused(new Keygrip([NEW, ''], algorithm, encoding)) ?? '',
      /^ERR_SESSION_KEYS: app\.keys is a Keygrip/,
    )
    assert.equal(refused(new Keygrip([NEW, OLD], algorithm, encoding)), undefined)
  }
})

test('a secret that can be guessed is a warning', async t => {
  const warnings = warningsOf(t, 'KOA_SESSION_WEAK_SECRET')
  checkKeys([NEW])
  checkKeys(['secret'])
  await heard()
  assert.equal(warnings.length, 1)
})

test('keys are looked at when they have changed, in place too', () => {
  const keys: unknown[] = [NEW]
  const check = createKeysCheck()
  check(keys)
  keys[0] = ''
  assert.throws(() => check(keys), { code: 'ERR_SESSION_KEYS' })
  // Each time, until they are good.
  assert.throws(() => check(keys), { code: 'ERR_SESSION_KEYS' })
  keys[0] = NEW
  check(keys)
  keys.push('')
  assert.throws(() => check(keys), { code: 'ERR_SESSION_KEYS' })
  keys.pop()
  check(keys)
  // Those of a Keygrip are not seen: it is looked at once.
  let asked = 0
  const get = () => {
    asked += 1
    return LISTS['a Keygrip'].sign
  }
  const keygrip = changed(one => Object.defineProperty(one, 'sign', { get }))
  check(keygrip)
  const before = asked
  check(keygrip)
  assert.deepEqual([before > 0, asked], [true, before])
})
