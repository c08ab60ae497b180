import assert from 'node:assert/strict'
import test from 'node:test'
import { isExpired, isLifetime, lifetimeFrom, maxAgeOf } from '../../src/session/lifetime.ts'
import type { MaxAge, Meta, Payload } from '../../src/session/model.ts'
import {
  endOfData,
  FORGED,
  isPayload,
  METADATA,
  NOTHING,
  pack,
  packedEnd,
  UNDECODABLE,
} from '../../src/session/payload.ts'

const NOW = 1_700_000_000_000
const HOUR = 3_600_000

/** A payload as a client or a store may hand it in, right or wrong. */
const given = (payload: Record<string, unknown>) => payload as Payload

test('a session is packed as koa-session 7 does it', async t => {
  const rows: ReadonlyArray<readonly [claim: string, maxAge: MaxAge, payload: object]> = [
    ['with its lifetime and the instant of its end', HOUR, { user: 'ada', _expire: NOW + HOUR, _maxAge: HOUR }],
    ['until the browser closes, with a mark and no instant', 'session', { user: 'ada', _session: true }],
    ['with a lifetime of one millisecond', 1, { user: 'ada', _expire: NOW + 1, _maxAge: 1 }],
    ['with the longest lifetime', 8e15, { user: 'ada', _expire: NOW + 8e15, _maxAge: 8e15 }],
  ]
  for (const [claim, maxAge, payload] of rows) {
    await t.test(claim, () => {
      const packed = pack({ user: 'ada' }, lifetimeFrom(maxAge, NOW))
      assert.deepEqual(packed, payload)
      assert.equal(maxAgeOf(packed), maxAge)
      assert.equal(isExpired(packed, NOW), false)
    })
  }
})

test('the data comes first and in its own order, so that the text is that of 7.x', () => {
  assert.equal(
    JSON.stringify(pack({ b: 1, a: 2 }, lifetimeFrom(HOUR, NOW))),
    `{"b":1,"a":2,"_expire":${NOW + HOUR},"_maxAge":${HOUR}}`,
  )
  assert.equal(JSON.stringify(pack({ b: 1 }, lifetimeFrom('session', NOW))), '{"b":1,"_session":true}')
})

test('packing leaves the data as it was', () => {
  const data = Object.freeze({ user: 'ada' })
  pack(data, lifetimeFrom(HOUR, NOW))
  pack(data, lifetimeFrom('session', NOW))
  assert.deepEqual(data, { user: 'ada' })
})

test('an end that is no date stays one: the longest lifetime from now is still a Date', () => {
  const { _expire } = pack({}, lifetimeFrom(8e15, Date.now()))
  assert.equal(Number.isNaN(new Date(Number(_expire)).getTime()), false)
})

test('whether a payload has expired', async t => {
  const rows: ReadonlyArray<readonly [claim: string, payload: Record<string, unknown>, expired: boolean]> = [
    ['it has not a millisecond before its end', { _expire: NOW + 1 }, false],
    ['it has not at the very instant of its end', { _expire: NOW }, false],
    ['it has a millisecond after its end', { _expire: NOW - 1 }, true],
    ['it has when its end is the epoch', { _expire: 0 }, true],
    ['it has when its end is before the epoch', { _expire: -1 }, true],
    ['it has when its end is the beginning of time', { _expire: Number.NEGATIVE_INFINITY }, true],
    ['it has not when its end is beyond every date', { _expire: 1e308 }, false],
    ['it has not without an end', {}, false],
    ['it has not when it lives until the browser closes', { _session: true }, false],
    ['its lifetime alone says nothing', { _maxAge: 1 }, false],
    ['an end that is a string is none', { _expire: '0' }, false],
    ['an end that is null is none', { _expire: null }, false],
    ['an end that is not a number is none', { _expire: Number.NaN }, false],
    ['an end that is a list is none', { _expire: [0] }, false],
    ['an end that is true is none', { _expire: true }, false],
  ]
  for (const [claim, payload, expired] of rows) {
    await t.test(claim, () => {
      assert.equal(isExpired(given(payload), NOW), expired)
    })
  }
})

