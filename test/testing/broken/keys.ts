import type { StoredRecord } from '../../../src/stores/store.ts'
import { LONG, later, mapped, type Row } from './break.ts'

export const KEYS: readonly Row[] = [
  ['records do not expire', 'expiry', memory => ({ create: (id, record) => memory.create(id, record, LONG) })],
  [
    'patch() does not extend',
    'expiry',
    (memory, clock) => {
      const ends = new Map<string, number>()
      return {
        create: (id, record, ttl) => {
          ends.set(id, clock.now() + ttl)
          return memory.create(id, record, ttl)
        },
        patch: (id, patch) => memory.patch(id, patch, (ends.get(id) ?? 0) - clock.now()),
      }
    },
  ],
  [
    'touch() does not extend',
    'expiry',
    memory => ({
      touch: (id, lifetime) => memory.touch(id, lifetime, 1),
    }),
  ],
  [
    'touch() counts in seconds',
    'expiry',
    memory => ({
      touch: (id, lifetime, ttl) => memory.touch(id, lifetime, Math.floor(ttl / 1000) * 1000),
    }),
  ],
  [
    'create() keeps of the lifetime what it knows',
    'create',
    memory => ({
      create: (id, { lifetime: { _meta, ...lifetime }, ...record }, ttl) => {
        const { since: _, dataVersion: __, ...meta } = _meta ?? {}
        return memory.create(id, { ...record, lifetime: _meta ? { ...lifetime, _meta: meta } : lifetime }, ttl)
      },
    }),
  ],
  [
    'create() overwrites',
    'create',
    memory => ({
      create: (id, record, ttl) => {
        memory.destroy(id)
        return memory.create(id, record, ttl)
      },
    }),
  ],
  [
    'create() says what is not so',
    'create',
    memory => ({
      create: (id, record, ttl) => Boolean(memory.create(id, record, ttl)) || true,
    }),
  ],
  [
    'create() writes to what it was given',
    'create',
    memory => ({
      create: (id, record, ttl) => memory.create(id, Object.assign(record, { subject: undefined }), ttl),
    }),
  ],
  [
    'create() of what is taken extends it',
    'create',
    memory => ({
      create: (id, record, ttl) => {
        const isFree = memory.create(id, record, ttl)
        if (!isFree) memory.touch(id, {}, ttl)
        return isFree
      },
    }),
  ],
  [
    'read() has the lifetime among the members',
    'create',
    memory => ({
      read: id => {
        const record = memory.read(id)
        return record && { ...record, members: { ...record.members, _maxAge: '1' } }
      },
    }),
  ],
  [
    'members are in the order of the alphabet',
    'create',
    memory => ({
      read: id => {
        const record = memory.read(id)
        const sorted = Object.entries(record?.members ?? {}).sort(([one], [other]) => (one < other ? -1 : 1))
        return record && { ...record, members: Object.fromEntries(sorted) }
      },
    }),
  ],
  [
    'patch() revives what was destroyed',
    'patch',
    memory => ({
      patch: (id, patch, ttl) => {
        if (!memory.read(id)) memory.create(id, { members: {}, lifetime: {} }, ttl)
        return memory.patch(id, patch, ttl)
      },
    }),
  ],
  [
    'patch() replaces all',
    'patch',
    memory => ({
      patch: (id, patch, ttl) => {
        const unset = [...patch.unset, ...Object.keys(memory.read(id)?.members ?? {})]
        return memory.patch(id, { ...patch, unset }, ttl)
      },
    }),
  ],
  [
    'patch() removes nothing',
    'patch',
    memory => ({
      patch: (id, patch, ttl) => memory.patch(id, { ...patch, unset: [] }, ttl),
    }),
  ],
  [
    'patch() keeps the lifetime',
    'patch',
    memory => ({
      patch: (id, patch, ttl) => memory.patch(id, { ...patch, lifetime: memory.read(id)?.lifetime ?? {} }, ttl),
    }),
  ],
  [
    'patch() merges lifetimes',
    'patch',
    memory => ({
      patch: (id, patch, ttl) =>
        memory.patch(id, { ...patch, lifetime: { ...memory.read(id)?.lifetime, ...patch.lifetime } }, ttl),
    }),
  ],
  [
    'patch() merges values',
    'patch',
    memory => ({
      patch: (id, patch, ttl) => {
        const known = memory.read(id)?.members ?? {}
        const merge = (name: string, text: string): [string, string] => {
          const [before, value] = [JSON.parse(known[name] ?? 'null'), JSON.parse(text)]
          const isMerged = before && value && typeof before === 'object' && typeof value === 'object'
          return [name, isMerged ? JSON.stringify({ ...before, ...value }) : text]
        }
        return memory.patch(id, { ...patch, set: mapped(patch.set, merge) }, ttl)
      },
    }),
  ],
  [
    'null removes',
    'patch',
    memory => ({
      patch: (id, patch, ttl) => {
        const nulls = Object.keys(patch.set).filter(name => patch.set[name] === 'null')
        const set = Object.fromEntries(Object.entries(patch.set).filter(([name]) => !nulls.includes(name)))
        return memory.patch(id, { ...patch, set, unset: [...patch.unset, ...nulls] }, ttl)
      },
    }),
  ],
  [
    'a record that was emptied stays',
    'patch',
    memory => ({
      patch: (id, patch, ttl) => memory.patch(id, { ...patch, keepsEmpty: true }, ttl),
    }),
  ],
  [
    'an empty record is always dropped',
    'patch',
    memory => ({
      patch: (id, patch, ttl) => memory.patch(id, { ...patch, keepsEmpty: false }, ttl),
    }),
  ],
  [
    'an empty record is dropped by whatever is patched',
    'patch',
    memory => ({
      patch: (id, patch, ttl) => {
        const isEmpty = Object.keys({ ...memory.read(id)?.members, ...patch.set }).length === 0
        return memory.patch(id, isEmpty ? { ...patch, unset: ['nothing'] } : patch, ttl)
      },
    }),
  ],
  [
    'what was read changes when it is patched',
    'patch',
    memory => {
      const read = new Map<string, StoredRecord>()
      return {
        read: id => {
          const record = memory.read(id)
          const copy = record && { ...record, members: { ...record.members } }
          if (copy) read.set(id, copy)
          return copy
        },
        patch: (id, patch, ttl) => {
          Object.assign(read.get(id)?.members ?? {}, patch.set)
          return memory.patch(id, patch, ttl)
        },
      }
    },
  ],
  [
    'touch() rewrites the members',
    'touch',
    memory => ({
      touch: (id, lifetime, ttl) => {
        const record = memory.read(id)
        if (record) memory.set(id, lifetime as Record<string, unknown>, ttl)
        return record !== undefined
      },
    }),
  ],
  [
    'touch() leaves the lifetime',
    'touch',
    memory => ({
      touch: (id, _, ttl) => memory.touch(id, memory.read(id)?.lifetime ?? {}, ttl),
    }),
  ],
  [
    'touch() makes a record',
    'touch',
    memory => ({
      touch: (id, lifetime, ttl) =>
        memory.create(id, { members: {}, lifetime }, ttl) || memory.touch(id, lifetime, ttl),
    }),
  ],
  [
    'touch() counts the rows that have changed',
    'touch',
    memory => ({
      touch: (id, lifetime, ttl) => {
        const isSame = JSON.stringify(memory.read(id)?.lifetime) === JSON.stringify(lifetime)
        return memory.touch(id, lifetime, ttl) && !isSame
      },
    }),
  ],
  [
    'touch() reads and writes back',
    'touch',
    memory => ({
      touch: async (id, lifetime, ttl) => {
        const before = memory.read(id)
        await later()
        if (!before) return false
        const unset = Object.keys(memory.read(id)?.members ?? {}).filter(name => !(name in before.members))
        memory.patch(id, { set: {}, unset, lifetime, keepsEmpty: true }, ttl)
        return true
      },
    }),
  ],
]
