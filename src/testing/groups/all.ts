import assert from 'node:assert/strict'
import type { StoredSession } from '../../stores/store.ts'
import { type Bench, digestOf } from '../bench.ts'
import { cases } from '../case.ts'
import { ada, add, bob, DATA, has, MEMBERS } from '../owned.ts'

async function gathered(found: AsyncIterable<StoredSession>): Promise<StoredSession[]> {
  const all: StoredSession[] = []
  for await (const one of found) all.push(one)
  return all
}

/** Handles of sessions, without what a store may give twice. */
const handlesOf = (all: readonly StoredSession[]) => [...new Set(all.map(({ handle }) => handle))].sort()

/** Ends all. Gives how many are counted then: what no `clear` can read, of another test. */
async function cleared(t: Bench): Promise<number> {
  await t.store.clear()
  return t.store.count()
}

/** Makes `count` sessions, and a tombstone, where there is nothing else. Gives the handles. */
async function fill(t: Bench, count: number): Promise<string[]> {
  await t.store.clear()
  const stems = Array.from({ length: count }, (_, index) => String(index))
  const ids = await Promise.all(stems.map((stem, index) => add(t, index % 2 ? ada(t) : bob(t), stem)))
  return ids.map(digestOf).sort()
}

const all = cases('all', ['all'], {
  'no cursor is an id': async t => {
    await fill(t, 3)
    for (const { cursor } of await gathered(t.store.all())) assert.ok(!cursor.includes(t.id('')), 'a cursor has an id')
  },

  'a walk goes on behind a cursor, and a limit is the total': async t => {
    const handles = await fill(t, 25)
    const found: StoredSession[] = []
    let after: string | undefined
    for (let walks = 0; walks < 50; walks++) {
      const part = await gathered(t.store.all(after === undefined ? { limit: 7 } : { limit: 7, after }))
      assert.ok(part.length <= 7, `a limit of 7 gave ${part.length}`)
      found.push(...part)
      after = part.at(-1)?.cursor
      if (part.length < 7) break
    }
    assert.deepEqual(handlesOf(found), handles)
    assert.ok(found.length < 2 * handles.length, 'a cursor begins anew')
  },

  'a walk that is left is over': async t => {
    await fill(t, 5)
    for await (const { handle } of t.store.all()) {
      assert.ok(handle)
      break
    }
    assert.equal((await gathered(t.store.all())).length, 5)
  },

  'sessions are counted': async t => {
    const unreadable = await cleared(t)
    await add(t, ada(t), 'one')
    await t.create(t.id('nobody'), MEMBERS)
    assert.equal(await t.store.count(), unreadable + 2)
    await t.destroy(t.id('nobody'))
    assert.equal(await t.store.count(), unreadable + 1)
  },

  'a limit that is none, and another name, are refused': async t => {
    for (const options of [{ limit: 0 }, { limit: -1 }, { limit: 1.5 }, { limit: '5' }, { after: 5 }, { last: 1 }]) {
      const refused = gathered(
        (async function* () {
          yield* t.store.all(options as never)
        })(),
      )
      await assert.rejects(refused, `with ${JSON.stringify(options)}`)
    }
  },
})

