import { EMPTY, parsedOrNothing } from './changes.ts'
import { checkLosses, mayHaveLosses } from './losses.ts'
import type { Data, Lifetime } from './model.ts'
import { isPayload, packedEnd } from './payload.ts'
import { dataIn, dataOf, RESERVED, type Session } from './session.ts'

/** What is nested deeper is parsed each time: what goes through it here calls itself. */
const DEEPEST = 100
/** What has more objects and lists in it, too: each takes a hundred times as much memory as its two brackets. */
const MOST = 200

/**
 * An object or a list of parsed JSON that nobody else has. It is copied for each session, and compared with what the session
 * has by then: both take a quarter of parsing and printing.
 */
class Branch {
  /** `undefined`: a list. */
  readonly #names: readonly string[] | undefined
  readonly #source: object
  /** What is not nested is the value itself. */
  readonly #values: readonly unknown[]
  /** The places of what is nested. */
  readonly #nested: readonly number[]
  /** How many objects and lists it is, with all that is nested in it. */
  readonly count: number

  constructor(source: object, depth: number) {
    const isList = Array.isArray(source)
    this.#source = source
    this.#names = isList ? undefined : Object.keys(source)
    this.#values = Object.values(source).map(value => branched(value, depth))
    this.#nested = [...this.#values.keys()].filter(at => this.#values[at] instanceof Branch)
    this.count = 1 + countIn(this.#values)
  }

  copy(): object {
    const names = this.#names
    const copy: Record<string | number, unknown> = Array.isArray(this.#source)
      ? (this.#source.slice() as never)
      : { ...this.#source }
    for (const at of this.#nested) copy[names ? (names[at] as string) : at] = (this.#values[at] as Branch).copy()
    return copy
  }

  /** Whether `value` is one whose JSON is certain to be the same. */
  isSame(value: unknown): boolean {
    if (typeof value !== 'object' || value === null || (value as { toJSON?: unknown }).toJSON !== undefined)
      return false
    return this.#names ? this.#hasSameMembers(value, this.#names) : this.#hasSameItems(value)
  }

  #hasSameItems(list: object): boolean {
    const values = this.#values
    if (!Array.isArray(list) || list.length !== values.length) return false
    for (let at = 0; at < values.length; at++) if (!isSame(values[at], list[at])) return false
    return true
  }

  #hasSameMembers(object: object, names: readonly string[]): boolean {
    if (Object.getPrototypeOf(object) !== Object.prototype) return false
    let at = 0
    // In their order; what is inherited would come behind them.
    for (const name in object) {
      if (name !== names[at] || !isSame(this.#values[at], (object as Data)[name])) return false
      at++
    }
    return at === names.length
  }
}

function isSame(known: unknown, value: unknown): boolean {
  return known instanceof Branch ? known.isSame(value) : known === value
}

function countIn(values: readonly unknown[]): number {
  return values.reduce<number>((count, value) => count + (value instanceof Branch ? value.count : 0), 0)
}

/** Throws a `RangeError` for what is too deep. */
function branched(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (depth > DEEPEST) throw new RangeError('too deep')
  return new Branch(value, depth + 1)
}

/** One key of a session, with `"key":value`. */
interface Member {
  readonly name: string
  readonly text: string
  /** As `branched` has it, or `UNPARSED`. */
  value: unknown
}

const UNPARSED = Symbol('unparsed')

/** The data of a session, as text and as what it is copied from. */
export class Template {
  readonly text: string
  readonly #members: readonly Member[]

  constructor(members: readonly Member[]) {
    this.#members = members
    this.text = members.length === 0 ? EMPTY : `{${members.map(({ text }) => text).join(',')}}`
  }

  /** Copies the data into `session`. */
  fill(session: object): void {
    for (const { name, value } of this.#members) {
      ;(session as Data)[name] = value instanceof Branch ? value.copy() : value
    }
  }

  /**
   * What `session` holds by now: this, where nothing has changed. Its text is the one that `textOf` makes; `undefined`: that
   * has to be asked, and throws what there is to throw.
   */
  after(session: Session): Template | undefined {
    // Somebody's own JSON for every object there is.
    if ('toJSON' in Object.prototype) return undefined
    try {
      const members = this.#membersOf(session)
      if (!members) return this
      const next = new Template(members)
      if (mayHaveLosses(next.text)) checkLosses(dataOf(session))
      return next.text === this.text ? this : next
    } catch {
      return undefined
    }
  }

  /** Whether `session` has just these values, in any order, and nothing is nested in them. */
  isFlatlySame(session: object): boolean {
    let at = 0
    for (const name in session) {
      const known = this.#member(name, at++)
      if (!known || known.value !== (session as Data)[name]) return false
    }
    return at === this.#members.length
  }

  /** The members of `session`; `undefined` where they are all the same. Throws what JSON throws, and for a name of no data. */
  #membersOf(session: object): readonly Member[] | undefined {
    const known = this.#members
    let members: Member[] | undefined
    let at = 0
    for (const name in session) {
      const value = (session as Data)[name]
      if (typeof value === 'function' || !Object.hasOwn(session, name)) continue
      const was = this.#member(name, at)
      const isKept = was !== undefined && isSame(was.value, value)
      if (!isKept || was !== known[at]) members ??= known.slice(0, at)
      at++
      if (!members) continue
      const member = isKept ? was : memberOf(name, value)
      if (member) members.push(member)
    }
    return at === known.length ? members : (members ?? known.slice(0, at))
  }

  /** The member of this name, which is mostly in the place that it had. */
  #member(name: string, place: number): Member | undefined {
    const members = this.#members
    if (members[place]?.name === name) return members[place]
    for (let at = 0; at < members.length; at++) if (members[at]?.name === name) return members[at]
    return undefined
  }

  /** This, with all that has still to be parsed; `undefined` where it can't be copied. */
  parsed(): Template | undefined {
    try {
      for (const member of this.#members) {
        if (member.value !== UNPARSED) continue
        if (member.text.includes('"__proto__":')) return undefined
        member.value = branched(JSON.parse(`{${member.text}}`)[member.name], 0)
      }
      return countIn(this.#members.map(({ value }) => value)) > MOST ? undefined : this
    } catch {
      return undefined
    }
  }
}

/** Nothing where JSON leaves it out. */
function memberOf(name: string, value: unknown): Member | undefined {
  if (RESERVED.has(name)) throw new TypeError('no name of data')
  const text = JSON.stringify({ [name]: value })
  if (text === EMPTY) return undefined
  return { name, text: text.slice(1, -1), value: isItself(value) ? value : UNPARSED }
}

/** Whether JSON gives `value` back as it is. A longer string may be a part of one that is longer still, and would keep it. */
function isItself(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value) && !Object.is(value, -0)
  return typeof value === 'boolean' || (typeof value === 'string' && value.length < 13)
}

/** What a cookie says, for any number of requests: its data, and its lifetime. */
export class Kept {
  readonly template: Template
  readonly lifetime: Lifetime

  constructor(template: Template, lifetime: Lifetime) {
    this.template = template
    this.lifetime = lifetime
  }

  /** That of `text`, the JSON text of a payload, if it is written as we write it. */
  static of(text: string): Kept | undefined {
    const payload = parsedOrNothing(text)
    if (!isPayload(payload)) return undefined
    const { _expire, _maxAge, _session, _meta } = payload
    const lifetime = { _expire, _maxAge, _session, _meta } as Lifetime
    const members = Object.entries(dataIn(payload)).map(([name, value]) => memberOf(name, value) as Member)
    const template = new Template(members)
    const isOurs = template.text.slice(0, -1) + packedEnd(template.text, lifetime) === text
    return isOurs && template.parsed() ? new Kept(template, lifetime) : undefined
  }
}
