import assert from 'node:assert/strict'
import { assertNone, type Bench, digestOf, LONG } from '../bench.ts'
import { cases } from '../case.ts'
import { ada, add, bob, has, MEMBERS } from '../owned.ts'
import { areDead, chain, renew } from '../renewed.ts'

const MINUTE = 60_000
/** How many tombstones `destroy` follows. */
const LONGEST = 20

/** That the tombstone under `id` names `successor` by its handle. */
async function names(t: Bench, id: string, successor: string): Promise<void> {
  const record = await t.read(id)
  assert.equal(typeof record?.retiredAt, 'number', 'a tombstone says when the id was retired')
  assert.equal(record?.successor, digestOf(successor), 'read() gives the SHA-256 of the successor in base64url')
  await t.hasRetired(id, record?.retiredAt)
}

const retiring = cases('retire', ['retire'], {
  'a tombstone names its successor, if that was named': async t => {
    const [old = '', id = ''] = await chain(t, 1)
    await names(t, old, id)
    assertNone((await t.read(id))?.successor, 'a session that lives has a successor')
    await t.create(t.id('last'), MEMBERS)
    await t.retire(t.id('last'))
    assertNone((await t.read(t.id('last')))?.successor, 'a successor that nobody has named')
  },

  'nothing changes the successor of a tombstone': async t => {
    const [old = '', id = ''] = await chain(t, 1)
    await t.patch(old, { set: { user: '1' } })
    await t.touch(old)
    await t.set(old, { user: 'eve' })
    await t.create(old, MEMBERS)
    await t.retire(old, LONG, { successor: t.id('other') })
    await names(t, old, id)
  },

  'a tombstone that says how long ago the id was retired is right': async t => {
    await t.create(t.id(), MEMBERS)
    await t.retire(t.id())
    const at = t.now()
    await t.pass(30)
    const { retiredFor = t.now() - at } = (await t.read(t.id())) ?? {}
    t.isInstant(t.now() - retiredFor, at, 'the instant that was retiredFor ago')
  },

  'to retire an id again is saved in favour of the same successor, and gone otherwise': async t => {
    const [old = '', id = ''] = await chain(t, 1)
    for (let time = 0; time < 3; time++) assert.equal(await t.retire(old, LONG, { successor: id }), 'saved')
    assert.equal(await t.retire(old, LONG, { successor: t.id('other') }), 'gone')
    assert.equal(await t.retire(old, LONG, {}), 'gone')
    await t.create(t.id('last'), MEMBERS)
    assert.equal(await t.retire(t.id('last')), 'saved')
    assert.equal(await t.retire(t.id('last'), LONG, { successor: id }), 'gone')
    assert.equal(await t.retire(t.id('never'), LONG, { successor: id }), 'gone')
  },

  'to destroy an id that was retired ends its successor, and no other session': async t => {
    const ids = await chain(t, 1)
    const others = await chain(t, 1, undefined, 'other')
    await t.destroy(ids[0] ?? '')
    await areDead(t, ids)
    await t.hasMembers(others[1] ?? '', MEMBERS)
  },

  'to destroy a session by its last id leaves nothing under the others': async t => {
    const ids = await chain(t, 3)
    await t.destroy(ids[3] ?? '')
    await areDead(t, ids)
    await t.destroy(ids[0] ?? '')
    await areDead(t, ids)
  },

  'over three tombstones it ends, from whichever id': async t => {
    for (const at of [0, 1, 2]) {
      const ids = await chain(t, 3, undefined, `${at}from`)
      await t.destroy(ids[at] ?? '')
      await areDead(t, ids)
    }
  },

  'over twenty tombstones it ends': async t => {
    const ids = await chain(t, LONGEST)
    await t.destroy(ids[0] ?? '')
    await areDead(t, ids)
  },

  'beyond twenty tombstones destroy() rejects, and the session goes on': async t => {
    const ids = await chain(t, LONGEST + 1)
    await assert.rejects(t.destroy(ids[0] ?? ''), 'destroy() has to reject where it did not end the session')
    await t.hasMembers(ids.at(-1) ?? '', MEMBERS)
    await t.destroy(ids[1] ?? '')
    await areDead(t, ids)
  },

  'to destroy an id whose successor is not there is no error': async t => {
    await t.create(t.id(), MEMBERS)
    assert.equal(await t.retire(t.id(), LONG, { successor: t.id('never') }), 'saved')
    await t.destroy(t.id())
    await areDead(t, [t.id(), t.id('never')])
    const [old = '', id = ''] = await chain(t, 1)
    await t.destroy(id)
    await t.destroy(old)
    await t.destroy(old)
    await areDead(t, [old, id])
  },

  'ids that name each other end, and do not go round for ever': async t => {
    await t.create(t.id('one'), MEMBERS)
    await t.create(t.id('two'), MEMBERS)
    assert.equal(await t.retire(t.id('one'), LONG, { successor: t.id('two') }), 'saved')
    assert.equal(await t.retire(t.id('two'), LONG, { successor: t.id('one') }), 'saved')
    await t.destroy(t.id('one')).catch(() => undefined)
    await areDead(t, [t.id('one'), t.id('two')])
  },
})

