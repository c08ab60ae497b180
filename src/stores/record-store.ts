/** What makes a store of a table: the ids' names, the three methods of koa-session 7, the sessions of one subject. */

import { digest, nameIn } from '../codec/digest.ts'
import { SessionError } from '../errors.ts'
import { kindOf } from '../value-kind.ts'
import { after, checkOption } from './after.ts'
import { chainOf, end } from './ending.ts'
import { endInTurns, everything, hashed, LOOKED } from './every.ts'
import { checkListing, checkWhich } from './options.ts'
import { payloadIn, recordOf } from './record.ts'
import type { RecordStore, ResealOptions, Row, RowOptions, Rows } from './rows.ts'
import { sealedRows } from './sealed-rows.ts'
import type { Answer, ListedSession, ListOptions, Retire, Store, StoredRecord, Which, Whose } from './store.ts'
import { checkListener, teller, telling } from './told.ts'

/** How often the sessions of a subject are looked for that are to end. Who signs in all the time can't hold it up. */
const PASSES = 10
const WITHOUT_SEAL = 'was called on a store without secrets: pass them as the option seal, the newest first'

/** A store on `rows`. `maker` is the function that an error names. Throws `ERR_SESSION_OPTION`. */
export function recordStore(maker: string, given: Rows, options: RowOptions): RecordStore {
  const { hashIds = true, seal, now = Date.now } = options
  checkOption(maker, 'hashIds', hashIds, typeof hashIds === 'boolean', 'true or false')
  checkListener(maker, 'onEnded', options.onEnded)
  const tellEnded = teller(options, 'destroyAll')
  const plainRows = hashIds ? hashed(given) : given
  const sealed = seal === undefined ? undefined : sealedRows(maker, plainRows, seal)
  const rows = sealed?.rows ?? plainRows
  const every = everything(rows, hashIds ? undefined : digest)
  // One request asks several times.
  let lastId: string | undefined
  let lastName = ''

  function nameOf(id: string): string {
    if (!hashIds) return id
    if (id !== lastId) {
      lastName = digest(id)
      lastId = id
    }
    return lastName
  }

  /** As rows have it; `undefined`: nobody. */
  function ownerOf(subject: Whose): string | undefined {
    const isHash = typeof subject === 'object' && subject !== null && 'subjectHash' in subject
    const given: unknown = isHash ? subject.subjectHash : subject
    if (given === undefined || given === null) return undefined
    // An object would be a query to MongoDB.
    const name = isHash && typeof given !== 'string' ? undefined : nameIn(given)
    if (name !== undefined) return isHash ? name : digest(name)
    const [what, expected] = isHash
      ? ['a subjectHash', 'the text that a record or an event has, or undefined for nobody']
      : ['a subject', 'a string, a whole number up to 2^53 - 1, a bigint, or undefined for nobody']
    throw new SessionError('ERR_SESSION_OPTION', `${maker}: ${what} was ${kindOf(given)}, expected ${expected}`)
  }

  const handleOf = hashIds ? (name: string) => name : digest

  /** A tombstone as of when the id was retired by the clock here, which a payload is compared with. */
  function retiredHere(record: StoredRecord): StoredRecord {
    return record.retiredFor === undefined ? record : { ...record, retiredAt: now() - record.retiredFor }
  }

  /** A tombstone with the handle of its successor, which may be an id. */
  function withHandle(record: StoredRecord | undefined): StoredRecord | undefined {
    return record?.successor === undefined ? record : { ...record, successor: handleOf(record.successor) }
  }

  const plain: Pick<Store, 'get' | 'set' | 'destroy'> = {
    get: id => after(rows.read(nameOf(id)), record => payloadIn(record && retiredHere(record))),
    set: (id, payload, ttl) => rows.replace(nameOf(id), recordOf(payload), ttl),
    // The tombstones go last: who repeats this after a failure finds the way again.
    destroy: id => after(end(rows, [nameOf(id)]), ({ retired }) => forgotten(rows, retired)),
  }

  /** The name of a tombstone of `subject` that has this handle. */
  function findRetired(subject: string, handle: string): Answer<string | undefined> {
    const named = hashIds ? handle : after(rows.names(subject), names => names.find(name => handleOf(name) === handle))
    return after(named, name => {
      if (name === undefined) return undefined
      return after(rows.read(name), record =>
        record?.retiredAt !== undefined && record.subject === subject ? name : undefined,
      )
    })
  }

  function endOne(rows: Rows, subject: string, handle: string, spared: ReadonlySet<string>): Answer<number> {
    return after(rows.list(subject), found => {
      const listed = found.find(({ name }) => handleOf(name) === handle)
      return after(listed ? listed.name : findRetired(subject, handle), name => {
        if (name === undefined || spared.has(name)) return 0
        return after(end(rows, [name], spared), ({ count }) => count)
      })
    })
  }

  return {
    ...plain,
    answersAtOnce: false,
    plain,
    read: id => (hashIds ? rows.read(nameOf(id)) : after(rows.read(nameOf(id)), withHandle)),
    create: (id, record, ttl) => rows.create(nameOf(id), record, ttl),
    patch: (id, patch, ttl) => rows.patch(nameOf(id), patch, ttl),
    touch: (id, lifetime, ttl) => rows.touch(nameOf(id), lifetime, ttl),
    retire(id, { version, successor }: Retire, ttl) {
      const name = nameOf(id)
      return rows.retire(name, { version, successor: successor === undefined ? undefined : nameOf(successor) }, ttl)
    },

    list(subject, options: ListOptions = {}) {
      checkListing('list', options)
      const whose = ownerOf(subject)
      // Which of one instant are among them is for the handles to say, which these rows do not have.
      const limit = hashIds ? options.limit : undefined
      return after(whose === undefined ? [] : rows.list(whose, limit), found =>
        found
          .map(row => listed(row, handleOf))
          .sort(newestFirst)
          .slice(0, options.limit),
      )
    },

    destroyAll(subject, which: Which = {}) {
      checkWhich(which)
      const { except, only } = which
      const whose = ownerOf(subject)
      if (whose === undefined) return 0
      const spared = except === undefined ? undefined : nameOf(except)
      const told = options.onEnded ? telling(rows, name => tellEnded(name, whose)) : rows
      if (only === undefined) return endAll(told, whose, spared, PASSES)
      return after(sparedFrom(rows, spared), names => endOne(told, whose, only, names))
    },

    all(options = {}) {
      const found = every.all(options)
      return (async function* () {
        for await (const { row, cursor } of found) {
          yield { ...listed(row, handleOf), subjectHash: row.record.subject, cursor }
        }
      })()
    },

    count: every.count,
    clear: () => every.clear(options.onEnded && teller(options, 'clear')),

    async reseal(options: ResealOptions = {}) {
      const { batch = 100, ...others } = options
      const [unknown] = Object.keys(others)
      checkOption(maker, 'reseal', unknown, unknown === undefined, 'an object with batch alone')
      checkOption(maker, 'batch', batch, Number.isSafeInteger(batch) && batch > 0, 'a positive integer')
      if (!sealed) throw new SessionError('ERR_SESSION_OPTION', `${maker}: reseal() ${WITHOUT_SEAL}`)
      return sealed.reseal(batch)
    },
  }
}

