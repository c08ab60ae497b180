import assert from 'node:assert/strict'
import { cases } from '../case.ts'
import { TEXTS } from '../hostile.ts'

const members = Object.fromEntries(TEXTS.map((text, index) => [`key${index}`, text]))
const payload = Object.fromEntries(TEXTS.map((text, index) => [`key${index}`, JSON.parse(text)]))

/** 10 MB, made when it is needed. */
const large = () => `${'x'.repeat(10_000_000)}é👩‍🚀`

export const hostileValues = [
  ...cases('hostile values', [], {
    'a payload holds whatever JSON can': async t => {
      await t.set(t.id(), payload)
      await t.has(t.id(), payload)
    },

    'a payload may be large': async t => {
      const text = large()
      await t.set(t.id(), { text, user: 'ada' })
      const got = Object(await t.get(t.id()))
      // No message with two texts of 10 MB.
      assert.ok(got.text === text, 'the text of 10 MB is another one')
      assert.equal(got.user, 'ada')
    },
  }),

  ...cases('hostile values', ['keys'], {
    'texts are created as they are, byte for byte': async t => {
      await t.create(t.id(), members)
      await t.hasMembers(t.id(), members)
      const { _expire, _maxAge, ...data } = Object(await t.get(t.id()))
      assert.deepEqual(data, payload)
    },

    'texts are patched as they are, byte for byte, and those that stay do so': async t => {
      await t.create(t.id(), members)
      const moved = Object.fromEntries(TEXTS.map((text, index) => [`moved${index}`, text]))
      await t.patch(t.id(), { set: moved })
      await t.hasMembers(t.id(), { ...members, ...moved })
      await t.patch(t.id(), { unset: Object.keys(members) })
      await t.touch(t.id())
      await t.hasMembers(t.id(), moved)
    },

    'what was set is read as the texts that JSON.stringify() makes': async t => {
      await t.set(t.id(), payload)
      const texts = Object.entries(payload).map(([name, value]) => [name, JSON.stringify(value)])
      await t.hasMembers(t.id(), Object.fromEntries(texts))
    },

    'a value may be large, and stays while others change': async t => {
      const text = JSON.stringify(large())
      await t.create(t.id(), { user: '"ada"' })
      assert.equal(await t.patch(t.id(), { set: { text } }), 'saved')
      assert.equal(await t.patch(t.id(), { set: { user: '"bob"' } }), 'saved')
      await t.touch(t.id())
      const read = (await t.read(t.id()))?.members
      assert.ok(read?.text === text, 'the text of 10 MB is another one')
      assert.equal(read?.user, '"bob"')
    },
  }),
]
