/** What a payload says of its times: with the names of 7.x alone, and with what 8 adds. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { createdAt, endOf, instantOf, isBefore, lifetimeFrom, metaOf, sinceIn } from '../../src/session/lifetime.ts'
import type { Lifetime } from '../../src/session/model.ts'

const NOW = 1_700_000_000_000
const HOUR = 3_600_000
const META = { created: NOW - HOUR }

test('a lifetime says when the session was made, where that is given, and ends with it', () => {
  assert.deepEqual(lifetimeFrom(HOUR, NOW, META), { _expire: NOW + HOUR, _maxAge: HOUR, _meta: META })
  assert.deepEqual(lifetimeFrom('session', NOW, META), { _session: true, _meta: META })
  assert.deepEqual(lifetimeFrom('session', NOW), { _session: true })
  assert.deepEqual(lifetimeFrom(HOUR, NOW, META, NOW + 1), { _expire: NOW + 1, _maxAge: HOUR, _meta: META })
  assert.deepEqual(lifetimeFrom(HOUR, NOW, undefined, NOW + 2 * HOUR), { _expire: NOW + HOUR, _maxAge: HOUR })
})

const made: ReadonlyArray<readonly [claim: string, lifetime: Record<string, unknown>, instant: number | undefined]> = [
  ['as it is said', { _expire: NOW + HOUR, _maxAge: HOUR, _meta: { created: NOW - 1 } }, NOW - 1],
  ['when it was saved, where it is not said', { _expire: NOW + HOUR, _maxAge: HOUR }, NOW],
  ['when it was saved, where only something else is said', { _expire: NOW + 1, _maxAge: 1, _meta: { fresh: 1 } }, NOW],
  [
    'when it was saved, where what is said is no number',
    { _expire: NOW + 1, _maxAge: 1, _meta: { created: '1' } },
    NOW,
  ],
  ['unknown until the browser closes', { _session: true }, undefined],
  ['unknown without an end', { _maxAge: HOUR }, undefined],
  ['unknown with an end that is no number', { _expire: String(NOW), _maxAge: HOUR }, undefined],
  ['unknown without a lifetime', { _expire: NOW }, undefined],
  ['unknown with a lifetime that is none', { _expire: NOW, _maxAge: -1 }, undefined],
]

for (const [claim, lifetime, instant] of made) {
  test(`the instant at which a session was made is ${claim}`, () => {
    assert.equal(createdAt(lifetime as Lifetime), instant)
  })
}

const ends: ReadonlyArray<readonly [claim: string, lifetime: Lifetime, timeout: number | undefined, end: unknown]> = [
  ['is not over before it expires', { _expire: NOW + 1, _maxAge: 1 }, undefined, undefined],
  ['is over when it has expired', { _expire: NOW - 1, _maxAge: 1 }, undefined, 'expired'],
  ['has no other end without a timeout', { _expire: NOW + 1, _maxAge: 1, _meta: { created: 0 } }, undefined, undefined],
  ['is not over before the timeout', { _expire: NOW + 1, _maxAge: 1, _meta: META }, HOUR + 1, undefined],
  ['is over at the timeout', { _expire: NOW + 1, _maxAge: 1, _meta: META }, HOUR, 'absolute'],
  ['is over after the timeout', { _expire: NOW + 1, _maxAge: 1, _meta: META }, HOUR - 1, 'absolute'],
  ['is over by the timeout first', { _expire: NOW - 1, _maxAge: 1, _meta: META }, HOUR, 'absolute'],
  ['expires before the timeout', { _expire: NOW - 1, _maxAge: 1, _meta: META }, HOUR + 1, 'expired'],
  [
    'until the browser closes is over by a timeout where it does not say when it was made',
    { _session: true },
    1,
    'absolute',
  ],
  ['without any lifetime is over by a timeout', {}, 1, 'absolute'],
  ['whose instant is no number is over by a timeout', { _session: true, _meta: { created: NaN } }, 1, 'absolute'],
  ['until the browser closes says when it was made', { _session: true, _meta: META }, HOUR + 1, undefined],
  ['until the browser closes has no end without a timeout', { _session: true }, undefined, undefined],
]

for (const [claim, lifetime, timeout, end] of ends) {
  test(`a session ${claim}`, () => {
    assert.equal(endOf(lifetime, NOW, timeout), end)
  })
}

const SINCE: ReadonlyArray<readonly [claim: string, lifetime: Lifetime, instant: number | undefined]> = [
  ['as it is said', { _expire: NOW + HOUR, _maxAge: HOUR, _meta: { created: 1, since: NOW - 2 } }, NOW - 2],
  ['as it is said until the browser closes', { _session: true, _meta: { since: 0 } }, 0],
  ['that of the last save, where it is not said', { _expire: NOW + HOUR, _maxAge: HOUR }, NOW],
  ['that of the last save, where only the beginning is said', { _expire: NOW + 1, _maxAge: 1, _meta: META }, NOW],
  ['not before it was made', { _expire: NOW, _maxAge: HOUR, _meta: { created: NOW - 5 } }, NOW - 5],
  ['the beginning until the browser closes', { _session: true, _meta: META }, META.created],
  ['that of the last save, where what is said is none', { _expire: NOW, _maxAge: 1, _meta: { since: NaN } }, NOW - 1],
  ['unknown until the browser closes', { _session: true }, undefined],
  ['unknown where nothing is said', {}, undefined],
  [
    'unknown where nothing that is said is an instant',
    { _expire: NaN, _maxAge: 1, _meta: { created: NaN } },
    undefined,
  ],
]

for (const [claim, lifetime, instant] of SINCE) {
  test(`the instant since when somebody is who they are is ${claim}`, () => {
    assert.equal(sinceIn(lifetime), instant)
  })
}

test('a session began before an instant, at it, after it, or nobody knows', () => {
  const session: Lifetime = { _session: true, _meta: { since: NOW } }
  assert.deepEqual(
    [NOW - 1, NOW, NOW + 1, undefined].map(instant => isBefore(session, instant)),
    [false, false, true, false],
  )
  assert.deepEqual([isBefore({}, -8.64e15), isBefore({}, undefined)], [true, false])
})

test('an instant is a number or a Date', () => {
  const good = [0, -1, 0.5, 8.64e15, new Date(5)]
  assert.deepEqual(good.map(instantOf), [0, -1, 0.5, 8.64e15, 5])
  const bad = [NaN, Infinity, 8.64e15 + 1, new Date(NaN), '5', new Date(5).toISOString(), 5n, true, null, {}, undefined]
  for (const value of bad) assert.equal(instantOf(value), undefined, String(value))
})

test('what is said beside the names of 7.x has a member for each instant that is known', () => {
  assert.deepEqual(metaOf(1, undefined, undefined), { created: 1 })
  assert.deepEqual(metaOf(1, 2, undefined), { created: 1, fresh: 2 })
  assert.deepEqual(metaOf(undefined, undefined, 3), { since: 3 })
  assert.deepEqual(metaOf(undefined, undefined, undefined, 4), { dataVersion: 4 })
  assert.deepEqual(metaOf(1, undefined, undefined, 4), { created: 1, dataVersion: 4 })
  assert.equal(JSON.stringify(metaOf(1, 2, 3, 4)), '{"created":1,"fresh":2,"since":3,"dataVersion":4}')
  assert.equal(JSON.stringify(metaOf(1, 2, 3)), '{"created":1,"fresh":2,"since":3}')
})
