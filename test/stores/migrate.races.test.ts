/*
 * Sessions that are moved while others use or end them. Every order in which the calls of two requests can reach the
 * two stores is tried, and some of three: requests stop before each call, and go on one at a time.
 */

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import test from 'node:test'
import type { Store, StoreCall, StoredRecord } from 'koa-session'
import { type MemoryStore, memoryStore } from 'koa-session/memory'
import { type MigratingStore, migrate } from 'koa-session/migrate'

const NOW = 1_700_000_000_000
const HOUR = 3_600_000
const LIFETIME = { _expire: NOW + HOUR, _maxAge: HOUR }
const OLD = JSON.stringify({ user: 'ada', n: 1, ...LIFETIME })

type Wrapped = MigratingStore<MemoryStore>
type Request = (store: Wrapped, call: StoreCall & { rolling: boolean }) => Promise<unknown>
type Requests = Readonly<Record<string, Request>>

interface World {
  readonly from: Map<string, string>
  readonly to: MemoryStore
  readonly answers: Record<string, unknown>
}

/** The calls that wait, by the request that makes them, and what each was answered so far. */
class Turns {
  readonly waiting = new Map<string, () => void>()
  readonly traces: Record<string, unknown[]> = {}

  /** `store`, whose methods wait for the turn of the request that `call.ctx` names. */
  slow<S extends object>(store: S, names: readonly string[]): S {
    const made = { ...store } as Record<string, unknown>
    for (const name of names) {
      const method = Reflect.get(store, name) as () => unknown
      made[name] = (...given: unknown[]) =>
        new Promise((resolve, reject) => {
          const { ctx } = given.at(-1) as StoreCall
          this.waiting.set(String(ctx), () => {
            try {
              const answer = Reflect.apply(method, store, given)
              this.traces[String(ctx)]?.push(answer)
              resolve(answer)
            } catch (error) {
              reject(error)
            }
          })
        })
    }
    return made as S
  }
}

const METHODS = ['get', 'set', 'destroy', 'read', 'create', 'patch', 'touch', 'retire']

/** Lets `requests` go on in the order of `schedule`; gives whose turn it can be then. */
async function replay(requests: Requests, schedule: readonly string[]) {
  const turns = new Turns()
  const from = new Map([['a', OLD]])
  const old: Store = { get: id => from.get(id), set: () => assert.fail(), destroy: id => void from.delete(id) }
  const to = memoryStore({ now: () => NOW })
  const slow = turns.slow(to, METHODS) as unknown as Record<string, unknown>
  const { get, set, destroy } = slow
  const target = Object.assign(slow, { plain: { get, set, destroy } }) as unknown as MemoryStore
  const store = migrate(turns.slow(old, ['get', 'set', 'destroy']), target, { now: () => NOW })
  const world: World = { from, to, answers: {} }
  const failures: unknown[] = []
  for (const [name, request] of Object.entries(requests)) {
    turns.traces[name] = []
    request(store, { ctx: name, rolling: false }).then(
      answer => {
        world.answers[name] = answer
      },
      error => failures.push(error),
    )
  }
  await settled()
  for (const name of schedule) {
    const go = turns.waiting.get(name)
    if (!go) continue
    turns.waiting.delete(name)
    go()
    await settled()
  }
  assert.deepEqual(failures, [])
  const held = ['a', 'b'].map(id => to.read(id) ?? null)
  const state = JSON.stringify([[...from], held, turns.traces, world.answers])
  return { world, state: numbered(state), next: [...turns.waiting.keys()] }
}

/** Marks by the order in which they appear, because each is another one. */
function numbered(state: string): string {
  const marks: string[] = []
  return state.replace(/(?<=_mov(?:ing|ed):)[-\w]+/g, mark => {
    if (!marks.includes(mark)) marks.push(mark)
    return String(marks.indexOf(mark))
  })
}

/** Until every request has made its next call. */
const settled = () => new Promise(resolve => setImmediate(resolve))

/** Checks what is left after each of some orders in which the calls of several requests can come, drawn by lot. */
async function sample(requests: Requests, orders: number, check: (world: World) => void): Promise<void> {
  const names = Object.keys(requests)
  let lot = 1
  const draw = (size: number) => {
    lot = (lot * 48_271) % 2_147_483_647
    return lot % size
  }
  for (let order = 0; order < orders; order++) {
    // Whoever has the turn keeps it for some calls: what goes wrong takes one that is far ahead.
    const turns = Array.from({ length: 16 }, () => Array<string>(1 + draw(5)).fill(names[draw(names.length)] ?? ''))
    await finish(requests, turns.flat(), check)
  }
}

