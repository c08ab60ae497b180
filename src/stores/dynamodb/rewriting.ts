import type { Rewriting } from '../rows.ts'
import { decodeName } from '../sql/names.ts'
import type { DynamodbClient, Found, Item } from './client.ts'
import { Expression } from './expression.ts'
import { membersFor, number, numberIn, recordIn, rowIn, text, textIn } from './item.ts'
import { type Items, ownedBy } from './items.ts'
import { entryIn, type Subjects } from './subjects.ts'

/** What it takes to seal anew. `keepsRetired`: what was retired is in the index of its subject. */
export function createRewriting(
  client: DynamodbClient,
  table: string,
  prefix: string,
  items: Items,
  subjects: Subjects,
  keepsRetired: boolean,
): Rewriting {
  const isReadable = (found: Found) => recordIn(found) !== undefined && numberIn(found, 'e') > items.times().at

  return {
    async find(name) {
      const found = await items.find(name)
      return found && isReadable(found) ? rowIn(name, found) : undefined
    },

    async *pages(batch) {
      let last: Found | undefined
      do {
        const { Items = [], LastEvaluatedKey } = await client.scan({
          TableName: table,
          ConsistentRead: true,
          FilterExpression: 'sk = :sk AND begins_with(pk, :prefix)',
          ExpressionAttributeValues: { ':sk': text('s'), ':prefix': text(prefix) },
          Limit: batch,
          ...(last && { ExclusiveStartKey: last as Item }),
        })
        yield Items.filter(isReadable).map(item =>
          rowIn(decodeName(textIn(item, 'pk')?.slice(prefix.length) ?? ''), item),
        )
        last = LastEvaluatedKey
      } while (last)
    },

    async rewrite({ name, record, createdAt, expiresAt }, { members, subject }) {
      const { version, retiredAt } = record
      const isIndexed = subject !== undefined && (retiredAt === undefined || keepsRetired)
      const entry = isIndexed ? await subjects.add(subject, name, expiresAt, items.times().at) : undefined
      const expression = new Expression().set(ownedBy(entry))
      if (subject !== undefined && !entry) expression.set({ s: text(subject) })
      if (retiredAt !== undefined) expression.where('r = ?', number(retiredAt))
      else {
        expression.set({ m: membersFor({ ...record.members, ...members }) })
        expression.where('attribute_not_exists(r) AND v = ? AND c = ?', number(version ?? 0), number(createdAt))
      }
      const answer = await items.update(name, expression)
      if (answer && subject !== undefined) await subjects.drop(entryIn(name, answer.Attributes))
      return answer !== undefined
    },
  }
}
