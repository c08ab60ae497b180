import assert from 'node:assert/strict'
import test from 'node:test'
import { inspect } from 'node:util'
import { runInNewContext } from 'node:vm'
import { SessionError } from '../../src/errors.ts'
import { EMPTY, textOf, textOrNothing } from '../../src/session/changes.ts'

/** A promise, to `await`: what has a method of this name. */
const THEN = 'then'

/** `value` inside of `depth` lists. */
function nested(depth: number, value: unknown): unknown {
  let outer = value
  for (let level = 0; level < depth; level++) outer = [outer]
  return outer
}

const cycle: Record<string, unknown> = { name: 'cycle' }
cycle.self = cycle

class Labels extends Map<string, string> {
  toJSON(): object {
    return Object.fromEntries(this)
  }
}

test('the text of data is its JSON', async t => {
  const rows: ReadonlyArray<readonly [claim: string, data: Record<string, unknown>, text: string]> = [
    ['no data', {}, '{}'],
    ['plain values in their order', { b: 1, a: 'x', c: null, d: true }, '{"b":1,"a":"x","c":null,"d":true}'],
    ['an empty object, which is no Map', { cart: {} }, '{"cart":{}}'],
    ['empty objects side by side and deep', { a: { b: [{}, { c: {} }] }, d: {} }, '{"a":{"b":[{},{"c":{}}]},"d":{}}'],
    ['a string that holds {}', { note: 'Map {} and {}' }, '{"note":"Map {} and {}"}'],
    ['a string that holds {} beside an object', { note: '{}', cart: { n: 1 } }, '{"note":"{}","cart":{"n":1}}'],
    [
      'values of every kind beside an empty object',
      { a: 1, b: null, c: 'x', d: {} },
      '{"a":1,"b":null,"c":"x","d":{}}',
    ],
    ['a key that is {}', { '{}': 1 }, '{"{}":1}'],
    ['a Date as JSON does it', { at: new Date(0) }, '{"at":"1970-01-01T00:00:00.000Z"}'],
    ['a Date beside an empty object', { at: new Date(0), cart: {} }, '{"at":"1970-01-01T00:00:00.000Z","cart":{}}'],
    ['a Date that is none as null', { at: new Date(Number.NaN) }, '{"at":null}'],
    [
      'numbers that JSON has not as null',
      { a: Number.NaN, b: Number.POSITIVE_INFINITY, c: -0 },
      '{"a":null,"b":null,"c":0}',
    ],
    ['undefined, functions and symbols not at all', { a: undefined, b: () => 1, c: Symbol('c') }, '{}'],
    ['functions deep inside not at all', { a: { b() {} } }, '{"a":{}}'],
    ['bytes as Node does it', { id: Buffer.from('a') }, '{"id":{"type":"Buffer","data":[97]}}'],
    ['an object with toJSON as that says', { user: { toJSON: () => ({ id: 7 }) } }, '{"user":{"id":7}}'],
    ['an object with toJSON that says {}', { user: { toJSON: () => ({}) } }, '{"user":{}}'],
    [
      'an object with a cycle that its toJSON leaves out',
      { a: {}, b: { cycle, toJSON: () => ({}) } },
      '{"a":{},"b":{}}',
    ],
    [
      'a Map with toJSON as that says',
      { labels: new Labels([['a', 'b']]), cart: {} },
      '{"labels":{"a":"b"},"cart":{}}',
    ],
    ['the same object twice, which is no cycle', { a: [EMPTY], b: [{}], c: {} }, '{"a":["{}"],"b":[{}],"c":{}}'],
    ['a lone surrogate, escaped', { s: '\ud800' }, '{"s":"\\ud800"}'],
    ['a member of an object named __proto__', JSON.parse('{"a":{"__proto__":{}}}'), '{"a":{"__proto__":{}}}'],
  ]
  for (const [claim, data, text] of rows) {
    await t.test(claim, () => {
      assert.equal(textOf(data), text)
    })
  }
})

