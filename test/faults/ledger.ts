/* What visitors were told, and whether it is true in the end. */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Ask, isGood, type Reply } from './http.ts'

/** One session, from its sign-in on. */
export interface Life {
  readonly user: string
  cookie: string
  /** What it had by then: cookies that another one has taken the place of. */
  readonly former: string[]
  /** Values by keys, of writes that were acknowledged. */
  readonly keys: Map<string, string>
  /** The names of increments: those that were asked for, and those of them that were acknowledged. */
  readonly tried: Set<string>
  readonly counted: Set<string>
  /** `unknown`: it was to end, or to get a new id, and nobody heard whether it did. */
  end: 'open' | 'out' | 'unknown'
}

export interface Findings {
  /** Sessions of which it is known whether they go on. */
  sessions: number
  /** Sessions that were acknowledged and that are not there. */
  missing: number
  /** Keys and increments that were acknowledged and that are not in a session that is there. */
  lost: number
  /** Increments that were done more often than they were asked for. */
  twice: number
  /** Cookies that were taken back, and are good for a session. */
  risen: number
  /** Answers that had the session of somebody else. */
  mixed: number
  /** Sessions that can't be read any more. */
  unread: number
}

export const newLife = (user: string, cookie: string): Life => ({
  ...{ user, cookie, former: [], keys: new Map(), tried: new Set(), counted: new Set(), end: 'open' },
})

/** How often (ms apart) a session is asked for that can't be read. */
const TRIES = 40
const PAUSE = 250
const AT_ONCE = 8

/** Asks for every session. */
export async function examine(lives: readonly Life[], ask: Ask): Promise<Findings> {
  const findings: Findings = { sessions: 0, missing: 0, lost: 0, twice: 0, risen: 0, mixed: 0, unread: 0 }
  const rest = lives.filter(life => life.end !== 'unknown')
  findings.sessions = rest.length
  const work = async () => {
    for (let life = rest.pop(); life; life = rest.pop()) await examineLife(life, ask, findings)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  return findings
}

async function examineLife(life: Life, ask: Ask, findings: Findings): Promise<void> {
  const gone = life.end === 'out' ? [life.cookie, ...life.former] : life.former
  for (const cookie of gone) {
    const reply = await insist(ask, cookie, findings)
    if (isGood(reply)) findings.risen++
  }
  if (life.end === 'out') return
  const reply = await insist(ask, life.cookie, findings)
  if (isGood(reply)) compare(life, JSON.parse(reply.text), findings)
  else if (reply.status === 401) findings.missing++
}

/** A server that has just come back may need a moment. */
async function insist(ask: Ask, cookie: string, findings: Findings): Promise<Reply> {
  for (let tries = 1; ; tries++) {
    const reply = await ask('/all', cookie)
    if (isGood(reply) || reply.status === 401) return reply
    // Where nothing can be read any more, to try each of them often would take hours.
    if (tries === TRIES || findings.unread > 0) {
      findings.unread++
      return reply
    }
    await sleep(PAUSE)
  }
}

interface Data {
  readonly n?: number
  readonly marks?: readonly string[]
  readonly [key: string]: unknown
}

function compare({ user, keys, tried, counted }: Life, data: Data, findings: Findings): void {
  if (data.user !== user) findings.mixed++
  for (const [key, value] of keys) if (data[key] !== value) findings.lost++
  const { n = 0, marks = [] } = data
  const distinct = new Set(marks)
  for (const mark of counted) if (!distinct.has(mark)) findings.lost++
  const asked = marks.filter(mark => tried.has(mark)).length
  findings.twice += marks.length - distinct.size + (marks.length - asked) + Math.abs(n - marks.length)
}
