/* One fault on one server, under load: the figures, and which promises they break. */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Application, type Orders, type State, startApplication } from './application.ts'
import type { StoreName } from './clients.ts'
import type { Fault } from './faults.ts'
import { askOn } from './http.ts'
import { examine, type Findings } from './ledger.ts'
import { KINDS, type Target } from './servers.ts'
import { newTraffic, type Traffic, visit } from './visitor.ts'

export interface Trial {
  readonly server: StoreName
  readonly fault: string
  readonly title: string
  readonly requests: number
  readonly errors: Readonly<Record<string, number>>
  /** The longest answer of all, the longest before the fault, and by path (ms). */
  readonly longest: number
  readonly calm: number
  readonly longestBy: Readonly<Record<string, number>>
  /** From the end of the fault to the first good answer, and to the last error (ms). */
  readonly firstGood: number | undefined
  readonly lastError: number
  readonly findings: Findings
  readonly refused: number
  readonly publicFailed: number
  readonly readFailed: number
  readonly deaths: number
  readonly rejections: number | undefined
  /** Of the application's process before the fault and at the end (bytes). */
  readonly before: State | undefined
  readonly after: State | undefined
  readonly keepsAll: boolean
  /** Why promises may be broken here. */
  readonly known: string | undefined
  /** The promises that did not hold. */
  readonly broken: readonly string[]
}

const FILE = new URL('app.ts', import.meta.url)
/** In ms; an application would leave it longer. */
const STORE_TIMEOUT = 1000
/** How often a request may wait that long: once in all, and once more for what its handler asks for itself. */
const WAITS: Readonly<Record<string, number>> = { '/count': 2, '/again': 2 }
/** What a request may take besides (ms), above the longest one before the fault: machines do other things too. */
const SLACK = 500
/** A fault lasts for longer than the store may take to answer (ms). */
const SHORTEST_FAULT = 1500 + STORE_TIMEOUT
/** Clients wait for up to two seconds before they connect again. */
const SHORTEST_REST = 4000

export async function tryFault(server: StoreName, fault: Fault, seconds: number): Promise<Trial> {
  const target = await KINDS[server].start(fault.needs ?? {})
  try {
    const { onStoreError = 'throw' } = fault
    const { place } = target
    const orders: Omit<Orders, 'port'> = { store: server, place, storeTimeout: STORE_TIMEOUT, onStoreError }
    const application = await startApplication(FILE, orders)
    try {
      return await tryOn(server, fault, target, application, seconds)
    } finally {
      await application.stop()
    }
  } finally {
    await target.stop()
  }
}

async function tryOn(server: StoreName, fault: Fault, target: Target, application: Application, seconds: number) {
  const { ask, close } = askOn(application.port)
  const traffic = newTraffic()
  const enough = new AbortController()
  const visits = visit(ask, traffic, enough.signal)
  await sleep((seconds / 3) * 1000)
  const before = await application.state()
  const calm = Math.max(0, ...traffic.longest.values())
  const scene = { target, application }
  await fault.inject(scene)
  await sleep(Math.max((seconds / 6) * 1000, SHORTEST_FAULT))
  const { since } = await recovered(() => fault.recover(scene), traffic)
  await sleep(Math.max((seconds / 2) * 1000, SHORTEST_REST))
  enough.abort()
  await visits
  const findings = await examine(traffic.lives, ask)
  findings.risen += traffic.risen
  findings.mixed += traffic.mixed
  const after = await application.state()
  close()
  const trial = { server, fault: fault.name, title: KINDS[server].title, before, after, findings, calm }
  const firstGood = traffic.firstGood > 0 ? traffic.firstGood - since : undefined
  return judged(fault, {
    ...trial,
    ...figuresOf(traffic),
    ...{ firstGood, lastError: Math.max(0, traffic.lastError - since) },
    ...{ deaths: application.deaths, rejections: after?.rejections, keepsAll: fault.keepsAll ?? true },
    known: fault.known?.[server],
  })
}

/** What begins from now on is served by a server that is there. */
async function recovered(recover: () => unknown, traffic: Traffic): Promise<{ since: number }> {
  await recover()
  traffic.since = performance.now()
  return traffic
}

function figuresOf({ requests, errors, longest, refused, publicFailed, readFailed }: Traffic) {
  const longestBy = Object.fromEntries(longest)
  return {
    ...{ requests, refused, publicFailed, readFailed, longestBy },
    ...{ errors: Object.fromEntries(errors), longest: Math.max(0, ...longest.values()) },
  }
}

function judged(fault: Fault, trial: Omit<Trial, 'broken'>): Trial {
  const { findings, rejections, firstGood, deaths } = trial
  const isServed = fault.endsApplication || trial.publicFailed === 0
  const isRead = !fault.onStoreError || trial.readFailed === 0
  const promises: Readonly<Record<string, boolean>> = {
    'the process lives': deaths === 0,
    'no unhandled rejection': rejections === 0,
    'pages without a session are served': isServed,
    'pages that read the session are served': isRead,
    recovers: firstGood !== undefined && findings.unread === 0,
    'gives nobody the session of another': findings.mixed === 0,
    'counts once': findings.twice === 0,
    'answers in time': Object.entries(trial.longestBy).every(([page, ms]) => ms <= longestOf(page) + trial.calm),
    ...(trial.keepsAll && {
      'keeps sessions': findings.missing === 0 && trial.refused === 0,
      'keeps updates': findings.lost === 0,
      'what is ended stays so': findings.risen === 0,
    }),
  }
  const broken = Object.keys(promises).filter(promise => !promises[promise])
  return { ...trial, broken }
}

const longestOf = (page: string) => (WAITS[page] ?? 1) * STORE_TIMEOUT + SLACK