test('what would be lost is an error that names the key of the session', async t => {
  const rows: ReadonlyArray<readonly [claim: string, data: Record<string, unknown>, message: RegExp]> = [
    ['a Map', { cart: new Map() }, /^session\.cart holds a Map, which JSON turns into \{\}; keep plain data/],
    ['a Set', { seen: new Set([1]) }, /^session\.seen holds a Set, which JSON turns into \{\}; keep plain data/],
    [
      'a Map deep in lists and objects',
      { a: 1, cart: { lines: [0, [{ by: new Map() }]] } },
      /^session\.cart holds a Map/,
    ],
    ['a Set after an empty object', { a: {}, b: [{}, null, 'x', new Set()] }, /^session\.b holds a Set/],
    ['a Set before an empty object', { a: [new Set(), {}, null] }, /^session\.a holds a Set/],
    ['the first of two', { plain: {}, one: new Map(), two: new Set() }, /^session\.one holds a Map/],
    ['a Map beside data that is called toJSON', { a: { toJSON: 'no', by: new Map() } }, /^session\.a holds a Map/],
    ['a Map under 20,000 lists', { plain: 1, deep: nested(20_000, new Map()) }, /^session\.deep holds/],
    ['a promise', { user: Promise.resolve(1) }, /^session\.user holds a promise, which JSON turns into \{\}; await it/],
    ['a promise in a list', { a: 1, users: [{ by: [Promise.resolve()] }] }, /^session\.users holds a promise/],
    ['an object with a method then', { user: { [THEN]() {} } }, /^session\.user holds a promise/],
    [
      'an object that inherits then',
      {
        user: new (class {
          [THEN]() {}
        })(),
      },
      /^session\.user holds a promise/,
    ],
    ['a Map after what is told in a warning', { ratio: [/x/, Number.NaN, new Map()] }, /^session\.ratio holds a Map/],
    ['a Map before an object with toJSON', { a: [new Map(), { toJSON: () => 1 }] }, /^session\.a holds a Map/],
    ['a BigInt', { id: 1n }, /^session\.id holds a BigInt, which JSON can not hold; keep plain data/],
    ['a BigInt deep inside', { a: 1, order: { lines: [{ price: 1n }] } }, /^session\.order holds a BigInt, which/],
    [
      'a BigInt under a name that a terminal obeys',
      { 'a\u009b2J': 1n },
      /^session\["a%C2%9B2J"\] holds a BigInt, which/,
    ],
    ['a cycle', { a: 1, tree: cycle }, /^session\.tree holds a cycle, which JSON can not hold; keep/],
    [
      'a toJSON that throws',
      { user: { toJSON: fail } },
      /^session\.user can not be saved: its toJSON\(\) or a getter threw: its message is not shown/,
    ],
    [
      'a getter that throws',
      { a: {}, user: Object.defineProperty({}, 'x', { get: fail, enumerable: true }) },
      /session\.user/,
    ],
    ['a key with a dot in it', { 'a.b': 1n }, /^session\["a\.b"\] holds/],
    ['an empty key', { '': 1n }, /^session\[""\] holds/],
  ]
  for (const [claim, data, message] of rows) {
    await t.test(claim, () => {
      assert.throws(() => textOf(data), { name: 'SessionError', code: 'ERR_SESSION_DATA', message })
    })
  }
})

test('what would be lost is found behind a form that hides it', async t => {
  const rows: ReadonlyArray<readonly [claim: string, data: Record<string, unknown>]> = [
    ['a Map of another realm', { cart: runInNewContext('new Map([[1, 2]])') }],
  ]
  for (const [claim, data] of rows) {
    await t.test(claim, () => {
      assert.throws(() => textOf(data), { code: 'ERR_SESSION_DATA', message: /^session\.cart holds a Map/ })
    })
  }
})

test('a list with a property that JSON leaves out and that leads back to it has a text', () => {
  const list: unknown[] & { owner?: unknown } = [{}]
  list.owner = list
  const text = runInNewContext('textOf({ list })', { textOf, list }, { timeout: 1000 })
  assert.equal(text, '{"list":[{}]}')
})

