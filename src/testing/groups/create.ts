import assert from 'node:assert/strict'
import { assertNone, plain } from '../bench.ts'
import { cases } from '../case.ts'

const MEMBERS = { user: '"ada"', cart: '[1,{"size":"L"}]' }

export const create = [
  ...cases('create', ['keys'], {
    'an id that is free is taken, and there is what was given': async t => {
      const meta = { created: 1.6e12, fresh: 1.6e12 + 1, since: 1.5e12, dataVersion: 7 }
      const lifetime = { _expire: t.now() + 1e9, _maxAge: 1e9, _meta: meta }
      assert.equal(await t.create(t.id(), MEMBERS, { lifetime }), true)
      const record = await t.hasMembers(t.id(), MEMBERS)
      assert.deepEqual(plain(record.lifetime), lifetime)
      assertNone(record.retiredAt, 'a record that was not retired has a retiredAt')
      assertNone(record.subject, 'a record of nobody has a subject')
      await t.has(t.id(), { user: 'ada', cart: [1, { size: 'L' }], ...lifetime })
    },

    'an id that is taken stays as it was': async t => {
      const lifetime = { _session: true } as const
      await t.create(t.id(), MEMBERS, { lifetime })
      assert.equal(await t.create(t.id(), { user: '"bob"', theme: '1' }), false)
      const record = await t.hasMembers(t.id(), MEMBERS)
      assert.deepEqual(plain(record.lifetime), lifetime)
    },

    'an id that is taken does not get another lifetime': async t => {
      await t.create(t.id(), MEMBERS, { ttl: t.ttl })
      await t.create(t.id(), MEMBERS)
      await t.pass(t.ttl)
      await t.isFree(t.id())
    },

    'an id that was set is taken, and read() gives what was set': async t => {
      const lifetime = { _expire: t.now() + 1e9, _maxAge: 1e9 }
      await t.set(t.id(), { user: 'ada', cart: [1], none: undefined, ...lifetime })
      assert.equal(await t.create(t.id(), { user: '"bob"' }), false)
      const record = await t.hasMembers(t.id(), { user: '"ada"', cart: '[1]' })
      assert.deepEqual(plain(record.lifetime), lifetime, 'the lifetime is no part of the members')
    },

    'what was created is replaced by what is set': async t => {
      await t.create(t.id(), MEMBERS)
      await t.set(t.id(), { user: 'bob' })
      await t.has(t.id(), { user: 'bob' })
      await t.hasMembers(t.id(), { user: '"bob"' })
    },

    'an id that was destroyed is free': async t => {
      await t.create(t.id(), MEMBERS)
      await t.destroy(t.id())
      await t.isFree(t.id())
      assert.equal(await t.create(t.id(), { user: '"bob"' }), true)
      await t.hasMembers(t.id(), { user: '"bob"' })
    },

    'a record may have no members': async t => {
      assert.equal(await t.create(t.id(), {}, { lifetime: { _session: true } }), true)
      await t.hasMembers(t.id(), {})
      await t.has(t.id(), { _session: true })
      assert.equal(await t.create(t.id(), MEMBERS), false)
    },
  }),

  ...cases('create', ['order'], {
    'members keep the order in which they were set first': async t => {
      await t.create(t.id(), { b: '1', c: '2', a: '3' })
      await t.patch(t.id(), { set: { d: '4', b: '5', A: '6' } })
      const { members } = await t.hasMembers(t.id(), { b: '5', c: '2', a: '3', d: '4', A: '6' })
      assert.deepEqual(Object.keys(members), ['b', 'c', 'a', 'd', 'A'])
    },
  }),
]
