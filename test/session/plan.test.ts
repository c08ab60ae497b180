import assert from 'node:assert/strict'
import test from 'node:test'
import { EMPTY } from '../../src/session/changes.ts'
import type { MaxAge, Outcome, Plan } from '../../src/session/model.ts'
import { isChange, isDue, planCommit } from '../../src/session/plan.ts'

const NOW = 1_700_000_000_000
const HOUR = 3_600_000
const DATA = '{"user":"ada"}'
const OTHER = '{"user":"bob"}'

/** An outcome, by the texts of the data before and after. */
type Story = Omit<Outcome, 'isKnown' | 'difference'> & {
  before: string | undefined
  after: string | null
  maxAge: MaxAge
  expiresAt: number | undefined
}

const outcomeOf = ({ before, after, maxAge, expiresAt, keepAlive, ...story }: Story): Outcome => ({
  ...story,
  keepAlive: keepAlive === 'renew' && !isDue(true, maxAge, expiresAt, NOW) ? 'no' : keepAlive,
  isKnown: before !== undefined,
  difference: after === null ? 'removed' : after === before ? 'same' : after === EMPTY ? 'emptied' : 'changed',
})

const untouched: Story = {
  before: DATA,
  after: DATA,
  forced: false,
  regenerate: false,
  keepAlive: 'no',
  maxAge: HOUR,
  expiresAt: NOW + HOUR,
}

const skip: Plan = { action: 'skip' }
const destroy: Plan = { action: 'destroy', reason: 'emptied' }
const signOut: Plan = { action: 'destroy', reason: 'sign-out' }
const replace: Plan = { action: 'replace' }
const changed: Plan = { action: 'save', reason: 'changed' }
const forced: Plan = { action: 'save', reason: 'forced' }
const rolling: Plan = { action: 'save', reason: 'rolling' }
const renew: Plan = { action: 'save', reason: 'renew' }

const rows: ReadonlyArray<readonly [claim: string, story: Partial<Story>, plan: Plan]> = [
  ['a session that did not change is left alone', {}, skip],
  ['a session that changed is saved', { after: OTHER }, changed],
  ['a new session with data is saved', { before: undefined, after: DATA, expiresAt: undefined }, changed],
  ['a new session without data is neither stored nor sent', { before: undefined, after: EMPTY }, skip],
  ['a session that was emptied is destroyed', { after: EMPTY }, destroy],
  ['a session that was removed is destroyed', { after: null }, signOut],
  ['removing a session that there was not destroys it all the same', { before: undefined, after: null }, signOut],
  ['a session that was saved empty and stays empty is left alone', { before: EMPTY, after: EMPTY }, skip],
  ['a session that was saved empty is saved once it has data', { before: EMPTY, after: DATA }, changed],

  ['save() saves what did not change', { forced: true }, forced],
  ['save() saves what changed', { forced: true, after: OTHER }, forced],
  ['save() saves a new session without data', { forced: true, before: undefined, after: EMPTY }, forced],
  ['save() saves a session that was emptied', { forced: true, after: EMPTY }, forced],
  ['save() does not bring back a session that was removed', { forced: true, after: null }, signOut],

  ['regenerate() replaces what did not change', { regenerate: true }, replace],
  ['regenerate() replaces what changed', { regenerate: true, after: OTHER }, replace],
  ['regenerate() replaces a new session with data', { regenerate: true, before: undefined }, replace],
  [
    'regenerate() does not store a new session without data',
    { regenerate: true, before: undefined, after: EMPTY },
    skip,
  ],
  ['regenerate() ends a session that was emptied', { regenerate: true, after: EMPTY }, destroy],
  ['regenerate() replaces a session that was saved empty', { regenerate: true, before: EMPTY, after: EMPTY }, replace],
  ['regenerate() does not bring back a session that was removed', { regenerate: true, after: null }, signOut],
  ['regenerate() after maxAge was set still gives a new id', { regenerate: true, forced: true }, replace],
  [
    'regenerate() of a new session without data, whose maxAge was set, gives it an id',
    { regenerate: true, forced: true, before: undefined, after: EMPTY },
    replace,
  ],

  ['rolling extends a session that did not change', { keepAlive: 'rolling' }, rolling],
  ['rolling extends one that has just begun', { keepAlive: 'rolling', expiresAt: NOW + HOUR }, rolling],
  ['rolling extends one that does not say when it expires', { keepAlive: 'rolling', expiresAt: undefined }, rolling],
  ['rolling extends one that lives until the browser closes', { keepAlive: 'rolling', maxAge: 'session' }, rolling],
  ['rolling extends one that was saved empty', { keepAlive: 'rolling', before: EMPTY, after: EMPTY }, rolling],
  ['rolling sends nothing for a new, empty session', { keepAlive: 'rolling', before: undefined, after: EMPTY }, skip],
  ['rolling does not extend what was emptied', { keepAlive: 'rolling', after: EMPTY }, destroy],
  ['a change is told from rolling', { keepAlive: 'rolling', after: OTHER }, changed],

  ['renew waits while more than half is left', { keepAlive: 'renew', expiresAt: NOW + HOUR / 2 + 1 }, skip],
  ['renew waits while exactly half is left', { keepAlive: 'renew', expiresAt: NOW + HOUR / 2 }, skip],
  ['renew extends when less than half is left', { keepAlive: 'renew', expiresAt: NOW + HOUR / 2 - 1 }, renew],
  ['renew extends at the instant of expiry', { keepAlive: 'renew', expiresAt: NOW }, renew],
  ['renew extends what expires later than now, but was saved with less', { keepAlive: 'renew', expiresAt: 0 }, renew],
  ['renew halves an odd lifetime exactly', { keepAlive: 'renew', maxAge: 3, expiresAt: NOW + 1 }, renew],
  ['renew leaves alone what does not say when it expires', { keepAlive: 'renew', expiresAt: undefined }, skip],
  [
    'renew leaves alone what lives until the browser closes',
    { keepAlive: 'renew', maxAge: 'session', expiresAt: NOW },
    skip,
  ],
  ['renew takes no offence at an instant that is no number', { keepAlive: 'renew', expiresAt: Number.NaN }, skip],
  ['a change is told from renew', { keepAlive: 'renew', after: OTHER, expiresAt: NOW }, changed],
  ['without rolling and renew a session is let expire', { keepAlive: 'no', expiresAt: NOW + 1 }, skip],
]

