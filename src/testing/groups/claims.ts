import assert from 'node:assert/strict'
import { keyed, type Store } from '../../stores/store.ts'
import { type Capability, type Case, cases } from '../case.ts'

/** The methods that a capability stands for. */
const METHODS: ReadonlyArray<readonly [Capability, ReadonlyArray<keyof Store>]> = [
  ['keys', ['plain', 'read', 'create', 'patch', 'touch']],
  ['retire', ['retire']],
  ['subjects', ['list', 'destroyAll']],
]

/** That a store has what it claims, and claims what it has, so that nothing goes untested. */
export function claims(capabilities: readonly Capability[]): readonly Case[] {
  const claimed: ReadonlySet<string> = new Set(capabilities)
  return [
    ...cases('claims', [], {
      'the store has what it claims, and claims what it has': async t => {
        for (const method of ['get', 'set', 'destroy'] as const)
          assert.equal(typeof t.store[method], 'function', method)
        for (const [capability, methods] of METHODS) {
          const isClaimed = claimed.has(capability)
          for (const method of methods) {
            const kind = isClaimed ? (method === 'plain' ? 'object' : 'function') : 'undefined'
            assert.equal(
              typeof t.store[method],
              kind,
              `${method}, as ${capability} is ${isClaimed ? '' : 'not '}claimed`,
            )
          }
        }
        if (!claimed.has('keys')) return
        assert.ok(keyed(t.store), 'plain has to hold the store’s own get, set and destroy, as they are')
        await t.create(t.id(), { user: '"ada"' })
        const version = (await t.read(t.id()))?.version
        assert.equal(Number.isInteger(version), claimed.has('versions'), `the version of a record is ${version}`)
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
