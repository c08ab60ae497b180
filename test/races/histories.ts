/* Histories of one user, in short, for the tests of the judge. */
import type { Entry, Page, Seen } from './history.ts'

const USER = 'ann'
/** How long (ms) a retired id is parallel. */
export const PARALLEL = 1000

export type Row = Partial<Entry> & { readonly page: Page; readonly at: readonly [start: number, end: number] }

export function history(rows: readonly Row[]) {
  const entries = rows.map(({ at: [start, end], ...row }, index): Entry => {
    const base = { request: `r${index}`, user: USER, before: 0, after: 0, start, end, status: 200 }
    return { ...base, ...row }
  })
  return { user: USER, entries }
}

export const session = (mark: string, more: Record<string, unknown> = {}): Seen => ({ user: USER, mark, ...more })
export const saw = (more?: Record<string, unknown>) => ({ loaded: session('m', more) })
export const gone = { events: ['session:gone'] }
export const writes = (key: string, value: string | null) => ({ writes: { [key]: value } })

/** The user has signed in, under the id A. */
export const signIn: Row = { page: 'in', mark: 'm', at: [0, 10], sent: 'A', loaded: {} }
/** The session has got the id B in the place of A. */
export const moved: Row = { page: 'again', at: [20, 30], presented: 'A', sent: 'B', ...saw() }
export const secondSignIn: Row = { page: 'in', mark: 'm2', at: [20, 30], presented: 'A', sent: 'B', ...saw() }
export const out: Row = { page: 'out', at: [40, 50], presented: 'A', sent: '', ...saw() }

/** What is left in the end, by id. What the store lists is the same. */
export function audit(live: Readonly<Record<string, Seen | undefined>>, listed = Object.values(live)): Row[] {
  const reads = Object.entries(live).map(([presented, loaded], index): Row => {
    return { page: 'read', isAudit: true, at: [9000 + index, 9001 + index], presented, loaded: loaded ?? {} }
  })
  const there = listed.filter(each => each !== undefined)
  return [...reads, { page: 'audit', isAudit: true, at: [9900, 9901], listed: there }]
}
