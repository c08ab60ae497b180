/** What is asked of a store in any order, and of one in memory at the same time: the answers are the same. */
import assert from 'node:assert/strict'
import type { TestContext as Test } from 'node:test'
import { memoryStore } from 'koa-session/memory'
import type { RecordStore } from 'koa-session/redis'
import { type ManualClock, manualClock } from 'koa-session/testing'
import fc from '../../support/properties.ts'
import { digestOf as digest, type Register } from './contract.ts'

const NOW = 1_700_000_000_000
const HOUR = 3_600_000
const CALL = { ctx: undefined, rolling: false, changed: true }
const NAMES = ['', 'a', 'A', 'ä🍪', '\ud83c', '\0', '0', 'a.b', '$set', '_id', '~0041', '!a', '"', 'constructor']
const IDS = ['a', '@\ud83c', '']
const SUBJECTS = ['ada', '']

export interface Same {
  open(t: Test, clock: ManualClock): RecordStore | Promise<RecordStore>
  /** `false`: the server expires sessions by its own clock, so that no time passes. */
  readonly elapses?: boolean
  readonly runs?: number
  readonly start?: number | undefined
}

export function proveSame(register: Register, { open, elapses = true, runs = 20, start = NOW }: Same): void {
  register('it answers as the store in memory does, whatever is asked of it', async t => {
    const clock = manualClock(start)
    const store = await open(t, clock)
    let run = 0
    await fc.assert(
      fc.asyncProperty(fc.array(stepsOf(elapses), { minLength: 1, maxLength: 30, size: 'max' }), async steps => {
        const memory = memoryStore({ now: clock.now }) as unknown as RecordStore
        const own = (name: string) => `${name}#${run}`
        run++
        await store.clear()
        for (const step of steps) {
          if (step.kind === 'elapse') clock.advance(step.time)
          const after = async (tested: RecordStore) => ({
            answer: await take(tested, step, own),
            record: await tested.read(own(step.id), CALL),
            lists: [await tested.list(own('ada'), { limit: step.limit }), await tested.list(own(''))],
          })
          assert.deepEqual(plain(await after(store)), plain(await after(memory)))
        }
      }),
      { numRuns: runs },
    )
  })
}

function stepsOf(elapses: boolean) {
  const members = fc.dictionary(
    fc.constantFrom(...NAMES),
    fc.jsonValue().map(value => JSON.stringify(value)),
    { maxKeys: 3, noNullPrototype: true },
  )
  const often = ['create', 'patch', 'patch', 'retire', ...(elapses ? ['elapse'] : [])]
  return fc.record({
    kind: fc.constantFrom(
      ...often,
      ...often,
      'set',
      'get',
      'touch',
      'destroy',
      'only',
      'except',
      'end',
      'all',
      'clear',
    ),
    id: fc.constantFrom(...IDS),
    other: fc.option(fc.constantFrom(...IDS), { nil: undefined, freq: 5 }),
    members,
    unset: fc.array(fc.constantFrom(...NAMES), { maxLength: 3 }),
    lifetime: fc.constantFrom({}, { _expire: NOW }, { _maxAge: 0.5, _session: true }, { _meta: { dataVersion: 1 } }),
    subject: fc.constantFrom(undefined, null, ...SUBJECTS),
    keepsEmpty: fc.boolean(),
    version: fc.constantFrom(undefined, undefined, undefined, 0, 1),
    ttl: fc.constantFrom(HOUR, 2 * HOUR, 8e15, 0, -1, ...(elapses ? [1, 1000] : [])),
    limit: fc.constantFrom(1, 2),
    time: fc.constantFrom(1, 1000, HOUR),
  })
}

type Step = ReturnType<typeof stepsOf> extends fc.Arbitrary<infer Of> ? Of : never

async function take(store: RecordStore, step: Step, own: (name: string) => string): Promise<unknown> {
  const { kind, members, unset, lifetime, keepsEmpty, version, ttl } = step
  const [id, other] = [own(step.id), step.other === undefined ? undefined : own(step.other)]
  const subject = typeof step.subject === 'string' ? digest(own(step.subject)) : step.subject
  switch (kind) {
    case 'create':
      return store.create(id, { members, lifetime, subject: subject ?? undefined }, ttl, CALL)
    case 'set': {
      const data = Object.entries(members).map(([name, text]) => [name, JSON.parse(text)])
      return store.set(id, { ...Object.fromEntries(data), ...lifetime }, ttl, CALL)
    }
    case 'get':
      return store.get(id, HOUR, CALL)
    case 'patch':
      return store.patch(id, { set: members, unset, lifetime, keepsEmpty, version, subject }, ttl, CALL)
    case 'touch':
      return store.touch(id, lifetime, ttl, CALL)
    case 'retire':
      // The store in memory keeps a tombstone for ten minutes at most.
      return store.retire(id, { version, successor: other }, Math.min(ttl, 600_000), CALL)
    case 'destroy':
      return store.destroy(id, CALL)
    case 'only':
      return store.destroyAll(own('ada'), { only: digest(id), ...(other !== undefined && { except: other }) })
    case 'except':
      return store.destroyAll(own('ada'), { except: id })
    case 'end':
      return store.destroyAll(own(''))
    case 'clear':
      return store.clear()
    case 'all':
      return [await store.count(), await everyOf(store)]
    default:
      return undefined
  }
}

/** In an order that is the same in all. */
async function everyOf(store: RecordStore): Promise<unknown[]> {
  const found = new Map<string, unknown>()
  for await (const { cursor: _, ...one } of store.all()) found.set(one.handle, one)
  return [...found].sort(([one], [other]) => (one < other ? -1 : 1))
}

/** A property that is not there is like one that is `undefined`. */
function plain(answers: unknown): unknown {
  return JSON.parse(JSON.stringify(answers))
}