test('the lifetime that a payload was saved with', async t => {
  const rows: ReadonlyArray<readonly [claim: string, payload: Record<string, unknown>, maxAge: unknown]> = [
    ['is the one that it says', { _maxAge: HOUR }, HOUR],
    ['may be a fraction of a millisecond', { _maxAge: 0.5 }, 0.5],
    ['may be the longest', { _maxAge: 8e15 }, 8e15],
    ['lasts until the browser closes when it says so', { _session: true }, 'session'],
    ['lasts until the browser closes when it says both', { _session: true, _maxAge: HOUR }, 'session'],
    ['is its number when the mark is false', { _session: false, _maxAge: HOUR }, HOUR],
    ['is not said by the end alone', { _expire: NOW }, undefined],
    ['is not said by an empty payload', {}, undefined],
    ['is not 0', { _maxAge: 0 }, undefined],
    ['is not negative', { _maxAge: -1 }, undefined],
    ['is not NaN', { _maxAge: Number.NaN }, undefined],
    ['is not infinite', { _maxAge: Number.POSITIVE_INFINITY }, undefined],
    ['is not longer than the longest', { _maxAge: 8e15 + 1 }, undefined],
    ['is not 1e308', { _maxAge: 1e308 }, undefined],
    ['is not a string', { _maxAge: '3600000' }, undefined],
    ["is not the word 'session' in place of a number", { _maxAge: 'session' }, undefined],
    ['is not null', { _maxAge: null }, undefined],
    ['is not a list', { _maxAge: [HOUR] }, undefined],
    ['is not an object', { _maxAge: {} }, undefined],
    ['is not true', { _maxAge: true }, undefined],
    ['is not a BigInt', { _maxAge: 1n }, undefined],
  ]
  for (const [claim, payload, maxAge] of rows) {
    await t.test(claim, () => {
      assert.equal(maxAgeOf(given(payload)), maxAge)
    })
  }
})

test('only an object that is no list can be a payload', async t => {
  const rows: ReadonlyArray<readonly [value: unknown, isOne: boolean]> = [
    [{}, true],
    [{ user: 'ada' }, true],
    [Object.create(null), true],
    [JSON.parse('{"__proto__":1}'), true],
    [null, false],
    [undefined, false],
    [[], false],
    [[{}], false],
    ['{}', false],
    ['', false],
    [0, false],
    [1, false],
    [true, false],
    [1n, false],
    [() => ({}), false],
    [Symbol('payload'), false],
  ]
  for (const [index, [value, isOne]] of rows.entries()) {
    await t.test(`row ${index + 1}: a ${typeof value} ${isOne ? 'can' : 'can not'}`, () => {
      assert.equal(isPayload(value), isOne)
    })
  }
})

test('a lifetime is a positive number of milliseconds that ends on a date', () => {
  for (const good of [1, 0.5, Number.MIN_VALUE, HOUR, 8e15]) assert.equal(isLifetime(good), true, String(good))
  for (const bad of [0, -0, -1, Number.NaN, 8e15 + 1, 1e308, Number.POSITIVE_INFINITY, '1', null, undefined, [1], 1n]) {
    assert.equal(isLifetime(bad), false, String(bad))
  }
})

test('the names that are never data are those of 7.x and one more', () => {
  assert.deepEqual([...METADATA], ['_expire', '_maxAge', '_session', '_requireSave', '_meta'])
})

test('nothing presented is no fault to tell anybody of', () => {
  assert.deepEqual(NOTHING, { fault: 'none', reason: undefined })
})

test('where the data ends in the text of a payload', async t => {
  const lifetime = '"_expire":1,"_maxAge":2}'
  const rows: ReadonlyArray<readonly [claim: string, text: string, reserved: number, data: string | undefined]> = [
    ['before its lifetime', `{"a":1,${lifetime}`, 2, '{"a":1}'],
    ['before the mark that it lives until the browser closes', '{"a":1,"_session":true}', 1, '{"a":1}'],
    ['at once, when there is none', `{${lifetime}`, 2, '{}'],
    ['at once, when there is none, until the browser closes', '{"_session":true}', 1, '{}'],
    ['nowhere, when more members are reserved', `{"save":1,${lifetime}`, 3, undefined],
    ['nowhere, when other members are reserved', '{"save":1,"a":2}', 1, undefined],
    ['nowhere, when the lifetime is not at its end', '{"_expire":1,"_maxAge":2,"a":1}', 2, undefined],
    ['nowhere, when the lifetime is that of a member', `{"_maxAge":1,"_session":1,"a":{${lifetime}}`, 2, undefined],
    ['nowhere, when the lifetime is the end of a member', `{"save":1,"length":1,"a":{"b":0,${lifetime}}`, 2, undefined],
    ['before a lifetime as it is', '{"a":1,"_expire":1700000000000,"_maxAge":86400000}', 2, '{"a":1}'],
    ['nowhere, when a name only ends as that of the lifetime', `{"_session":0,"a\\${lifetime}`, 2, undefined],
    ['nowhere, when the instant is no plain number', '{"_expire":1e+30,"_maxAge":2}', 2, undefined],
    ['nowhere, in a text without a lifetime', '{"a":1}', 0, undefined],
  ]
  for (const [claim, text, reserved, data] of rows) {
    await t.test(claim, () => {
      const end = endOfData(text, reserved)
      assert.equal(end && `${text.slice(0, end)}}`, data)
    })
  }
})

