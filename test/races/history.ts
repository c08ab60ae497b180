/* What visitors asked, and what they were answered: all that the judge knows. */

export type Page = 'in' | 'out' | 'all' | 'others' | 'list' | 'read' | 'set' | 'twice' | 'count' | 'again' | 'audit'

/** One request, as a visitor sends it. */
export interface Asked {
  /** Names the request, and the values that it writes. Unique in a run. */
  readonly request: string
  readonly user: string
  readonly page: Page
  /** Of a sign-in: it names the session that it makes. */
  readonly mark?: string
  /** What the request sets, by key; `null`: it removes the key. */
  readonly writes?: Readonly<Record<string, string | null>>
  /** How long (ms) the handler waits once the session is loaded, and once it is changed. */
  readonly before: number
  readonly after: number
}

/** A session, as a handler or a list of the store's sees it. */
export interface Seen {
  readonly user?: string
  readonly mark?: string
  /** The counter of `update()`, and which requests have counted. */
  readonly n?: number
  readonly marks?: readonly string[]
  readonly [key: string]: unknown
}

/** One request and its answer. Instants are milliseconds by the clock of the visitors. */
export interface Entry extends Asked {
  /** The id that the request presented. */
  readonly presented?: string | undefined
  readonly start: number
  readonly end: number
  /** 0: there was no answer. */
  readonly status: number
  /** Of the error that was answered. */
  readonly code?: string
  /** The id in Set-Cookie; empty: the cookie was cleared. */
  readonly sent?: string | undefined
  /** The session as it was loaded, before the handler changed it. */
  readonly loaded?: Seen | undefined
  /** What the store listed for the user. */
  readonly listed?: readonly Seen[] | undefined
  /** The events that the application emitted for this request: `session:gone` and others. */
  readonly events?: readonly string[]
  /** Read once all else was answered, with each id that was sent. */
  readonly isAudit?: boolean
}

/** All requests of one user, on all browsers. */
export interface Life {
  readonly user: string
  readonly entries: readonly Entry[]
}

export type Kind =
  | 'lost session'
  | 'lost key'
  | 'lost increment'
  | 'doubled increment'
  | 'risen session'
  | 'foreign session'
  | 'two live ids'
  | 'dead id'
  | 'not listed'
  | 'failed request'

export interface Violation {
  readonly kind: Kind
  /** Of the request whose promise does not hold. */
  readonly page: Page | undefined
  /** In words. */
  readonly what: string
  /** The requests that show it, in the order of their starts. */
  readonly excerpt: readonly Entry[]
}

/** Reports a violation, and the requests that show it. */
export type Report = (kind: Kind, what: string, ...about: Entry[]) => void

export const nameOf = ({ page, request }: Entry) => `${page} ${request}`

/** Whether what the request did was acknowledged. */
export function isAcknowledged({ status, events = [] }: Entry): boolean {
  return status === 200 && !events.some(event => UNSAVED.has(event))
}

const UNSAVED = new Set(['session:gone', 'session:late', 'session:error'])
