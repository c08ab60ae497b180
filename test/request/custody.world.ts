/**
 * A store, a client and another request, as plain data: what the checker plays them with. It knows the contract of a
 * store and of HTTP, and nothing of the machine but the names of its steps.
 */
import type { Former, Step, StepAnswer, Surroundings } from '../../src/request/custody.ts'
import { CustodyMachine, PRESENTED } from '../../src/request/custody-machine.ts'

export interface Known extends Former {
  readonly isSignIn: boolean
  keys: ReadonlySet<string>
  version: number | undefined
}

interface Row {
  keys: Set<string>
  version: number
  /** Which session it is: one that begins after another was ended is another one. */
  readonly session: number
  readonly isOurs: boolean
}

/** How the store treats a step: it answers, fails, fails though it did what was asked, or has the id already. */
export type Treatment = 'answers' | 'fails' | 'fails though done' | 'taken'

// One for all: to make an error, with its stack, takes longer than all that a step does.
const DOWN = new Error('down')

export class World implements Surroundings<Known> {
  readonly rows = new Map<string, Row>([['A', { keys: new Set(['a']), version: 1, session: 0, isOurs: false }]])
  readonly tombstones = new Map<string, string>()
  readonly machine = new CustodyMachine<Known>(this)
  /** What the client has, and what it had before this response. */
  client: string | undefined = 'A'
  hasLeft = false
  sent: string | undefined
  /** The session that this request works on; ended ones. */
  session = 0
  readonly ended = new Set<number>()
  /** Those that this request was asked to end. */
  readonly ending = new Set<number>()
  /** Those of which that failed. */
  readonly unended = new Set<number>()
  /** Ids that the store failed to destroy. */
  readonly refused = new Set<string>()
  /** What the handler has set itself. */
  readonly wanted = new Set<string>()
  /** What the handler has, and what it knows of the store. */
  data = new Set(['a'])
  known: ReadonlySet<string> = new Set(['a'])
  version: number | undefined = 1
  /** Keys whose removal was acknowledged, by the session. */
  readonly removed = new Map<string, number>()
  /** Keys that were acknowledged, by the session; and what the application was told. */
  readonly acknowledged = new Map<string, number>([['a', 0]])
  isToldGone = false
  readonly trace: string[] = []
  /** The first thing that a response must never do. */
  fault: string | undefined
  /** Whether the commit under way signs somebody in. */
  isSignIn = false
  #ids = 0

  constructor() {
    this.machine.custody = { at: 'stored', id: 'A', former: undefined }
  }

  /** Nothing was loaded yet: the request knows nothing of what the client presented. */
  forget(): void {
    this.machine.custody = PRESENTED
    this.data = new Set()
    this.known = new Set()
    this.version = undefined
  }

  /** It is loaded now, and was retired long ago, if it was: `isOld`. Says whether what was found can be replaced. */
  load(isOld: boolean, isDown: boolean): boolean {
    const row = this.rows.get('A')
    this.machine.renew(false)
    this.trace.push(`load${isDown ? ' fails' : ''}`)
    if (isDown) this.machine.custody = { at: 'unread', id: 'A' }
    else if (row) this.machine.custody = { at: 'stored', id: 'A', former: undefined }
    else if (this.tombstones.has('A') && !isOld) this.machine.custody = { at: 'superseded', id: 'A' }
    this.known = new Set(row?.keys)
    this.version = row?.version
    return !isDown
  }

  /** What comes now is another session. */
  begin(session: number): void {
    this.ending.add(this.session)
    this.session = session
    this.empty()
    this.known = new Set()
  }

  /** The handler removes all that it has. */
  empty(): void {
    this.data = new Set()
    this.wanted.clear()
  }

  /** What could not be saved until the end of the request is not saved any more. */
  dropUnsaved(): void {
    this.data = new Set(this.known)
  }

  /** The handler sets a key. */
  set(key: string): void {
    this.data.add(key)
    this.wanted.add(key)
  }

  newId = () => `N${++this.#ids}`
  reaches = (id: string) => !this.hasLeft || id === this.sent || id === 'A'
  formerOf = (id: string): Known => ({
    id,
    keys: this.known,
    version: this.version,
    isSignIn: this.isSignIn,
  })

  /** The id that is alive of what `id` led to. */
  alive(id: string): string | undefined {
    if (this.rows.has(id)) return id
    const successor = this.tombstones.get(id)
    return successor === undefined ? undefined : this.alive(successor)
  }

  destroy(id: string): void {
    const alive = this.alive(id)
    if (alive !== undefined) this.rows.delete(alive)
  }

  leave(): void {
    const id = this.machine.idToSend
    if (id !== undefined && this.machine.custody.at === 'creating') this.#send(id)
    this.hasLeft = true
  }

