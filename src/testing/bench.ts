import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type {
  ListedSession,
  ListOptions,
  Patch,
  Patched,
  Retire,
  Store,
  StoredLifetime,
  StoredPayload,
  StoredRecord,
  Which,
  Whose,
} from '../stores/store.ts'
import type { ManualClock } from './clock.ts'

/** Longer (ms) than all tests together let pass. */
export const LONG = 100_000_000_000

/** The time to live (ms) of what is to expire, where the clock is a manual one. */
const MINUTE = 60_000

/** How far (ms) the instants of a store may be from those of the kit, where the clock is a real one. */
const TOLERANCE = 10_000

type Members = StoredRecord['members']

/** What a patch of the kit leaves out has the value that does the least. */
export type PatchParts = Partial<Patch>

export interface RecordParts extends Partial<Omit<StoredRecord, 'members'>> {
  readonly ttl?: number
}

/** How time passes. */
export type Time = { readonly clock: ManualClock } | { readonly clock?: undefined; readonly ttl: number }

/** A store under test, asked as the middleware asks it. Everything that is handed over is frozen. */
export class Bench {
  readonly store: Required<Store>
  /** The time to live (ms) of what is to expire during a test. */
  readonly ttl: number
  readonly #time: Time
  readonly #corrupt: ((id: string, store: Store) => unknown) | undefined
  readonly #suffix = randomBytes(8).toString('hex')
  readonly #signed = Object.freeze({ ctx: Object.freeze({}), signed: true })
  readonly #call = Object.freeze({ ...this.#signed, rolling: false })

  constructor(store: Store, time: Time, corrupt: ((id: string, store: Store) => unknown) | undefined) {
    // A test asks only for what the store claims to have.
    this.store = store as Required<Store>
    this.ttl = time.clock ? MINUTE : time.ttl
    this.#time = time
    this.#corrupt = corrupt
  }

  /** An id that no other test has. */
  id(stem = 'id'): string {
    return `${stem}-${this.#suffix}`
  }

  now(): number {
    return this.#time.clock ? this.#time.clock.now() : Date.now()
  }

  /** Lets `ms` pass; where the clock is a real one, some more. */
  async pass(ms: number): Promise<void> {
    if (this.#time.clock) this.#time.clock.advance(ms)
    else await sleep(ms * 1.25 + 50)
  }

  /** That an instant is `expected`, as far as the clock allows to say so. */
  isInstant(actual: unknown, expected: number, what: string): void {
    const isClose = typeof actual === 'number' && Math.abs(actual - expected) <= (this.#time.clock ? 0 : TOLERANCE)
    assert.ok(isClose, `${what} is ${String(actual)}, expected ${expected}`)
  }

  lifetime(ttl = LONG): StoredLifetime {
    return { _expire: Math.round(this.now() + ttl), _maxAge: Math.max(1, Math.round(ttl)) }
  }

  async get(id: string): Promise<unknown> {
    return this.store.get(id, LONG, this.#call)
  }

  async set(id: string, payload: StoredPayload, ttl = LONG): Promise<void> {
    await this.store.set(id, deepFrozen(payload), ttl, { ...this.#call, changed: true })
  }

  async destroy(id: string): Promise<void> {
    await this.store.destroy(id, this.#signed)
  }

  async read(id: string): Promise<StoredRecord | undefined> {
    return this.store.read(id, this.#call)
  }

  async create(id: string, members: Members, { ttl = LONG, ...parts }: RecordParts = {}): Promise<boolean> {
    const record = deepFrozen({ members, lifetime: this.lifetime(ttl), ...parts })
    return this.store.create(id, record, ttl, this.#signed)
  }

  async patch(id: string, parts: PatchParts, ttl = LONG): Promise<Patched> {
    const patch = deepFrozen({ set: {}, unset: [], lifetime: this.lifetime(ttl), keepsEmpty: false, ...parts })
    return this.store.patch(id, patch, ttl, this.#signed)
  }

  async touch(id: string, ttl = LONG, lifetime = this.lifetime(ttl)): Promise<boolean> {
    return this.store.touch(id, deepFrozen(lifetime), ttl, this.#signed)
  }

  async retire(id: string, ttl = LONG, retire: Retire = {}): Promise<Patched> {
    return this.store.retire(id, retire, ttl, this.#signed)
  }

  async list(subject: Whose, options?: ListOptions): Promise<readonly ListedSession[]> {
    return this.store.list(subject, options)
  }

  async destroyAll(subject: Whose, which?: Which): Promise<number> {
    return this.store.destroyAll(subject, which)
  }

  async corrupt(id: string): Promise<void> {
    await this.#corrupt?.(id, this.store)
  }

  /** That there is a payload under `id` which is `expected`. */
  async has(id: string, expected: StoredPayload, message?: string): Promise<void> {
    assert.deepEqual(plain(await this.get(id)), plain(expected), message)
  }

  async hasNone(id: string, message = 'get() gave a session where none is'): Promise<void> {
    assertNone(await this.get(id), message)
  }

  /** That `get` gives of a tombstone when the id was retired, and nothing else. Its clock may be that of this process. */
  async hasRetired(id: string, retiredAt: unknown): Promise<void> {
    const payload = Object(await this.get(id)) as Record<string, unknown>
    assert.deepEqual(Object.keys(payload), ['_retired'], 'get() gives { _retired } and nothing else')
    this.isInstant(payload._retired, Number(retiredAt), '_retired')
  }

  /** That there is a record under `id` with these members, each text byte for byte. */
  async hasMembers(id: string, expected: Members, message?: string): Promise<StoredRecord> {
    const record = await this.read(id)
    assert.ok(record, message ?? 'read() gave no record')
    assert.deepEqual({ ...record.members }, { ...expected }, message)
    return record
  }

  /** That there is nothing under `id`, whatever is asked. */
  async isFree(id: string): Promise<void> {
    await this.hasNone(id)
    assertNone(await this.read(id), 'read() gave a record where none is')
    assert.equal(await this.touch(id), false, 'touch() found a record where none is')
    assert.equal(await this.patch(id, { set: { back: '1' } }), 'gone', 'patch() found a record where none is')
    await this.hasNone(id, 'patch() or touch() brought a session back')
    assertNone(await this.read(id), 'patch() or touch() brought a record back')
  }
}

/** `nothing` is what a store may call it: `undefined` or `null`. */
export function assertNone(value: unknown, message: string): void {
  assert.equal(value ?? undefined, undefined, message)
}

/** As JSON has it: without what is `undefined`, and with the prototype of an object. */
export function plain(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value))
}

/** The SHA-256 in base64url. */
export function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url')
}

function deepFrozen<Value>(value: Value): Value {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const name of Object.keys(value)) deepFrozen((value as Record<string, unknown>)[name])
  }
  return value
}
