import assert from 'node:assert/strict'
import { keyed, type Store } from '../../stores/store.ts'
import { type Capability, type Case, cases } from '../case.ts'

/** The methods that a capability stands for. */
const METHODS: ReadonlyArray<readonly [Capability, ReadonlyArray<keyof Store>]> = [
  ['keys', ['plain', 'read', 'create', 'patch', 'touch']],
  ['retire', ['retire']],
  ['subjects', ['list', 'destroyAll']],
  ['all', ['all', 'count', 'clear']],
]

/** That a store has what it claims, and claims what it has, so that nothing goes untested. */
export function claims(capabilities: readonly Capability[]): readonly Case[] {
  const claimed: ReadonlySet<string> = new Set(capabilities)
  return [
    ...cases('claims', [], {
      'the store has what it claims, and claims what it has': async t => {
        for (const method of ['get', 'set', 'destroy'] as const)
          assert.equal(typeof t.store[method], 'function', `every store has to have the method ${method}`)
        for (const [capability, methods] of METHODS) {
          const isClaimed = claimed.has(capability)
          for (const method of methods) {
            const kind = isClaimed ? (method === 'plain' ? 'object' : 'function') : 'undefined'
            const advice = isClaimed
              ? `the option capabilities has ${capability}, so the store has to have ${method}: implement it, or remove ${capability}`
              : `the store has ${method}: add ${capability} to the option capabilities, so that it is tested, or remove the method`
            assert.equal(typeof t.store[method], kind, advice)
          }
        }
        if (!claimed.has('keys')) return
        assert.ok(keyed(t.store), 'plain has to hold the store’s own get, set and destroy, as they are')
        await t.create(t.id(), { user: '"ada"' })
        const version = (await t.read(t.id()))?.version
        const advice = claimed.has('versions')
          ? 'the option capabilities has versions, so each record has to have an integer as its version'
          : 'records have a version: add versions to the option capabilities'
        assert.equal(Number.isInteger(version), claimed.has('versions'), `${advice}; it was ${version}`)
      },
    }),
    ...cases('claims', ['keys'], {
      'plain does not follow when somebody puts another get, set or destroy in place': async t => {
        for (const method of ['get', 'set', 'destroy'] as const) {
          const wrapped: Store = Object.create(t.store, { [method]: { value: () => undefined } })
          assert.equal(keyed(wrapped), undefined, method)
        }
      },
    }),
  ]
}