const owned = cases('all', ['subjects', 'all'], {
  'every session is given, with what list() says of it and whose it is': async t => {
    await t.store.clear()
    const id = await add(t, ada(t), 'one')
    await t.create(t.id('nobody'), MEMBERS)
    await t.create(t.id('empty'), {})
    const found = await gathered(t.store.all())
    assert.deepEqual(handlesOf(found), [id, t.id('nobody'), t.id('empty')].map(digestOf).sort())
    const one = found.find(({ handle }) => handle === digestOf(id))
    const { cursor, subjectHash, data, ...rest } = one as StoredSession
    const [{ data: _, ...listed } = {} as StoredSession] = await t.list(ada(t))
    assert.deepEqual({ ...rest }, { ...listed })
    assert.deepEqual({ ...data }, DATA)
    assert.equal(subjectHash, digestOf(ada(t)))
    assert.equal(found.find(({ handle }) => handle !== digestOf(id))?.subjectHash, undefined)
    assert.equal(typeof cursor, 'string')
  },

  'a walk that goes on finds what was there, though others have ended and were made': async t => {
    const handles = await fill(t, 30)
    const first = await gathered(t.store.all({ limit: 10 }))
    const seen = handlesOf(first)
    const left = handles.filter(handle => !seen.includes(handle))
    await t.store.destroyAll(ada(t), { only: left[0] ?? '' })
    await t.store.destroyAll(bob(t), { only: left[0] ?? '' })
    await add(t, ada(t), 'later')
    const rest = handlesOf(await gathered(t.store.all({ after: first.at(-1)?.cursor })))
    assert.deepEqual(
      left.slice(1).filter(handle => !rest.includes(handle)),
      [],
      'sessions were passed over',
    )
  },

  'all are ended, and counted once': async t => {
    const { length } = await fill(t, 250)
    await t.create(t.id('nobody'), MEMBERS)
    await t.create(t.id('empty'), {})
    assert.equal(await t.store.clear(), length + 2)
    assert.equal(await t.store.clear(), 0)
    assert.deepEqual(await gathered(t.store.all()), [])
    await has(t, ada(t), [])
    await t.isFree(t.id('0'))
    await t.isFree(t.id('nobody'))
    await t.isFree(t.id('empty'))
    await add(t, ada(t), 'again')
    await has(t, ada(t), [t.id('again')])
  },
})

const expiring = cases('all', ['all'], {
  'what has expired is neither given nor counted': async t => {
    const unreadable = await cleared(t)
    const left = await add(t, ada(t), 'left')
    await add(t, ada(t), 'expired', { ttl: t.ttl })
    await t.pass(t.ttl)
    assert.deepEqual(handlesOf(await gathered(t.store.all())), [digestOf(left)])
    assert.equal(await t.store.count(), unreadable + 1)
    assert.equal(await t.store.clear(), 1)
    assert.equal(await t.store.count(), unreadable)
    await t.isFree(left)
  },
})

const retiring = cases('all', ['subjects', 'all', 'retire'], {
  'a session that has expired is not counted by way of an id that it had before': async t => {
    await t.store.clear()
    const id = await add(t, ada(t), 'one')
    const expired = await add(t, ada(t), 'two', { ttl: t.ttl })
    await t.retire(id, undefined, { successor: expired })
    await t.pass(t.ttl)
    assert.equal(await t.destroyAll(ada(t), { only: digestOf(id) }), 0)
    assert.equal(await t.store.clear(), 0)
  },

  'what was retired is neither given nor counted, and stays retired': async t => {
    const unreadable = await cleared(t)
    const [id, left] = [await add(t, ada(t), 'one'), await add(t, ada(t), 'two')]
    await t.retire(id, undefined, { successor: left })
    assert.deepEqual(handlesOf(await gathered(t.store.all())), [digestOf(left)])
    assert.equal(await t.store.count(), unreadable + 1)
    assert.equal(await t.store.clear(), 1)
    assert.equal(await t.create(id, MEMBERS), false, 'a retired id is free after clear()')
  },

  'a session that gets new ids while all are ended does not come back': async t => {
    await t.store.clear()
    const stems = Array.from({ length: 20 }, (_, index) => String(index))
    for (const stem of stems) await add(t, ada(t), stem)
    async function renew(stem: string): Promise<void> {
      for (let at = 0; at < 5; at++) {
        const [from, to] = [at ? t.id(`${stem}-${at}`) : t.id(stem), await add(t, ada(t), `${stem}-${at + 1}`)]
        if ((await t.retire(from, undefined, { successor: to })) === 'saved') continue
        return t.destroy(to)
      }
    }
    await Promise.all([...stems.map(renew), t.store.clear()])
    await t.store.clear()
    await has(t, ada(t), [])
  },
})

export const everything = [...all, ...owned, ...expiring, ...retiring]
