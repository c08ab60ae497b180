/**
 * The index of subjects: an item for each session in the same table, under the subject. A global secondary index would be
 * behind the table, so that a sign-out everywhere missed who has just signed in.
 *
 * An entry is written before its session, and lives for twice as long. Each session knows the token of its own entry, so
 * that who ends one drops no entry that was made again. What a crash leaves is one too many, which expires.
 */

import { decodeName, encodeName } from '../sql/names.ts'
import { token } from '../token.ts'
import { type DynamodbClient, type Found, type Item, unlessRefused } from './client.ts'
import { Expression } from './expression.ts'
import { number, numberIn, text, textIn } from './item.ts'

/** A name in the index of a subject. */
export interface Entry {
  readonly subject: string
  readonly name: string
  readonly token: string
  /** Until when it is there (ms). */
  readonly until: number
}

export interface Subjects {
  /** Has `name` in the index of `subject` until `expires` (ms), and as long again. */
  add(subject: string, name: string, expires: number, now: number): Promise<Entry>
  /** Drops an entry, unless it was made again. */
  drop(entry: Entry | undefined): Promise<void>
  list(subject: string): Promise<Entry[]>
}

export function createSubjects(client: DynamodbClient, table: string, prefix: string): Subjects {
  // The name of a session may be an id that looks like it: its `sk` is another one.
  const keyOf = (subject: string, name: string): Item => ({
    pk: text(`${prefix}@${subject}`),
    sk: text(`.${encodeName(name)}`),
  })

  return {
    async add(subject, name, expires, now) {
      const until = Math.min(expires + (expires - now), Number.MAX_SAFE_INTEGER)
      const entry = { subject, name, token: token(), until }
      const item = { ...keyOf(subject, name), t: text(entry.token), expires: number(Math.ceil(until / 1000)) }
      await client.putItem({ TableName: table, Item: item })
      return entry
    },

    async drop(entry) {
      if (!entry) return
      const { condition } = new Expression().where('t = ?', text(entry.token))
      const Key = keyOf(entry.subject, entry.name)
      await unlessRefused(client.deleteItem({ TableName: table, Key, ReturnValues: 'NONE', ...condition }))
    },

    async list(subject) {
      const entries: Entry[] = []
      let last: Found | undefined
      do {
        const { Items = [], LastEvaluatedKey } = await client.query({
          TableName: table,
          ConsistentRead: true,
          KeyConditionExpression: 'pk = :pk AND begins_with(sk, :entry)',
          ExpressionAttributeValues: { ':pk': text(`${prefix}@${subject}`), ':entry': text('.') },
          ...(last && { ExclusiveStartKey: last as Item }),
        })
        for (const item of Items) {
          const name = decodeName((textIn(item, 'sk') ?? '').slice(1))
          entries.push({ subject, name, token: textIn(item, 't') ?? '', until: numberIn(item, 'expires') * 1000 })
        }
        last = LastEvaluatedKey
      } while (last)
      return entries
    },
  }
}

/** The entry that a session knows of. */
export function entryIn(name: string, found: Found | undefined): Entry | undefined {
  const subject = textIn(found, 's')
  if (subject === undefined) return undefined
  return { subject, name, token: textIn(found, 'i') ?? '', until: numberIn(found, 'x') }
}
