import assert from 'node:assert/strict'
import test from 'node:test'
import { type ChunkLimits, join, split } from '../../src/codec/chunks.ts'
import fc from '../support/properties.ts'

const splits: ReadonlyArray<
  readonly [claim: string, value: string, limits: ChunkLimits, pieces: readonly string[] | undefined]
> = [
  ['a value that fits is one piece, unchanged', 'abcdefgh', { limit: 8, max: 2 }, ['abcdefgh']],
  ['an empty value is one empty piece', '', { limit: 8, max: 2 }, ['']],
  ['a value that fits is one piece where no more are allowed', 'abcdefgh', { limit: 8, max: 1 }, ['abcdefgh']],
  ['one more character takes two pieces', 'abcdefghi', { limit: 8, max: 2 }, ['2~abcdef', 'ghi']],
  ['two pieces can be full', 'abcdefghijklmn', { limit: 8, max: 2 }, ['2~abcdef', 'ghijklmn']],
  ['a value for three pieces does not fit in two', 'abcdefghijklmno', { limit: 8, max: 2 }, undefined],
  ['three pieces', 'abcdefghijklmno', { limit: 8, max: 3 }, ['3~abcdef', 'ghijklmn', 'o']],
  ['two pieces do not fit in one', 'abcdefghi', { limit: 8, max: 1 }, undefined],
  ['no piece is allowed', 'abcdefghi', { limit: 8, max: 0 }, undefined],
  [
    'nine pieces',
    'abcdefghijklmnopqrstuvwxy',
    { limit: 3, max: 9 },
    [...['9~a', 'bcd', 'efg', 'hij'], ...['klm', 'nop', 'qrs', 'tuv', 'wxy']],
  ],
  ['ten pieces are too many, whatever is allowed', 'abcdefghijklmnopqrstuvwxyz', { limit: 3, max: 99 }, undefined],
  ['a piece has room for more than its head', 'abc', { limit: 2, max: 9 }, undefined],
  ['a piece has room for something', 'abc', { limit: 0, max: 9 }, undefined],
  ['a limit that is no number fits nothing', 'abc', { limit: Number.NaN, max: 9 }, undefined],
  ['a maximum that is no number fits one piece only', 'abcdefghi', { limit: 8, max: Number.NaN }, undefined],
]

for (const [claim, value, limits, pieces] of splits) {
  test(`to split: ${claim}`, () => assert.deepEqual(split(value, limits), pieces))
}

const joins: ReadonlyArray<
  readonly [
    claim: string,
    first: string,
    others: readonly string[],
    max: number,
    value: string | undefined,
    asked: readonly number[],
  ]
> = [
  ['a value alone is itself', 'abcdef', [], 2, 'abcdef', []],
  ['a value alone ignores pieces that are left over', 'abcdef', ['old', 'older'], 3, 'abcdef', []],
  ['an empty value is itself', '', ['old'], 2, '', []],
  ['two pieces', '2~abc', ['def'], 2, 'abcdef', [1]],
  ['three pieces', '3~abc', ['def', 'gh'], 3, 'abcdefgh', [1, 2]],
  ['a third piece that is left over is ignored', '2~abc', ['def', 'old'], 3, 'abcdef', [1]],
  ['nine pieces', '9~a', [...'bcdefghi'], 9, 'abcdefghi', [1, 2, 3, 4, 5, 6, 7, 8]],
  ['a missing piece is noticed', '2~abc', [], 2, undefined, [1]],
  ['a missing second piece of three is noticed before the third is asked for', '3~abc', ['', 'gh'], 3, undefined, [1]],
  ['a missing last piece is noticed', '3~abc', ['def'], 3, undefined, [1, 2]],
  ['more pieces than allowed are not asked for', '3~abc', ['def', 'gh'], 2, undefined, []],
  ['two pieces where one is allowed', '2~abc', ['def'], 1, undefined, []],
  ['a maximum that is no number', '2~abc', ['def'], Number.NaN, undefined, []],
  ['one piece, announced', '1~abc', ['def'], 9, undefined, []],
  ['no piece, announced', '0~abc', ['def'], 9, undefined, []],
  ['a number that is none', 'x~abc', ['def'], 9, undefined, []],
  ['a number in other digits', '²~abc', ['def'], 9, undefined, []],
  ['a mark after two characters is none, and refused when the value is opened', '10~abc', ['def'], 99, '10~abc', []],
  ['a mark alone', '~', ['def'], 9, '~', []],
  ['two marks', '~~', ['def'], 9, undefined, []],
]

for (const [claim, first, others, max, value, asked] of joins) {
  test(`to join: ${claim}`, () => {
    const numbers: number[] = []
    const nth = (number: number) => {
      numbers.push(number)
      return others[number - 1]
    }
    assert.equal(join(first, nth, max), value)
    assert.deepEqual(numbers, asked)
  })
}

test('what was split is joined to the same value, by pieces within the limit, as few as can be, and none of them empty', () => {
  fc.assert(
    fc.property(
      fc.stringMatching(/^[\w-]{0,300}$/),
      fc.integer({ min: 3, max: 120 }),
      fc.integer({ min: 1, max: 12 }),
      (value, limit, max) => {
        const pieces = split(value, { limit, max })
        if (!pieces) {
          assert.ok(value.length + 2 > limit * Math.min(max, 9))
          return
        }
        assert.ok(pieces.length <= max && pieces.every(piece => piece.length <= limit))
        assert.ok(value === '' || pieces.every(piece => piece !== ''))
        assert.ok(pieces.length === 1 || value.length > limit)
        assert.ok(pieces.slice(1, -1).every(piece => piece.length === limit))
        const [first = '', ...others] = [...pieces, 'left over', 'left over']
        assert.equal(
          join(first, number => others[number - 1], max),
          value,
        )
      },
    ),
    { numRuns: 2000 },
  )
})

test('any pieces at all are joined or refused, and never more than allowed are asked for', () => {
  const piece = fc.oneof(fc.string({ unit: 'binary', maxLength: 5 }), fc.stringMatching(/^\d~\w{0,3}$/))
  fc.assert(
    fc.property(
      piece,
      fc.array(fc.option(piece, { nil: undefined })),
      fc.integer({ min: 0, max: 10 }),
      (first, others, max) => {
        let asked = 0
        const value = join(
          first,
          number => {
            asked++
            return others[number - 1]
          },
          max,
        )
        assert.ok(asked < Math.max(max, 1))
        assert.match(typeof value, /^(string|undefined)$/)
      },
    ),
    { numRuns: 2000 },
  )
})
