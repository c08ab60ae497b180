import { createHash } from 'node:crypto'
import type { ListedSession } from '../../../src/stores/store.ts'
import { LONG, later, type Row, rewrite } from './break.ts'

const digest = (text: string) => createHash('sha256').update(text).digest('base64url')

export const CONCURRENCY: readonly Row[] = [
  [
    'patch() reads and writes back',
    'concurrency',
    memory => ({
      patch: (id, patch, ttl) => rewrite(memory, id, patch, ttl),
    }),
  ],
  [
    'patch() writes back whose it was',
    'concurrency',
    memory => ({
      patch: async (id, patch, ttl) => {
        const { subject = null } = memory.read(id) ?? {}
        await later()
        return memory.patch(id, { subject, ...patch }, ttl)
      },
    }),
  ],
  [
    'touch() writes back whose it was',
    'concurrency',
    memory => ({
      touch: async (id, lifetime, ttl) => {
        const record = memory.read(id)
        await later()
        if (!memory.touch(id, lifetime, ttl)) return false
        const { subject = null } = record ?? {}
        return memory.patch(id, { set: {}, unset: [], lifetime, keepsEmpty: true, subject }, ttl) === 'saved'
      },
    }),
  ],
  [
    'create() looks first',
    'concurrency',
    memory => ({
      create: async (id, record, ttl) => {
        const isFree = memory.read(id) === undefined
        await later()
        if (isFree) memory.destroy(id)
        return isFree && memory.create(id, record, ttl)
      },
    }),
  ],
  [
    'the version is checked first',
    'concurrency',
    memory => ({
      patch: async (id, { version, ...patch }, ttl) => {
        const record = memory.read(id)
        await later()
        return record && version !== undefined && version !== record.version ? 'conflict' : memory.patch(id, patch, ttl)
      },
    }),
  ],
  [
    'a record is emptied in two steps',
    'concurrency',
    memory => ({
      patch: async (id, patch, ttl) => {
        const outcome = memory.patch(id, { ...patch, keepsEmpty: true }, ttl)
        const isEmpty = !patch.keepsEmpty && Object.keys(memory.read(id)?.members ?? { a: '' }).length === 0
        await later()
        if (isEmpty) memory.destroy(id)
        return isEmpty && outcome === 'saved' ? 'emptied' : outcome
      },
    }),
  ],
  [
    'a patch looks whether it is there first',
    'concurrency',
    memory => ({
      patch: async (id, patch, ttl) => {
        const record = memory.read(id)
        await later()
        if (record && !memory.read(id)) memory.create(id, record, ttl)
        return memory.patch(id, patch, ttl)
      },
    }),
  ],
  [
    'a patch that was under way takes the place of a tombstone',
    'concurrency',
    memory => ({
      patch: async (id, patch, ttl) => {
        const before = memory.read(id)
        await later()
        if (before?.retiredAt === undefined && memory.read(id)?.retiredAt !== undefined) {
          memory.destroy(id)
          memory.create(id, { members: { ...before?.members, ...patch.set }, lifetime: patch.lifetime }, ttl)
        }
        return memory.patch(id, patch, ttl)
      },
    }),
  ],
  [
    'a set that was under way takes the place of a tombstone',
    'concurrency',
    memory => ({
      set: async (id, payload, ttl) => {
        const before = memory.read(id)
        await later()
        if (before && before.retiredAt === undefined) memory.destroy(id)
        memory.set(id, payload, ttl)
      },
    }),
  ],
  [
    'touch() writes back what it read',
    'concurrency',
    memory => ({
      touch: async (id, lifetime, ttl) => {
        const before = memory.read(id)
        await later()
        return before ? memory.create(id, before, ttl) || memory.touch(id, lifetime, ttl) : false
      },
    }),
  ],
  [
    'set() writes piece by piece',
    'concurrency',
    memory => ({
      set: async (id, payload, ttl) => {
        for (const [name, value] of Object.entries(payload)) {
          memory.set(id, { ...memory.get(id), [name]: value }, ttl)
          await later()
        }
      },
    }),
  ],
  [
    'retire() looks first',
    'concurrency',
    memory => ({
      retire: async (id, retire, ttl) => {
        const isThere = memory.read(id) !== undefined && memory.read(id)?.retiredAt === undefined
        await later()
        memory.retire(id, retire, ttl)
        return isThere ? 'saved' : 'gone'
      },
    }),
  ],
]

