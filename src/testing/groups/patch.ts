import assert from 'node:assert/strict'
import { assertNone, plain } from '../bench.ts'
import { cases } from '../case.ts'

const MEMBERS = { user: '"ada"', cart: '[1]', theme: '"dark"' }

/** `names` in every order. */
function ordersOf(names: readonly string[]): string[][] {
  if (names.length === 0) return [[]]
  return names.flatMap(name => ordersOf(names.filter(one => one !== name)).map(others => [name, ...others]))
}

export const patch = cases('patch', ['keys'], {
  'members are set and removed, and the others stay': async t => {
    await t.create(t.id(), MEMBERS)
    assert.equal(
      await t.patch(t.id(), { set: { cart: '[2]', lang: '"en"' }, unset: ['theme', 'nothing', 'theme'] }),
      'saved',
    )
    await t.hasMembers(t.id(), { user: '"ada"', cart: '[2]', lang: '"en"' })
  },

  'members are removed in whatever order, and others are set beside it': async t => {
    const members = { a: '1', b: '1', c: '1', d: '1' }
    const names = Object.keys(members)
    for (const [index, [one = '', two = '', three = '']] of ordersOf(names).entries()) {
      const id = t.id(`order${index}`)
      await t.create(id, members)
      const [left = ''] = names.filter(name => ![one, two, three].includes(name))
      assert.equal(await t.patch(id, { set: { [left]: '2' }, unset: [one, two] }), 'saved')
      await t.hasMembers(id, { [left]: '2', [three]: '1' }, `without ${one} and ${two}, in this order`)
      assert.equal(await t.patch(id, { unset: ['nothing', left, three] }), 'emptied')
    }
    // JavaScript has them in another order.
    await t.create(t.id(), { a: '1' })
    await t.patch(t.id(), { set: { 1: '1' } })
    await t.patch(t.id(), { set: { 1: '2' }, unset: ['a'] })
    await t.hasMembers(t.id(), { 1: '2' })
  },

  'a value is replaced, not merged': async t => {
    await t.create(t.id(), { cart: '{"apple":1,"pear":{"ripe":true}}' })
    await t.patch(t.id(), { set: { cart: '{"pear":{}}' } })
    await t.hasMembers(t.id(), { cart: '{"pear":{}}' })
  },

  'what was set before is patched, too': async t => {
    await t.set(t.id(), { user: 'ada', cart: [1] })
    assert.equal(await t.patch(t.id(), { set: { theme: '1' }, unset: ['cart'] }), 'saved')
    await t.hasMembers(t.id(), { user: '"ada"', theme: '1' })
  },

  'the lifetime is replaced, all of it': async t => {
    await t.create(t.id(), MEMBERS, { lifetime: { _session: true, _meta: { created: 1, fresh: 2 } } })
    for (const more of [{}, { _meta: { created: 3, fresh: 4, since: 1 } }]) {
      const lifetime = { _expire: t.now() + 1e9, _maxAge: 1e9, ...more }
      await t.patch(t.id(), { set: { cart: '[2]' }, lifetime })
      assert.deepEqual(plain((await t.read(t.id()))?.lifetime), lifetime)
    }
  },

  'who has read a record keeps it as it was': async t => {
    await t.create(t.id(), MEMBERS)
    const read = await t.read(t.id())
    const was = plain(read)
    await t.patch(t.id(), { set: { user: '"bob"' }, unset: ['cart'] })
    assert.deepEqual(plain(read), was)
  },

  'a patch without members is saved': async t => {
    await t.create(t.id(), MEMBERS)
    assert.equal(await t.patch(t.id(), {}), 'saved')
    await t.hasMembers(t.id(), MEMBERS)
  },

  'what is not there is gone, and a patch makes none': async t => {
    await t.create(t.id('destroyed'), MEMBERS)
    await t.destroy(t.id('destroyed'))
    for (const stem of ['never', 'destroyed']) {
      assert.equal(await t.patch(t.id(stem), { set: { user: '"bob"' }, keepsEmpty: true }), 'gone')
      await t.isFree(t.id(stem))
    }
  },

  'a record that is left without members is dropped': async t => {
    await t.create(t.id(), { user: '"ada"', cart: '[]' })
    assert.equal(await t.patch(t.id(), { unset: ['user'] }), 'saved')
    assert.equal(await t.patch(t.id(), { unset: ['cart'] }), 'emptied')
    await t.isFree(t.id())
    assert.equal(await t.create(t.id(), MEMBERS), true, 'the id of a record that was dropped is free')
  },

  'a record that is left without members is kept where that is asked for': async t => {
    await t.create(t.id(), MEMBERS, { lifetime: { _session: true } })
    const outcome = await t.patch(t.id(), { unset: Object.keys(MEMBERS), keepsEmpty: true })
    assert.equal(outcome, 'saved')
    await t.hasMembers(t.id(), {})
    assert.equal(await t.patch(t.id(), {}), 'saved', 'a record is dropped by what is removed alone')
    assert.equal(await t.touch(t.id()), true)
    await t.hasMembers(t.id(), {})
    assert.equal(await t.patch(t.id(), { set: { user: '"bob"' } }), 'saved')
    await t.hasMembers(t.id(), { user: '"bob"' })
  },

  'a record that lost all its members and got another one is there': async t => {
    await t.create(t.id(), { user: '"ada"' })
    assert.equal(await t.patch(t.id(), { set: { theme: '1' }, unset: ['user'] }), 'saved')
    await t.hasMembers(t.id(), { theme: '1' })
  },

  'null is a value, and no removal': async t => {
    await t.create(t.id(), { user: 'null', cart: '[1]' })
    await t.patch(t.id(), { set: { cart: 'null', theme: '{"dark":null}' } })
    await t.hasMembers(t.id(), { user: 'null', cart: 'null', theme: '{"dark":null}' })
    assert.equal(await t.patch(t.id(), { unset: ['user', 'theme'] }), 'saved')
    await t.hasMembers(t.id(), { cart: 'null' })
  },

  'other records stay as they are': async t => {
    await t.create(t.id('other'), MEMBERS)
    await t.create(t.id(), MEMBERS)
    await t.patch(t.id(), { set: { user: '"bob"' }, unset: ['cart'] })
    const other = await t.hasMembers(t.id('other'), MEMBERS)
    assertNone(other.subject, 'a record of nobody has a subject')
  },

  'a hundred members are set and removed at once': async t => {
    const many = (value: string) =>
      Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`key${index}`, value]))
    await t.create(t.id(), many('1'))
    await t.patch(t.id(), { set: { ...many('2'), more: '3' }, unset: ['nothing'] })
    await t.hasMembers(t.id(), { ...many('2'), more: '3' })
    await t.patch(t.id(), { unset: Object.keys(many('')) })
    await t.hasMembers(t.id(), { more: '3' })
  },
})
