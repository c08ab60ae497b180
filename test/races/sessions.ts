/* What a history says of the sessions of one user: who made them, under which ids they were, who ended them. */
import type { Entry, Life } from './history.ts'

/** A request that ended a session, or may have. */
export interface End {
  readonly by: Entry
  readonly isSure: boolean
  /** The requests by which this session took the place of the id that `by` presented. */
  readonly via?: readonly Entry[]
}

/** One session: from a sign-in on, under all of its ids. */
export interface Session {
  /** The mark that its sign-in wrote into it. */
  readonly mark: string
  readonly signIn: Entry
  /** The requests that presented one of its ids. */
  readonly entries: readonly Entry[]
  readonly ends: readonly End[]
}

/** How inexact (ms) the instants of a history are. */
const MARGIN = 20

/** `parallel`: how long (ms) requests may still present an id that was retired, by the clock of the history. */
export function sessionsOf({ entries }: Life, parallel: number): Session[] {
  const marks = marksOf(entries)
  const moves = movesOf(entries)
  const markOf = (id: string | undefined) => (id === undefined ? undefined : marks.get(id))
  const signIns = entries.filter(entry => entry.page === 'in')
  return signIns.map(signIn => {
    const mark = signIn.mark ?? ''
    const ends = entries.map(endOf).filter(end => end !== undefined)
    return { mark, signIn, entries: entries.filter(({ presented }) => markOf(presented) === mark), ends }

    /** How `by` has ended this session; `undefined`: it has not. */
    function endOf(by: Entry): End | undefined {
      if (by.page === 'out') return endBySignOut(by)
      if (by.page === 'all' || by.page === 'others') return endByAll(by)
      if (by.loaded?.mark !== mark || (by.page !== 'in' && by.page !== 'again')) return undefined
      // Nobody knows what became of the session.
      if (by.status !== 200) return { by, isSure: false }
      // A new sign-in in its place; beside another request that gave the session a new id it is one of its own.
      const isAlone = moves.get(by.presented ?? '')?.length === 1
      return by.page === 'in' && isMove(by) ? { by, isSure: isAlone } : undefined
    }

    function endBySignOut(by: Entry): End | undefined {
      const chain = chainOf(by.presented, moves, by.end)
      const to = chain.find(({ sent }) => markOf(sent) === mark)
      const via = to ? pathTo(to, chain) : []
      if (markOf(by.presented) !== mark && !to) return undefined
      const [first] = chain
      // Of two moves from one id, nobody knows which one the store has.
      const isForked = new Set(chain.map(({ presented }) => presented)).size < chain.length
      if (by.status !== 200 || isForked) return { by, isSure: false, via }
      if (by.loaded?.mark !== undefined) return { by, isSure: true, via }
      const isSure = first && isParallel(by, first, parallel)
      return isSure === undefined ? undefined : { by, isSure, via }
    }

    function endByAll(by: Entry): End | undefined {
      if (by.loaded?.user === undefined || signIn.start > by.end) return undefined
      if (by.page === 'all' || by.loaded.mark !== mark)
        return { by, isSure: by.status === 200 && signIn.end < by.start }
      // It is spared under the id that it had.
      const isMoving = entries.some(
        other => isMove(other) && other.loaded?.mark === mark && other.start < by.end && other.end > by.start,
      )
      return isMoving || by.status !== 200 ? { by, isSure: false } : undefined
    }
  })
}

/** The mark of the session that each id was sent for. */
export function marksOf(entries: readonly Entry[]): ReadonlyMap<string, string> {
  const marks = new Map<string, string>()
  for (const { sent, page, mark, loaded } of [...entries].sort((one, other) => one.end - other.end)) {
    const own = page === 'in' ? mark : loaded?.mark
    if (sent && own !== undefined && !marks.has(sent)) marks.set(sent, own)
  }
  return marks
}

/** The requests that gave each id's session another one; several, if somebody signed in beside the first one. */
function movesOf(entries: readonly Entry[]): ReadonlyMap<string, readonly Entry[]> {
  const moves = new Map<string, Entry[]>()
  for (const entry of entries.filter(isMove)) {
    const { presented = '' } = entry
    moves.set(presented, [...(moves.get(presented) ?? []), entry])
  }
  return moves
}

/** Whether the request has given the session that it loaded another id. */
export function isMove({ page, presented, sent, loaded }: Entry): boolean {
  const isNew = presented !== undefined && Boolean(sent) && sent !== presented
  return (page === 'in' || page === 'again') && isNew && loaded?.mark !== undefined
}

/** The requests, begun by `until`, that gave the session under `id` another id, and another one after that. */
function chainOf(id: string | undefined, moves: ReadonlyMap<string, readonly Entry[]>, until: number): Entry[] {
  const chain: Entry[] = []
  const pending = [id]
  for (let next = pending.shift(); next !== undefined; next = pending.shift()) {
    for (const move of moves.get(next) ?? []) {
      if (move.start > until || chain.includes(move)) continue
      chain.push(move)
      pending.push(move.sent)
    }
  }
  return chain
}

/** The requests of a chain that lead to one of them, with it. */
function pathTo(last: Entry, chain: readonly Entry[]): Entry[] {
  const before = chain.find(({ sent }) => sent === last.presented)
  return before && before !== last ? [...pathTo(before, chain), last] : [last]
}

/** Whether the id that `move` replaced still counts when `by` presents it; `undefined`: it does not, `false`: who knows. */
function isParallel({ start, end }: Entry, move: Entry, parallel: number): boolean | undefined {
  if (end - move.start < parallel - MARGIN) return true
  return start - move.end > parallel + MARGIN ? undefined : false
}

/** When nobody can have one of these sessions any more who got it before its end: once those under way are answered. */
export function quietAfter(end: Entry, { entries }: Session): number {
  const underWay = entries.filter(({ start, isAudit }) => !isAudit && start < end.end)
  return Math.max(end.end, ...underWay.map(entry => entry.end))
}
