/* What was found, in lines. */
import { type Entry, isAcknowledged, type Page, type Violation } from './history.ts'
import type { Trial } from './trial.ts'

/** The most violations of each kind that are shown with their excerpts. */
const SHOWN = 2
/** The most requests of an excerpt. */
const LONGEST = 16

/** One line: requests, by page and by status, and violations by kind. */
export function lineOf({ lives, violations }: Trial): string {
  const all = lives.flatMap(life => life.entries)
  const entries = all.filter(({ isAudit }) => !isAudit)
  const unsaved = entries.filter(entry => entry.status === 200 && !isAcknowledged(entry)).length
  const late = entries.filter(({ events = [] }) => events.includes('session:reuse')).length
  const parts = [
    `${entries.length} requests of ${lives.length} users (${counted(entries.map(({ page }) => page))})`,
    `answers ${counted(entries.map(({ status, code }) => [status, code].filter(Boolean).join(' ')))}`,
    `${unsaved} not saved, ${late} with an id retired long before, ${all.length - entries.length} to audit`,
    violations.length > 0
      ? `VIOLATIONS: ${counted(violations.map(({ kind, page }) => `${kind} (${page})`))}`
      : 'no violation',
  ]
  return parts.join('; ')
}

/** What has to be asked for and answered for a run to have shown anything. */
const NEEDED: readonly Page[] = ['set', 'count', 'again', 'out', 'read']

/** The pages without which a run shows nothing, and that were not answered in it. */
export function untried({ lives }: Trial): Page[] {
  const answered = new Set(lives.flatMap(({ entries }) => entries.filter(isAcknowledged).map(({ page }) => page)))
  return NEEDED.filter(page => !answered.has(page))
}

/** The first violations of each kind, each with the requests that show it. */
export function excerptsOf({ violations }: Trial): string {
  const kinds = [...new Set(violations.map(({ kind }) => kind))]
  const shown = kinds.flatMap(kind =>
    violations
      .filter(violation => violation.kind === kind)
      .sort((one, other) => one.excerpt.length - other.excerpt.length)
      .slice(0, SHOWN),
  )
  return shown.map(textOf).join('\n')
}

function textOf({ kind, what, excerpt }: Violation): string {
  const since = excerpt[0]?.start ?? 0
  return [`  ${kind}: ${what}`, ...excerpt.slice(-LONGEST).map(entry => `    ${rowOf(entry, since)}`)].join('\n')
}

function rowOf(entry: Entry, since: number): string {
  const { start, end, request, page, presented, sent, status, code, loaded, writes, events = [], isAudit } = entry
  const time = `${(start - since).toFixed(1)}–${(end - since).toFixed(1)} ms`
  const ids = `${shortOf(presented) ?? 'no id'}${sent === undefined ? '' : ` → ${shortOf(sent) || 'cleared'}`}`
  const seen = loaded?.mark === undefined ? 'nobody' : loaded.mark
  const wrote = writes && Object.keys(writes).length > 0 ? ` writes ${Object.keys(writes).join(', ')}` : ''
  const answer = [status, code, ...events].filter(Boolean).join(' ')
  return `${time}  ${isAudit ? 'audit, ' : ''}${page} ${request}${wrote}: ${ids}, sees ${seen}, ${answer}`
}

const shortOf = (id: string | undefined) => id?.slice(0, 8)

function counted(names: readonly string[]): string {
  const counts = new Map<string, number>()
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1)
  return [...counts]
    .sort(([, one], [, other]) => other - one)
    .map(([name, count]) => `${count} ${name}`)
    .join(', ')
}
