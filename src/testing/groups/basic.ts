import assert from 'node:assert/strict'
import { cases } from '../case.ts'

const ADA = { user: 'ada', cart: [1, { size: 'L' }], _expire: 1_700_000_000_000, _maxAge: 86_400_000 }

export const basic = cases('basic', [], {
  'there is nothing under an id that was never set': async t => {
    await t.hasNone(t.id())
  },

  'what was set is got, as often as it is asked for': async t => {
    await t.set(t.id(), ADA)
    await t.has(t.id(), ADA)
    await t.has(t.id(), ADA)
  },

  'what is set takes the place of all that was there': async t => {
    await t.set(t.id(), ADA)
    await t.set(t.id(), { theme: 'dark', _session: true })
    await t.has(t.id(), { theme: 'dark', _session: true })
  },

  'the lifetime is part of the payload': async t => {
    const lifetimes = [
      { _session: true },
      { _expire: 1.5e12, _maxAge: 1, _meta: { created: 1.4e12, fresh: 1.3e12, since: 1.2e12, dataVersion: 7 } },
    ]
    for (const lifetime of lifetimes) {
      await t.set(t.id(), { user: 'ada', ...lifetime })
      await t.has(t.id(), { user: 'ada', ...lifetime })
    }
  },

  'what was destroyed is gone': async t => {
    await t.set(t.id(), ADA)
    await t.destroy(t.id())
    await t.hasNone(t.id())
  },

  'what was destroyed can be set again': async t => {
    await t.set(t.id(), ADA)
    await t.destroy(t.id())
    await t.set(t.id(), { user: 'bob' })
    await t.has(t.id(), { user: 'bob' })
  },

  'destroying what is not there is no error, twice neither': async t => {
    await t.set(t.id('other'), ADA)
    await t.destroy(t.id())
    await t.destroy(t.id())
    await t.has(t.id('other'), ADA)
  },

  'each id has its own session': async t => {
    const ids = Array.from({ length: 20 }, (_, index) => t.id(String(index)))
    await Promise.all(ids.map((id, index) => t.set(id, { index })))
    await t.destroy(ids[7] ?? '')
    for (const [index, id] of ids.entries()) await (index === 7 ? t.hasNone(id) : t.has(id, { index }))
  },

  'what is got is shared with nobody': async t => {
    const payload = { cart: ['apple'], _meta: { created: 1 } }
    await t.store.set(t.id(), payload, 1e9, { ctx: {}, rolling: false, changed: true })
    payload.cart.push('pear')
    payload._meta.created = 2
    await t.has(
      t.id(),
      { cart: ['apple'], _meta: { created: 1 } },
      'set() has to keep what it was given, as it was then',
    )
    const got = (await t.get(t.id())) as typeof payload
    got.cart.push('plum')
    got._meta.created = 3
    await t.has(t.id(), { cart: ['apple'], _meta: { created: 1 } }, 'two calls of get() must not give the same object')
  },

  'what JSON can not hold is left out, or null, as JSON does it': async t => {
    await t.set(t.id(), {
      none: undefined,
      list: [undefined, 1],
      call: () => 1,
      infinite: Number.POSITIVE_INFINITY,
      zero: -0,
      user: 'ada',
    })
    await t.has(t.id(), { list: [null, 1], infinite: null, zero: 0, user: 'ada' })
  },

  'what is got is an object like any other': async t => {
    await t.set(t.id(), ADA)
    assert.equal(Object.getPrototypeOf(await t.get(t.id())), Object.prototype)
  },
})
