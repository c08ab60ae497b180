import assert from 'node:assert/strict'
import test from 'node:test'
import { createKeyrings } from '../../src/codec/keyring.ts'
import { LONGEST, open, type SealContext, seal, sealContext } from '../../src/codec/sealed.ts'
import { SessionError } from '../../src/errors.ts'
import fc from '../support/properties.ts'

const [NEWEST, OLDER, OLDEST] = [
  'the newest secret of them all',
  'an older one, still in use',
  'the oldest of them, not in use',
]
const keyringOf = createKeyrings()
const keyring = keyringOf([NEWEST, OLDER, OLDEST])
const context = sealContext('session', 'koa.sess')

const texts: ReadonlyArray<readonly [claim: string, text: string]> = [
  ['a session', '{"user":"ada","_expire":1700000000000,"_maxAge":86400000}'],
  ['an empty text', ''],
  ['one character', 'x'],
  ['an id of a store', '2f1c7a0e-7d2b-4d3e-9a51-3c9c3d0f6a11'],
  ['letters beyond ASCII', 'Grüße, 世界 🌍'],
  ['line ends, NUL and a byte order mark', '\ufeff\0\r\n\t'],
  ['a lone surrogate as JSON escapes it', JSON.stringify({ a: '\ud800' })],
  ['what looks like sealed text', 'AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'],
  ['4 kB', 'ä'.repeat(2048)],
]

for (const [claim, text] of texts) {
  test(`what was sealed opens: ${claim}`, () => {
    assert.deepEqual(open(seal(text, keyring, context), keyring, context), { text, position: 0 })
  })
}

test('what is longer than a cookie opens if so long a value is expected, and else does not', () => {
  // Sealed: a third more, and 36 bytes beside the text.
  for (const size of [(LONGEST * 3) / 4 - 37, (LONGEST * 3) / 4 - 36, (LONGEST * 3) / 4, 3 * LONGEST]) {
    const text = 'x'.repeat(size)
    const value = seal(text, keyring, context)
    assert.deepEqual(open(value, keyring, context, value.length), { text, position: 0 })
    assert.deepEqual(open(value, keyring, context, value.length - 1), { fault: 'undecodable' })
  }
})

test('without a secret nothing is sealed', () => {
  assert.throws(() => seal('x', [], context), {
    code: 'ERR_SESSION_KEYS',
    message: 'a sealed cookie needs at least one secret',
  })
})

/** Any UTF-16 at all, lone surrogates included, as text that has none. */
const utf16 = fc.array(fc.nat(0xffff), { maxLength: 200 }).map(codes => JSON.stringify(String.fromCharCode(...codes)))
const anyText = fc.oneof(fc.string({ unit: 'binary', maxLength: 200 }), fc.json(), utf16)

test('any text opens as it was sealed, whatever it is for', () => {
  fc.assert(
    fc.property(anyText, anyText, anyText, (text, purpose, name) => {
      const bound = sealContext(purpose, name)
      const value = seal(text, keyring, bound)
      assert.match(value, /^[\w-]+$/)
      assert.deepEqual(open(value, keyring, bound), { text, position: 0 })
    }),
    { numRuns: 1000 },
  )
})

test('a text is as long as its UTF-8 and 33 bytes, in base64url', () => {
  for (let length = 0; length < 50; length++) {
    assert.equal(seal('x'.repeat(length), keyring, context).length, Math.ceil(((length + 33) * 4) / 3))
  }
})

test('the first secret seals, each opens, and its position is told', () => {
  for (const [position, secret] of [NEWEST, OLDER, OLDEST].entries()) {
    const value = seal('text', keyringOf([secret, 'another secret altogether']), context)
    assert.deepEqual(open(value, keyring, context), { text: 'text', position })
  }
})

test('a value that was sealed by a secret which was dropped is refused', () => {
  const value = seal('text', keyringOf([OLDEST]), context)
  assert.deepEqual(open(value, keyringOf([NEWEST, OLDER]), context), { fault: 'signature' })
  assert.deepEqual(open(value, [], context), { fault: 'signature' })
})

test('a secret that stands twice in the list opens at its first position', () => {
  assert.equal(open(seal('text', keyring, context), keyringOf([NEWEST, NEWEST]), context).fault, undefined)
  assert.deepEqual(open(seal('text', keyring, context), keyringOf([OLDER, NEWEST, NEWEST]), context), {
    text: 'text',
    position: 1,
  })
})

test('of two secrets with the same hint, each opens what it sealed', () => {
  const [first, second] = keyringOf([NEWEST, OLDER])
  assert.ok(first && second)
  const clashing = [first, { cipherKey: second.cipherKey, hint: first.hint }]
  for (const position of [0, 1]) {
    const value = seal('text', clashing.slice(position), context)
    assert.deepEqual(open(value, clashing, context), { text: 'text', position })
  }
})

