/** A collection as the store asks it, and what it may answer. */

import { SessionError } from '../../errors.ts'
import { kindOf } from '../../value-kind.ts'
import { checkAnswer } from '../after.ts'
import { retried } from '../sql/retried.ts'

/**
 * What is used of a collection: of the driver `mongodb` (5, 6, 7) by `db.collection(name)`, of mongoose by
 * `connection.collection(name)`, whose cursors are promises until it is connected.
 */
export interface MongoCollection {
  findOne(filter: object, options: object): PromiseLike<unknown>
  find(filter: object, options: object): MongoCursor | PromiseLike<MongoCursor>
  aggregate(pipeline: object[], options: object): MongoCursor | PromiseLike<MongoCursor>
  insertOne(inserted: object, options: object): PromiseLike<unknown>
  updateOne(filter: object, change: object, options: object): PromiseLike<unknown>
  replaceOne(filter: object, replacement: object, options: object): PromiseLike<unknown>
  findOneAndUpdate(filter: object, change: object, options: object): PromiseLike<unknown>
  deleteOne(filter: object, options: object): PromiseLike<unknown>
  deleteMany(filter: object, options: object): PromiseLike<unknown>
  listIndexes(options: object): MongoCursor | PromiseLike<MongoCursor>
  createIndex(keys: Record<string, 1>, options: object): PromiseLike<unknown>
}

/** What `find` and others of a collection answer. */
export interface MongoCursor {
  toArray(): PromiseLike<unknown[]>
}

/** As the driver takes it, without `w: 0`: the store needs to know what became of a write. */
export interface MongoWriteConcern {
  /** Default `'majority'`. */
  readonly w?: number | string | undefined
  /** Whether the write has to be in the journal on disk. */
  readonly journal?: boolean | undefined
  /** How long the server waits for the other members, in milliseconds. */
  readonly wtimeoutMS?: number | undefined
}

/** What is found, of which nothing is known. */
export type Found = Readonly<Record<string, unknown>>

export const MAKER = 'mongoStore'
const METHODS = [
  ...['findOne', 'find', 'aggregate', 'insertOne', 'updateOne', 'replaceOne', 'findOneAndUpdate', 'deleteOne'],
  ...['deleteMany', 'listIndexes', 'createIndex'],
] as const satisfies ReadonlyArray<keyof MongoCollection>

/** However the client, the database or the collection is set: values of JavaScript. What is no UTF-8 is no error. */
export const BSON = {
  raw: false,
  promoteValues: true,
  promoteLongs: true,
  useBigInt64: false,
  enableUtf8Validation: false,
}
const READ = { ...BSON, readPreference: 'primary' }

const DUPLICATE = 11_000
const NO_OBJECT = 28
const WRITE_CONFLICT = 112
/** A document that is, or would become, larger than a document can be. */
const TOO_LARGE: readonly unknown[] = [10_334, 17_280, 17_419, 17_420]

export function isCollection(collection: unknown): collection is MongoCollection {
  const methods: Partial<Record<string, unknown>> = Object(collection)
  return METHODS.every(name => typeof methods[name] === 'function')
}

/** What a store asks. Each rejects as the driver does, or with a `SessionError`. */
export type Asked = ReturnType<typeof asking>

