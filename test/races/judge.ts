/* Whether what visitors were told is true: a pure function of the history of one user. */
import { type Entry, isAcknowledged, type Life, nameOf, type Report, type Seen, type Violation } from './history.ts'
import { isMove, marksOf, quietAfter, type Session, sessionsOf } from './sessions.ts'
import { checkCounter, checkWrites } from './writes.ts'

/**
 * The violations in the history of one user, at most one of each kind for each session. `parallel`: how long (ms by the
 * clock of the history) requests may still present an id that was retired.
 */
export function judge(life: Life, parallel: number): Violation[] {
  const found = new Map<string, Violation>()
  const reportOn =
    (subject: string): Report =>
    (kind, what, ...about) => {
      const key = `${kind} ${subject}`
      if (!found.has(key)) found.set(key, { kind, page: about[0]?.page, what, excerpt: excerptOf(life, about) })
    }
  const sessions = sessionsOf(life, parallel)
  checkForeign(life, reportOn(life.user))
  for (const entry of life.entries) {
    if (entry.status === 0 || entry.status >= 500) reportOn(life.user)('failed request', nameOf(entry), entry)
  }
  for (const session of sessions) {
    const report = reportOn(session.mark)
    checkRisen(life, session, report)
    checkEnding(life, session, report)
    checkWrites(life, session, report)
    checkCounter(life, session, report)
  }
  return [...found.values()]
}

/** No answer has the session of another user, nor another one than the id was sent for. */
function checkForeign({ user, entries }: Life, report: Report): void {
  const marks = marksOf(entries)
  const known = new Set(entries.map(({ page, mark }) => (page === 'in' ? mark : undefined)))
  for (const entry of entries) {
    const { loaded, listed = [], presented = '' } = entry
    const seen = [...listed, ...(loaded?.mark === undefined ? [] : [loaded])]
    const foreign = seen.find(other => other.user !== user || !known.has(other.mark))
    if (foreign) report('foreign session', `${nameOf(entry)} has seen ${foreign.mark} of ${foreign.user}`, entry)
    if (loaded?.mark !== undefined && loaded.mark !== marks.get(presented)) {
      report('foreign session', `${nameOf(entry)} has loaded ${loaded.mark} for ${marks.get(presented)}`, entry)
    }
  }
}

/** After an acknowledged end nobody sees the session, once what was under way then is answered. */
function checkRisen({ entries }: Life, session: Session, report: Report): void {
  for (const { by, isSure, via = [] } of session.ends) {
    if (!isSure) continue
    const quiet = quietAfter(by, session)
    const later = entries.find(entry => entry.start > quiet && seenBy(entry).some(({ mark }) => mark === session.mark))
    if (later)
      report('risen session', `${session.mark} was ended by ${nameOf(by)}, ${nameOf(later)} sees it`, by, ...via, later)
  }
}

/** In the end a session has one id, the last that was sent, or none if it was ended. */
function checkEnding({ entries }: Life, session: Session, report: Report): void {
  const { mark, signIn, ends } = session
  const audits = entries.filter(({ isAudit }) => isAudit)
  if (audits.length === 0) return
  const live = audits.filter(({ loaded }) => loaded?.mark === mark)
  const lists = audits.filter(({ listed }) => listed !== undefined)
  const counts = lists.map(({ listed = [] }) => listed.filter(other => other.mark === mark).length)
  const listed = Math.max(0, ...counts)
  const moves = [signIn, ...session.entries.filter(isMove)]
  if (live.length > 1) report('two live ids', `${mark} is under ${live.length} ids that were sent`, ...moves, ...live)
  if (listed > 1) report('two live ids', `${mark} is in the store ${listed} times`, ...moves)
  // A request that uses a session which is not listed has it listed from then on.
  if (live.length > Math.min(...counts))
    report('not listed', `${mark} is there, and the store does not list it`, ...moves, ...live)
  if (!isAcknowledged(signIn) || ends.length > 0) return
  if (!signIn.sent) report('lost session', `${nameOf(signIn)} was acknowledged, and no id was sent`, signIn)
  else if (live.length === 0) {
    const where = listed > 0 ? 'is under an id that nobody was sent' : 'is not there'
    report('lost session', `${mark}, which nobody ended, ${where}`, ...moves)
  }
  const heads = live.length > 0 ? moves.filter(({ sent = '' }) => !moves.some(isFrom(sent))) : []
  const dead = heads.find(({ sent = '' }) => !live.some(isFrom(sent)))
  if (dead)
    report('dead id', `${nameOf(dead)} was sent an id that is not good, and nobody has replaced it`, dead, ...moves)
}

const isFrom = (id: string) => (entry: Entry) => entry.presented === id

function seenBy({ loaded, listed = [] }: Entry): readonly Seen[] {
  return loaded ? [...listed, loaded] : listed
}

/** What it is about, and what ran beside the first of it. */
function excerptOf({ entries }: Life, about: readonly Entry[]): Entry[] {
  const [first] = about
  const isBeside = ({ start, end, isAudit, loaded, presented }: Entry) =>
    first && !isAudit && start < first.end && end > first.start && presented === first.presented && loaded?.mark
  const isPart = (entry: Entry) => about.includes(entry) || isBeside(entry)
  return entries.filter(isPart).sort((one, other) => one.start - other.start)
}
