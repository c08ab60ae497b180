import assert from 'node:assert/strict'
import { assertNone, type Bench, LONG } from './bench.ts'
import { MEMBERS } from './owned.ts'

/** Gives the session under `from` the id `to`, as `regenerate()` does. */
export async function renew(t: Bench, from: string, to: string, subject?: string): Promise<void> {
  assert.equal(await t.create(to, MEMBERS, { subject }), true)
  assert.equal(await t.retire(from, LONG, { successor: to }), 'saved')
}

/** Makes a session that was given a new id `count` times. Gives its ids, the oldest first. */
export async function chain(t: Bench, count: number, subject?: string, stem = 'chain'): Promise<string[]> {
  const ids = Array.from({ length: count + 1 }, (_, at) => t.id(`${stem}${at}`))
  await t.create(ids[0] ?? '', MEMBERS, { subject })
  for (const [at, id] of ids.slice(1).entries()) await renew(t, ids[at] ?? '', id, subject)
  return ids
}

/** That nothing is under these ids that could be used. A tombstone may be there. */
export async function areDead(
  t: Bench,
  ids: readonly string[],
  message = 'a session that was ended goes on',
): Promise<void> {
  for (const id of ids) {
    const record = await t.read(id)
    if (record && record.retiredAt !== undefined) {
      assert.deepEqual({ ...record.members }, {}, message)
    } else {
      assertNone(record, message)
      assertNone(await t.get(id), message)
    }
    assert.equal(await t.patch(id, { set: { back: '1' } }), 'gone', message)
    assert.equal(await t.touch(id), false, message)
  }
}
