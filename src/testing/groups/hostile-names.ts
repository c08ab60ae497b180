import assert from 'node:assert/strict'
import { type Bench, digestOf } from '../bench.ts'
import { cases } from '../case.ts'
import { NAMES } from '../hostile.ts'

const numbered = Object.fromEntries(NAMES.map((name, index) => [name, String(index)]))

/** The middleware writes no member of this name; one that somebody else wrote may be left out. */
const PROTO_NAME = '__proto__'
const PROTO = { [PROTO_NAME]: '{"polluted":true}', user: '"ada"' }

/** That `value`, an object, has the prototype of one, or none, and that nobody has got anything. */
function isClean(value: unknown): void {
  const prototype = Object.getPrototypeOf(value)
  assert.ok(prototype === Object.prototype || prototype === null, 'a member named __proto__ became the prototype')
  assert.equal(Object(value).polluted, undefined)
  assert.equal(Object({}).polluted, undefined, 'a member named __proto__ reached the prototype of all objects')
}

async function isHarmless(t: Bench): Promise<void> {
  const members = (await t.read(t.id()))?.members ?? {}
  isClean(members)
  assert.equal(members.user, '"ada"')
  if (Object.hasOwn(members, PROTO_NAME)) assert.equal(members[PROTO_NAME], PROTO[PROTO_NAME])
  const payload = await t.get(t.id())
  isClean(payload)
  assert.equal(Object(payload).user, 'ada')
}

export const hostileNames = [
  ...cases('hostile names', [], {
    'a name is only a name, whatever it is': async t => {
      const payload = Object.fromEntries(NAMES.map((name, index) => [name, index]))
      await t.set(t.id(), payload)
      await t.has(t.id(), payload)
    },

    'a name deeper in the data is only a name, too': async t => {
      const deeper = Object.fromEntries(NAMES.map((name, index) => [name, { [name]: index }]))
      await t.set(t.id(), { deeper: { deeper } })
      await t.has(t.id(), { deeper: { deeper } })
    },

    'a payload with a member named __proto__ reaches no prototype, and loses no other': async t => {
      await t.set(t.id(), JSON.parse('{"__proto__":{"polluted":true},"user":"ada"}'))
      const payload = await t.get(t.id())
      isClean(payload)
      assert.equal(Object(payload).user, 'ada')
    },
  }),

  ...cases('hostile names', ['keys'], {
    'members of any name are created': async t => {
      await t.create(t.id(), numbered)
      await t.hasMembers(t.id(), numbered)
    },

    'members of any name are set, one by one, and each leaves the others alone': async t => {
      await t.create(t.id(), { kept: '"kept"' })
      for (const name of NAMES) await t.patch(t.id(), { set: { [name]: numbered[name] ?? '' } })
      await t.hasMembers(t.id(), { kept: '"kept"', ...numbered })
    },

    'members of any name are set at once': async t => {
      await t.create(t.id(), { kept: '"kept"' })
      await t.patch(t.id(), { set: numbered })
      await t.hasMembers(t.id(), { kept: '"kept"', ...numbered })
    },

    'members of any name are removed, one by one, and each leaves the others alone': async t => {
      await t.create(t.id(), { kept: '"kept"', ...numbered })
      for (const [index, name] of NAMES.entries()) {
        await t.patch(t.id(), { unset: [name] })
        if (index === 20) await t.hasMembers(t.id(), { kept: '"kept"', ...without(NAMES.slice(0, 21)) })
      }
      await t.hasMembers(t.id(), { kept: '"kept"' })
    },

    'members of any name are removed at once, and the record is emptied by it': async t => {
      await t.create(t.id(), numbered)
      assert.equal(await t.patch(t.id(), { unset: NAMES }), 'emptied')
      await t.isFree(t.id())
    },

    'removing a name that is not there removes no other': async t => {
      await t.create(t.id(), { a: '{"b":1}', 'a b': '[1]', '"a"': '1' })
      const unset = NAMES.filter(name => name !== 'a')
      assert.equal(await t.patch(t.id(), { unset: [...unset, PROTO_NAME] }), 'saved')
      await t.hasMembers(t.id(), { a: '{"b":1}', 'a b': '[1]', '"a"': '1' })
    },

    'a member named __proto__ reaches no prototype, and loses no other': async t => {
      await t.create(t.id(), PROTO)
      await isHarmless(t)
      await t.patch(t.id(), { set: { ...PROTO, theme: '1' } })
      await isHarmless(t)
      await t.patch(t.id(), { unset: [PROTO_NAME] })
      await t.hasMembers(t.id(), { user: '"ada"', theme: '1' })
    },
  }),

  ...cases('hostile names', ['subjects'], {
    'members of any name are listed': async t => {
      await t.create(t.id(), numbered, { subject: digestOf(t.id('ada')) })
      const [session] = await t.list(t.id('ada'))
      assert.deepEqual({ ...session?.data }, Object.fromEntries(NAMES.map((name, index) => [name, index])))
    },
  }),
]

function without(names: readonly string[]): Record<string, string> {
  return Object.fromEntries(Object.entries(numbered).filter(([name]) => !names.includes(name)))
}
