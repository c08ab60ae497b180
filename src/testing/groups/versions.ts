import assert from 'node:assert/strict'
import type { Bench } from '../bench.ts'
import { cases } from '../case.ts'

const MEMBERS = { user: '"ada"', cart: '[1]' }

async function versionOf(t: Bench): Promise<number> {
  const version = (await t.read(t.id()))?.version
  assert.ok(Number.isInteger(version), `the version is ${version}, expected an integer`)
  return version as number
}

export const versions = [
  ...cases('versions', ['versions'], {
    'each patch gives another version': async t => {
      await t.create(t.id(), MEMBERS)
      const seen = new Set([await versionOf(t)])
      for (let time = 1; time <= 5; time++) {
        await t.patch(t.id(), { set: { cart: '[2]' } })
        seen.add(await versionOf(t))
      }
      assert.equal(seen.size, 6)
    },

    'reading a record, and touching it, leaves the version': async t => {
      await t.create(t.id(), MEMBERS)
      const version = await versionOf(t)
      assert.equal(await versionOf(t), version)
      await t.touch(t.id())
      assert.equal(await versionOf(t), version, 'touch() changed the version, so that update() is in conflict with it')
      assert.equal(await t.patch(t.id(), { set: { cart: '[2]' }, version }), 'saved')
    },

    'each set gives another version': async t => {
      await t.create(t.id(), MEMBERS)
      for (let time = 1; time <= 3; time++) {
        const version = await versionOf(t)
        await t.set(t.id(), { user: 'bob', time })
        assert.equal(await t.patch(t.id(), { set: { user: '"eve"' }, version }), 'conflict', 'what was set is lost')
      }
    },

    'what was set has a version': async t => {
      await t.set(t.id(), { user: 'ada' })
      const version = await versionOf(t)
      assert.equal(await t.patch(t.id(), { set: { theme: '1' }, version }), 'saved')
      assert.equal(await t.patch(t.id(), { set: { theme: '2' }, version }), 'conflict')
      await t.hasMembers(t.id(), { user: '"ada"', theme: '1' })
    },

    'a patch of the version that is there is saved, and one of another changes nothing': async t => {
      await t.create(t.id(), MEMBERS, { lifetime: { _session: true } })
      const version = await versionOf(t)
      assert.equal(await t.patch(t.id(), { set: { cart: '[2]' }, version, lifetime: { _session: true } }), 'saved')
      const late = { set: { cart: '[3]' }, unset: ['user'], version }
      assert.equal(await t.patch(t.id(), late), 'conflict')
      assert.equal(await t.patch(t.id(), { ...late, version: version + 1000 }), 'conflict')
      const { lifetime } = await t.hasMembers(t.id(), { ...MEMBERS, cart: '[2]' })
      assert.equal(lifetime._session, true, 'a patch in conflict changed the lifetime')
      assert.equal(await t.patch(t.id(), { set: { cart: '[4]' }, version: await versionOf(t) }), 'saved')
      await t.hasMembers(t.id(), { ...MEMBERS, cart: '[4]' })
    },

    'a patch in conflict does not empty a record, and one of the right version does': async t => {
      await t.create(t.id(), { user: '"ada"' })
      const version = await versionOf(t)
      await t.patch(t.id(), { set: { user: '"bob"' } })
      assert.equal(await t.patch(t.id(), { unset: ['user'], version }), 'conflict')
      await t.hasMembers(t.id(), { user: '"bob"' })
      assert.equal(await t.patch(t.id(), { unset: ['user'], version: await versionOf(t) }), 'emptied')
      await t.isFree(t.id())
    },

    'a patch in conflict does not make a record live longer': async t => {
      await t.create(t.id(), MEMBERS, { ttl: t.ttl })
      assert.equal(await t.patch(t.id(), { version: (await versionOf(t)) + 1000 }), 'conflict')
      await t.pass(t.ttl)
      await t.isFree(t.id())
    },

    'what is not there is gone, whatever the version': async t => {
      assert.equal(await t.patch(t.id(), { set: { user: '1' }, version: 0 }), 'gone')
      await t.isFree(t.id())
    },
  }),

  ...cases('versions', ['versions', 'retire'], {
    'an id is retired at the version that is there, and at no other': async t => {
      await t.create(t.id(), MEMBERS)
      const version = await versionOf(t)
      await t.patch(t.id(), { set: { cart: '[2]' } })
      assert.equal(await t.retire(t.id(), 1e9, { version }), 'conflict')
      await t.hasMembers(t.id(), { ...MEMBERS, cart: '[2]' })
      assert.equal(await t.retire(t.id(), 1e9, { version: await versionOf(t) }), 'saved')
      assert.equal(await t.retire(t.id(), 1e9, { version }), 'gone')
      assert.equal(await t.patch(t.id(), { set: { cart: '[3]' }, version }), 'gone')
    },
  }),
]
