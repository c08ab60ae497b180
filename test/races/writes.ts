/* Whether each view of a session has what was written to it and acknowledged before. */
import { type Entry, isAcknowledged, type Life, nameOf, type Report, type Seen } from './history.ts'
import type { Session } from './sessions.ts'

/** A session as a request loaded it. */
interface View {
  readonly by: Entry
  readonly data: Seen
}

function viewsOf({ entries }: Life, { mark }: Session): View[] {
  return entries.flatMap(by => (by.loaded?.mark === mark ? [{ by, data: by.loaded }] : []))
}

/**
 * Each key has the value of a request that no other one has overwritten, which began when that one was answered. A request
 * that was not acknowledged may have written.
 */
export function checkWrites(life: Life, session: Session, report: Report): void {
  const views = viewsOf(life, session)
  const writers = views.map(({ by }) => by).filter(({ writes }) => writes)
  const keys = new Set(writers.flatMap(({ writes = {} }) => Object.keys(writes)))
  for (const key of keys) {
    const writes = writers.filter(({ writes = {} }) => Object.hasOwn(writes, key))
    for (const { by, data } of views) {
      const value = data[key] ?? null
      const authors = writes.filter(other => other.writes?.[key] === value)
      const lost = writes.find(other => isAcknowledged(other) && other.end < by.start && !canFollow(authors, other))
      if (lost) report('lost key', `${nameOf(by)} misses ${key} of ${nameOf(lost)}, it has ${value}`, lost, by)
    }
  }
}

/** Whether one of those who wrote what is there may have done so after `write`. */
function canFollow(authors: readonly Entry[], write: Entry): boolean {
  return authors.some(author => author.end >= write.start)
}

/** Each increment is there once, if it was acknowledged, and once or not at all if it was not. */
export function checkCounter(life: Life, session: Session, report: Report): void {
  const views = viewsOf(life, session)
  const counts = views.map(({ by }) => by).filter(({ page }) => page === 'count')
  const tried = new Set(counts.map(({ request }) => request))
  for (const { by, data } of views) {
    const { n = 0, marks = [] } = data
    const distinct = new Set(marks)
    const lost = counts.find(other => isAcknowledged(other) && other.end < by.start && !distinct.has(other.request))
    if (lost) report('lost increment', `${nameOf(by)} misses ${nameOf(lost)}`, lost, by)
    const twice = marks.find((mark, index) => marks.indexOf(mark) !== index || !tried.has(mark))
    const twin = counts.find(({ request }) => request === twice)
    if (twice)
      report('doubled increment', `${nameOf(by)} has ${twice} twice, or from nowhere`, ...(twin ? [twin] : []), by)
    if (n > marks.length) report('doubled increment', `${nameOf(by)} has ${n} of ${marks.length}`, by)
    if (n < marks.length) report('lost increment', `${nameOf(by)} has ${n} of ${marks.length}`, by)
  }
}
