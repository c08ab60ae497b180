/** What is behind a presented id, by what the store has under it. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { resolveConfig } from '../../src/config.ts'
import type { StandardSchema } from '../../src/options.ts'
import type { AskedStore } from '../../src/request/asked-store.ts'
import { loadStored } from '../../src/request/load-stored.ts'
import { FakeExchange } from './exchange.ts'

const NOW = 1_000_000
const LIFETIME = { _expire: NOW + 1000, _maxAge: 1000 }
const MISSING = { fault: 'missed', reason: 'missing', id: 'A' }

function schemaOf(isGood: (data: unknown) => boolean, isAsync = false): StandardSchema {
  const validate = (data: unknown) => (isGood(data) ? { value: data } : { issues: [{ message: 'no' }] })
  const standard = {
    version: 1,
    vendor: 'test',
    validate: isAsync ? async (data: unknown) => validate(data) : validate,
  }
  return { '~standard': standard } as unknown as StandardSchema
}

type Options = Readonly<Record<string, unknown>>

async function load(options: Options, store: { read?: () => unknown; get?: () => unknown }) {
  const exchange = new FakeExchange()
  const config = resolveConfig({ now: () => NOW, ...options })
  const asked = { isKeyed: store.read !== undefined, ...store } as unknown as AskedStore
  const loaded = await loadStored(exchange, config, asked, 'A')
  return { loaded, events: exchange.events }
}

const RECORD = { members: { a: '1' }, lifetime: LIFETIME, version: 7, subject: 'ann' }
const [PAYLOAD, FOUND] = [
  { a: 1, ...LIFETIME },
  { id: 'A', lifetime: LIFETIME, members: { a: '1' }, version: 7, subject: 'ann' },
]
const READ = { id: 'A', lifetime: LIFETIME, payload: PAYLOAD, version: 7, subject: 'ann' }
const GONE = { fault: 'missed', reason: 'retired', id: 'A', isParallel: false }
const refusedBy = (reason: string) => ({ fault: 'invalid', reason, id: 'A', value: PAYLOAD })

/** Records of a store that is written to key by key. */
const RECORDS: Readonly<
  Record<string, readonly [record: unknown, loaded: unknown, options?: Options, events?: readonly unknown[]]>
> = {
  'a record': [RECORD, FOUND],
  'a record, later': [Promise.resolve(RECORD), FOUND],
  nothing: [undefined, MISSING],
  'a record without a lifetime': [{ members: { a: '1' } }, MISSING],
  'a record without members': [{ members: undefined, lifetime: LIFETIME }, MISSING],
  'a record that says nothing at all': [{ members: {}, lifetime: {} }, MISSING],
  'a record that says that it expires': [
    { ...RECORD, members: {} },
    { ...FOUND, members: {} },
  ],
  'a record that lives until the browser closes': [
    { members: {}, lifetime: { _session: true } },
    { id: 'A', lifetime: { _session: true }, members: {}, version: undefined, subject: undefined },
  ],
  'a record with data that never expires': [
    { ...RECORD, lifetime: {} },
    { ...FOUND, lifetime: {} },
  ],
  'a record that has expired': [
    { ...RECORD, lifetime: { _expire: NOW - 1, _maxAge: 1 } },
    { fault: 'expired', reason: 'expired', id: 'A', value: { a: 1, _expire: NOW - 1, _maxAge: 1 } },
  ],
  'a record that is too old': [
    { ...RECORD, lifetime: { ...LIFETIME, _meta: { created: NOW - 500 } } },
    { fault: 'expired', reason: 'absolute', id: 'A', value: { ...PAYLOAD, _meta: { created: NOW - 500 } } },
    { absoluteTimeout: 500 },
  ],
  'a record that `valid` accepts': [RECORD, READ, { valid: (_: unknown, { a }: Options) => a === 1 }],
  'a record that `valid` accepts later': [RECORD, READ, { valid: async () => true }],
  'a record that `valid` refuses': [RECORD, refusedBy('valid'), { valid: () => false }],
  'a record that the schema accepts': [RECORD, READ, { schema: schemaOf(data => JSON.stringify(data) === '{"a":1}') }],
  'a record that the schema refuses': [RECORD, refusedBy('schema'), { schema: schemaOf(() => false) }],
  'a record that the schema refuses later': [RECORD, refusedBy('schema'), { schema: schemaOf(() => false, true) }],
  'a record that is no JSON': [
    { ...RECORD, members: { a: '{' } },
    { fault: 'invalid', reason: 'undecodable', id: 'A' },
    { valid: () => true },
  ],
  'a record that is no JSON, and that nothing looks at': [
    { ...RECORD, members: { a: '{' } },
    { ...FOUND, members: { a: '{' } },
  ],
  'an id that was retired now': [
    { members: {}, lifetime: {}, retiredAt: NOW },
    { ...GONE, isParallel: true },
  ],
  'an id that was retired just under ten seconds ago': [
    { members: {}, lifetime: {}, retiredAt: NOW - 9999, successor: 'B' },
    { ...GONE, isParallel: true },
  ],
  'an id that was retired ten seconds ago': [
    { members: {}, lifetime: {}, retiredAt: NOW - 10_000, successor: 'B' },
    GONE,
    {},
    [{ type: 'reuse', id: 'A', successor: 'B', subject: undefined }],
  ],
  'an id that was retired at no instant': [
    // Subtraction throws for it.
    { members: {}, lifetime: {}, retiredAt: { toString: false, valueOf: false } },
    GONE,
    {},
    [{ type: 'reuse', id: 'A', successor: undefined, subject: undefined }],
  ],
}