  #send(id: string): void {
    if (this.hasLeft) return
    const row = this.rows.get(id)
    const isPromised = this.machine.custody.at === 'creating'
    if (row && !row.isOurs && id !== 'A') this.fault ??= `${id}, another session's id, was sent`
    if (!row && !isPromised && !this.ended.has(this.session))
      this.fault ??= `${id} was sent, which the store does not have`
    this.sent = this.client = id
  }

  /** What the step is answered. Throws where the store fails. */
  perform(step: Step, treatment: Treatment): StepAnswer {
    if (treatment === 'fails') throw DOWN
    const answer = this.#perform(step, treatment === 'taken')
    if (treatment === 'fails though done') throw DOWN
    this.#acknowledge(step, answer)
    return answer
  }

  #perform(step: Step, isTaken: boolean): StepAnswer {
    const { machine } = this
    const { custody } = machine
    const id = custody.id ?? ''
    const former = 'former' in custody ? custody.former : undefined
    switch (step) {
      case 'create':
        if (isTaken) this.rows.set(id, { keys: new Set(['theirs']), version: 0, session: -1, isOurs: false })
        if (this.rows.has(id) || this.tombstones.has(id)) return false
        this.rows.set(id, { keys: new Set(this.data), version: 0, session: this.session, isOurs: true })
        return true
      case 'patch':
      case 'update':
        return this.#patch(id, this.data)
      case 'empty':
        return this.#empty(id)
      case 'retire':
        return former && this.#retire(former, id)
      case 'alone':
        return former !== undefined && this.#leaveAlone(former, custody.at === 'stored' ? id : undefined)
      case 'merge':
        return former !== undefined && this.#merge(former, id)
      case 'destroy':
        this.destroy(machine.leftover)
        return undefined
      case 'send':
        this.#send(id)
        return undefined
      case 'clear':
        if (!this.hasLeft) this.client = undefined
        return undefined
      case 'withdraw':
        if (!this.hasLeft) this.client = 'A'
        return undefined
      case 'reportGone':
        this.isToldGone = true
        return undefined
      default:
        return undefined
    }
  }

  #patch(id: string, data: ReadonlySet<string>): StepAnswer {
    const row = this.rows.get(id)
    if (!row) return 'gone'
    for (const key of this.known) if (!data.has(key)) row.keys.delete(key)
    for (const key of data) if (!this.known.has(key)) row.keys.add(key)
    row.version++
    return 'saved'
  }

  #empty(id: string): StepAnswer {
    // What was merged is data of others.
    if (this.data.size > 0) return 'saved'
    const answer = this.#patch(id, new Set())
    if (answer === 'gone' || Number(this.rows.get(id)?.keys.size) > 0) return answer
    this.rows.delete(id)
    return 'emptied'
  }

  #retire(former: Known, successor: string): StepAnswer {
    const row = this.rows.get(former.id)
    // A command may be sent again.
    const to = this.tombstones.get(former.id)
    if (!row && to !== undefined && to !== successor) return 'superseded'
    if (!row) return to === successor ? 'saved' : 'gone'
    if (row.version !== former.version) return 'conflict'
    this.rows.delete(former.id)
    this.tombstones.set(former.id, successor)
    return 'saved'
  }

  /** Who signs in begins another session, which the end of the one before does not concern. */
  #leaveAlone(former: Known, id: string | undefined): boolean {
    if (!former.isSignIn && !this.isSignIn) return false
    const keys = new Set([...this.data].filter(key => !former.keys.has(key)))
    if (keys.size === 0) return false
    this.session = 100 + ++this.#ids
    if (id !== undefined && !this.rows.delete(id)) return false
    if (id !== undefined) this.rows.set(id, { keys: new Set(keys), version: 1, session: this.session, isOurs: true })
    this.data = keys
    this.known = new Set(keys)
    for (const key of this.wanted) if (!keys.has(key)) this.wanted.delete(key)
    return true
  }

  #merge(former: Known, id: string): boolean {
    const [from, to] = [this.rows.get(former.id), this.rows.get(id)]
    if (!from || !to) return false
    const isTheirs = (key: string) => [this.data, this.known].every(keys => keys.has(key) === former.keys.has(key))
    const changed = (one: ReadonlySet<string>, other: ReadonlySet<string>) =>
      [...one].filter(key => !other.has(key) && isTheirs(key))
    const [set, unset] = [changed(from.keys, former.keys), changed(former.keys, from.keys)]
    if (set.length + unset.length > 0) {
      for (const key of set) this.data.add(key)
      for (const key of unset) this.data.delete(key)
      this.#patch(id, this.data)
      this.#saved(undefined)
    }
    former.keys = new Set(from.keys)
    former.version = from.version
    return true
  }

  /** What the request knows once a step was answered. */
  #acknowledge(step: Step, answer: StepAnswer): void {
    if (step === 'create' && answer === true) this.#saved(0)
    if ((step === 'patch' || step === 'update') && answer === 'saved') this.#saved(undefined)
    if (step === 'empty' && answer === 'saved') this.#saved(undefined)
  }

  #saved(version: number | undefined): void {
    this.known = new Set(this.data)
    this.version = version
  }
}