export function asking(collection: MongoCollection, writeConcern: MongoWriteConcern) {
  const write = { ...BSON, writeConcern }

  async function all(cursor: MongoCursor | PromiseLike<MongoCursor>): Promise<Found[]> {
    const found: unknown = await (await cursor).toArray()
    if (!Array.isArray(found)) throw answerError(`${kindOf(found)} in place of a list`)
    return found.map(foundIn)
  }

  return {
    findOne: (filter: Readonly<Record<string, unknown>>) =>
      tried(async () => {
        const answer = await collection.findOne(filter, READ)
        if (answer === null || answer === undefined) return undefined
        const found = foundIn(answer)
        checkAnswer(found._id === filter._id)
        return found
      }),

    find: (filter: object, options: object = {}) => tried(() => all(collection.find(filter, { ...READ, ...options }))),

    /** The time (ms) of the server, or nothing where `filter` finds nothing. */
    async time(filter: object): Promise<number | undefined> {
      const pipeline = [{ $match: filter }, { $limit: 1 }, { $project: { _id: 0, at: '$$NOW' } }]
      const [found] = await tried(() => all(collection.aggregate(pipeline, READ)))
      return found?.at instanceof Date ? found.at.getTime() : undefined
    },

    async count(filter: object): Promise<number> {
      const pipeline = [{ $match: filter }, { $group: { _id: null, count: { $sum: 1 } } }]
      const [found] = await tried(() => all(collection.aggregate(pipeline, READ)))
      return Number(found?.count ?? 0)
    },

    /** Whether nothing was there under its `_id`. */
    insert: (inserted: object) =>
      tried(async () => {
        await collection.insertOne(inserted, write)
        return true
      }).catch(unless(DUPLICATE)),

    /** Whether `filter` found something. What is no object, where one is to be changed, is not found. */
    update: (filter: object, change: object) =>
      tried(async () => countIn(await collection.updateOne(filter, change, write), 'matchedCount') > 0).catch(
        unless(NO_OBJECT),
      ),

    /** What became of what `filter` found. */
    change: (filter: object, change: object, projection: object) =>
      tried(async () => {
        const options = { ...write, projection, returnDocument: 'after', includeResultMetadata: false }
        const answer = await collection.findOneAndUpdate(filter, change, options)
        // Driver 5 before 5.7 puts it into an object.
        const found = 'value' in Object(answer) ? Object(answer).value : answer
        return found === null || found === undefined ? undefined : foundIn(found)
      }).catch(unless(NO_OBJECT)),

    /** Whether `filter` found something. Where it did not, and `upsert` is set: whether nothing else was there. */
    replace: (filter: object, replacement: object, upsert = false) =>
      tried(async () => {
        const answer = await collection.replaceOne(filter, replacement, { ...write, upsert })
        return countIn(answer, 'matchedCount') > 0 || upsert
      }).catch(unless(DUPLICATE)),

    deleteOne: (filter: object) =>
      tried(async () => countIn(await collection.deleteOne(filter, write), 'deletedCount')),

    deleteMany: (filter: object) =>
      tried(async () => countIn(await collection.deleteMany(filter, write), 'deletedCount')),
  }
}

/** A write conflict says that nothing was written. */
async function tried<T>(attempt: () => Promise<T>): Promise<T> {
  try {
    return await retried(attempt, error => codeOf(error) === WRITE_CONFLICT)
  } catch (error) {
    throw told(error)
  }
}

/** Answers `false` in place of an error with this code. */
function unless(code: number): (error: unknown) => false {
  return error => {
    if (codeOf(error) === code) return false
    throw error
  }
}

export function codeOf(error: unknown): unknown {
  return Object(error).code
}

function told(error: unknown): unknown {
  if (TOO_LARGE.includes(codeOf(error))) return tooLarge(error)
  if (!String(Object(error).name).startsWith('BSON')) return error
  const what = `${MAKER}: the driver could not write or read BSON`
  return new SessionError('ERR_SESSION_STORE', `${what}: give the store a collection of the official driver`, {
    cause: error,
  })
}

/** `cause`: where the server says so. */
export function tooLarge(cause?: unknown): SessionError {
  const what = `${MAKER}: a session would take more than the 16 MB that MongoDB keeps in one place`
  const advice = 'what was saved before is still there; keep large data elsewhere, and its name in the session'
  return new SessionError('ERR_SESSION_TOO_LARGE', `${what}: ${advice}`, { cause })
}

function foundIn(answer: unknown): Found {
  const isObject = typeof answer === 'object' && answer !== null && !Array.isArray(answer)
  if (isObject && !ArrayBuffer.isView(answer)) return answer as Found
  throw answerError(ArrayBuffer.isView(answer) ? 'bytes, as with raw: true' : kindOf(answer))
}

function countIn(answer: unknown, name: string): number {
  const count = Object(answer)[name]
  if (typeof count === 'number') return count
  throw answerError(`${kindOf(answer)} without a number ${name}`)
}

function answerError(what: string): SessionError {
  const advice = 'give it what db.collection(name) of the official driver gives'
  return new SessionError('ERR_SESSION_OPTION', `${MAKER}: the collection answered ${what}: ${advice}`)
}
