import assert from 'node:assert/strict'
import { type Bench, LONG } from '../bench.ts'
import { cases } from '../case.ts'
import { areDead } from '../renewed.ts'

const MEMBERS = { user: '"ada"', cart: '[1]' }

/** That the id was retired at about `at`, and has no data, whatever is asked. */
async function isRetired(t: Bench, id: string, at: number): Promise<void> {
  const record = await t.read(id)
  assert.ok(record, 'read() gives a record of an id that was retired')
  t.isInstant(record.retiredAt, at, 'retiredAt')
  assert.deepEqual({ ...record.members }, {}, 'an id that was retired has members')
  await t.hasRetired(id, record.retiredAt)
}

async function retired(t: Bench, id = t.id()): Promise<number> {
  await t.create(id, MEMBERS)
  const at = t.now()
  assert.equal(await t.retire(id), 'saved')
  return at
}

export const retire = [
  ...cases('retire', ['retire'], {
    'an id that was retired says when, and has no data': async t => {
      await isRetired(t, t.id(), await retired(t))
    },

    'what was set is retired, too': async t => {
      await t.set(t.id(), { user: 'ada' })
      const at = t.now()
      assert.equal(await t.retire(t.id()), 'saved')
      await isRetired(t, t.id(), at)
    },

    'to patch(), touch() and retire() there is nothing': async t => {
      const at = await retired(t)
      assert.equal(await t.patch(t.id(), { set: { user: '"eve"' }, keepsEmpty: true }), 'gone')
      assert.equal(await t.patch(t.id(), { unset: ['user'] }), 'gone')
      assert.equal(await t.touch(t.id()), false)
      assert.equal(await t.retire(t.id()), 'gone')
      await isRetired(t, t.id(), at)
    },

    'to create() the id is taken': async t => {
      const at = await retired(t)
      assert.equal(await t.create(t.id(), { user: '"eve"' }), false)
      await isRetired(t, t.id(), at)
    },

    'what is set is not kept': async t => {
      const at = await retired(t)
      await t.set(t.id(), { user: 'eve' })
      await isRetired(t, t.id(), at)
      await t.set(t.id(), { user: 'eve' }, 1)
      await isRetired(t, t.id(), at)
    },

    'what is not there is gone, and no id is retired': async t => {
      await t.create(t.id('destroyed'), MEMBERS)
      await t.destroy(t.id('destroyed'))
      for (const stem of ['never', 'destroyed']) {
        assert.equal(await t.retire(t.id(stem)), 'gone')
        await t.isFree(t.id(stem))
      }
    },

    'who has read a record keeps it as it was': async t => {
      await t.create(t.id(), MEMBERS)
      const read = await t.read(t.id())
      await t.retire(t.id())
      assert.deepEqual({ ...read?.members }, MEMBERS)
    },

    'a tombstone stays for the time that is said, and the session’s own counts no more': async t => {
      await t.create(t.id('long'), MEMBERS, { ttl: t.ttl })
      await t.create(t.id('short'), MEMBERS)
      const at = t.now()
      assert.equal(await t.retire(t.id('long'), LONG), 'saved')
      assert.equal(await t.retire(t.id('short'), t.ttl), 'saved')
      // Nothing makes it stay longer.
      await t.touch(t.id('short'))
      await t.patch(t.id('short'), { set: { user: '1' } })
      await t.set(t.id('short'), { user: 'ada' })
      await t.pass(t.ttl)
      await isRetired(t, t.id('long'), at)
      await t.isFree(t.id('short'))
      assert.equal(await t.create(t.id('short'), { user: '"bob"' }), true)
      await t.hasMembers(t.id('short'), { user: '"bob"' })
    },

    'with no time to live nothing that could be used is left': async t => {
      for (const ttl of [0, -1]) {
        await t.create(t.id(`${ttl}`), MEMBERS)
        assert.equal(await t.retire(t.id(`${ttl}`), ttl), 'saved')
        await areDead(t, [t.id(`${ttl}`)])
      }
    },

    'an id without data is retired, too': async t => {
      await t.create(t.id(), {})
      const at = t.now()
      assert.equal(await t.retire(t.id()), 'saved')
      await isRetired(t, t.id(), at)
    },

    'other sessions stay': async t => {
      await t.create(t.id('other'), MEMBERS)
      await retired(t)
      await t.hasMembers(t.id('other'), MEMBERS)
    },

    'an id that expired can not be retired': async t => {
      await t.create(t.id(), MEMBERS, { ttl: t.ttl })
      await t.pass(t.ttl)
      assert.equal(await t.retire(t.id()), 'gone')
      await t.isFree(t.id())
    },
  }),
]
