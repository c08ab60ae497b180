/* The load: visitors who sign in, write, count, read and sign out, and who note what they were told. */
import { setTimeout as sleep } from 'node:timers/promises'
import { headerFrom } from '../support/set-cookie.mjs'
import { type Ask, isGood, type Reply } from './http.ts'
import { type Life, newLife } from './ledger.ts'

/** What was asked and answered so far. */
export interface Traffic {
  readonly lives: Life[]
  requests: number
  /** How often, by status and code: `503 ERR_SESSION_TIMEOUT`. */
  readonly errors: Map<string, number>
  /** The longest answer (ms) by path. */
  readonly longest: Map<string, number>
  /** Pages that need no session, and were not served. */
  publicFailed: number
  /** Pages that read the session, and were not served. */
  readFailed: number
  /** Visitors who were told that they are not signed in, while they were. */
  refused: number
  /** Cookies that were taken back, and were good a moment later. */
  risen: number
  /** Visitors who were told that they are somebody else. */
  mixed: number
  /** When the last error came, and when the first good answer came to a request that began after `since` (ms). */
  lastError: number
  firstGood: number
  since: number
}

export const newTraffic = (): Traffic => ({
  ...{ lives: [], requests: 0, errors: new Map(), longest: new Map() },
  ...{ publicFailed: 0, readFailed: 0, refused: 0, risen: 0, mixed: 0, lastError: 0, firstGood: 0, since: Infinity },
})

const VISITORS = 8
/** How long (ms) a visitor looks at what came, and waits after an error. */
const LOOK = 15
const AFTER_ERROR = 50

/** Sends visitors until `signal` says that it is enough. */
export async function visit(ask: Ask, traffic: Traffic, signal: AbortSignal): Promise<void> {
  const visits = Array.from({ length: VISITORS }, async (_, index) => {
    for (let turn = 0; !signal.aborted; turn++) await live(noting(ask, traffic), traffic, `${index}-${turn}`, signal)
  })
  await Promise.all(visits)
}

/** Asks, and keeps the figures. */
function noting(ask: Ask, traffic: Traffic): Ask {
  return async (path, cookie) => {
    const began = performance.now()
    const reply = await ask(path, cookie)
    const page = path.split('?')[0] ?? path
    traffic.requests++
    if (reply.status > 0) traffic.longest.set(page, Math.max(traffic.longest.get(page) ?? 0, reply.ms))
    if (isGood(reply) && page !== '/public' && began > traffic.since) traffic.firstGood ||= performance.now()
    if (!isGood(reply)) noteError(reply, page, traffic)
    return reply
  }
}

function noteError({ status, code, text }: Reply, page: string, traffic: Traffic): void {
  const name = [status || 'none', code, process.env.FAULTS_CAUSES ? text : ''].filter(Boolean).join(' ')
  traffic.errors.set(name, (traffic.errors.get(name) ?? 0) + 1)
  traffic.lastError = performance.now()
  if (page === '/public') traffic.publicFailed++
  if (page === '/me') traffic.readFailed++
}

async function live(ask: Ask, traffic: Traffic, name: string, signal: AbortSignal): Promise<void> {
  const reply = await ask(`/in?user=${name}`)
  const cookie = headerFrom(reply.setCookie)
  if (!isGood(reply) || !cookie) return void (await sleep(AFTER_ERROR))
  const life = newLife(name, cookie)
  traffic.lives.push(life)
  for (let round = 0; round < 4 && !signal.aborted; round++) {
    const isThere = await stay(ask, life, round, traffic)
    if (!isThere) {
      traffic.refused++
      return
    }
  }
  const choice = traffic.lives.length % 4
  if (choice === 1) await renew(ask, life)
  if (choice > 1) await leave(ask, life, traffic)
}

/** Writes, counts and reads at once. Says whether the application still knows who it is. */
async function stay(ask: Ask, life: Life, round: number, traffic: Traffic): Promise<boolean> {
  const { cookie } = life
  const set = async (key: string) => {
    const reply = await ask(`/set?key=${key}&value=v${round}`, cookie)
    if (isGood(reply)) life.keys.set(key, `v${round}`)
    return reply
  }
  const count = async (mark: string) => {
    life.tried.add(mark)
    const reply = await ask(`/count?mark=${mark}`, cookie)
    if (isGood(reply)) life.counted.add(mark)
    return reply
  }
  const replies = await Promise.all([set(`a${round}`), set(`b${round}`), count(`x${round}`), count(`y${round}`)])
  const me = await ask('/me', cookie)
  replies.push(me, await ask('/public', cookie))
  if (isGood(me) && me.text !== 'nobody' && me.text !== life.user) traffic.mixed++
  await sleep(replies.every(isGood) ? LOOK : AFTER_ERROR)
  return !replies.some(({ status }) => status === 401)
}

async function renew(ask: Ask, life: Life): Promise<void> {
  const reply = await ask('/again', life.cookie)
  const cookie = headerFrom(reply.setCookie)
  if (!isGood(reply) || !cookie) {
    life.end = 'unknown'
    return
  }
  life.former.push(life.cookie)
  life.cookie = cookie
}

async function leave(ask: Ask, life: Life, traffic: Traffic): Promise<void> {
  life.end = isGood(await ask('/out', life.cookie)) ? 'out' : 'unknown'
  if (life.end === 'unknown') return
  const reply = await ask('/me', life.cookie)
  if (isGood(reply) && reply.text !== 'nobody') traffic.risen++
}
