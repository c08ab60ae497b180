/** Stories about a store that fails once, or is slow: what it holds at the end, what the browser has, what was told. */
import { randomUUID } from 'node:crypto'
import type { TestContext as Test } from 'node:test'
import type { CreateSessionOptions } from 'koa-session'
import { type MemoryStoreOptions, memoryStore } from 'koa-session/memory'
import type { Visitor } from '../support/agent.ts'
import {
  type Course,
  fails,
  failsAtOnce,
  failsThoughDone,
  hangs,
  type Method,
  scriptedStore,
} from '../support/stores.ts'
import { KEY, type Pages, serve, told } from '../support/story.ts'

/** Ways to fail: what the request is told is the same, what the store holds is not. */
export const FAILURES: Readonly<Record<string, Course>> = {
  'fails at once': failsAtOnce,
  'fails later': fails,
  'fails though it was done': failsThoughDone,
  'does not answer though it was done': ask => {
    ask()
    return hangs(ask)
  },
}
export const taken: Course = () => false

export interface State {
  /** The data of each record in the store, the oldest first, without tombstones. */
  readonly held: readonly unknown[]
  /** The data behind the browser's cookie, `'a dead id'` or `'no cookie'`. */
  readonly client: unknown
  /** The events, with the keys that were lost; without `session:error` and `session:refused`. */
  readonly told: readonly string[]
  /** The codes of the application's errors. */
  readonly errors: readonly unknown[]
}

/**
 * Tells a story on a memory store. `courses` has the next calls of a method take another course, one after the other.
 * The ids are random, unless `ids` says those that come first.
 */
export async function script(t: Test, pages: Pages, options: CreateSessionOptions = {}, own: MemoryStoreOptions = {}) {
  const memory = memoryStore({ now: () => made.clock.now(), ...own })
  const { store, courses: next } = scriptedStore(memory)
  const courses = next as Partial<Record<Method, Course[]>>
  const ids: string[] = []
  const genid = () => {
    const id = randomUUID()
    ids.push(id)
    return id
  }
  const kept = { store, genid, storeTimeout: 500, ...options }
  const made = await serve(t, () => kept, { ...PAGES, ...pages })
  // Koa leaves a response open whose request fails after the headers have left.
  made.app.on('error', (_, ctx) => ctx?.headerSent && ctx.res.end())

  const dataOf = (id: string) => {
    const record = memory.read(id)
    if (!record || record.retiredAt !== undefined) return undefined
    return Object.fromEntries(Object.entries(record.members).map(([name, text]) => [name, JSON.parse(text)]))
  }
  const idOf = ({ jar }: Visitor) => jar.get(KEY)
  const state = async (visitor = made.visitor): Promise<State> => {
    await told()
    const id = idOf(visitor)
    const events = made.events.filter(([event]) => !['session:error', 'session:refused'].includes(event))
    return {
      held: ids.map(dataOf).filter(data => data !== undefined),
      client: id === undefined ? 'no cookie' : (dataOf(id) ?? 'a dead id'),
      told: events.map(([event, { keys = [] }]) => [event, ...[...(keys as string[])].sort()].join(' ')),
      errors: made.errors.map(({ code, message }) => code ?? message),
    }
  }
  return { ...made, memory, courses, ids, dataOf, idOf, state }
}

const PAGES: Pages = {
  '/begin': ctx => {
    ctx.session.a = 1
  },
  '/b': ctx => {
    ctx.session.b = 2
  },
  '/new-id': ctx => ctx.session.regenerate(),
}

/** The state of a session that nothing happened to. */
export const at = (data: unknown, told: readonly string[] = [], errors: readonly unknown[] = []): State => ({
  held: [data],
  client: data,
  told,
  errors,
})
export const NOTHING: State = { held: [], client: 'no cookie', told: [], errors: [] }
