/* The judge of the races takes nothing for a violation that is right. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  audit,
  gone,
  history,
  moved,
  out,
  PARALLEL,
  type Row,
  saw,
  secondSignIn,
  session,
  signIn,
  writes,
} from './histories.ts'
import { judge } from './judge.ts'

const RIGHT: Readonly<Record<string, readonly Row[]>> = {
  'a key that was acknowledged is there': [
    signIn,
    { page: 'set', at: [20, 30], presented: 'A', ...saw(), ...writes('k', 'v') },
    ...audit({ A: session('m', { k: 'v' }) }),
  ],
  'what was not acknowledged is not there': [
    signIn,
    moved,
    { page: 'set', at: [20, 30], presented: 'A', ...saw(), ...writes('k', 'v'), ...gone },
    { page: 'set', at: [20, 30], presented: 'A', ...saw(), ...writes('l', 'v'), events: ['session:late'] },
    { page: 'count', at: [20, 30], presented: 'A', ...saw(), ...gone },
    ...audit({ A: undefined, B: session('m') }),
  ],
  'an increment that was not acknowledged is there': [
    signIn,
    { page: 'count', at: [20, 30], presented: 'A', ...saw(), ...gone },
    ...audit({ A: session('m', { n: 1, marks: ['r1'] }) }),
  ],
  'of two that write at the same time the first one wins': [
    signIn,
    { page: 'set', at: [20, 30], presented: 'A', ...saw(), ...writes('k', 'one') },
    { page: 'set', at: [25, 40], presented: 'A', ...saw(), ...writes('k', 'two') },
    ...audit({ A: session('m', { k: 'one' }) }),
  ],
  'a key that was removed by one of two that write at the same time is not there': [
    signIn,
    { page: 'set', at: [20, 30], presented: 'A', ...saw(), ...writes('k', 'one') },
    { page: 'set', at: [25, 40], presented: 'A', ...saw(), ...writes('k', null) },
    ...audit({ A: session('m') }),
  ],
  'a request that began before a write does not see it': [
    signIn,
    { page: 'set', at: [20, 30], presented: 'A', ...saw(), ...writes('k', 'v') },
    { page: 'read', at: [25, 60], presented: 'A', ...saw() },
    ...audit({ A: session('m', { k: 'v' }) }),
  ],
  'a retired id is nobody': [
    signIn,
    moved,
    { page: 'set', at: [40, 50], presented: 'A', status: 401, loaded: {}, ...writes('k', 'v') },
    ...audit({ A: undefined, B: session('m') }),
  ],
  'a session that was ended is not there': [signIn, out, ...audit({ A: undefined })],
  'what was under way at a sign-out sees the session': [
    signIn,
    { page: 'again', at: [30, 60], presented: 'A', ...saw(), ...gone },
    { page: 'read', at: [55, 70], presented: 'A', ...saw() },
    out,
    ...audit({ A: undefined }),
  ],
  'a sign-out with an id that was just retired ends the session': [
    signIn,
    moved,
    { ...out, loaded: {} },
    ...audit({ A: undefined, B: undefined }),
  ],
  'a sign-out with an id that was retired long before leaves the session': [
    signIn,
    moved,
    { ...out, at: [2000, 2010], loaded: {} },
    ...audit({ A: undefined, B: session('m') }),
  ],
  'a sign-out about when an id is no longer parallel leaves the session': [
    signIn,
    moved,
    { ...out, at: [1025, 1040], loaded: {} },
    ...audit({ A: undefined, B: session('m') }),
  ],
  'a sign-out about when an id is no longer parallel ends the session': [
    signIn,
    moved,
    { ...out, at: [1025, 1040], loaded: {} },
    ...audit({ A: undefined, B: undefined }),
  ],
  'a sign-out with the id of an ended session does nothing to the next one': [
    signIn,
    out,
    { page: 'in', mark: 'm2', at: [60, 70], sent: 'B', presented: 'A', loaded: {} },
    { ...out, at: [80, 90], loaded: {} },
    ...audit({ A: undefined, B: session('m2') }),
  ],
  'a sign-in that was sent twice is two sessions': [
    signIn,
    secondSignIn,
    { page: 'in', mark: 'm3', at: [35, 40], presented: 'A', sent: 'C', loaded: {} },
    ...audit({ A: undefined, B: session('m2'), C: session('m3') }),
  ],
  'of two sign-ins with the same id one is told that it was not saved': [
    signIn,
    secondSignIn,
    { page: 'in', mark: 'm3', at: [21, 40], presented: 'A', ...saw(), ...gone },
    ...audit({ A: undefined, B: session('m2') }),
  ],
  'a sign-in beside the end of all is there': [
    signIn,
    { page: 'all', at: [20, 30], presented: 'A', ...saw() },
    { page: 'in', mark: 'm2', at: [25, 40], sent: 'B', loaded: {} },
    ...audit({ A: undefined, B: session('m2') }),
  ],
  'a session that gets a new id is ended by the end of all others under its old one': [
    signIn,
    { page: 'others', at: [20, 40], presented: 'A', ...saw() },
    { ...moved, at: [25, 35] },
    ...audit({ A: undefined, B: undefined }),
  ],
}

for (const [title, rows] of Object.entries(RIGHT)) {
  test(`is no violation: ${title}`, () => assert.deepEqual(judge(history(rows), PARALLEL), []))
}
