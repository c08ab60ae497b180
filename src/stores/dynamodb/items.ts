/** What is done with one item. */

import { SessionError } from '../../errors.ts'
import { checkAnswer } from '../after.ts'
import { lifetimeText } from '../redis/lifetime.ts'
import { encodeName, NAME_LENGTH } from '../sql/names.ts'
import type { Patch, StoredLifetime, StoredRecord } from '../store.ts'
import { token } from '../token.ts'
import { type DynamodbClient, type Found, type Item, unlessRefused } from './client.ts'
import { Expression } from './expression.ts'
import { isRetired, membersFor, number, numberIn, text, textIn } from './item.ts'
import { type Entry, entryIn, type Subjects } from './subjects.ts'

/** How often a session is written to that others change all the time. */
export const TRIES = 100

export const LIVE = 'e > ? AND attribute_not_exists(r)'
const FREE = 'attribute_not_exists(pk) OR e <= ?'

/** What a session was that has been changed, if that was wanted; or what is there in the place of what it had to be. */
export type Changed = { readonly former: Found } | { readonly former?: undefined; readonly found: Found | undefined }

export type Items = ReturnType<typeof createItems>

export function createItems(
  client: DynamodbClient,
  table: string,
  prefix: string,
  now: () => number,
  subjects: Subjects,
) {
  const at = (name: string) => ({
    TableName: table,
    Key: { pk: text(prefix + encodeName(name)), sk: text('s') } as Item,
  })

  /** The instant, and that at which `ttl` is over (ms). */
  function times(ttl = 0): { at: number; expires: number } {
    const at = Math.floor(now())
    return { at, expires: ttl > 0 ? Math.min(Math.ceil(at + ttl), Number.MAX_SAFE_INTEGER) : at }
  }

  /** What is there, a tombstone too, and has not expired. */
  async function find(name: string): Promise<Found | undefined> {
    if (isTooLong(name)) return undefined
    const asked = at(name)
    const { Item } = await client.getItem({ ...asked, ConsistentRead: true })
    checkAnswer(!Item || textIn(Item, 'pk') === textIn(asked.Key, 'pk'))
    return Item && numberIn(Item, 'e') > times().at ? Item : undefined
  }

  async function findLive(name: string): Promise<Found | undefined> {
    const found = await find(name)
    return found && !isRetired(found) ? found : undefined
  }

  /** Nothing where a condition does not hold. */
  function update(name: string, expression: Expression, returns: 'ALL_OLD' | 'NONE' = 'ALL_OLD') {
    return unlessRefused(client.updateItem({ ...at(name), ...expression.update, ReturnValues: returns }))
  }

  /** Deletes an item and its entry in the index. Nothing where a condition does not hold. */
  async function remove(name: string, { condition }: Expression) {
    const answer = await unlessRefused(client.deleteItem({ ...at(name), ...condition, ReturnValues: 'ALL_OLD' }))
    await subjects.drop(entryIn(name, answer?.Attributes))
    return answer
  }

  /** Makes a session, if nothing is there. Says whether it did. */
  async function put(name: string, record: StoredRecord, ttl: number): Promise<boolean> {
    if (isTooLong(name)) {
      const what = `an id takes more than the ${NAME_LENGTH} characters of a key; use shorter ids, or hashIds`
      throw new SessionError('ERR_SESSION_ID', `dynamodbStore: ${what}`)
    }
    const own = token()
    const { at: created, expires } = times(ttl)
    const { subject } = record
    const entry = subject === undefined ? undefined : await subjects.add(subject, name, expires, created)
    const Item = {
      ...at(name).Key,
      ...{ m: membersFor(record.members), v: number(0), t: { M: {} }, k: text(own), c: number(created) },
      ...lived(record.lifetime, created, expires),
      ...ownedBy(entry),
    }
    const { condition } = new Expression().where(FREE, number(created))
    if (await unlessRefused(client.putItem({ TableName: table, Item, ...condition }))) return true
    return textIn(await find(name), 'k') === own
  }

  /**
   * Changes a session that is live and has the version, if any, and gives what it was, or what is there in its place. Its
   * entry in the index is made to last as long as the session.
   */
  async function change(
    name: string,
    lifetime: StoredLifetime,
    ttl: number,
    made: (expression: Expression) => Expression,
    { version, subject: whose }: Pick<Patch, 'version' | 'subject'> = {},
    isWanted = false,
  ): Promise<Changed> {
    const { at, expires } = times(ttl)
    let entry = typeof whose === 'string' ? await subjects.add(whose, name, expires, at) : undefined
    for (let tries = 0; tries < TRIES; tries++) {
      const expression = made(new Expression())
        .set({ ...lived(lifetime, at, expires), ...ownedBy(entry) })
        .where(LIVE, number(at))
      if (version !== undefined) expression.where('v = ?', number(version))
      if (whose === null) expression.remove('s', 'i', 'x')
      if (whose === undefined && entry) expression.where('s = ?', text(entry.subject))
      if (whose === undefined && !entry) expression.where('attribute_not_exists(s) OR x >= ?', number(expires))
      const answer = await update(name, expression, isWanted || whose !== undefined ? 'ALL_OLD' : 'NONE')
      if (answer) {
        const { Attributes: former = {} } = answer
        const known = entryIn(name, former)
        if (whose !== undefined && known?.subject !== whose) await subjects.drop(known)
        return { former }
      }
      const found = await findLive(name)
      if (!found || (version !== undefined && numberIn(found, 'v') !== version)) return { found }
      // Whose it is may change until the index has it.
      const known = whose === undefined ? entryIn(name, found) : undefined
      entry = known && known.until < expires ? await subjects.add(known.subject, name, expires, at) : entry
      if (whose === undefined && !known) entry = undefined
    }
    throw busy()
  }

  return { times, find, findLive, update, remove, put, change }
}

export const seconds = (ms: number) => number(Math.ceil(ms / 1000))

function lived(lifetime: StoredLifetime, at: number, expires: number): Item {
  return { l: text(lifetimeText(lifetime)), z: number(at), e: number(expires), expires: seconds(expires) }
}

export function ownedBy(entry: Entry | undefined): Item {
  return entry ? { s: text(entry.subject), i: text(entry.token), x: number(entry.until) } : {}
}

/** There is nothing under a name that no key can hold. */
export function isTooLong(name: string): boolean {
  return encodeName(name).length >= NAME_LENGTH
}

export function busy(): SessionError {
  return new SessionError('ERR_SESSION_STORE', 'dynamodbStore: others changed a session each time: try again')
}
