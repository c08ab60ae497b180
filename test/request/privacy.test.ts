/** What an error of a store may not repeat of what the store was given. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { digest } from '../../src/codec/digest.ts'
import { type Question, repeats } from '../../src/request/privacy.ts'

const bytes = (id: string) => Buffer.from(digest(id), 'base64url')
const cyclic: Record<string, unknown> = { toJSON: () => cyclic }
const LONG = 'abcdefghijklmnop'

/** A text, whether it repeats anything, and the question that the store was asked. */
const ROWS: ReadonlyArray<readonly [text: string, isRepeated: boolean, question: Question]> = [
  ['no such id: A1', true, { operation: 'get', id: 'A1' }],
  ['no such id: A2', false, { operation: 'get', id: 'A1' }],
  ['down', false, { operation: 'open' }],
  [`hash ${digest('A1')}`, true, { operation: 'get', id: 'A1' }],
  [`hash ${bytes('A1').toString('hex')}`, true, { operation: 'get', id: 'A1' }],
  [`hash ${bytes('A1').toString('base64')}`, true, { operation: 'get', id: 'A1' }],
  ['no such id: a1b2', true, { operation: 'get', id: 'A1-B2' }],
  ['to B1', true, { operation: 'retire', id: 'A1', what: { successor: 'B1' } }],
  ['to 7', false, { operation: 'retire', id: 'A1', what: { successor: 7 } }],
  // Values of a payload.
  ['bad secret', true, { operation: 'set', id: 'A1', what: { word: 'secret' } }],
  ['bad name word', false, { operation: 'set', id: 'A1', what: { word: 'secret' } }],
  ['bad abcd', true, { operation: 'set', what: { word: 'abcd' } }],
  ['bad abc', false, { operation: 'set', what: { word: 'abc' } }],
  ['bad 4711', true, { operation: 'set', what: { pin: 4711 } }],
  ['bad inner', true, { operation: 'set', what: { deep: { list: ['inner'] } } }],
  ['bad name', true, { operation: 'set', what: { deep: { name: 1 } } }],
  ['0 of 1111', false, { operation: 'set', what: { list: [1, 22, 333] } }],
  ['null, true and false', false, { operation: 'set', what: { a: null, b: true, c: false } }],
  ['bad', false, { operation: 'set' }],
  ['bad toJSON', false, { operation: 'set', what: cyclic }],
  // Members, what is set, and whose it is.
  ['bad secret', true, { operation: 'create', what: { members: { word: '"secret"' } } }],
  ['bad secret', true, { operation: 'patch', what: { set: { word: '"secret"' } } }],
  ['bad owner', true, { operation: 'patch', what: { subject: 'owner' } }],
  ['bad 1234', true, { operation: 'touch', what: { set: {}, subject: 1234 } }],
  ['bad version', false, { operation: 'patch', what: { set: {}, other: 'version' } }],
  ['bad inner', true, { operation: 'patch', what: { set: { deep: '{"name":["inner"]}' } } }],
  ['bad name', true, { operation: 'patch', what: { set: { deep: '[{"name":1}]' } } }],
  ['bad quoted', true, { operation: 'set', what: { word: '"quoted"' } }],
  ['bad true and null', false, { operation: 'patch', what: { set: { a: 'true', b: 'null', c: 'false' } } }],
  ['a truer word', true, { operation: 'set', what: { word: 'truer' } }],
  ['the text untrue', true, { operation: 'set', what: { word: 'untrue' } }],
  ['bad {broken', true, { operation: 'set', what: { word: '{broken' } }],
  // Drivers quote, escape and cut.
  ['bad sec\\u0072et', true, { operation: 'set', what: { word: 'secret' } }],
  ['bad sec\\u007Aet', true, { operation: 'set', what: { word: 'seczet' } }],
  ['bad se\\ncret', true, { operation: 'set', what: { word: 'se\ncret' } }],
  ["bad o''neill", true, { operation: 'set', what: { word: "o'neill" } }],
  ['bad a b c d', true, { operation: 'set', what: { word: 'abcd' } }],
  ['bad secret', true, { operation: 'set', what: { word: 'se"cret' } }],
  [`bad ${LONG}…`, true, { operation: 'set', what: { word: `${LONG}qrs` } }],
  [`bad ${LONG.slice(0, -1)}…`, false, { operation: 'set', what: { word: `${LONG}qrs` } }],
  ['bad', false, { operation: 'set', what: { word: "''''" } }],
]

for (const [at, [text, isRepeated, question]] of ROWS.entries()) {
  test(`${at + 1}: "${text}" ${isRepeated ? 'repeats' : 'repeats nothing of'} what ${question.operation}() was given`, () => {
    assert.equal(repeats(text, question), isRepeated)
  })
}
