/** A block of memory that is written over again and again: what is found is what was written, or nothing. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { Ring, type Verified } from '../../src/codec/ring.ts'
import fc from '../support/properties.ts'

const SIZE = 4096
const one: Verified = { body: 'body', tag: 'tag', text: 'text' }

const FOUND: Readonly<
  Record<string, readonly [added: Verified, owner: number, hash: number, body: string, tag: number]>
> = {
  'what was written': [one, 1, 7, 'body', 3],
  'what has no text': [{ ...one, text: undefined }, 1, 7, 'body', 3],
  'a text that is not ASCII': [{ ...one, text: '{"a":"é\u{1f36a}"}' }, 1, 7, 'body', 3],
}

const MISSED: typeof FOUND = {
  'what another owner has written': [one, 2, 7, 'body', 3],
  'a body of the same hash and length': [one, 1, 7, 'BODY', 3],
  'a body that begins alike': [one, 1, 7, 'bod', 3],
  'a body that goes on': [one, 1, 7, 'bodyt', 2],
  'another hash in the same slot': [one, 1, 7 + 64, 'body', 3],
  'a tag of another length': [one, 1, 7, 'body', 4],
  'a body that is not ASCII': [{ ...one, body: 'é' }, 1, 7, 'é', 3],
  'a tag that is not ASCII': [{ ...one, tag: 'é' }, 1, 7, 'body', 1],
  'what is larger than a sixteenth': [{ ...one, body: 'x'.repeat(SIZE / 16) }, 1, 7, 'x'.repeat(SIZE / 16), 3],
}

for (const [what, [added, owner, hash, body, tag]] of Object.entries({ ...FOUND, ...MISSED })) {
  const isFound = what in FOUND
  test(`${what} is ${isFound ? 'found' : 'not found'}`, () => {
    const ring = new Ring(SIZE, 64)
    assert.equal(ring.find(owner, hash, body, tag), undefined, 'in a new one')
    ring.add(1, 7, added)
    assert.deepEqual(ring.find(owner, hash, body, tag), isFound ? added : undefined)
  })
}

test('what is not ASCII, and is cut off by the end of the block, is not found', () => {
  for (const [body, tag] of [
    ['éé', 'a tag.'],
    ['a body', 'éé'],
  ] as const) {
    const ring = new Ring(1024, 64)
    const filler = { body: 'a filler', tag: '', text: undefined }
    // As many bytes are left as it would take if it were ASCII.
    for (let at = 1; at < 1024 / 32; at++) ring.add(2, 1, filler)
    ring.add(1, 7, { body, tag, text: undefined })
    const bytes = Buffer.from(body + tag).toString('latin1')
    assert.equal(ring.find(1, 7, bytes.slice(0, body.length), tag.length), undefined)
  }
})

const record = fc.record({
  owner: fc.constantFrom(1, 2),
  hash: fc.constantFrom(1, 2, 66, 300),
  body: fc.oneof(fc.constantFrom('a', 'b', 'aa'), fc.string({ maxLength: 90, unit: 'binary' })),
  tag: fc.string({ maxLength: 30, unit: 'grapheme-ascii' }),
  text: fc.option(fc.string({ minLength: 1, maxLength: 60, unit: 'grapheme' }), { nil: undefined }),
})

test('however often it was written over, what is found is what was written last with that owner, hash and body', () => {
  let found = 0
  const property = (records: readonly (Verified & { owner: number; hash: number })[]) => {
    const ring = new Ring(2048, 64)
    for (const [at, { owner, hash, body, tag, text }] of records.entries()) {
      ring.add(owner, hash, { body, tag, text })
      for (const other of records) {
        const known = ring.find(other.owner, other.hash, other.body, other.tag.length)
        if (!known) continue
        found++
        const isSame = (one: typeof other) =>
          one.owner === other.owner &&
          one.hash === other.hash &&
          one.body === other.body &&
          one.tag.length === other.tag.length
        const { tag, text } =
          records
            .slice(0, at + 1)
            .filter(isSame)
            .at(-1) ?? {}
        assert.deepEqual(known, { body: other.body, tag, text })
      }
    }
  }
  fc.assert(fc.property(fc.array(record, { maxLength: 60 }), property), { numRuns: 100 })
  assert.ok(found > 100, String(found))
})

test('the newest records are there, as many as there is room for, and no others', () => {
  const ring = new Ring(SIZE, 1024)
  const bodies = Array.from({ length: 500 }, (_, at) => `body ${String(at).padStart(4, '0')}`)
  for (const [at, body] of bodies.entries()) ring.add(1, at, { ...one, body })
  const isThere = bodies.map((body, at) => ring.find(1, at, body, 3) !== undefined)
  const first = isThere.indexOf(true)
  assert.deepEqual(
    isThere,
    bodies.map((_, at) => at >= first),
  )
  // A record has 24 bytes before it, and begins at a multiple of 4.
  assert.ok(Math.abs(500 - first - SIZE / 40) <= 2, `${500 - first} are there`)
})
