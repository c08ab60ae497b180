import { SessionError } from '../errors.ts'
import type { Store } from '../stores/store.ts'
import { Bench, type Time } from './bench.ts'
import type { Capability, Case, Need } from './case.ts'
import type { ManualClock } from './clock.ts'
import { everything } from './groups/all.ts'
import { basic } from './groups/basic.ts'
import { claims } from './groups/claims.ts'
import { concurrency } from './groups/concurrency.ts'
import { corrupt } from './groups/corrupt.ts'
import { create } from './groups/create.ts'
import { endings } from './groups/ending.ts'
import { expiry } from './groups/expiry.ts'
import { hostileIds } from './groups/hostile-ids.ts'
import { hostileNames } from './groups/hostile-names.ts'
import { hostileValues } from './groups/hostile-values.ts'
import { patch } from './groups/patch.ts'
import { renewing } from './groups/renewing.ts'
import { retire } from './groups/retire.ts'
import { subjects } from './groups/subjects.ts'
import { successors } from './groups/successors.ts'
import { touch } from './groups/touch.ts'
import { versions } from './groups/versions.ts'

/** The options of `storeContract()`. */
export interface StoreContractOptions<Tested extends Store = Store> {
  /**
   * Makes the store for one test. It may be the same one, or a new one on what the last one had: no test uses the ids or
   * the subjects of another. With the capability `all` they end all that the store has: give them a database of their own.
   */
  readonly open: () => Tested | Promise<Tested>
  /** Called with the store after each test. */
  readonly close?: ((store: Tested) => unknown) | undefined
  /** What the store claims beyond `get`, `set` and `destroy`. Default: nothing. */
  readonly capabilities?: readonly Capability[] | undefined
  /** The clock whose `now` the store was given. Then no test waits; tests that are run in parallel take turns. */
  readonly clock?: ManualClock | undefined
  /**
   * Without a `clock`: how long (ms) the sessions live that a test waits for to expire. Default 300. It has to be much
   * longer than the store takes to answer.
   */
  readonly ttl?: number | undefined
  /** Makes what is stored under `id` unreadable, behind the store's back. Without it that is not tested. */
  readonly corrupt?: ((id: string, store: Tested) => unknown) | undefined
}

/** One test of the contract. */
export interface StoreTest {
  /** The group and what is claimed; no two are the same. */
  readonly name: string
  /** What it is about, such as `expiry`. */
  readonly group: string
  /** Rejects with an `AssertionError` that says what is wrong, or with what the store itself has thrown. */
  readonly run: () => Promise<void>
}

const CAPABILITIES: readonly string[] = [
  'keys',
  'versions',
  'retire',
  'subjects',
  'all',
  'order',
] satisfies Capability[]

const CASES: readonly Case[] = [
  ...basic,
  ...expiry,
  ...create,
  ...patch,
  ...touch,
  ...versions,
  ...retire,
  ...concurrency,
  ...renewing,
  ...subjects,
  ...endings,
  ...everything,
  ...successors,
  ...corrupt,
  ...hostileIds,
  ...hostileNames,
  ...hostileValues,
]

/**
 * The contract of a store as data, for any test runner:
 *
 *     for (const { name, run } of storeContract({ open: () => myStore() })) test(name, run)
 *
 * It holds the tests of what is claimed, none of which is skipped, and one that the claims are what the store has.
 * Throws `ERR_SESSION_OPTION`.
 */
export function storeContract<Tested extends Store>(options: StoreContractOptions<Tested>): readonly StoreTest[] {
  check(options)
  const { capabilities = [], clock, ttl = 300, corrupt } = options
  const given = new Set<Need>(capabilities)
  if (clock) given.add('clock')
  if (corrupt) given.add('corrupt')
  const asked = [...claims(capabilities), ...CASES].filter(({ needs }) => needs.every(need => given.has(need)))
  const time: Time = clock ? { clock } : { ttl }
  let last: Promise<unknown> = Promise.resolve()
  const underWay = new Set<Promise<unknown>>()

  function inTurn(run: () => Promise<void>): Promise<void> {
    const turn = last.then(() => Promise.allSettled(underWay)).then(run)
    last = turn.catch(() => undefined)
    return turn
  }

  async function beside(run: () => Promise<void>): Promise<void> {
    let turn: unknown
    do {
      turn = last
      await turn
    } while (turn !== last)
    const running = run()
    underWay.add(running)
    await running.finally(() => underWay.delete(running))
  }

  return asked.map(({ group, claim, needs, prove }) => {
    const run = () => proven(options, time, prove)
    // One test must not let the sessions of another expire, nor end them.
    const isAlone = clock !== undefined || needs.includes('all')
    return { name: `${group}: ${claim}`, group, run: () => (isAlone ? inTurn(run) : beside(run)) }
  })
}

async function proven<Tested extends Store>(
  { open, close, corrupt }: StoreContractOptions<Tested>,
  time: Time,
  prove: Case['prove'],
): Promise<void> {
  const store = await open()
  try {
    await prove(new Bench(store, time, corrupt && (id => corrupt(id, store))))
  } finally {
    await close?.(store)
  }
}

const NAMES: readonly string[] = ['open', 'close', 'capabilities', 'clock', 'ttl', 'corrupt'] satisfies Array<
  keyof StoreContractOptions
>

function check<Tested extends Store>(options: StoreContractOptions<Tested>): void {
  const unknown = Object.keys(Object(options)).find(name => !NAMES.includes(name))
  if (unknown !== undefined) refuse(unknown, false, `left out, as it is not one of ${NAMES.join(', ')}`)
  const { open, close, capabilities = [], clock, ttl, corrupt }: Partial<StoreContractOptions<Tested>> = Object(options)
  const isFunction = (value: unknown) => value === undefined || typeof value === 'function'
  refuse('open', typeof open === 'function', 'a function that returns a store')
  refuse('close', isFunction(close), 'a function')
  refuse('corrupt', isFunction(corrupt), 'a function')
  const isClock = clock === undefined || (typeof clock.now === 'function' && typeof clock.advance === 'function')
  refuse('clock', isClock, 'a manualClock()')
  refuse('ttl', ttl === undefined || (clock === undefined && ttl > 0), 'more than 0 (ms), and left out beside a clock')
  const areKnown = Array.isArray(capabilities) && capabilities.every(one => CAPABILITIES.includes(one))
  refuse('capabilities', areKnown, `a list of some of ${CAPABILITIES.join(', ')}`)
  refuse(
    'capabilities',
    capabilities.length === 0 || capabilities.includes('keys'),
    'a list with keys beside the others',
  )
}

function refuse(option: string, isGood: boolean, expected: string): void {
  if (!isGood) throw new SessionError('ERR_SESSION_OPTION', `storeContract: the option ${option} has to be ${expected}`)
}
