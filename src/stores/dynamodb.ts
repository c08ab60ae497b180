import { checkOption } from './after.ts'
import { type DynamodbClient, isClient } from './dynamodb/client.ts'
import { dynamodbRows } from './dynamodb/rows.ts'
import { setUp } from './dynamodb/set-up.ts'
import { checkPrefix, checkRowOptions } from './options.ts'
import { recordStore } from './record-store.ts'
import type { RecordStore, RowOptions } from './rows.ts'

export type { DynamodbClient, RecordStore }

/** A store in DynamoDB. */
export interface DynamodbStore extends RecordStore {
  /**
   * Makes the table, paid by request, if it is not there, and waits until it is; then turns its time to live on, by the attribute
   * `expires`, if it is off. Changes nothing else. Rejects with `ERR_SESSION_OPTION` where the table has another key, or
   * another attribute as its time to live.
   */
  setup(): Promise<void>
}

/** The options of `dynamodbStore()`. */
export interface DynamodbStoreOptions extends RowOptions {
  /** The table, or its ARN: its partition key is the text `pk`, its sort key the text `sk`. Default `'sessions'`. */
  readonly table?: string | undefined
  /** What each `pk` begins with: letters, digits, `_`, `-` and `:`, at most 100. Default `'sess:'`. */
  readonly prefix?: string | undefined
}

/**
 * Sessions in DynamoDB. `client`: `DynamoDB` of `@aws-sdk/client-dynamodb` (version 3), which the application configures and closes.
 * It is the SDK's client with a method for each command.
 *
 * A session is an item. To read it is one GetItem, consistent, and to change it one UpdateItem with a condition, so that
 * parallel requests that change different keys both win. A command that the SDK repeats, though it was done, is recognised. A session that has
 * a subject takes a command more when it is made, when it ends, and when it is extended about once in its lifetime: the index of its subject is
 * items of the same table, since a global secondary index would be behind it. So `list` and `destroyAll` find all
 * sessions. They take a GetItem for each.
 *
 * A session that expired is not given out. DynamoDB deletes it later, by the time to live of the table. An item has 400 KB; a session
 * that takes more is rejected with `ERR_SESSION_TOO_LARGE`, and what was there before stays.
 *
 * Throws `ERR_SESSION_OPTION` when `client` is no such client or an option not what it has to be.
 */
export function dynamodbStore(client: DynamodbClient, options: DynamodbStoreOptions = {}): DynamodbStore {
  checkRowOptions('dynamodbStore', options, ['table', 'prefix'])
  const { table = 'sessions', prefix = 'sess:', now = Date.now, hashIds } = options
  const expected =
    'a DynamoDB of @aws-sdk/client-dynamodb, and no DynamoDBClient or DynamoDBDocument: new DynamoDB({ region })'
  checkOption('dynamodbStore', 'client', client, isClient(client), expected)
  checkOption('dynamodbStore', 'table', table, typeof table === 'string' && table !== '', 'the name of a table')
  checkPrefix('dynamodbStore', prefix)
  checkOption('dynamodbStore', 'now', now, typeof now === 'function', 'a function that gives milliseconds')
  // The handle of a name that is an id is not a name: it has to be looked for.
  const rows = dynamodbRows(client, table, prefix, now, hashIds === false)
  return { ...recordStore('dynamodbStore', rows, options), setup: () => setUp(client, table) }
}
