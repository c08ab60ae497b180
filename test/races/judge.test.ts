/* The judge of the races finds each kind of violation where it was planted. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  audit,
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

const WRONG: Readonly<Record<string, readonly [kind: string, rows: readonly Row[]]>> = {
  'a key that was acknowledged is not there': [
    'lost key',
    [
      signIn,
      { page: 'set', at: [20, 30], presented: 'A', ...saw(), ...writes('k', 'v') },
      ...audit({ A: session('m') }),
    ],
  ],
  'a key is missing while the session is used, and back in the end': [
    'lost key',
    [
      signIn,
      { page: 'set', at: [20, 30], presented: 'A', ...saw(), ...writes('k', 'v') },
      { page: 'read', at: [40, 50], presented: 'A', ...saw() },
      ...audit({ A: session('m', { k: 'v' }) }),
    ],
  ],
  'an older value is there in the place of a newer one': [
    'lost key',
    [
      signIn,
      { page: 'set', at: [20, 30], presented: 'A', ...saw(), ...writes('k', 'old') },
      { page: 'set', at: [31, 40], presented: 'A', ...saw({ k: 'old' }), ...writes('k', 'new') },
      ...audit({ A: session('m', { k: 'old' }) }),
    ],
  ],
  'a key that was removed is there': [
    'lost key',
    [
      signIn,
      { page: 'set', at: [20, 30], presented: 'A', ...saw(), ...writes('k', 'v') },
      { page: 'set', at: [31, 40], presented: 'A', ...saw({ k: 'v' }), ...writes('k', null) },
      ...audit({ A: session('m', { k: 'v' }) }),
    ],
  ],
  'a value that nobody wrote is there': [
    'lost key',
    [
      signIn,
      { page: 'set', at: [20, 30], presented: 'A', ...saw(), ...writes('k', 'v') },
      ...audit({ A: session('m', { k: 'other' }) }),
    ],
  ],
  'a session that nobody ended is not there': ['lost session', [signIn, ...audit({ A: undefined })]],
  'a session is under an id that nobody has': ['lost session', [signIn, ...audit({ A: undefined }, [session('m')])]],
  'a sign-in was acknowledged and has got no id': [
    'lost session',
    [{ page: 'in', mark: 'm', at: [0, 10], loaded: {} }, ...audit({})],
  ],
  'a sign-out with an id that was retired long before ends the session': [
    'lost session',
    [signIn, moved, { ...out, at: [2000, 2010], loaded: {} }, ...audit({ A: undefined, B: undefined })],
  ],
  'those of others are to end, and that of the request has': [
    'lost session',
    [signIn, { page: 'others', at: [20, 30], presented: 'A', ...saw() }, ...audit({ A: undefined })],
  ],
  'an increment that was acknowledged is not there': [
    'lost increment',
    [signIn, { page: 'count', at: [20, 30], presented: 'A', ...saw() }, ...audit({ A: session('m') })],
  ],
  'an increment has left its name and was not counted': [
    'lost increment',
    [
      signIn,
      { page: 'count', at: [20, 30], presented: 'A', ...saw() },
      { page: 'count', at: [20, 30], presented: 'A', ...saw() },
      ...audit({ A: session('m', { n: 1, marks: ['r1', 'r2'] }) }),
    ],
  ],
  'an increment was done twice': [
    'doubled increment',
    [
      signIn,
      { page: 'count', at: [20, 30], presented: 'A', ...saw() },
      ...audit({ A: session('m', { n: 2, marks: ['r1', 'r1'] }) }),
    ],
  ],
  'the counter is higher than its increments': [
    'doubled increment',
    [
      signIn,
      { page: 'count', at: [20, 30], presented: 'A', ...saw() },
      ...audit({ A: session('m', { n: 2, marks: ['r1'] }) }),
    ],
  ],
  'a session that was ended is there': ['risen session', [signIn, out, ...audit({ A: session('m') })]],
  'a sign-out is undone by a new id that was made beside it': [
    'risen session',
    [signIn, { ...moved, at: [41, 60] }, out, ...audit({ A: undefined, B: session('m') })],
  ],
  'a sign-out with an id that was just retired leaves the session': [
    'risen session',
    [signIn, moved, { ...out, loaded: {} }, ...audit({ A: undefined, B: session('m') })],
  ],
  'a sign-out ends a session and not the sign-in that took its place beside it': [
    'risen session',
    [signIn, { ...secondSignIn, at: [41, 60] }, out, ...audit({ A: undefined, B: session('m2') })],
  ],
  'a session that another one took the place of is there': [
    'risen session',
    [signIn, secondSignIn, ...audit({ A: session('m'), B: session('m2') })],
  ],
  'all sessions were ended, and one is there': [
    'risen session',
    [signIn, { page: 'all', at: [20, 30], presented: 'A', ...saw() }, ...audit({ A: session('m') })],
  ],
  'all others were ended, and one is there': [
    'risen session',
    [
      signIn,
      { page: 'in', mark: 'm2', at: [0, 10], sent: 'B', loaded: {} },
      { page: 'others', at: [20, 30], presented: 'B', loaded: session('m2') },
      ...audit({ A: session('m'), B: session('m2') }),
    ],
  ],
  'a session that was ended is in a list': [
    'risen session',
    [
      signIn,
      { page: 'in', mark: 'm2', at: [0, 10], sent: 'B', loaded: {} },
      out,
      { page: 'list', at: [60, 70], presented: 'B', loaded: session('m2'), listed: [session('m'), session('m2')] },
      ...audit({ A: undefined, B: session('m2') }),
    ],
  ],
  'an answer has the session of another user': [
    'foreign session',
    [
      signIn,
      { page: 'read', at: [20, 30], presented: 'A', loaded: { user: 'bob', mark: 'b' } },
      ...audit({ A: session('m') }),
    ],
  ],
  'an answer has another session of the same user': [
    'foreign session',
    [
      signIn,
      { page: 'in', mark: 'm2', at: [0, 10], sent: 'B', loaded: {} },
      { page: 'read', at: [20, 30], presented: 'A', loaded: session('m2') },
      ...audit({ A: session('m'), B: session('m2') }),
    ],
  ],
  'a list has the session of another user': [
    'foreign session',
    [
      signIn,
      { page: 'list', at: [20, 30], presented: 'A', ...saw(), listed: [session('m'), { user: 'bob', mark: 'b' }] },
      ...audit({ A: session('m') }),
    ],
  ],
  'two ids are good for one session': ['two live ids', [signIn, moved, ...audit({ A: session('m'), B: session('m') })]],
  'the store has a session twice, the second time under an id that nobody has': [
    'two live ids',
    [signIn, moved, ...audit({ A: undefined, B: session('m') }, [session('m'), session('m')])],
  ],
  'two requests were sent an id each in the place of the same one': [
    'dead id',
    [signIn, moved, { ...moved, sent: 'C' }, ...audit({ A: undefined, B: session('m'), C: undefined })],
  ],
  'a session is there that the store does not list': ['not listed', [signIn, ...audit({ A: session('m') }, [])]],
  'a request fails though nothing is broken': [
    'failed request',
    [signIn, { page: 'set', at: [20, 30], presented: 'A', status: 503, ...saw() }, ...audit({ A: session('m') })],
  ],
}

for (const [title, [kind, rows]] of Object.entries(WRONG)) {
  test(`is a violation: ${title}`, () => {
    const violations = judge(history(rows), PARALLEL)
    assert.deepEqual([...new Set(violations.map(violation => violation.kind))], [kind])
    assert.ok(violations.every(({ excerpt }) => excerpt.length > 0))
  })
}
