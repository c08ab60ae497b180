import assert from 'node:assert/strict'
import test from 'node:test'
import { type SqlStoreOptions, sqliteStore } from 'koa-session/sqlite'
import { heard, warningsOf } from '../../support/warnings.ts'

test('a store sweeps each quarter of an hour, or when it is told to, and tells whoever is to be told', async t => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const errors: unknown[] = []
  const sweeps: string[] = []
  const storeFor = (name: string, options: SqlStoreOptions) =>
    sqliteStore(
      {
        exec() {},
        prepare: () => ({
          all: () => [],
          run() {
            sweeps.push(name)
            throw new Error(name)
          },
        }),
      },
      { onSweepError: error => errors.push(error), ...options },
    )
  const stores = [
    storeFor('default', {}),
    storeFor('often', { sweepEvery: 300_000 }),
    storeFor('off', { sweepEvery: false }),
  ]
  for (let minute = 0; minute < 17; minute++) {
    t.mock.timers.tick(60_000)
    for (let turn = 0; turn < 5; turn++) await new Promise(resolve => setImmediate(resolve))
  }
  assert.equal(sweeps.filter(name => name === 'default').length, 1)
  assert.ok([2, 3].includes(sweeps.filter(name => name === 'often').length))
  assert.equal(sweeps.includes('off'), false)
  assert.deepEqual(
    errors.map(error => (error as Error).message),
    sweeps,
  )
  for (const store of stores) await store.close()
})

test('a sweep of SQLite keeps the event loop waiting for fifty rows at a time', async () => {
  let left = 120
  let turns = 0
  const batches: Array<[rows: number, turns: number]> = []
  const prepare = (sql: string) => ({
    all: () => [],
    run() {
      const changes = Math.min(left, Number(/LIMIT (\d+)/.exec(sql)?.[1]))
      left -= changes
      batches.push([changes, turns])
      return { changes }
    },
  })
  const store = sqliteStore({ exec() {}, prepare }, { sweepEvery: false })
  const count = () => {
    turns++
    if (left > 0) setImmediate(count)
  }
  setImmediate(count)
  assert.equal(await store.sweep(), 120)
  assert.deepEqual(
    batches.map(([rows]) => rows),
    [50, 50, 20],
  )
  assert.equal(new Set(batches.map(([, turn]) => turn)).size, 3)
})

test('a sweep that fails is a process warning where nobody is told', async t => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const warnings = warningsOf(t, 'KOA_SESSION_SWEEP')
  const run = () => {
    throw new Error('the disk is full')
  }
  const store = sqliteStore({ exec() {}, prepare: () => ({ all: () => [], run }) })
  t.mock.timers.tick(1_000_000)
  for (let turn = 0; turn < 5; turn++) await heard()
  assert.match(warnings[0]?.message ?? '', /could not be deleted.*the disk is full/)
  await store.close()
})
