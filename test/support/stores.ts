/** A store whose calls are written down, and take another course where a test says so. */
import { setImmediate } from 'node:timers/promises'
import type { Store } from 'koa-session'
import { memoryStore } from 'koa-session/memory'

const PLAIN = ['get', 'set', 'destroy'] as const
const KEYED = ['read', 'create', 'patch', 'touch', 'retire'] as const
export const METHODS = [...PLAIN, ...KEYED] as const
export type Method = (typeof METHODS)[number]
type Call = readonly [method: Method, ...given: unknown[]]
/** The course of one call: `ask` asks the store. */
export type Course = (ask: () => unknown, ...given: unknown[]) => unknown

export const DOWN = new Error('connection refused')
export const down: Course = () => {
  throw DOWN
}
export const hang: Course = () => new Promise(() => {})
/** Asks a turn of the event loop later. */
export const later: Course = async ask => {
  await setImmediate()
  return ask()
}

/** The three methods of `store` alone, as people have written them for koa-session 7. */
export function plainOf({ get, set, destroy }: Pick<Store, (typeof PLAIN)[number]>): Store {
  return { get, set, destroy }
}

/** `inner`, whose methods take the course that `courses` has for them: the next one of a list, or one for all calls. */
export function scriptedStore(inner: Store = memoryStore() as unknown as Store) {
  const calls: Call[] = []
  const courses: Partial<Record<Method, Course | Course[]>> = {}
  const made = { ...inner } as unknown as Record<string, unknown>
  for (const method of METHODS) {
    const own = Reflect.get(inner, method)
    if (!own) continue
    made[method] = (...given: unknown[]) => {
      calls.push([method, ...given])
      const [next] = [courses[method]].flat()
      if (Array.isArray(courses[method])) courses[method].shift()
      const ask = () => Reflect.apply(own, inner, given)
      return next ? next(ask, ...given) : ask()
    }
  }
  const store = made as unknown as Store
  return {
    store: (inner.plain ? Object.assign(made, { plain: plainOf(store) }) : made) as unknown as Store,
    courses,
    calls,
    /** The names of the methods that were called since it was asked last. */
    called: () => calls.splice(0).map(([method]) => method),
    /** Has all calls of `methods` take `course`, and those of the others none. */
    take: (course: Course, methods: readonly Method[] = METHODS) => {
      for (const method of METHODS) delete courses[method]
      for (const method of methods) courses[method] = course
    },
  }
}