test('the end of the text of a payload, from that of its data', async t => {
  const rows: ReadonlyArray<readonly [claim: string, data: Record<string, unknown>, maxAge: MaxAge, now: number]> = [
    ['with data', { a: 1 }, HOUR, NOW],
    ['without data', {}, HOUR, NOW],
    ['until the browser closes', { a: 1 }, 'session', NOW],
    ['until the browser closes, without data', {}, 'session', NOW],
    ['with a fraction', { a: 1 }, 0.5, NOW],
    ['with a clock that is none', { a: 1 }, HOUR, Number.NaN],
    ['with a clock that gives a string', { a: 1 }, HOUR, '1' as unknown as number],
  ]
  for (const [claim, data, maxAge, now] of rows) {
    await t.test(claim, () => {
      const lifetime = lifetimeFrom(maxAge, now)
      const text = JSON.stringify(data)
      assert.equal(text.slice(0, -1) + packedEnd(text, lifetime), JSON.stringify(pack(data, lifetime)))
    })
  }
})

test('what is told of noise and of a forgery is the reason, and no event of 7.x', () => {
  assert.deepEqual(UNDECODABLE, { fault: 'none', reason: 'undecodable' })
  assert.deepEqual(FORGED, { fault: 'none', reason: 'signature' })
})

test('the end of a text says when its session was made and was fresh, and the data is found before it', async t => {
  const metas: ReadonlyArray<readonly [claim: string, meta: Meta]> = [
    ['when it was made', { created: NOW }],
    ['both', { created: NOW, fresh: NOW + 1 }],
    ['when it was fresh', { fresh: NOW }],
    ['since when it is somebody', { since: NOW }],
    ['all three', { created: NOW, fresh: NOW + 1, since: NOW + 2 }],
    ['of which version the data is', { dataVersion: 12 }],
    ['all four', { created: NOW, fresh: NOW + 1, since: NOW + 2, dataVersion: 1 }],
    ['neither', {}],
  ]
  for (const [claim, meta] of metas) {
    for (const [maxAge, reserved] of [[HOUR, 3] as const, ['session', 2] as const]) {
      for (const data of [{ a: 1 }, {}]) {
        await t.test(`${claim}, ${maxAge}, ${JSON.stringify(data)}`, () => {
          const lifetime = lifetimeFrom(maxAge, NOW, meta)
          const [text, whole] = [JSON.stringify(data), JSON.stringify(pack(data, lifetime))]
          assert.equal(text.slice(0, -1) + packedEnd(text, lifetime), whole)
          const end = endOfData(whole, reserved)
          assert.equal(end && `${whole.slice(0, end)}}`, text)
          assert.equal(endOfData(whole, reserved - 1), undefined, 'with one member less')
          assert.equal(endOfData(`${whole.slice(0, -1)},"b":1}`, reserved), undefined, 'with data behind it')
        })
      }
    }
  }
})

test('an end that is not written as ours is none', () => {
  for (const end of [
    '"_session":true,"_meta":{"created":1.5}}',
    '"_session":true,"_meta":{"created":"1"}}',
    '"_session":true,"_meta":{"created":1,}}',
    '"_session":true,"_meta":{"created":1"fresh":2}}',
    '"_session":true,"_meta":{"":1}}',
    '"_session":true,"_meta":{"a-b":1}}',
    '"_session":true,"_meta":{"created":}}',
    '"_session":true,"_meta":{"created":1}',
    '"_session":true,"_meta":{"created":1}}}',
  ]) {
    assert.equal(endOfData(`{"a":1,${end}`, 2), undefined, end)
  }
})