for (const [what, [record, loaded, options = {}, events = []]] of Object.entries(RECORDS)) {
  test(`in a store that is written to key by key: ${what}`, async () => {
    const found = await load(options, { read: () => record })
    assert.deepEqual([found.loaded, found.events], [loaded, events])
  })
}

/** Payloads of a store of three methods. */
const PAYLOADS: Readonly<
  Record<string, readonly [payload: unknown, loaded: unknown, options?: Options, events?: readonly unknown[]]>
> = {
  'a payload': [PAYLOAD, { id: 'A', lifetime: PAYLOAD, payload: PAYLOAD, version: undefined, subject: undefined }],
  'a payload, later': [
    Promise.resolve(PAYLOAD),
    { id: 'A', lifetime: PAYLOAD, payload: PAYLOAD, version: undefined, subject: undefined },
  ],
  nothing: [undefined, { ...MISSING, value: undefined }],
  null: [null, { ...MISSING, value: null }],
  'an empty text': ['', { ...MISSING, value: '' }],
  'an empty object': [{}, { ...MISSING, value: {} }],
  'a text': ['text', { fault: 'invalid', reason: 'undecodable', id: 'A', value: 'text' }],
  'a list': [[1], { fault: 'invalid', reason: 'undecodable', id: 'A', value: [1] }],
  'a payload that has expired': [
    { _expire: NOW - 1 },
    { fault: 'expired', reason: 'expired', id: 'A', value: { _expire: NOW - 1 } },
  ],
  'a payload that `valid` refuses': [PAYLOAD, refusedBy('valid'), { valid: () => false }],
  'a payload that is refused later': [PAYLOAD, refusedBy('schema'), { schema: schemaOf(() => false, true) }],
  'a tombstone': [
    { _retired: NOW - 10_000 },
    GONE,
    {},
    [{ type: 'reuse', id: 'A', successor: undefined, subject: undefined }],
  ],
  'a tombstone of just now': [{ _retired: NOW - 9999 }, { ...GONE, isParallel: true }],
  'data of that name': [
    { _retired: 'from work' },
    {
      id: 'A',
      lifetime: { _retired: 'from work' },
      payload: { _retired: 'from work' },
      version: undefined,
      subject: undefined,
    },
  ],
  'a number of that name among others': [
    { _retired: 1, a: 1 },
    {
      id: 'A',
      lifetime: { _retired: 1, a: 1 },
      payload: { _retired: 1, a: 1 },
      version: undefined,
      subject: undefined,
    },
  ],
}

for (const [what, [payload, loaded, options = {}, events = []]] of Object.entries(PAYLOADS)) {
  test(`in a store of three methods: ${what}`, async () => {
    const found = await load(options, { get: () => payload })
    assert.deepEqual([found.loaded, found.events], [loaded, events])
  })
}