/** Checks what is left after an order, with the rest of the calls one request after the other. */
async function finish(requests: Requests, schedule: readonly string[], check: (world: World) => void): Promise<void> {
  const rest = Object.keys(requests).flatMap(name => Array<string>(30).fill(name))
  const { world, next } = await replay(requests, [...schedule, ...rest])
  assert.deepEqual(next, [], 'one is still under way')
  check(world)
}

/** Checks what is left after every order. Orders that lead to the same state are continued once. */
async function explore(requests: Requests, check: (world: World) => void): Promise<number> {
  const seen = new Set<string>()
  const open: string[][] = [[]]
  let ends = 0
  for (let schedule = open.pop(); schedule; schedule = open.pop()) {
    const { world, state, next } = await replay(requests, schedule)
    if (seen.has(state)) continue
    seen.add(state)
    for (const name of next) open.push([...schedule, name])
    if (next.length > 0) continue
    ends++
    assert.deepEqual(Object.keys(world.answers).sort(), Object.keys(requests).sort(), 'one is still under way')
    try {
      check(world)
    } catch (error) {
      throw Object.assign(error as Error, { schedule: schedule.join(' ') })
    }
  }
  return ends
}

const read: Request = (store, call) => Promise.resolve(store.read('a', call))
const dataOf = (record: unknown) => record && { ...(record as StoredRecord).members }
const ADA = { user: '"ada"', n: '1' }

function isMoved({ from, to }: World, data: object = ADA): void {
  assert.deepEqual([...from], [], 'it is still in the old store')
  assert.deepEqual(dataOf(to.read('a')), data)
  assert.deepEqual(to.read('a')?.lifetime, LIFETIME)
}

function isGone({ from, to }: World): void {
  assert.deepEqual([...from], [], 'it is still in the old store')
  assert.equal(to.read('a'), undefined, 'it is in the new store')
}

/** What a sign-out does, and whether the session is there once it is over. */
const signOut: Request = async (store, call) => {
  await store.destroy('a', call)
  return store.read('a', call)
}

test('requests that read it at once all find it, and it is moved once', async () => {
  const check = (world: World) => {
    for (const answer of Object.values(world.answers)) assert.deepEqual(dataOf(answer), ADA)
    isMoved(world)
  }
  assert.ok((await explore({ one: read, two: read }, check)) > 1)
  await sample({ one: read, two: read, three: read }, 100, check)
})

test('a session that is ended while another request moves it is ended', async () => {
  const check = (world: World) => {
    assert.equal(world.answers.out, undefined, 'it is there after it was ended')
    isGone(world)
  }
  assert.ok((await explore({ one: read, out: signOut }, check)) > 1)
})

test('a session that is ended while two requests move it is ended', async () => {
  const requests = { one: read, two: read, out: signOut }
  const check = (world: World) => {
    assert.equal(world.answers.out, undefined, 'it is there after it was ended')
    isGone(world)
  }
  // The first has asked the old store for the second time, the second once, when the session is ended: then there is
  // a copy from the second one, and the first goes on as if it were its own.
  const [one, two, out] = ['one', 'two', 'out'].map(name => (count: number) => Array<string>(count).fill(name))
  const turns = [two?.(2), one?.(5), out?.(2), two?.(1), one?.(30), out?.(30), two?.(30)]
  await finish(
    requests,
    turns.flatMap(names => names ?? []),
    check,
  )
  await sample(requests, 300, check)
})

test('a session that is given another id while others move it is under that id alone', async () => {
  const regenerate: Request = async (store, call) => {
    const record = await store.read('a', call)
    assert.ok(record, 'it is not there')
    assert.equal(await store.create('b', record, HOUR, call), true)
    return store.retire?.('a', { version: record.version }, HOUR, call)
  }
  const check = ({ from, to, answers }: World) => {
    assert.equal(answers.new, 'saved')
    assert.deepEqual([...from], [])
    assert.equal(to.read('a')?.retiredAt, NOW)
    assert.deepEqual(dataOf(to.read('b')), ADA)
  }
  assert.ok((await explore({ one: read, new: regenerate }, check)) > 1)
})

