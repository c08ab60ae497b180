import assert from 'node:assert/strict'
import { assertNone, digestOf, LONG } from '../bench.ts'
import { cases } from '../case.ts'
import { SUBJECTS } from '../hostile.ts'
import { ada, add, bob, DATA, has, MEMBERS } from '../owned.ts'

export const subjects = cases('subjects', ['subjects'], {
  'who has no sessions has none': async t => {
    assert.deepEqual([...(await t.list(ada(t)))], [])
    assert.equal(await t.destroyAll(ada(t)), 0)
  },

  'the hash of a subject stands for it': async t => {
    const id = await add(t, ada(t), 'one')
    const subjectHash = digestOf(ada(t))
    assert.deepEqual(
      (await t.list({ subjectHash })).map(({ handle }) => handle),
      [digestOf(id)],
    )
    assert.deepEqual([...(await t.list(subjectHash))], [], 'the hash as a text is another subject')
    assert.deepEqual([...(await t.list({ subjectHash: undefined }))], [], 'nobody has sessions')
    assert.equal(await t.destroyAll({ subjectHash: undefined }), 0, 'nobody has sessions')
    assert.equal(await t.destroyAll({ subjectHash }), 1)
    await t.isFree(id)
  },

  'nobody has no sessions': async t => {
    await t.create(t.id(), MEMBERS)
    assert.deepEqual([...(await t.list(undefined))], [])
    assert.equal(await t.destroyAll(undefined), 0)
    await t.hasMembers(t.id(), MEMBERS)
  },

  'a whole number stands for its text': async t => {
    const number = Number.parseInt(digestOf(t.id()).replace(/\W|_/g, '').slice(0, 9), 36)
    const id = await add(t, String(number), 'one')
    for (const subject of [String(number), number, BigInt(number)]) {
      assert.deepEqual(
        (await t.list(subject)).map(({ handle }) => handle),
        [digestOf(id)],
        `a subject that is a ${typeof subject}`,
      )
    }
    assert.equal(await t.destroyAll(number), 1)
    assert.equal(await t.destroyAll(BigInt(number)), 0)
  },

  'a session is listed with its data, and with when it was made, was seen, and expires': async t => {
    const made = t.now()
    const id = await add(t, ada(t), 'one')
    await t.pass(30)
    const seen = t.now()
    await t.patch(id, { set: { cart: '[1]' } }, LONG)
    const [session, ...others] = await t.list(ada(t))
    assert.equal(others.length, 0)
    assert.ok(session, 'the session is not listed')
    assert.equal(session.handle, digestOf(id), 'a handle is the SHA-256 of the id in base64url')
    t.isInstant(session.createdAt, made, 'createdAt')
    t.isInstant(session.seenAt, seen, 'seenAt')
    t.isInstant(session.expiresAt, seen + LONG, 'expiresAt')
    assert.deepEqual({ ...session.data }, { ...DATA, cart: [1] })
  },

  'touching a session is seeing it, and reading it is not': async t => {
    const id = await add(t, ada(t), 'one')
    const made = t.now()
    await t.pass(30)
    await t.read(id)
    await t.get(id)
    t.isInstant((await t.list(ada(t)))[0]?.seenAt, made, 'seenAt')
    await t.touch(id, 2 * LONG)
    const [session] = await t.list(ada(t))
    t.isInstant(session?.seenAt, t.now(), 'seenAt')
    t.isInstant(session?.expiresAt, t.now() + 2 * LONG, 'expiresAt')
    t.isInstant(session?.createdAt, made, 'createdAt')
    assert.ok(session && session.seenAt > session.createdAt, 'touch() has to change when a session was seen')
  },

  'the newest is the first, whichever was seen last, and a limit is of the newest': async t => {
    const ids = []
    for (const stem of ['c', 'a', 'd', 'b']) {
      ids.push(await add(t, ada(t), stem))
      await t.pass(5)
    }
    await t.touch(ids[0] ?? '')
    const expected = ids.map(digestOf).reverse()
    const handles = (await t.list(ada(t))).map(({ handle }) => handle)
    assert.deepEqual(handles, expected)
    for (const limit of [1, 3, 4, 100]) {
      const limited = (await t.list(ada(t), { limit })).map(({ handle }) => handle)
      assert.deepEqual(limited, expected.slice(0, limit), `with a limit of ${limit}`)
    }
  },

  'those of one instant are listed by their handles, the last one first': async t => {
    for (let number = 0; number < 8; number++) await add(t, ada(t), `at once ${number}`)
    const found = await t.list(ada(t))
    const order = [...found].sort(
      (one, other) => other.createdAt - one.createdAt || (one.handle < other.handle ? 1 : -1),
    )
    assert.deepEqual([...found], order)
    const limited = await t.list(ada(t), { limit: 3 })
    assert.deepEqual([...limited], order.slice(0, 3), 'with a limit')
  },

  'a limit that is none, and another name, are refused': async t => {
    for (const options of [{ limit: 0 }, { limit: -1 }, { limit: 1.5 }, { limit: '5' }, { last: 1 }]) {
      const refused = t.list(ada(t), options as never)
      await assert.rejects(refused, `with ${JSON.stringify(options)}`)
    }
  },

  'a record says whose it is': async t => {
    const id = await add(t, ada(t), 'one')
    assert.equal((await t.read(id))?.subject, digestOf(ada(t)))
    await t.touch(id)
    await t.patch(id, { set: { cart: '[1]' } })
    assert.equal((await t.read(id))?.subject, digestOf(ada(t)), 'what no patch changes stays')
    await t.set(id, { user: 'ada' })
    assert.equal((await t.read(id))?.subject, digestOf(ada(t)), 'set() changes the data, and not whose they are')
    await has(t, ada(t), [id])
  },

  'a handle is no id': async t => {
    const id = await add(t, ada(t), 'one')
    const [session] = await t.list(ada(t))
    const handle = session?.handle ?? ''
    await t.isFree(handle)
    await t.destroy(handle)
    await t.hasMembers(id, MEMBERS)
  },

  'what was destroyed, emptied or has expired is not listed': async t => {
    await t.destroy(await add(t, ada(t), 'destroyed'))
    await t.patch(await add(t, ada(t), 'emptied'), { unset: Object.keys(MEMBERS) })
    await add(t, ada(t), 'expired', { ttl: t.ttl })
    const left = await add(t, ada(t), 'left')
    await t.pass(t.ttl)
    await has(t, ada(t), [left])
    assert.equal(await t.destroyAll(ada(t)), 1, 'how many there were')
  },

  'an id that is taken again once its session has expired is whose it is then': async t => {
    for (const stem of ['nobody', 'set', 'bob']) await add(t, ada(t), stem, { ttl: t.ttl })
    await t.pass(t.ttl)
    const made = t.now()
    await t.create(t.id('nobody'), MEMBERS)
    await t.set(t.id('set'), DATA)
    const id = await add(t, bob(t), 'bob')
    await has(t, ada(t), [])
    await has(t, bob(t), [id])
    t.isInstant((await t.list(bob(t)))[0]?.createdAt, made, 'createdAt')
    for (const stem of ['nobody', 'set']) assertNone((await t.read(t.id(stem)))?.subject, 'a session of nobody')
  },

  'a session changes hands, and belongs to nobody where that is said': async t => {
    const id = await add(t, ada(t), 'one')
    const other = await add(t, ada(t), 'other')
    await t.patch(id, { set: { user: '"bob"' }, subject: digestOf(bob(t)) })
    await has(t, ada(t), [other])
    await has(t, bob(t), [id])
    await t.patch(id, { subject: null })
    await has(t, bob(t), [])
    assertNone((await t.read(id))?.subject, 'a session of nobody has a subject')
    await t.patch(id, { subject: digestOf(ada(t)) })
    await has(t, ada(t), [id, other])
  },

  'a session that was nobody’s gets a subject, and one in conflict does not': async t => {
    await t.create(t.id(), MEMBERS)
    await has(t, ada(t), [])
    await t.patch(t.id(), { subject: digestOf(ada(t)) })
    await has(t, ada(t), [t.id()])
    await t.patch(t.id('never'), { subject: digestOf(ada(t)) })
    await has(t, ada(t), [t.id()])
  },

  'two hundred sessions are listed, and ended at once': async t => {
    const stems = Array.from({ length: 200 }, (_, index) => String(index))
    const ids = await Promise.all(stems.map(stem => add(t, ada(t), stem)))
    await has(t, ada(t), ids)
    assert.equal(await t.destroyAll(ada(t), { except: ids[77] }), 199)
    await has(t, ada(t), [ids[77] ?? ''])
  },

  'a subject is only a name, whatever it is': async t => {
    const subjects = SUBJECTS.map(stem => `${t.id()}${stem}`)
    const ids = await Promise.all(subjects.map((subject, index) => add(t, subject, String(index))))
    for (const [index, subject] of subjects.entries()) await has(t, subject, [ids[index] ?? ''], subject.slice(0, 60))
    for (const subject of ['__proto__', 'constructor', 'toString']) assert.equal((await t.list(subject)).length, 0)
    for (const subject of subjects) assert.equal(await t.destroyAll(subject), 1, subject.slice(0, 60))
  },
})
