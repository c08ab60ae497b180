/** Talks with a custody machine, as text: what `machine.test.ts` is written in. */
import assert from 'node:assert/strict'
import type { Custody, Step, StepAnswer, Surroundings, Wish } from '../../src/request/custody.ts'
import { CustodyMachine } from '../../src/request/custody-machine.ts'

interface Known {
  readonly id: string
  /** How often the machine has asked what is known of it: a star for each time. */
  readonly asked: number
}

export const WISHES: readonly Wish[] = ['save', 'update', 'empty', 'regenerate', 'end', 'sweep']

/** What a row says for an answer of the store, where that is no word. */
const ANSWERS: Readonly<Record<string, StepAnswer>> = {
  made: true,
  taken: false,
  both: true,
  'not both': false,
  something: true,
  'nothing of its own': false,
}
const WORDS = ['saved', 'emptied', 'gone', 'conflict', 'superseded']

/** The request that a machine works for. New ids are 1, 2 and 3; the client has A. */
class Around implements Surroundings<Known> {
  #ids = 0
  #asked = 0
  reachable: readonly string[] | undefined

  newId(): string {
    return String(++this.#ids)
  }

  reaches(id: string): boolean {
    return this.reachable?.includes(id) ?? true
  }

  formerOf(id: string): Known {
    return { id, asked: ++this.#asked }
  }
}

export function machineAt(state: string): { machine: CustodyMachine<Known>; around: Around } {
  const around = new Around()
  const machine = new CustodyMachine<Known>(around)
  const [custody = '', left] = state.split('; left ')
  const [at, id, , former] = custody.split(' ')
  const known = former === undefined ? undefined : { id: former, asked: 0 }
  machine.custody = { at, id, former: at === 'staying' ? { id, asked: 0 } : known } as Custody<Known>
  machine.leftovers = left?.split(', ') ?? []
  return { machine, around }
}

/** `creating 1 for A*; left B, C`: where the machine is, under which id, in place of which, and its leftovers. */
export function stateOf({ custody, leftovers }: CustodyMachine<Known>): string {
  const { at, id } = custody
  const former = 'former' in custody ? custody.former : undefined
  const stars = '*'.repeat(former?.asked ?? 0)
  const place = at === 'staying' ? stars : former ? ` for ${former.id}${stars}` : ''
  const left = leftovers.length > 0 ? `; left ${leftovers.join(', ')}` : ''
  return `${at}${id === undefined ? '' : ` ${id}`}${place}${left}`
}

/**
 * Plays a row: `stored A | regenerate: create (creating 1 for A*) | made: send (stored 1 for A*)`. It begins with a state.
 * Each part is what happens, the step that the machine names then, and its state; where none is said, it did not change.
 */
export function play(row: string): void {
  const [start = '', ...parts] = row.split(' | ')
  const { machine, around } = machineAt(start)
  let state = start
  /** The last step, which is still to be answered. */
  let asked: Step | undefined
  for (const part of parts) {
    const [, event = '', named, told] = /^([^:(]+?)(?:: (\w+))?(?: \((.*)\))?$/.exec(part) ?? []
    const step = happen(event)
    asked = step ?? asked
    state = told ?? state
    assert.equal(step ?? 'nothing', named ?? 'nothing', `step after ${part}`)
    assert.equal(stateOf(machine), state, `state after ${part}`)
  }

  function happen(event: string): Step | undefined {
    if (WISHES.includes(event as Wish)) return machine.begin(event as Wish)
    if (event === 'fails') return machine.failed(asked as Step)
    if (event === 'answers' || event in ANSWERS) return machine.answered(asked as Step, ANSWERS[event])
    if (WORDS.includes(event)) return machine.answered(asked as Step, event as StepAnswer)
    if (event === 'is not asked') machine.abandon(false)
    else if (event === 'is replaced') machine.renew(false)
    else if (event === 'is replaced, and is to end') machine.renew(true)
    else if (event.startsWith('headers leave')) around.reachable = ['A', event.slice('headers leave with '.length)]
    else throw new Error(`no event: ${event}`)
    return undefined
  }
}