test('only keys with the hint of the value are tried', () => {
  const [first] = keyringOf([NEWEST])
  assert.ok(first)
  const untouchable = {
    get cipherKey(): never {
      throw new Error('was tried')
    },
    hint: first.hint ^ 1,
  }
  assert.deepEqual(open(seal('text', [first], context), [untouchable, first], context), { text: 'text', position: 1 })
})

test('the hint is part of what is authenticated', () => {
  const [key] = keyringOf([NEWEST])
  assert.ok(key)
  const renamed = { cipherKey: key.cipherKey, hint: key.hint ^ 1 }
  const bytes = Buffer.from(seal('text', [key], context), 'base64url')
  bytes.writeUInt32BE(renamed.hint, 1)
  assert.deepEqual(open(bytes.toString('base64url'), [renamed], context), { fault: 'signature' })
})

test('to seal without a secret is an error with a code', () => {
  assert.throws(
    () => seal('text', [], context),
    error => error instanceof SessionError && error.code === 'ERR_SESSION_KEYS',
  )
})

test('the random source is asked once for 12 bytes, which are the nonce', () => {
  const asked: number[] = []
  const nonce = Buffer.from('000102030405060708090a0b', 'hex')
  const value = seal('text', keyring, context, size => {
    asked.push(size)
    return nonce
  })
  assert.deepEqual(asked, [12])
  assert.equal(Buffer.from(value, 'base64url').subarray(5, 17).toString('hex'), nonce.toString('hex'))
})

test('no nonce of the default source repeats, nor do two overlap', () => {
  const seen = new Set<string>()
  for (let n = 0; n < 2000; n++) {
    const nonce = Buffer.from(seal('', keyring, context), 'base64url').subarray(5, 17)
    // Two of these 14,000 parts are the same by chance once in three million runs.
    for (let at = 0; at < 7; at++) seen.add(nonce.toString('hex', at, at + 6))
  }
  assert.equal(seen.size, 14_000)
})

test('what an error in the random source interrupts leaves nothing behind', () => {
  assert.throws(() => {
    seal('text', keyring, context, () => {
      throw new Error('no entropy')
    })
  }, /no entropy/)
  assert.deepEqual(open(seal('text', keyring, context), keyring, context), { text: 'text', position: 0 })
})

const valid = seal('{"user":"ada"}', keyring, context)
/** Of 48 bytes, so that no bits are left over at the end. */
const whole = seal('x'.repeat(15), keyring, context)

const undecodable: ReadonlyArray<readonly [claim: string, value: string]> = [
  ['an empty value', ''],
  ['white space', ' '.repeat(64)],
  ['padding where some is due', `${valid}=`],
  ['padding where none is due', `${whole}=`],
  ['padding for four', `${whole}====`],
  ['a line end behind it', `${valid}\n`],
  ['a space before it', ` ${valid}`],
  ['a space within it', `${valid.slice(0, 20)} ${valid.slice(20)}`],
  ['a NUL behind it', `${valid}\0`],
  ['quotes around it', `"${valid}"`],
  ['a character too many', `${whole}A`],
  ['a second value behind it', `${valid}.${valid}`],
  ['the number of pieces before it', `2~${valid}`],
  [
    'a letter beyond ASCII that decodes like one within',
    valid.replace(/[A-Z]/, c => String.fromCharCode(c.charCodeAt(0) + 256)),
  ],
  ['letters beyond ASCII', 'ä'.repeat(64)],
  ['a lone surrogate', `${valid.slice(0, 20)}\ud800${valid.slice(21)}`],
  [
    'a signed cookie of koa-session 7',
    Buffer.from('{"user":"ada","_expire":1700000000000,"_maxAge":86400000}').toString('base64'),
  ],
  ['an id of a store', '2f1c7a0e-7d2b-4d3e-9a51-3c9c3d0f6a11'],
  ['JSON', `{"a":"${'x'.repeat(64)}"}`],
  ['zeros', 'A'.repeat(64)],
  ['a byte less than an empty text takes', Buffer.alloc(32, 1).toString('base64url')],
  ['ten million characters', 'A'.repeat(10_000_000)],
]

for (const [claim, value] of undecodable) {
  test(`refused as undecodable: ${claim}`, () => {
    assert.deepEqual(open(value, keyring, context), { fault: 'undecodable' })
  })
}