test('what a toJSON throws is the cause of the error, without what it says: that may quote the data', () => {
  const toJSON = () => {
    throw Object.assign(new TypeError('ada@example.org is no user'), { user: 'ada@example.org' })
  }
  assert.throws(
    () => textOf({ user: { toJSON } }),
    (error: Error) => {
      const shown = inspect(error, { depth: 9 })
      assert.match(shown, /at Object\.toJSON/)
      assert.doesNotMatch(`${shown}${(error.cause as Error).stack}`, /ada/)
      return true
    },
  )
})

const UNSAID = /^session\.user can not be saved: its toJSON\(\) or a getter threw(: its message is not shown, .*)?$/

test('whatever a toJSON throws, the error is one with a code', async t => {
  const rows: ReadonlyArray<readonly [claim: string, thrown: unknown]> = [
    ['nothing', undefined],
    ['a word', 'out of order'],
    ['an object without a prototype', Object.create(null)],
    ['a symbol', Symbol('out of order')],
  ]
  for (const [claim, thrown] of rows) {
    await t.test(claim, () => {
      const toJSON = () => {
        throw thrown
      }
      assert.throws(() => textOf({ user: { toJSON } }), { code: 'ERR_SESSION_DATA', message: UNSAID })
    })
  }
})

test('an error with a code that a toJSON throws is thrown as it is', () => {
  const error = new SessionError('ERR_SESSION_STORE', 'of its own')
  const toJSON = () => {
    throw error
  }
  assert.throws(
    () => textOf({ user: { toJSON } }),
    thrown => thrown === error,
  )
})

test('an error that does not show a second time is thrown as it was', () => {
  const error = new Error('only as a member')
  const toJSON = (key: string) => {
    if (key === 'user') throw error
  }
  assert.throws(
    () => textOf({ user: { toJSON } }),
    thrown => thrown === error,
  )
})

test('data is read once, and a second time only when its text holds {}', () => {
  let reads = 0
  const counted = (value: unknown) => Object.defineProperty({}, 'x', { get: () => ++reads && value, enumerable: true })
  textOf({ a: counted(1) })
  assert.equal(reads, 1)
  textOf({ a: counted({}) })
  assert.equal(reads, 3)
})

test('no depth of the data ever overflows the stack: there is a text or an error with a code', () => {
  for (const depth of [1, 10, 100, 1000, 2000, 4000, 8000, 12_000, 100_000]) {
    for (const value of [1, {}, new Map()]) {
      const code = codeOf(() => textOf({ deep: nested(depth, value) }))
      assert.match(code, /^(none|ERR_SESSION_DATA)$/, `depth ${depth}`)
      assert.equal(value instanceof Map && code === 'none', false, `depth ${depth}`)
    }
  }
})

test('at the very depth where JSON gives up, it is still an error with a code', () => {
  let [good, bad] = [1, 100_000]
  while (bad - good > 1) {
    const middle = (good + bad) >> 1
    if (textOrNothing({ deep: nested(middle, 1) }) === undefined) bad = middle
    else good = middle
  }
  for (let depth = good - 20; depth < good + 20; depth++) {
    assert.match(
      codeOf(() => textOf({ deep: nested(depth, 1) })),
      /^(none|ERR_SESSION_DATA)$/,
      `depth ${depth}`,
    )
  }
})

test('data that has no text has nothing, and no error', () => {
  assert.equal(textOrNothing({ a: [1, {}] }), '{"a":[1,{}]}')
  assert.equal(textOrNothing({}), EMPTY)
  // Whether there is a text for data this deep is up to the engine.
  assert.match(typeof textOrNothing({ deep: nested(100_000, 1) }), /^(undefined|string)$/)
  assert.equal(textOrNothing({ tree: cycle }), undefined)
  assert.equal(textOrNothing({ id: 1n }), undefined)
})

function fail(): never {
  throw new Error('out of order')
}

function codeOf(work: () => unknown): string {
  try {
    work()
    return 'none'
  } catch (error) {
    return error instanceof SessionError ? error.code : String(error)
  }
}
