/*
 * Stores that are broken in one way each, and the group of the contract that catches it: a kit that can't fail is
 * worth nothing.
 */

import assert from 'node:assert/strict'
import test from 'node:test'
import { memoryStore } from 'koa-session/memory'
import { manualClock, type StoreContractOptions, storeContract } from 'koa-session/testing'
import { BASIC } from './broken/basic.ts'
import type { Break } from './broken/break.ts'
import { RETIRE, VERSIONS } from './broken/ended.ts'
import { HOSTILE } from './broken/hostile.ts'
import { KEYS } from './broken/keys.ts'
import { CLAIMS, CONCURRENCY, EVERYTHING, SUBJECTS } from './broken/shared.ts'
import { SUCCESSORS } from './broken/successors.ts'
import { ALL, threeMethods } from './stores.ts'

function opening(breakIt: Break): Pick<StoreContractOptions, 'clock' | 'open' | 'capabilities'> {
  const clock = manualClock()
  return {
    clock,
    capabilities: ALL,
    open: () => {
      const memory = memoryStore({ now: clock.now })
      const { plain: _, ...methods } = memory
      const store = { ...methods, ...breakIt(memory, clock) }
      const { get, set, destroy } = store
      return { plain: { get, set, destroy }, ...store }
    },
  }
}

/** What the tests of `group` say of a store, those that it does not pass. */
async function caught(options: StoreContractOptions, group: string): Promise<string[]> {
  const found: string[] = []
  for (const { name, run } of storeContract(options).filter(one => one.group === group)) {
    await run().catch(() => found.push(name))
  }
  return found
}

test('the store that the others are made of is not broken', async () => {
  for (const { run } of storeContract(opening(() => ({})))) await run()
})

for (const [claim, group, breakIt] of [
  ...BASIC,
  ...KEYS,
  ...VERSIONS,
  ...RETIRE,
  ...SUCCESSORS,
  ...CONCURRENCY,
  ...SUBJECTS,
  ...EVERYTHING,
  ...HOSTILE,
  ...CLAIMS,
]) {
  test(`${group}: ${claim}`, async () => {
    assert.notDeepEqual(await caught(opening(breakIt), group), [])
  })
}

test('claims: it has methods that it does not claim', async () => {
  const open = () => memoryStore()
  for (const capabilities of [[], ['keys', 'versions', 'retire'], ['keys', 'retire', 'subjects']] as const) {
    assert.notDeepEqual(await caught({ open, capabilities }, 'claims'), [], capabilities.join())
  }
})

test('claims: what is wrong names the method, and the option capabilities', async () => {
  const rows: ReadonlyArray<readonly [Parameters<typeof storeContract>[0]['capabilities'], message: RegExp]> = [
    [[], /the store has plain: add keys to the option capabilities/],
    [['keys', 'versions', 'subjects'], /the store has retire: add retire to the option capabilities/],
    [['keys', 'versions', 'retire', 'subjects'], /the store has all: add all to the option capabilities/],
    [['keys', 'retire', 'subjects', 'all'], /records have a version: add versions to the option capabilities/],
  ]
  for (const [capabilities, message] of rows) {
    const [first] = storeContract({ open: () => memoryStore(), capabilities })
    await assert.rejects(Promise.resolve(first?.run()), { message })
  }
  const open = () => ({ get() {}, set() {}, destroy() {} })
  const [first] = storeContract({ open, capabilities: ['keys'] })
  const message = /^the option capabilities has keys, so the store has to have plain: implement it/
  await assert.rejects(Promise.resolve(first?.run()), { message })
})

const UNREADABLE: ReadonlyArray<readonly [claim: string, corrupt: (id: string, store: object) => void]> = [
  ['what can not be read is an error', (_, store) => Object.assign(store, { get: () => JSON.parse('{') })],
  ['what can not be read is a payload', (_, store) => Object.assign(store, { get: () => '{' })],
  ['what can not be read can not be replaced', (_, store) => Object.assign(store, { set: () => {} })],
]

for (const [claim, corrupt] of UNREADABLE) {
  test(`corrupt: ${claim}`, async () => {
    const open = () => threeMethods(Date.now).store
    assert.notDeepEqual(await caught({ open, corrupt }, 'corrupt'), [])
  })
}
