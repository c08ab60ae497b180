/** What is done with all sessions of a store, beyond what the contract says. */

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import test from 'node:test'
import { type MemoryStoreOptions, memoryStore } from 'koa-session/memory'
import { sqliteStore } from 'koa-session/sqlite'
import Database from 'libsql'
import type { Store } from '../../src/stores/store.ts'
import { newSecret } from '../support/secrets.ts'

const HOUR = 3_600_000
const CALL = { ctx: {} }
const digest = (text: string) => createHash('sha256').update(text).digest('base64url')

const STORES = {
  memoryStore: async (options: MemoryStoreOptions) =>
    memoryStore({ max: 10_000, ...options }) as unknown as Required<Store>,
  sqliteStore: async (options: object) => {
    const store = sqliteStore(new Database(':memory:'), { sweepEvery: false, ...options })
    await store.setup()
    return store as unknown as Required<Store>
  },
}

async function filled(store: Required<Store>, count: number): Promise<void> {
  const record = { members: { n: '1' }, lifetime: { _session: true }, subject: digest('ada') } as const
  for (let at = 0; at < count; at++) await store.create(`id ${at}`, record, HOUR, CALL)
}

/** How many turns the event loop has while `work` goes on. */
async function turnsOf(work: () => unknown): Promise<number> {
  let turns = 0
  let isOver = false
  const turn = () => {
    turns++
    if (!isOver) setImmediate(turn)
  }
  setImmediate(turn)
  await work()
  isOver = true
  return turns
}

/** The time (ms) of this process, and not of others on the machine. */
async function timeOf(work: () => unknown): Promise<number> {
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}

for (const [name, make] of Object.entries(STORES)) {
  test(`${name}: sessions end some at a time, and the event loop goes on`, async () => {
    const store = await make({})
    for (const end of [() => store.destroyAll('ada', { except: 'id 7' }), () => store.clear()]) {
      await filled(store, 3000)
      const turns = await turnsOf(end)
      assert.ok(turns >= 5, `the event loop had ${turns} turns`)
    }
    assert.equal(await store.count(), 0)
  })

  test(`${name}: of many sessions all but the one that is spared are ended, and counted`, async () => {
    const store = await make({})
    await filled(store, 2600)
    assert.equal(await store.destroyAll('ada', { except: 'id 2599' }), 2599)
    assert.deepEqual(
      (await store.list('ada')).map(({ handle }) => handle),
      [digest('id 2599')],
    )
  })

  test(`${name}: clear() tells each session that it has ended, with whose it was`, async () => {
    const told: unknown[] = []
    const store = await make({ onEnded: (one: unknown) => told.push(one) })
    await filled(store, 150)
    await store.clear()
    assert.equal(told.length, 150)
    const id = createHash('sha256').update('id 0').digest('hex').slice(0, 8)
    assert.deepEqual(
      told.find(one => Object(one).id === id),
      { id, subjectHash: digest('ada'), reason: 'clear' },
    )
  })

  for (const after of ['an id', '', 'x'.repeat(43).concat('.'), '-1'])
    test(`${name}: ${JSON.stringify(after.slice(0, 8))} is no cursor, and is not shown`, async () => {
      const walk = (await make({})).all({ after })
      await assert.rejects(
        (async () => {
          for await (const _ of walk);
        })(),
        ({ code, message }) => code === 'ERR_SESSION_OPTION' && !message.includes(after || 'an id'),
      )
    })
}

test('reseal() gives the event loop its turns, where there is nothing to seal anew', async () => {
  const store = await STORES.sqliteStore({ seal: [newSecret()] })
  await filled(store, 1000)
  const turns = await turnsOf(() => (store as unknown as { reseal(): Promise<number> }).reseal())
  assert.ok(turns >= 5, `the event loop had ${turns} turns`)
})

test('what a sealed store ends is not opened: of many sessions that would hold the event loop', async () => {
  const store = await STORES.memoryStore({ seal: [newSecret()] })
  await filled(store, 6000)
  const listing = await timeOf(() => store.list('ada'))
  const ending = await timeOf(() => store.destroyAll('ada'))
  assert.ok(ending < listing / 3, `to end them took ${ending} ms, to open them ${listing} ms`)
})

test('without hashes, a cursor whose session has ended is told', async () => {
  const store = await STORES.sqliteStore({ hashIds: false })
  await filled(store, 3)
  const after = digest('id 1')
  const rest: string[] = []
  for await (const { handle } of store.all({ after })) rest.push(handle)
  assert.deepEqual(rest, [digest('id 2')])
  const large = await STORES.sqliteStore({ hashIds: false })
  await filled(large, 250)
  const handles: string[] = []
  for await (const { handle } of large.all()) handles.push(handle)
  const found: string[] = []
  for await (const { handle } of large.all({ after: handles[49] })) found.push(handle)
  assert.deepEqual(found, handles.slice(50))
  await store.destroy('id 1', CALL)
  const walk = store.all({ after })[Symbol.asyncIterator]()
  await assert.rejects(walk.next(), { code: 'ERR_SESSION_OPTION', message: /leave it out to begin anew/ })
})
