/**
 * The relation of a request to its stored session, in every sequence: commits of any kind; each step of the store
 * answered, failed, failed though it was done, or with an id that is taken; another request that writes to the session,
 * ends it or gives it a new id at any moment; headers that leave at any moment. The checker does not know how the machine
 * works. It judges by what store and client have in the end.
 */
import assert from 'node:assert/strict'
import test from 'node:test'
import type { Step, Wish } from '../../src/request/custody.ts'
import { type Treatment, World } from './custody.world.ts'
import { explore } from './explore.ts'

type Choose = (ways: number) => number

const IO: ReadonlySet<Step> = new Set(['create', 'patch', 'update', 'empty', 'retire', 'alone', 'merge', 'destroy'])
const MEANWHILE = ['nothing', 'writes', 'ends', 'regenerates', 'headers leave'] as const

/**
 * What the handler asks for; `assign`: a new session in place of one that was ended, by itself or by another request;
 * `sign in`: a new id for somebody who has proved who they are.
 */
type Asked = Wish | 'assign' | 'sign in'

interface Limits {
  readonly wishes: readonly Asked[]
  readonly commits: number
  /** How often the store may treat a step otherwise than by an answer, and others may come between. */
  readonly faults: number
  readonly others: number
  /** Whether nothing is loaded before the first commit: the option `lazy`. */
  readonly isLazy?: boolean
}

const WISH_OF = { assign: 'save', 'sign in': 'regenerate' } as const

/** One request, from its first commit to its end. */
function play(choose: Choose, { wishes, commits, faults, others, isLazy }: Limits): World {
  const world = new World()
  if (isLazy) world.forget()
  const left = { faults, others }
  for (let number = 1; number <= commits; number++) {
    const wish = wishes[choose(wishes.length)] as Asked
    meanwhile(world, choose, left)
    const before = world.known
    begin(world, wish, number)
    const isRefused = world.machine.custody.at === 'presented' && !load(world, wish, choose, left)
    // Who is given a new id where another request has given one has a session of their own.
    if (wish === 'regenerate' && isSuperseded(world, false)) world.session = 50 + number
    const isGood = !isRefused && commit(world, WISH_OF[wish as keyof typeof WISH_OF] ?? wish, choose, left)
    if (isGood && wish === 'assign' && world.isToldGone)
      world.fault ??= 'a session that was assigned anew was not saved'
    if (wish === 'empty' && world.machine.custody.at === 'none') {
      world.ended.add(world.session)
      world.begin(number)
    }
    if (!isGood && (wish === 'end' || wish === 'assign')) for (const one of world.ending) world.unended.add(one)
    if (isGood) acknowledge(world, wish, before)
  }
  world.dropUnsaved()
  commit(world, 'sweep', choose, left)
  return world
}

/** `isAsked`: the request has asked for a new id as well, after it had worked on the session. */
function isSuperseded({ machine: { custody } }: World, isAsked: boolean): boolean {
  return custody.at === 'superseded' && (custody.former !== undefined) === isAsked
}

function begin(world: World, wish: Asked, number: number): void {
  world.trace.push(`${wish}:`)
  world.isToldGone = false
  world.isSignIn = wish === 'sign in'
  // What was asked for may be done, whatever is answered.
  const isEnding = ['empty', 'end', 'assign'].includes(wish)
  const isToGo = (session: number) => isEnding && (session === world.session || world.machine.former !== undefined)
  for (const [key, session] of world.acknowledged) if (isToGo(session)) world.acknowledged.delete(key)
  const isGone = world.machine.custody.at === 'gone' || isSuperseded(world, true)
  // What another request gave a new id is that request's.
  if (wish === 'assign' && isGone) world.unended.add(world.session)
  if (wish === 'assign') world.machine.renew(!isGone)
  if (wish === 'end' || wish === 'assign') world.begin(number)
  if (wish === 'empty') world.empty()
  else if (wish !== 'end') world.set(`k${number}`)
}

/** Loads what the handler has replaced or ended unread. Whether the commit can go on. */
function load(world: World, wish: Asked, choose: Choose, left: { faults: number; others: number }): boolean {
  meanwhile(world, choose, left)
  const isDown = left.faults > 0 && choose(2) === 1
  if (isDown) left.faults--
  const isOld = world.tombstones.has('A') && choose(2) === 1
  const session = wish === 'end' ? [...world.ending][0] : world.session
  // Who brings an id that was retired long ago may have stolen it: nothing of the session ends.
  if (wish === 'end' && isOld && !isDown) world.unended.add(session ?? 0)
  if (!world.load(isOld, isDown) && wish !== 'end') return false
  // Other data take the place of all that is there; what another request ended, or gave a new id, is not this one's.
  const isFound = world.machine.custody.at === 'stored'
  if (wish !== 'end' && isFound) for (const key of world.known) world.acknowledged.delete(key)
  if (wish !== 'end' && world.machine.custody.at === 'none') world.session = 50
  return true
}

/** Whether the commit succeeded. */
function commit(world: World, wish: Wish, choose: Choose, left: { faults: number; others: number }): boolean {
  const { machine } = world
  let step: Step | undefined = machine.begin(wish)
  let isGood = true
  while (step !== undefined) {
    if (step === 'refuse' || step === 'noId') return false
    if (IO.has(step)) meanwhile(world, choose, left)
    const treatment: Treatment = IO.has(step) ? treatmentOf(world, step, choose, left) : 'answers'
    world.trace.push(`${step}${treatment === 'answers' ? '' : ` ${treatment}`}`)
    const failing: Step = step
    const { leftover } = machine
    try {
      step = machine.answered(step, world.perform(step, treatment))
    } catch {
      isGood = false
      if (failing === 'destroy') world.refused.add(leftover)
      step = machine.failed(failing)
    }
  }
  return isGood
}

