import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { inspect } from 'node:util'
import { runInNewContext } from 'node:vm'
import { textOf } from '../../src/session/changes.ts'

/** The warnings that `textOf(data)` raises, with their code. */
function warningsFor(t: TestContext, data: Record<string, unknown>): string[] {
  const { mock } = t.mock.method(process, 'emitWarning', () => {})
  textOf(data)
  const said = mock.calls.map(({ arguments: [message, options] }) => `${Object(options).code}: ${message}`)
  mock.restore()
  return said
}

class Old {}
Object.assign(Old.prototype, { method() {}, ratio: Number.NaN, table: new Map() })

test('what JSON loses besides is told by its kind', async t => {
  const rows: ReadonlyArray<readonly [value: unknown, kind: string]> = [
    [Number.NaN, 'NaN'],
    [Number.POSITIVE_INFINITY, 'Infinity'],
    [[1, Number.NEGATIVE_INFINITY], '-Infinity'],
    [/secret/, 'a RegExp'],
    [new Error('secret'), 'an Error'],
    [[{}, Object.assign(new TypeError('secret'), { code: 1 })], 'an Error'],
    [new Headers(), 'a Headers'],
    [new URLSearchParams('a=secret'), 'a URLSearchParams'],
    [new ArrayBuffer(1), 'an ArrayBuffer'],
    [new DataView(new ArrayBuffer(1)), 'a DataView'],
    [new Uint8Array(0), 'a Uint8Array'],
    [{ key: new Uint8Array([115, 101]) }, 'a Uint8Array'],
    [new WeakMap(), 'a WeakMap'],
    [new WeakSet(), 'a WeakSet'],
    [Object(Symbol('secret')), 'a Symbol'],
    [{ method() {} }, 'a function'],
    [[() => 1], 'a function'],
    [{ a: { b: Symbol('secret') } }, 'a symbol'],
    [[{ a: [Symbol('secret')] }], 'a symbol'],
    [runInNewContext('/secret/'), 'a RegExp'],
    [Object.assign(Object.create(null), { at: /secret/ }), 'a RegExp'],
  ]
  for (const [index, [value, kind]] of rows.entries()) {
    await t.test(`${inspect(value)} as ${kind}`, t => {
      const key = `kind${index}`
      const advice = 'keep plain data in the session: an array, an object, a string'
      const told = [`KOA_SESSION_LOSSY: session.${key} holds ${kind}, which JSON does not keep; ${advice}`]
      // Twice: the second time it has been told.
      assert.deepEqual([...warningsFor(t, { [key]: value }), ...warningsFor(t, { [key]: value })], told)
    })
  }
})

test('what JSON keeps, or loses on purpose, is not told', async t => {
  const rows: ReadonlyArray<readonly [claim: string, value: unknown]> = [
    ['null', null],
    ['undefined in a list', [undefined, null]],
    ['a hole in a list', new Array(2)],
    ['undefined in an object', { a: undefined }],
    ['a string that says null', 'null and {}'],
    ['a Date, and one that is none', [new Date(0), new Date(Number.NaN)]],
    ['a Buffer', [null, Buffer.from('a'), Buffer.alloc(0)]],
    ['a URL', [null, new URL('http://localhost')]],
    ['a toJSON that leaves out a function and a number', [{ ratio: Number.NaN, list: [/x/], toJSON: () => ({}) }]],
    ['a list with toJSON', Object.assign([/x/], { toJSON: () => null })],
    [
      'a toJSON that is inherited',
      new (class {
        ratio = Number.NaN
        toJSON() {
          return {}
        }
      })(),
    ],
    ['boxed values', [null, Object('a'), Object(''), Object(1), Object(true)]],
    [
      'an object of a class',
      [
        new (class {
          id = 1
        })(),
        new (class {})(),
        null,
      ],
    ],
    ['an object without a prototype', [Object.create(null)]],
    [
      'an object of a class with a tag',
      [
        {},
        new (class {
          id = 1
          get [Symbol.toStringTag]() {
            return 'User'
          }
        })(),
      ],
    ],
    ['what objects inherit', [new Old()]],
    ['an object with a key 0', { 0: 'a' }],
  ]
  for (const [claim, value] of rows) {
    await t.test(claim, t => {
      assert.deepEqual(warningsFor(t, { [claim]: value }), [])
    })
  }
  await t.test('a function at the top', t => {
    assert.deepEqual(warningsFor(t, { silent: () => 1, plain: {} }), [])
  })
  await t.test('a symbol at the top', t => {
    assert.deepEqual(warningsFor(t, { silent: Symbol('s'), plain: {} }), [])
  })
})

test('each key is told, and a strange name of a key on one short line', t => {
  const data = { first: /x/, second: Number.NaN, 'a\nb\u009b\u202ec': /x/, ['long'.repeat(50)]: /x/ }
  const names = warningsFor(t, data).map(line => /: session(.*) holds/.exec(line)?.[1])
  assert.deepEqual(names, ['.first', '.second', '["a\\nb%C2%9B%E2%80%AEc"]', `["${'long'.repeat(15)}"]`])
})

test('of a process that has told of a hundred keys, no more are told', t => {
  const keys = Array.from({ length: 120 }, (_, index) => [`many${index}`, Number.NaN])
  assert.ok(warningsFor(t, Object.fromEntries(keys)).length < 100)
  assert.deepEqual(warningsFor(t, { oneMore: Number.NaN }), [])
})
