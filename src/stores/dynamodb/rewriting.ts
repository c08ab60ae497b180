import type { Rewriting } from '../rows.ts'
import { Expression } from './expression.ts'
import { membersFor, number, recordIn, rowIn, text } from './item.ts'
import { type Items, ownedBy } from './items.ts'
import { entryIn, type Subjects } from './subjects.ts'

/** What it takes to seal anew. `keepsRetired`: what was retired is in the index of its subject. */
export function createRewriting(items: Items, subjects: Subjects, keepsRetired: boolean): Rewriting {
  return {
    async find(name) {
      const found = await items.find(name)
      return found && recordIn(found) ? rowIn(name, found) : undefined
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
