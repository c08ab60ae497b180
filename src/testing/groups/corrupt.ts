import assert from 'node:assert/strict'
import type { StoredRecord } from '../../stores/store.ts'
import { digestOf } from '../bench.ts'
import { cases } from '../case.ts'

const MEMBERS = { user: '"ada"', cart: '[1]' }

/** Whether a record is nothing, or says by a member that is no JSON that it can't be read. */
function isUnreadable(record: StoredRecord | undefined): boolean {
  try {
    for (const text of Object.values(record?.members ?? {})) JSON.parse(text)
    return !record
  } catch {
    return true
  }
}

export const corrupt = [
  ...cases('corrupt', ['corrupt'], {
    'what can not be read is nothing, and no error': async t => {
      await t.set(t.id(), { user: 'ada' })
      await t.corrupt(t.id())
      await t.hasNone(t.id())
      await t.hasNone(t.id())
    },

    'what can not be read is replaced': async t => {
      await t.set(t.id(), { user: 'ada' })
      await t.corrupt(t.id())
      await t.set(t.id(), { user: 'bob' })
      await t.has(t.id(), { user: 'bob' })
    },

    'what can not be read is destroyed': async t => {
      await t.set(t.id(), { user: 'ada' })
      await t.corrupt(t.id())
      await t.destroy(t.id())
      await t.hasNone(t.id())
    },
  }),

  ...cases('corrupt', ['corrupt', 'keys'], {
    'a record that can not be read is nothing or no JSON, and no call rejects': async t => {
      await t.create(t.id(), MEMBERS)
      await t.corrupt(t.id())
      assert.ok(isUnreadable(await t.read(t.id())), 'read() gave a record of what can not be read')
      await t.hasNone(t.id())
      await t.touch(t.id())
      await t.patch(t.id(), { set: { theme: '1' } })
      await t.create(t.id(), MEMBERS)
      await t.read(t.id())
      await t.destroy(t.id())
      await t.isFree(t.id())
    },
  }),

  ...cases('corrupt', ['corrupt', 'retire'], {
    'an id whose record can not be read is retired or gone': async t => {
      await t.create(t.id(), MEMBERS)
      await t.corrupt(t.id())
      assert.match(await t.retire(t.id()), /^(saved|gone)$/)
    },
  }),

  ...cases('corrupt', ['corrupt', 'subjects'], {
    'one session that can not be read keeps nobody from listing and ending the others': async t => {
      const subject = digestOf(t.id('ada'))
      await t.create(t.id('good'), MEMBERS, { subject })
      await t.create(t.id('bad'), MEMBERS, { subject })
      await t.corrupt(t.id('bad'))
      const handles = (await t.list(t.id('ada'))).map(({ handle }) => handle)
      assert.ok(handles.includes(digestOf(t.id('good'))), 'the other session is not listed')
      assert.ok((await t.destroyAll(t.id('ada'))) >= 1)
      await t.isFree(t.id('good'))
    },
  }),
]
