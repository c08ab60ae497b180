import { LONG, type Row } from './break.ts'

export const VERSIONS: readonly Row[] = [
  [
    'the version is always the same',
    'versions',
    memory => ({
      read: id => {
        const record = memory.read(id)
        return record && { ...record, version: 1 }
      },
    }),
  ],
  [
    'patch() ignores the version',
    'versions',
    memory => ({
      patch: (id, { version: _, ...patch }, ttl) => memory.patch(id, patch, ttl),
    }),
  ],
  [
    'an older version is good',
    'versions',
    memory => ({
      patch: (id, { version, ...patch }, ttl) =>
        version !== undefined && version > (memory.read(id)?.version ?? 0) ? 'conflict' : memory.patch(id, patch, ttl),
    }),
  ],
  [
    'a patch in conflict is written',
    'versions',
    memory => ({
      patch: (id, { version, ...patch }, ttl) => {
        const isConflict = version !== undefined && memory.read(id) && memory.read(id)?.version !== version
        const outcome = memory.patch(id, patch, ttl)
        return isConflict ? 'conflict' : outcome
      },
    }),
  ],
  [
    'a patch in conflict extends',
    'versions',
    memory => ({
      patch: (id, patch, ttl) => {
        const outcome = memory.patch(id, patch, ttl)
        if (outcome === 'conflict') memory.touch(id, memory.read(id)?.lifetime ?? {}, ttl)
        return outcome
      },
    }),
  ],
  [
    'what is gone is in conflict',
    'versions',
    memory => ({
      patch: (id, patch, ttl) => {
        const outcome = memory.patch(id, patch, ttl)
        return outcome === 'gone' && patch.version !== undefined ? 'conflict' : outcome
      },
    }),
  ],
  [
    'touch() gives another version',
    'versions',
    memory => ({
      touch: (id, lifetime, ttl) =>
        memory.patch(id, { set: {}, unset: [], lifetime, keepsEmpty: true }, ttl) === 'saved',
    }),
  ],
  [
    'set() begins the versions anew',
    'versions',
    memory => ({
      set: (id, payload, ttl) => {
        const isTombstone = memory.read(id)?.retiredAt !== undefined
        if (!isTombstone) memory.destroy(id)
        memory.set(id, payload, ttl)
      },
    }),
  ],
  ['retire() ignores the version', 'versions', memory => ({ retire: (id, _, ttl) => memory.retire(id, {}, ttl) })],
]

export const RETIRE: readonly Row[] = [
  [
    'retire() keeps the data',
    'retire',
    memory => ({
      retire: id => (memory.read(id) ? 'saved' : 'gone'),
    }),
  ],
  [
    'retire() just destroys',
    'retire',
    memory => ({
      retire: id => {
        const outcome = memory.read(id) ? 'saved' : 'gone'
        memory.destroy(id)
        return outcome
      },
    }),
  ],
  [
    'retire() makes a tombstone of nothing',
    'retire',
    memory => ({
      retire: (id, retire, ttl) => {
        memory.create(id, { members: {}, lifetime: {} }, ttl)
        return memory.retire(id, retire, ttl)
      },
    }),
  ],
  [
    'a tombstone stays as long as the session would',
    'retire',
    memory => ({
      retire: (id, retire) => memory.retire(id, retire, LONG),
    }),
  ],
  [
    'a tombstone is set over',
    'retire',
    memory => ({
      set: (id, payload, ttl) => {
        if (memory.read(id)?.retiredAt !== undefined) memory.destroy(id)
        memory.set(id, payload, ttl)
      },
    }),
  ],
  [
    'a tombstone is touched',
    'retire',
    memory => ({
      touch: (id, lifetime, ttl) => memory.read(id)?.retiredAt !== undefined || memory.touch(id, lifetime, ttl),
    }),
  ],
  [
    'a tombstone is free for create()',
    'retire',
    memory => ({
      create: (id, record, ttl) => {
        if (memory.read(id)?.retiredAt !== undefined) memory.destroy(id)
        return memory.create(id, record, ttl)
      },
    }),
  ],
  [
    'retire() for no time leaves the session',
    'retire',
    memory => ({
      retire: (id, retire, ttl) => (ttl > 0 ? memory.retire(id, retire, ttl) : 'saved'),
    }),
  ],
  [
    'what has no data can not be retired',
    'retire',
    memory => ({
      retire: (id, retire, ttl) =>
        Object.keys(memory.read(id)?.members ?? {}).length > 0 ? memory.retire(id, retire, ttl) : 'gone',
    }),
  ],
  [
    'a tombstone says no instant',
    'retire',
    memory => ({
      read: id => {
        const record = memory.read(id)
        return record && (record.retiredAt === undefined ? record : { ...record, retiredAt: 1 })
      },
    }),
  ],
]
