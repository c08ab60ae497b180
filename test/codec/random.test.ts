import assert from 'node:assert/strict'
import test from 'node:test'
import { uuid } from '../../src/codec/random.ts'

const COUNT = 20_000

test('an id is a UUID of version 4, and none is given twice', () => {
  const ids = Array.from({ length: COUNT }, uuid)
  for (const id of ids) assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  assert.equal(new Set(ids).size, COUNT)
})

test('each of the 122 random bits of an id is set in half of them', () => {
  const counts = new Array<number>(128).fill(0)
  for (let i = 0; i < COUNT; i++) {
    const bytes = Buffer.from(uuid().replaceAll('-', ''), 'hex')
    for (let bit = 0; bit < 128; bit++)
      counts[bit] = (counts[bit] ?? 0) + (((bytes[bit >> 3] ?? 0) >> (7 - (bit % 8))) & 1)
  }
  const fixed = new Map([48, 49, 50, 51, 64, 65].map(bit => [bit, [49, 64].includes(bit) ? COUNT : 0]))
  for (const [bit, count] of counts.entries()) {
    const expected = fixed.get(bit)
    if (expected !== undefined) assert.equal(count, expected, `bit ${bit}`)
    // Eight standard deviations: by chance in one run of 10^13.
    else assert.ok(Math.abs(count - COUNT / 2) < 4 * Math.sqrt(COUNT), `bit ${bit} is set in ${count} of ${COUNT}`)
  }
})
