/** What is kept of a user is listed, and what is left of it once it was deleted: told of each database. */
import assert from 'node:assert/strict'
import type { TestContext as Test } from 'node:test'
import type { RecordStore } from 'koa-session/redis'
import { digestOf as digest, type Register } from './contract.ts'

export interface Kept {
  readonly store: RecordStore
  /** All that the database has, as text. */
  dump(): Promise<string>
}

const HOUR = 3_600_000
const call = { ctx: undefined, rolling: false, changed: true }

/** Registers the test. */
export function proveForgotten(register: Register, open: (t: Test) => Kept | Promise<Kept>): void {
  register('what is kept of a user is listed, and once it was deleted no data, name or id of it is left', async t => {
    const { store, dump } = await open(t)
    const recordOf = (id: string) => {
      const members = { user: '"user-ada"', page: `"page-of-${id}"` }
      return { members, lifetime: { _maxAge: HOUR }, subject: digest('user-ada') }
    }
    for (const id of ['first-id', 'second-id', 'third-id']) await store.create(id, recordOf(id), HOUR, call)
    assert.equal(await store.retire('second-id', { successor: 'third-id' }, HOUR, call), 'saved')
    const pages = (await store.list('user-ada')).map(({ data }) => data.page)
    assert.deepEqual(pages.sort(), ['page-of-first-id', 'page-of-third-id'])
    assert.match(await dump(), /page-of-first-id/)
    assert.equal(await store.destroyAll('user-ada'), 2)
    assert.deepEqual(await store.list('user-ada'), [])
    assert.doesNotMatch(await dump(), /user-ada|page-of|-id\b/)
  })
}