function treatmentOf(world: World, step: Step, choose: Choose, left: { faults: number }): Treatment {
  // Where the headers leave before the store has answered, the id has to be one that nobody else has: genid's promise.
  const mayBeTaken = step === 'create' && world.sent !== world.machine.custody.id
  const ways: Treatment[] = ['answers', 'fails', 'fails though done', ...(mayBeTaken ? ['taken' as const] : [])]
  if (left.faults === 0) return 'answers'
  const treatment = ways[choose(ways.length)] as Treatment
  if (treatment !== 'answers') left.faults--
  return treatment
}

function meanwhile(world: World, choose: Choose, left: { others: number }): void {
  if (left.others === 0) return
  const what = MEANWHILE[choose(MEANWHILE.length)]
  if (what === 'nothing') return
  left.others--
  world.trace.push(`(${what})`)
  const row = world.rows.get('A')
  switch (what) {
    case 'writes':
      if (!row) return
      row.keys.add(`other${left.others}`)
      row.version++
      if (!world.ending.has(0)) world.acknowledged.set(`other${left.others}`, 0)
      return
    case 'ends':
      world.destroy('A')
      world.ended.add(0)
      return
    case 'regenerates':
      if (!row) return
      world.rows.delete('A')
      world.tombstones.set('A', 'X')
      world.rows.set('X', { ...row, version: 0, isOurs: false })
      world.client = 'X'
      return
    default:
      world.leave()
  }
}

/** `before`: the keys that the store was known to have before this commit. */
function acknowledge(world: World, wish: Asked, before: ReadonlySet<string>): void {
  const { machine, session, ending } = world
  if (wish === 'end' || wish === 'assign') for (const one of ending) if (!world.unended.has(one)) world.ended.add(one)
  if (wish === 'end' || machine.custody.at === 'none') return
  if (world.isToldGone || machine.custody.at !== 'stored') return
  for (const key of world.wanted) world.acknowledged.set(key, session)
  if (wish === 'empty') for (const key of before) world.removed.set(key, session)
}

/** What is wrong with what store and client have in the end. */
function faultIn(world: World): string | undefined {
  const { machine, rows, ended, fault } = world
  if (fault) return fault
  if (machine.leftovers.length > 0) return `${machine.leftovers} are left`
  if (machine.custody.at === 'creating') return 'it is being created, and nothing is under way'
  // What the store refused to destroy ends by its ttl.
  const isLeft = (id: string) => world.refused.has(id)
  const custody = machine.custody
  // Where the former id could not be retired at all, the request's error says so.
  const former = custody.at === 'stored' && custody.former ? world.alive(custody.former.id) : undefined
  const isUnretired = custody.at === 'stored' && custody.former !== undefined
  const live = [...rows].filter(([id, row]) => row.session >= 0 && !isLeft(id))
  for (const [id, row] of live) {
    if (ended.has(row.session) && !isUnretired) return `session ${row.session} was ended, and lives under ${id}`
    const isTheClients = id === world.client || id === custody.id || id === former
    if (row.isOurs && !isTheClients) return `${id} is nobody's`
  }
  const ids = live.filter(([id]) => id !== former).map(([, row]) => row.session)
  if (new Set(ids).size < ids.length) return `two ids of a session live: ${live.map(([id]) => id)}`
  for (const [key, session] of world.acknowledged) {
    if (ended.has(session)) continue
    if (!live.some(([, row]) => row.session === session && row.keys.has(key)))
      return `${key} was acknowledged, and is lost`
  }
  for (const [key, session] of world.removed) {
    if (live.some(([, row]) => row.session === session && row.keys.has(key))) return `${key} was removed, and came back`
  }
  if ([...rows].some(([id, row]) => row.session === -1 && id === world.client)) return 'the client has another session'
  if ([...rows].filter(([, row]) => row.session === -1).some(([id]) => isLeft(id)))
    return "another's record is to be destroyed"
  return undefined
}

test('in every sequence nothing is lost, nothing comes back, and no id is sent that is not this session’s', () => {
  const faults = new Map<string, string>()
  const judge = (limits: Limits) => (choose: Choose) => {
    const world = play(choose, limits)
    const fault = faultIn(world)
    if (fault && !faults.has(fault)) faults.set(fault, world.trace.join(' '))
  }
  const wishes: readonly Wish[] = ['save', 'regenerate', 'empty', 'end']
  const plays =
    explore(judge({ wishes, commits: 3, faults: 2, others: 1 })) +
    explore(judge({ wishes, commits: 2, faults: 2, others: 2 })) +
    explore(judge({ wishes: [...wishes, 'update', 'assign'], commits: 2, faults: 1, others: 2 })) +
    explore(judge({ wishes: ['save', 'regenerate', 'assign'], commits: 3, faults: 1, others: 1 })) +
    explore(judge({ wishes: ['save', 'sign in', 'empty', 'end'], commits: 2, faults: 1, others: 2 })) +
    explore(judge({ wishes: ['save', 'sign in'], commits: 3, faults: 1, others: 1 })) +
    explore(judge({ wishes: ['save', 'regenerate', 'end'], commits: 2, faults: 2, others: 2, isLazy: true }))
  assert.deepEqual([...faults].slice(0, 5), [])
  assert.ok(plays >= 80_000, `${plays} sequences`)
})
