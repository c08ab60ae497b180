import assert from 'node:assert/strict'
import type { Which } from '../../stores/store.ts'
import { digestOf } from '../bench.ts'
import { cases } from '../case.ts'
import { ada, add, bob, has, MEMBERS } from '../owned.ts'

const ending = cases('subjects', ['subjects'], {
  'all sessions of a subject are ended, and none of another': async t => {
    const ids = [await add(t, ada(t), 'one'), await add(t, ada(t), 'two')]
    const other = await add(t, bob(t), 'three')
    assert.equal(await t.destroyAll(ada(t)), 2)
    await has(t, ada(t), [])
    for (const id of ids) await t.isFree(id)
    await has(t, bob(t), [other])
    await t.hasMembers(other, MEMBERS)
  },

  'all but one are ended': async t => {
    const [one, two] = [await add(t, ada(t), 'one'), await add(t, ada(t), 'two')]
    assert.equal(await t.destroyAll(ada(t), { except: one }), 1)
    await has(t, ada(t), [one])
    await t.hasMembers(one, MEMBERS)
    await t.isFree(two)
    assert.equal(await t.destroyAll(ada(t), { except: two }), 1, 'except what is not there')
    await t.isFree(one)
  },

  'one is ended, by its handle, and none by its id or by the handle of another’s': async t => {
    const [one, two] = [await add(t, ada(t), 'one'), await add(t, ada(t), 'two')]
    const other = await add(t, bob(t), 'three')
    for (const only of [digestOf(other), one, '', digestOf('nobody'), digestOf(one).slice(0, -1)]) {
      assert.equal(await t.destroyAll(ada(t), { only }), 0)
    }
    assert.equal(await t.destroyAll(ada(t), { only: digestOf(one), except: one }), 0, 'who is spared is not ended')
    assert.equal(await t.destroyAll(ada(t), { only: digestOf(one) }), 1)
    await t.isFree(one)
    await has(t, ada(t), [two])
    await has(t, bob(t), [other])
  },

  'nothing is ended where a handle or an id is undefined, no text, or under another name': async t => {
    const id = await add(t, ada(t), 'one')
    const wrong = [{ only: undefined }, { except: undefined }, { only: null }, { except: 5 }, { handle: digestOf(id) }]
    for (const which of wrong) await assert.rejects(t.destroyAll(ada(t), which as Which), `with ${Object.keys(which)}`)
    await has(t, ada(t), [id])
  },

  'nobody’s sessions are ended, nor listed, where the hash of a subject is no text': async t => {
    const id = await add(t, ada(t), 'one')
    await t.create(t.id('nobody'), MEMBERS)
    for (const subjectHash of [null, 5, {}, { $ne: null }, { $gt: '' }, [digestOf(ada(t))]] as never[]) {
      const what = `with ${JSON.stringify(subjectHash)}`
      assert.deepEqual([...(await t.list({ subjectHash }).catch(() => []))], [], what)
      assert.equal(await t.destroyAll({ subjectHash }).catch(() => 0), 0, what)
    }
    await has(t, ada(t), [id])
    await t.hasMembers(t.id('nobody'), MEMBERS)
  },

  'a session without data is listed and ended like others': async t => {
    await t.create(t.id(), {}, { subject: digestOf(ada(t)) })
    await has(t, ada(t), [t.id()])
    assert.equal(await t.destroyAll(ada(t)), 1)
    await t.isFree(t.id())
  },

  'sessions that are ended while others write to them do not come back': async t => {
    const ids = await Promise.all(['a', 'b', 'c', 'd', 'e'].map(stem => add(t, ada(t), stem)))
    const writing = ids.flatMap(id => [t.patch(id, { set: { cart: '[1]' } }), t.touch(id)])
    await Promise.all([...writing, t.destroyAll(ada(t)), ...ids.map(id => t.touch(id))])
    for (const id of ids) await t.isFree(id)
    await has(t, ada(t), [])
  },
})

const retiring = cases('subjects', ['subjects', 'retire'], {
  'what was retired is not listed, and is nobody’s': async t => {
    const id = await add(t, ada(t), 'one')
    const left = await add(t, ada(t), 'two')
    await t.retire(id)
    await has(t, ada(t), [left])
    assert.equal(await t.destroyAll(ada(t)), 1)
  },
})

const conflicting = cases('subjects', ['subjects', 'versions'], {
  'a patch in conflict does not change whose session it is': async t => {
    const id = await add(t, ada(t), 'one')
    const version = ((await t.read(id))?.version ?? 0) + 1000
    assert.equal(await t.patch(id, { subject: digestOf(bob(t)), version }), 'conflict')
    await has(t, ada(t), [id])
    await has(t, bob(t), [])
  },
})

export const endings = [...ending, ...retiring, ...conflicting]
