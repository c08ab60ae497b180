/** The custody machine, row by row: every wish in every state, every answer to every step, and what fails. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { CustodyMachine } from '../../src/request/custody-machine.ts'
import { machineAt, play, stateOf, WISHES } from './machine.talk.ts'

const WISHED = [
  'presented | save: nothing',
  'presented | update: nothing',
  'presented | empty: nothing',
  'presented | regenerate: nothing',
  'presented | end: clear (none)',
  'presented | sweep: nothing',

  'none | save: create (creating 1)',
  'none | update: create (creating 1)',
  'none | empty: clear',
  'none | regenerate: create (creating 1)',
  'none | end: clear',
  'none | sweep: nothing',

  'none N | save: create (creating N)',
  'none N | update: create (creating N)',
  'none N | empty: clear (none)',
  'none N | regenerate: create (creating 1)',
  'none N | end: clear (none)',
  'none N | sweep: nothing',

  'creating N | save: nothing',
  'creating N | update: nothing',
  'creating N | empty: nothing',
  'creating N | regenerate: nothing',
  'creating N | end: clear (none; left N)',
  'creating N | sweep: nothing',

  'creating N for A | save: nothing',
  'creating N for A | update: nothing',
  'creating N for A | empty: nothing',
  'creating N for A | regenerate: nothing',
  'creating N for A | end: clear (none; left N, A)',
  'creating N for A | sweep: nothing',

  'stored A | save: patch',
  'stored A | update: update',
  'stored A | empty: empty',
  'stored A | regenerate: create (creating 1 for A*)',
  'stored A | end: clear (none; left A)',
  'stored A | sweep: nothing',

  'stored N for A | save: patch',
  'stored N for A | update: patch',
  'stored N for A | empty: retire',
  'stored N for A | regenerate: patch',
  'stored N for A | end: clear (none; left N, A)',
  'stored N for A | sweep: retire',

  'staying A | save: create (creating 1 for A*)',
  'staying A | update: create (creating 1 for A*)',
  'staying A | empty: empty',
  'staying A | regenerate: create (creating 1 for A*)',
  'staying A | end: clear (none; left A)',
  'staying A | sweep: nothing',

  'gone A | save: reportGone',
  'gone A | update: reportGone',
  'gone A | empty: reportGone',
  'gone A | regenerate: reportGone',
  'gone A | end: clear (none; left A)',
  'gone A | sweep: nothing',

  'superseded A | save: reportGone',
  'superseded A | update: reportGone',
  'superseded A | empty: reportGone',
  'superseded A | regenerate: create (creating 1)',
  'superseded A | end: clear (none; left A)',
  'superseded A | sweep: nothing',

  'superseded A for A | save: alone',
  'superseded A for A | update: alone',
  'superseded A for A | empty: reportGone',
  'superseded A for A | regenerate: alone',
  'superseded A for A | end: clear (none; left A)',
  'superseded A for A | sweep: nothing',

  'unread A | save: reportGone',
  'unread A | update: reportGone',
  'unread A | empty: reportGone',
  'unread A | regenerate: reportGone',
  'unread A | end: clear (none; left A)',
  'unread A | sweep: nothing',
]

const ANSWERED: Readonly<Record<string, readonly string[]>> = {
  'a record is made, and its id sent': [
    'none | save: create (creating 1) | made: send (stored 1) | answers: nothing',
    'none N | save: create (creating N) | made: send (stored N) | answers: nothing',
    'none; left X | save: create (creating 1; left X) | made: send (stored 1; left X) | answers: destroy | answers (stored 1)',
    'superseded A | regenerate: create (creating 1) | made: send (stored 1) | answers: nothing',
  ],
  'an id that is taken is neither sent nor destroyed': [
    'none N | save: create (creating N) | taken: create (creating 1) | made: send (stored 1)',
    'none | save: create (creating 1) | taken: create (creating 2) | taken: create (creating 3) | taken: noId (none)',
    'stored A | regenerate: create (creating 1 for A*) | taken: create (creating 2 for A*) | taken: create (creating 3 for A*) | taken: noId (staying A*)',
    'stored A | regenerate: create (creating 1 for A*) | taken: create (creating 2 for A*) | made: send (stored 2 for A*)',
  ],
  'each commit has three attempts of its own': [
    'none | save: create (creating 1) | taken: create (creating 2) | taken: create (creating 3) | taken: noId (none) | save: create (creating 4) | taken: create (creating 5) | taken: create (creating 6) | taken: noId (none)',
    'none | save: create (creating 1) | taken: create (creating 2) | made: send (stored 2) | regenerate: create (creating 3 for 2*) | taken: create (creating 4 for 2*) | taken: create (creating 5 for 2*) | taken: noId (staying 2*)',
  ],
  'after an id that was taken, none is tried that could not be sent': [
    'none | save: create (creating 1) | headers leave | taken: noId (none)',
    'stored A | regenerate: create (creating 1 for A*) | headers leave | taken: noId (staying A*)',
  ],
  'no id is made that could not be sent': [
    'none | headers leave | save: refuse',
    'none N | headers leave | save: refuse',
    'none N | headers leave with N | save: create (creating N)',
    'none N | headers leave with N | regenerate: refuse',
    'stored A | headers leave | regenerate: refuse',
    'superseded A | headers leave | regenerate: refuse (none)',
    'staying A | headers leave | regenerate: refuse',
  ],
  'who signs in after another request gave the session a new id has a session of their own': [
    'stored 1 for A | regenerate: patch | saved: send | answers: retire | superseded: alone | something (stored 1)',
    'stored 1 for A; left X | sweep: retire | superseded: alone | something: destroy (stored 1; left X)',
    'stored 1 for A | sweep: retire | superseded: alone | nothing of its own: withdraw (superseded A for A; left 1) | answers: reportGone | answers: destroy | answers (superseded A for A)',
    'stored 1 for A | sweep: retire | superseded: alone | fails',
  ],
  'who says only then who signs in has a session of their own, too, and nothing of the one before': [
    'superseded A for A | save: alone | something: create (creating 1) | made: send (stored 1) | answers: nothing',
    'superseded A for A; left X | regenerate: alone | something: create (creating 1; left X) | made: send (stored 1; left X)',
    'superseded A for A | save: alone | nothing of its own: reportGone | answers: nothing',
    'superseded A for A | headers leave | save: alone | something: refuse (none)',
    'superseded A for A | save: alone | fails',
  ],
  'where the headers have left, what is staying is saved under its old id': [
    'staying A | headers leave | save: patch | saved: send | answers: nothing',
    'staying A | headers leave | update: patch | gone: reportGone (gone A) | answers: nothing',
    'staying A; left 9 | headers leave | save: patch | saved: send | answers: destroy | answers (staying A)',
  ],
  'but not what says who signs in: others may know that id': [
    'staying A | proves | headers leave | save: refuse | update: refuse | regenerate: refuse',
    'staying A | proves | headers leave | empty: empty',
    'staying A | proves | save: create (creating 1 for A*)',
  ],
  'an id whose record was made too late to be sent is destroyed': [
    'none | save: create (creating 1) | headers leave | made: refuse (none; left 1)',
    'none | save: create (creating 1) | headers leave with 1 | made: send (stored 1)',
    'stored A | regenerate: create (creating 1 for A*) | headers leave | made: refuse (staying A*; left 1)',
  ],
  'a record that is there is written to, and its id sent': [
    'stored A | save: patch | saved: send | answers: nothing',
    'stored A; left X | save: patch | saved: send | answers: destroy | answers (stored A)',
    'stored A | update: update | saved: send | answers: nothing',
    'stored A | empty: empty | saved: send | answers: nothing',
    'staying A | empty: empty | saved: send | answers: nothing',
  ],
  'a record that is left without data takes the cookie with it': [
    'stored A | save: patch | emptied: clear (none) | answers: nothing',
    'stored A | update: update | emptied: clear (none) | answers: nothing',
    'stored A | empty: empty | emptied: clear (none) | answers: nothing',
    'stored A; left X | empty: empty | emptied: clear (none; left X) | answers: destroy | answers (none)',
    'staying A | empty: empty | emptied: clear (none) | answers: nothing',
  ],
  'a session that another request has ended is told, and stays so': [
    'stored A | save: patch | gone: reportGone (gone A) | answers: nothing',
    'stored A | update: update | gone: reportGone (gone A) | answers: nothing',
    'stored A | empty: empty | gone: reportGone (gone A) | answers: nothing',
    'stored A; left X | save: patch | gone: reportGone (gone A; left X) | answers: destroy | answers (gone A)',
    'stored N for A | save: patch | gone: reportGone (gone N; left A) | answers: destroy | answers (gone N)',
    'staying A | empty: empty | gone: reportGone (gone A) | answers: nothing',
  ],
  'a new id is sent before the old one is retired': [
    'stored A | regenerate: create (creating 1 for A*) | made: send (stored 1 for A*) | answers: retire | saved (stored 1)',
    'stored N for A | save: patch | saved: send | answers: retire | saved (stored N)',
    'stored N for A | regenerate: patch | saved: send | answers: retire | saved (stored N)',
    'stored N for A; left X | sweep: retire | saved: destroy (stored N; left X) | answers (stored N)',
    'staying A; left 9 | save: create (creating 1 for A*; left 9) | made: send (stored 1 for A*; left 9) | answers: retire | saved: destroy (stored 1; left 9) | answers (stored 1)',
  ],
  'what others have written under the old id is merged, and then it is retired': [
    'stored N for A | sweep: retire | conflict: merge | both: retire | conflict: merge | both: retire | saved (stored N)',
    'stored N for A | sweep: retire | conflict: merge | not both: withdraw (gone A; left N) | answers: reportGone | answers: destroy | answers (gone A)',
  ],
  'a new id is withdrawn where others have ended the session under the old one': [
    'stored N for A | sweep: retire | gone: withdraw (gone A; left N) | answers: reportGone | answers: destroy | answers (gone A)',
    'stored N for A; left X | sweep: retire | gone: withdraw (gone A; left X, N) | answers: reportGone | answers: destroy | answers: destroy (gone A; left N) | answers (gone A)',
  ],
  'whether a session with two ids is empty is asked once the old one is retired': [
    'stored N for A | empty: retire | saved: empty (stored N) | emptied: clear (none)',
    'stored N for A | empty: retire | saved: empty (stored N) | saved: send | answers: nothing',
    'stored N for A | empty: retire | conflict: merge | both: retire | saved: empty (stored N)',
  ],
  'an end destroys every id, the cookie first': [
    'stored A | end: clear (none; left A) | answers: destroy | answers (none)',
    'stored N for A; left X | end: clear (none; left X, N, A) | answers: destroy | answers: destroy (none; left N, A) | answers: destroy (none; left A) | answers (none)',
    'stored A; left A, X | end: clear (none; left A, X) | answers: destroy | answers: destroy (none; left X) | answers (none)',
    'none; left X | empty: clear | answers: destroy | answers (none)',
    'none; left X | sweep: destroy | answers (none)',
  ],
  'nothing follows what is refused': [
    'none | headers leave | save: refuse | answers: nothing',
    'none | save: create (creating 1) | headers leave | taken: noId (none) | answers: nothing',
  ],
  'the session is another one once it is replaced': [
    'none N | is replaced (none)',
    'stored A; left X | is replaced (none; left X)',
    'stored A; left X | is replaced, and is to end (none; left X, A)',
    'stored N for A | is replaced, and is to end (none; left N, A)',
    'gone A | is replaced, and is to end (none; left A)',
    'none N | is replaced, and is to end (none)',
  ],
  'an answer about a session that was replaced meanwhile changes nothing of the new one': [
    'none | save: create (creating 1) | is replaced (none) | made: refuse',
    'none | save: create (creating 1) | is replaced (none) | taken: create (creating 2)',
    'stored N for A | sweep: retire | is replaced (none) | gone: withdraw',
    'none | save: create (creating 1) | is replaced (none) | fails: nothing',
  ],
}

const FAILED: Readonly<Record<string, readonly string[]>> = {
  'an id whose creation failed is destroyed: it may have been done': [
    'none | save: create (creating 1) | fails (none; left 1) | sweep: destroy | answers (none)',
    'stored A | regenerate: create (creating 1 for A*) | fails (staying A*; left 1) | sweep: destroy | answers (staying A*)',
    'none; left X | save: create (creating 1; left X) | fails (none; left X, 1)',
  ],
  'an id that was created and could not be sent is destroyed': [
    'none | save: create (creating 1) | made: send (stored 1) | fails (none; left 1)',
    'stored A | regenerate: create (creating 1 for A*) | made: send (stored 1 for A*) | fails (staying A*; left 1)',
  ],
  'an id that an earlier commit has created stays, where it can not be sent again': [
    'stored A | save: patch | saved: send | fails: nothing',
    'none | save: create (creating 1) | made: send (stored 1) | answers | save: patch | saved: send | fails: nothing',
    'stored N for A | save: patch | saved: send | fails: nothing',
  ],
  'what failed otherwise may be tried again': [
    'stored A | save: patch | fails: nothing | save: patch | saved: send',
    'stored A | update: update | fails: nothing',
    'stored A | empty: empty | fails: nothing',
    'stored N for A | sweep: retire | fails: nothing | sweep: retire | saved (stored N)',
    'stored N for A | sweep: retire | conflict: merge | fails: nothing',
    'stored A | end: clear (none; left A) | fails: nothing | sweep: destroy | answers (none)',
    'gone A | save: reportGone | fails: nothing',
  ],
  'what the store fails to destroy does not keep the next from being destroyed': [
    'none; left X | sweep: destroy | fails (none)',
    'none; left X, Y | sweep: destroy | fails: destroy (none; left Y) | answers (none)',
  ],
  'an id that the store was not asked to create is not destroyed': [
    'none | save: create (creating 1) | is not asked (none)',
    'stored A | regenerate: create (creating 1 for A*) | is not asked (staying A*)',
    'stored A | is not asked (none)',
    'gone A | is not asked',
    'staying A | is not asked',
  ],
}

for (const row of WISHED) test(row, () => play(row))
for (const [title, rows] of Object.entries({ ...ANSWERED, ...FAILED })) {
  for (const row of rows) test(`${title}: ${row}`, () => play(row))
}

/** In each state: the id that the session is under, and the one that has to leave with the headers. */
const IDS: Readonly<Record<string, readonly [id: string, toSend: string | undefined]>> = {
  none: ['1', undefined],
  'none N': ['N', undefined],
  'creating N': ['N', 'N'],
  'creating N for A': ['A', undefined],
  'stored A': ['A', 'A'],
  'stored N for A': ['N', 'N'],
  'staying A': ['A', 'A'],
  'gone A': ['A', undefined],
  'superseded A': ['A', undefined],
  'unread A': ['A', undefined],
}

for (const [state, [id, toSend]] of Object.entries(IDS)) {
  test(`${state}: its id is ${id}, and ${toSend ?? 'none'} has to leave with the headers`, () => {
    const { machine } = machineAt(state)
    assert.equal(machine.idToSend, toSend)
    assert.equal(machine.id, id)
    assert.equal(machine.id, id, 'asked again')
    assert.equal(stateOf(machine), state === 'none' ? 'none 1' : state)
  })

  test(`${state}: the table has a row for each wish`, () => {
    for (const wish of WISHES)
      assert.ok(
        WISHED.some(row => row.startsWith(`${state} | ${wish}:`)),
        wish,
      )
  })
}

test('it begins with no record and no leftovers, and the first leftover is destroyed first', () => {
  const machine = new CustodyMachine({ newId: () => '1', reaches: () => true, formerOf: id => ({ id }) })
  assert.deepEqual([machine.custody, machine.leftovers, machine.leftover], [{ at: 'none' }, [], ''])
  machine.leftovers = ['X', 'Y']
  assert.equal(machine.leftover, 'X')
})
