/** The contract, and parallel requests, on the stores that need no server. */
import assert from 'node:assert/strict'
import { after, before, describe } from 'node:test'
import type { Store } from 'koa-session'
import { type MemoryStoreOptions, memoryStore } from 'koa-session/memory'
import { type SqlStoreOptions, sqliteStore } from 'koa-session/sqlite'
import { manualClock } from 'koa-session/testing'
import { missingRow, row } from '../servers/report.ts'
import { sqliteClients } from '../servers/sqlite.ts'
import { ALL, digestOf, proveContract, SECRETS } from './support/contract.ts'
import { proveParallel } from './support/parallel.ts'
import { proveReuse } from './support/reuse.ts'
import { SHARED, sqliteFile } from './support/sqlite.ts'

const KINDS = {
  '': {},
  ', by its ids': { hashIds: false },
  ', sealed': { seal: SECRETS },
} satisfies Record<string, MemoryStoreOptions & SqlStoreOptions>

for (const [kind, options] of Object.entries(KINDS)) {
  describe(`a store in memory${kind}`, () => {
    const { test } = row({ store: 'memory', client: '', server: 'the process' })
    const clock = manualClock()
    proveContract(test, { clock, open: () => memoryStore({ now: clock.now, ...options }), capabilities: ALL })
  })
}

describe('parallel requests with a store in memory', () => {
  const { test } = row({ store: 'memory', client: '', server: 'the process' })
  const store = memoryStore()
  proveParallel(test, () => [store, store])
  for (const kind of Object.values(KINDS)) {
    const open = (options = {}) => memoryStore({ ...kind, ...options }) as unknown as Required<Store>
    proveReuse(test, { open, hasClock: false })
  }
})

for (const client of sqliteClients()) {
  const what = { store: 'sqlite', client: client.title, server: 'a file' }
  if (client.missing !== undefined) {
    missingRow(what, client.missing)
    continue
  }
  for (const [kind, options] of Object.entries(KINDS)) {
    describe(`a store in SQLite by ${client.name}${kind}`, () => {
      const { test } = row(what)
      const clock = manualClock()
      const { connect } = sqliteFile({ after }, client, SHARED)
      const db = connect()
      const store = sqliteStore(db, { now: clock.now, sweepEvery: false, ...options })
      before(() => store.setup())
      proveContract(test, {
        clock,
        open: () => store,
        capabilities: ALL,
        corrupt(id) {
          const name = kind.includes('ids') ? id : digestOf(id)
          const { changes } = db.prepare(`UPDATE sessions SET data = '{"user' WHERE name = ?`).run(name)
          assert.equal(Number(changes), 1)
        },
      })
    })
  }
  describe(`parallel requests with stores in SQLite by ${client.name}`, () => {
    const { connect } = sqliteFile({ after }, client, SHARED)
    const stores = [connect(), connect()].map(db => sqliteStore(db, { sweepEvery: false }))
    before(() => stores[0]?.setup())
    proveParallel(row(what).test, () => stores)
    for (const kind of Object.values(KINDS)) {
      const open = (options = {}) =>
        sqliteStore(connect(), { sweepEvery: false, ...kind, ...options }) as Required<Store>
      proveReuse(row(what).test, { open, hasClock: false })
    }
  })
}
