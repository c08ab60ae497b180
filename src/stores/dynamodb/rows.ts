import { forEach, listIndexed } from '../indexed.ts'
import type { Row, Rows, Tombstone } from '../rows.ts'
import { encodeName } from '../sql/names.ts'
import { token } from '../token.ts'
import type { DynamodbClient } from './client.ts'
import { Expression } from './expression.ts'
import { isRetired, membersFor, number, numberIn, recordIn, rowIn, text, textIn } from './item.ts'
import { busy, createItems, isTooLong, LIVE, seconds, TRIES } from './items.ts'
import { createPatch } from './patch.ts'
import { createRewriting } from './rewriting.ts'
import { createSubjects, type Entry, entryIn } from './subjects.ts'

/**
 * Sessions as items of `table`. Every change is one command on one item, with a condition. A client that repeats one that
 * was done is refused by the condition, and sees by its token that it was done. `keepsRetired`: what was retired stays in
 * the index of its subject.
 */
export function dynamodbRows(
  client: DynamodbClient,
  table: string,
  prefix: string,
  now: () => number,
  keepsRetired: boolean,
): Rows {
  const subjects = createSubjects(client, table, prefix)
  const items = createItems(client, table, prefix, now, subjects)
  const patch = createPatch(items)

  async function removeOne(name: string): Promise<Tombstone | boolean> {
    if (isTooLong(name)) return false
    const answer = await items.remove(name, new Expression().where('attribute_not_exists(r)'))
    if (answer) return numberIn(answer.Attributes, 'e') > items.times().at
    const found = await items.find(name)
    return found ? { name, successor: recordIn(found)?.successor } : false
  }

  async function rowOf(name: string): Promise<Row | undefined> {
    const found = await items.find(name)
    return found && rowIn(name, found)
  }

  return {
    async read(name) {
      const found = await items.find(name)
      const record = found && recordIn(found)
      return record?.retiredAt === undefined ? record : { ...record, retiredFor: now() - record.retiredAt }
    },

    create: items.put,

    async replace(name, { members, lifetime }, ttl) {
      for (let tries = 0; tries < TRIES; tries++) {
        const made = (expression: Expression) =>
          expression.set({ m: membersFor(members), t: { M: {} } }).make('v', 'v + ?', number(1))
        const found = await items.find(name)
        if (found && isRetired(found)) return
        const isDone = found
          ? (await items.change(name, lifetime, ttl, made)).former !== undefined
          : await items.put(name, { members, lifetime }, ttl)
        if (isDone) return
      }
      throw busy()
    },

    patch: async (name, given, ttl) => (isTooLong(name) ? 'gone' : patch(name, given, ttl)),

    touch: async (name, lifetime, ttl) =>
      !isTooLong(name) && (await items.change(name, lifetime, ttl, expression => expression)).former !== undefined,

    async retire(name, { version, successor }, ttl) {
      if (isTooLong(name)) return 'gone'
      const own = token()
      const { at, expires } = items.times(ttl)
      const expression = new Expression()
        .set({ r: number(at), e: number(expires), expires: seconds(expires), k: text(own) })
        .remove('m', 'l', 'v', 't', ...(keepsRetired ? [] : ['i', 'x']))
        .where(LIVE, number(at))
      if (successor === undefined) expression.remove('n')
      else expression.set({ n: text(encodeName(successor)) })
      if (version !== undefined) expression.where('v = ?', number(version))
      const answer = await items.update(name, expression)
      if (answer) {
        if (!keepsRetired) await subjects.drop(entryIn(name, answer.Attributes))
        return 'saved'
      }
      const found = await items.find(name)
      if (!found) return 'gone'
      if (!isRetired(found)) return version === undefined ? 'gone' : 'conflict'
      const isSame = successor !== undefined && recordIn(found)?.successor === successor
      return isSame || textIn(found, 'k') === own ? 'saved' : 'gone'
    },

    async remove(names) {
      const removed = await forEach(names, removeOne)
      const tombstones = removed.filter(one => typeof one === 'object')
      return { count: removed.filter(one => one === true).length, tombstones }
    },

    forget: names => forEach(names, name => items.remove(name, new Expression().where('attribute_exists(r)'))),

    list: subject =>
      listIndexed<Entry>('dynamodbStore', subject, {
        entries: () => subjects.list(subject),
        read: ({ name }) => rowOf(name),
        textOf: entry => `${entry.token} ${entry.name}`,
      }),

    names: async subject => (await subjects.list(subject)).map(({ name }) => name),

    rewriting: createRewriting(client, table, prefix, items, subjects, keepsRetired),
  }
}
