import assert from 'node:assert/strict'
import test from 'node:test'
import { inspect } from 'node:util'
import { runInNewContext } from 'node:vm'
import { isSessionValue } from '../../src/session/value.ts'

class User {
  id = 1
}

class Tagged {
  get [Symbol.toStringTag](): string {
    return 'User'
  }
}

const accepted: readonly unknown[] = [
  {},
  { user: 'ada' },
  Object.create(null),
  Object.create({ inherited: 1 }),
  new User(),
  { toJSON: () => ({}) },
  Object.freeze({ user: 'ada' }),
  new Proxy({}, {}),
  runInNewContext('({ user: 1 })'),
]

const refused: readonly unknown[] = [
  null,
  undefined,
  true,
  0,
  Number.NaN,
  1n,
  '',
  'text',
  Symbol('s'),
  () => 1,
  User,
  [],
  ['a'],
  new Proxy([], {}),
  new Map(),
  new Set(),
  new WeakMap(),
  new Date(0),
  Promise.resolve(),
  new URLSearchParams(),
  new Headers(),
  new URL('http://localhost'),
  new Error('an error'),
  /x/,
  Buffer.alloc(1),
  new Uint8Array(1),
  new ArrayBuffer(1),
  Object('boxed'),
  Object(1),
  JSON,
  new Tagged(),
  { [Symbol.toStringTag]: 'Data' },
  runInNewContext('new Map()'),
  runInNewContext('[]'),
]

for (const value of accepted) {
  test(`${inspect(value)} can be the data of a session`, () => assert.equal(isSessionValue(value), true))
}

for (const value of refused) {
  test(`${inspect(value)} can not be the data of a session`, () => assert.equal(isSessionValue(value), false))
}