const late = cases('retire', ['retire', 'clock'], {
  'a tombstone is followed for ten minutes at least': async t => {
    const ids = await chain(t, 2)
    await t.pass(10 * MINUTE - 1)
    await t.destroy(ids[0] ?? '')
    await areDead(t, ids)
  },
})

const versioned = cases('versions', ['versions', 'retire'], {
  'to retire an id again in favour of the same successor is saved, whatever the version': async t => {
    await t.create(t.id(), MEMBERS)
    await t.patch(t.id(), { set: { cart: '[2]' } })
    const version = (await t.read(t.id()))?.version
    const successor = t.id('new')
    assert.equal(await t.retire(t.id(), LONG, { version: Number(version) + 1000, successor }), 'conflict')
    for (const named of [version, version, Number(version) + 1000, undefined]) {
      assert.equal(await t.retire(t.id(), LONG, { version: named, successor }), 'saved')
    }
    assert.equal(await t.retire(t.id(), LONG, { version, successor: t.id('other') }), 'gone')
  },
})

const owned = cases('subjects', ['subjects', 'retire'], {
  'a tombstone says whose session it was': async t => {
    const [old = '', id = ''] = await chain(t, 1, digestOf(ada(t)))
    assert.equal((await t.read(old))?.subject, digestOf(ada(t)))
    await has(t, ada(t), [id])
  },

  'a session is ended by what a tombstone says of it': async t => {
    const ids = await chain(t, 1, digestOf(ada(t)))
    const other = await add(t, ada(t), 'other')
    const { subject, successor } = (await t.read(ids[0] ?? '')) ?? {}
    assert.equal(await t.destroyAll({ subjectHash: subject }, { only: successor ?? '' }), 1)
    await areDead(t, ids)
    await has(t, ada(t), [other])
  },

  'what was given new ids is listed once, under the last, and ended once': async t => {
    const ids = await chain(t, 3, digestOf(ada(t)))
    await has(t, ada(t), ids.slice(3))
    assert.equal(await t.destroyAll(ada(t)), 1)
    await areDead(t, ids)
    await has(t, ada(t), [])
  },

  'a session is spared by an id that it had before': async t => {
    const ids = await chain(t, 3, digestOf(ada(t)))
    const other = await add(t, ada(t), 'other')
    for (const except of ids) {
      await add(t, ada(t), `beside ${except}`)
      await t.destroyAll(ada(t), { except })
      await has(t, ada(t), ids.slice(3))
    }
    await areDead(t, [other])
    await t.hasMembers(ids[3] ?? '', MEMBERS)
  },

  'a session is ended by the handle of an id that it had before, and by nobody else': async t => {
    for (const at of [0, 1, 2]) {
      const ids = await chain(t, 2, digestOf(ada(t)), `${at}handle`)
      const other = await add(t, ada(t), `other${at}`)
      const only = digestOf(ids[at] ?? '')
      assert.equal(await t.destroyAll(bob(t), { only }), 0)
      await t.hasMembers(ids[2] ?? '', MEMBERS)
      assert.equal(await t.destroyAll(ada(t), { only }), 1)
      await areDead(t, ids)
      assert.equal(await t.destroyAll(ada(t), { only }), 0)
      await has(t, ada(t), [other])
      await t.destroy(other)
    }
  },

  'a session that went over to another subject with its new id is not listed, and not ended with the others':
    async t => {
      const id = await add(t, ada(t), 'one')
      await renew(t, id, t.id('new'), digestOf(bob(t)))
      assert.equal(await t.destroyAll(ada(t)), 0)
      await has(t, bob(t), [t.id('new')])
    },
})

export const successors = [...retiring, ...late, ...versioned, ...owned]
