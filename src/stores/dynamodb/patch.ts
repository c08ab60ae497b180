import type { Patch, Patched } from '../store.ts'
import { token } from '../token.ts'
import { Expression } from './expression.ts'
import { keyOf, mapIn, membersFor, number, numberIn, recordIn, text, textIn } from './item.ts'
import { busy, type Items, TRIES } from './items.ts'

/** How many members one expression names: it has 4 KB at most. Beyond, all members are written. */
const NAMED = 200
/** How many patches a session remembers that asked for a version. */
const REMEMBERED = 8

export function createPatch(items: Items): (name: string, patch: Patch, ttl: number) => Promise<Patched> {
  /** Drops a session that has no members left, unless another has written to it since it had this version. */
  async function dropEmpty(name: string, version: number): Promise<Patched> {
    const isDone = await items.remove(
      name,
      new Expression().where('v = ? AND attribute_not_exists(r)', number(version)),
    )
    return isDone || !(await items.findLive(name)) ? 'emptied' : 'saved'
  }

  /** The same patch as one of all members, of the version that is there. */
  async function whole(name: string, given: Patch): Promise<Patch | 'gone' | 'conflict'> {
    const { set, unset, version } = given
    const found = await items.findLive(name)
    const record = found && recordIn(found)
    if (!record) return 'gone'
    if (version !== undefined && version !== record.version) return 'conflict'
    const kept = Object.entries(record.members).filter(([member]) => !unset.includes(member))
    return { ...given, set: Object.fromEntries([...kept, ...Object.entries(set)]), version: record.version }
  }

  async function patch(name: string, given: Patch, ttl: number): Promise<Patched> {
    const own = token()
    const isWhole = Object.keys(given.set).length + given.unset.length > NAMED
    const made = isWhole ? await whole(name, given) : given
    if (typeof made === 'string') return made
    const { set, unset, version, lifetime } = made
    const mayEmpty = unset.length > 0 && !made.keepsEmpty && Object.keys(set).length === 0
    const slot = String(((version ?? 0) + 1) % REMEMBERED)
    const express = (expression: Expression) => {
      expression.make('v', 'v + ?', number(1))
      if (version !== undefined) expression.setIn('t', slot, text(own))
      if (isWhole) return expression.set({ m: membersFor(set) })
      for (const [member, value] of Object.entries(set)) expression.setIn('m', keyOf(member), text(value))
      // DynamoDB refuses a path that is named twice.
      for (const member of new Set(unset)) if (!Object.hasOwn(set, member)) expression.removeIn('m', keyOf(member))
      return expression
    }
    const answer = await items.change(name, lifetime, ttl, express, made, mayEmpty)
    if (answer.former) {
      const gone = new Set(unset.map(keyOf))
      const isEmpty = mayEmpty && Object.keys(mapIn(answer.former, 'm') ?? {}).every(key => gone.has(key))
      return isEmpty ? dropEmpty(name, numberIn(answer.former, 'v') + 1) : 'saved'
    }
    const { found } = answer
    if (!found) return 'gone'
    if (textIn(mapIn(found, 't'), slot) !== own) return 'conflict'
    // It was done, and its answer lost.
    const isEmpty = mayEmpty && Object.keys(mapIn(found, 'm') ?? {}).length === 0
    return isEmpty ? dropEmpty(name, numberIn(found, 'v')) : 'saved'
  }

  return async (name, given, ttl) => {
    for (let tries = 0; tries < TRIES; tries++) {
      const verdict = await patch(name, given, ttl)
      // All members were written, and others have written meanwhile.
      if (verdict !== 'conflict' || given.version !== undefined) return verdict
    }
    throw busy()
  }
}