/** What is created meanwhile, as a successor or by somebody who signs in, takes another pass. */
function endAll(rows: Rows, subject: string, except: string | undefined, passes: number): Answer<number> {
  return after(namesOf(rows, subject), found =>
    // Looked up after the list was made: what has taken the place of the spared one by then may be in it.
    after(sparedFrom(rows, except), spared => {
      const names = found.filter(name => !spared.has(name))
      if (names.length === 0) return 0
      return after(endInTurns(rows, names, spared), count => {
        // As many as were looked for, and each has ended: there are more.
        const left = rows.some && found.length >= LOOKED && count > 0 ? passes : passes - 1
        return left === 0 ? count : after(endAll(rows, subject, except, left), more => count + more)
      })
    }),
  )
}

function namesOf(rows: Rows, subject: string): Answer<readonly string[]> {
  return rows.some ? rows.some(subject, LOOKED) : after(rows.list(subject), found => found.map(({ name }) => name))
}

/** Where they are as old, by the handle: who ends the oldest ones has to end the same ones everywhere. */
function newestFirst(one: ListedSession, other: ListedSession): number {
  return other.createdAt - one.createdAt || (other.handle < one.handle ? -1 : 1)
}

function sparedFrom(rows: Rows, name: string | undefined): Answer<ReadonlySet<string>> {
  return name === undefined ? new Set<string>() : chainOf(rows, name)
}

function forgotten(rows: Rows, names: readonly string[]): Answer<undefined> {
  return names.length === 0 ? undefined : after(rows.forget(names), () => undefined)
}

function listed(
  { name, record, createdAt, seenAt, expiresAt }: Row,
  handleOf: (name: string) => string,
): ListedSession {
  const data = payloadIn({ members: record.members, lifetime: {} }) ?? {}
  return { handle: handleOf(name), createdAt, seenAt, expiresAt, data }
}
