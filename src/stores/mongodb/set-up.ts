/** The indexes of a collection: what is there, and what it lacks. */

import { isDeepStrictEqual } from 'node:util'
import { SessionError } from '../../errors.ts'
import { BSON, codeOf, type Found, MAKER, type MongoCollection } from './collection.ts'

/** One deletes what has expired, the other finds the sessions of a subject. */
const INDEXES = [
  { key: { e: 1 }, options: { name: 'e_1', expireAfterSeconds: 0 } },
  { key: { s: 1 }, options: { name: 's_1', partialFilterExpression: { s: { $exists: true } } } },
] as const

/** What an index is told by, that does not change what it does. */
const LABELS: ReadonlySet<string> = new Set(['v', 'ns', 'name', 'key', 'background'])

const NO_COLLECTION = 26
const NO_RIGHT = 13
/** There is another index of that name, or of those fields. */
const OTHERS: readonly unknown[] = [85, 86]

/** Makes the indexes that are missing. Where none is it only looks, for which the right `listIndexes` is enough. */
export async function setUp(collection: MongoCollection): Promise<void> {
  const known = await indexesOf(collection)
  for (const { key, options } of INDEXES) {
    const found = known.find(index => isDeepStrictEqual({ ...Object(index.key) }, key) || index.name === options.name)
    if (found && !isSame(found, key, options)) throw differs(found.name)
    if (found) continue
    await permitted('createIndex', () => collection.createIndex(key, { ...options })).catch(error => {
      throw OTHERS.includes(codeOf(error)) ? differs(options.name) : error
    })
  }
}

async function permitted<T>(right: string, act: () => PromiseLike<T>): Promise<T> {
  try {
    return await act()
  } catch (error) {
    if (codeOf(error) !== NO_RIGHT) throw error
    const advice = 'grant it for this collection, or call setup() once as a user who has it'
    const what = `${MAKER}: setup() needs the right ${right}, which this user does not have`
    throw new SessionError('ERR_SESSION_STORE', `${what}: ${advice}`, { cause: error })
  }
}

/** None where there is no collection. */
async function indexesOf(collection: MongoCollection): Promise<readonly Found[]> {
  try {
    return await permitted('listIndexes', async () => (await (await collection.listIndexes(BSON)).toArray()) as Found[])
  } catch (error) {
    if (codeOf(error) === NO_COLLECTION) return []
    throw error
  }
}

function isSame(found: Found, key: object, options: object): boolean {
  return isDeepStrictEqual(settingsOf(found, found.key), settingsOf(options, key))
}

function settingsOf(index: object, key: unknown): unknown {
  const settings = Object.entries(index).filter(([name]) => !LABELS.has(name))
  // Without what a driver makes of numbers, and of objects.
  return JSON.parse(JSON.stringify({ key, ...Object.fromEntries(settings.sort()) }))
}

function differs(name: unknown): SessionError {
  const what = `${MAKER}: the collection has an index ${String(name)} that differs from the one that the store makes`
  const advice = 'give the store a collection of its own, or drop that index and call setup() again'
  return new SessionError('ERR_SESSION_OPTION', `${what}: ${advice}`)
}
