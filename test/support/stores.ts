/** A store whose calls are written down, and take another course where a test says so. */
import { setImmediate } from 'node:timers/promises'
import type { Store } from 'koa-session'

const PLAIN = ['get', 'set', 'destroy'] as const
export const METHODS = [...PLAIN, 'read', 'create', 'patch', 'touch', 'retire', 'list', 'destroyAll'] as const
export type Method = (typeof METHODS)[number]
type Call = readonly [method: Method, ...given: unknown[]]
/** The course of one call: `ask` asks the store. */
export type Course = (ask: () => unknown, ...given: unknown[]) => unknown

export const DOWN = new Error('connection refused')
export const fails: Course = () => Promise.reject(DOWN)
export const failsAtOnce: Course = () => {
  throw DOWN
}
export const failsThoughDone: Course = ask => {
  ask()
  return Promise.reject(DOWN)
}
export const hangs: Course = () => new Promise(() => {})
/** Asks a turn of the event loop later. */
export const later: Course = async ask => {
  await setImmediate()
  return ask()
}
/** Asks five turns later. */
export const slowly: Course = async ask => {
  for (let turns = 0; turns < 5; turns++) await setImmediate()
  return ask()
}
/** Something happens just before the store is asked. */
export const after =
  (happens: () => unknown): Course =>
  ask => {
    happens()
    return ask()
  }

/** Lets a test act while a request, or a call of a store that takes its course, is under way. */
export class Gate {
  open = () => {}
  #arrive = () => {}
  readonly arrived = new Promise<void>(resolve => {
    this.#arrive = resolve
  })
  readonly #opened = new Promise<void>(resolve => {
    this.open = resolve
  })

  readonly course: Course = async ask => {
    await this.pass()
    return ask()
  }

  async pass(): Promise<void> {
    this.#arrive()
    await this.#opened
  }
}

/** The three methods of `store` alone, as people have written them for koa-session 7. */
export function plainOf({ get, set, destroy }: Pick<Store, (typeof PLAIN)[number]>): Store {
  return { get, set, destroy }
}

/**
 * The store `inner` without the methods `without`. The others take the course that `courses` has for them: the next one of
 * a list, or one for all calls.
 */
export function scriptedStore(inner: object, without: readonly Method[] = []) {
  const calls: Call[] = []
  const said: string[] = []
  const courses: Partial<Record<Method, Course | Course[]>> = {}
  const made: Record<string, unknown> = { ...inner }
  for (const method of METHODS) {
    const own = Reflect.get(inner, method)
    delete made[method]
    if (!own || without.includes(method)) continue
    made[method] = (...given: unknown[]) => {
      calls.push([method, ...given])
      said.push(`${method} ${given[0]}`)
      const [next] = [courses[method]].flat()
      if (Array.isArray(courses[method])) courses[method].shift()
      const ask = () => Reflect.apply(own, inner, given)
      return next ? next(ask, ...given) : ask()
    }
  }
  const store = made as unknown as Store
  return {
    store: 'plain' in inner ? Object.assign(store, { plain: plainOf(store) }) : store,
    courses,
    calls,
    /** The same as text: the method and the id. */
    said,
    /** The names of the methods that were called since it was asked last. */
    called: () => calls.splice(0).map(([method]) => method),
    /** Has all calls of `methods` take `course`, and those of the others none. */
    take: (course: Course, methods: readonly Method[] = METHODS) => {
      for (const method of METHODS) delete courses[method]
      for (const method of methods) courses[method] = course
    },
  }
}