for (const [claim, outcome, plan] of rows) {
  test(claim, () => {
    assert.deepEqual(planCommit(outcomeOf({ ...untouched, ...outcome })), plan)
  })
}

const everyOutcome = [undefined, EMPTY, DATA].flatMap(before =>
  [null, EMPTY, DATA, OTHER].flatMap(after =>
    [true, false].flatMap(isForced =>
      [true, false].flatMap(regenerate =>
        (['no', 'rolling', 'renew'] as const).map(
          (keepAlive): Story => ({
            ...untouched,
            before,
            after,
            forced: isForced,
            regenerate,
            keepAlive,
            expiresAt: NOW + 1,
          }),
        ),
      ),
    ),
  ),
)

test('whatever else was asked for, a removed session is destroyed', () => {
  for (const outcome of everyOutcome.filter(({ after }) => after === null)) {
    assert.deepEqual(planCommit(outcomeOf(outcome)), signOut, JSON.stringify(outcome))
  }
})

test('whatever else was asked for, changed data is never skipped or destroyed', () => {
  for (const outcome of everyOutcome.filter(({ before, after }) => after === OTHER && before !== OTHER)) {
    assert.match(planCommit(outcomeOf(outcome)).action, /^(save|replace)$/, JSON.stringify(outcome))
  }
})

test('an empty session that was not empty, or not there, is never put to rest unless that was forced', () => {
  for (const outcome of everyOutcome.filter(({ before, after }) => after === EMPTY && before !== EMPTY)) {
    const { action } = planCommit(outcomeOf(outcome))
    assert.equal(action === 'save' || action === 'replace', outcome.forced, JSON.stringify(outcome))
  }
})

test('what is decided depends on nothing but what is given', () => {
  const outcome = Object.freeze({ ...untouched, after: OTHER })
  assert.deepEqual(planCommit(outcomeOf(outcome)), planCommit(outcomeOf(outcome)))
})

test('a session is renewed when less is left than asked for', () => {
  const rows: ReadonlyArray<readonly [claim: string, given: Parameters<typeof isDue>, due: boolean]> = [
    ['half of it is left', [true, HOUR, NOW + HOUR / 2, NOW], false],
    ['less than half of it is left', [true, HOUR, NOW + HOUR / 2 - 1, NOW], true],
    ['as much as asked for is left', [1000, HOUR, NOW + 1000, NOW], false],
    ['less than asked for is left', [1000, HOUR, NOW + 999, NOW], true],
    ['more is asked for than it lives', [2 * HOUR, HOUR, NOW + HOUR, NOW], true],
    ['it is not to be renewed', [false, HOUR, NOW, NOW], false],
    ['it lives until the browser closes', [true, 'session', NOW, NOW], false],
    ['it does not say when it ends', [true, HOUR, undefined, NOW], false],
    ['it lives until the browser closes, whatever is asked for', [1000, 'session', NOW, NOW], false],
    ['nothing is asked for', [0, HOUR, NOW - 1, NOW], false],
    ['it ends at no instant', [true, HOUR, Number.NaN, NOW], false],
  ]
  for (const [claim, given, due] of rows) assert.equal(isDue(...given), due, claim)
})

test('a change is what the handler did: all but to keep a session alive', () => {
  const plans: ReadonlyArray<readonly [plan: Plan, is: boolean]> = [
    [{ action: 'skip' }, false],
    [{ action: 'save', reason: 'rolling' }, false],
    [{ action: 'save', reason: 'renew' }, false],
    [{ action: 'save', reason: 'changed' }, true],
    [{ action: 'save', reason: 'forced' }, true],
    [{ action: 'replace' }, true],
    [{ action: 'destroy', reason: 'emptied' }, true],
  ]
  for (const [plan, is] of plans) assert.equal(isChange(plan), is, JSON.stringify(plan))
})
