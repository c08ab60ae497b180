import assert from 'node:assert/strict'
import { type Bench, digestOf } from '../bench.ts'
import { cases } from '../case.ts'

const MEMBERS = { user: '"ada"' }
const ROUNDS = 20

const names = Array.from({ length: 50 }, (_, index) => `key${index}`)
const all = (value: string) => Object.fromEntries(names.map(name => [name, value]))

/** Asks for all at the same time, now in this order and now in the other. */
export async function race<Answer>(round: number, questions: ReadonlyArray<() => Promise<Answer>>): Promise<Answer[]> {
  const isReversed = round % 2 === 1
  const asked = isReversed ? [...questions].reverse() : questions
  const answers = await Promise.all(asked.map(question => question()))
  return isReversed ? answers.reverse() : answers
}

/** Runs `round` with as many ids, which have a record each. */
async function rounds(t: Bench, round: (id: string, index: number) => Promise<void>): Promise<void> {
  for (let index = 0; index < ROUNDS; index++) {
    const id = t.id(String(index))
    await t.create(id, MEMBERS)
    await round(id, index)
  }
}

async function increment(t: Bench): Promise<void> {
  for (let attempt = 0; attempt < 1000; attempt++) {
    const record = await t.read(t.id())
    assert.ok(record, 'the record is gone')
    const count = String(Number(record.members.count) + 1)
    const outcome = await t.patch(t.id(), { set: { count }, version: record.version })
    if (outcome === 'saved') return
    assert.equal(outcome, 'conflict')
  }
  assert.fail('a patch with a version was in conflict a thousand times')
}

export const concurrency = [
  ...cases('concurrency', [], {
    'of parallel sets one stays, whole': async t => {
      await Promise.all(names.map(name => t.set(t.id(), { name, [name]: true })))
      const { name } = Object(await t.get(t.id()))
      await t.has(t.id(), { name, [name]: true })
    },
  }),

  ...cases('concurrency', ['keys'], {
    'parallel patches that set different keys all win': async t => {
      await t.create(t.id(), MEMBERS)
      const outcomes = await Promise.all(names.map(name => t.patch(t.id(), { set: { [name]: '1' } })))
      assert.deepEqual(new Set(outcomes), new Set(['saved']))
      await t.hasMembers(t.id(), { ...MEMBERS, ...all('1') })
    },

    'parallel patches that remove different keys all win': async t => {
      await t.create(t.id(), { ...MEMBERS, ...all('1') })
      await Promise.all(names.map(name => t.patch(t.id(), { unset: [name] })))
      await t.hasMembers(t.id(), MEMBERS)
    },

    'of parallel creates exactly one takes the id': async t => {
      const taken = await Promise.all(names.map(name => t.create(t.id(), { name: `"${name}"` })))
      assert.equal(taken.filter(Boolean).length, 1, 'how many were told that they have the id')
      await t.hasMembers(t.id(), { name: `"${names[taken.indexOf(true)]}"` })
    },

    'a record that is emptied while another request writes to it loses nothing of that': async t => {
      await rounds(t, async (id, round) => {
        const [emptying, writing] = await race(round, [
          () => t.patch(id, { unset: ['user'] }),
          () => t.patch(id, { set: { cart: '[1]' } }),
        ])
        if (emptying === 'saved') {
          assert.equal(writing, 'saved')
          return void (await t.hasMembers(id, { cart: '[1]' }))
        }
        assert.deepEqual([emptying, writing], ['emptied', 'gone'])
        await t.isFree(id)
      })
    },

    'a record that is destroyed while others write to it does not come back': async t => {
      await rounds(t, async (id, round) => {
        await race<unknown>(round, [
          () => t.patch(id, { set: { cart: '[1]' } }),
          () => t.touch(id),
          () => t.destroy(id),
          () => t.patch(id, { unset: ['user'], keepsEmpty: true }),
        ])
        await t.isFree(id)
      })
    },
  }),

  ...cases('concurrency', ['subjects'], {
    'who signs in while others write to the session owns it': async t => {
      await rounds(t, async (id, round) => {
        const subject = `${t.id('ada')}${round}`
        await race<unknown>(round, [
          () => t.touch(id),
          () => t.patch(id, { set: { cart: '[1]' } }),
          () => t.patch(id, { set: { user: '"ada"' }, subject: digestOf(subject) }),
        ])
        assert.equal((await t.list(subject)).length, 1, 'the session is not in the list of its user')
        await t.hasMembers(id, { user: '"ada"', cart: '[1]' })
      })
    },
  }),

  ...cases('concurrency', ['versions'], {
    'parallel increments that name the version all count': async t => {
      await t.create(t.id(), { count: '0' })
      await Promise.all(Array.from({ length: ROUNDS }, () => increment(t)))
      await t.hasMembers(t.id(), { count: String(ROUNDS) })
    },

    'of parallel patches of one version exactly one is saved': async t => {
      await t.create(t.id(), MEMBERS)
      const version = (await t.read(t.id()))?.version
      const outcomes = await Promise.all(names.map(name => t.patch(t.id(), { set: { [name]: '1' }, version })))
      assert.deepEqual([...outcomes].sort(), [...names.slice(1).map(() => 'conflict'), 'saved'])
      await t.hasMembers(t.id(), { ...MEMBERS, [names[outcomes.indexOf('saved')] ?? '']: '1' })
    },
  }),

  ...cases('concurrency', ['retire'], {
    'an id that is retired while others write to it has no data afterwards': async t => {
      await rounds(t, async (id, round) => {
        await race<unknown>(round, [
          () => t.patch(id, { set: { cart: '[1]' } }),
          () => t.set(id, { user: 'eve' }),
          () => t.retire(id),
          () => t.touch(id),
          () => t.patch(id, { set: { theme: '1' } }),
        ])
        const record = await t.hasMembers(id, {})
        await t.hasRetired(id, record.retiredAt)
      })
    },

    'an id is retired once': async t => {
      await rounds(t, async (id, round) => {
        const outcomes = await race(
          round,
          Array.from({ length: 5 }, () => () => t.retire(id)),
        )
        assert.deepEqual([...outcomes].sort(), ['gone', 'gone', 'gone', 'gone', 'saved'])
      })
    },
  }),
]
