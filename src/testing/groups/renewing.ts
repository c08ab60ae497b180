import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers/promises'
import { type Bench, digestOf, LONG } from '../bench.ts'
import { cases } from '../case.ts'
import { ada, add, has, MEMBERS } from '../owned.ts'
import { areDead, chain } from '../renewed.ts'
import { race } from './concurrency.ts'

const ROUNDS = 20

async function rounds(round: (index: number) => Promise<void>): Promise<void> {
  for (let index = 0; index < ROUNDS; index++) await round(index)
}

/** Retires `from` in favour of `to`, which is there. What `regenerate()` is told not to have got is ended by it. */
async function retireOrEnd(t: Bench, from: string, to: string): Promise<unknown> {
  const outcome = await t.retire(from, LONG, { successor: to })
  if (outcome === 'gone') await t.destroy(to)
  return outcome
}

export const renewing = [
  ...cases('concurrency', ['retire'], {
    'a session that is destroyed while it gets a new id is under neither': async t => {
      await rounds(async index => {
        const [from, to] = [t.id(`from${index}`), t.id(`to${index}`)]
        await t.create(from, MEMBERS)
        await t.create(to, MEMBERS)
        await race<unknown>(index, [() => retireOrEnd(t, from, to), () => t.destroy(from)])
        await areDead(t, [from, to])
      })
    },

    'nor one that is destroyed by an id that it had before': async t => {
      await rounds(async index => {
        const ids = await chain(t, 2, undefined, `${index}chain`)
        const to = t.id(`last${index}`)
        await t.create(to, MEMBERS)
        await race<unknown>(index, [
          () => t.destroy(ids[index % 2] ?? ''),
          () => retireOrEnd(t, ids[2] ?? '', to),
          () => t.patch(ids[2] ?? '', { set: { cart: '[1]' } }),
          () => t.patch(to, { set: { cart: '[1]' } }),
        ])
        await areDead(t, [...ids, to])
      })
    },

    'nor one that is destroyed by several of its ids at once': async t => {
      await rounds(async index => {
        const ids = await chain(t, 3, undefined, `${index}chain`)
        await race(
          index,
          ids.map(id => () => t.destroy(id)),
        )
        await areDead(t, ids)
      })
    },

    'an id is retired in favour of one successor': async t => {
      await rounds(async index => {
        const from = t.id(`from${index}`)
        const ids = ['a', 'b', 'c', 'd'].map(stem => t.id(stem + index))
        await t.create(from, MEMBERS)
        const outcomes = await race(
          index,
          ids.map(id => () => t.retire(from, LONG, { successor: id })),
        )
        assert.deepEqual([...outcomes].sort(), ['gone', 'gone', 'gone', 'saved'])
        const winner = ids[outcomes.indexOf('saved')] ?? ''
        const { successor } = (await t.read(from)) ?? {}
        assert.ok(successor === winner || successor === digestOf(winner), 'the tombstone names another successor')
      })
    },

    'an id that is retired by the same call twice is so': async t => {
      await rounds(async index => {
        const from = t.id(`from${index}`)
        await t.create(from, MEMBERS)
        const again = () => t.retire(from, LONG, { successor: t.id('to') })
        assert.deepEqual(await race(index, [again, again, again]), ['saved', 'saved', 'saved'])
      })
    },
  }),

  ...cases('concurrency', ['subjects', 'retire'], {
    'all sessions of a subject are ended while they get new ids': async t => {
      await rounds(async index => {
        const subject = `${ada(t)}${index}`
        const stems = ['a', 'b', 'c']
        const from = await Promise.all(stems.map(stem => add(t, subject, `${stem}from${index}`)))
        const to = stems.map(stem => t.id(`${stem}to${index}`))
        const renewals = from.map((id, at) => async () => {
          await t.create(to[at] ?? '', MEMBERS, { subject: digestOf(subject) })
          return retireOrEnd(t, id, to[at] ?? '')
        })
        await race<unknown>(index, [...renewals.slice(0, 2), () => t.destroyAll(subject), ...renewals.slice(2)])
        // One that began its session after that was not there to be ended.
        await areDead(t, from)
        const listed = await t.list(subject)
        assert.deepEqual([...listed], [], 'a session of the subject goes on')
        await areDead(t, to)
      })
    },

    'one is ended by its handle while it gets a new id': async t => {
      await rounds(async index => {
        const from = await add(t, ada(t), `from${index}`)
        const to = await add(t, ada(t), `to${index}`)
        await race<unknown>(index, [
          () => retireOrEnd(t, from, to),
          () => t.destroyAll(ada(t), { only: digestOf(from) }),
        ])
        await areDead(t, [from, to])
      })
    },

    'a session is listed while it gets new ids': async t => {
      let last = await add(t, ada(t), 'first')
      let isOver = false
      const seen: number[] = []
      const look = async () => {
        while (!isOver) {
          seen.push((await t.list(ada(t))).length)
          // A store that answers at once would keep everything else waiting.
          await setImmediate()
        }
      }
      const looking = look()
      // It has begun, and has to end with what fails below.
      try {
        for (let index = 0; index < 2 * ROUNDS; index++) {
          const next = await add(t, ada(t), `next${index}`)
          await t.retire(last, LONG, { successor: next })
          last = next
        }
      } finally {
        isOver = true
      }
      await looking
      assert.ok(!seen.includes(0), 'a session that was given a new id during list() is not listed')
      await has(t, ada(t), [last])
    },
  }),
]
