import { SessionError } from '../../errors.ts'
import { checkAnswer } from '../after.ts'
import type { Row, Rows } from '../rows.ts'
import { decodeName, encodeName } from '../sql/names.ts'
import type { Patched } from '../store.ts'
import { token as newToken } from '../token.ts'
import { type Asked, type Found, MAKER } from './collection.ts'
import {
  changeFor,
  extended,
  fieldsFor,
  insertedFor,
  isDoneBy,
  isRetired,
  recordIn,
  replacementFor,
  rowIn,
  type Times,
  tombstoneFor,
  tombstoneIn,
} from './fields.ts'

/** The last instant that is a date (ECMA-262, 21.4.1.1). */
const LATEST = 8.64e15
/** How often a list is made anew, and how often a session is written that others create and end meanwhile. */
const PASSES = 20

export interface MongoRows extends Rows {
  sweep(): Promise<number>
}

/**
 * Sessions as documents. Every change is one update of one document, with what it checks in its filter. A session that has
 * expired is there until the TTL index has deleted it, so that each filter has the instant.
 *
 * Instants that are stored are by `clock`; when an id was retired, where there is none, by that of the server, which all
 * processes share.
 */
export function mongoRows(asked: Asked, clock: (() => number) | undefined): MongoRows {
  function times(ttl = 0): Times {
    const now = Math.floor((clock ?? Date.now)())
    return { now, expires: new Date(ttl > 0 ? Math.min(Math.ceil(now + ttl), LATEST) : now) }
  }

  const after = ({ now }: Times) => ({ e: { $gt: new Date(now) } })
  const under = (name: string, at = times()) => ({ _id: encodeName(name), ...after(at) })
  const live = (name: string, at = times()) => ({ ...under(name, at), r: null })
  const isThere = ({ e }: Found) => Number(e) > times().now

  /** What became of a patch that has found nothing: it was done before, another was faster, or nothing is there. */
  async function whyNot(name: string, token: string): Promise<Found | 'gone' | 'conflict'> {
    const found = await asked.findOne(live(name))
    if (!found || !recordIn(found)) return 'gone'
    return isDoneBy(found, token) ? found : 'conflict'
  }

  /** Drops it, unless another has written to it since it was saved as this version. */
  async function dropEmpty(name: string, { v, m }: Found): Promise<Patched> {
    if (Object.keys(Object(m)).length > 0) return 'saved'
    const count = await asked.deleteOne({ ...live(name), v, m: {} })
    // The command may have been sent twice.
    return count > 0 || !(await asked.findOne(live(name))) ? 'emptied' : 'saved'
  }

  /**
   * Those of a subject that are live. A session that gets another name while a cursor goes through them may be in front of
   * it, and then behind it. But its former name stays in the index, so that where a name was retired meanwhile they are
   * looked for again. By the subject alone, so that no index is used in which a session changes its place.
   */
  async function list(subject: string): Promise<Row[]> {
    const known = new Set<unknown>()
    for (let pass = 0; pass < PASSES; pass++) {
      const answer = await asked.find({ s: subject })
      checkAnswer(answer.every(({ s }) => s === subject))
      const found = answer.filter(isThere)
      const retired = found.filter(isRetired).map(({ _id }) => _id)
      if (retired.every(id => known.has(id))) return found.filter(one => !isRetired(one)).map(rowIn)
      for (const id of retired) known.add(id)
    }
    const what = 'the sessions of a subject got new ids faster than they could be listed'
    throw new SessionError('ERR_SESSION_STORE', `${MAKER}: ${what}: try again`)
  }

  return {
    async read(name) {
      const found = await asked.findOne(under(name))
      const record = found && recordIn(found)
      if (record?.retiredAt === undefined) return record
      const at = clock ? clock() : await asked.time({ _id: encodeName(name) })
      return at === undefined ? undefined : { ...record, retiredFor: at - record.retiredAt }
    },

    async create(name, record, ttl) {
      const token = newToken()
      const at = times(ttl)
      const inserted = insertedFor(name, record, at, token)
      if (await asked.insert(inserted)) return true
      const _id = encodeName(name)
      if (await asked.replace({ _id, e: { $lte: new Date(at.now) } }, inserted)) return true
      return (await asked.findOne({ _id, u: token })) !== undefined
    },

    async replace(name, record, ttl) {
      for (let pass = 0; pass < PASSES; pass++) {
        const at = times(ttl)
        if (await asked.update(live(name, at), replacementFor(record, at))) return
        const expired = { _id: encodeName(name), e: { $lte: new Date(at.now) } }
        if (await asked.replace(expired, insertedFor(name, record, at, newToken()), true)) return
        const found = await asked.findOne(under(name, at))
        if (found && isRetired(found)) return
      }
      throw new SessionError(
        'ERR_SESSION_STORE',
        `${MAKER}: others created and ended a session all the time: try again`,
      )
    },

    async patch(name, patch, ttl) {
      const { set, unset, keepsEmpty, version } = patch
      const at = times(ttl)
      const token = version === undefined ? undefined : newToken()
      const filter = version === undefined ? live(name, at) : { ...live(name, at), v: version }
      const change = changeFor(patch, at, token)
      const mayEmpty = unset.length > 0 && !keepsEmpty && Object.keys(set).length === 0
      // Who asks for the document makes the server of a replica set keep a copy of it.
      const changed = mayEmpty
        ? await asked.change(filter, change, { v: 1, m: 1 })
        : (await asked.update(filter, change)) && {}
      const done = changed || (token === undefined ? 'gone' : await whyNot(name, token))
      if (typeof done === 'string') return done
      return mayEmpty ? dropEmpty(name, done) : 'saved'
    },

    touch(name, lifetime, ttl) {
      const at = times(ttl)
      return asked.update(live(name, at), { $set: extended(lifetime, at) })
    },

    async retire(name, { version, successor }, ttl) {
      const token = newToken()
      const at = times(ttl)
      const filter = version === undefined ? live(name, at) : { ...live(name, at), v: version }
      const retiredAt = clock && new Date(at.now)
      if (await asked.update(filter, tombstoneFor(successor, at, retiredAt, token))) return 'saved'
      const found = await asked.findOne(under(name))
      if (!found) return 'gone'
      if (!isRetired(found)) return version === undefined ? 'gone' : 'conflict'
      const isSame = successor !== undefined && tombstoneIn(found).successor === successor
      return isSame || isDoneBy(found, token) ? 'saved' : 'gone'
    },

    async remove(names) {
      const [one = '', ...more] = names.map(encodeName)
      const ids = { $in: [one, ...more] }
      // What has expired is left to MongoDB, as it does not count.
      const there = after(times())
      const count = await (more.length === 0
        ? asked.deleteOne({ _id: one, ...there, r: null })
        : asked.deleteMany({ _id: ids, ...there, r: null }))
      if (count === names.length) return { count, tombstones: [] }
      const found = await asked.find({ _id: ids, ...there, r: { $ne: null } })
      checkAnswer(found.every(({ _id }) => ids.$in.includes(String(_id))))
      return { count, tombstones: found.map(tombstoneIn) }
    },

    forget: names => asked.deleteMany({ _id: { $in: names.map(encodeName) }, r: { $ne: null } }),

    list,

    async names(subject) {
      const found = await asked.find({ s: subject }, { projection: { e: 1, s: 1 } })
      checkAnswer(found.every(({ s }) => s === subject))
      return found.filter(isThere).map(({ _id }) => decodeName(String(_id)))
    },

    async sweep() {
      const at = clock ? clock() : await asked.time({})
      return at === undefined ? 0 : asked.deleteMany({ e: { $lte: new Date(at) } })
    },

    async *pages(batch, from = '') {
      for (let last = from === '' ? '' : encodeName(from); ; ) {
        const found = await asked.find({ _id: { $gt: last }, ...after(times()) }, { sort: { _id: 1 }, limit: batch })
        yield found.filter(recordIn).map(rowIn)
        if (found.length < batch) return
        last = String(found.at(-1)?._id)
      }
    },

    count: () => asked.count({ ...after(times()), r: null, m: { $type: 'object' } }),

    rewriting: {
      async find(name) {
        const found = await asked.findOne(under(name))
        return found && recordIn(found) ? rowIn(found) : undefined
      },

      rewrite({ name, record, createdAt }, { members, subject }) {
        const isLive = record.retiredAt === undefined
        const filter = { _id: encodeName(name), c: createdAt, ...(isLive && { v: record.version, r: null }) }
        return asked.update(filter, {
          $set: { ...fieldsFor(members, 'm.'), ...(subject !== undefined && { s: subject }) },
        })
      },
    },
  }
}
