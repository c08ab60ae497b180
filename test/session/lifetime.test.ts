/** What a payload says of its times: with the names of 7.x alone, and with what 8 adds. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { createdAt, endOf, lifetimeFrom } from '../../src/session/lifetime.ts'
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