test('refused as undecodable: the other alphabet of base64', () => {
  let count = 0
  for (let n = 0; n < 200; n++) {
    const value = seal(`text ${n}`, keyring, context)
    const other = value.replaceAll('-', '+').replaceAll('_', '/')
    if (other === value) continue
    assert.deepEqual(open(other, keyring, context), { fault: 'undecodable' })
    count++
  }
  assert.ok(count > 100)
})

test('refused as undecodable: every other last character that decodes to the same bytes', () => {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const variants = (value: string) =>
    [...alphabet]
      .map(character => value.slice(0, -1) + character)
      .filter(other => other !== value && Buffer.from(other, 'base64url').equals(Buffer.from(value, 'base64url')))
  const counts = ['x'.repeat(15), 'x'.repeat(16), 'x'.repeat(17)].map(text => {
    const others = variants(seal(text, keyring, context))
    for (const other of others) assert.deepEqual(open(other, keyring, context), { fault: 'undecodable' })
    return others.length
  })
  assert.deepEqual(counts, [0, 15, 3])
})

test('refused as undecodable: exactly what its own bytes are not written as', () => {
  const alphabet = 'ABab01-_+/= é\u0141\ud800'
  const changed = fc
    .tuple(fc.nat({ max: 20 }), fc.nat(), fc.nat({ max: alphabet.length - 1 }), fc.nat({ max: 3 }))
    .map(([length, place, letter, cut]) => {
      const value = seal('x'.repeat(length), keyring, context)
      const at = 8 + (place % (value.length - 8))
      return (value.slice(0, at) + alphabet[letter] + value.slice(at + 1)).slice(0, value.length - cut)
    })
  fc.assert(
    fc.property(changed, value => {
      const isWritten = Buffer.from(value, 'base64url').toString('base64url') === value
      const isLong = Buffer.from(value, 'base64url').length >= 33
      assert.equal(open(value, keyring, context).fault === 'undecodable', !(isWritten && isLong), value)
    }),
    { numRuns: 5000 },
  )
})

test('the longest value that opens has 16,384 characters; a longer one is refused unread', () => {
  const longest = seal('x'.repeat(12_255), keyring, context)
  assert.deepEqual([longest.length, LONGEST], [16_384, 16_384])
  assert.equal(open(longest, keyring, context).fault, undefined)
  for (const length of [12_256, 12_257, 12_258, 50_000]) {
    assert.deepEqual(open(seal('x'.repeat(length), keyring, context), keyring, context), { fault: 'undecodable' })
  }
})

test('what is too long to open is sealed all the same, so that its size can be told', () => {
  assert.equal(seal('x'.repeat(50_000), keyring, context).length, Math.ceil((50_033 * 4) / 3))
})

test('nothing of a longer value is left in a shorter one', () => {
  const [long, short] = [seal('l'.repeat(3000), keyring, context), seal('s', keyring, context)]
  open(long, keyring, context)
  assert.deepEqual(open(short, keyring, context), { text: 's', position: 0 })
  assert.deepEqual(open(long, keyring, context), { text: 'l'.repeat(3000), position: 0 })
})

test('any text that a stranger sends is a refusal, never an exception', () => {
  const base64url = fc.stringMatching(/^[\w-]{0,200}$/)
  const shaped = fc.uint8Array({ maxLength: 100 }).map(bytes => {
    const head = Buffer.from(valid, 'base64url').subarray(0, 5)
    return Buffer.concat([head, bytes]).toString('base64url')
  })
  fc.assert(
    fc.property(fc.oneof(anyText, base64url, shaped, fc.mixedCase(fc.constant(valid))), value => {
      fc.pre(value !== valid)
      assert.match(open(value, keyring, context).fault ?? 'opened', /^(undecodable|signature)$/)
    }),
    { numRuns: 3000 },
  )
})

test('the same text is sealed to another value each time, and for each context', () => {
  const contexts: readonly SealContext[] = [
    context,
    context,
    sealContext('session', 'other'),
    sealContext('id', 'koa.sess'),
  ]
  const values = contexts.map(each => seal('text', keyring, each))
  assert.equal(new Set(values).size, 4)
  const fixed = () => Buffer.alloc(12, 7)
  assert.equal(new Set(contexts.map(each => seal('text', keyring, each, fixed))).size, 3)
})

test('a context remembers 32 secrets at most, however many an application makes as it goes', () => {
  const context = sealContext('session', 'koa.sess')
  for (let n = 0; n < 100; n++) {
    const keyring = createKeyrings()([`secret number ${n}, which is long enough`])
    const value = seal('text', keyring, context)
    assert.deepEqual(open(value, keyring, context), { text: 'text', position: 0 })
    assert.ok(context.known.size <= 32, `${context.known.size} are remembered`)
  }
})
