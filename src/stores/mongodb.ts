import { checkOption } from './after.ts'
import { checkClient, OTHERS_OF_MONGODB } from './clients.ts'
import {
  asking,
  isCollection,
  MAKER,
  type MongoCollection,
  type MongoCursor,
  type MongoWriteConcern,
} from './mongodb/collection.ts'
import { mongoRows } from './mongodb/rows.ts'
import { setUp } from './mongodb/set-up.ts'
import { checkNames, checkRowOptions } from './options.ts'
import { recordStore } from './record-store.ts'
import type { RecordStore, RowOptions } from './rows.ts'

export type { MongoCollection, MongoCursor, MongoWriteConcern, RecordStore }

/** A store in a collection. */
export interface MongoStore extends RecordStore {
  /**
   * Makes the indexes, or what is missing of them: one by which MongoDB deletes what has expired, one of subjects. Processes
   * that start together may all do so. If nothing is missing, it only looks: the right `listIndexes` is enough. Rejects
   * with `ERR_SESSION_OPTION` if there is an index that differs, which it leaves as it is, and with `ERR_SESSION_STORE` if
   * the user has not the right to `createIndex` or to `listIndexes`.
   */
  setup(): Promise<void>
  /**
   * Deletes what has expired by the option `now`, or by the clock of the server where that was not given. Says how many there
   * were. MongoDB does the same about once a minute by the index that `setup` makes.
   */
  sweep(): Promise<number>
}

/** The options of `mongoStore()`. */
export interface MongoStoreOptions extends RowOptions {
  /**
   * What every write is sent with, whatever the client's own: `w` (default `'majority'`), `journal`, `wtimeoutMS`. A write
   * that has not reached a majority can be undone when another server becomes the primary: then a session that was
   * ended is back. `w: 0` is refused.
   */
  readonly writeConcern?: MongoWriteConcern | undefined
}

/**
 * Sessions in MongoDB (4.2 and later), each in one document. `collection`: `db.collection(name)` of the driver `mongodb` (5,
 * 6, 7) or `connection.collection(name)` of mongoose. The application connects, configures and closes the client.
 * `await store.setup()` makes the indexes.
 *
 * A read, a change, a new session and a sign-out take one command each. Every read goes to the primary, and every write
 * waits for a majority, whatever the client's settings. The order of a session's top-level keys is not kept.
 *
 * A session that would take more than 16 MB is `ERR_SESSION_TOO_LARGE`, and what was saved before stays.
 *
 * Throws `ERR_SESSION_OPTION` when `collection` is none or an option not what it has to be.
 */
export function mongoStore(collection: MongoCollection, options: MongoStoreOptions = {}): MongoStore {
  checkRowOptions(MAKER, options, ['writeConcern'])
  const { writeConcern = {}, now } = options
  const expected = 'a collection of mongodb or of mongoose'
  checkClient(MAKER, 'collection', collection, isCollection(collection), expected, OTHERS_OF_MONGODB)
  checkOption(MAKER, 'now', now, now === undefined || typeof now === 'function', 'a function that gives milliseconds')
  checkConcern(writeConcern)
  const rows = mongoRows(asking(collection, { ...writeConcern, w: writeConcern.w ?? 'majority' }), now)
  return { ...recordStore(MAKER, rows, options), sweep: rows.sweep, setup: () => setUp(collection) }
}

function checkConcern(writeConcern: MongoWriteConcern): void {
  checkNames(`${MAKER}: writeConcern`, writeConcern, ['w', 'journal', 'wtimeoutMS'])
  const { w = 'majority' } = writeConcern
  const isGood = typeof w === 'string' ? w !== '' : Number.isSafeInteger(w) && w > 0
  checkOption(MAKER, 'writeConcern.w', w, isGood, "'majority', a positive integer or the name of a write concern")
}
