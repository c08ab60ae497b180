/** Who is told before the headers leave, and what becomes of the headers among the arguments of `writeHead`. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { type HeadersListener, listen } from '../../src/node/headers.ts'
import { responseWith } from './response.ts'

type Line = readonly unknown[]
type WriteHead = (...line: Line) => unknown

/** A response whose listeners say what they are told, and what its `writeHead` was given in the end. */
function watched(names = ['one']) {
  const res = responseWith({ 'X-Before': '1', 'Set-Cookie': 'early=1' })
  const told: string[] = []
  let given: Line = []
  const original = res.writeHead as WriteHead
  const spy: WriteHead = (...line) => {
    given = line
    return Reflect.apply(original, res, line)
  }
  Object.assign(res, { writeHead: spy })
  const listenerNamed = (name: string): HeadersListener => ({
    assess: cookiesReplaced => told.push(`${name} ${cookiesReplaced ? 'replaced' : 'same'} ${res.headersSent}`),
    complete: () => {
      told.push(`${name} completes`)
      res.appendHeader('X-Added', name)
    },
  })
  for (const name of names) listen(res, listenerNamed(name))
  return { res, told, spy, listenerNamed, givenBy: () => given, write: res.writeHead as WriteHead }
}

/** The arguments of `writeHead`; what is left of them; the headers then; whether a Set-Cookie was among them. */
const LINES: Readonly<
  Record<string, readonly [line: Line, left: Line, headers: Readonly<Record<string, unknown>>, isReplaced?: boolean]>
> = {
  'a status alone': [[200], [200], {}],
  'a status and its text': [[200, 'Fine'], [200, 'Fine'], {}],
  'an object': [[200, { 'X-A': '1', 'x-before': 2 }], [200], { 'x-a': '1', 'x-before': 2 }],
  'an object after a text': [[200, 'Fine', { 'X-A': '1' }], [200, 'Fine'], { 'x-a': '1' }],
  'an object after no text': [[200, undefined, { 'X-A': '1' }], [200, undefined], { 'x-a': '1' }],
  'an object after an empty text': [[200, '', { 'X-A': '1' }], [200, ''], { 'x-a': '1' }],
  'null in its place': [[200, null], [200, null], {}],
  'null after a text': [[200, 'Fine', null], [200, 'Fine', null], {}],
  'a flat list': [[200, ['X-A', '1', 'X-B', '2']], [200], { 'x-a': '1', 'x-b': '2' }],
  'a list of pairs': [
    [
      200,
      [
        ['X-A', '1'],
        ['X-B', '2'],
      ],
    ],
    [200],
    { 'x-a': '1', 'x-b': '2' },
  ],
  'a list that names one twice': [
    [200, ['X-A', '1', 'x-a', '2', 'X-a', ['3', '4']]],
    [200],
    { 'x-a': ['1', '2', '3', '4'] },
  ],
  'no headers': [[200, []], [200], {}],
  'a cookie': [[200, { 'SET-Cookie': ['b=1'] }], [200], { 'set-cookie': ['b=1'] }, true],
  'cookies in a list': [
    [200, ['Set-Cookie', 'b=1', 'set-cookie', 'c=2']],
    [200],
    { 'set-cookie': ['b=1', 'c=2'] },
    true,
  ],
}

for (const [what, [line, left, headers, isReplaced = false]] of Object.entries(LINES)) {
  test(`${what} in writeHead`, () => {
    const { res, told, spy, givenBy, write } = watched()
    assert.equal(Reflect.apply(write, res, line), res)
    assert.deepEqual(told, [`one ${isReplaced ? 'replaced' : 'same'} false`, 'one completes'])
    assert.deepEqual(givenBy(), left)
    assert.deepEqual(
      { ...res.getHeaders() },
      { 'x-before': '1', 'set-cookie': 'early=1', 'x-added': 'one', ...headers },
    )
    assert.equal(res.writeHead, spy, 'it is put back')
  })
}

test('a list that is no list of headers is left to Node, which says so', () => {
  const { res, told, givenBy, write } = watched()
  const line = [200, ['X-A', '1', 'X-B']]
  assert.throws(() => Reflect.apply(write, res, line), { code: 'ERR_INVALID_ARG_VALUE' })
  assert.deepEqual([told, givenBy()], [['one same false', 'one completes'], line])
})

test('each listener is told, and assesses before any completes', () => {
  const { res, told } = watched(['one', 'two', 'three'])
  res.writeHead(200)
  const assessed = ['one same false', 'two same false', 'three same false']
  assert.deepEqual(told, [...assessed, 'one completes', 'two completes', 'three completes'])
})

test('after an error of writeHead they are told again, with the headers that leave then', () => {
  const { res, told } = watched()
  assert.throws(() => res.writeHead(99_999))
  res.writeHead(200)
  assert.equal(told.join(), 'one same false,one completes,one same false,one completes')
})

test('nobody is told once the headers have left', () => {
  const { res, told, write } = watched()
  res.writeHead(200)
  assert.throws(() => Reflect.apply(write, res, [200]), { code: 'ERR_HTTP_HEADERS_SENT' })
  assert.equal(told.length, 2)
})

test('what wrapped writeHead later stays', () => {
  const { res, told, write } = watched()
  const later: WriteHead = (...line) => Reflect.apply(write, res, line)
  Object.assign(res, { writeHead: later })
  res.writeHead(200)
  assert.deepEqual([told.length, res.writeHead === later], [2, true])
})