export const SUBJECTS: readonly Row[] = [
  [
    'list() has the id for a handle',
    'subjects',
    memory => {
      const ids = new Set<string>()
      return {
        create: (id, record, ttl) => {
          ids.add(id)
          return memory.create(id, record, ttl)
        },
        list: subject => memory.list(subject).map((session, index) => ({ ...session, handle: [...ids][index] ?? '' })),
      }
    },
  ],
  [
    'list() shows what has expired',
    'subjects',
    memory => ({ create: (id, record) => memory.create(id, record, LONG) }),
  ],
  [
    'what was destroyed stays in the index',
    'subjects',
    memory => {
      const known = new Map<string, ListedSession>()
      return {
        create: (id, record, ttl) => {
          const isFree = memory.create(id, record, ttl)
          known.set(record.subject ?? '', { handle: digest(id), createdAt: 0, seenAt: 0, expiresAt: LONG, data: {} })
          return isFree
        },
        list: subject => {
          const listed = memory.list(subject)
          const stale = known.get(digest(String(subject)))
          return listed.length === 0 && stale ? [stale] : listed
        },
      }
    },
  ],
  [
    'the hash of a subject is taken for the subject',
    'subjects',
    memory => ({
      destroyAll: (subject, which) =>
        memory.destroyAll(typeof subject === 'object' ? String(subject?.subjectHash) : subject, which),
    }),
  ],
  [
    'nobody has sessions',
    'subjects',
    memory => ({
      list: subject => memory.list(subject ?? 'undefined'),
      destroyAll: (subject, which) => (subject === undefined ? 1 : memory.destroyAll(subject, which)),
    }),
  ],
  [
    'a number is another subject than its text',
    'subjects',
    memory => ({ list: subject => memory.list(typeof subject === 'number' ? `number ${subject}` : subject) }),
  ],
  ['list() shows nothing', 'subjects', () => ({ list: () => [] })],
  [
    'list() has those of one instant in another order',
    'subjects',
    memory => ({
      list: subject =>
        [...memory.list(subject)].sort(
          (one, other) => other.createdAt - one.createdAt || (one.handle < other.handle ? -1 : 1),
        ),
    }),
  ],
  ['list() has the oldest first', 'subjects', memory => ({ list: subject => [...memory.list(subject)].reverse() })],
  [
    'a limit of list() is of the oldest',
    'subjects',
    memory => ({ list: (subject, { limit = 1000 } = {}) => memory.list(subject).slice(-limit) }),
  ],
  [
    'list() shows the lifetime among the data',
    'subjects',
    memory => ({
      list: subject => memory.list(subject).map(session => ({ ...session, data: { ...session.data, _maxAge: 1 } })),
    }),
  ],
  [
    'list() has seconds',
    'subjects',
    memory => ({
      list: subject =>
        memory.list(subject).map(session => ({ ...session, createdAt: Math.floor(session.createdAt / 1000) })),
    }),
  ],
  [
    'list() says that it was seen when it was made',
    'subjects',
    memory => ({
      list: subject => memory.list(subject).map(session => ({ ...session, seenAt: session.createdAt })),
    }),
  ],
  ['list() is cut at a hundred', 'subjects', memory => ({ list: subject => memory.list(subject).slice(0, 100) })],
  [
    'a record forgets whose it is when it is patched',
    'subjects',
    memory => ({
      patch: (id, patch, ttl) => memory.patch(id, { subject: null, ...patch }, ttl),
    }),
  ],
  [
    'a record forgets whose it is when it is set',
    'subjects',
    memory => ({
      set: (id, payload, ttl) => {
        if (memory.read(id)?.retiredAt === undefined) memory.destroy(id)
        memory.set(id, payload, ttl)
      },
    }),
  ],
  [
    'what takes the place of an expired session belongs to its user',
    'subjects',
    memory => {
      const owners = new Map<string, string | undefined>()
      return {
        create: (id, record, ttl) => {
          const subject = memory.read(id) ? record.subject : (owners.get(id) ?? record.subject)
          owners.set(id, subject)
          return memory.create(id, { ...record, subject }, ttl)
        },
        destroy: id => {
          owners.delete(id)
          memory.destroy(id)
        },
      }
    },
  ],
  [
    'list() leaves out what has no data',
    'subjects',
    memory => ({
      list: (subject, options) => memory.list(subject, options).filter(({ data }) => Object.keys(data).length > 0),
    }),
  ],
  [
    'touch() does not change when it expires in the list',
    'subjects',
    (memory, clock) => {
      const ends = new Map<string, number>()
      const ended = (id: string, ttl: number) => ends.set(digest(id), clock.now() + ttl)
      return {
        create: (id, record, ttl) => memory.create(id, record, ttl) && Boolean(ended(id, ttl)),
        patch: (id, patch, ttl) => {
          ended(id, ttl)
          return memory.patch(id, patch, ttl)
        },
        list: (subject, options) =>
          memory.list(subject, options).map(one => ({ ...one, expiresAt: ends.get(one.handle) ?? one.expiresAt })),
      }
    },
  ],
  [
    'a subject never changes',
    'subjects',
    memory => ({
      patch: (id, { subject: _, ...patch }, ttl) => memory.patch(id, patch, ttl),
    }),
  ],
  [
    'subjects are told apart by small letters only',
    'subjects',
    memory => ({
      destroyAll: (subject, which) =>
        memory.destroyAll(typeof subject === 'string' ? subject.replace(/B$/, 'b') : subject, which),
    }),
  ],
  [
    'destroyAll() ignores except',
    'subjects',
    memory => ({
      destroyAll: (subject, { except: _, ...which } = {}) => memory.destroyAll(subject, which),
    }),
  ],
  [
    'destroyAll() ignores except beside only',
    'subjects',
    memory => ({
      destroyAll: (subject, which) => {
        const { only, except } = which ?? {}
        return memory.destroyAll(subject, typeof only === 'string' && typeof except === 'string' ? { only } : which)
      },
    }),
  ],
  [
    'the beginning of a handle is enough',
    'subjects',
    memory => ({
      destroyAll: (subject, which) => {
        const { only } = which ?? {}
        const one = only ? memory.list(subject).find(({ handle }) => handle.startsWith(only)) : undefined
        return memory.destroyAll(subject, one ? { ...which, only: one.handle } : which)
      },
    }),
  ],
  [
    'the hash of a subject is a query',
    'subjects',
    memory => ({
      destroyAll: (subject, which) => {
        const { subjectHash } = Object(subject)
        return subjectHash && typeof subjectHash === 'object' ? memory.clear() : memory.destroyAll(subject, which)
      },
    }),
  ],
  [
    'destroyAll() ignores only',
    'subjects',
    memory => ({
      destroyAll: (subject, { only: _, ...which } = {}) => memory.destroyAll(subject, which),
    }),
  ],
  [
    'destroyAll() ends everything where only is undefined',
    'subjects',
    memory => ({
      destroyAll: (subject, which) => memory.destroyAll(subject, which && JSON.parse(JSON.stringify(which))),
    }),
  ],
  [
    'destroyAll() counts what it leaves',
    'subjects',
    memory => ({
      destroyAll: (subject, which) => Number(memory.destroyAll(subject, which)) + memory.list(subject).length,
    }),
  ],
  [
    'a handle is good for an id',
    'subjects',
    memory => ({ get: id => memory.get(id) ?? (/^[\w-]{43}$/.test(id) ? { user: 'ada' } : undefined) }),
  ],
]

