import { naming, type Row, renaming, rewriting } from './break.ts'

export const HOSTILE: readonly Row[] = [
  ['the table is an object', 'hostile ids', memory => ({ get: id => memory.get(id) ?? Reflect.get({}, id) })],
  ['ids of small and large letters are the same', 'hostile ids', memory => naming(memory, id => id.toLowerCase())],
  ['spaces after an id do not count', 'hostile ids', memory => naming(memory, id => id.trimEnd())],
  ['an id ends at NUL', 'hostile ids', memory => naming(memory, id => id.split('\0')[0] ?? '')],
  ['ids are normalized', 'hostile ids', memory => naming(memory, id => id.normalize('NFC'))],
  ['ids are cut', 'hostile ids', memory => naming(memory, id => id.slice(0, 128))],
  [
    'a long id is an error',
    'hostile ids',
    memory => ({
      get: id => (id.length > 500 ? Promise.reject(new Error('value too long')) : memory.get(id)),
    }),
  ],
  [
    'names are paths',
    'hostile names',
    memory => ({
      ...renaming(memory, name => name.replace(/^\$\./, '')),
    }),
  ],
  ['dots in names are replaced', 'hostile names', memory => renaming(memory, name => name.replaceAll('.', '_'))],
  ['NUL in names is dropped', 'hostile names', memory => renaming(memory, name => name.replaceAll('\0', ''))],
  ['names go through UTF-8', 'hostile names', memory => renaming(memory, name => Buffer.from(name).toString())],
  [
    'a store has a field of its own among the members',
    'hostile names',
    memory => ({
      read: id => {
        const record = memory.read(id)
        const { version: _, ...members } = record?.members ?? {}
        return record && { ...record, members }
      },
    }),
  ],
  [
    'an empty name is left out',
    'hostile names',
    memory => ({
      set: (id, { '': _, ...payload }, ttl) => memory.set(id, payload, ttl),
    }),
  ],
  [
    'a member named __proto__ becomes the prototype',
    'hostile names',
    memory => ({
      get: id => {
        const record = memory.read(id)
        const payload: Record<string, unknown> = {}
        for (const [name, text] of Object.entries(record?.members ?? {})) payload[name] = JSON.parse(text)
        return record && Object.assign(payload, record.lifetime)
      },
    }),
  ],
  [
    'a record with a member named __proto__ is lost',
    'hostile names',
    memory => ({
      create: (id, record, ttl) =>
        memory.create(id, Object.hasOwn(record.members, '__proto__') ? { ...record, members: {} } : record, ttl),
    }),
  ],
  [
    'null is dropped',
    'hostile values',
    memory => ({
      set: (id, payload, ttl) =>
        memory.set(id, Object.fromEntries(Object.entries(payload).filter(([, value]) => value !== null)), ttl),
    }),
  ],
  [
    'texts are parsed and made again',
    'hostile values',
    memory => rewriting(memory, text => JSON.stringify(JSON.parse(text))),
  ],
  [
    'lone surrogates are replaced',
    'hostile values',
    memory => rewriting(memory, text => text.replaceAll('\\ud800', '\ufffd')),
  ],
  [
    'characters beyond the basic plane are replaced',
    'hostile values',
    memory => rewriting(memory, text => text.replaceAll(/[\u{10000}-\u{10ffff}]/gu, '?')),
  ],
  ['what is large is cut', 'hostile values', memory => rewriting(memory, text => text.slice(0, 1_000_000))],
  [
    'what is large is an error',
    'hostile values',
    memory => ({
      set: (id, payload, ttl) =>
        JSON.stringify(payload).length > 1e6 ? Promise.reject(new Error('too large')) : memory.set(id, payload, ttl),
    }),
  ],
]
