import assert from 'node:assert/strict'
import test, { type TestContext as Test } from 'node:test'
import { startSweeper } from '../../../src/stores/sql/sweeper.ts'

const EVERY = 60_000
const BATCH = 500

/** A table with so many expired rows; it fails as often as it is told to. */
function tableOf(rows: number, failures = 0) {
  const batches: number[] = []
  let left = rows
  let failing = failures
  const deleteBatch = () => {
    if (failing-- > 0) throw new Error('the disk is full')
    const count = Math.min(left, BATCH)
    left -= count
    batches.push(count)
    return count
  }
  return { batches, deleteBatch }
}

/** Turns of the event loop, in which promises settle. */
async function turns(count = 10): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise(resolve => setImmediate(resolve))
}

async function elapse(t: Test, milliseconds: number): Promise<void> {
  t.mock.timers.tick(milliseconds)
  await turns()
}

test('a sweep deletes batch by batch until there is no full one', async () => {
  const rows: ReadonlyArray<readonly [expired: number, batches: number[]]> = [
    [0, [0]],
    [1, [1]],
    [BATCH - 1, [BATCH - 1]],
    [BATCH, [BATCH, 0]],
    [2 * BATCH + 7, [BATCH, BATCH, 7]],
  ]
  for (const [expired, expected] of rows) {
    const { batches, deleteBatch } = tableOf(expired)
    const sweeper = startSweeper(deleteBatch, { batch: BATCH, every: false })
    assert.equal(await sweeper.sweep(), expired)
    assert.deepEqual(batches, expected)
  }
})

test('processes that were started together do not sweep together', async t => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  for (const [chance, soonest] of [
    [0, 0.9],
    [0.5, 1],
    [0.75, 1.05],
  ] as const) {
    t.mock.method(Math, 'random', () => chance)
    const { batches, deleteBatch } = tableOf(0)
    const sweeper = startSweeper(deleteBatch, { batch: BATCH, every: EVERY })
    await elapse(t, EVERY * soonest - 2)
    assert.equal(batches.length, 0)
    await elapse(t, 2)
    assert.equal(batches.length, 1)
    await sweeper.close()
  }
})

test('others have the database for as long as a batch has had it, but no longer than a second', async t => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  let instant = 0
  t.mock.method(performance, 'now', () => instant)
  const took = [40, 60_000, 1, 1]
  const { batches, deleteBatch } = tableOf(3 * BATCH + 1)
  const sweeping = startSweeper(
    () => {
      instant += took[batches.length] ?? 0
      return deleteBatch()
    },
    { batch: BATCH, every: false },
  ).sweep()
  const rows: ReadonlyArray<readonly [elapsed: number, batches: number]> = [
    [0, 1],
    [39, 1],
    [1, 2],
    [999, 2],
    [1, 3],
    [1, 4],
  ]
  for (const [elapsed, expected] of rows) {
    await elapse(t, elapsed)
    assert.equal(batches.length, expected)
  }
  assert.equal(await sweeping, 3 * BATCH + 1)
})

test('one that is closed while it pauses deletes no more', async t => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { batches, deleteBatch } = tableOf(3 * BATCH)
  const sweeper = startSweeper(deleteBatch, { batch: BATCH, every: EVERY })
  t.mock.timers.tick(EVERY * 1.1)
  await turns()
  assert.equal(batches.length, 1)
  const closing = sweeper.close()
  await elapse(t, 1000)
  await closing
  assert.equal(batches.length, 1)
})

test('it sweeps by itself, again and again, each time after what was asked for, give or take a tenth', async t => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { batches, deleteBatch } = tableOf(0)
  const sweeper = startSweeper(deleteBatch, { batch: BATCH, every: EVERY })
  for (const sweeps of [0, 1, 2]) {
    await elapse(t, EVERY * 0.89)
    assert.equal(batches.length, sweeps)
    await elapse(t, EVERY * 0.22)
    assert.equal(batches.length, sweeps + 1)
  }
  await sweeper.close()
})

test('its timer keeps no process alive', t => {
  const waits: NodeJS.Timeout[] = []
  const { setTimeout } = globalThis
  t.mock.method(globalThis, 'setTimeout', (...args: Parameters<typeof setTimeout>) => {
    const timer = setTimeout(...args)
    waits.push(timer)
    return timer
  })
  const sweeper = startSweeper(tableOf(0).deleteBatch, { batch: BATCH, every: EVERY })
  assert.deepEqual(
    waits.map(timer => timer.hasRef()),
    [false],
  )
  return sweeper.close()
})

test('it does not sweep by itself when that is off, or after it was closed', async t => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { batches, deleteBatch } = tableOf(0)
  startSweeper(deleteBatch, { batch: BATCH, every: false })
  const sweeper = startSweeper(deleteBatch, { batch: BATCH, every: EVERY })
  await sweeper.close()
  await elapse(t, 10 * EVERY)
  assert.deepEqual(batches, [])
})

test('closing it waits for the sweep that is under way, which ends with its batch', async t => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const pending: Array<(count: number) => void> = []
  const sweeper = startSweeper(() => new Promise<number>(resolve => pending.push(resolve)), {
    batch: BATCH,
    every: EVERY,
  })
  await elapse(t, EVERY * 1.1)
  let isClosed = false
  const closing = sweeper.close().then(() => {
    isClosed = true
  })
  await turns()
  assert.equal(isClosed, false)
  pending[0]?.(BATCH)
  await closing
  await elapse(t, EVERY * 2)
  assert.equal(pending.length, 1)
})

test('a sweep that fails is told, and the next one is made', async t => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { batches, deleteBatch } = tableOf(3, 1)
  const errors: unknown[] = []
  const sweeper = startSweeper(deleteBatch, { batch: BATCH, every: EVERY, onError: error => errors.push(error) })
  await elapse(t, EVERY * 1.1)
  assert.deepEqual(errors, [new Error('the disk is full')])
  await elapse(t, EVERY * 1.1)
  assert.deepEqual(batches, [3])
  await sweeper.close()
})

test('a sweep that fails is a process warning where telling that fails, too', async t => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const warnings: string[] = []
  t.mock.method(process, 'emitWarning', (message: string) => warnings.push(message))
  const onError = () => {
    throw new Error('no logger')
  }
  // A rejection that nobody handles would end the process.
  const onErrors = [onError, () => Promise.reject(new Error('no logger'))]
  const sweepers = onErrors.map(onError =>
    startSweeper(tableOf(0, 9).deleteBatch, { batch: BATCH, every: EVERY, onError }),
  )
  await elapse(t, EVERY * 1.1)
  // Once per process.
  assert.equal(warnings.length, 1)
  assert.match(warnings[0] ?? '', /could not be deleted.*no logger/)
  for (const sweeper of sweepers) await sweeper.close()
})

test('a sweep that somebody asked for fails for whoever asked', async () => {
  const sweeper = startSweeper(tableOf(0, 1).deleteBatch, { batch: BATCH, every: false })
  await assert.rejects(sweeper.sweep(), /the disk is full/)
})