test('a session that is left without data while another request moves it is gone', async () => {
  const empty: Request = async (store, call) => {
    await store.read('a', call)
    const patch = { set: {}, unset: ['user', 'n'], lifetime: LIFETIME, keepsEmpty: false }
    assert.equal(await store.patch('a', patch, HOUR, call), 'emptied')
    return store.read('a', call)
  }
  const check = (world: World) => {
    assert.equal(world.answers.out, undefined)
    isGone(world)
  }
  assert.ok((await explore({ one: read, out: empty }, check)) > 1)
})

test('an id that is in the old store, or on its way, is taken', async () => {
  const create: Request = (store, call) =>
    Promise.resolve(store.create('a', { members: { user: '"eve"' }, lifetime: LIFETIME }, HOUR, call))
  const check = (world: World) => {
    assert.equal(world.answers.new, false)
    isMoved(world)
  }
  assert.ok((await explore({ one: read, new: create }, check)) > 1)
})

test('what requests change while others move it is there afterwards', async () => {
  const change =
    (key: string): Request =>
    async (store, call) =>
      store.patch('a', { set: { [key]: '2' }, unset: [], lifetime: LIFETIME, keepsEmpty: false }, HOUR, call)
  const check = (world: World) => {
    assert.deepEqual([world.answers.one, world.answers.two], ['saved', 'saved'])
    isMoved(world, { ...ADA, one: '2', two: '2' })
  }
  assert.ok((await explore({ one: change('one'), two: change('two') }, check)) > 1)
})

test('a lifetime that was extended while others move it stays so', async () => {
  const lifetime = { _expire: NOW + 2 * HOUR, _maxAge: HOUR }
  const extend: Request = async (store, call) => store.touch('a', lifetime, 2 * HOUR, call)
  const check = ({ answers, to }: World) => {
    assert.equal(answers.touch, true)
    assert.deepEqual(to.read('a')?.lifetime, lifetime)
  }
  assert.ok((await explore({ one: read, touch: extend }, check)) > 1)
})

test('what takes its place while others move it stays', async () => {
  const put: Request = async (store, call) => {
    await store.set('a', { user: 'bob', ...LIFETIME }, HOUR, { ...call, changed: true })
  }
  const check = (world: World) => isMoved(world, { user: '"bob"' })
  assert.ok((await explore({ one: read, set: put }, check)) > 1)
})

test('a session whose move was cut off, at any call, does not come back once all of its user have ended', async () => {
  const call = { ctx: undefined, rolling: false }
  const subject = createHash('sha256').update('ada').digest('base64url')
  let cuts = 0
  for (let at = 0; ; at++) {
    for (const isDone of [false, true]) {
      const from = new Map([['a', OLD]])
      const to = memoryStore({ now: () => NOW })
      let left = at
      /** Fails at one call, before or after it was carried out. */
      const cut = <S extends object>(store: S, names: readonly string[]) =>
        Object.assign(
          { ...store },
          Object.fromEntries(
            names.map(name => [
              name,
              async (...given: unknown[]) => {
                const isCut = left-- === 0
                const method = Reflect.get(store, name) as () => unknown
                const answer = isCut && !isDone ? undefined : Reflect.apply(method, store, given)
                if (isCut) throw new Error('cut off')
                return answer
              },
            ]),
          ),
        ) as S
      const old: Store = { get: id => from.get(id), set: () => assert.fail(), destroy: id => void from.delete(id) }
      const target = cut(to, ['read', 'create', 'patch'])
      const store = migrate(cut(old, ['get', 'destroy']), target, { now: () => NOW })
      const isCut = await Promise.resolve(store.read('a', call)).then(
        () => false,
        () => true,
      )
      if (!isCut) return assert.ok(cuts > 10, `${cuts}`)
      cuts++
      const patch = { set: { n: '2' }, unset: [], lifetime: LIFETIME, keepsEmpty: false, subject }
      assert.equal(await store.patch('a', patch, HOUR, call), 'saved')
      assert.deepEqual(dataOf(await store.read('a', call)), { ...ADA, n: '2' })
      assert.equal(await store.destroyAll('ada'), 1)
      assert.equal(await store.read('a', call), undefined, `it came back after a cut at call ${at}`)
      assert.deepEqual([...from], [])
    }
  }
})
