/*
 * The contract on the stores of this package that need no server, and on one of three methods.
 */

import assert from 'node:assert/strict'
import test from 'node:test'
import { memoryStore } from 'koa-session/memory'
import { manualClock, type Store, type StoreContractOptions, storeContract } from 'koa-session/testing'
import { newSecret } from '../support/secrets.ts'
import { ALL, threeMethods } from './stores.ts'

const clock = manualClock()
const secrets = [newSecret(), newSecret()]

const STORES: ReadonlyArray<readonly [claim: string, options: StoreContractOptions]> = [
  ['in memory', { clock, open: () => memoryStore({ now: clock.now }), capabilities: ALL }],
  ['in memory, by its ids', { clock, open: () => memoryStore({ now: clock.now, hashIds: false }), capabilities: ALL }],
  ['in memory, sealed', { clock, open: () => memoryStore({ now: clock.now, seal: secrets }), capabilities: ALL }],
  ['of three methods', { clock, open: () => threeMethods(clock.now).store }],
  [
    'of three methods, whose records can be made unreadable',
    { clock, open: () => threeMethods(clock.now).store, corrupt: (id, store) => threeMethods.corrupt(id, store) },
  ],
]

for (const [claim, options] of STORES) {
  test(`a store ${claim}`, async t => {
    for (const { name, run } of storeContract(options)) await t.test(name, run)
  })
}

test('a store in memory, by the clock of the machine, many tests at once', async () => {
  const tests = storeContract({ open: () => memoryStore(), ttl: 1000, capabilities: ALL })
  // Those take no time to pass, and would hold up those that do.
  await Promise.all(tests.filter(({ group }) => !group.startsWith('hostile')).map(({ run }) => run()))
})

test('one store for all tests, all at once, by a clock that each of them moves', async () => {
  const store = memoryStore({ now: clock.now })
  const tests = storeContract({ open: () => store, clock, capabilities: ALL })
  await Promise.all(tests.map(({ run }) => run()))
})

test('the list holds the tests of what is claimed, each by a name of its own', () => {
  const groupsOf = (options: Partial<StoreContractOptions>) => {
    const tests = storeContract({ open: () => memoryStore(), ...options })
    assert.equal(new Set(tests.map(({ name }) => name)).size, tests.length)
    for (const { name, group } of tests) assert.ok(name.startsWith(`${group}: `))
    return [...new Set(tests.map(({ group }) => group))]
  }
  const three = ['claims', 'basic', 'expiry', 'concurrency', 'hostile ids', 'hostile names', 'hostile values']
  assert.deepEqual(groupsOf({}), three)
  assert.deepEqual(groupsOf({ corrupt: () => {} }), [...three.slice(0, 4), 'corrupt', ...three.slice(4)])
  const keys = [...three.slice(0, 3), 'create', 'patch', 'touch', ...three.slice(3)]
  assert.deepEqual(groupsOf({ capabilities: ['keys'] }), keys)
  assert.ok(groupsOf({ capabilities: ['keys', 'all'] }).includes('all'), 'what is claimed without subjects is tested')
  const all = ['versions', 'retire', 'concurrency', 'subjects', 'all', ...three.slice(4)]
  assert.deepEqual(groupsOf({ capabilities: ALL }), [...three.slice(0, 3), 'create', 'patch', 'touch', ...all])
})

test('each test opens a store and closes it, whether it passes or fails', async () => {
  const opened: unknown[] = []
  const closed: unknown[] = []
  const open = async () => {
    const store = { ...threeMethods(clock.now).store, destroy: () => {} }
    opened.push(store)
    return store
  }
  const tests = storeContract({ clock, open, close: async store => void closed.push(store) })
  const outcomes = await Promise.allSettled(tests.map(({ run }) => run()))
  assert.deepEqual(new Set(outcomes.map(({ status }) => status)), new Set(['fulfilled', 'rejected']))
  assert.equal(opened.length, tests.length)
  assert.deepEqual(closed, opened)
})

test('a store that fails, fails the test with its own error', async () => {
  const error = new Error('the server is down')
  const get = () => Promise.reject(error)
  const tests = storeContract({ open: () => ({ ...threeMethods(clock.now).store, get }) })
  const run = tests.find(({ name }) => name.startsWith('basic: what was set is got'))?.run
  await assert.rejects(async () => run?.(), error)
})

test('a store is asked as the middleware asks it', async () => {
  const calls = new Map<string, unknown>()
  const open = () => {
    const store: Record<string, unknown> = { ...memoryStore() }
    for (const name of Object.keys(store).filter(name => typeof store[name] === 'function')) {
      const method = store[name] as (...given: unknown[]) => unknown
      store[name] = function (this: unknown, ...given: unknown[]) {
        assert.equal(this, store, `${name} was detached`)
        calls.set(name, given.at(-1))
        return method(...given)
      }
    }
    const { get, set, destroy } = store
    return Object.assign(store, { plain: { get, set, destroy } }) as unknown as Store
  }
  const tests = storeContract({ open, capabilities: ALL })
  for (const { group, run } of tests) if (['create', 'touch', 'retire'].includes(group)) await run()
  const ctx = {}
  assert.deepEqual(Object.fromEntries(calls), {
    get: { ctx, signed: true, rolling: false },
    set: { ctx, signed: true, rolling: false, changed: true },
    destroy: { ctx, signed: true },
    read: { ctx, signed: true, rolling: false },
    create: { ctx, signed: true },
    patch: { ctx, signed: true },
    touch: { ctx, signed: true },
    retire: { ctx, signed: true },
  })
})

test('a wrong option is an error that names it', () => {
  const rows: ReadonlyArray<readonly [option: string, value: unknown]> = [
    ['open', undefined],
    ['open', memoryStore()],
    ['close', true],
    ['corrupt', 'x'],
    ['clock', Date.now],
    ['clock', { now: Date.now }],
    ['ttl', 0],
    ['ttl', Number.NaN],
    ['capabilities', 'keys'],
    ['capabilities', ['key']],
    ['capabilities', ['retire']],
    ['capability', ['keys']],
    ['corupt', () => {}],
  ]
  for (const [option, value] of rows) {
    const options = { open: () => memoryStore(), [option]: value } as StoreContractOptions
    assert.throws(() => storeContract(options), {
      code: 'ERR_SESSION_OPTION',
      message: new RegExp(`^storeContract: the option ${option} `),
    })
  }
  assert.throws(() => storeContract({ open: () => memoryStore(), ttl: 100, clock }), { code: 'ERR_SESSION_OPTION' })
})
