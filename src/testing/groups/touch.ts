import assert from 'node:assert/strict'
import { plain } from '../bench.ts'
import { cases } from '../case.ts'

const META = { created: 3, fresh: 4, since: 1, dataVersion: 7 }
const MEMBERS = { user: '"ada"', cart: '[1]' }

export const touch = cases('touch', ['keys'], {
  'the lifetime is another one, and the members stay': async t => {
    await t.create(t.id(), MEMBERS, { lifetime: { _session: true, _meta: { created: 1, fresh: 2 } } })
    const lifetime = { _expire: t.now() + 1e9, _maxAge: 1e9, _meta: META }
    assert.equal(await t.touch(t.id(), 1e9, lifetime), true)
    const record = await t.hasMembers(t.id(), MEMBERS)
    assert.deepEqual(plain(record.lifetime), lifetime)
    await t.has(t.id(), { user: 'ada', cart: [1], ...lifetime })
  },

  'what was set is touched, too': async t => {
    await t.set(t.id(), { user: 'ada', _session: true })
    assert.equal(await t.touch(t.id(), 1e9, { _expire: 2e12, _maxAge: 1e9 }), true)
    await t.has(t.id(), { user: 'ada', _expire: 2e12, _maxAge: 1e9 })
  },

  'what is not there is not, and touching makes none': async t => {
    await t.create(t.id('destroyed'), MEMBERS)
    await t.destroy(t.id('destroyed'))
    for (const stem of ['never', 'destroyed']) {
      assert.equal(await t.touch(t.id(stem)), false)
      await t.isFree(t.id(stem))
    }
  },

  'touching twice with the same lifetime finds the record twice': async t => {
    const lifetime = { _expire: 2e12, _maxAge: 1e9 }
    await t.create(t.id(), MEMBERS, { lifetime, ttl: 1e9 })
    // A database may count only the rows that have changed.
    for (let time = 0; time < 3; time++) assert.equal(await t.touch(t.id(), 1e9, lifetime), true)
  },

  'a parallel patch loses nothing': async t => {
    await t.create(t.id(), MEMBERS)
    const names = Array.from({ length: 20 }, (_, index) => `key${index}`)
    await Promise.all(names.flatMap(name => [t.patch(t.id(), { set: { [name]: '1' } }), t.touch(t.id())]))
    await t.hasMembers(t.id(), { ...MEMBERS, ...Object.fromEntries(names.map(name => [name, '1'])) })
  },

  'who has read a record keeps it as it was': async t => {
    await t.create(t.id(), MEMBERS)
    const read = await t.read(t.id())
    const was = plain(read)
    await t.touch(t.id(), 1e9, { _session: true })
    assert.deepEqual(plain(read), was)
  },
})