export const EVERYTHING: readonly Row[] = [
  ['all() has the tombstones, and they are counted', 'all', memory => ({ retire: () => memory && 'saved' })],
  [
    'all() leaves out what has no data',
    'all',
    memory => ({
      all: async function* (options) {
        for await (const one of memory.all(options)) if (Object.keys(one.data).length > 0) yield one
      },
    }),
  ],
  ['all() knows no limit', 'all', memory => ({ all: ({ limit: _, ...options } = {}) => memory.all(options) })],
  ['all() begins anew whatever the cursor is', 'all', memory => ({ all: ({ limit } = {}) => memory.all({ limit }) })],
  [
    'all() ends after a page',
    'all',
    memory => ({ all: options => memory.all({ ...options, limit: Math.min(options?.limit ?? 10, 10) }) }),
  ],
  [
    'a cursor is an id',
    'all',
    memory => {
      const ids: string[] = []
      return {
        create: (id, record, ttl) => {
          ids.push(id)
          return memory.create(id, record, ttl)
        },
        all: async function* (options) {
          for await (const one of memory.all(options)) yield { ...one, cursor: ids.at(-1) ?? '' }
        },
      }
    },
  ],
  ['count() counts each session twice', 'all', memory => ({ count: () => memory.count() * 2 })],
  ['clear() ends the sessions of users alone', 'all', memory => ({ clear: async () => memory.count() })],
  ['clear() says nothing of how many', 'all', memory => ({ clear: () => memory.clear().then(() => 0) })],
]

export const CLAIMS: readonly Row[] = [
  ['it has no clear()', 'claims', () => ({ clear: undefined as never })],
  ['it has no retire()', 'claims', () => ({ retire: undefined as never })],
  ['it has no list()', 'claims', () => ({ list: undefined as never })],
  ['its plain methods are not its own', 'claims', memory => ({ plain: { ...memory.plain, get: () => undefined } })],
  [
    'it has no versions',
    'claims',
    memory => ({
      read: id => {
        const record = memory.read(id)
        return record && { ...record, version: undefined }
      },
    }),
  ],
]
