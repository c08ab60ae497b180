import assert from 'node:assert/strict'
import test from 'node:test'
import { type SqlStoreOptions, sqliteStore } from 'koa-session/sqlite'

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
