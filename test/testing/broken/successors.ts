/** Stores that lose a session which gets a new id, or that leave one behind. */
import { createHash } from 'node:crypto'
import type { MemoryStore } from 'koa-session/memory'
import type { Store } from 'koa-session/testing'
import type { Whose } from '../../../src/stores/store.ts'
import { LONG, later, type Row } from './break.ts'

const digest = (text: string) => createHash('sha256').update(text).digest('base64url')
const isRetired = (memory: MemoryStore, id: string) => memory.read(id)?.retiredAt !== undefined

/** A store that follows tombstones by itself: `isFollowed` says which, by its number, from 1 on. */
function following(memory: MemoryStore, isFollowed: (count: number, id: string) => boolean): Partial<Store> {
  const next = new Map<string, string>()
  return {
    retire: (id, retire, ttl) => {
      const outcome = memory.retire(id, retire, ttl)
      if (outcome === 'saved' && retire.successor !== undefined) next.set(id, retire.successor)
      return outcome
    },
    destroy: id => {
      let last = id
      for (let count = 1; isRetired(memory, last) && count < 100; count++) {
        const successor = next.get(last)
        if (successor === undefined || !isFollowed(count, last)) return
        last = successor
      }
      memory.destroy(last)
    },
  }
}

export const SUCCESSORS: readonly Row[] = [
  ['no tombstone has a successor', 'retire', memory => ({ retire: (id, _, ttl) => memory.retire(id, {}, ttl) })],
  [
    'the successor is any id',
    'retire',
    memory => ({
      read: id => {
        const record = memory.read(id)
        return record?.successor === undefined ? record : { ...record, successor: 'another' }
      },
    }),
  ],
  [
    'each tombstone was just made',
    'retire',
    memory =>
      ({
        read: id => (isRetired(memory, id) ? { ...memory.read(id), retiredFor: 0 } : memory.read(id)),
      }) as Partial<Store>,
  ],
  [
    'get() says more than when the id was retired',
    'retire',
    memory => ({
      get: id => (isRetired(memory, id) ? { ...memory.get(id), _successor: 'id' } : memory.get(id)),
    }),
  ],
  [
    'the last who retires an id names its successor',
    'retire',
    memory => {
      const last = new Map<string, string>()
      return {
        retire: (id, retire, ttl) => {
          last.set(id, digest(retire.successor ?? ''))
          return memory.retire(id, retire, ttl)
        },
        read: id => {
          const record = memory.read(id)
          return record?.successor === undefined ? record : { ...record, successor: last.get(id) }
        },
      }
    },
  ],
  [
    'to retire an id again is gone',
    'retire',
    memory => ({
      retire: (id, retire, ttl) => (isRetired(memory, id) ? 'gone' : memory.retire(id, retire, ttl)),
    }),
  ],
  [
    'to retire an id again is always saved',
    'retire',
    memory => ({
      retire: (id, retire, ttl) => (isRetired(memory, id) ? 'saved' : memory.retire(id, retire, ttl)),
    }),
  ],
  [
    'to retire an id again needs its version',
    'versions',
    memory => ({
      retire: (id, retire, ttl) =>
        isRetired(memory, id) && retire.version !== undefined ? 'conflict' : memory.retire(id, retire, ttl),
    }),
  ],
  ['destroy() follows no tombstone', 'retire', memory => following(memory, () => false)],
  ['destroy() follows one tombstone', 'retire', memory => following(memory, count => count <= 1)],
  ['destroy() follows nineteen tombstones', 'retire', memory => following(memory, count => count <= 19)],
  ['destroy() follows every tombstone', 'retire', memory => following(memory, () => true)],
  [
    'destroy() follows tombstones for ten seconds',
    'retire',
    (memory, clock) => following(memory, (_, id) => clock.now() - (memory.read(id)?.retiredAt ?? 0) <= 10_000),
  ],
  [
    'destroy() removes the tombstone, and then looks where it leads',
    'retire',
    memory => ({
      destroy: id => {
        const { successor } = memory.read(id) ?? {}
        memory.destroy(successor ?? id)
      },
    }),
  ],
  [
    'destroy() looks whether an id was retired, and then destroys it',
    'concurrency',
    memory => ({
      destroy: async id => {
        const wasRetired = isRetired(memory, id)
        await later()
        if (wasRetired || !isRetired(memory, id)) memory.destroy(id)
      },
    }),
  ],
  [
    'retire() looks whether it is there, and then puts a tombstone',
    'concurrency',
    memory => ({
      retire: async (id, retire, ttl) => {
        const record = memory.read(id)
        await later()
        if (record && record.retiredAt === undefined) memory.create(id, { members: {}, lifetime: {} }, LONG)
        return memory.retire(id, retire, ttl)
      },
    }),
  ],
  [
    'a tombstone is nobody’s',
    'subjects',
    memory => ({
      read: id => {
        const record = memory.read(id)
        return record?.retiredAt === undefined ? record : { ...record, subject: undefined }
      },
    }),
  ],
  [
    'destroyAll() ends those that it has listed, and that are listed still',
    'concurrency',
    memory => ({
      destroyAll: async (subject, which) => {
        if (which) return memory.destroyAll(subject, which)
        const listed = memory.list(subject)
        await later()
        const still = new Set(memory.list(subject).map(({ handle }) => handle))
        const ended = listed.filter(({ handle }) => still.has(handle))
        return ended.map(({ handle }) => memory.destroyAll(subject, { only: handle })).length
      },
    }),
  ],
  [
    'destroyAll() spares one id, and not what took its place',
    'subjects',
    memory => ({
      destroyAll: (subject, { except, ...which } = {}) => {
        const isOld = except === undefined || isRetired(memory, except)
        return memory.destroyAll(subject, isOld ? which : { ...which, except })
      },
    }),
  ],
  [
    'the handle of an id that was retired is good for nothing',
    'subjects',
    memory => ({
      destroyAll: (subject, which) => {
        const isListed = memory.list(subject).some(({ handle }) => handle === which?.only)
        return which?.only === undefined || isListed ? memory.destroyAll(subject, which) : 0
      },
    }),
  ],
  [
    'the handle of an id that was retired is good for anybody',
    'subjects',
    memory => {
      const owners = new Set<Whose>()
      return {
        list: subject => {
          owners.add(String(subject))
          return memory.list(subject)
        },
        destroyAll: (subject, which) => {
          owners.add(String(subject))
          const isOther = which?.only !== undefined && memory.destroyAll(subject, which) === 0
          if (!isOther) return which?.only === undefined ? memory.destroyAll(subject, which) : 1
          return [...owners].some(owner => Number(memory.destroyAll(owner, which)) > 0) ? 1 : 0
        },
      }
    },
  ],
  [
    'list() reads its index, and then leaves out what was retired',
    'concurrency',
    memory => ({
      list: async subject => {
        const listed = memory.list(subject)
        await later()
        const still = new Set(memory.list(subject).map(({ handle }) => handle))
        return listed.filter(({ handle }) => still.has(handle))
      },
    }),
  ],
  [
    'list() shows what was retired',
    'subjects',
    memory => {
      const listed = new Map<Whose, ReturnType<MemoryStore['list']>>()
      return {
        list: subject => {
          const known = listed.get(String(subject)) ?? []
          const now = memory.list(subject)
          listed.set(String(subject), now)
          return [...now, ...known.filter(({ handle }) => !now.some(one => one.handle === handle))]
        },
      }
    },
  ],
]
