import assert from 'node:assert/strict'
import { cases } from '../case.ts'
import { IDS } from '../hostile.ts'

/** What an object has under these names is no session. */
const INHERITED = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf']

/** A client may present any id that a header can carry. */
const TOO_LONG = 'x'.repeat(10_000)

const said = (id: string) => `the id ${JSON.stringify(id.slice(0, 60))}`

export const hostileIds = [
  ...cases('hostile ids', [], {
    'there is nothing under a name that objects inherit, nor under a very long one': async t => {
      for (const id of [...INHERITED, TOO_LONG]) {
        await t.hasNone(id, said(id))
        await t.destroy(id)
      }
    },

    'an id is only a name, whatever it is, and those that look alike are different': async t => {
      const ids = IDS.map(end => t.id() + end)
      for (const [index, id] of ids.entries()) await t.set(id, { index })
      for (const [index, id] of ids.entries()) await t.has(id, { index }, said(id))
      for (const id of ids.slice(1)) await t.destroy(id)
      for (const id of ids.slice(1)) await t.hasNone(id, said(id))
      await t.has(ids[0] ?? '', { index: 0 }, 'destroying one must not destroy another')
    },
  }),

  ...cases('hostile ids', ['keys'], {
    'there is no record under a name that objects inherit, nor under a very long one': async t => {
      for (const id of [...INHERITED, TOO_LONG]) await t.isFree(id)
    },

    'records are created, read, patched and touched under any id': async t => {
      const ids = IDS.map(end => t.id() + end)
      for (const [index, id] of ids.entries()) assert.equal(await t.create(id, { index: `${index}` }), true, said(id))
      for (const [index, id] of ids.entries()) {
        assert.equal(await t.patch(id, { set: { patched: `${index}` } }), 'saved', said(id))
        assert.equal(await t.touch(id), true, said(id))
      }
      for (const [index, id] of ids.entries()) {
        await t.hasMembers(id, { index: `${index}`, patched: `${index}` }, said(id))
      }
    },
  }),

  ...cases('hostile ids', ['retire'], {
    'any id can be retired, and only that': async t => {
      const ids = IDS.map(end => t.id() + end)
      for (const id of ids) await t.create(id, { user: '1' })
      for (const id of ids.slice(1)) assert.equal(await t.retire(id), 'saved', said(id))
      for (const id of ids.slice(1)) await t.hasMembers(id, {}, said(id))
      await t.hasMembers(ids[0] ?? '', { user: '1' })
    },
  }),
]
