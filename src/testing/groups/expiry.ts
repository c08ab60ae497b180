import assert from 'node:assert/strict'
import { LONG } from '../bench.ts'
import { cases } from '../case.ts'

const MEMBERS = { user: '"ada"' }

export const expiry = [
  ...cases('expiry', [], {
    'a session is gone when its time is over': async t => {
      await t.set(t.id(), { user: 'ada' }, t.ttl)
      await t.set(t.id('longer'), { user: 'bob' })
      await t.pass(t.ttl)
      await t.hasNone(t.id())
      await t.has(t.id('longer'), { user: 'bob' })
    },

    'reading a session does not make it live longer': async t => {
      await t.set(t.id(), {}, t.ttl)
      await t.pass(t.ttl / 2)
      await t.get(t.id())
      await t.pass(t.ttl / 2)
      await t.hasNone(t.id())
    },

    'setting a session again gives it another lifetime, longer or shorter': async t => {
      await t.set(t.id('longer'), { user: 'ada' }, t.ttl)
      await t.set(t.id('longer'), { user: 'ada' }, LONG)
      await t.set(t.id('shorter'), { user: 'ada' }, LONG)
      await t.set(t.id('shorter'), { user: 'ada' }, t.ttl)
      await t.pass(t.ttl)
      await t.has(t.id('longer'), { user: 'ada' })
      await t.hasNone(t.id('shorter'))
    },

    'a session that expired can be set again': async t => {
      await t.set(t.id(), { user: 'ada' }, t.ttl)
      await t.pass(t.ttl)
      await t.set(t.id(), { user: 'bob' })
      await t.has(t.id(), { user: 'bob' })
    },

    'with no time to live a session never was there, nor what it replaces': async t => {
      for (const ttl of [0, -1, -1e15]) {
        await t.set(t.id(), { user: 'ada' })
        await t.set(t.id(), { user: 'ada' }, ttl)
        await t.hasNone(t.id())
      }
    },

    'a time to live may have a fraction, and be as long as can be': async t => {
      for (const ttl of [LONG + 0.25, 8e15]) {
        await t.set(t.id(), { user: 'ada' }, ttl)
        await t.has(t.id(), { user: 'ada' })
      }
    },

    'what expires is the time to live, not what the payload says of it': async t => {
      const payload = { user: 'ada', _expire: t.now() - 1, _maxAge: 1 }
      await t.set(t.id(), payload)
      await t.has(t.id(), payload, 'a session that expired is to be seen')
    },
  }),

  ...cases('expiry', ['clock'], {
    'a session is there until the last millisecond, and a fraction of one counts as one': async t => {
      await t.set(t.id(), { user: 'ada' }, t.ttl)
      await t.set(t.id('fraction'), { user: 'ada' }, 0.5)
      await t.has(t.id('fraction'), { user: 'ada' })
      await t.pass(t.ttl - 1)
      await t.has(t.id(), { user: 'ada' })
      await t.hasNone(t.id('fraction'))
      await t.pass(1)
      await t.hasNone(t.id())
    },
  }),

  ...cases('expiry', ['keys', 'clock'], {
    'a record is there until the last millisecond': async t => {
      const ttl = t.ttl + 1
      const stems = ['created', 'patched', 'touched']
      for (const stem of stems) await t.create(t.id(stem), MEMBERS, stem === 'created' ? { ttl } : {})
      await t.patch(t.id('patched'), { set: { theme: '1' } }, ttl)
      await t.touch(t.id('touched'), ttl)
      await t.pass(t.ttl)
      for (const stem of stems) assert.ok(await t.read(t.id(stem)), `a record that was ${stem} is gone too early`)
      await t.pass(1)
      for (const stem of stems) await t.isFree(t.id(stem))
    },
  }),

  ...cases('expiry', ['keys'], {
    'a record that expired is not there, and its id is free': async t => {
      await t.create(t.id(), MEMBERS, { ttl: t.ttl })
      await t.pass(t.ttl)
      await t.isFree(t.id())
      await t.create(t.id(), { user: '"bob"' })
      await t.hasMembers(t.id(), { user: '"bob"' })
    },

    'patch() and touch() give another lifetime, and read() does not': async t => {
      for (const stem of ['cut', 'short']) await t.create(t.id(stem), MEMBERS)
      await t.create(t.id('read'), MEMBERS, { ttl: t.ttl })
      await t.read(t.id('read'))
      await t.create(t.id('patched'), MEMBERS, { ttl: t.ttl })
      await t.patch(t.id('patched'), { set: { theme: '1' } })
      await t.create(t.id('touched'), MEMBERS, { ttl: t.ttl })
      await t.touch(t.id('touched'))
      await t.patch(t.id('cut'), { set: { theme: '1' } }, t.ttl)
      await t.touch(t.id('short'), t.ttl)
      await t.pass(t.ttl)
      await t.hasMembers(t.id('patched'), { ...MEMBERS, theme: '1' })
      await t.hasMembers(t.id('touched'), MEMBERS)
      for (const stem of ['read', 'cut', 'short']) await t.isFree(t.id(stem))
    },

    'with no time to live a record never was there': async t => {
      for (const ttl of [0, -1]) {
        await t.create(t.id(`created${ttl}`), MEMBERS, { ttl })
        await t.create(t.id(`patched${ttl}`), MEMBERS)
        await t.patch(t.id(`patched${ttl}`), { set: { theme: '1' } }, ttl)
        await t.create(t.id(`touched${ttl}`), MEMBERS)
        await t.touch(t.id(`touched${ttl}`), ttl)
        for (const stem of ['created', 'patched', 'touched']) await t.isFree(t.id(`${stem}${ttl}`))
      }
    },

    'the time to live of a record may have a fraction, and be as long as can be': async t => {
      for (const [index, ttl] of [LONG + 0.25, 8e15].entries()) {
        const id = t.id(String(index))
        await t.create(id, MEMBERS, { ttl })
        await t.patch(id, { set: { theme: '1' } }, ttl)
        await t.touch(id, ttl)
        await t.hasMembers(id, { ...MEMBERS, theme: '1' })
      }
    },
  }),
]
