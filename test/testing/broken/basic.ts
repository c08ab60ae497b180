import { LONG, naming, type Row } from './break.ts'

export const BASIC: readonly Row[] = [
  ['get() gives nothing', 'basic', () => ({ get: () => undefined })],
  [
    'set() merges',
    'basic',
    memory => ({
      set: (id, payload, ttl) => memory.set(id, { ...memory.get(id), ...payload }, ttl),
    }),
  ],
  ['destroy() does nothing', 'basic', () => ({ destroy: () => {} })],
  [
    'destroy() of what is not there is an error',
    'basic',
    memory => ({
      destroy: id => (memory.get(id) ? memory.destroy(id) : Promise.reject(new Error('404'))),
    }),
  ],
  [
    'objects are shared',
    'basic',
    () => {
      const table = new Map<string, unknown>()
      return {
        get: id => table.get(id),
        set: (id, payload) => void table.set(id, payload),
        destroy: id => void table.delete(id),
      }
    },
  ],
  [
    'the lifetime is dropped by set()',
    'basic',
    memory => ({
      set: (id, { _expire, _maxAge, _session, _meta, ...data }, ttl) => memory.set(id, data, ttl),
    }),
  ],
  ['a prefix of the id is enough', 'basic', memory => naming(memory, id => id.replace(/^\d+-/, ''))],
  ['expiry is not checked', 'expiry', memory => ({ set: (id, payload) => memory.set(id, payload, LONG) })],
  [
    'reading extends',
    'expiry',
    memory => ({
      get: id => {
        const payload = memory.get(id)
        if (payload) memory.set(id, payload, LONG)
        return payload
      },
    }),
  ],
  [
    'a time to live is in seconds',
    'expiry',
    memory => ({
      set: (id, payload, ttl) => memory.set(id, payload, Math.floor(ttl / 1000) * 1000),
    }),
  ],
  [
    'no time to live is for ever',
    'expiry',
    memory => ({
      set: (id, payload, ttl) => memory.set(id, payload, ttl > 0 ? ttl : LONG),
    }),
  ],
  [
    'no time to live leaves what was there',
    'expiry',
    memory => ({
      set: (id, payload, ttl) => (ttl > 0 ? memory.set(id, payload, ttl) : undefined),
    }),
  ],
  [
    'a long time to live overflows',
    'expiry',
    memory => ({
      set: (id, payload, ttl) => memory.set(id, payload, ttl > 1e15 ? -1 : ttl),
    }),
  ],
  [
    'a time to live with a fraction is refused',
    'expiry',
    memory => ({
      set: (id, payload, ttl) =>
        Number.isInteger(ttl) ? memory.set(id, payload, ttl) : Promise.reject(new Error('ERR')),
    }),
  ],
  [
    'it is the payload that expires',
    'expiry',
    (memory, clock) => ({
      get: id => {
        const payload = memory.get(id)
        return Number(payload?._expire) < clock.now() ? undefined : payload
      },
    }),
  ],
]
