/** What breaks a store in one way. */

import type { MemoryStore } from 'koa-session/memory'
import type { ManualClock, Store } from 'koa-session/testing'
import type { Patch, StoredRecord } from '../../../src/stores/store.ts'

export type Break = (memory: MemoryStore, clock: ManualClock) => Partial<Store>
export type Row = readonly [claim: string, group: string, breakIt: Break]

export const LONG = 100_000_000_000
export const later = () => new Promise(resolve => setImmediate(resolve))
export const mapped = (members: StoredRecord['members'], change: (name: string, text: string) => [string, string]) =>
  Object.fromEntries(Object.entries(members).map(([name, text]) => change(name, text)))

/** `memory` with every name of a member put through `change`, when it is written. */
export const renaming = (memory: MemoryStore, change: (name: string) => string): Partial<Store> => ({
  create: (id, record, ttl) =>
    memory.create(id, { ...record, members: mapped(record.members, (name, text) => [change(name), text]) }, ttl),
  patch: (id, patch, ttl) =>
    memory.patch(id, { ...patch, set: mapped(patch.set, (name, text) => [change(name), text]) }, ttl),
})

/** `memory` with every text put through `change`, when it is written. */
export const rewriting = (memory: MemoryStore, change: (text: string) => string): Partial<Store> => ({
  create: (id, record, ttl) =>
    memory.create(id, { ...record, members: mapped(record.members, (name, text) => [name, change(text)]) }, ttl),
  patch: (id, patch, ttl) =>
    memory.patch(id, { ...patch, set: mapped(patch.set, (name, text) => [name, change(text)]) }, ttl),
})

/** `memory` with every id put through `change`. */
export const naming = (memory: MemoryStore, change: (id: string) => string): Partial<Store> => ({
  get: id => memory.get(change(id)),
  set: (id, payload, ttl) => memory.set(change(id), payload, ttl),
  destroy: id => memory.destroy(change(id)),
  read: id => memory.read(change(id)),
  create: (id, record, ttl) => memory.create(change(id), record, ttl),
  patch: (id, patch, ttl) => memory.patch(change(id), patch, ttl),
  touch: (id, lifetime, ttl) => memory.touch(change(id), lifetime, ttl),
  retire: (id, retire, ttl) => memory.retire(change(id), retire, ttl),
})

/** What a store does that reads, thinks, and writes all of it. */
export async function rewrite(memory: MemoryStore, id: string, patch: Patch, ttl: number) {
  const record = memory.read(id)
  await later()
  if (!record || record.retiredAt !== undefined) return 'gone'
  if (patch.version !== undefined && patch.version !== record.version) return 'conflict'
  const { version: _, ...rest } = patch
  const unset = Object.keys(record.members).filter(name => patch.unset.includes(name))
  const outcome = memory.patch(id, { ...rest, set: { ...record.members, ...patch.set } }, ttl)
  return outcome === 'saved' && unset.length > 0 ? memory.patch(id, { ...rest, unset, set: {} }, ttl) : outcome
}
