/* What a user does, drawn by chance: the same for the same chance, whatever is answered. */
import type { Asked, Page } from './history.ts'

/** A request of a script. */
export interface Line extends Omit<Asked, 'user'> {
  /** Which of the processes is asked: a number from 0 to 1. */
  readonly process: number
  /** Which of the ids that the browser had is presented in place of its cookie, as a number from 0 to 1. */
  readonly old?: number
}

/** Requests that a browser sends at the same time. */
export interface Step {
  readonly lines: readonly Line[]
  /** The sign-in that comes first where the browser is not signed in. */
  readonly signIn: Line
  /** How long (ms) the user waits first. */
  readonly pause: number
}

type Random = () => number

/** How often each page is asked for. Those that end sessions are asked for by some users only. */
const PAGES: readonly (readonly [Page, weight: number])[] = [
  ...([
    ['read', 12],
    ['set', 36],
    ['twice', 6],
    ['count', 20],
    ['again', 14],
    ['list', 4],
  ] as const),
]
const ENDS: readonly (readonly [Page, weight: number])[] = [
  ...([
    ['out', 8],
    ['in', 4],
    ['all', 3],
    ['others', 3],
  ] as const),
]
/** Written by several requests. The keys of the others are their own. */
const SHARED = ['one', 'two', 'three']
const STEPS = 7
const MOST_AT_ONCE = 4
/** How long (ms) handlers wait, and users. */
const WAIT = 12
const THINK = 25

/** The steps of one browser. `name` is the user's and the browser's. `parallel`: how long (ms) a retired id is parallel. */
export function scriptOf(name: string, random: Random, endsSessions: boolean, parallel: number): Step[] {
  let count = 0
  const line = (page: Page): Line => {
    const request = `${name}.${count++}`
    return {
      ...{ request, page, process: random(), before: waitOf(random, parallel), after: random() * WAIT },
      ...(page === 'in' && { mark: `mark-${request}` }),
      ...(isWriter(page) && { writes: writesOf(request, page, random) }),
      ...(random() < 0.15 && { old: random() }),
    }
  }
  const pages = endsSessions ? [...PAGES, ...ENDS] : PAGES
  return Array.from({ length: STEPS }, (_, index) => {
    const { old: _old, ...signIn } = line('in')
    const isDoubleClick = random() < 0.1
    const isCrossing = endsSessions && random() < 0.25
    const some = Array.from({ length: 1 + Math.floor(random() * MOST_AT_ONCE) }, () => line(pick(pages, random)))
    // A session gets a new id just as it ends.
    const lines = isCrossing ? [line('again'), line(pick(ENDS, random)), ...some] : some
    // Once in a while for so long that the ids that were retired are no longer parallel.
    const pause = index > 0 && random() < 0.08 ? parallel * 1.2 : random() * THINK
    return { signIn, lines: isDoubleClick && endsSessions ? [...lines, line('in'), line('in')] : lines, pause }
  })
}

const isWriter = (page: Page) => page === 'set' || page === 'twice' || page === 'again'

/** A handler that is slower than an id is parallel is rare, and there. */
const waitOf = (random: Random, parallel: number) => (random() < 0.01 ? parallel * 1.3 : random() * WAIT)

function writesOf(request: string, page: Page, random: Random): Record<string, string | null> {
  const own = { [`key-${request}`]: `value-${request}` }
  const shared = SHARED[Math.floor(random() * SHARED.length)] ?? ''
  const value = random() < 0.2 ? null : `value-${request}`
  if (page === 'twice') return { ...own, [shared]: value }
  if (page === 'again' && random() < 0.5) return {}
  return random() < 0.5 ? own : { [shared]: value }
}

function pick(pages: readonly (readonly [Page, number])[], random: Random): Page {
  let rest = random() * pages.reduce((sum, [, weight]) => sum + weight, 0)
  for (const [page, weight] of pages) {
    rest -= weight
    if (rest < 0) return page
  }
  return 'read'
}
